// Splits linear operators by the domains of what they read, so that each part is computed as often
// as its own operands change and no more often.
#ifndef HANDPICK_CONVERTER_PASSES_SPLIT_BY_DOMAIN_H_
#define HANDPICK_CONVERTER_PASSES_SPLIT_BY_DOMAIN_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

//   W [x_u; x_c] + b  =  (W_u x_u + b) + W_c x_c
//
// A dense layer over a concatenation becomes the sum of one dense layer per domain among the
// concatenation's parts; the bias goes with the smallest domain. A sum of embeddings becomes a sum
// of one per domain likewise.
//
// Promises that every dense layer and every sum of embeddings reads operands of one domain alone
// (a dense layer: as far as they come from a concatenation), so that no multiplication of context
// columns is left in the candidate domain. The graph's value does not change.
Graph SplitByDomain(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_SPLIT_BY_DOMAIN_H_
