#include "converter/recipes/shared_bottom.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildSharedBottom(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_ASSIGN_OR_RETURN(const DeepValues deep, model.Embeddings());
  HP_ASSIGN_OR_RETURN(const ValueId shared, model.Tower(deep.all, "the widths of deep.features"));
  const std::vector<OutputSpec> outputs = model.OutputsOfSpec();
  for (size_t t = 0; t < outputs.size(); ++t) {
    HP_ASSIGN_OR_RETURN(
        const ValueId logit,
        model.TaskLogit({absl::StrCat(t), t, outputs[t].name}, spec.tasks.hidden_units,
                        "tasks.hidden_units", shared, "the last of deep.hidden_units"));
    model.AddOutput({outputs[t].name, logit, outputs[t].task});
  }
  return model.Finish("model.outputs, deep.features, deep.hidden_units and tasks");
}

}  // namespace handpick::converter
