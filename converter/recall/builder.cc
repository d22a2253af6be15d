#include "converter/recall/builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recall/plane.h"
#include "converter/recall/tables.h"
#include "sdk/recall/index.h"
#include "sdk/recall/packed.h"

namespace handpick::converter {
namespace {

using schema::ElementType;
using schema::HashFamily;
using schema::RecallMetric;

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

std::string RecallParameters::ToString() const {
  if (hash.has_tables()) return hash.ToString();
  if (is_exact()) return "exact";
  std::string text;
  if (cells != 0) absl::StrAppend(&text, "cells=", cells);
  if (plane_bits != 0) {
    absl::StrAppend(&text, text.empty() ? "" : " ", "plane=", plane_bits,
                    "bit deviations=", deviations);
  }
  return text;
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
  if (type == ElementType::Int8PerRow) {
    builder.int8_ =
        QuantizeRows({builder.hashed_, builder.hashed_dimension_}, builder.dimension_, progress);
  }
  return builder;
}

std::vector<uint8_t> RecallBuilder::RowsInOrder(const std::vector<uint32_t>& items) const {
  if (type_ == ElementType::Int8PerRow) return RowBytes(int8_, items);
  const uint32_t stride = RowStride(type_, dimension_);
  std::vector<uint8_t> rows(size_t{count_} * stride + kRowTailBytes);
  for (uint32_t p = 0; p < count_; ++p) {
    std::memcpy(&rows[size_t{p} * stride], &hashed_[size_t{items[p]} * hashed_dimension_],
                dimension_ * sizeof(float));
  }
  return rows;
}

std::vector<float> RecallBuilder::StoredInOrder(const std::vector<uint32_t>& items) const {
  std::vector<float> rows;
  rows.reserve(size_t{count_} * dimension_);
  for (const uint32_t item : items) {
    for (uint32_t d = 0; d < dimension_; ++d) {
      rows.push_back(type_ == ElementType::Int8PerRow
                         ? int8_.Element(item, d)
                         : hashed_[size_t{item} * hashed_dimension_ + d]);
    }
  }
  return rows;
}

absl::Status RecallBuilder::AddTables(const HashParameters& hash, uint32_t probes,
                                      const Progress& progress, std::vector<uint32_t>* items,
                                      schema::RecallIndexT* index) const {
  HP_ASSIGN_OR_RETURN(HashShape shape, ShapeOf(hash, hashed_dimension_));
  const VectorSet vectors = {hashed_, hashed_dimension_};
  for (uint32_t t = 0; t < hash.tables; ++t) {
    auto table = std::make_unique<schema::RecallTableT>(MakeTable(hash, vectors, t, &shape));
    const std::vector<uint32_t> buckets = BucketsOf(shape, *table, vectors, progress);
    if (t == 0) {
      *items = SortByBucket(buckets, shape.buckets, &table->bucket_begins);
    } else {
      std::vector<uint32_t> by_position(count_);
      for (uint32_t p = 0; p < count_; ++p) by_position[p] = buckets[(*items)[p]];
      table->positions = Packed(SortByBucket(by_position, shape.buckets, &table->bucket_begins));
    }
    index->tables.push_back(std::move(table));
  }
  index->family = shape.family;
  index->functions = shape.functions;
  index->outputs = shape.outputs;
  index->values = shape.values;
  index->bin_width = shape.bin_width;
  index->rotation_width = shape.rotation_width;
  index->probes = probes == 0 ? shape.buckets : std::min(probes, shape.buckets);
  return absl::OkStatus();
}

CellPartition RecallBuilder::Partition(uint32_t cells, uint64_t seed,
                                       const Progress& progress) const {
  return MakeCells({hashed_, hashed_dimension_}, dimension_, metric_, std::min(cells, count_), seed,
                   progress);
}

void RecallBuilder::AddCells(const CellPartition& partition, uint32_t probes,
                             std::vector<uint32_t>* items, schema::RecallIndexT* index) const {
  const uint32_t count = partition.cells(dimension_);
  index->cells = std::make_unique<schema::RecallCellsT>();
  schema::RecallCellsT& cells = *index->cells;
  *items = SortByBucket(partition.cell_of, count, &cells.begins);
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  QuantizedRows rows = QuantizeRows({partition.centroids, dimension_}, dimension_, nullptr);
  cells.rows = RowBytes(rows, order);
  cells.scale = rows.scale;
  cells.scale_codes = std::move(rows.codes);
  cells.squared_norms = std::move(rows.squared_norms);
  cells.probes = probes == 0 ? count : std::min(probes, count);
}

void RecallBuilder::AddPlane(const RecallParameters& parameters, const std::vector<uint32_t>& items,
                             const Progress& progress, schema::RecallIndexT* index) const {
  const std::vector<float> rows = StoredInOrder(items);
  PlaneInput input;
  input.metric = metric_;
  input.rows = {rows, dimension_};
  std::vector<float> centroids;
  if (index->cells != nullptr) {
    const schema::RecallCellsT& cells = *index->cells;
    const uint32_t stride = RowStride(ElementType::Int8PerRow, dimension_);
    for (size_t c = 0; c < cells.scale_codes.size(); ++c) {
      const double scale = double{cells.scale} * (cells.scale_codes[c] + 1) / 256;
      for (uint32_t d = 0; d < dimension_; ++d) {
        centroids.push_back(
            static_cast<float>(scale * static_cast<int8_t>(cells.rows[c * stride + d])));
      }
    }
    input.begins = cells.begins;
  }
  input.centroids = {centroids, dimension_};
  index->plane = std::make_unique<schema::RecallPlaneT>(
      MakePlane(input, parameters.plane_bits, parameters.deviations, parameters.seed, progress));
}

absl::StatusOr<schema::RecallIndexT> RecallBuilder::Build(const RecallParameters& parameters,
                                                          uint32_t probes, const Progress& progress,
                                                          const CellPartition* partition) const {
  const bool has_tables = parameters.hash.has_tables();
  if (has_tables && (parameters.cells != 0 || parameters.plane_bits != 0)) {
    return absl::InvalidArgumentError("recall index: hash tables, and cells or a plane too");
  }
  if (parameters.plane_bits != 0 && parameters.plane_bits != 1 && parameters.plane_bits != 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("recall index: a plane of ", parameters.plane_bits, " bits, expected 1 or 4"));
  }
  if (!(parameters.deviations >= 0 && parameters.deviations <= double{kMaxDeviations})) {
    return absl::InvalidArgumentError(absl::StrCat("recall index: ", parameters.deviations,
                                                   " deviations, expected 0 to ", kMaxDeviations));
  }
  schema::RecallIndexT index;
  index.metric = metric_;
  index.dimension = dimension_;
  index.item_count = count_;
  index.type = type_;
  index.scale = int8_.scale;
  std::vector<uint32_t> items(count_);
  std::iota(items.begin(), items.end(), 0);
  if (count_ > 0) {
    if (has_tables) {
      HP_RETURN_IF_ERROR(AddTables(parameters.hash, probes, progress, &items, &index));
    }
    if (parameters.cells != 0) {
      CellPartition made;
      if (partition == nullptr) made = Partition(parameters.cells, parameters.seed, progress);
      AddCells(partition == nullptr ? made : *partition, probes, &items, &index);
    }
    if (has_tables || parameters.cells != 0) {
      index.items = Packed(items);
      index.positions = Packed(Inverse(items));
    }
    if (parameters.plane_bits != 0) AddPlane(parameters, items, progress, &index);
  }
  index.rows = RowsInOrder(items);
  if (type_ == ElementType::Int8PerRow) {
    const bool norms = metric_ == RecallMetric::Euclidean;
    index.scale_codes.resize(count_);
    index.squared_norms.resize(norms ? count_ : 0);
    for (uint32_t p = 0; p < count_; ++p) {
      index.scale_codes[p] = int8_.codes[items[p]];
      if (norms) index.squared_norms[p] = int8_.squared_norms[items[p]];
    }
  }
  return index;
}

}  // namespace handpick::converter
