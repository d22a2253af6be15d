// The reference interpreter: the meaning of a graph, in plain loops over doubles.
//
// It is the oracle that every optimised path is compared with, so it is written for reading and
// never tuned: one candidate at a time, everything recomputed for each.
#ifndef HANDPICK_CONVERTER_REFERENCE_INTERPRETER_H_
#define HANDPICK_CONVERTER_REFERENCE_INTERPRETER_H_

#include <vector>

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/request/raw_values.h"
#include "converter/request/resolve.h"

namespace handpick::converter {

// The first output's logits of a request, one per candidate. Features that the request leaves out
// take their defaults; one without a default is an error that names it. Works on a graph as a
// recipe built it, after any pass, and as it was decoded from a bundle.
absl::StatusOr<std::vector<double>> EvaluateReference(const Graph& graph, const Request& request);

// The same for a request that is resolved already.
std::vector<double> EvaluateReference(const Graph& graph, const ResolvedRequest& request);

// By output, in the graph's order, and candidate.
using LogitsOfOutputs = std::vector<std::vector<double>>;

// The same for every output.
LogitsOfOutputs EvaluateOutputs(const Graph& graph, const ResolvedRequest& request);

// A value without events, for each candidate.
std::vector<std::vector<double>> EvaluateValue(const Graph& graph, ValueId value,
                                               const ResolvedRequest& request);

// By value, and by row: one, or one for each event that is computed.
using RowsOfValues = std::vector<std::vector<std::vector<double>>>;

// Every value, for one candidate.
RowsOfValues EvaluateValues(const Graph& graph, const ResolvedRequest& request, size_t candidate);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_REFERENCE_INTERPRETER_H_
