#include "converter/recipes/layers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/sequential.h"

namespace handpick::converter {
namespace {

// The statistics of a normalisation, and what it makes of them.
struct Normalization {
  std::vector<double> mean, variance, scale, offset;
};

class ChainBuilder {
 public:
  ChainBuilder(const LayerChain& chain, const TensorLayout& layout, TensorReader* tensors,
               Graph* graph)
      : chain_(chain), layout_(layout), tensors_(*tensors), graph_(*graph) {}

  absl::StatusOr<ValueId> AddLinear(size_t layer, ValueId input) {
    const std::string name = absl::StrCat(chain_.part, ".layers.", layer);
    const std::string field = FieldOf(layer);
    const LayerTensors names = NamesOf(layer);
    const int64_t units = chain_.hidden_units[layer];
    if (units < 1 || units > INT32_MAX) {
      return absl::InvalidArgumentError(
          absl::StrCat("spec: ", field, " is ", units, ", expected at least 1"));
    }
    const std::string input_field = layer == 0 ? chain_.input_field : FieldOf(layer - 1);
    HP_ASSIGN_OR_RETURN(const Tensor* const weights,
                        tensors_.TakeKernel(names.weight, units, graph_.WidthOf(input),
                                            absl::StrCat(field, " and ", input_field)));
    HP_ASSIGN_OR_RETURN(const Tensor* const bias, tensors_.Take(names.bias, {{units}}, field));
    ValueId value = AddDense(name, *weights, bias, input, &graph_);
    return AddBatchNorm(name, names, units, value);
  }

  absl::StatusOr<ValueId> AddActivation(size_t layer, ValueId value) {
    const LayerTensors names = NamesOf(layer);
    const int64_t units = chain_.hidden_units[layer];
    const bool is_last = layer + 1 == chain_.hidden_units.size();
    HP_ASSIGN_OR_RETURN(
        ActivationSpec activation,
        is_last && !chain_.output_activation.empty()
            ? ReadActivation(names, units, chain_.output_activation, "output_activation")
            : ReadActivation(names, units, chain_.activation, "activation"));
    if (activation.kind == schema::ActivationKind::Linear) return value;
    return graph_.Append(absl::StrCat(chain_.part, ".layers.", layer, ".activation"),
                         ActivationOp(std::move(activation)), {value}, graph_.WidthOf(value));
  }

 private:
  const std::string& Section() const {
    return chain_.section.empty() ? chain_.part : chain_.section;
  }

  LayerTensors NamesOf(size_t layer) const {
    return InSequence(chain_.tensors == nullptr ? layout_.NetworkLayer(chain_.network, layer)
                                                : (layout_.*chain_.tensors)(layer),
                      layer, tensors_);
  }

  std::string FieldOf(size_t layer) const {
    if (!chain_.unit_fields.empty()) return chain_.unit_fields[layer];
    return absl::StrCat(Section(), ".hidden_units[", layer, "]");
  }

  absl::StatusOr<ValueId> AddBatchNorm(const std::string& name, const LayerTensors& names,
                                       int64_t units, ValueId input) {
    const std::string field = absl::StrCat(Section(), ".batch_normalization is ",
                                           chain_.batch_normalization ? "true" : "false");
    if (!chain_.batch_normalization) {
      const auto& ends = layout_.traits().norm_ends;
      HP_RETURN_IF_ERROR(tensors_.Refuse(names.batch_norm + ends[0], field));
      HP_RETURN_IF_ERROR(tensors_.Refuse(names.batch_norm + ends[2], field));
      return input;
    }
    const double epsilon = chain_.batch_normalization_epsilon;
    HP_ASSIGN_OR_RETURN(Normalization norm, ReadNormalization(names.batch_norm, units, epsilon,
                                                              /*is_affine=*/true, field));
    return graph_.Append(name + ".batch_norm",
                         BatchNormOp({std::move(norm.mean), std::move(norm.variance),
                                      std::move(norm.scale), std::move(norm.offset), epsilon}),
                         {input}, graph_.WidthOf(input));
  }

  absl::StatusOr<Normalization> ReadNormalization(const std::string& prefix, int64_t units,
                                                  double epsilon, bool is_affine,
                                                  const std::string& field) {
    Normalization norm;
    norm.scale.assign(static_cast<size_t>(units), 1.0);
    norm.offset.assign(static_cast<size_t>(units), 0.0);
    const auto& ends = layout_.traits().norm_ends;
    std::vector<double>* const statistics[] = {&norm.scale, &norm.offset, &norm.mean,
                                               &norm.variance};
    for (size_t s = is_affine ? 0 : 2; s < 4; ++s) {
      HP_ASSIGN_OR_RETURN(const Tensor* const tensor,
                          tensors_.Take(prefix + ends[s], {{units}}, field));
      *statistics[s] = Doubles(*tensor);
    }
    for (size_t j = 0; j < norm.variance.size(); ++j) {
      if (norm.variance[j] + epsilon > 0) continue;
      tensors_.Add(absl::InvalidArgumentError(
          absl::StrCat("weights: tensor '", prefix, ends[3], "' has ", norm.variance[j], " at [", j,
                       "], expected a variance: not negative")));
      break;
    }
    return norm;
  }

