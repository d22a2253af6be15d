#include "converter/recipes/autorec.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/model_builder.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

schema::ActivationKind KindOf(const std::string& activation) {
  if (activation == "sigmoid") return schema::ActivationKind::Sigmoid;
  if (activation == "tanh") return schema::ActivationKind::Tanh;
  if (activation == "relu") return schema::ActivationKind::Relu;
  return schema::ActivationKind::Linear;
}

// q, of the context.
absl::StatusOr<ValueId> AddHidden(const AutorecSpec& autorec, const AutorecTensors& names,
                                  ModelBuilder* model) {
  Graph& graph = *model->graph();
  FeatureInputs inputs(model->spec(), "autorec", model->tensors(), &graph);
  const FeatureUse item = {autorec.item, schema::Combiner::Sum};
  HP_ASSIGN_OR_RETURN(const Lookup lookup, inputs.LookUp(item, names.table, kAnySize));
  const ValueId row = inputs.EmbedRows(item, lookup);
  const uint32_t width = graph.WidthOf(row);
  const ValueId rating =
      graph.Append("autorec.rating", NumericOp(static_cast<uint32_t>(autorec.rating)), {}, 1);
  const ValueId rated =
      graph.Append("autorec.rated", OperatorKind::WeightedSum, {rating, row}, width);
  Operator pool = OperatorKind::PoolHistory;
  if (inputs.Feature(item).padding_row >= 0) pool.features = {static_cast<uint32_t>(autorec.item)};
  const ValueId sum = graph.Append("autorec.sum", pool, {rated}, width);
  HP_ASSIGN_OR_RETURN(const Tensor* const bias,
                      model->tensors()->Take(names.hidden_bias, {{int64_t{width}}}, "autorec"));
  const ValueId shifted = graph.Append("autorec.shifted", AddOp({}, Doubles(*bias)), {sum}, width);
  return graph.Append("autorec.hidden", ActivationOp({KindOf(autorec.activation)}), {shifted},
                      width);
}

}  // namespace

absl::StatusOr<Graph> BuildAutorec(const Spec& spec, const Archive& weights) {
  if (!spec.autorec.has_value()) {
    return absl::InvalidArgumentError("spec: autorec does not say what events and candidates are");
  }
  const AutorecSpec& autorec = *spec.autorec;
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  const AutorecTensors names = model.layout().Autorec(spec.features[autorec.item].table,
                                                      spec.features[autorec.candidate].table);
  HP_ASSIGN_OR_RETURN(const ValueId hidden, AddHidden(autorec, names, &model));
  Graph& graph = *model.graph();
  const FeatureUse candidate = {autorec.candidate, schema::Combiner::Sum};
  FeatureInputs output(spec, "autorec.output", model.tensors(), &graph);
  HP_ASSIGN_OR_RETURN(const Lookup row,
                      output.LookUp(candidate, names.output, int64_t{graph.WidthOf(hidden)}));
  model.AddToLogit(graph.Append("autorec.product", OperatorKind::InnerProduct,
                                {hidden, output.Embed(candidate, row)}, 1));
  FeatureInputs bias(spec, "autorec.output_bias", model.tensors(), &graph);
  HP_ASSIGN_OR_RETURN(const Lookup number, bias.LookUp(candidate, names.output_bias, 1));
  model.AddToLogit(graph.Append("autorec.bias", EmbeddingSumOp({number}), {}, 1));
  return model.Finish("autorec");
}

}  // namespace handpick::converter
