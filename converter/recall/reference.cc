#include "converter/recall/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace handpick::converter {
namespace {

using schema::RecallMetric;

double Score(absl::Span<const float> x, absl::Span<const float> y, RecallMetric metric) {
  double product = 0;
  double xx = 0;
  double yy = 0;
  double distance = 0;
  for (size_t d = 0; d < x.size(); ++d) {
    const double a = double{x[d]};
    const double b = double{y[d]};
    product += a * b;
    xx += a * a;
    yy += b * b;
    distance += (a - b) * (a - b);
  }
  if (metric == RecallMetric::Euclidean) return -distance;
  if (metric == RecallMetric::InnerProduct) return product;
  return xx == 0 || yy == 0 ? 0 : product / std::sqrt(xx * yy);
}

// Entry `i` of packed numbers of `bits` bits.
uint32_t Unpack(const std::vector<uint8_t>& bytes, uint32_t bits, uint32_t i) {
  uint32_t number = 0;
  for (uint32_t b = 0; b < bits; ++b) {
    const uint64_t bit = uint64_t{i} * bits + b;
    number |= static_cast<uint32_t>(bytes[bit / 8] >> (bit % 8) & 1) << b;
  }
  return number;
}

}  // namespace

std::vector<ReferenceHit> ReferenceSearch(const VectorSet& items, RecallMetric metric,
                                          absl::Span<const float> query, uint32_t k,
                                          const std::function<bool(uint32_t)>& hides) {
  std::vector<ReferenceHit> hits;
  for (uint32_t i = 0; i < items.count(); ++i) {
    if (hides && hides(i)) continue;
    hits.push_back({i, Score(items.Row(i), query, metric)});
  }
  std::stable_sort(hits.begin(), hits.end(),
                   [](const ReferenceHit& a, const ReferenceHit& b) { return a.score > b.score; });
  if (hits.size() > k) hits.resize(k);
  return hits;
}

std::vector<float> StoredVectors(const schema::RecallIndexT& index) {
  const bool int8 = index.type == schema::ElementType::Int8PerRow;
  const uint32_t dimension = index.dimension;
  const uint32_t stride = int8 ? (dimension + 3) / 4 * 4 : dimension * 4;
  uint32_t bits = 1;
  while (index.item_count > uint64_t{1} << bits) ++bits;
  std::vector<float> vectors(size_t{index.item_count} * dimension);
  for (uint32_t position = 0; position < index.item_count; ++position) {
    const uint32_t item = index.items.empty() ? position : Unpack(index.items, bits, position);
    const uint8_t* row = &index.rows[size_t{position} * stride];
    for (uint32_t d = 0; d < dimension; ++d) {
      float& out = vectors[size_t{item} * dimension + d];
      if (int8) {
        const double scale = double{index.scale} * (index.scale_codes[position] + 1) / 256;
        out = static_cast<float>(scale * static_cast<int8_t>(row[d]));
      } else {
        std::memcpy(&out, row + size_t{d} * 4, 4);
      }
    }
  }
  return vectors;
}

}  // namespace handpick::converter
