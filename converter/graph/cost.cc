#include "converter/graph/cost.h"

#include <cstdint>
#include <vector>

#include "converter/graph/infer_domains.h"

namespace handpick::converter {
namespace {

uint64_t MostRows(const FeatureSet& features, uint32_t feature) {
  const schema::FeatureT& description = *features.features[feature];
  if (description.type != schema::FeatureType::Crossed) return description.max_values;
  uint64_t rows = 1;
  for (uint32_t operand : description.cross_of) rows *= features.features[operand]->max_values;
  return rows;
}

Work WorkOf(const Graph& graph, const Node& node) {
  const schema::OperatorRow& row = *FindGraphOperator(node.op.kind);
  Work work;
  for (const Lookup& lookup : node.op.lookups) {
    work.rows_gathered += MostRows(*graph.features, lookup.feature);
  }
  for (size_t i = 0; i < node.op.weights.size(); ++i) {
    // The matrix of an event is made for all candidates of a tile: one product is left.
    if (row.folds_second && i == 1) continue;
    const DenseData& dense = *graph.dense[node.op.weights[i]];
    work.multiply_accumulates += uint64_t{dense.input_width} * dense.output_width;
  }
  if (row.event_work == schema::EventWork::kElementsAndProduct) {
    work.multiply_accumulates += graph.WidthOf(node.output);
  }
  if (row.multiplies_last_operand) {
    work.multiply_accumulates += graph.WidthOf(node.inputs.back());
  }
  return work;
}

// How often a node's work is done. What is counted here of an operator that reduces the events is
// done for each of them.
Domain WorkDomain(const Node& node, const std::vector<Domain>& domains) {
  const schema::EventWork work = FindGraphOperator(node.op.kind)->event_work;
  const bool runs_over_events =
      work == schema::EventWork::kElementsAndProduct || work == schema::EventWork::kAll;
  return runs_over_events ? Domain::Pair() : domains[node.output];
}

}  // namespace

Cost CountWork(const Graph& graph) {
  const std::vector<Domain> domains = InferDomains(graph);
  Work by_domain[kDomainCount];
  for (const Node& node : graph.nodes) {
    const Work work = WorkOf(graph, node);
    Work& sum = by_domain[WorkDomain(node, domains).index()];
    sum.multiply_accumulates += work.multiply_accumulates;
    sum.rows_gathered += work.rows_gathered;
  }
  return {by_domain[Domain::Context().index()], by_domain[Domain::History().index()],
          by_domain[Domain::Candidate().index()], by_domain[Domain::Pair().index()]};
}

}  // namespace handpick::converter
