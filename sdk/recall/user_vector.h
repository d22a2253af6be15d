// A user's vectors, from those of the events.
#ifndef HANDPICK_SDK_RECALL_USER_VECTOR_H_
#define HANDPICK_SDK_RECALL_USER_VECTOR_H_

#include <cstdint>

namespace handpick {

// The vectors of `count` events, oldest first, read when they are needed: a history may have far
// more numbers than a session has memory.
struct EventVectors {
  uint32_t count;
  uint32_t dimension;
  bool (*read)(void* context, uint32_t event, float* out);  // False: damaged.
  void* context;
};

// Memory to work in: the caller's.
struct UserVectorScratch {
  float* row;         // [dimension]
  double* sums;       // [clusters, dimension]; 1 for a mean
  double* distances;  // [count] KMeans
  uint32_t* nearest;  // [count] KMeans
};

// out [dimension] = sum of weights[i] * vector i / sum of weights, added up in double, oldest
// first; null weights: all 1. At least one event; the weights' sum is more than 0. False: damaged.
bool WeightedMean(const EventVectors& events, const double* weights,
                  const UserVectorScratch& scratch, float* out);

// k-means (Lloyd) over the events' vectors, without any chance in it: the first centre is the
// newest event's vector, each further one the vector that is farthest from the centres so far (of
// equally far ones the newest); then kKMeansRounds rounds at most, a vector going to the nearest
// centre (of equally near ones the first), and a centre to the mean of its vectors.
//
// `centres` [clusters, dimension]. Returns how many there are in `found`: fewer than `clusters`
// when there are not so many different vectors; at least one event. False: damaged.
inline constexpr int kKMeansRounds = 10;
bool KMeans(const EventVectors& events, uint32_t clusters, const UserVectorScratch& scratch,
            float* centres, uint32_t* found);

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_USER_VECTOR_H_
