// Folds batch normalization into the dense layer before it.
#ifndef HANDPICK_CONVERTER_PASSES_FOLD_BATCH_NORM_H_
#define HANDPICK_CONVERTER_PASSES_FOLD_BATCH_NORM_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// ((x W^T + b) - mean) / sqrt(variance + epsilon) * scale + offset
//     = x (s W)^T + (s (b - mean) + offset),   s = scale / sqrt(variance + epsilon), row by row.
//
// Promises that no batch normalization is left whose input is a dense layer that nothing else
// reads. The graph's value does not change.
Graph FoldBatchNorm(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_FOLD_BATCH_NORM_H_
