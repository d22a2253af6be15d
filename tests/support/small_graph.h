// Hand-made graphs with numbers that can be checked on paper.
#ifndef HANDPICK_TESTS_SUPPORT_SMALL_GRAPH_H_
#define HANDPICK_TESTS_SUPPORT_SMALL_GRAPH_H_

#include <cstdint>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/request/raw_values.h"

namespace handpick::converter {

// Numbers of the features of SmallGraph.
enum SmallFeature : uint32_t {
  kUser = 0,   // Context, categorical, 4 rows.
  kAge = 1,    // Context, 2 numbers.
  kItem = 2,   // Candidate, categorical, 5 rows.
  kPrice = 3,  // Candidate, 1 number.
  kSeen = 4,   // History, categorical, 5 rows, padding row 0.
  kTags = 5,   // Candidate, up to 3 of 6 rows.
};

// A graph without nodes over these features; it keeps 3 events.
Graph SmallGraph();

// A table whose number in row r and column j is 10 r + j.
TableId AddCountingTable(uint32_t rows, uint32_t dimension, Graph* graph);

// A dense layer of `weights`, row after row.
DenseId AddWeights(uint32_t input_width, std::vector<double> weights, std::vector<double> bias,
                   Graph* graph);

// Appends an embedding of `feature` in `table`.
ValueId Embed(SmallFeature feature, TableId table, Graph* graph,
              schema::Combiner combiner = schema::Combiner::Sum, double empty_value = 0);

// user 2, age (0.5, -1), seen 1, 0, 3; candidates: item 4 and 1, price 2 and -3, tags (1, 5) and
// ().
Request SmallRequest();

// The logits of `graph` for SmallRequest(). A failure is a test failure.
std::vector<double> SmallLogits(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_SUPPORT_SMALL_GRAPH_H_
