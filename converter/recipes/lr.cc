#include "converter/recipes/lr.h"

#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildLr(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_RETURN_IF_ERROR(model.AddWide());
  return model.Finish("wide.features");
}

}  // namespace handpick::converter
