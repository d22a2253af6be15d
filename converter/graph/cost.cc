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

uint64_t MostRows(const FeatureSet& features, const std::vector<Lookup>& lookups) {
  uint64_t rows = 0;
  for (const Lookup& lookup : lookups) rows += MostRows(features, lookup.feature);
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
    work.rows_gathered = MostRows(*graph.features, sum->lookups);
  } else if (const auto* interaction = std::get_if<EmbeddingBiInteractionOp>(&node.op)) {
    work.rows_gathered = MostRows(*graph.features, interaction->lookups);
  } else if (std::holds_alternative<WeightedPoolOp>(node.op)) {
    work.multiply_accumulates = graph.WidthOf(node.output);
  } else if (const auto* recurrence = std::get_if<RecurrenceOp>(&node.op)) {
    work.multiply_accumulates = WorkOf(*graph.dense[recurrence->weights]);
  } else if (const auto* unit = std::get_if<AttentionUnitOp>(&node.op)) {
    // The event's matrix is made for all candidates of a tile.
    work.multiply_accumulates = WorkOf(*graph.dense[unit->query_weights]);
    for (const AttentionLayerSpec& layer : unit->layers) {
      work.multiply_accumulates += WorkOf(*graph.dense[layer.weights]);
    }
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
