#include "converter/recipes/neural_cf.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

// p * q, of a user's and an item's embedding.
absl::StatusOr<ValueId> AddGmf(ModelBuilder* model) {
  const Spec& spec = model->spec();
  if (!spec.gmf.has_value()) {
    return absl::InvalidArgumentError("spec: gmf does not say which features are user and item");
  }
  Graph& graph = *model->graph();
  FeatureInputs inputs(spec, "gmf", model->tensors(), &graph);
  std::vector<ValueId> values;
  for (const FeatureUse* use : {&spec.gmf->user, &spec.gmf->item}) {
    HP_ASSIGN_OR_RETURN(
        const Lookup lookup,
        inputs.LookUp(*use, model->layout().GmfTable(spec.features[use->feature].table), kAnySize));
    values.push_back(inputs.Embed(*use, lookup));
  }
  const uint32_t width = graph.WidthOf(values[0]);
  if (graph.WidthOf(values[1]) != width) {
    return model->tensors()->Fail(absl::InvalidArgumentError(
        absl::StrCat("weights: the embedding of gmf.user is ", width, " wide and that of gmf.item ",
                     graph.WidthOf(values[1]), ", expected one width")));
  }
  if (spec.soft_attention.gmf) {
    HP_ASSIGN_OR_RETURN(const ValueId joined, model->Concat("gmf.input", values, "gmf"));
    HP_ASSIGN_OR_RETURN(const ValueId attended,
                        model->SoftAttention("gmf", model->layout().GmfAttention(), joined));
    values = {graph.Append("gmf.attended.user", SliceOp(0), {attended}, width),
              graph.Append("gmf.attended.item", SliceOp(width), {attended}, width)};
  }
  return graph.Append("gmf", OperatorKind::Multiply, values, width);
}

// layers([deep features])
absl::StatusOr<ValueId> AddTower(ModelBuilder* model) {
  HP_ASSIGN_OR_RETURN(DeepValues deep, model->Embeddings());
  if (model->spec().soft_attention.deep) {
    HP_ASSIGN_OR_RETURN(const ValueId joined,
                        model->Concat("deep.joined", std::move(deep.all), "deep.features"));
    HP_ASSIGN_OR_RETURN(const ValueId attended,
                        model->SoftAttention("deep", model->layout().DeepAttention(), joined));
    deep.all = {attended};
  }
  return model->Tower(std::move(deep.all), "the widths of deep.features");
}

absl::StatusOr<Graph> Build(const Spec& spec, const Archive& weights, bool has_gmf, bool has_tower,
                            const std::string& fields) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  std::vector<ValueId> parts;
  if (has_gmf) {
    HP_ASSIGN_OR_RETURN(const ValueId gmf, AddGmf(&model));
    parts.push_back(gmf);
  }
  if (has_tower) {
    HP_ASSIGN_OR_RETURN(const ValueId tower, AddTower(&model));
    parts.push_back(tower);
  }
  HP_ASSIGN_OR_RETURN(const ValueId logit, model.Head(std::move(parts), fields));
  model.AddToLogit(logit);
  return model.Finish(fields);
}

}  // namespace

absl::StatusOr<Graph> BuildGmf(const Spec& spec, const Archive& weights) {
  return Build(spec, weights, /*has_gmf=*/true, /*has_tower=*/false, "gmf");
}

absl::StatusOr<Graph> BuildNcfMlp(const Spec& spec, const Archive& weights) {
  return Build(spec, weights, /*has_gmf=*/false, /*has_tower=*/true,
               "deep.features and deep.hidden_units");
}

absl::StatusOr<Graph> BuildNeuMf(const Spec& spec, const Archive& weights) {
  return Build(spec, weights, /*has_gmf=*/true, /*has_tower=*/true,
               "gmf, deep.features and deep.hidden_units");
}

absl::StatusOr<Graph> BuildANeuMf(const Spec& spec, const Archive& weights) {
  return Build(spec, weights, /*has_gmf=*/true, /*has_tower=*/true,
               "gmf, deep.features, deep.hidden_units and soft_attention");
}

}  // namespace handpick::converter
