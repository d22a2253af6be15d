#include "converter/recipes/wide_deep.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/feature_inputs.h"
#include "converter/recipes/layout.h"
#include "converter/recipes/tensor_reader.h"
#include "converter/spec/feature_set.h"

namespace handpick::converter {
namespace {

class WideDeepBuilder {
 public:
  WideDeepBuilder(const Spec& spec, const Weights& weights)
      : spec_(spec), layout_(LayoutFor(spec.layout)), tensors_(weights) {}

  absl::StatusOr<Graph> Build() {
    HP_ASSIGN_OR_RETURN(FeatureSet features, BuildFeatureSet(spec_));
    graph_.features = std::make_shared<const FeatureSet>(std::move(features));
    graph_.model_name = spec_.name;
    graph_.model_version = spec_.version;
    graph_.task = spec_.task;
    graph_.max_history = static_cast<uint32_t>(spec_.max_history);
    HP_RETURN_IF_ERROR(layout_.Check(spec_, *graph_.features));
    HP_RETURN_IF_ERROR(CheckUses(*graph_.features, spec_.wide.features, "wide.features"));
    HP_RETURN_IF_ERROR(CheckUses(*graph_.features, spec_.deep.features, "deep.features"));

    HP_RETURN_IF_ERROR(AddWide());
    HP_RETURN_IF_ERROR(AddDeep());
    if (addends_.empty()) {
      return absl::InvalidArgumentError(
          "spec: neither wide.features nor deep.features has a feature: the model has no input");
    }
    HP_RETURN_IF_ERROR(AddBiases());
    graph_.logit = graph_.Append("logit", AddOp{}, addends_, 1);
    HP_RETURN_IF_ERROR(CheckEveryTensorIsUsed());
    HP_RETURN_IF_ERROR(Verify(graph_));
    return std::move(graph_);
  }

 private:
  // wide = sum over the sparse features of their (pooled) weights + numbers . weights
  absl::Status AddWide() {
    FeatureInputs inputs(spec_, layout_, "wide", &tensors_, &graph_);
    std::vector<Lookup> lookups;
    std::vector<ValueId> numbers;
    uint32_t numeric_width = 0;
    for (const FeatureUse& use : spec_.wide.features) {
      if (inputs.IsNumeric(use)) {
        numbers.push_back(inputs.Numbers(use));
        numeric_width += graph_.WidthOf(numbers.back());
        continue;
      }
      HP_ASSIGN_OR_RETURN(
          const Lookup lookup,
          inputs.LookUp(use, layout_.WideTable(spec_.features[use.feature].table), 1));
      if (inputs.IsHistory(use)) {
        addends_.push_back(inputs.Embed(use, lookup));
      } else {
        lookups.push_back(lookup);
      }
    }
    if (!lookups.empty()) {
      addends_.push_back(graph_.Append("wide.embeddings", EmbeddingSumOp{lookups}, {}, 1));
    }
    if (!numbers.empty()) {
      const int64_t width = numeric_width;
      HP_ASSIGN_OR_RETURN(
          const Tensor* const weights,
          tensors_.Take(layout_.WideNumericWeight(), {{width}, {1, width}, {width, 1}},
                        "the numeric features of wide.features"));
      const ValueId input =
          graph_.Append("wide.numbers", ConcatOp{}, std::move(numbers), numeric_width);
      addends_.push_back(AddDense("wide.numeric", *weights, nullptr, input, 1));
    }
    return absl::OkStatus();
  }

  // deep = head(layers([inputs])), a layer being activation(batch_norm(x W^T + b))
  absl::Status AddDeep() {
    const size_t layers = spec_.deep.hidden_units.size();
    if (layers == 0 && layout_.DropsDeepWithoutLayers()) {
      for (const FeatureUse& use : spec_.deep.features) {
        tensors_.Ignore(layout_.DeepTable(spec_.features[use.feature].table));
      }
      return absl::OkStatus();
    }
    if (spec_.deep.features.empty() && layers == 0) return absl::OkStatus();
    if (spec_.deep.features.empty() || layers == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "spec: deep.features has ", spec_.deep.features.size(),
          " entries and deep.hidden_units has ", layers, ", expected both or none to have any"));
    }
    HP_ASSIGN_OR_RETURN(ValueId value, AddDeepInput());
    for (size_t layer = 0; layer < layers; ++layer) {
      HP_ASSIGN_OR_RETURN(value, AddLayer(layer, value));
    }
    const int64_t width = graph_.WidthOf(value);
    HP_ASSIGN_OR_RETURN(const Tensor* const head, tensors_.Take(layout_.HeadWeight(), {{1, width}},
                                                                "the last of deep.hidden_units"));
    addends_.push_back(AddDense("head", *head, nullptr, value, 1));
    has_deep_ = true;
    return absl::OkStatus();
  }

  absl::StatusOr<ValueId> AddDeepInput() {
    FeatureInputs inputs(spec_, layout_, "deep", &tensors_, &graph_);
    std::vector<ValueId> parts;
    uint64_t width = 0;
    for (const FeatureUse& use : layout_.DeepOrder(spec_, *graph_.features)) {
      if (inputs.IsNumeric(use)) {
        parts.push_back(inputs.Numbers(use));
      } else {
        HP_ASSIGN_OR_RETURN(
            const Lookup lookup,
            inputs.LookUp(use, layout_.DeepTable(spec_.features[use.feature].table), kAnySize));
        parts.push_back(inputs.Embed(use, lookup));
      }
      width += graph_.WidthOf(parts.back());
    }
    if (width > INT32_MAX) {
      return absl::InvalidArgumentError(
          absl::StrCat("spec: deep.features are ", width, " numbers wide, which is too wide"));
    }
    return graph_.Append("deep.input", ConcatOp{}, std::move(parts), static_cast<uint32_t>(width));
  }

