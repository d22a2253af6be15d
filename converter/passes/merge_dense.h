// Makes one dense layer of several whose results are added.
#ifndef HANDPICK_CONVERTER_PASSES_MERGE_DENSE_H_
#define HANDPICK_CONVERTER_PASSES_MERGE_DENSE_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

//   W x + V y  =  [W V] [x; y]
//
// Promises that a sum reads at most one linear dense layer of each domain among those that nothing
// else reads and whose inputs nothing else reads (so that the concatenation costs no copy). Saves
// steps, not multiplications. The graph's value does not change.
Graph MergeDense(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_MERGE_DENSE_H_
