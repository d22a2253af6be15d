#include "converter/recall/tables.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sdk/recall/hash.h"

namespace handpick::converter {
namespace {

using schema::HashFamily;

// Projections of this many vectors say where the others are.
constexpr uint32_t kSample = 10000;
// Told to Progress.
constexpr uint32_t kStep = 1 << 16;

RecallTable ViewOf(const schema::RecallTableT& table) {
  RecallTable view;
  view.signs = table.signs;
  view.offsets = table.offsets;
  return view;
}

// [functions][sampled vectors] projected coordinates of functions with one output each.
std::vector<std::vector<float>> SampleProjections(const HashShape& shape,
                                                  const schema::RecallTableT& table,
                                                  const VectorSet& vectors) {
  std::vector<float> coordinates(size_t{shape.rotations} * shape.rotation_width);
  std::vector<std::vector<float>> result(shape.functions);
  const uint32_t count = vectors.count();
  const uint32_t step = std::max(1u, count / kSample);
  for (uint32_t i = 0; i < count; i += step) {
    Rotate(shape, ViewOf(table), vectors.Row(i).data(), vectors.dimension, coordinates.data());
    for (uint32_t f = 0; f < shape.functions; ++f) result[f].push_back(coordinates[f]);
  }
  return result;
}

float Median(std::vector<float>* numbers) {
  if (numbers->empty()) return 0;
  const auto middle = numbers->begin() + static_cast<std::ptrdiff_t>(numbers->size() / 2);
  std::nth_element(numbers->begin(), middle, numbers->end());
  return *middle;
}

double Mean(const std::vector<float>& numbers) {
  double sum = 0;
  for (const float x : numbers) sum += double{x};
  return numbers.empty() ? 0 : sum / static_cast<double>(numbers.size());
}

// Of all functions' projections together.
double Deviation(const std::vector<std::vector<float>>& projections) {
  double squares = 0;
  size_t count = 0;
  for (const std::vector<float>& numbers : projections) {
    const double mean = Mean(numbers);
    for (const float x : numbers) squares += (double{x} - mean) * (double{x} - mean);
    count += numbers.size();
  }
  return count == 0 ? 0 : std::sqrt(squares / static_cast<double>(count));
}

// In [0, 1), the same with every standard library.
double Uniform(std::mt19937_64* random) {
  return static_cast<double>((*random)() >> 11) / static_cast<double>(uint64_t{1} << 53);
}

absl::Status OutOfRange(absl::string_view what, uint64_t value, absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("recall index: ", what, " is ", value, ", expected ", expected));
}

}  // namespace

absl::StatusOr<HashShape> ShapeOf(const HashParameters& hash, uint32_t dimension) {
  if (hash.tables < 1 || hash.tables > kMaxRecallTables) {
    return OutOfRange("the number of tables", hash.tables, absl::StrCat("1 to ", kMaxRecallTables));
  }
  HashShape shape{};
  shape.family = hash.family;
  shape.functions = hash.functions;
  shape.rotation_width = kMinRotationWidth;
  while (shape.rotation_width < dimension) shape.rotation_width *= 2;
  shape.outputs = 1;
  switch (hash.family) {
    case HashFamily::CrossPolytope:
      if (hash.outputs < 1 || hash.outputs > shape.rotation_width) {
        return OutOfRange("the number of outputs", hash.outputs,
                          absl::StrCat("1 to ", shape.rotation_width));
      }
      shape.outputs = hash.outputs;
      shape.values = 2 * hash.outputs;
      break;
    case HashFamily::Hyperplane:
      shape.values = 2;
      break;
    case HashFamily::E2:
      if (!(hash.bin_deviations > 0)) {
        return absl::InvalidArgumentError(
            absl::StrCat("recall index: the width of a bin is ", hash.bin_deviations,
                         " standard deviations, expected more than 0"));
      }
      shape.values = hash.values;
      break;
    default:
      return OutOfRange("the family", static_cast<uint64_t>(hash.family), "1 to 3");
  }
  if (!CompleteHashShape(&shape)) {
    return absl::InvalidArgumentError(
        absl::StrCat("recall index: ", hash.ToString(), " is out of range: expected 1 to ",
                     kMaxRecallFunctions, " functions of 2 values or more, at most ",
                     kMaxRecallBuckets, " buckets and ", kMaxRecallRotations, " rotations"));
  }
  return shape;
}

schema::RecallTableT MakeTable(const HashParameters& hash, const VectorSet& vectors, uint32_t t,
                               HashShape* shape) {
  // Golden-ratio steps, so that tables of neighbouring seeds have nothing in common.
  std::mt19937_64 random(hash.seed * 0x9e3779b97f4a7c15u + t);
  schema::RecallTableT table;
  table.signs.resize(size_t{shape->rotations} * kRotationRounds * shape->rotation_width / 8);
  for (uint8_t& byte : table.signs) byte = static_cast<uint8_t>(random() >> 56);
  if (shape->family == HashFamily::CrossPolytope) return table;
  std::vector<std::vector<float>> projections = SampleProjections(*shape, table, vectors);
  if (shape->family == HashFamily::E2 && t == 0) {
    // Vectors that are all the same have no deviation: any width will do.
    const double deviation = Deviation(projections);
    const double width = deviation > 0 ? hash.bin_deviations * deviation : 1;
    shape->bin_width =
        static_cast<float>(std::clamp(width, 1e-12, static_cast<double>(kMaxRecallNumber)));
  }
  for (std::vector<float>& numbers : projections) {
    if (shape->family == HashFamily::Hyperplane) {
      table.offsets.push_back(-Median(&numbers));
    } else {
      const double shift = (Uniform(&random) - 0.5) * double{shape->bin_width};
      table.offsets.push_back(static_cast<float>(shift - Mean(numbers)));
    }
  }
  return table;
}

std::vector<uint32_t> BucketsOf(const HashShape& shape, const schema::RecallTableT& table,
                                const VectorSet& vectors, const Progress& progress) {
  const RecallTable view = ViewOf(table);
  std::vector<float> coordinates(size_t{shape.rotations} * shape.rotation_width);
  std::vector<uint32_t> buckets(vectors.count());
  for (uint32_t i = 0; i < buckets.size(); ++i) {
    if (progress && i % kStep == 0) progress("hashing", double{1.0} * i / buckets.size());
    Rotate(shape, view, vectors.Row(i).data(), vectors.dimension, coordinates.data());
    buckets[i] = BucketOf(shape, view, coordinates.data());
  }
  return buckets;
}

std::vector<uint32_t> SortByBucket(const std::vector<uint32_t>& bucket_of, uint32_t buckets,
                                   std::vector<uint32_t>* begins) {
  begins->assign(size_t{buckets} + 1, 0);
  for (const uint32_t bucket : bucket_of) ++(*begins)[bucket + 1];
  for (uint32_t b = 0; b < buckets; ++b) (*begins)[b + 1] += (*begins)[b];
  std::vector<uint32_t> next(begins->begin(), begins->end() - 1);
  std::vector<uint32_t> sorted(bucket_of.size());
  for (uint32_t i = 0; i < bucket_of.size(); ++i) sorted[next[bucket_of[i]]++] = i;
  return sorted;
}

}  // namespace handpick::converter
