#include "converter/recipes/mlr.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

// One linear model for each piece. `part`: region or base.
absl::StatusOr<ValueId> AddPieces(const std::string& part, const std::string& field,
                                  const std::vector<FeatureUse>& features, ModelBuilder* model) {
  const TensorLayout& layout = model->layout();
  return model->SumOfLinear(
      {absl::StrCat("piecewise.", part), field, features, model->spec().piecewise.count,
       [&](const std::string& table) { return layout.PieceTables(part, table); },
       layout.PieceNumbers(part), layout.PieceBias(part)});
}

// sigmoid(v x) over the bias features.
absl::StatusOr<ValueId> AddFactor(ModelBuilder* model) {
  const TensorLayout& layout = model->layout();
  HP_ASSIGN_OR_RETURN(
      const ValueId logit,
      model->SumOfLinear({"piecewise.factor",
                          "piecewise.bias_features",
                          model->spec().piecewise.bias_features,
                          1,
                          [&](const std::string& table) {
                            return std::vector<std::string>{layout.FactorTable(table)};
                          },
                          {layout.FactorNumbers()},
                          layout.FactorBias()}));
  return model->graph()->Append("piecewise.factor.sigmoid",
                                ActivationOp({schema::ActivationKind::Sigmoid}), {logit}, 1);
}

void LeaveOutUnread(ModelBuilder* model) {
  const LayoutTraits& traits = model->layout().traits();
  size_t left_out = 0;
  for (const std::string& name : model->tensors()->Untaken()) {
    for (const char* beginning : traits.unread) {
      if (!absl::StartsWith(name, beginning)) continue;
      model->tensors()->Ignore(name);
      ++left_out;
    }
  }
  if (left_out > 0) {
    model->AddNotice(absl::StrCat(left_out, " tensors were left out that ", traits.library,
                                  "'s forward pass of this model does not read: its pieces are "
                                  "linear by the weights of the regions"));
  }
}

}  // namespace

absl::StatusOr<Graph> BuildMlr(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  const PiecewiseSpec& piecewise = spec.piecewise;
  HP_ASSIGN_OR_RETURN(const ValueId region,
                      AddPieces("region", "piecewise.features", piecewise.features, &model));
  ValueId base = region;
  if (!model.layout().traits().pieces_are_regions) {
    const std::vector<FeatureUse>& features =
        piecewise.base_features.empty() ? piecewise.features : piecewise.base_features;
    HP_ASSIGN_OR_RETURN(base, AddPieces("base", "piecewise.base_features", features, &model));
  }
  Graph& graph = *model.graph();
  const uint32_t width = graph.WidthOf(region);
  const ValueId weight =
      graph.Append("piecewise.softmax", OperatorKind::RowSoftmax, {region}, width);
  const OutputSpec output = model.OutputsOfSpec()[0];
  const bool is_binary = output.task == schema::Task::Binary;
  if (is_binary) {
    base = graph.Append("piecewise.sigmoid", ActivationOp({schema::ActivationKind::Sigmoid}),
                        {base}, width);
  }
  ValueId value = graph.Append("piecewise.mixture", OperatorKind::WeightedSum, {weight, base}, 1);
  if (!piecewise.bias_features.empty()) {
    HP_ASSIGN_OR_RETURN(const ValueId factor, AddFactor(&model));
    value = graph.Append("piecewise.product", OperatorKind::Multiply, {value, factor}, 1);
  }
  LeaveOutUnread(&model);
  model.AddOutput(
      {output.name, value, is_binary ? schema::Task::Probability : schema::Task::Regression});
  return model.Finish("piecewise");
}

}  // namespace handpick::converter
