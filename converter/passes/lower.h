// The last rewriting: a graph whose every node is a step of a bundle.
#ifndef HANDPICK_CONVERTER_PASSES_LOWER_H_
#define HANDPICK_CONVERTER_PASSES_LOWER_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"

namespace handpick::converter {

// Promises that
//   * every node but concatenations and slices, which take no step, is an operator of
//     schema/bundle.fbs whose operands lie in domains that it can read;
//   * the bias of a sum that no dense layer could take is that of a layer of unit weights, and a
//     difference that no dense layer could take is a sum with what a layer of -1 makes;
//   * every operand of a concatenation is an operand of that one alone, once, is of its domain and
//     is made by a step or is a concatenation itself, so that whoever makes it can write straight
//     into the concatenation. Other operands go through a Copy.
// The graph's value does not change. Errors: what the bundle's operators cannot do.
absl::StatusOr<Graph> Lower(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_LOWER_H_
