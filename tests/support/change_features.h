// Graphs of tests with other features.
#ifndef HANDPICK_TESTS_SUPPORT_CHANGE_FEATURES_H_
#define HANDPICK_TESTS_SUPPORT_CHANGE_FEATURES_H_

#include <functional>
#include <memory>
#include <utility>

#include "converter/graph/graph.h"
#include "converter/request/features.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// Gives a graph a copy of its features, which `change` changes.
inline void ChangeFeatures(Graph* graph, const std::function<void(FeatureSet*)>& change) {
  auto features = std::make_shared<FeatureSet>();
  for (const auto& feature : graph->features->features) {
    features->features.push_back(std::make_unique<schema::FeatureT>(*feature));
  }
  for (const auto& vocabulary : graph->features->vocabularies) {
    features->vocabularies.push_back(std::make_unique<schema::VocabularyT>(*vocabulary));
  }
  change(features.get());
  graph->features = std::move(features);
}

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_SUPPORT_CHANGE_FEATURES_H_
