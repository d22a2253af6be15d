#include "converter/graph/infer_domains.h"

#include "schema/bundle_generated.h"

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

uint32_t SequenceOf(const Graph& graph, const Node& node, const std::vector<uint32_t>& sequences) {
  if (node.op.domain.has_event()) return node.op.sequence;
  for (const ValueId input : node.inputs) {
    if (sequences[input] != kNoSequence) return sequences[input];
  }
  const auto of_feature = [&](uint32_t feature) {
    const schema::FeatureT& description = *graph.features->features[feature];
    return description.side == schema::Side::History ? description.sequence : kNoSequence;
  };
  for (const Lookup& lookup : node.op.lookups) {
    if (of_feature(lookup.feature) != kNoSequence) return of_feature(lookup.feature);
  }
  for (const uint32_t feature : node.op.features) {
    if (of_feature(feature) != kNoSequence) return of_feature(feature);
  }
  return kNoSequence;
}

std::vector<uint32_t> InferSequences(const Graph& graph) {
  std::vector<uint32_t> sequences(graph.values.size(), kNoSequence);
  for (const Node& node : graph.nodes) {
    const schema::OperatorRow* row = FindGraphOperator(node.op.kind);
    if (row != nullptr && row->reduces_events) continue;
    sequences[node.output] = SequenceOf(graph, node, sequences);
  }
  return sequences;
}

std::vector<Domain> InferDomains(const Graph& graph) {
  std::vector<Domain> domains(graph.values.size());
  for (const Node& node : graph.nodes) {
    domains[node.output] = InferDomain(graph, node, domains);
  }
  return domains;
}

}  // namespace handpick::converter
