// A query to a recall index.
#ifndef HANDPICK_SDK_RECALL_SEARCH_H_
#define HANDPICK_SDK_RECALL_SEARCH_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "handpick/handpick.h"
#include "sdk/recall/index.h"
#include "sdk/recall/top_items.h"

namespace handpick {

struct RecallQuery {
  // [dimension] finite numbers of at most kMaxRecallNumber in size.
  absl::Span<const float> vector;
  size_t k = 0;
  // Buckets of each table, or cells, to look into; 0: as many as the index says; more than there
  // are: all.
  uint32_t probes = 0;
  // Scans all rows. An index without tables, cells and a plane always does.
  bool exact = false;
  HiddenItems hidden;
  // Where few items may be found: a bit for each, as in HiddenItems::bits. These alone are looked
  // at, each of them, unless they are hidden. Null: all items.
  const uint64_t* passing = nullptr;
};

// What a query cost.
struct RecallWork {
  uint64_t rows_scanned = 0;    // Rows that were read.
  uint64_t rows_estimated = 0;  // Codes of rows that were.
  uint64_t buckets = 0;         // That were looked into, of all tables; or cells.
  bool exact = false;
};

// Bytes of scratch for queries of at most `probes` buckets (0: as many as the index says).
size_t RecallScratchBytes(const RecallIndex& index, uint32_t probes);

// Finds the `k` best items that are not hidden among those of the buckets or cells that the query
// looks into, best first; of equal scores the smaller item comes first. Where there is a plane,
// rows whose score cannot be among the best by its bound are not read.
//
// An answer has min(k, items that are not hidden) items, always. When the buckets that the index
// says have fewer, all rows are scanned. When those have enough but a query's own, fewer `probes`
// have not, it looks further until it has k. (In this way more probes never lose an item that
// belongs to the exact answer.) A vector of zeros has no direction: it finds nothing in
// an index for cosine or inner product. The answer depends on index and query alone.
//
// `scratch` is of RecallScratchBytes(index, query.probes), aligned to HP_ALIGNMENT. `hits` [k];
// `count`: how many were written. `work` may be null. Allocates nothing; an index may be searched
// by any number of threads, each with its own scratch.
//
// HP_INVALID_ARGUMENT: the vector's length or numbers, or too little scratch. HP_BUNDLE_CORRUPT:
// what the index holds is out of its bounds (see OpenRecallIndex); `hits` have no meaning then.
hp_status SearchRecallIndex(const RecallIndex& index, const RecallQuery& query,
                            absl::Span<uint8_t> scratch, RecallHit* hits, size_t* count,
                            RecallWork* work, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_SEARCH_H_
