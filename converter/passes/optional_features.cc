#include "converter/passes/optional_features.h"

#include <memory>
#include <utility>

namespace handpick::converter {
namespace {

void SetDefault(schema::FeatureT* feature) {
  if (feature->optional) return;
  switch (feature->type) {
    case schema::FeatureType::Crossed:
      return;  // A request has none.
    case schema::FeatureType::Categorical:
      feature->default_rows = {0};
      break;
    case schema::FeatureType::Numeric:
      feature->default_numbers.assign(feature->dimension, 0.0f);
      break;
    default:
      break;
  }
  feature->optional = true;
}

}  // namespace

Graph MakeOptional(const Graph& graph, const std::vector<size_t>& features) {
  auto set = std::make_shared<FeatureSet>();
  for (const auto& vocabulary : graph.features->vocabularies) {
    set->vocabularies.push_back(std::make_unique<schema::VocabularyT>(*vocabulary));
  }
  for (const auto& feature : graph.features->features) {
    set->features.push_back(std::make_unique<schema::FeatureT>(*feature));
  }
  for (const size_t feature : features) SetDefault(set->features[feature].get());
  Graph result = graph;
  result.features = std::move(set);
  return result;
}

}  // namespace handpick::converter
