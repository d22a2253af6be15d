// Flattens sums, and adds up first what changes least.
#ifndef HANDPICK_CONVERTER_PASSES_MERGE_SUMS_H_
#define HANDPICK_CONVERTER_PASSES_MERGE_SUMS_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// Promises that no sum reads a linear sum of its own domain that nothing else reads, and that a sum
// has at most one addend of each domain that is smaller than its own: the context's addends are one
// value, computed once; beside a candidate's addend in a sum per candidate and event, the context's
// is added to that one. The graph's value does not change.
Graph MergeSums(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_MERGE_SUMS_H_
