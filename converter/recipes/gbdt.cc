#include "converter/recipes/gbdt.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"
#include "converter/trees/forest.h"

namespace handpick::converter {
namespace {

// The spec's name of each column of the trees.
std::vector<std::string> ColumnNames(const Spec& spec) {
  std::vector<std::string> names;
  for (const size_t f : spec.trees.features) {
    const FeatureSpec& feature = spec.features[f];
    for (int64_t c = 0; c < feature.dimension; ++c) {
      names.push_back(feature.dimension == 1 ? feature.name
                                             : absl::StrCat(feature.name, "[", c, "]"));
    }
  }
  return names;
}

// That the trees are there, over as many columns as the features have; and that no column has the
// name of a feature that stands elsewhere, which would be numbers in the wrong order.
absl::Status CheckColumns(const Spec& spec) {
  if (spec.trees.model == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "trees: models of kind '", spec.kind,
        "' need the model file of XGBoost (JSON) or LightGBM (text) that has them (--trees)"));
  }
  const TreeModel& model = *spec.trees.model;
  const std::vector<std::string> names = ColumnNames(spec);
  if (names.size() != model.column_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("trees: ", model.library, "'s model has ", model.column_count,
                     " columns, and the spec's trees.features have ", names.size()));
  }
  for (size_t c = 0; c < model.column_names.size(); ++c) {
    const std::string& name = model.column_names[c];
    if (name == names[c]) continue;
    const auto elsewhere = std::find(names.begin(), names.end(), name);
    if (elsewhere == names.end()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("trees: column ", c, " is '", name, "' in ", model.library, "'s model and '",
                     names[c], "' in the spec, whose trees.features have '", name, "' as column ",
                     elsewhere - names.begin(), "; expected the order of the model"));
  }
  return absl::OkStatus();
}

// To the logit: the sum of the trees, of whose leaves `value` says what they are worth.
absl::Status AddForest(double base,
                       absl::FunctionRef<double(size_t tree, const TreeNode& leaf)> value,
                       ModelBuilder* model) {
  const Spec& spec = model->spec();
  HP_ASSIGN_OR_RETURN(ForestData forest, MakeForest("trees", *spec.trees.model, value));
  forest.base = base;
  FeatureInputs inputs(spec, "trees", model->tensors(), model->graph());
  std::vector<ValueId> numbers;
  for (const size_t f : spec.trees.features) {
    numbers.push_back(inputs.Numbers({f, spec.features[f].combiner}));
  }
  HP_ASSIGN_OR_RETURN(const ValueId input,
                      model->Concat("trees.input", std::move(numbers), "trees.features"));
  const ForestId id = model->graph()->AddForest(std::move(forest));
  model->AddToLogit(model->graph()->Append("trees", ForestOp(id), {input}, 1));
  for (const std::string& notice : spec.trees.model->notices) model->AddNotice(notice);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Graph> BuildGbdt(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(CheckColumns(spec));
  HP_RETURN_IF_ERROR(model.Begin());
  const TreeModel& trees = *spec.trees.model;
  HP_RETURN_IF_ERROR(AddForest(
      trees.base, [](size_t, const TreeNode& leaf) { return leaf.value; }, &model));
  if (trees.is_logit != (spec.task == schema::Task::Binary)) {
    model.AddNotice(absl::StrCat("the trees' objective is '", trees.objective, "', whose sum is ",
                                 trees.is_logit ? "a logit: with task 'regression' it is the score"
                                                : "no logit: with task 'binary' the score is its "
                                                  "sigmoid"));
  }
  return model.Finish("trees.features");
}

absl::StatusOr<Graph> BuildGbdtLr(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(CheckColumns(spec));
  HP_RETURN_IF_ERROR(model.Begin());
  HP_RETURN_IF_ERROR(model.AddWide());
  std::vector<const Tensor*> leaves;
  for (const Tree& tree : spec.trees.model->trees) {
    const int64_t count = tree.leaf_count;
    HP_ASSIGN_OR_RETURN(
        const Tensor* const row,
        model.tensors()->Take(absl::StrCat("trees.", leaves.size(), ".weight"),
                              {{count}, {1, count}}, "the leaves of that tree, by ascending id"));
    leaves.push_back(row);
  }
  double bias = 0;
  if (model.tensors()->Has("trees.bias")) {
    HP_ASSIGN_OR_RETURN(const Tensor* const tensor,
                        model.tensors()->Take("trees.bias", {{1}}, "the bias of the logit"));
    bias = static_cast<double>(tensor->data[0]);
  }
  HP_RETURN_IF_ERROR(AddForest(
      bias,
      [&](size_t tree, const TreeNode& leaf) {
        return static_cast<double>(leaves[tree]->data[leaf.leaf]);
      },
      &model));
  return model.Finish("trees.features and wide.features");
}

}  // namespace handpick::converter
