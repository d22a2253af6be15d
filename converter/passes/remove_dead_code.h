// Drops what the logit does not depend on.
#ifndef HANDPICK_CONVERTER_PASSES_REMOVE_DEAD_CODE_H_
#define HANDPICK_CONVERTER_PASSES_REMOVE_DEAD_CODE_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// Promises that every node, value, table and dense layer left is one that the logit depends on,
// in the old order, numbered without gaps. Features stay: a request may give them. The graph's
// value does not change.
Graph RemoveDeadCode(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_REMOVE_DEAD_CODE_H_
