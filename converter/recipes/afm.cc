#include "converter/recipes/afm.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

DenseData Layer(const std::string& name, int64_t inputs, std::vector<double> weights) {
  DenseData dense;
  dense.name = name;
  dense.input_width = static_cast<uint32_t>(inputs);
  dense.output_width = static_cast<uint32_t>(weights.size()) / dense.input_width;
  dense.weights = std::move(weights);
  return dense;
}

// [out, in] of [in, out].
std::vector<double> Turned(const Tensor& tensor) {
  const int64_t in = tensor.shape[0], out = tensor.shape[1];
  std::vector<double> turned;
  for (int64_t o = 0; o < out; ++o) {
    for (int64_t i = 0; i < in; ++i) {
      turned.push_back(tensor.data[static_cast<size_t>(i * out + o)]);
    }
  }
  return turned;
}

// One number of all pairs of the fields.
absl::StatusOr<ValueId> AddPairs(const DeepValues& deep, ModelBuilder* model) {
  HP_ASSIGN_OR_RETURN(const uint32_t width, model->WidthOfFields(deep));
  if (deep.fields.size() < 2) {
    return absl::InvalidArgumentError(
        "spec: deep.features has one feature with ids: there is no pair");
  }
  const TensorLayout& layout = model->layout();
  TensorReader& tensors = *model->tensors();
  Graph& graph = *model->graph();
  const bool turned = layout.traits().pair_attention_is_turned;
  const int64_t k = width;
  const LayerTensors names = layout.NetworkLayer(layout.Unit(""), 0);
  const char* const field = "the one width of deep.features";
  HP_ASSIGN_OR_RETURN(
      const Tensor* const attention,
      tensors.Take(names.weight, {turned ? Shape{k, kAnySize} : Shape{kAnySize, k}}, field));
  const int64_t units = attention->shape[turned ? 1 : 0];
  if (units < 1) {
    return tensors.Fail(absl::InvalidArgumentError(
        absl::StrCat("weights: tensor '", names.weight, "' has shape ", ShapeText(attention->shape),
                     ", which is no layer")));
  }
  const std::string units_field = absl::StrCat("the units of '", names.weight, "'");
  HP_ASSIGN_OR_RETURN(const Tensor* const bias, tensors.Take(names.bias, {{units}}, units_field));
  HP_ASSIGN_OR_RETURN(
      const Tensor* const score,
      tensors.Take(layout.AttentionHead("").weight, {{1, units}, {units, 1}}, units_field));
  HP_ASSIGN_OR_RETURN(const Tensor* const projection,
                      tensors.Take(layout.HeadWeight(), {{1, k}, {k, 1}}, field));
  model->HasHead();
  DenseData layer =
      Layer("attention.layers.0", k, turned ? Turned(*attention) : Doubles(*attention));
  layer.bias = Doubles(*bias);
  Operator pairs(kAttentionalPairs);
  pairs.weights = {graph.AddDense(Layer("head", k, Doubles(*projection))),
                   graph.AddDense(std::move(layer)),
                   graph.AddDense(Layer("attention.head", units, Doubles(*score)))};
  pairs.activations = {{schema::ActivationKind::Relu}, {}};
  return graph.Append("deep.pairs", std::move(pairs), deep.fields, 1);
}

}  // namespace

absl::StatusOr<Graph> BuildAfm(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_RETURN_IF_ERROR(model.AddWide());
  HP_ASSIGN_OR_RETURN(const DeepValues deep, model.Embeddings());
  HP_ASSIGN_OR_RETURN(const ValueId pairs, AddPairs(deep, &model));
  model.AddToLogit(pairs);
  model.NoticeNumbers(deep);
  return model.Finish("wide.features and deep.features");
}

}  // namespace handpick::converter
