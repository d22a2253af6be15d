// Hash tables over vectors.
#ifndef HANDPICK_CONVERTER_RECALL_TABLES_H_
#define HANDPICK_CONVERTER_RECALL_TABLES_H_

#include <cstdint>
#include <vector>

#include "converter/recall/builder.h"
#include "converter/recall/vectors.h"
#include "schema/bundle_generated.h"
#include "sdk/recall/index.h"

namespace handpick::converter {

// The shape that `hash` asks for over vectors of `dimension` (that of what is hashed). An error
// names the parameter that is out of its range.
absl::StatusOr<HashShape> ShapeOf(const HashParameters& hash, uint32_t dimension);

// Table number `t` of the parameters: signs and offsets, and for E2 the width of a bin in `shape`
// (set by the first table, which all tables share). bucket_begins and positions are left empty.
schema::RecallTableT MakeTable(const HashParameters& hash, const VectorSet& vectors, uint32_t t,
                               HashShape* shape);

// The bucket of each vector.
std::vector<uint32_t> BucketsOf(const HashShape& shape, const schema::RecallTableT& table,
                                const VectorSet& vectors, const Progress& progress);

// Sorts 0 to n - 1 by bucket, equal ones ascending, and writes down where each bucket begins
// [buckets + 1].
std::vector<uint32_t> SortByBucket(const std::vector<uint32_t>& bucket_of, uint32_t buckets,
                                   std::vector<uint32_t>* begins);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_TABLES_H_
