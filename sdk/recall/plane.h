// Estimates rows' scores from their codes with SIMD, and keeps the rows that may be good enough.
#ifndef HANDPICK_SDK_RECALL_PLANE_H_
#define HANDPICK_SDK_RECALL_PLANE_H_

#include <cstddef>
#include <cstdint>

#include "sdk/recall/index.h"

namespace handpick {

// A query in the form that a plane's codes are in: y . q' is about scale * sum + least, with
//   1 bit: sum of the code's 4-bit digits looked up in `tables`: André, Kermarrec and Le Scouarnec,
//     VLDB 2015, section 4
//   4 bits: sum of the code's coordinates, 0 to 15, times `int8`.
struct PlaneQuery {
  const uint8_t* tables;  // [lower digits, upper digits][width / 8][2 times the same][16]
  const int8_t* int8;     // [width]
  float scale;
  float least;
  float rounding;  // Deviation of y . q' that comes from rounding the query.
  float factor;    // Of y . q' in a score: Euclidean: 2, else 1.
};

// Bytes of a query's memory, which is aligned to HP_ALIGNMENT.
size_t PlaneQueryBytes(const RecallPlane& plane);

// `vector` [dimension], finite; `rotated` [width] and `memory` are the caller's, and `query` refers
// to the latter. Allocates nothing; the same bits on every processor.
void PreparePlaneQuery(const RecallPlane& plane, schema::RecallMetric metric, const float* vector,
                       uint32_t dimension, float* rotated, uint8_t* memory, PlaneQuery* query);

// Rows of one cell, which are compared with one threshold.
struct PlaneScan {
  float score;      // Of the cell's centroid; without cells that of a vector of zeros.
  float distance;   // |q - c|
  float threshold;  // Rows whose bound is below are not kept.
  uint32_t end;
};

// Positions that one call keeps, at most.
inline constexpr uint32_t kPlaneKept = 64 + kPlaneRows;

// Looks at the rows from `*begin` to scan.end - 1 in blocks, until 64 or more are kept or none is
// left; `*begin` is then the first that it has not looked at. Returns how many positions `kept`
// [kPlaneKept] has got, ascending, whose rows are on their way into the cache.
//
// A row is kept unless this bound of its score is below the threshold, in floats, in this order and
// so the same on every processor:
//   score + (f * (sum * (scale * factor) + c) + g),
//   c = factor * (least + deviations * (error * distance + rounding))
// RaBitQ, theorem 3.2, has the bound of the estimate's error. `*finite` becomes false when a bound
// is none: the plane's factors are damaged.
uint32_t ScanPlane(const RecallIndex& index, const PlaneQuery& query, const PlaneScan& scan,
                   uint32_t* begin, uint32_t* kept, bool* finite);

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_PLANE_H_
