#include "converter/recipes/din.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/attended.h"
#include "converter/recipes/attention.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildDin(const Spec& spec, const Weights& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  Graph& graph = *model.graph();
  std::vector<ValueId> histories;
  for (const AttentionSpec& unit : spec.attention) {
    HP_ASSIGN_OR_RETURN(QueryAndKey attended, AddQueryAndKey(unit, &model));
    HP_ASSIGN_OR_RETURN(const ValueId weight,
                        AddAttention(unit, attended.query, attended.key, &model));
    Operator pool = WeightedPoolOp();
    if (unit.softmax && spec.traits().softmax_over_padding) {
      pool.numbers = std::move(attended.padding_key);
    }
    histories.push_back(graph.Append(absl::StrCat(PartOf(unit), ".history"), std::move(pool),
                                     {weight, attended.key}, graph.WidthOf(attended.key)));
  }
  HP_RETURN_IF_ERROR(AddNetworkOverHistory(histories, &model));
  return model.Finish("deep.features, deep.hidden_units and attention");
}

}  // namespace handpick::converter
