#include "converter/recipes/esmm.h"

#include <string>
#include <vector>

#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildEsmm(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_ASSIGN_OR_RETURN(const DeepValues deep, model.Embeddings());
  HP_ASSIGN_OR_RETURN(const ValueId input, model.Concat("deep.input", deep.all, "deep.features"));
  for (const TaskNames& task : {TaskNames{"ctr", 0, "ctr"}, TaskNames{"cvr", 1, "cvr"}}) {
    HP_ASSIGN_OR_RETURN(const ValueId logit,
                        model.TaskLogit(task, spec.deep.hidden_units, "deep.hidden_units", input,
                                        "the widths of deep.features"));
    model.AddOutput({task.name, logit, schema::Task::Binary});
  }
  const std::vector<Power> both = {{"ctr"}, {"cvr"}};
  HP_ASSIGN_OR_RETURN(const ValueId logarithm, model.LogOfProduct("ctcvr", both));
  model.AddFirstOutput({"ctcvr", logarithm, schema::Task::LogProbability, both});
  return model.Finish("deep.features and deep.hidden_units");
}

}  // namespace handpick::converter
