#include "converter/graph/infer_domains.h"

namespace handpick::converter {

Domain FeatureDomain(const FeatureSet& features, size_t feature) {
  const schema::FeatureT& description = *features.features[feature];
  if (description.type != schema::FeatureType::Crossed) return DomainOf(description.side);
  Domain domain;
  for (uint32_t operand : description.cross_of) {
    domain = domain.Union(DomainOf(features.features[operand]->side));
  }
  return domain;
}

Domain InferDomain(const Graph& graph, const Node& node, const std::vector<Domain>& domains) {
  Domain domain;
  for (ValueId input : node.inputs) domain = domain.Union(domains[input]);
  if (const auto* embedding = std::get_if<EmbeddingOp>(&node.op)) {
    domain = FeatureDomain(*graph.features, embedding->lookup.feature);
  } else if (const auto* sum = std::get_if<EmbeddingSumOp>(&node.op)) {
    for (const Lookup& lookup : sum->lookups) {
      domain = domain.Union(FeatureDomain(*graph.features, lookup.feature));
    }
  } else if (const auto* interaction = std::get_if<EmbeddingBiInteractionOp>(&node.op)) {
    for (const Lookup& lookup : interaction->lookups) {
      domain = domain.Union(FeatureDomain(*graph.features, lookup.feature));
    }
  } else if (const auto* numeric = std::get_if<NumericOp>(&node.op)) {
    domain = FeatureDomain(*graph.features, numeric->feature);
  } else if (const auto* copy = std::get_if<CopyOp>(&node.op)) {
    domain = domain.Union(copy->domain);
  } else if (std::holds_alternative<PoolHistoryOp>(node.op) ||
             std::holds_alternative<WeightedPoolOp>(node.op) ||
             std::holds_alternative<AttentionRecurrenceOp>(node.op)) {
    domain = domain.WithoutEvent();
  }
  return domain;
}

std::vector<Domain> InferDomains(const Graph& graph) {
  std::vector<Domain> domains(graph.values.size());
  for (const Node& node : graph.nodes) {
    domains[node.output] = InferDomain(graph, node, domains);
  }
  return domains;
}

}  // namespace handpick::converter
