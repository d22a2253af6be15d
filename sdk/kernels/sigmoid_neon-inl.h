// Sigmoids on arm64, once for each instruction set (see simd_math-inl.h about the guard), in two
// parts: while cores that run instructions in order would wait for the second part of some vectors,
// they do the first of others.
#if defined(HANDPICK_SDK_KERNELS_SIGMOID_NEON_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_SIGMOID_NEON_INL_H_
#undef HANDPICK_SDK_KERNELS_SIGMOID_NEON_INL_H_
#else
#define HANDPICK_SDK_KERNELS_SIGMOID_NEON_INL_H_
#endif

#include "hwy/highway.h"
#include "sdk/kernels/sigmoid_rational.h"
#include "sdk/kernels/vectors-inl.h"

#if HWY_ARCH_ARM_A64
HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Four equal numbers in memory.
struct alignas(16) FourTimes {
  constexpr explicit FourTimes(float x) : at{x, x, x, x} {}
  float at[4];
};
inline constexpr FourTimes kFourOnes{1.0f};
inline constexpr FourTimes kFourHalves{0.5f};

// They are loaded once more where a sum starts from them: the copy of a register would take the
// units that multiply. `behind`: what is there before, so that each copy is one of its own.
HWY_INLINE float32x4_t Again(const FourTimes& number, float32x4_t behind) {
  float32x4_t copy;
  __asm__("ldr %q0, [%1, xzr]" : "=w"(copy) : "r"(&number), "m"(number), "w"(behind));
  return copy;
}

// sigmoid(x) - 1/2, times kScale: x P(x^2) / Q(x^2) (sigmoid_rational.h). No division, which keeps
// some cores from all else for as long as all of the rest takes: 1 / Q is an estimate r of 8 bits
// and, with e = 1 - Q r, its series r (1 + e + e^2) or, but for exact ones, r (1 + e). Exact is off
// by at most 2.5e-7, coarse by 2e-5.
template <int kDegree, int kScale = 1>
class Sigmoids {
  static_assert(kDegree == kExact || kDegree == kCoarse, "what is rough is for tables of 7 bits");

 public:
  HWY_INLINE Sigmoids() {
    constexpr auto& kOf = kSigmoidLanes<kDegree, kScale>;
    p_ = vld1q_f32(kOf.p);
    q_ = vld1q_f32(kOf.q);
    one_ = vdupq_n_f32(1.0f);
    // What the compiler knows it would take out of the lanes again, into a register for each.
    __asm__("" : "+w"(p_), "+w"(q_), "+w"(one_));
  }

  // x P and Q of N vectors.
  template <int N>
  HWY_INLINE void Start(VF (&x)[N], VF (&q)[N]) const {
    constexpr float kEnd = kSigmoidRational<kDegree>.end;
    const DF d;
    float32x4_t t[N], second[N], third[N], p[N];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) x[i] = AtLeast(x[i], hn::Set(d, -kEnd));
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) x[i] = AtMost(x[i], hn::Set(d, kEnd));
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) t[i] = vmulq_f32(x[i].raw, x[i].raw);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) second[i] = vmulq_f32(t[i], t[i]);
    if constexpr (kDegree == kCoarse) {
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) p[i] = vmulq_laneq_f32(second[i], p_, 2);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) q[i].raw = vmulq_f32(t[i], second[i]);
    } else {
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) third[i] = vmulq_f32(t[i], second[i]);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) q[i].raw = vmulq_f32(second[i], second[i]);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) p[i] = vmulq_laneq_f32(third[i], p_, 3);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        q[i].raw = vfmaq_laneq_f32(q[i].raw, third[i], q_, 3);
        p[i] = vfmaq_laneq_f32(p[i], second[i], p_, 2);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      q[i].raw = vfmaq_laneq_f32(q[i].raw, second[i], q_, 2);
      p[i] = vfmaq_laneq_f32(p[i], t[i], p_, 1);
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      q[i].raw = vfmaq_laneq_f32(q[i].raw, t[i], q_, 1);
      p[i] = vfmaq_laneq_f32(p[i], one_, p_, 0);
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      q[i].raw = vfmaq_laneq_f32(q[i].raw, one_, q_, 0);
      x[i].raw = vmulq_f32(x[i].raw, p[i]);
    }
  }

  // The quotients of what Start made.
  template <int N>
  HWY_INLINE void Finish(VF (&x)[N], const VF (&q)[N]) const {
    float32x4_t rest[N];
    Estimate(x, q, rest);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      x[i].raw =
          kDegree == kExact ? vfmaq_f32(x[i].raw, x[i].raw, rest[i]) : vmulq_f32(x[i].raw, rest[i]);
    }
  }

  // The same plus a number.
  template <int N>
  HWY_INLINE void FinishPlus(VF (&x)[N], const VF (&q)[N], const FourTimes& number) const {
    float32x4_t rest[N], sum[N];
    Estimate(x, q, rest);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      sum[i] =
          kDegree == kExact ? vaddq_f32(x[i].raw, vld1q_f32(number.at)) : Again(number, x[i].raw);
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) x[i].raw = vfmaq_f32(sum[i], x[i].raw, rest[i]);
  }

 private:
  // x times the estimate of 1 / q. What is left: exact x (1 + rest), else x rest.
  template <int N>
  static HWY_INLINE void Estimate(VF (&x)[N], const VF (&q)[N], float32x4_t (&rest)[N]) {
    float32x4_t r[N];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) r[i] = vrecpeq_f32(q[i].raw);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      rest[i] = kDegree == kExact ? vfmsq_f32(Again(kFourOnes, q[i].raw), q[i].raw, r[i])
                                  : vrecpsq_f32(q[i].raw, r[i]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) x[i].raw = vmulq_f32(x[i].raw, r[i]);
#pragma GCC unroll 4
    for (int i = 0; i < N && kDegree == kExact; ++i) {
      rest[i] = vfmaq_f32(rest[i], rest[i], rest[i]);
    }
  }

  float32x4_t p_, q_, one_;
};

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();
#endif  // HWY_ARCH_ARM_A64

#endif  // HANDPICK_SDK_KERNELS_SIGMOID_NEON_INL_H_
