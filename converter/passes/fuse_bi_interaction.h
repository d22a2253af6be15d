// Finds bi-interactions of embeddings, which the runtime computes while it reads each row once.
#ifndef HANDPICK_CONVERTER_PASSES_FUSE_BI_INTERACTION_H_
#define HANDPICK_CONVERTER_PASSES_FUSE_BI_INTERACTION_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

//   bi-interaction( sum of embeddings + a, sum of their squares + b )
//
// per candidate, over the same lookups in the same order, as SplitBiInteraction, SplitByDomain,
// MergeSums and Fuse leave NFM's bi-interaction pooling, becomes one node: no row is looked up
// twice. a and b are values of the context, or neither is there. Sums that something else reads
// too, and sums beside other values of the candidate, stay as they are. The graph's value does not
// change.
Graph FuseBiInteraction(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_FUSE_BI_INTERACTION_H_
