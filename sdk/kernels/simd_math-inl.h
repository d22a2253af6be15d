// Exponential, logistic function, its logarithm, and hyperbolic tangent in vectors, once for each
// instruction set (included between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, hence the unusual
// guard).
#if defined(HANDPICK_SDK_KERNELS_SIMD_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_SIMD_MATH_INL_H_
#undef HANDPICK_SDK_KERNELS_SIMD_MATH_INL_H_
#else
#define HANDPICK_SDK_KERNELS_SIMD_MATH_INL_H_
#endif

#include "hwy/highway.h"
#include "sdk/kernels/sigmoid_rational.h"
#include "sdk/kernels/sigmoid_table.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::CappedTag<float, 16>;
using DI = hn::Rebind<int32_t, DF>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;

// The larger and the smaller of two numbers, and NaN where x is NaN: relu and clamps would make a
// plausible number of what overflowed. x86 takes the second operand where one is NaN.
HWY_INLINE VF AtLeast(VF x, VF least) {
#if HWY_ARCH_X86
  return hn::Max(least, x);
#elif HWY_ARCH_ARM_A64
  return VF(vmaxq_f32(x.raw, least.raw));
#elif HWY_ARCH_WASM
  return VF{wasm_f32x4_pmax(x.raw, least.raw)};  // x < least ? least : x
#else
  return hn::IfThenElse(hn::Lt(x, least), least, x);
#endif
}
HWY_INLINE VF AtMost(VF x, VF most) {
#if HWY_ARCH_X86
  return hn::Min(most, x);
#elif HWY_ARCH_ARM_A64
  return VF(vminq_f32(x.raw, most.raw));
#elif HWY_ARCH_WASM
  return VF{wasm_f32x4_pmin(x.raw, most.raw)};   // most < x ? most : x
#else
  return hn::IfThenElse(hn::Lt(most, x), most, x);
#endif
}

// exp(x) for x <= 0, as ExpOfNonPositive in elementary.h: relative error below 2e-7 above -87,
// exp(-87) below; NaN of NaN.
HWY_INLINE VF ExpOfNonPositiveVector(VF x) {
  const DF d;
  const DI di;
  x = AtLeast(x, hn::Set(d, -87.0f));
  const VF n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  const VF r =
      hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x));
  VF p = hn::Set(d, 1.0f / 5040);
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 720));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 120));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 24));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 6));
  p = hn::MulAdd(p, r, hn::Set(d, 0.5f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  // n is from -126 to 0: adding it to the exponent's field multiplies by 2^n.
  return hn::BitCast(d, hn::Add(hn::BitCast(di, p), hn::ShiftLeft<23>(hn::ConvertTo(di, n))));
}

// How near an activation has to be: what becomes 8 bits needs less, and what becomes 7 (where there
// is no table) still less.
inline constexpr int kExact = 3;
inline constexpr int kCoarse = 2;
inline constexpr int kRough = 1;

// sigmoid(x) - 1/2, an odd function; absolute error below 5.5e-7 (coarse: 3e-5, rough: 4.5e-4),
// also at the infinities; NaN of NaN.
#if HWY_TARGET <= HWY_AVX3
// Polynomials in y = |x| + 1, 8 to the octave (sigmoid_table.h): their coefficients for 16 lanes
// are looked up in registers.
template <int kDegree = kExact>
HWY_INLINE VF CenteredSigmoid(VF x) {
  const DF d;
  const DI di;
  const VF y = hn::Add(AtMost(hn::Abs(x), hn::Set(d, kSigmoidTableEnd)), hn::Set(d, 1.0f));
  VI segment = hn::ShiftRight<20>(hn::BitCast(di, y));
#if HWY_IS_DEBUG_BUILD
  // The lookup takes the low five bits by itself, but debug builds check the index.
  segment = hn::And(segment, hn::Set(di, kSigmoidSegments - 1));
#endif
  const auto index = hn::IndicesFromVec(d, segment);
  const auto coefficient = [&](int power) HWY_ATTR {
    const float* of = kSigmoidTable<kDegree>.coefficients[power];
    return hn::TwoTablesLookupLanes(d, hn::Load(d, of), hn::Load(d, of + 16), index);
  };
  VF p = coefficient(kDegree);
  for (int power = kDegree - 1; power >= 0; --power) p = hn::MulAdd(p, y, coefficient(power));
  return hn::CopySignToAbs(p, x);
}
#elif HWY_ARCH_ARM_A64
// x P(x^2) / Q(x^2) (sigmoid_rational.h) of N vectors, which wait for each other instead of for
// themselves. No division, which keeps some cores from all else for as long as all of the rest
// takes: an estimate of 1 / Q of 8 bits, and a step of Newton's iteration (coarse) or two. Exact is
// off by at most 2.2e-7, coarse by 1.4e-5; neither passes 1/2.
template <int kDegree, int N>
HWY_INLINE void CenteredSigmoids(VF (&x)[N]) {
  const DF d;
  constexpr auto& kRational = kSigmoidRational<kDegree>;
  VF t[N], p[N], q[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    x[i] = AtMost(AtLeast(x[i], hn::Set(d, -kRational.end)), hn::Set(d, kRational.end));
    t[i] = hn::Mul(x[i], x[i]);
    q[i] = hn::MulAdd(hn::Set(d, kRational.q[kDegree + 1]), t[i], hn::Set(d, kRational.q[kDegree]));
    p[i] = hn::Set(d, kRational.p[kDegree]);
  }
#pragma GCC unroll 4
  for (int k = kDegree - 1; k >= 0; --k) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      q[i] = hn::MulAdd(q[i], t[i], hn::Set(d, kRational.q[k]));
      p[i] = hn::MulAdd(p[i], t[i], hn::Set(d, kRational.p[k]));
    }
  }
  float32x4_t inverse[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    inverse[i] = vrecpeq_f32(q[i].raw);
    p[i] = hn::Mul(x[i], p[i]);
  }