  // `key`: of the spec, which says what the activation is.
  absl::StatusOr<ActivationSpec> ReadActivation(const LayerTensors& names, int64_t units,
                                                const std::string& activation,
                                                const std::string& key) {
    const auto& accepted = chain_.activations;
    if (std::find(accepted.begin(), accepted.end(), activation) == accepted.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("spec: ", Section(), ".", key, " is '", activation,
                       "', expected one of: ", absl::StrJoin(accepted, ", ")));
    }
    const std::string field = absl::StrCat(Section(), ".", key, " is ", activation);
    if (activation == "dice") return ReadDice(names, units, field);
    HP_RETURN_IF_ERROR(tensors_.Refuse(names.dice_alpha, field));
    ActivationSpec result;
    if (activation == "prelu") {
      result.kind = schema::ActivationKind::Prelu;
      HP_ASSIGN_OR_RETURN(const Tensor* const slopes,
                          tensors_.Take(names.prelu, {{1}, {units}}, field));
      result.alpha = Doubles(*slopes);
      return result;
    }
    HP_RETURN_IF_ERROR(tensors_.Refuse(names.prelu, field));
    if (activation == "relu") result.kind = schema::ActivationKind::Relu;
    if (activation == "sigmoid") result.kind = schema::ActivationKind::Sigmoid;
    if (activation == "tanh") result.kind = schema::ActivationKind::Tanh;
    return result;
  }

  // p x + (1 - p) alpha x, with p = sigmoid of the normalised x.
  absl::StatusOr<ActivationSpec> ReadDice(const LayerTensors& names, int64_t units,
                                          const std::string& field) {
    ActivationSpec dice;
    dice.kind = schema::ActivationKind::Dice;
    HP_ASSIGN_OR_RETURN(const Tensor* const alpha,
                        tensors_.Take(names.dice_alpha, {{units}, {units, 1}}, field));
    dice.alpha = Doubles(*alpha);
    const LayoutTraits& traits = layout_.traits();
    const double epsilon = traits.dice_epsilon;
    HP_ASSIGN_OR_RETURN(const Normalization norm, ReadNormalization(names.dice_norm, units, epsilon,
                                                                    traits.dice_is_affine, field));
    for (size_t j = 0; j < dice.alpha.size(); ++j) {
      dice.scale.push_back(norm.scale[j] / std::sqrt(norm.variance[j] + epsilon));
      dice.shift.push_back(norm.offset[j] - dice.scale[j] * norm.mean[j]);
    }
    return dice;
  }

  const LayerChain& chain_;
  const TensorLayout& layout_;
  TensorReader& tensors_;
  Graph& graph_;
};

}  // namespace

absl::StatusOr<ValueId> AddLayers(const LayerChain& chain, const TensorLayout& layout,
                                  ValueId input, TensorReader* tensors, Graph* graph) {
  ChainBuilder builder(chain, layout, tensors, graph);
  ValueId value = input;
  for (size_t layer = 0; layer < chain.hidden_units.size(); ++layer) {
    HP_ASSIGN_OR_RETURN(value, builder.AddLinear(layer, value));
    HP_ASSIGN_OR_RETURN(value, builder.AddActivation(layer, value));
  }
  return value;
}

absl::StatusOr<ValueId> AddLinear(const LayerChain& chain, const TensorLayout& layout, size_t layer,
                                  ValueId input, TensorReader* tensors, Graph* graph) {
  return ChainBuilder(chain, layout, tensors, graph).AddLinear(layer, input);
}

absl::StatusOr<ValueId> AddActivation(const LayerChain& chain, const TensorLayout& layout,
                                      size_t layer, ValueId input, TensorReader* tensors,
                                      Graph* graph) {
  return ChainBuilder(chain, layout, tensors, graph).AddActivation(layer, input);
}

ValueId AddDense(const std::string& name, const Tensor& weights, const Tensor* bias, ValueId input,
                 Graph* graph) {
  DenseData dense;
  dense.name = name;
  dense.input_width = graph->WidthOf(input);
  dense.weights = Doubles(weights);
  dense.output_width = static_cast<uint32_t>(dense.weights.size() / dense.input_width);
  if (bias != nullptr) dense.bias = Doubles(*bias);
  const uint32_t width = dense.output_width;
  const DenseId id = graph->AddDense(std::move(dense));
  return graph->Append(name, DenseOp(id, {}), {input}, width);
}

std::vector<double> Doubles(const Tensor& tensor) {
  return std::vector<double>(tensor.data.begin(), tensor.data.end());
}

}  // namespace handpick::converter
