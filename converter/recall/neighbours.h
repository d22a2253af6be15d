// The exact answers that an index is measured by.
#ifndef HANDPICK_CONVERTER_RECALL_NEIGHBOURS_H_
#define HANDPICK_CONVERTER_RECALL_NEIGHBOURS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/recall/vectors.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::converter {

// Vectors to ask with.
struct RecallQueries {
  VectorSet vectors;
  // [vectors.count()], or empty: an item that a query must not find, because it is that item.
  std::vector<uint32_t> self;
};

// Every n-th item as a query, so that there are at most `count`: where no others are known. A query
// does not find itself, unless it is the only item.
struct HeldOutItems {
  std::vector<float> numbers;
  RecallQueries queries;
};
HeldOutItems TakeItemsAsQueries(const VectorSet& items, uint32_t count);

// The best `k` items of each query, ascending by number, in 32-bit floats over the vectors as they
// were given. A query without direction has none.
absl::StatusOr<std::vector<std::vector<uint32_t>>> ExactNeighbours(const VectorSet& items,
                                                                   schema::RecallMetric metric,
                                                                   const RecallQueries& queries,
                                                                   uint32_t k,
                                                                   const Progress& progress);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_NEIGHBOURS_H_
