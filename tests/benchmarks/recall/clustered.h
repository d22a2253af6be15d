// The data of the benchmark: clustered unit vectors, made from a seed.
#ifndef HANDPICK_TESTS_BENCHMARKS_RECALL_CLUSTERED_H_
#define HANDPICK_TESTS_BENCHMARKS_RECALL_CLUSTERED_H_

#include <cstdint>
#include <vector>

namespace handpick::benchmarks {

struct ClusteredOptions {
  uint32_t items = 1000000;
  uint32_t queries = 1000;
  uint32_t dimension = 64;
  uint32_t centres = 2000;
  double sigma = 0.5;
  uint64_t seed = 1;
};

// Vectors centre + sigma * N(0, I), normalised; centres are N(0, I), and each vector's is drawn at
// random. Items, queries and held-out queries are drawn one after the other from one mixture.
struct Clustered {
  uint32_t dimension;
  std::vector<float> items;     // [items, dimension]
  std::vector<float> queries;   // [queries, dimension]
  std::vector<float> held_out;  // [queries, dimension] for tuning
};

Clustered MakeClustered(const ClusteredOptions& options);

}  // namespace handpick::benchmarks

#endif  // HANDPICK_TESTS_BENCHMARKS_RECALL_CLUSTERED_H_
