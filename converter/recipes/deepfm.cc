#include "converter/recipes/deepfm.h"

#include "converter/io/status_macros.h"
#include "converter/recipes/fm.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildDeepFm(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_ASSIGN_OR_RETURN(const DeepValues deep, BeginFm(&model));
  if (!spec.deep.hidden_units.empty()) {
    HP_RETURN_IF_ERROR(model.AddNetwork(deep.all, "the widths of deep.features"));
  } else {
    model.NoticeNumbers(deep);
  }
  return model.Finish("wide.features, deep.features and deep.hidden_units");
}

}  // namespace handpick::converter
