#include "converter/passes/leave_out_features.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace handpick::converter {
namespace {

// Numbers of the things that are kept, in their order.
std::vector<uint32_t> NewNumbers(const std::vector<bool>& kept) {
  std::vector<uint32_t> numbers(kept.size());
  uint32_t next = 0;
  for (size_t i = 0; i < kept.size(); ++i) numbers[i] = kept[i] ? next++ : 0;
  return numbers;
}

// All but `unused`, and what the graph or a feature that is kept refers to.
std::vector<bool> KeptFeatures(const Graph& graph, const std::vector<size_t>& unused) {
  const auto& features = graph.features->features;
  std::vector<bool> kept(features.size(), true);
  for (const size_t feature : unused) kept[feature] = false;
  for (const Node& node : graph.nodes) {
    for (const Lookup& lookup : node.op.lookups) kept[lookup.feature] = true;
    for (const uint32_t feature : node.op.features) kept[feature] = true;
  }
  for (size_t f = 0; f < features.size(); ++f) {
    for (const uint32_t operand : features[f]->cross_of) kept[operand] = kept[operand] || kept[f];
  }
  for (size_t f = 0; f < features.size(); ++f) {
    if (kept[f] && features[f]->length_feature >= 0) {
      kept[static_cast<size_t>(features[f]->length_feature)] = true;
    }
  }
  return kept;
}

}  // namespace

Graph LeaveOutFeatures(const Graph& graph, const std::vector<size_t>& unused) {
  const FeatureSet& all = *graph.features;
  const std::vector<bool> kept = KeptFeatures(graph, unused);
  std::vector<bool> kept_vocabularies(all.vocabularies.size());
  std::vector<bool> kept_sequences(graph.sequences.size());
  for (size_t f = 0; f < kept.size(); ++f) {
    const schema::FeatureT& feature = *all.features[f];
    if (!kept[f]) continue;
    if (TakesIds(feature)) kept_vocabularies[feature.vocabulary] = true;
    if (feature.side == schema::Side::History) kept_sequences[feature.sequence] = true;
  }
  for (const Node& node : graph.nodes) {
    if (node.op.domain.has_event()) kept_sequences[node.op.sequence] = true;
  }
  const std::vector<uint32_t> numbers = NewNumbers(kept);
  const std::vector<uint32_t> vocabularies = NewNumbers(kept_vocabularies);
  const std::vector<uint32_t> sequences = NewNumbers(kept_sequences);

  auto set = std::make_shared<FeatureSet>();
  set->left_out = all.left_out;
  for (size_t v = 0; v < all.vocabularies.size(); ++v) {
    if (!kept_vocabularies[v]) continue;
    set->vocabularies.push_back(std::make_unique<schema::VocabularyT>(*all.vocabularies[v]));
  }
  for (size_t f = 0; f < kept.size(); ++f) {
    const schema::FeatureT& feature = *all.features[f];
    if (!kept[f]) {
      // A request has no crossed ones.
      if (feature.type != schema::FeatureType::Crossed) {
        set->left_out.emplace(feature.side, feature.name);
      }
      continue;
    }
    auto copy = std::make_unique<schema::FeatureT>(feature);
    if (TakesIds(feature)) copy->vocabulary = vocabularies[feature.vocabulary];
    if (feature.side == schema::Side::History) copy->sequence = sequences[feature.sequence];
    if (feature.length_feature >= 0) {
      copy->length_feature =
          static_cast<int32_t>(numbers[static_cast<size_t>(feature.length_feature)]);
    }
    for (uint32_t& operand : copy->cross_of) operand = numbers[operand];
    set->features.push_back(std::move(copy));
  }

  Graph result = graph;
  result.features = std::move(set);
  result.sequences.clear();
  for (size_t s = 0; s < graph.sequences.size(); ++s) {
    if (kept_sequences[s]) result.sequences.push_back(graph.sequences[s]);
  }
  for (Node& node : result.nodes) {
    for (Lookup& lookup : node.op.lookups) lookup.feature = numbers[lookup.feature];
    for (uint32_t& feature : node.op.features) feature = numbers[feature];
    if (node.op.domain.has_event()) node.op.sequence = sequences[node.op.sequence];
  }
  return result;
}

}  // namespace handpick::converter
