// Vectors for tests of recall.
#ifndef HANDPICK_TESTS_CONVERTER_RECALL_RANDOM_VECTORS_H_
#define HANDPICK_TESTS_CONVERTER_RECALL_RANDOM_VECTORS_H_

#include <cstdint>
#include <vector>

#include "converter/recall/vectors.h"

namespace handpick::converter {

struct OwnedVectors {
  std::vector<float> numbers;
  uint32_t dimension;

  VectorSet view() const { return {numbers, dimension}; }
  absl::Span<const float> Row(size_t i) const { return view().Row(i); }
};

// `centres` points of N(0, I), each vector one of them plus sigma * N(0, I), times a length between
// 0.5 and 1.5. The centres follow from the seed alone, so that vectors and queries can share them.
OwnedVectors RandomClusters(uint32_t count, uint32_t dimension, uint32_t centres, double sigma,
                            uint64_t seed, uint64_t stream = 0);

// Whole numbers from -127 to 127, one of them 127: an int8 query of them is exact.
OwnedVectors RandomIntegers(uint32_t count, uint32_t dimension, uint64_t seed);

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_CONVERTER_RECALL_RANDOM_VECTORS_H_
