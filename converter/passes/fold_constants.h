// Moves constants into the operators that add them.
#ifndef HANDPICK_CONVERTER_PASSES_FOLD_CONSTANTS_H_
#define HANDPICK_CONVERTER_PASSES_FOLD_CONSTANTS_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// Promises that no sum, no dense layer's row and no part of its input is a constant: a sum has it
// in its bias, a layer in its own. A sum or a concatenation of constants alone is a constant. A
// value that is padded with zeros is multiplied without them. The graph's value does not change.
Graph FoldConstants(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_FOLD_CONSTANTS_H_
