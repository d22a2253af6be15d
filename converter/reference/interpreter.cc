#include "converter/reference/interpreter.h"

#include <cstddef>
#include <cstdint>

#include "converter/graph/infer_domains.h"
#include "converter/reference/candidate_values.h"
#include "converter/reference/operators/loops.h"

namespace handpick::converter {
namespace {

using reference::CandidateValues;

// The axes of a graph's values, found once for all candidates.
struct Axes {
  explicit Axes(const Graph& of)
      : graph(of), domains(InferDomains(of)), sequences(InferSequences(of)) {}

  const Graph& graph;
  const std::vector<Domain> domains;
  const std::vector<uint32_t> sequences;
};

CandidateValues Evaluate(const Axes& axes, const ResolvedRequest& request, size_t candidate) {
  CandidateValues values(axes.graph, axes.domains, axes.sequences, request, candidate);
  for (const Node& node : axes.graph.nodes) reference::Compute(node, &values);
  return values;
}

}  // namespace

absl::StatusOr<std::vector<double>> EvaluateReference(const Graph& graph, const Request& request) {
  const absl::StatusOr<ResolvedRequest> resolved = ResolveRequest(request, *graph.features);
  if (!resolved.ok()) return resolved.status();
  return EvaluateReference(graph, *resolved);
}

std::vector<double> EvaluateReference(const Graph& graph, const ResolvedRequest& request) {
  return EvaluateOutputs(graph, request)[0];
}

LogitsOfOutputs EvaluateOutputs(const Graph& graph, const ResolvedRequest& request) {
  const Axes axes(graph);
  const std::vector<ValueId> outputs = graph.OutputValues();
  LogitsOfOutputs logits(outputs.size());
  for (size_t candidate = 0; candidate < request.candidate_count; ++candidate) {
    const CandidateValues values = Evaluate(axes, request, candidate);
    for (size_t i = 0; i < outputs.size(); ++i) {
      logits[i].push_back(values.Rows(outputs[i])[0][0]);
    }
  }
  return logits;
}

RowsOfValues EvaluateValues(const Graph& graph, const ResolvedRequest& request, size_t candidate) {
  const Axes axes(graph);
  const CandidateValues values = Evaluate(axes, request, candidate);
  RowsOfValues all(graph.values.size());
  for (ValueId value = 0; value < all.size(); ++value) {
    const reference::ValueRows& rows = values.Rows(value);
    for (size_t row = 0; row < rows.count; ++row)
      all[value].push_back(reference::CopyOf(rows[row]));
  }
  return all;
}

std::vector<std::vector<double>> EvaluateValue(const Graph& graph, ValueId value,
                                               const ResolvedRequest& request) {
  const Axes axes(graph);
  std::vector<std::vector<double>> rows;
  for (size_t candidate = 0; candidate < request.candidate_count; ++candidate) {
    rows.push_back(reference::CopyOf(Evaluate(axes, request, candidate).Rows(value)[0]));
  }
  return rows;
}

}  // namespace handpick::converter
