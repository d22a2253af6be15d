// Scores rows against a query with SIMD, and hands those that are good enough to a TopItems.
#ifndef HANDPICK_SDK_RECALL_SCAN_H_
#define HANDPICK_SDK_RECALL_SCAN_H_

#include <cstddef>
#include <cstdint>

#include "sdk/recall/index.h"
#include "sdk/recall/top_items.h"

namespace handpick {

// A query in the form that rows are in.
struct ScanQuery {
  schema::RecallMetric metric;
  // Int8 rows: [dimension, rounded up to kScanPadding] x = scale * q, the rest zeros.
  const int8_t* int8;
  int32_t int8_sum;
  int32_t int8_below;  // The sum of those below 0.
  // Of the product of integers and the row's code + 1; Euclidean: twice that.
  float factor;
  float squared_norm;  // Euclidean: of the query in int8.
  // Float32 rows: [dimension, rounded up to kScanPadding], the rest zeros.
  const float* floats;
};

// Elements of a query are padded to a multiple of this.
inline constexpr uint32_t kScanPadding = 64;

// Quantises `vector` [dimension] into `int8` or copies it into `floats`, whichever the rows need
// (the other may be null), both of the padded size; `query` refers to it. The largest element
// becomes 127, the others are rounded to the nearest, halves to even.
void PrepareQuery(const RecallRows& rows, schema::RecallMetric metric, const float* vector,
                  int8_t* int8, float* floats, ScanQuery* query);

// Scores rows of the positions begin to end - 1; all are below rows.count.
//
// A score is computed in float, in this order, and so the same on every processor for int8 rows:
//   cosine, inner product: (integer product * (code + 1)) * factor
//   Euclidean: ((integer product * (code + 1)) * factor - squared_norms[position]) - squared_norm
// For float32 rows the order of the sum is the processor's.
void ScanRows(const RecallRows& rows, const ScanQuery& query, uint32_t begin, uint32_t end,
              TopItems* top);

// Scores the rows at `positions` [count], all below rows.count.
void ScanListedRows(const RecallRows& rows, const ScanQuery& query, const uint32_t* positions,
                    size_t count, TopItems* top);

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_SCAN_H_
