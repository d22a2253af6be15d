#include "converter/recipes/din.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/attended.h"
#include "converter/recipes/attention.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildDin(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  if (spec.traits().zeros_are_no_events) {
    model.AddNotice(absl::StrCat(
        "an event counts whatever its ids: ", spec.traits().library,
        " takes one of which an id of attention.key is 0 for padding; leave such events out of "
        "requests"));
  }
  Graph& graph = *model.graph();
  std::vector<AttendedHistory> histories;
  for (const AttentionSpec& unit : spec.attention) {
    HP_ASSIGN_OR_RETURN(QueryAndKey attended, AddQueryAndKey(unit, &model));
    HP_ASSIGN_OR_RETURN(const ValueId weight,
                        AddAttention(unit, attended.query, attended.key, &model));
    Operator pool = WeightedPoolOp();
    if (unit.softmax && spec.traits().softmax_over_padding) {
      pool.numbers = std::move(attended.padding_key);
    }
    const ValueId history = graph.Append(absl::StrCat(PartOf(unit), ".history"), std::move(pool),
                                         {weight, attended.key}, graph.WidthOf(attended.key));
    histories.push_back({history, unit.key, std::move(attended.key_widths)});
  }
  HP_RETURN_IF_ERROR(AddNetworkOverHistory(histories, &model));
  return model.Finish("deep.features, deep.hidden_units and attention");
}

}  // namespace handpick::converter
