#include "converter/recipes/fnn.h"

#include <string>
#include <utility>
#include <vector>

#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildFnn(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  FeatureInputs wide(spec, "wide", model.tensors(), model.graph());
  std::vector<ValueId> parts;
  const std::string bias = model.layout().WideBias();
  if (model.tensors()->Has(bias)) {
    HP_ASSIGN_OR_RETURN(const Tensor* const scalar,
                        model.tensors()->Take(bias, {{1}}, "the factorization machine's scalar"));
    parts.push_back(model.graph()->Append(bias, ConstantOp(Doubles(*scalar)), {}, 1));
  }
  for (const FeatureUse& use : spec.deep.features) {
    if (!wide.IsNumeric(use)) {
      HP_ASSIGN_OR_RETURN(
          const Lookup lookup,
          wide.LookUp(use, model.layout().WideTable(spec.features[use.feature].table), 1));
      parts.push_back(wide.Embed(use, lookup));
    }
    HP_ASSIGN_OR_RETURN(const ValueId value, model.DeepFeature(use));
    parts.push_back(value);
  }
  HP_RETURN_IF_ERROR(model.AddNetwork(
      std::move(parts), "the widths of deep.features, one more each, and wide.bias if any"));
  return model.Finish("deep.features and deep.hidden_units");
}

}  // namespace handpick::converter
