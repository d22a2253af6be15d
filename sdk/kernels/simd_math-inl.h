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
#include "sdk/kernels/sigmoid_neon-inl.h"
#include "sdk/kernels/sigmoid_rational.h"
#include "sdk/kernels/sigmoid_table.h"
#include "sdk/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// exp(x) for x <= 0, as ExpOfNonPositive in elementary.h: relative error below 2e-7 above -87,
// exp(-87) below; NaN of NaN.
// Of N vectors, step by step: they wait for each other instead of for themselves.
template <int N>
HWY_INLINE void ExpsOfNonPositive(VF (&x)[N]) {
  const DF d;
  const DI di;
  constexpr float kSeries[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  VF whole[N], p[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) x[i] = AtLeast(x[i], hn::Set(d, -87.0f));
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) whole[i] = hn::Round(hn::Mul(x[i], hn::Set(d, 1.44269504f)));
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    x[i] = hn::NegMulAdd(whole[i], hn::Set(d, 0.693359375f), x[i]);
    x[i] = hn::NegMulAdd(whole[i], hn::Set(d, -2.12194440e-4f), x[i]);
    p[i] = hn::Set(d, 1.0f / 5040);
  }
#pragma GCC unroll 7
  for (int k = 0; k < 7; ++k) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) p[i] = hn::MulAdd(p[i], x[i], hn::Set(d, kSeries[k]));
  }
  // `whole` is from -126 to 0: adding it to the exponent's field multiplies by 2^whole.
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    const VI exponent = hn::ShiftLeft<23>(hn::ConvertTo(di, whole[i]));
    x[i] = hn::BitCast(d, hn::Add(hn::BitCast(di, p[i]), exponent));
  }
}
HWY_INLINE VF ExpOfNonPositiveVector(VF x) {
  VF only[1] = {x};
  ExpsOfNonPositive(only);
  return only[0];
}

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
template <int kDegree = kExact>
HWY_INLINE VF CenteredSigmoid(VF x) {
  const Sigmoids<kDegree> sigmoids;
  VF only[1] = {x};
  VF q[1];
  sigmoids.Start(only, q);
  sigmoids.Finish(only, q);
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
  VF p = hn::Set(d, static_cast<float>(kRational.p[kDegree]));
  for (int k = kDegree - 1; k >= 0; --k)
    p = hn::MulAdd(p, t, hn::Set(d, static_cast<float>(kRational.p[k])));
  VF q = hn::Set(d, static_cast<float>(kRational.q[kDegree + 1]));
  for (int k = kDegree; k >= 0; --k)
    q = hn::MulAdd(q, t, hn::Set(d, static_cast<float>(kRational.q[k])));
  return hn::Div(hn::Mul(x, p), q);
}
#endif

// kTimes CenteredSigmoid<kRough>(x), for what comes to be 7 bits: two multiplications fewer, which
// share their place with the division.
template <int kTimes>
HWY_INLINE VF RoughSigmoidTimes(VF x) {
  const DF d;
  constexpr auto& kOf = kSigmoidLanes<kRough, kTimes>;
  constexpr float kEnd = kSigmoidRational<kRough>.end;
  x = AtMost(AtLeast(x, hn::Set(d, -kEnd)), hn::Set(d, kEnd));
  const VF t = hn::Mul(x, x);
  const VF p = hn::MulAdd(hn::Set(d, kOf.p[1]), t, hn::Set(d, kOf.p[0]));
  const VF q = hn::MulAdd(hn::Add(t, hn::Set(d, kOf.q[1])), t, hn::Set(d, kOf.q[0]));
  return hn::Div(hn::Mul(x, p), q);
}

// 1 / (1 + exp(-x)); absolute error below 6e-7 (coarse and rough as above).
HWY_INLINE VF SigmoidVector(VF x) {
#if HWY_ARCH_ARM_A64
  const Sigmoids<kExact> sigmoids;
  VF only[1] = {x};
  VF q[1];
  sigmoids.Start(only, q);
  sigmoids.FinishPlus(only, q, kFourHalves);
  return only[0];
#else
  return hn::Add(CenteredSigmoid<kExact>(x), hn::Set(DF(), 0.5f));
#endif
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
