// Computes once what is written down twice.
#ifndef HANDPICK_CONVERTER_PASSES_SHARE_EQUAL_VALUES_H_
#define HANDPICK_CONVERTER_PASSES_SHARE_EQUAL_VALUES_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// Promises that no two nodes have the same operator, attributes and operands: the later one's
// readers read the first (numbers that wide and deep part both take; a row that is looked up
// twice). Layers are the same when they are one entry of Graph::dense, tables of Graph::tables. The
// graph's value does not change, not by a bit.
Graph ShareEqualValues(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_SHARE_EQUAL_VALUES_H_