#pragma GCC unroll 2
  for (int step = 0; step < kDegree - 1; ++step) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      inverse[i] = vmulq_f32(inverse[i], vrecpsq_f32(q[i].raw, inverse[i]));
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) x[i] = VF(vmulq_f32(p[i].raw, inverse[i]));
}
template <int kDegree = kExact>
HWY_INLINE VF CenteredSigmoid(VF x) {
  VF only[1] = {x};
  CenteredSigmoids<kDegree>(only);
  return only[0];
}
#else
// x P(x^2) / Q(x^2), which is odd by itself, up to where the function is 1/2 but for the error
// (sigmoid_rational.h).
template <int kDegree = kExact>
HWY_INLINE VF CenteredSigmoid(VF x) {
  const DF d;
  constexpr auto& kRational = kSigmoidRational<kDegree>;
  x = AtMost(AtLeast(x, hn::Set(d, -kRational.end)), hn::Set(d, kRational.end));
  const VF t = hn::Mul(x, x);
  VF p = hn::Set(d, kRational.p[kDegree]);
  for (int k = kDegree - 1; k >= 0; --k) p = hn::MulAdd(p, t, hn::Set(d, kRational.p[k]));
  VF q = hn::Set(d, kRational.q[kDegree + 1]);
  for (int k = kDegree; k >= 0; --k) q = hn::MulAdd(q, t, hn::Set(d, kRational.q[k]));
  return hn::Div(hn::Mul(x, p), q);
}
#endif

// Vectors of lanes whose functions are computed together. On arm64 that is a whole lane group:
// cores that run instructions in order have something to do while one waits for itself.
#if HWY_ARCH_ARM_A64
inline constexpr int kVectorsTogether = 4;
#else
inline constexpr int kVectorsTogether = 1;
template <int kDegree, int N>
HWY_INLINE void CenteredSigmoids(VF (&x)[N]) {
  for (int i = 0; i < N; ++i) x[i] = CenteredSigmoid<kDegree>(x[i]);
}
#endif

// 1 / (1 + exp(-x)); absolute error below 6e-7 (coarse and rough as above).
template <int kDegree = kExact>
HWY_INLINE VF SigmoidVector(VF x) {
  return hn::Add(CenteredSigmoid<kDegree>(x), hn::Set(DF(), 0.5f));
}

// tanh(x) = 2 sigmoid(2 x) - 1; absolute error below 1.1e-6.
HWY_INLINE VF TanhVector(VF x) {
  const VF c = CenteredSigmoid(hn::Add(x, x));
  return hn::Add(c, c);
}

// log(sigmoid(x)), as LogSigmoid in elementary.h: error below 4e-7, relative to the result's size;
// NaN of NaN.
HWY_INLINE VF LogSigmoidVector(VF x) {
  const DF d;
  const VF e = ExpOfNonPositiveVector(hn::Neg(hn::Abs(x)));
  const VF s = hn::Div(e, hn::Add(hn::Set(d, 2.0f), e));
  const VF q = hn::Mul(s, s);
  VF p = hn::Set(d, 1.0f / 13);
  p = hn::MulAdd(p, q, hn::Set(d, 1.0f / 11));
  p = hn::MulAdd(p, q, hn::Set(d, 1.0f / 9));
  p = hn::MulAdd(p, q, hn::Set(d, 1.0f / 7));
  p = hn::MulAdd(p, q, hn::Set(d, 1.0f / 5));
  p = hn::MulAdd(p, q, hn::Set(d, 1.0f / 3));
  p = hn::MulAdd(p, q, hn::Set(d, 1.0f));
  return hn::NegMulAdd(hn::Add(s, s), p, AtMost(x, hn::Zero(d)));
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_SIMD_MATH_INL_H_
