// Pairs of fields, by what they vary along.
#ifndef HANDPICK_CONVERTER_PASSES_SPLIT_PAIRS_H_
#define HANDPICK_CONVERTER_PASSES_SPLIT_PAIRS_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// Takes the place of operators on all pairs of fields, so that pairs of the context are computed
// once a request:
//
//   kPairProducts      an inner product for each pair; what a pair is multiplied with goes with the
//                      context's vector, if there is one.
//   kSquareOfSum       each product s_a s_b with a <= b once, where a layer reads it: the layer's
//                      columns of (a, b) and (b, a) are added.
//   kFieldAwarePairs   one inner product for the context's pairs; one for each candidate field with
//                      all of the context, and one with the candidate's fields behind it. Tables
//                      are arranged for that: each row has what is meant for fields of the context
//                      first, and nothing that nobody reads.
//   kAttentionalPairs  the context's pairs become one entry of the candidates' softmax: their
//                      weighted mean, with the logarithm of the sum of their exponentials.
Graph SplitPairs(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_SPLIT_PAIRS_H_
