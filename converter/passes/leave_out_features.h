// Leaves features out that no part of the model reads.
#ifndef HANDPICK_CONVERTER_PASSES_LEAVE_OUT_FEATURES_H_
#define HANDPICK_CONVERTER_PASSES_LEAVE_OUT_FEATURES_H_

#include <cstddef>
#include <vector>

#include "converter/graph/graph.h"

namespace handpick::converter {

// The graph without the features of those numbers, but for those that it reads all the same, and
// without sequences that have no feature then. What is left out is said in FeatureSet::left_out,
// and no number of the graph refers to it.
Graph LeaveOutFeatures(const Graph& graph, const std::vector<size_t>& unused);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_LEAVE_OUT_FEATURES_H_
