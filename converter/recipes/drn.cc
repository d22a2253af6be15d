#include "converter/recipes/drn.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

// V(s)
absl::StatusOr<ValueId> AddValue(ModelBuilder* model) {
  const DeepSpec& value = model->spec().value;
  HP_RETURN_IF_ERROR(CheckUses(*model->graph()->features, value.features, "value.features"));
  std::vector<ValueId> parts;
  for (const FeatureUse& use : value.features) {
    HP_ASSIGN_OR_RETURN(const ValueId part, model->DeepFeature(use));
    parts.push_back(part);
  }
  HP_ASSIGN_OR_RETURN(const ValueId input,
                      model->Concat("value.input", std::move(parts), "value.features"));
  LayerChain chain;
  chain.part = "value";
  chain.input_field = "the widths of value.features";
  chain.hidden_units = value.hidden_units;
  chain.activation = value.activation;
  chain.activations = {"linear", "relu", "sigmoid", "tanh", "prelu"};
  chain.batch_normalization = value.batch_normalization;
  chain.batch_normalization_epsilon = value.batch_normalization_epsilon;
  chain.tensors = &TensorLayout::ValueLayer;
  HP_ASSIGN_OR_RETURN(const ValueId hidden,
                      AddLayers(chain, model->layout(), input, model->tensors(), model->graph()));
  const int64_t width = model->graph()->WidthOf(hidden);
  const HeadTensors names = model->layout().ValueHead();
  HP_ASSIGN_OR_RETURN(
      const Tensor* const weight,
      model->tensors()->Take(names.weight, {{1, width}}, "the last of value.hidden_units"));
  HP_ASSIGN_OR_RETURN(const Tensor* const bias, model->tensors()->Take(names.bias, {{1}}, "value"));
  return AddDense("value.head", *weight, bias, hidden, model->graph());
}

}  // namespace

absl::StatusOr<Graph> BuildDrn(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_ASSIGN_OR_RETURN(const ValueId value, AddValue(&model));
  model.AddToLogit(value);
  HP_ASSIGN_OR_RETURN(DeepValues deep, model.Embeddings());
  HP_RETURN_IF_ERROR(model.AddNetwork(std::move(deep.all), "the widths of deep.features"));
  return model.Finish("value, deep.features and deep.hidden_units");
}

}  // namespace handpick::converter
