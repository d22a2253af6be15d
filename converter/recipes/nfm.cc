#include "converter/recipes/nfm.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

absl::Status AddDeep(ModelBuilder* model) {
  const Spec& spec = model->spec();
  Graph& graph = *model->graph();
  std::vector<ValueId> fields, numbers;
  std::vector<std::string> widths;
  bool one_width = true;
  for (const FeatureUse& use : spec.deep.features) {
    HP_ASSIGN_OR_RETURN(const ValueId value, model->AddDeepFeature(use));
    if (model->deep()->IsNumeric(use)) {
      numbers.push_back(value);
      continue;
    }
    fields.push_back(value);
    one_width &= graph.WidthOf(value) == graph.WidthOf(fields[0]);
    widths.push_back(
        absl::StrCat("'", spec.features[use.feature].name, "' ", graph.WidthOf(value)));
  }
  if (fields.empty()) {
    return absl::InvalidArgumentError(
        "spec: deep.features has no feature with ids: nothing is there to interact");
  }
  if (!one_width) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: the embeddings of deep.features interact, so that all of them must "
                     "be of one width; they are: ",
                     absl::StrJoin(widths, ", ")));
  }
  const uint32_t width = graph.WidthOf(fields[0]);
  std::vector<ValueId> parts = {
      graph.Append("deep.interaction", BiInteractionOp{}, std::move(fields), width)};
  parts.insert(parts.end(), numbers.begin(), numbers.end());
  return model->AddNetwork(std::move(parts), "the one width of deep.features and their numbers");
}

}  // namespace

absl::StatusOr<Graph> BuildNfm(const Spec& spec, const Weights& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_RETURN_IF_ERROR(model.AddWide());
  HP_RETURN_IF_ERROR(AddDeep(&model));
  return model.Finish("wide.features, deep.features and deep.hidden_units");
}

}  // namespace handpick::converter
