#include "converter/reference/interpreter.h"

#include <cstddef>
#include <cstdint>

#include "converter/graph/infer_domains.h"
#include "converter/reference/candidate_evaluation.h"

namespace handpick::converter {

absl::StatusOr<std::vector<double>> EvaluateReference(const Graph& graph, const Request& request) {
  const absl::StatusOr<ResolvedRequest> resolved = ResolveRequest(request, *graph.features);
  if (!resolved.ok()) return resolved.status();
  return EvaluateReference(graph, *resolved);
}

std::vector<double> EvaluateReference(const Graph& graph, const ResolvedRequest& request) {
  return EvaluateOutputs(graph, request)[0];
}

LogitsOfOutputs EvaluateOutputs(const Graph& graph, const ResolvedRequest& request) {
  const std::vector<Domain> domains = InferDomains(graph);
  const std::vector<uint32_t> sequences = InferSequences(graph);
  LogitsOfOutputs logits(graph.OutputValues().size());
  for (size_t candidate = 0; candidate < request.candidate_count; ++candidate) {
    const std::vector<double> own =
        reference::CandidateEvaluation(graph, domains, sequences, request, candidate).Logits();
    for (size_t output = 0; output < own.size(); ++output) logits[output].push_back(own[output]);
  }
  return logits;
}

RowsOfValues EvaluateValues(const Graph& graph, const ResolvedRequest& request, size_t candidate) {
  const std::vector<Domain> domains = InferDomains(graph);
  const std::vector<uint32_t> sequences = InferSequences(graph);
  return reference::CandidateEvaluation(graph, domains, sequences, request, candidate).Values();
}

std::vector<std::vector<double>> EvaluateValue(const Graph& graph, ValueId value,
                                               const ResolvedRequest& request) {
  const std::vector<Domain> domains = InferDomains(graph);
  const std::vector<uint32_t> sequences = InferSequences(graph);
  std::vector<std::vector<double>> rows;
  for (size_t candidate = 0; candidate < request.candidate_count; ++candidate) {
    rows.push_back(
        reference::CandidateEvaluation(graph, domains, sequences, request, candidate).RowOf(value));
  }
  return rows;
}

}  // namespace handpick::converter
