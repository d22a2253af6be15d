// Reads the fields of a concatenation together.
#ifndef HANDPICK_CONVERTER_PASSES_GATHER_FIELDS_H_
#define HANDPICK_CONVERTER_PASSES_GATHER_FIELDS_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// Promises that no concatenation has two embeddings of one domain side by side, nor two numeric
// features: one node has them all, in the same order. What else reads some of them reads its part
// of that node. Saves steps, and turns of small blocks. The graph's value does not change.
Graph GatherFields(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_GATHER_FIELDS_H_
