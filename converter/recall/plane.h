// Codes of rows: see schema::RecallPlane.
#ifndef HANDPICK_CONVERTER_RECALL_PLANE_H_
#define HANDPICK_CONVERTER_RECALL_PLANE_H_

#include <cstdint>
#include <vector>

#include "converter/recall/vectors.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// What is coded: rows by position as they are stored, and the centroids as they are stored.
struct PlaneInput {
  schema::RecallMetric metric;
  VectorSet rows;
  VectorSet centroids;           // None: every row's is zero.
  std::vector<uint32_t> begins;  // [cells + 1]
};

// `bits`: 1 or 4. The signs of the rotation follow from the seed alone.
schema::RecallPlaneT MakePlane(const PlaneInput& input, uint32_t bits, double deviations,
                               uint64_t seed, const Progress& progress);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_PLANE_H_
