// Lets requests leave out what no part of the model reads.
#ifndef HANDPICK_CONVERTER_PASSES_OPTIONAL_FEATURES_H_
#define HANDPICK_CONVERTER_PASSES_OPTIONAL_FEATURES_H_

#include <cstddef>
#include <vector>

#include "converter/graph/graph.h"

namespace handpick::converter {

// The graph with `features` (numbers in its feature set), which nothing reads, made optional: a
// request may give them, as the model's spec says, and need not. Their defaults are row 0, an empty
// list and zeros. What has a default keeps it.
Graph MakeOptional(const Graph& graph, const std::vector<size_t>& features);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_OPTIONAL_FEATURES_H_
