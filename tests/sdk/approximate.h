// Numbers in double, each with a bound on how far float32 arithmetic may be from it: references
// that stay slow and obvious, and tolerances that follow from the arithmetic instead of being
// guessed.
#ifndef HANDPICK_TESTS_SDK_APPROXIMATE_H_
#define HANDPICK_TESTS_SDK_APPROXIMATE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sdk/program/plan.h"

namespace handpick::testing {

constexpr double kRounding = 0x1p-24;  // Of one operation in float32, relative to its result.

// What the kernels promise of their functions.
constexpr double kSigmoidError = 6e-7;
constexpr double kTanhError = 1.1e-6;
constexpr double kExpError = 2e-7;             // Relative.
constexpr double kLogSigmoidError = 4e-7;      // Relative.
constexpr double kCoarseSigmoidError = 3e-5;   // Of what becomes 8 bits.
constexpr double kRoughSigmoidError = 4.5e-4;  // Of what becomes 7 bits.

struct Approx {
  double value = 0;
  double error = 0;  // Absolute.
};

inline std::vector<Approx> Exactly(const std::vector<float>& values) {
  std::vector<Approx> result;
  for (const float value : values) result.push_back({value, 0});
  return result;
}

// start + sum of weights x, in any order. `largest`: what the kernel adds up may be larger than the
// products in it, by so much each.
inline Approx Dot(const std::vector<Approx>& weights, const std::vector<Approx>& x, Approx start,
                  double largest = 0) {
  Approx sum = start;
  double magnitude = std::abs(start.value);
  for (size_t k = 0; k < x.size(); ++k) {
    const double w = weights[k].value;
    sum.value += w * x[k].value;
    sum.error += std::abs(w) * x[k].error + weights[k].error * (std::abs(x[k].value) + x[k].error);
    magnitude += std::abs(w) * std::max(std::abs(x[k].value), largest);
  }
  sum.error += (static_cast<double>(x.size()) + 8) * kRounding * magnitude;
  return sum;
}

inline Approx SigmoidOf(Approx x, double error = kSigmoidError) {
  return {1 / (1 + std::exp(-x.value)), x.error / 4 + error};
}

inline Approx TanhOf(Approx x, double error = kTanhError) {
  return {std::tanh(x.value), x.error + error};
}

// The activation of feature `c`.
inline Approx Activated(const Activation& activation, size_t c, Approx x) {
  switch (activation.kind) {
    case schema::ActivationKind::Linear:
      return x;
    case schema::ActivationKind::Relu:
      return {std::max(x.value, 0.0), x.error};
    case schema::ActivationKind::Sigmoid:
      return SigmoidOf(x);
    case schema::ActivationKind::Tanh:
      return TanhOf(x);
    case schema::ActivationKind::LogSigmoid: {
      const double value = std::min(x.value, 0.0) - std::log1p(std::exp(-std::abs(x.value)));
      // Below exp(-87) it is that.
      return {value, x.error + kLogSigmoidError * std::abs(value) + 2e-38};
    }
    case schema::ActivationKind::Prelu: {
      const double slope = activation.alpha[activation.alpha.size() == 1 ? 0 : c];
      const double leaked = slope * x.value;
      return {x.value > 0 ? x.value : leaked,
              x.error * std::max(1.0, std::abs(slope)) + kRounding * std::abs(leaked)};
    }
    case schema::ActivationKind::Dice: {
      const double slope = activation.alpha[c];
      const double scaled = activation.scale[c] * x.value;
      const double shift = activation.shift[c];
      const Approx p =
          SigmoidOf({scaled + shift, std::abs(activation.scale[c]) * x.error +
                                         2 * kRounding * (std::abs(scaled) + std::abs(shift))});
      const double gain = std::abs(1 - slope) * (std::abs(x.value) + x.error);
      return {
          p.value * x.value + (1 - p.value) * slope * x.value,
          std::abs(p.value + (1 - p.value) * slope) * x.error + p.error * gain +
              4 * kRounding * (std::abs(x.value) + std::abs(slope * x.value) + x.error),
      };
    }
  }
  return {};
}

// Whether rounding x, which is off by `error` at most, may go to either neighbour.
inline bool IsAmbiguous(double x, double error) {
  return std::abs(x - std::floor(x) - 0.5) <= error;
}

// What float32 makes of levels up to 256 before it rounds them.
constexpr double kLevelError = 1e-4;

// Of as many levels as the words of an input have (panel_words-inl.h).
inline double LevelError(double levels) { return std::max(kLevelError, levels * 4e-7); }
inline double WordLevels(size_t width) {
  return static_cast<double>(std::min<size_t>(INT32_MAX / 128 / width, INT16_MAX) / 2 * 2);
}

// Rounded to multiples of 1 / levels.
inline Approx RoundedToLevels(Approx x, double levels) {
  const double level = x.value * levels;
  const bool ambiguous = IsAmbiguous(level, x.error * levels + LevelError(levels));
  return {std::nearbyint(level) / levels, ambiguous ? 1 / levels : 0};
}

// Rounded to multiples of a scale that is off by `scale_error` at most.
inline std::vector<Approx> RoundedToScale(const std::vector<Approx>& row, double scale,
                                          double scale_error, double level_error) {
  std::vector<Approx> result;
  for (const Approx& x : row) {
    const double level = x.value / scale;
    const double off = x.error / scale + std::abs(level) * scale_error / scale + level_error;
    const double q = std::nearbyint(level);
    result.push_back(
        {q * scale, std::abs(q) * scale_error + (IsAmbiguous(level, off) ? scale : 0)});
  }
  return result;
}

// Rounded to `levels` on either side of 0.
inline std::vector<Approx> RoundedSymmetrically(const std::vector<Approx>& row,
                                                double levels = 127) {
  double most = 0;
  double error = 0;
  for (const Approx& x : row) {
    most = std::max(most, std::abs(x.value));
    error = std::max(error, x.error);
  }
  if (most == 0) return row;
  const double scale = most / levels;
  return RoundedToScale(row, scale, error / levels + 2 * kRounding * scale, LevelError(levels));
}

// What becomes 127 in a row of weights that meets an input of 7 bits (panel_seven_bits-inl.h): the
// largest, or half of the largest sum of those of one sign among the first two, or the last two, of
// every four in 16.
inline double MostOfSevenBitRow(const std::vector<Approx>& row) {
  double most = 0;
  for (size_t begin = 0; begin < row.size(); begin += 16) {
    double sums[2][2] = {};
    for (size_t k = begin; k < std::min(begin + 16, row.size()); ++k) {
      const double x = row[k].value;
      sums[x < 0][k % 4 / 2] += std::abs(x);
      most = std::max(most, std::abs(x));
    }
    for (const auto& of_sign : sums) most = std::max({most, of_sign[0] / 2, of_sign[1] / 2});
  }
  return most;
}

// Such a row of what is not rounded yet.
inline std::vector<Approx> RoundedToSevenBitRow(const std::vector<Approx>& row) {
  const double most = MostOfSevenBitRow(row);
  if (most == 0) return row;
  double error = 0;
  for (const Approx& x : row) error = std::max(error, x.error);
  const double scale = most / 127;
  return RoundedToScale(row, scale, 4 * error / 127 + 20 * kRounding * scale, kLevelError);
}

// Such a row of bytes: only rounded again if it has to be.
inline std::vector<Approx> FittedSevenBitRow(const std::vector<Approx>& bytes) {
  const double most = MostOfSevenBitRow(bytes);
  if (most <= 127) return bytes;
  const double scale = most / 127;
  return RoundedToScale(bytes, scale, 3 * kRounding * scale, kLevelError);
}

// The input of a layer whose weights are bytes: rounded to `bits`, see InputBits. `largest`: of
// what the kernel adds up.
inline std::vector<Approx> RoundedBetweenExtremes(const std::vector<Approx>& row, double* largest);
inline std::vector<Approx> RoundedInput(const std::vector<Approx>& row, int bits, double* largest) {
  *largest = 0;
  if (bits == 8) return RoundedBetweenExtremes(row, largest);
  return bits == 15 ? RoundedSymmetrically(row, WordLevels(row.size())) : row;
}

// Rounded to 255 levels between the extremes, 0 among them; `largest`: that of them.
inline std::vector<Approx> RoundedBetweenExtremes(const std::vector<Approx>& row, double* largest) {
  double low = 0;
  double high = 0;
  double error = 0;
  for (const Approx& x : row) {
    low = std::min(low, x.value);
    high = std::max(high, x.value);
    error = std::max(error, x.error);
  }
  const double scale = high > low ? (high - low) / 254 : 1;
  const double scale_error = 2 * error / 254 + 3 * kRounding * scale;
  const double zero = std::floor(-low / scale) + 1;
  const auto off = [&](double level, double of) {
    return of / scale + std::abs(level) * scale_error / scale + kLevelError;
  };
  // A zero point that is off by one rounds no number otherwise.
  std::vector<Approx> result;
  for (const Approx& x : row) {
    const double level = x.value / scale;
    const double q = std::nearbyint(level + zero) - zero;
    const double steps = IsAmbiguous(level, off(level, x.error)) ? 1 : 0;
    result.push_back({q * scale, std::abs(q) * scale_error + steps * scale});
  }
  *largest = 255 * scale;
  return result;
}

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SDK_APPROXIMATE_H_
