// A coarse partition of vectors: k-means.
#ifndef HANDPICK_CONVERTER_RECALL_CELLS_H_
#define HANDPICK_CONVERTER_RECALL_CELLS_H_

#include <cstdint>
#include <vector>

#include "converter/recall/vectors.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::converter {

struct CellPartition {
  std::vector<uint32_t> cell_of;  // [count]
  std::vector<float> centroids;   // [cells, dimension] Means of the cells' vectors.

  uint32_t cells(uint32_t dimension) const {
    return static_cast<uint32_t>(centroids.size() / dimension);
  }
};

// Lloyd's algorithm from vectors that the seed draws, a bounded number of rounds on a sample of at
// most 64 vectors a cell; then every vector goes into its nearest cell: by the angle between it and
// the mean for cosine (spherical k-means), else by distance. Centroids are compared in 8 bits, as
// queries do: the same cells on every processor. `vectors`: the first `dimension` numbers of each
// count; of norm 1 or 0 for cosine. `cells`: 1 to the vectors' count.
CellPartition MakeCells(const VectorSet& vectors, uint32_t dimension, schema::RecallMetric metric,
                        uint32_t cells, uint64_t seed, const Progress& progress);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_CELLS_H_
