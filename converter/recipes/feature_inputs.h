// What recipes have in common: features as inputs of a graph, and layers read from tensors.
#ifndef HANDPICK_CONVERTER_RECIPES_FEATURE_INPUTS_H_
#define HANDPICK_CONVERTER_RECIPES_FEATURE_INPUTS_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/recipes/layout.h"
#include "converter/recipes/tensor_reader.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// Adds features to a graph as values without events: embedded (or as numbers), pooled over the
// positions of a row, and over the events when they belong to the history.
class FeatureInputs {
 public:
  // Everything must outlive this. `part` ("deep") begins the names of nodes and tables.
  FeatureInputs(const Spec& spec, const TensorLayout& layout, std::string part,
                TensorReader* tensors, Graph* graph)
      : spec_(spec), layout_(layout), part_(std::move(part)), tensors_(*tensors), graph_(*graph) {}

  // Embeds a feature in the table of tensor `tensor`. The table is read once, however many features
  // share it. `dimension`: what the table's must be, or kAnySize.
  absl::StatusOr<Lookup> LookUp(const FeatureUse& use, const std::string& tensor,
                                int64_t dimension);

  // The value of a feature that is looked up as `lookup`.
  ValueId Embed(const FeatureUse& use, const Lookup& lookup);

  // The value of a numeric feature.
  ValueId Numbers(const FeatureUse& use);

  const schema::FeatureT& Feature(const FeatureUse& use) const {
    return *graph_.features->features[use.feature];
  }
  bool IsNumeric(const FeatureUse& use) const {
    return Feature(use).type == schema::FeatureType::Numeric;
  }
  bool IsHistory(const FeatureUse& use) const { return Feature(use).side == schema::Side::History; }

 private:
  ValueId PoolEvents(const FeatureUse& use, ValueId per_event);

  const Spec& spec_;
  const TensorLayout& layout_;
  const std::string part_;
  TensorReader& tensors_;
  Graph& graph_;
  std::map<std::string, TableId> tables_;  // By tensor.
};

// Refuses uses of features that are no input: lengths. `field` names the list in the spec.
absl::Status CheckUses(const FeatureSet& features, const std::vector<FeatureUse>& uses,
                       absl::string_view field);

// Reads the spec's activation of layer `layer`, which is `width` wide, with its slopes.
absl::StatusOr<ActivationSpec> ReadActivation(const Spec& spec, const TensorLayout& layout,
                                              size_t layer, int64_t width, TensorReader* tensors);

// A tensor's numbers in double.
std::vector<double> Doubles(const Tensor& tensor);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_FEATURE_INPUTS_H_
