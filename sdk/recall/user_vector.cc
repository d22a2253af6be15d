#include "sdk/recall/user_vector.h"

#include <algorithm>
#include <limits>

namespace handpick {
namespace {

double SquaredDistance(const float* a, const float* b, uint32_t dimension) {
  double sum = 0;
  for (uint32_t i = 0; i < dimension; ++i) {
    const double difference = double{a[i]} - double{b[i]};
    sum += difference * difference;
  }
  return sum;
}

// Places the centres; how many, or 0: damaged.
uint32_t Seed(const EventVectors& events, uint32_t clusters, const UserVectorScratch& scratch,
              float* centres) {
  const uint32_t dimension = events.dimension;
  std::fill_n(scratch.distances, events.count, std::numeric_limits<double>::infinity());
  uint32_t next = events.count - 1;
  for (uint32_t c = 0; c < clusters; ++c) {
    float* centre = centres + size_t{c} * dimension;
    if (!events.read(events.context, next, centre)) return 0;
    double farthest = 0;
    for (uint32_t e = events.count; e-- > 0;) {
      if (!events.read(events.context, e, scratch.row)) return 0;
      double& distance = scratch.distances[e];
      distance = std::min(distance, SquaredDistance(scratch.row, centre, dimension));
      if (distance > farthest) {
        farthest = distance;
        next = e;
      }
    }
    if (farthest == 0) return c + 1;
  }
  return clusters;
}

uint32_t Nearest(const float* vector, const float* centres, uint32_t count, uint32_t dimension) {
  uint32_t nearest = 0;
  double smallest = std::numeric_limits<double>::infinity();
  for (uint32_t c = 0; c < count; ++c) {
    const double distance = SquaredDistance(vector, centres + size_t{c} * dimension, dimension);
    if (distance < smallest) {
      smallest = distance;
      nearest = c;
    }
  }
  return nearest;
}

}  // namespace

bool WeightedMean(const EventVectors& events, const double* weights,
                  const UserVectorScratch& scratch, float* out) {
  const uint32_t dimension = events.dimension;
  std::fill_n(scratch.sums, dimension, 0.0);
  double total = 0;
  for (uint32_t e = 0; e < events.count; ++e) {
    if (!events.read(events.context, e, scratch.row)) return false;
    const double weight = weights == nullptr ? 1 : weights[e];
    total += weight;
    for (uint32_t i = 0; i < dimension; ++i) scratch.sums[i] += weight * double{scratch.row[i]};
  }
  for (uint32_t i = 0; i < dimension; ++i) out[i] = static_cast<float>(scratch.sums[i] / total);
  return true;
}

bool KMeans(const EventVectors& events, uint32_t clusters, const UserVectorScratch& scratch,
            float* centres, uint32_t* found) {
  const uint32_t dimension = events.dimension;
  *found = Seed(events, clusters, scratch, centres);
  if (*found == 0) return false;
  std::fill_n(scratch.nearest, events.count, UINT32_MAX);
  for (int round = 0; round < kKMeansRounds; ++round) {
    bool changed = false;
    std::fill_n(scratch.sums, size_t{*found} * dimension, 0.0);
    for (uint32_t e = 0; e < events.count; ++e) {
      if (!events.read(events.context, e, scratch.row)) return false;
      const uint32_t nearest = Nearest(scratch.row, centres, *found, dimension);
      changed |= nearest != scratch.nearest[e];
      scratch.nearest[e] = nearest;
      double* sum = scratch.sums + size_t{nearest} * dimension;
      for (uint32_t i = 0; i < dimension; ++i) sum[i] += double{scratch.row[i]};
    }
    if (!changed) return true;
    for (uint32_t c = 0; c < *found; ++c) {
      const auto members = std::count(scratch.nearest, scratch.nearest + events.count, c);
      if (members == 0) continue;  // It stays where it is.
      for (uint32_t i = 0; i < dimension; ++i) {
        const size_t at = size_t{c} * dimension + i;
        centres[at] = static_cast<float>(scratch.sums[at] / static_cast<double>(members));
      }
    }
  }
  return true;
}

}  // namespace handpick
