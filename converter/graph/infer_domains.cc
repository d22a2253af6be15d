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
  Domain domain = node.op.domain;
  for (ValueId input : node.inputs) domain = domain.Union(domains[input]);
  for (const Lookup& lookup : node.op.lookups) {
    domain = domain.Union(FeatureDomain(*graph.features, lookup.feature));
  }
  const schema::OperatorRow* row = FindGraphOperator(node.op.kind);
  if (row == nullptr) return domain;
  if (row->features == schema::FeatureRule::kNumbers) {
    for (const uint32_t feature : node.op.features) {
      domain = domain.Union(FeatureDomain(*graph.features, feature));
    }
  }
  return row->reduces_events ? domain.WithoutEvent() : domain;
}

std::vector<Domain> InferDomains(const Graph& graph) {
  std::vector<Domain> domains(graph.values.size());
  for (const Node& node : graph.nodes) {
    domains[node.output] = InferDomain(graph, node, domains);
  }
  return domains;
}

}  // namespace handpick::converter
