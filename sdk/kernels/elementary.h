// Exponential, logistic function, its logarithm, and hyperbolic tangent in float32, written so that
// compilers put them into vector lanes: no branches, no library calls. A lane's result does not
// depend on its neighbours.
#ifndef HANDPICK_SDK_KERNELS_ELEMENTARY_H_
#define HANDPICK_SDK_KERNELS_ELEMENTARY_H_

#include <cstdint>
#include <cstring>

namespace handpick {

// exp(x) for x <= 0; relative error below 2e-7 above -87, and exp(-87) below; NaN of NaN.
//
// exp(x) = 2^n exp(r) with n = round(x / ln 2), |r| <= ln(2) / 2, and the Taylor polynomial of
// degree 7 for exp(r) (Muller, Elementary Functions, 3rd ed., section 4.2; the two-part ln 2 is
// Cody and Waite's).
inline float ExpOfNonPositive(float x) {
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRound =
      12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low bits.
  x = x < -87.0f ? -87.0f : x;
  const float shifted = x * kLog2E + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  bits = (bits + 127) << 23;  // The low bits of `shifted` are n: 2^n's exponent field is n + 127.
  float scale;
  std::memcpy(&scale, &bits, sizeof(scale));
  return p * scale;
}

// 1 / (1 + exp(-x)); absolute error below 2e-7. Only exponentials of non-positive numbers: nothing
// overflows.
inline float Sigmoid(float x) {
  const float e = ExpOfNonPositive(x < 0 ? x : -x);
  return (x < 0 ? e : 1.0f) / (1.0f + e);
}

// (1 - exp(-2|x|)) / (1 + exp(-2|x|)) with the sign of x; absolute error below 3e-7.
inline float Tanh(float x) {
  const float e = ExpOfNonPositive(x < 0 ? 2 * x : -2 * x);
  const float t = (1.0f - e) / (1.0f + e);
  return x < 0 ? -t : t;
}

// exp(x); relative error below 3e-7 from -87 to 87, and what it is there beyond; NaN of NaN.
inline float Exp(float x) {
  const float e = ExpOfNonPositive(x < 0 ? x : -x);
  return x < 0 ? e : 1.0f / e;
}

// log(1 / (1 + exp(-x))); error below 3e-7, relative to the result's size.
//
// min(x, 0) - log(1 + e) with e = exp(-|x|), and log(1 + e) = 2 artanh(s), s = e / (2 + e) being at
// most 1/3: the first 7 terms of the series s + s^3/3 + s^5/5 + ...
inline float LogSigmoid(float x) {
  const float e = ExpOfNonPositive(x < 0 ? x : -x);
  const float s = e / (2.0f + e);
  const float q = s * s;
  float p = 1.0f / 13;
  p = p * q + 1.0f / 11;
  p = p * q + 1.0f / 9;
  p = p * q + 1.0f / 7;
  p = p * q + 1.0f / 5;
  p = p * q + 1.0f / 3;
  p = p * q + 1.0f;
  return (x > 0 ? 0.0f : x) - 2 * s * p;
}

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_ELEMENTARY_H_
