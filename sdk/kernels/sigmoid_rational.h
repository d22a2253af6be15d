// Rational functions for sigmoid(x) - 1/2 = tanh(x / 2) / 2: half of the instructions of an
// exponential and a division, and no lookup.
#ifndef HANDPICK_SDK_KERNELS_SIGMOID_RATIONAL_H_
#define HANDPICK_SDK_KERNELS_SIGMOID_RATIONAL_H_

namespace handpick {

// How near an activation has to be: what becomes 8 bits needs less, and what becomes 7 (where there
// is no table) still less.
inline constexpr int kExact = 3;
inline constexpr int kCoarse = 2;
inline constexpr int kRough = 1;

// x P(x^2) / Q(x^2) with P of degree kDegree and Q of kDegree + 1, by power of x^2.
template <int kDegree>
struct SigmoidRational {
  float end;  // x is held to [-end, end].
  double p[kDegree + 1];
  double q[kDegree + 2];
};

// The best ones in absolute error on [0, end], by Remez' exchange algorithm for rational functions
// (Ralston and Rabinowitz, A First Course in Numerical Analysis, 2nd ed., section 7.8) in 113 bits.
// Degree 3 is off by 3.7e-8 there, degree 2 by 2.4e-6 and degree 1 by 2e-4, before coefficients and
// sums are rounded to float32; behind the end 1/2 is 3.1e-7, 1.1e-5 and 4e-4 away. All coefficients
// are above 0: nothing cancels, and Q has no zero.
template <int kDegree>
inline constexpr SigmoidRational<kDegree> kSigmoidRational = {};
template <>
inline constexpr SigmoidRational<3> kSigmoidRational<3> = {
    15.0f,
    {0.249999907892803f, 0.0080989035730062824f, 4.6669988494737443e-05f, 4.6238952032174518e-08f},
    {1.0f, 0.11572859515898472f, 0.0014974949855021582f, 3.8102828181513812e-06f,
     1.0134415936513961e-09f}};
template <>
inline constexpr SigmoidRational<2> kSigmoidRational<2> = {
    11.5f,
    {0.24999452865078134f, 0.0071855081652997133f, 2.3861204442063492e-05f},
    {1.0f, 0.11205741110274328f, 0.0011045956620238499f, 8.9360493618126031e-07f}};
template <>
inline constexpr SigmoidRational<1> kSigmoidRational<1> = {
    8.5f,
    {0.24960293026626501f, 0.0049903414525449474f},
    {1.0f, 0.10230804845267637f, 0.00038105236036793427f}};

// The same, of kScale times the function, for sums of powers of t = x^2 that take their factors out
// of the lanes of a vector: Q divided by its last coefficient, so that it begins with a power
// alone.
template <int kDegree, int kScale>
struct SigmoidLanes {
  constexpr SigmoidLanes() {
    constexpr auto& of = kSigmoidRational<kDegree>;
    const double last = of.q[kDegree + 1];
    for (int k = 0; k <= kDegree; ++k) {
      p[k] = static_cast<float>(kScale * of.p[k] / last);
      q[k] = static_cast<float>(of.q[k] / last);
    }
  }
  alignas(16) float p[4] = {};
  float q[4] = {};
};
template <int kDegree, int kScale>
inline constexpr SigmoidLanes<kDegree, kScale> kSigmoidLanes{};

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_SIGMOID_RATIONAL_H_
