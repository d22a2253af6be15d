#include "converter/recall/builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recall/tables.h"
#include "sdk/recall/index.h"
#include "sdk/recall/packed.h"

namespace handpick::converter {
namespace {

using schema::ElementType;
using schema::HashFamily;
using schema::RecallMetric;

// Told to Progress.
constexpr uint32_t kStep = 1 << 16;

double SquaredNorm(absl::Span<const float> row) {
  double sum = 0;
  for (const float x : row) sum += double{x} * double{x};
  return sum;
}

std::vector<uint8_t> Packed(const std::vector<uint32_t>& numbers) {
  const auto count = static_cast<uint32_t>(numbers.size());
  const uint32_t bits = PackedBits(count);
  std::vector<uint8_t> bytes(PackedBytes(count, bits));
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t bit = uint64_t{i} * bits;
    uint64_t word;
    std::memcpy(&word, &bytes[bit / 8], sizeof(word));
    word |= uint64_t{numbers[i]} << (bit % 8);
    std::memcpy(&bytes[bit / 8], &word, sizeof(word));
  }
  return bytes;
}

std::vector<uint32_t> Inverse(const std::vector<uint32_t>& permutation) {
  std::vector<uint32_t> inverse(permutation.size());
  for (uint32_t i = 0; i < permutation.size(); ++i) inverse[permutation[i]] = i;
  return inverse;
}

absl::Status CheckItems(const VectorSet& items) {
  if (items.dimension < 1 || items.dimension > kMaxRecallDimension) {
    return absl::InvalidArgumentError(absl::StrCat("recall index: the dimension is ",
                                                   items.dimension, ", expected 1 to ",
                                                   kMaxRecallDimension));
  }
  if (items.numbers.size() % items.dimension != 0 ||
      items.numbers.size() / items.dimension > kMaxRecallItems) {
    return absl::InvalidArgumentError(absl::StrCat("recall index: ", items.numbers.size(),
                                                   " numbers are no vectors of ", items.dimension,
                                                   ", at most ", kMaxRecallItems));
  }
  for (size_t i = 0; i < items.numbers.size(); ++i) {
    if (std::fabs(items.numbers[i]) <= kMaxRecallNumber) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "recall index: number ", i % items.dimension, " of item ", i / items.dimension, " is ",
        items.numbers[i], ", expected at most ", kMaxRecallNumber, " in size"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string HashParameters::ToString() const {
  const std::string shape = absl::StrCat("L=", tables, " m=", functions);
  switch (family) {
    case HashFamily::E2:
      return absl::StrCat("e2lsh ", shape, " bins=", values, " w=", bin_deviations, "sd");
    case HashFamily::Hyperplane:
      return absl::StrCat("hyperplane ", shape);
    case HashFamily::CrossPolytope:
      return absl::StrCat("cross-polytope ", shape, " outputs=", outputs);
    default:
      return "exact";
  }
}

absl::StatusOr<RecallBuilder> RecallBuilder::Create(const VectorSet& items, RecallMetric metric,
                                                    ElementType type, const Progress& progress) {
  HP_RETURN_IF_ERROR(CheckItems(items));
  if (metric < RecallMetric::Cosine || metric > RecallMetric::Euclidean) {
    return absl::InvalidArgumentError("recall index: unknown metric");
  }
  if (type != ElementType::Float32 && type != ElementType::Int8PerRow) {
    return absl::InvalidArgumentError("recall index: unknown type of rows");
  }
  RecallBuilder builder;
  builder.metric_ = metric;
  builder.type_ = type;
  builder.count_ = items.count();
  builder.dimension_ = items.dimension;
  builder.hashed_dimension_ = items.dimension + (metric == RecallMetric::InnerProduct ? 1 : 0);
  builder.hashed_.resize(size_t{builder.count_} * builder.hashed_dimension_);
  double longest = 0;
  if (metric == RecallMetric::InnerProduct) {
    for (uint32_t i = 0; i < builder.count_; ++i) {
      longest = std::max(longest, SquaredNorm(items.Row(i)));
    }
  }
  for (uint32_t i = 0; i < builder.count_; ++i) {
    const absl::Span<const float> row = items.Row(i);
    float* out = &builder.hashed_[size_t{i} * builder.hashed_dimension_];
    const double squares = SquaredNorm(row);
    const double factor =
        metric == RecallMetric::Cosine && squares > 0 ? 1 / std::sqrt(squares) : 1;
    for (uint32_t d = 0; d < items.dimension; ++d) {
      out[d] = static_cast<float>(double{row[d]} * factor);
    }
    if (metric == RecallMetric::InnerProduct) {
      out[items.dimension] = static_cast<float>(std::sqrt(std::max(0.0, longest - squares)));
    }
  }
  if (type == ElementType::Int8PerRow) builder.Quantize(progress);
  return builder;
}

void RecallBuilder::Quantize(const Progress& progress) {
  float largest = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    const float* row = &hashed_[size_t{i} * hashed_dimension_];
    for (uint32_t d = 0; d < dimension_; ++d) largest = std::max(largest, std::fabs(row[d]));
  }
  // The scale of code 255. All zeros: any.
  scale_ = largest > 0 ? std::max(largest / 127, 1e-30f) : 1;
  int8_.resize(size_t{count_} * dimension_);
  codes_.resize(count_);
  if (metric_ == RecallMetric::Euclidean) squared_norms_.resize(count_);
  for (uint32_t i = 0; i < count_; ++i) {
    if (progress && i % kStep == 0) progress("quantising", double{1.0} * i / count_);
    const float* row = &hashed_[size_t{i} * hashed_dimension_];
    float row_largest = 0;
    for (uint32_t d = 0; d < dimension_; ++d) {
      row_largest = std::max(row_largest, std::fabs(row[d]));
    }
    // The smallest code whose scale holds the row's largest number.
    const double steps = double{row_largest} / (double{scale_} * 127) * 256;
    const double code = std::clamp(std::ceil(steps * (1 - 1e-9)) - 1, 0.0, 255.0);
    codes_[i] = static_cast<uint8_t>(code);
    const double scale = double{scale_} * (code + 1) / 256;
    int64_t squares = 0;
    for (uint32_t d = 0; d < dimension_; ++d) {
      const auto q =
          static_cast<int>(std::clamp(std::nearbyint(double{row[d]} / scale), -127.0, 127.0));
      int8_[size_t{i} * dimension_ + d] = static_cast<int8_t>(q);
      squares += q * q;
    }
    if (!squared_norms_.empty()) {
      squared_norms_[i] = static_cast<float>(scale * scale * static_cast<double>(squares));
    }
  }
}

std::vector<uint8_t> RecallBuilder::RowsInOrder(const std::vector<uint32_t>& items) const {
  const uint32_t stride = RowStride(type_, dimension_);
  std::vector<uint8_t> rows(size_t{count_} * stride + kRowTailBytes);
  for (uint32_t p = 0; p < count_; ++p) {
    uint8_t* to = &rows[size_t{p} * stride];
    if (type_ == ElementType::Float32) {
      std::memcpy(to, &hashed_[size_t{items[p]} * hashed_dimension_], dimension_ * sizeof(float));
    } else {
      std::memcpy(to, &int8_[size_t{items[p]} * dimension_], dimension_);
    }
  }
  return rows;
}

absl::StatusOr<schema::RecallIndexT> RecallBuilder::Build(const HashParameters& hash,
                                                          uint32_t probes,
                                                          const Progress& progress) const {
  schema::RecallIndexT index;
  index.metric = metric_;
  index.dimension = dimension_;
  index.item_count = count_;
  index.type = type_;
  index.scale = scale_;
  std::vector<uint32_t> items(count_);
  std::iota(items.begin(), items.end(), 0);
  if (hash.has_tables() && count_ > 0) {
    HP_ASSIGN_OR_RETURN(HashShape shape, ShapeOf(hash, hashed_dimension_));
    const VectorSet vectors = {hashed_, hashed_dimension_};
    std::vector<uint32_t> positions;
    for (uint32_t t = 0; t < hash.tables; ++t) {
      auto table = std::make_unique<schema::RecallTableT>(MakeTable(hash, vectors, t, &shape));
      const std::vector<uint32_t> buckets = BucketsOf(shape, *table, vectors, progress);
      if (t == 0) {
        items = SortByBucket(buckets, shape.buckets, &table->bucket_begins);
        positions = Inverse(items);
      } else {
        std::vector<uint32_t> by_position(count_);
        for (uint32_t p = 0; p < count_; ++p) by_position[p] = buckets[items[p]];
        table->positions = Packed(SortByBucket(by_position, shape.buckets, &table->bucket_begins));
      }
      index.tables.push_back(std::move(table));
    }
    index.items = Packed(items);
    index.positions = Packed(positions);
    index.family = shape.family;
    index.functions = shape.functions;
    index.outputs = shape.outputs;
    index.values = shape.values;
    index.bin_width = shape.bin_width;
    index.rotation_width = shape.rotation_width;
    index.probes = probes == 0 ? shape.buckets : std::min(probes, shape.buckets);
  }
  index.rows = RowsInOrder(items);
  if (type_ == ElementType::Int8PerRow) {
    index.scale_codes.resize(count_);
    index.squared_norms.resize(squared_norms_.size());
    for (uint32_t p = 0; p < count_; ++p) {
      index.scale_codes[p] = codes_[items[p]];
      if (!squared_norms_.empty()) index.squared_norms[p] = squared_norms_[items[p]];
    }
  }
  return index;
}

}  // namespace handpick::converter
