// Builds recall indexes over one set of item vectors.
#ifndef HANDPICK_CONVERTER_RECALL_BUILDER_H_
#define HANDPICK_CONVERTER_RECALL_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/recall/cells.h"
#include "converter/recall/quantize.h"
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

// What leads to the best rows: hash tables; or cells, a plane of codes, or both; or nothing.
struct RecallParameters {
  RecallParameters() = default;
  RecallParameters(const HashParameters& tables) : hash(tables) {}  // NOLINT: tables alone

  HashParameters hash;
  uint32_t cells = 0;       // 0: none.
  uint32_t plane_bits = 0;  // 0: none; 1 or 4.
  // Of an estimate's error, that are added before it is compared. Gao and Long take 1.9.
  double deviations = 2;
  uint64_t seed = 1;  // Of cells and plane.

  bool is_exact() const { return !hash.has_tables() && cells == 0 && plane_bits == 0; }
  std::string ToString() const;
};

// Item vectors, ready to be put in the order of a hash table or of cells.
class RecallBuilder {
 public:
  // `type`: Float32 or Int8PerRow. Copies what it needs of `items`. An error names the item and the
  // number that is NaN, infinite or beyond kMaxRecallNumber in size, or the dimension.
  static absl::StatusOr<RecallBuilder> Create(const VectorSet& items, schema::RecallMetric metric,
                                              schema::ElementType type, const Progress& progress);

  // An index whose queries look into `probes` buckets of each table, or cells (0: all). Hash
  // functions are made from the seed alone, but for offsets: hyperplanes go through the medians of
  // the projected items, and the bins of E2 lie around their means, shifted at random by up to a
  // bin. `partition`: that of Partition() for the same cells and seed, or null: it is made.
  absl::StatusOr<schema::RecallIndexT> Build(const RecallParameters& parameters, uint32_t probes,
                                             const Progress& progress,
                                             const CellPartition* partition = nullptr) const;

  // The items in so many cells, at most as many as there are items.
  CellPartition Partition(uint32_t cells, uint64_t seed, const Progress& progress) const;

  uint32_t item_count() const { return count_; }
  uint32_t dimension() const { return dimension_; }
  schema::RecallMetric metric() const { return metric_; }
  // Of a vector that is hashed: the items', and one more for InnerProduct.
  uint32_t hashed_dimension() const { return hashed_dimension_; }

 private:
  RecallBuilder() = default;

  std::vector<uint8_t> RowsInOrder(const std::vector<uint32_t>& items) const;
  // Rows as they are stored, [count, dimension].
  std::vector<float> StoredInOrder(const std::vector<uint32_t>& items) const;
  absl::Status AddTables(const HashParameters& hash, uint32_t probes, const Progress& progress,
                         std::vector<uint32_t>* items, schema::RecallIndexT* index) const;
  void AddCells(const CellPartition& partition, uint32_t probes, std::vector<uint32_t>* items,
                schema::RecallIndexT* index) const;
  void AddPlane(const RecallParameters& parameters, const std::vector<uint32_t>& items,
                const Progress& progress, schema::RecallIndexT* index) const;

  schema::RecallMetric metric_ = schema::RecallMetric::Unknown;
  schema::ElementType type_ = schema::ElementType::Unknown;
  uint32_t count_ = 0;
  uint32_t dimension_ = 0;
  uint32_t hashed_dimension_ = 0;
  std::vector<float> hashed_;  // [count, hashed_dimension]; what is stored comes first in each.
  QuantizedRows int8_;         // Int8PerRow, by item.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_BUILDER_H_
