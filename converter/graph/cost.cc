#include "converter/graph/cost.h"

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

uint64_t WorkOf(const DenseData& weights) {
  return static_cast<uint64_t>(weights.input_width) * weights.output_width;
}

Work WorkOf(const Graph& graph, const Node& node) {
  Work work;
  if (const auto* dense = std::get_if<DenseOp>(&node.op)) {
    work.multiply_accumulates = WorkOf(*graph.dense[dense->weights]);
  } else if (const auto* embedding = std::get_if<EmbeddingOp>(&node.op)) {
    work.rows_gathered = MostRows(*graph.features, embedding->lookup.feature);
  } else if (const auto* sum = std::get_if<EmbeddingSumOp>(&node.op)) {
    for (const Lookup& lookup : sum->lookups) {
      work.rows_gathered += MostRows(*graph.features, lookup.feature);
    }
  } else if (std::holds_alternative<WeightedPoolOp>(node.op)) {
    work.multiply_accumulates = graph.WidthOf(node.output);
  } else if (const auto* recurrence = std::get_if<RecurrenceOp>(&node.op)) {
    work.multiply_accumulates = WorkOf(*graph.dense[recurrence->weights]);
  } else if (const auto* attention = std::get_if<AttentionRecurrenceOp>(&node.op)) {
    work.multiply_accumulates = WorkOf(*graph.dense[attention->weights]);
  }
  return work;
}

// How often a node's work is done.
Domain WorkDomain(const Node& node, const std::vector<Domain>& domains) {
  const bool runs_over_events = std::holds_alternative<WeightedPoolOp>(node.op) ||
                                std::holds_alternative<AttentionRecurrenceOp>(node.op);
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
