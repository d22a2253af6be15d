// How much work a graph is, by how often it is done.
#ifndef HANDPICK_CONVERTER_GRAPH_COST_H_
#define HANDPICK_CONVERTER_GRAPH_COST_H_

#include <cstdint>
#include <vector>

#include "converter/graph/graph.h"

namespace handpick::converter {

struct Work {
  // Multiplications of dense layers and recurrent states, and of values with their weights in a
  // weighted pool.
  uint64_t multiply_accumulates = 0;
  // Embedding rows read; multi-valued features count with all the values that they can have.
  uint64_t rows_gathered = 0;
  // Nodes of trees that are met, in the mean over the leaves of each tree, rounded up.
  uint64_t tree_nodes = 0;
};

// Work for one row of each domain: per context change, per event, per candidate, and per candidate
// and event. What runs over the events for each candidate counts as work per candidate and event.
struct Cost {
  Work context;
  Work event;
  Work candidate;
  Work pair;

  // `event` and `pair` by sequence, of which they are the sums.
  struct OfSequence {
    uint64_t max_events = 0;
    Work event;
    Work pair;
  };
  std::vector<OfSequence> sequences;

  // Of one candidate beside `events` events of each sequence, or as many as it keeps.
  uint64_t CandidateMultiplyAccumulates(uint64_t events) const;

  // Of one candidate, where what the user has is repeated for each: what a model costs in a batch
  // of rows, as trainers write it down.
  uint64_t RepeatedMultiplyAccumulates(uint64_t events) const;
};

Cost CountWork(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_COST_H_
