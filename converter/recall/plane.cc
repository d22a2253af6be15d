#include "converter/recall/plane.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>

#include "sdk/recall/index.h"
#include "sdk/recall/rotation.h"

namespace handpick::converter {
namespace {

using schema::RecallMetric;

constexpr int kMostDigit = 15;
// Told to Progress.
constexpr uint32_t kStep = 1 << 16;

// Of the largest coordinate: what becomes 16 in a code of four bits. Gao et al. 2025 try all that
// change a digit (section 3.2); these find nearly the best of them.
constexpr double kScales[] = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05};

// The smallest multiple that holds `count`.
uint32_t Multiple(uint32_t count, uint32_t of) { return (count + of - 1) / of * of; }

// The upper half of a float, rounded to the nearest.
uint32_t HalfOf(double x) {
  const auto number = static_cast<float>(x);
  uint32_t bits;
  std::memcpy(&bits, &number, sizeof(bits));
  return (bits + 0x8000) >> 16;
}

float FloatOf(uint32_t half) {
  const uint32_t bits = half << 16;
  float number;
  std::memcpy(&number, &bits, sizeof(number));
  return number;
}

double Product(const float* a, const std::vector<int>& b) {
  double sum = 0;
  for (size_t i = 0; i < b.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

double Product(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < b.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

class Coder {
 public:
  Coder(const PlaneInput& input, uint32_t bits, uint64_t seed) : input_(input), bits_(bits) {
    plane_.bits = static_cast<uint8_t>(bits);
    plane_.width = Multiple(input.rows.dimension, kPlaneWidth);
    // The golden ratio, so that neighbouring seeds have nothing in common.
    std::mt19937_64 random(seed * 0x9e3779b97f4a7c15u);
    plane_.signs.resize(kPlaneRounds * plane_.width / 8);
    for (uint8_t& byte : plane_.signs) byte = static_cast<uint8_t>(random() >> 56);
    plane_.codes.resize(PlaneBytes(input.rows.count(), plane_.width, bits));
    plane_.factors.resize(Multiple(input.rows.count(), kPlaneRows));
    centroid_.resize(plane_.width);
    rotated_.resize(plane_.width);
    code_.resize(plane_.width);
    residual_.resize(input.rows.dimension);
  }

  schema::RecallPlaneT Code(double deviations, const Progress& progress) {
    uint32_t cell = 0;
    double error = 0;
    for (uint32_t p = 0; p < input_.rows.count(); ++p) {
      if (progress && p % kStep == 0) progress("coding", double{1.0} * p / input_.rows.count());
      if (input_.centroids.count() != 0) {
        while (p >= input_.begins[cell + 1]) ++cell;
        if (p == 0 || p == input_.begins[cell]) Rotate(input_.centroids.Row(cell), &centroid_);
      }
      error = std::max(error, CodeRow(p, cell));
    }
    plane_.error = static_cast<float>(error);
    plane_.deviations = static_cast<float>(deviations);
    return std::move(plane_);
  }

 private:
  void Rotate(absl::Span<const float> row, std::vector<float>* rotated) const {
    RotateForPlane(plane_.signs.data(), plane_.width, row.data(), static_cast<uint32_t>(row.size()),
                   rotated->data());
  }

  // The cosine of `rotated_` and the code at a scale, which is left in code_.
  double CodeAt(double scale, double norm) {
    double squares = 0;
    for (uint32_t i = 0; i < plane_.width; ++i) {
      int y = 1;
      if (bits_ == 4) {
        const double steps = std::fabs(double{rotated_[i]}) / scale * 8;
        y = std::min(kMostDigit, 2 * static_cast<int>(std::min(steps, 8.0)) + 1);
      }
      code_[i] = rotated_[i] < 0 ? -y : y;
      squares += y * y;
    }
    code_norm_ = std::sqrt(squares);
    code_product_ = Product(rotated_.data(), code_);
    return code_product_ / (code_norm_ * norm);
  }

  // Returns the deviation of the estimate, for |q - c| = 1 and f = 1.
  double CodeRow(uint32_t position, uint32_t cell) {
    const absl::Span<const float> row = input_.rows.Row(position);
    const bool centred = input_.centroids.count() != 0;
    double row_squares = 0;
    double centroid_squares = 0;
    for (uint32_t d = 0; d < row.size(); ++d) {
      const float c = centred ? input_.centroids.Row(cell)[d] : 0;
      residual_[d] = row[d] - c;
      row_squares += double{row[d]} * double{row[d]};
      centroid_squares += double{c} * double{c};
    }
    Rotate(residual_, &rotated_);
    double squares = 0;
    double largest = 0;
    for (const float x : rotated_) {
      squares += double{x} * double{x};
      largest = std::max(largest, std::fabs(double{x}));
    }
    const double norm = std::sqrt(squares);
    double f = 0;
    double g = 0;
    double error = 0;
    if (norm > 0) {
      double cosine = 0;
      if (bits_ == 4) {
        double best = kScales[0];
        for (const double scale : kScales) {
          const double found = CodeAt(scale * largest, norm);
          if (found > cosine) best = scale;
          cosine = std::max(cosine, found);
        }
        CodeAt(best * largest, norm);
      } else {
        cosine = CodeAt(1, norm);
      }
      f = squares / code_product_;
      Store(position);
      const double width = plane_.width - 1;
      // The second term: of f as it is rounded.
      error = code_norm_ / std::sqrt(width) *
              (std::sqrt(std::max(0.0, 1 - cosine * cosine)) + std::ldexp(1, -9));
    }
    const uint32_t f_half = HalfOf(f);
    if (centred) g = Product(rotated_, centroid_) - double{FloatOf(f_half)} * CodeTimesCentroid();
    if (input_.metric == RecallMetric::Euclidean) g = 2 * g - (row_squares - centroid_squares);
    plane_.factors[position] = f_half << 16 | HalfOf(g);
    return error;
  }

  double CodeTimesCentroid() const { return Product(centroid_.data(), code_); }

  void Store(uint32_t position) {
    const size_t block_bytes = size_t{plane_.width} * bits_ / 8 * kPlaneRows;
    uint8_t* block = &plane_.codes[position / kPlaneRows * block_bytes];
    const uint32_t r = position % kPlaneRows;
    for (uint32_t i = 0; i < plane_.width; ++i) {
      const uint32_t column = i / 8;
      const uint32_t b = i % 8;
      if (bits_ == 1) {
        block[column * kPlaneRows + r] |= static_cast<uint8_t>((code_[i] > 0 ? 1 : 0) << b);
      } else {
        block[(column * kPlaneRows + r) * 4 + b % 4] |=
            static_cast<uint8_t>((code_[i] + kMostDigit) / 2 << (b / 4 * 4));
      }
    }
  }

  const PlaneInput& input_;
  const uint32_t bits_;
  schema::RecallPlaneT plane_;
  std::vector<float> centroid_;
  std::vector<float> rotated_;
  std::vector<float> residual_;
  std::vector<int> code_;
  double code_norm_ = 0;
  double code_product_ = 0;
};

}  // namespace

schema::RecallPlaneT MakePlane(const PlaneInput& input, uint32_t bits, double deviations,
                               uint64_t seed, const Progress& progress) {
  return Coder(input, bits, seed).Code(deviations, progress);
}

}  // namespace handpick::converter
