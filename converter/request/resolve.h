// What the values of a request mean to the tables: ids become rows, numbers are transformed.
//
// The slow, obvious definition, written from the comments of schema/bundle.fbs. The reference
// interpreter, the catalog builder and the spec's defaults use it; the runtime's own resolution is
// compared with it.
#ifndef HANDPICK_CONVERTER_REQUEST_RESOLVE_H_
#define HANDPICK_CONVERTER_REQUEST_RESOLVE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/request/features.h"
#include "converter/request/raw_values.h"

namespace handpick::schema {
struct CatalogT;
struct FeatureT;
}  // namespace handpick::schema

namespace handpick::converter {

// One feature in one row of its side.
struct ResolvedRows {
  // Rows of the positions that count, in their order. Categorical: always one.
  std::vector<uint32_t> rows;
  // What a mean divides the sum by: the number of positions that count, or the explicit length,
  // also when that is above max_values. A mean over no position is 0, whatever this says.
  double divisor = 0;
};

// The rows of a cell's positions as they were given: no position left out, none added.
// Errors: wrong number of values, wrong type, unknown id.
absl::StatusOr<std::vector<uint32_t>> ResolvePositions(size_t feature, const RawCell& cell,
                                                       const FeatureSet& features);

// Which positions count. `length` (not negative) is the explicit length if there is one: positions
// below min(length, max_values) count, those that were not given are row 0. Positions of the
// padding row never count, except that a categorical feature's only position always does: what
// padding means there is up to the operator that pools.
ResolvedRows CountPositions(std::vector<uint32_t> positions, const schema::FeatureT& feature,
                            std::optional<int64_t> length);

// ResolvePositions, then CountPositions: a categorical or multi-valued feature in one row.
absl::StatusOr<ResolvedRows> ResolveRows(size_t feature, const RawCell& cell,
                                         const FeatureSet& features,
                                         std::optional<int64_t> length = std::nullopt);

// The transformed numbers of a numeric feature in one row: [dimension]. Numbers are rounded to
// float32 first, since that is what the C API takes. Errors: wrong number of values, wrong type,
// not finite before or after the transform.
absl::StatusOr<std::vector<double>> ResolveNumbers(size_t feature, const RawCell& cell,
                                                   const FeatureSet& features);

// The value of a Length feature in one row. Errors: wrong type, negative, beyond 32 bits.
absl::StatusOr<int64_t> ResolveLength(size_t feature, const RawCell& cell,
                                      const FeatureSet& features);

// The rows of a crossed feature, from its operands' (in the order of cross_of): one row per
// combination of their positions that count, the last operand fastest. The divisor is the number of
// combinations.
ResolvedRows CrossRows(size_t feature, const std::vector<const ResolvedRows*>& operands,
                       const FeatureSet& features);

// One feature in every row of its side: one of the two is filled, by the feature's type.
struct ResolvedFeature {
  std::vector<ResolvedRows> rows;            // Categorical, multi-valued, crossed.
  std::vector<std::vector<double>> numbers;  // Numeric: each [dimension].
};

// A whole request, every feature present. `features[f]` has 1, candidate_count or its sequence's
// events as rows by the side of f (a crossed feature has its own side); Length features have none.
struct ResolvedRequest {
  std::vector<size_t> event_counts;  // By sequence of the model.
  size_t candidate_count = 0;
  std::vector<ResolvedFeature> features;
};

// Resolves a request. A feature that it leaves out is taken from the catalog (candidate features,
// when the key feature was given and names one of its items; null: there is no catalog), else from
// its default; else it is an error that names it. History and candidate features without any row
// need not be there.
absl::StatusOr<ResolvedRequest> ResolveRequest(const Request& request, const FeatureSet& features,
                                               const schema::CatalogT* catalog = nullptr);

// The same for what is of the candidates alone: features of the context, and crosses with them,
// have no rows.
absl::StatusOr<ResolvedRequest> ResolveItems(const Request& request, const FeatureSet& features,
                                             const schema::CatalogT* catalog = nullptr);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_REQUEST_RESOLVE_H_
