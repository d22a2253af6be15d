#include "converter/recipes/residual.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

constexpr char kWidths[] = "the widths of deep.features";

// units([deep features])
absl::StatusOr<ValueId> AddUnits(ModelBuilder* model) {
  HP_ASSIGN_OR_RETURN(DeepValues deep, model->Embeddings());
  HP_ASSIGN_OR_RETURN(ValueId x, model->Concat("deep.input", std::move(deep.all), "deep.features"));
  const DeepSpec& spec = model->spec().deep;
  Graph& graph = *model->graph();
  const uint32_t width = graph.WidthOf(x);
  // The layers of all units: 2 u and 2 u + 1 are those of unit u.
  LayerChain chain;
  chain.part = "deep";
  chain.input_field = kWidths;
  chain.activation = spec.activation;
  chain.activations = {"linear", "relu", "sigmoid", "tanh", "prelu"};
  chain.batch_normalization = spec.batch_normalization;
  chain.batch_normalization_epsilon = spec.batch_normalization_epsilon;
  chain.tensors = &TensorLayout::ResidualLayer;
  for (size_t unit = 0; unit < spec.hidden_units.size(); ++unit) {
    chain.hidden_units.insert(chain.hidden_units.end(), {spec.hidden_units[unit], int64_t{width}});
    chain.unit_fields.insert(chain.unit_fields.end(),
                             {absl::StrCat("deep.hidden_units[", unit, "]"), kWidths});
  }
  const TensorLayout& layout = model->layout();
  TensorReader* const tensors = model->tensors();
  for (size_t unit = 0; unit < spec.hidden_units.size(); ++unit) {
    const size_t inner = 2 * unit;
    HP_ASSIGN_OR_RETURN(ValueId y, AddLinear(chain, layout, inner, x, tensors, &graph));
    HP_ASSIGN_OR_RETURN(y, AddActivation(chain, layout, inner, y, tensors, &graph));
    HP_ASSIGN_OR_RETURN(y, AddLinear(chain, layout, inner + 1, y, tensors, &graph));
    y = graph.Append(absl::StrCat("deep.units.", unit), AddOp(), {y, x}, width);
    HP_ASSIGN_OR_RETURN(x, AddActivation(chain, layout, inner + 1, y, tensors, &graph));
  }
  return x;
}

absl::StatusOr<Graph> Build(const Spec& spec, const Archive& weights, bool with_wide) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  if (with_wide) {
    HP_RETURN_IF_ERROR(model.AddWide());
  }
  HP_ASSIGN_OR_RETURN(const ValueId units, AddUnits(&model));
  HP_ASSIGN_OR_RETURN(const ValueId logit, model.Head({units}, kWidths));
  model.AddToLogit(logit);
  return model.Finish(with_wide ? "wide.features, deep.features and deep.hidden_units"
                                : "deep.features and deep.hidden_units");
}

}  // namespace

absl::StatusOr<Graph> BuildDeepCrossing(const Spec& spec, const Archive& weights) {
  return Build(spec, weights, /*with_wide=*/false);
}

absl::StatusOr<Graph> BuildWideResnet(const Spec& spec, const Archive& weights) {
  return Build(spec, weights, /*with_wide=*/true);
}

}  // namespace handpick::converter
