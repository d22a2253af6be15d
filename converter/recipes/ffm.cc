#include "converter/recipes/ffm.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildFfm(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_RETURN_IF_ERROR(model.AddWide());
  HP_ASSIGN_OR_RETURN(const DeepValues deep, model.Embeddings());
  HP_ASSIGN_OR_RETURN(const uint32_t width, model.WidthOfFields(deep));
  const size_t fields = deep.fields.size();
  if (width % fields != 0) {
    return model.tensors()->Fail(absl::InvalidArgumentError(
        absl::StrCat("weights: the embeddings of deep.features have rows of ", width,
                     " numbers, expected a multiple of ", fields,
                     ": a vector for each of the features with ids")));
  }
  Graph& graph = *model.graph();
  if (fields == 1) {
    model.AddNotice("deep.features has one feature with ids: there is no pair");
    model.AddToLogit(graph.Append("deep.pairs", ConstantOp({0}), {}, 1));
  } else {
    model.AddToLogit(graph.Append("deep.pairs", kFieldAwarePairs, deep.fields, 1));
  }
  model.NoticeNumbers(deep);
  return model.Finish("wide.features and deep.features");
}

}  // namespace handpick::converter
