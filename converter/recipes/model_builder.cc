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
    : spec_(spec), layout_(spec), tensors_(weights), deep_(spec, "deep", &tensors_, &graph_) {}

absl::Status ModelBuilder::Begin() {
  HP_ASSIGN_OR_RETURN(FeatureSet features, BuildFeatureSet(spec_));
  graph_.features = std::make_shared<const FeatureSet>(std::move(features));
  graph_.model_name = spec_.name;
  graph_.model_version = spec_.version;
  graph_.task = spec_.task;
  graph_.max_history = static_cast<uint32_t>(spec_.max_history);
  graph_.beyond_maximum = spec_.beyond_maximum;
  HP_RETURN_IF_ERROR(CheckLayout(spec_, *graph_.features));
  HP_RETURN_IF_ERROR(CheckUses(*graph_.features, spec_.wide.features, "wide.features"));
  return CheckUses(*graph_.features, spec_.deep.features, "deep.features");
}

absl::Status ModelBuilder::AddWide() {
  FeatureInputs inputs(spec_, "wide", &tensors_, &graph_);
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
      AddToLogit(inputs.Embed(use, lookup));
    } else {
      lookups.push_back(lookup);
    }
  }
  if (!lookups.empty()) {
    AddToLogit(graph_.Append("wide.embeddings", EmbeddingSumOp(lookups), {}, 1));
  }
  if (!numbers.empty()) {
    const int64_t width = numeric_width;
    HP_ASSIGN_OR_RETURN(
        const Tensor* const weights,
        tensors_.Take(layout_.WideNumericWeight(), {{width}, {1, width}, {width, 1}},
                      "the numeric features of wide.features"));
    const ValueId input = graph_.Append("wide.numbers", kConcat, std::move(numbers), numeric_width);
    AddToLogit(AddDense("wide.numeric", *weights, nullptr, input, &graph_));
  }
  return absl::OkStatus();
}

absl::StatusOr<DeepValues> ModelBuilder::Embeddings() {
  const DeepInput input = OrderOfDeep(spec_, *graph_.features);
  DeepValues deep;
  deep.history = input.history;
  for (const FeatureUse& use : input.features) {
    HP_ASSIGN_OR_RETURN(const ValueId value, DeepFeature(use));
    deep.all.push_back(value);
    if (deep_.IsNumeric(use)) {
      deep.numbers.push_back(value);
    } else {
      deep.fields.push_back(value);
      deep.field_names.push_back(spec_.features[use.feature].name);
    }
  }
  for (const FeatureUse& use : input.ignored) LeaveOut(use);
  return deep;
}

absl::StatusOr<ValueId> ModelBuilder::DeepFeature(const FeatureUse& use) {
  if (deep_.IsNumeric(use)) return deep_.Numbers(use);
  HP_ASSIGN_OR_RETURN(
      const Lookup lookup,
      deep_.LookUp(use, layout_.DeepTable(spec_.features[use.feature].table), kAnySize));
  return deep_.Embed(use, lookup);
}

void ModelBuilder::LeaveOut(const FeatureUse& use) {
  const FeatureSpec& feature = spec_.features[use.feature];
  const std::string table = layout_.DeepTable(feature.table);
  tensors_.Ignore(table);
  AddNotice(absl::StrCat("feature '", feature.name, "' changes nothing: the library's ", spec_.kind,
                         " leaves sequences out that are no history; '", table,
                         "' goes into the bundle only if another feature reads it"));
}

absl::StatusOr<ValueId> ModelBuilder::Concat(const std::string& name, std::vector<ValueId> parts,
                                             const std::string& field) {
  uint64_t width = 0;
  for (const ValueId part : parts) width += graph_.WidthOf(part);
  if (width > INT32_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("spec: ", field, " are ", width, " numbers wide, which is too wide"));
  }
  return graph_.Append(name, kConcat, std::move(parts), static_cast<uint32_t>(width));
}

absl::StatusOr<ValueId> ModelBuilder::BiInteraction(const std::string& name,
                                                    const DeepValues& deep) {
  if (deep.fields.empty()) {
    return absl::InvalidArgumentError(
        "spec: deep.features has no feature with ids: nothing is there to interact");
  }
  const uint32_t width = graph_.WidthOf(deep.fields[0]);
  std::vector<std::string> widths;
  bool one_width = true;
  for (size_t f = 0; f < deep.fields.size(); ++f) {
    const uint32_t own = graph_.WidthOf(deep.fields[f]);
    one_width = one_width && own == width;
    widths.push_back(absl::StrCat("'", deep.field_names[f], "' ", own));
  }
  if (!one_width) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: the embeddings of deep.features interact, so that all of them must "
                     "be of one width; they are: ",
                     absl::StrJoin(widths, ", ")));
  }
  return graph_.Append(name, kBiInteractionOfAll, deep.fields, width);
}

absl::StatusOr<ValueId> ModelBuilder::Tower(std::vector<ValueId> parts,
                                            const std::string& input_field) {
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
  return AddLayers(chain, layout_, input, &tensors_, &graph_);
}

absl::StatusOr<ValueId> ModelBuilder::Head(std::vector<ValueId> parts) {
  const std::string field = "the last of deep.hidden_units";
  ValueId input = parts[0];
  if (parts.size() > 1) {
    HP_ASSIGN_OR_RETURN(input, Concat("head.input", std::move(parts), field));
  }
  const int64_t width = graph_.WidthOf(input);
  HP_ASSIGN_OR_RETURN(const Tensor* const head,
                      tensors_.Take(layout_.HeadWeight(), {{1, width}}, field));
  has_head_ = true;
  return AddDense("head", *head, nullptr, input, &graph_);
}

ValueId ModelBuilder::SumOfColumns(const std::string& name, ValueId value) {
  DenseData ones;
  ones.name = name;
  ones.input_width = graph_.WidthOf(value);
  ones.output_width = 1;
  ones.weights.resize(ones.input_width, 1.0);
  const DenseId id = graph_.AddDense(std::move(ones));
  return graph_.Append(name, DenseOp(id, {}), {value}, 1);
}

absl::Status ModelBuilder::AddNetwork(std::vector<ValueId> parts, const std::string& input_field) {
  HP_ASSIGN_OR_RETURN(const ValueId tower, Tower(std::move(parts), input_field));
  HP_ASSIGN_OR_RETURN(const ValueId logit, Head({tower}));
  AddToLogit(logit);
  return absl::OkStatus();
}

absl::StatusOr<Graph> ModelBuilder::Finish(const std::string& fields) {
  if (addends_.empty()) {
    return absl::InvalidArgumentError(
        "spec: neither wide.features nor deep.features has a feature: the model has no input");
  }
  HP_RETURN_IF_ERROR(AddBiases());
  graph_.logit = graph_.Append("logit", AddOp(), addends_, 1);
  HP_RETURN_IF_ERROR(CheckEveryTensorIsUsed(fields));
  HP_RETURN_IF_ERROR(Verify(graph_));
  return std::move(graph_);
}

absl::Status ModelBuilder::AddBiases() {
  for (const BiasTensor& bias : layout_.Biases(!spec_.wide.features.empty(), has_head_)) {
    if (!bias.required && !tensors_.Has(bias.name)) continue;
    HP_ASSIGN_OR_RETURN(const Tensor* const tensor,
                        tensors_.Take(bias.name, {{1}}, "the layout's bias of the logit"));
    AddToLogit(graph_.Append(bias.name, ConstantOp(Doubles(*tensor)), {}, 1));
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
