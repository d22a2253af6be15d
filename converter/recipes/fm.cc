#include "converter/recipes/fm.h"

#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::StatusOr<DeepValues> BeginFm(ModelBuilder* model) {
  HP_RETURN_IF_ERROR(model->Begin());
  HP_RETURN_IF_ERROR(model->AddWide());
  HP_ASSIGN_OR_RETURN(DeepValues deep, model->Embeddings());
  HP_ASSIGN_OR_RETURN(const ValueId pairs, model->BiInteraction("deep.interaction", deep));
  model->AddToLogit(model->SumOfColumns("deep.interaction.sum_of_columns", pairs));
  return deep;
}

absl::StatusOr<Graph> BuildFm(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_ASSIGN_OR_RETURN(const DeepValues deep, BeginFm(&model));
  model.NoticeNumbers(deep);
  return model.Finish("wide.features and deep.features");
}

}  // namespace handpick::converter