  absl::StatusOr<ValueId> AddLayer(size_t layer, ValueId input) {
    const std::string name = absl::StrCat("deep.layers.", layer);
    const std::string field = absl::StrCat("deep.hidden_units[", layer, "]");
    const int64_t units = spec_.deep.hidden_units[layer];
    if (units < 1 || units > INT32_MAX) {
      return absl::InvalidArgumentError(
          absl::StrCat("spec: ", field, " is ", units, ", expected at least 1"));
    }
    const uint32_t width = static_cast<uint32_t>(units);
    HP_ASSIGN_OR_RETURN(
        const Tensor* const weights,
        tensors_.Take(layout_.LayerWeight(layer), {{units, graph_.WidthOf(input)}},
                      layer == 0 ? absl::StrCat(field, " and the widths of deep.features")
                                 : absl::StrCat(field, " and deep.hidden_units[", layer - 1, "]")));
    HP_ASSIGN_OR_RETURN(const Tensor* const bias,
                        tensors_.Take(layout_.LayerBias(layer), {{units}}, field));
    ValueId value = AddDense(name, *weights, bias, input, width);

    const std::string norm = layout_.BatchNormalization(layer);
    if (spec_.deep.batch_normalization) {
      BatchNormOp op;
      op.epsilon = spec_.deep.batch_normalization_epsilon;
      const std::pair<const char*, std::vector<double>*> statistics[] = {
          {".weight", &op.scale},
          {".bias", &op.offset},
          {".running_mean", &op.mean},
          {".running_var", &op.variance}};
      for (const auto& [suffix, numbers] : statistics) {
        HP_ASSIGN_OR_RETURN(
            const Tensor* const tensor,
            tensors_.Take(norm + suffix, {{units}}, "deep.batch_normalization is true"));
        *numbers = Doubles(*tensor);
      }
      HP_RETURN_IF_ERROR(CheckVariance(norm + ".running_var", op));
      value = graph_.Append(name + ".batch_norm", std::move(op), {value}, width);
    } else {
      HP_RETURN_IF_ERROR(tensors_.Refuse(norm + ".weight", "deep.batch_normalization is false"));
      HP_RETURN_IF_ERROR(
          tensors_.Refuse(norm + ".running_mean", "deep.batch_normalization is false"));
    }

    HP_ASSIGN_OR_RETURN(ActivationSpec activation,
                        ReadActivation(spec_, layout_, layer, units, &tensors_));
    if (activation.kind == schema::ActivationKind::Linear) return value;
    return graph_.Append(name + ".activation", ActivationOp{std::move(activation)}, {value}, width);
  }

  static absl::Status CheckVariance(const std::string& tensor, const BatchNormOp& op) {
    for (size_t j = 0; j < op.variance.size(); ++j) {
      if (op.variance[j] + op.epsilon > 0) continue;
      return absl::InvalidArgumentError(absl::StrCat("weights: tensor '", tensor, "' has ",
                                                     op.variance[j], " at [", j,
                                                     "], expected a variance: not negative"));
    }
    return absl::OkStatus();
  }

  absl::Status AddBiases() {
    for (const BiasTensor& bias : layout_.Biases(!spec_.wide.features.empty(), has_deep_)) {
      if (!bias.required && !tensors_.Has(bias.name)) continue;
      HP_ASSIGN_OR_RETURN(const Tensor* const tensor,
                          tensors_.Take(bias.name, {{1}}, "the layout's bias of the logit"));
      addends_.push_back(graph_.Append(bias.name, ConstantOp{Doubles(*tensor)}, {}, 1));
    }
    return absl::OkStatus();
  }

  ValueId AddDense(const std::string& name, const Tensor& weights, const Tensor* bias,
                   ValueId input, uint32_t width) {
    DenseData dense;
    dense.name = name;
    dense.input_width = graph_.WidthOf(input);
    dense.output_width = width;
    dense.weights = Doubles(weights);
    if (bias != nullptr) dense.bias = Doubles(*bias);
    const DenseId id = graph_.AddDense(std::move(dense));
    return graph_.Append(name, DenseOp{id, {}}, {input}, width);
  }

  absl::Status CheckEveryTensorIsUsed() const {
    std::vector<std::string> unused;
    for (const std::string& name : tensors_.Untaken()) {
      if (!IsTrainingState(name)) unused.push_back(absl::StrCat("'", name, "'"));
    }
    if (unused.empty()) return absl::OkStatus();
    constexpr size_t kMostNamed = 20;
    const size_t more = unused.size() > kMostNamed ? unused.size() - kMostNamed : 0;
    unused.resize(unused.size() - more);
    return absl::InvalidArgumentError(
        absl::StrCat("weights: nothing in the spec uses ", absl::StrJoin(unused, ", "),
                     more > 0 ? absl::StrCat(" and ", more, " more") : "",
                     "; expected a spec that describes the whole model (its wide.features, "
                     "deep.features and deep.hidden_units)"));
  }

  const Spec& spec_;
  const TensorLayout& layout_;
  TensorReader tensors_;
  Graph graph_;
  std::vector<ValueId> addends_;  // Of the logit.
  bool has_deep_ = false;
};

}  // namespace

absl::StatusOr<Graph> BuildWideDeep(const Spec& spec, const Weights& weights) {
  return WideDeepBuilder(spec, weights).Build();
}

}  // namespace handpick::converter
