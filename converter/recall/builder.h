// Builds recall indexes over one set of item vectors.
#ifndef HANDPICK_CONVERTER_RECALL_BUILDER_H_
#define HANDPICK_CONVERTER_RECALL_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/recall/vectors.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// The hash tables of an index. See schema::RecallIndex for the numbers.
struct HashParameters {
  schema::HashFamily family = schema::HashFamily::Unknown;  // Unknown: no tables, exact scans.
  uint32_t tables = 0;
  uint32_t functions = 0;
  uint32_t outputs = 1;  // CrossPolytope: coordinates of a function.
  uint32_t values = 2;   // E2: bins of a function. Others: follows from the family and `outputs`.
  // E2: width of a bin, in standard deviations of what is projected.
  double bin_deviations = 0;
  uint64_t seed = 1;

  bool has_tables() const { return family != schema::HashFamily::Unknown; }
  std::string ToString() const;
};

// Item vectors, ready to be put in the order of a hash table.
class RecallBuilder {
 public:
  // `type`: Float32 or Int8PerRow. Copies what it needs of `items`. An error names the item and the
  // number that is NaN, infinite or beyond kMaxRecallNumber in size, or the dimension.
  static absl::StatusOr<RecallBuilder> Create(const VectorSet& items, schema::RecallMetric metric,
                                              schema::ElementType type, const Progress& progress);

  // An index whose queries look into `probes` buckets of each table (0: all). Hash functions are
  // made from the seed alone, but for offsets: hyperplanes go through the medians of the projected
  // items, and the bins of E2 lie around their means, shifted at random by up to a bin.
  absl::StatusOr<schema::RecallIndexT> Build(const HashParameters& hash, uint32_t probes,
                                             const Progress& progress) const;

  uint32_t item_count() const { return count_; }
  uint32_t dimension() const { return dimension_; }
  schema::RecallMetric metric() const { return metric_; }
  // Of a vector that is hashed: the items', and one more for InnerProduct.
  uint32_t hashed_dimension() const { return hashed_dimension_; }

 private:
  RecallBuilder() = default;

  void Quantize(const Progress& progress);
  std::vector<uint8_t> RowsInOrder(const std::vector<uint32_t>& items) const;

  schema::RecallMetric metric_ = schema::RecallMetric::Unknown;
  schema::ElementType type_ = schema::ElementType::Unknown;
  uint32_t count_ = 0;
  uint32_t dimension_ = 0;
  uint32_t hashed_dimension_ = 0;
  std::vector<float> hashed_;  // [count, hashed_dimension]; what is stored comes first in each.
  // Int8, by item.
  std::vector<int8_t> int8_;
  std::vector<uint8_t> codes_;
  std::vector<float> squared_norms_;
  float scale_ = 0;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_BUILDER_H_
