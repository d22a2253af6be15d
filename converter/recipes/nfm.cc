#include "converter/recipes/nfm.h"

#include <utility>
#include <vector>

#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

absl::Status AddDeep(ModelBuilder* model) {
  HP_ASSIGN_OR_RETURN(const DeepValues deep, model->Embeddings());
  HP_ASSIGN_OR_RETURN(const ValueId interaction, model->BiInteraction("deep.interaction", deep));
  std::vector<ValueId> parts = {interaction};
  parts.insert(parts.end(), deep.numbers.begin(), deep.numbers.end());
  return model->AddNetwork(std::move(parts), "the one width of deep.features and their numbers");
}

}  // namespace

absl::StatusOr<Graph> BuildNfm(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_RETURN_IF_ERROR(model.AddWide());
  HP_RETURN_IF_ERROR(AddDeep(&model));
  return model.Finish("wide.features, deep.features and deep.hidden_units");
}

}  // namespace handpick::converter
