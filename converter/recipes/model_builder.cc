#include "converter/recipes/model_builder.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/spec/feature_set.h"

namespace handpick::converter {

ModelBuilder::ModelBuilder(const Spec& spec, const Weights& weights)
    : spec_(spec),
      layout_(LayoutFor(spec)),
      tensors_(weights),
      deep_(spec, layout_, "deep", &tensors_, &graph_) {}

absl::Status ModelBuilder::Begin() {
  HP_ASSIGN_OR_RETURN(FeatureSet features, BuildFeatureSet(spec_));
  graph_.features = std::make_shared<const FeatureSet>(std::move(features));
  graph_.model_name = spec_.name;
  graph_.model_version = spec_.version;
  graph_.task = spec_.task;
  graph_.max_history = static_cast<uint32_t>(spec_.max_history);
  graph_.beyond_maximum = spec_.beyond_maximum;
  HP_RETURN_IF_ERROR(layout_.Check(spec_, *graph_.features));
  HP_RETURN_IF_ERROR(CheckUses(*graph_.features, spec_.wide.features, "wide.features"));
  return CheckUses(*graph_.features, spec_.deep.features, "deep.features");
}

absl::Status ModelBuilder::AddWide() {
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
    addends_.push_back(AddDense("wide.numeric", *weights, nullptr, input, &graph_));
  }
  return absl::OkStatus();
}

absl::StatusOr<ValueId> ModelBuilder::AddDeepFeature(const FeatureUse& use) {
  if (deep_.IsNumeric(use)) return deep_.Numbers(use);
  HP_ASSIGN_OR_RETURN(
      const Lookup lookup,
      deep_.LookUp(use, layout_.DeepTable(spec_.features[use.feature].table), kAnySize));
  return deep_.Embed(use, lookup);
}

absl::StatusOr<ValueId> ModelBuilder::Concat(const std::string& name, std::vector<ValueId> parts,
                                             const std::string& field) {
  uint64_t width = 0;
  for (const ValueId part : parts) width += graph_.WidthOf(part);
  if (width > INT32_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("spec: ", field, " are ", width, " numbers wide, which is too wide"));
  }
  return graph_.Append(name, ConcatOp{}, std::move(parts), static_cast<uint32_t>(width));
}

absl::Status ModelBuilder::AddNetwork(std::vector<ValueId> parts, const std::string& input_field) {
  LayerChain chain;
  chain.part = "deep";
  chain.input_field = input_field;
  chain.hidden_units = spec_.deep.hidden_units;
  chain.activation = spec_.deep.activation;
  chain.activations = {"linear", "relu", "sigmoid", "tanh", "prelu"};
  chain.batch_normalization = spec_.deep.batch_normalization;
  chain.batch_normalization_epsilon = spec_.deep.batch_normalization_epsilon;
  chain.tensors = &TensorLayout::DeepLayer;
  HP_ASSIGN_OR_RETURN(const ValueId input, Concat("deep.input", std::move(parts), "deep.features"));
  HP_ASSIGN_OR_RETURN(const ValueId output, AddLayers(chain, layout_, input, &tensors_, &graph_));
  const int64_t width = graph_.WidthOf(output);
  HP_ASSIGN_OR_RETURN(const Tensor* const head, tensors_.Take(layout_.HeadWeight(), {{1, width}},
                                                              "the last of deep.hidden_units"));
  addends_.push_back(AddDense("head", *head, nullptr, output, &graph_));
  has_network_ = true;
  return absl::OkStatus();
}

absl::StatusOr<Graph> ModelBuilder::Finish(const std::string& fields) {
  if (addends_.empty()) {
    return absl::InvalidArgumentError(
        "spec: neither wide.features nor deep.features has a feature: the model has no input");
  }
  HP_RETURN_IF_ERROR(AddBiases());
  graph_.logit = graph_.Append("logit", AddOp{}, addends_, 1);
  HP_RETURN_IF_ERROR(CheckEveryTensorIsUsed(fields));
  HP_RETURN_IF_ERROR(Verify(graph_));
  return std::move(graph_);
}

absl::Status ModelBuilder::AddBiases() {
  for (const BiasTensor& bias : layout_.Biases(!spec_.wide.features.empty(), has_network_)) {
    if (!bias.required && !tensors_.Has(bias.name)) continue;
    HP_ASSIGN_OR_RETURN(const Tensor* const tensor,
                        tensors_.Take(bias.name, {{1}}, "the layout's bias of the logit"));
    addends_.push_back(graph_.Append(bias.name, ConstantOp{Doubles(*tensor)}, {}, 1));
  }
  return absl::OkStatus();
}

absl::Status ModelBuilder::CheckEveryTensorIsUsed(const std::string& fields) const {
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
                   "; expected a spec that describes the whole model (its ", fields, ")"));
}

}  // namespace handpick::converter
