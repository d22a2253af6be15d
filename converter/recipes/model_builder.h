// What the recipes share: the frame of a model, its linear part, and its network.
#ifndef HANDPICK_CONVERTER_RECIPES_MODEL_BUILDER_H_
#define HANDPICK_CONVERTER_RECIPES_MODEL_BUILDER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/recipes/feature_inputs.h"
#include "converter/recipes/layout.h"
#include "converter/recipes/tensor_reader.h"
#include "converter/spec/spec.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

// Builds the graph of one model. Use: Begin, then what the model is made of, then Finish; after an
// error of any of them it is not to be used.
class ModelBuilder {
 public:
  // Both must outlive this.
  ModelBuilder(const Spec& spec, const Weights& weights);

  const Spec& spec() const { return spec_; }
  const TensorLayout& layout() const { return layout_; }
  TensorReader* tensors() { return &tensors_; }
  Graph* graph() { return &graph_; }
  // Features as the deep part (and attention) sees them: its tables, each read once.
  FeatureInputs* deep() { return &deep_; }

  // Features and properties of the model, and what can be refused without its weights.
  absl::Status Begin();

  // To the logit: the sum over the wide part's features of their (pooled) weights, and its numbers
  // times theirs. Nothing if the part has no features.
  absl::Status AddWide();

  // A feature of the deep part: numbers, or an embedding.
  absl::StatusOr<ValueId> AddDeepFeature(const FeatureUse& use);

  // The concatenation of `parts`; `field` says in the spec what is too wide.
  absl::StatusOr<ValueId> Concat(const std::string& name, std::vector<ValueId> parts,
                                 const std::string& field);

  // To the logit: head(layers([parts])), the spec's deep part. `input_field` is what says in the
  // spec how wide the parts are together.
  absl::Status AddNetwork(std::vector<ValueId> parts, const std::string& input_field);

  // Something that the user should know and that is no error.
  void AddNotice(std::string notice) { graph_.notices.push_back(std::move(notice)); }

  // Adds the biases, and checks that every tensor has found its use. `fields`: what in the spec
  // describes the whole model.
  absl::StatusOr<Graph> Finish(const std::string& fields);

 private:
  absl::Status AddBiases();
  absl::Status CheckEveryTensorIsUsed(const std::string& fields) const;

  const Spec& spec_;
  const TensorLayout& layout_;
  TensorReader tensors_;
  Graph graph_;
  FeatureInputs deep_;
  std::vector<ValueId> addends_;  // Of the logit.
  bool has_network_ = false;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_MODEL_BUILDER_H_
