// How much work a graph is, by how often it is done.
#ifndef HANDPICK_CONVERTER_GRAPH_COST_H_
#define HANDPICK_CONVERTER_GRAPH_COST_H_

#include <cstdint>

#include "converter/graph/graph.h"

namespace handpick::converter {

struct Work {
  // Multiplications of dense layers.
  uint64_t multiply_accumulates = 0;
  // Embedding rows read; multi-valued features count with all the values that they can have.
  uint64_t rows_gathered = 0;
};

// Work for one row of each domain: per context change, per event, per candidate, and per candidate
// and event.
struct Cost {
  Work context;
  Work event;
  Work candidate;
  Work pair;
};

Cost CountWork(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_COST_H_
