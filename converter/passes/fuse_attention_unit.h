// Finds activation units, which the runtime computes with one matrix per event.
#ifndef HANDPICK_CONVERTER_PASSES_FUSE_ATTENTION_UNIT_H_
#define HANDPICK_CONVERTER_PASSES_FUSE_ATTENTION_UNIT_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

//   activation( D (q k) + (A + C) q + (B - C) k + b ), then dense layers down to one number
//
// per candidate q and event k, as SplitByDomain, MergeSums and Fuse leave DIN's activation unit,
// becomes one node: D and A + C become one matrix per event, (A + C) + D diag(k), so that nothing
// but one product is left for each candidate and event in the first layer, and q k needs no memory.
// Sums of any other form, layers that something else reads too, units of one layer and those of
// more than 17 stay as they are. The graph's value does not change.
Graph FuseAttentionUnit(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_FUSE_ATTENTION_UNIT_H_
