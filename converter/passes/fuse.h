// Lets a step do what the step after it would have done to each number.
#ifndef HANDPICK_CONVERTER_PASSES_FUSE_H_
#define HANDPICK_CONVERTER_PASSES_FUSE_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// Promises, for intermediate values that nothing else reads:
//   * no activation follows a linear dense layer or sum: it is the layer's or the sum's own;
//   * a sum's bias is the bias of a dense layer among its addends, if there is one;
//   * a context addend beside a dense layer is the layer's `row`;
//   * a sum of embeddings that is added to one other value has it as its addend;
//   * no sum has one addend and nothing to do.
// Saves steps and passes over memory, not multiplications. The graph's value does not change.
Graph Fuse(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_FUSE_H_
