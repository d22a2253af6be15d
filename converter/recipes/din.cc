#include "converter/recipes/din.h"

#include <utility>

#include "converter/io/status_macros.h"
#include "converter/recipes/attended.h"
#include "converter/recipes/attention.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildDin(const Spec& spec, const Weights& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_ASSIGN_OR_RETURN(QueryAndKey attended, AddQueryAndKey(&model));
  HP_ASSIGN_OR_RETURN(const ValueId weight, AddAttention(attended.query, attended.key, &model));
  Operator pool = WeightedPoolOp();
  if (spec.attention.softmax && spec.traits().softmax_over_padding) {
    pool.numbers = std::move(attended.padding_key);
  }
  Graph& graph = *model.graph();
  const ValueId history = graph.Append("attention.history", std::move(pool), {weight, attended.key},
                                       graph.WidthOf(attended.key));
  HP_RETURN_IF_ERROR(AddNetworkOverHistory(history, &model));
  return model.Finish("deep.features, deep.hidden_units and attention");
}

}  // namespace handpick::converter
