// Splits linear operators by the domains of what they read, so that each part is computed as often
// as its own operands change and no more often.
#ifndef HANDPICK_CONVERTER_PASSES_SPLIT_BY_DOMAIN_H_
#define HANDPICK_CONVERTER_PASSES_SPLIT_BY_DOMAIN_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

//   W [x_u; x_c] + b              =  (W_u x_u + b) + W_c x_c
//   [A B C D] [q; k; q - k; q k]  =  (A + C) q + (B - C) k + D (q k)
//
// A dense layer over a concatenation becomes the sum of one dense layer per domain among the
// concatenation's parts; the bias goes with the smallest domain. A part that is a difference is its
// operands, the second with the negative columns, where that adds no multiplication; parts that
// are the same value are one, with the sum of their columns. So the first layer of DIN's activation
// unit (the second line) multiplies a quarter of what is written down per candidate and event. A
// sum of embeddings becomes a sum of one per domain likewise.
//
// A forest becomes the sum of one forest per domain: trees that test the context alone are walked
// once a request. A part's input is what its own trees test.
//
// (Folding the layer into one matrix per event, (A + C) + D diag(k), multiplies as much per
// candidate and event. It would save (A + C) q, once per candidate, for a matrix of memory per
// event.)
//
// Constants in a layer's input become a part of its bias.
//
// Promises that every dense layer and every sum of embeddings reads operands of one domain alone
// (a dense layer: as far as they come from a concatenation), so that no multiplication of context
// columns is left in the candidate domain; and that every forest has trees of its own domain alone,
// and reads no part of a concatenation that none of them tests. The graph's value does not change.
Graph SplitByDomain(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_SPLIT_BY_DOMAIN_H_
