// Does away with the cross layers of a vector each, of which only dot products are left.
#ifndef HANDPICK_CONVERTER_PASSES_SPLIT_CROSS_H_
#define HANDPICK_CONVERTER_PASSES_SPLIT_CROSS_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// A chain of cross layers x_{l+1} = x_0 (x_l . w_l) + b_l + x_l never leaves the line through x_0:
//
//   x_l = a_l x_0 + B_l,   a_0 = 1,   a_{l+1} = a_l (1 + x_0 . w_l) + B_l . w_l,
//   B_l = b_0 + ... + b_{l-1}
//
// What a dense layer H makes of the chain's end is then a_L (H x_0) + H B_L: one layer over x_0, of
// the w_l and of H, and a number for each cross layer. Its columns split by domain as any other's,
// so that per candidate nothing is left but the candidate's own columns.
//
// Promises that no dense layer reads the end of such a chain. The graph's value does not change.
Graph SplitCross(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_SPLIT_CROSS_H_
