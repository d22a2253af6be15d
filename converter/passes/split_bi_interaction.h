// Makes bi-interaction linear in the number of vectors, and so something that can be split by
// domain.
#ifndef HANDPICK_CONVERTER_PASSES_SPLIT_BI_INTERACTION_H_
#define HANDPICK_CONVERTER_PASSES_SPLIT_BI_INTERACTION_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

//   sum over i < j of vi vj  =  ((sum of vi)^2 - sum of vi^2) / 2
//
// Promises that no bi-interaction of vectors is left: there are two sums, which SplitByDomain and
// MergeSums compute once for the context's vectors, so that a candidate adds its own alone. Vectors
// that are embeddings and that nothing else reads are added as they are looked up. The graph's
// value does not change.
Graph SplitBiInteraction(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_SPLIT_BI_INTERACTION_H_
