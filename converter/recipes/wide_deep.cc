#include "converter/recipes/wide_deep.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

// deep = head(layers([inputs]))
absl::Status AddDeep(ModelBuilder* model) {
  const Spec& spec = model->spec();
  const size_t layers = spec.deep.hidden_units.size();
  if (layers == 0 && spec.traits().ignores_deep_without_layers) {
    for (const FeatureUse& use : spec.deep.features) {
      model->tensors()->Ignore(model->layout().DeepTable(spec.features[use.feature].table));
    }
    return absl::OkStatus();
  }
  if (spec.deep.features.empty() && layers == 0) return absl::OkStatus();
  if (spec.deep.features.empty() || layers == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "spec: deep.features has ", spec.deep.features.size(),
        " entries and deep.hidden_units has ", layers, ", expected both or none to have any"));
  }
  HP_ASSIGN_OR_RETURN(DeepValues deep, model->Embeddings());
  return model->AddNetwork(std::move(deep.all), "the widths of deep.features");
}

}  // namespace

absl::StatusOr<Graph> BuildWideDeep(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_RETURN_IF_ERROR(model.AddWide());
  HP_RETURN_IF_ERROR(AddDeep(&model));
  return model.Finish("wide.features, deep.features and deep.hidden_units");
}

}  // namespace handpick::converter
