// Polynomials for sigmoid(x) - 1/2, x >= 0, made by the compiler.
//
// With y = x + 1 in [1, 16) there are 8 segments of equal width to each octave of y: the segment is
// in the low two bits of y's exponent and the top three of its mantissa, (bits >> 20) & 31.
// Segments are narrow where the function bends and wide where it is flat. In each the cubic
// interpolates at the four Chebyshev nodes (Press et al., Numerical Recipes, 3rd ed., section 5.8):
// it is off by at most 4e-7, and by 5.1e-7 with coefficients and sums in float32.
#ifndef HANDPICK_SDK_KERNELS_SIGMOID_TABLE_H_
#define HANDPICK_SDK_KERNELS_SIGMOID_TABLE_H_

namespace handpick {

inline constexpr int kSigmoidSegments = 32;
// Largest x of the table: the last float below 15. 1/2 - (sigmoid - 1/2) is 3.1e-7 there.
inline constexpr float kSigmoidTableEnd = 14.999999f;

template <int kDegree>
struct SigmoidTable {
  alignas(64) float coefficients[kDegree + 1][kSigmoidSegments];  // By power of y.
};

namespace sigmoid_internal {

// exp(-x) for x from 0 to 16, to double's precision: the series of exp(-x / 64), squared six times.
constexpr double ExpOfNegative(double x) {
  const double r = -x / 64;
  double term = 1;
  double sum = 1;
  for (int i = 1; i < 20; ++i) {
    term *= r / i;
    sum += term;
  }
  for (int i = 0; i < 6; ++i) sum *= sum;
  return sum;
}

constexpr double CenteredSigmoidAt(double y) { return 1 / (1 + ExpOfNegative(y - 1)) - 0.5; }

// cos((2 i + 1) pi / (2 n)) for i < n.
template <int kCount>
struct ChebyshevNodes;
template <>
struct ChebyshevNodes<3> {
  static constexpr double kAt[3] = {0.86602540378443865, 0, -0.86602540378443865};
};
template <>
struct ChebyshevNodes<4> {
  static constexpr double kAt[4] = {0.92387953251128674, 0.38268343236508977, -0.38268343236508977,
                                    -0.92387953251128674};
};

template <int kDegree>
constexpr SigmoidTable<kDegree> MakeSigmoidTable() {
  constexpr int kCount = kDegree + 1;
  constexpr auto& kNodes = ChebyshevNodes<kCount>::kAt;
  SigmoidTable<kDegree> table = {};
  for (int octave = 0; octave < 4; ++octave) {
    for (int part = 0; part < 8; ++part) {
      const double width = (1 << octave) / 8.0;
      const double middle = (1 << octave) + (part + 0.5) * width;
      // Newton's divided differences, in t = (y - middle) / (width / 2).
      double difference[kCount] = {};
      for (int i = 0; i < kCount; ++i) {
        difference[i] = CenteredSigmoidAt(middle + kNodes[i] * width / 2);
      }
      for (int order = 1; order < kCount; ++order) {
        for (int i = kDegree; i >= order; --i) {
          difference[i] = (difference[i] - difference[i - 1]) / (kNodes[i] - kNodes[i - order]);
        }
      }
      // To powers of y: p := p * (t - node) + difference, with t = a y + b.
      const double a = 2 / width;
      const double b = -middle * a;
      double power[kCount] = {difference[kDegree]};
      for (int i = kDegree - 1; i >= 0; --i) {
        for (int k = kDegree; k >= 0; --k) {
          power[k] = power[k] * (b - kNodes[i]) + (k > 0 ? power[k - 1] * a : 0);
        }
        power[0] += difference[i];
      }
      // The exponents of 1, 2, 4 and 8 are 127 to 130: 3, 0, 1 and 2 in their low two bits.
      const int segment = ((octave + 3) % 4) * 8 + part;
      for (int k = 0; k < kCount; ++k) {
        table.coefficients[k][segment] = static_cast<float>(power[k]);
      }
    }
  }
  return table;
}

}  // namespace sigmoid_internal

template <int kDegree>
inline constexpr SigmoidTable<kDegree> kSigmoidTable =
    sigmoid_internal::MakeSigmoidTable<kDegree>();

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_SIGMOID_TABLE_H_
