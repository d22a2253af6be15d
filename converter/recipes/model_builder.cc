#include "converter/recipes/model_builder.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/sequential.h"
#include "converter/spec/feature_set.h"
#include "converter/spec/numbered_names.h"

namespace handpick::converter {

ModelBuilder::ModelBuilder(const Spec& spec, const Archive& weights)
    : spec_(spec),
      layout_(spec),
      tensors_(weights, NamesIn(spec, weights.tensors()), spec.traits().kernels_are_in_out),
      deep_(spec, "deep", &tensors_, &graph_) {}

absl::Status ModelBuilder::Begin() {
  HP_ASSIGN_OR_RETURN(FeatureSet features, BuildFeatureSet(spec_));
  MakeOptional(UnusedFeatures(spec_), &features);
  graph_.features = std::make_shared<const FeatureSet>(std::move(features));
  graph_.model_name = spec_.name;
  graph_.model_version = spec_.version;
  for (const SequenceSpec& sequence : spec_.sequences) {
    graph_.sequences.push_back(
        {sequence.name, static_cast<uint32_t>(sequence.max_events), sequence.beyond_maximum});
  }
  HP_RETURN_IF_ERROR(RefuseTensors());
  HP_RETURN_IF_ERROR(CheckLayout(spec_, *graph_.features));
  HP_RETURN_IF_ERROR(CheckUses(*graph_.features, spec_.wide.features, "wide.features"));
  HP_RETURN_IF_ERROR(CheckUses(*graph_.features, spec_.deep.features, "deep.features"));
  HP_RETURN_IF_ERROR(CheckUses(*graph_.features, spec_.piecewise.features, "piecewise.features"));
  HP_RETURN_IF_ERROR(
      CheckUses(*graph_.features, spec_.piecewise.base_features, "piecewise.base_features"));
  return CheckUses(*graph_.features, spec_.piecewise.bias_features, "piecewise.bias_features");
}

absl::Status ModelBuilder::AddWide() {
  LinearPart wide = {"wide",
                     "wide.features",
                     spec_.wide.features,
                     1,
                     [this](const std::string& table) {
                       return std::vector<std::string>{layout_.WideTable(table)};
                     },
                     {layout_.WideNumericWeight()}};
  if (layout_.traits().wide_is_an_embedding) {
    wide.number = [this](const std::string& feature) { return layout_.WideTable(feature); };
  }
  HP_ASSIGN_OR_RETURN(const std::vector<ValueId> addends, Linear(wide));
  for (const ValueId addend : addends) AddToLogit(addend);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ValueId>> ModelBuilder::Linear(const LinearPart& part) {
  FeatureInputs inputs(spec_, part.part, &tensors_, &graph_);
  std::vector<ValueId> addends;
  std::vector<Lookup> lookups;
  std::vector<ValueId> numbers;
  std::vector<std::string> number_names =
      part.number == nullptr ? part.numbers : std::vector<std::string>();
  uint32_t numeric_width = 0;
  for (const FeatureUse& use : part.features) {
    if (inputs.IsNumeric(use)) {
      numbers.push_back(inputs.Numbers(use));
      numeric_width += graph_.WidthOf(numbers.back());
      if (part.number != nullptr)
        number_names.push_back(part.number(spec_.features[use.feature].name));
      continue;
    }
    const std::vector<std::string> tables = part.tables(inputs.TableOf(use));
    HP_ASSIGN_OR_RETURN(const Lookup lookup, tables.size() == 1
                                                 ? inputs.LookUp(use, tables[0], part.width)
                                                 : inputs.LookUp(use, tables));
    if (inputs.IsHistory(use)) {
      addends.push_back(inputs.Embed(use, lookup));
    } else {
      lookups.push_back(lookup);
    }
  }
  const auto width = static_cast<uint32_t>(part.width);
  const Tensor* bias = nullptr;
  if (!part.bias.empty() && tensors_.Has(part.bias)) {
    HP_ASSIGN_OR_RETURN(bias, tensors_.Take(part.bias, {{part.width}}, part.field));
  }
  if (!lookups.empty()) {
    addends.push_back(
        graph_.Append(absl::StrCat(part.part, ".embeddings"), EmbeddingSumOp(lookups), {}, width));
  }
  if (!numbers.empty()) {
    const int64_t count = numeric_width;
    const std::string field = absl::StrCat("the numeric features of ", part.field);
    const int64_t own = part.number == nullptr ? count : 1;
    const std::vector<Shape> of_one = {{own}, {1, own}, {own, 1}};
    Tensor weights;
    for (const std::string& name : number_names) {
      const bool is_whole = number_names.size() == 1 && part.width > 1;
      HP_ASSIGN_OR_RETURN(
          const Tensor* const tensor,
          tensors_.Take(name, is_whole ? std::vector<Shape>{{part.width, count}} : of_one, field));
      weights.data.insert(weights.data.end(), tensor->data.begin(), tensor->data.end());
    }
    weights.shape = {part.width, count};
    const ValueId input = graph_.Append(absl::StrCat(part.part, ".numbers"), kConcat,
                                        std::move(numbers), numeric_width);
    addends.push_back(AddDense(absl::StrCat(part.part, ".numeric"), weights, bias, input, &graph_));
  }
  if (bias != nullptr && numeric_width == 0) {
    addends.push_back(graph_.Append(part.bias, ConstantOp(Doubles(*bias)), {}, width));
  }
  return addends;
}

absl::StatusOr<ValueId> ModelBuilder::SumOfLinear(const LinearPart& part) {
  HP_ASSIGN_OR_RETURN(std::vector<ValueId> addends, Linear(part));
  if (addends.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("spec: ", part.field, " has no features"));
  }
  if (addends.size() == 1) return addends[0];
  return graph_.Append(part.part, AddOp(), std::move(addends), static_cast<uint32_t>(part.width));
}

absl::StatusOr<DeepValues> ModelBuilder::Embeddings(const std::map<size_t, ValueId>& given) {
  const DeepInput input = OrderOfDeep(spec_, *graph_.features);
  DeepValues deep;
  deep.history = input.history;
  for (const FeatureUse& use : input.features) {
    const auto found = given.find(use.feature);
    ValueId value = 0;
    if (found != given.end()) {
      value = found->second;
    } else {
      HP_ASSIGN_OR_RETURN(value, DeepFeature(use));
    }
    deep.all.push_back(value);
    if (deep_.IsNumeric(use) && !layout_.traits().embeds_numbers) {
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
  if (deep_.IsNumeric(use)) {
    return layout_.traits().embeds_numbers ? EmbeddedNumbers(use) : deep_.Numbers(use);
  }
  HP_ASSIGN_OR_RETURN(
      const Lookup lookup,
      deep_.LookUp(use, layout_.DeepTable(spec_.features[use.feature].table), kAnySize));
  return deep_.Embed(use, lookup);
}

absl::StatusOr<ValueId> ModelBuilder::EmbeddedNumbers(const FeatureUse& use) {
  const std::string& name = spec_.features[use.feature].name;
  const ValueId numbers = deep_.Numbers(use);
  const int64_t width = graph_.WidthOf(numbers);
  HP_ASSIGN_OR_RETURN(
      const Tensor* const weight,
      tensors_.Take(layout_.NumbersTable(name, /*has_several=*/width > 1), {{kAnySize, width}},
                    absl::StrCat("dimension of feature '", name, "'")));
  if (weight->shape[0] < 1 || weight->shape[0] > INT32_MAX) {
    return absl::InvalidArgumentError(absl::StrCat("weights: the embedding of the numbers of '",
                                                   name, "' has shape ", ShapeText(weight->shape),
                                                   ", expected at least one row"));
  }
  return AddDense(absl::StrCat("deep.embedding.", name), *weight, nullptr, numbers, &graph_);
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
    return tensors_.Fail(absl::InvalidArgumentError(
        absl::StrCat("spec: ", field, " are ", width, " numbers wide, which is too wide")));
  }
  return graph_.Append(name, kConcat, std::move(parts), static_cast<uint32_t>(width));
}

absl::StatusOr<uint32_t> ModelBuilder::WidthOfFields(const DeepValues& deep) {
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
    return tensors_.Fail(absl::InvalidArgumentError(
        absl::StrCat("weights: the embeddings of deep.features interact, so that all of them must "
                     "be of one width; they are: ",
                     absl::StrJoin(widths, ", "))));
  }
  return width;
}

absl::StatusOr<ValueId> ModelBuilder::BiInteraction(const std::string& name,
                                                    const DeepValues& deep) {
  HP_ASSIGN_OR_RETURN(const uint32_t width, WidthOfFields(deep));
  return graph_.Append(name, kBiInteractionOfAll, deep.fields, width);
}

void ModelBuilder::NoticeNumbers(const DeepValues& deep) {
  if (deep.numbers.empty()) return;
  AddNotice("the numbers of deep.features change nothing: there are no layers");
}

absl::StatusOr<ValueId> ModelBuilder::Tower(std::vector<ValueId> parts,
                                            const std::string& input_field) {
  return Tower("deep", layout_.DeepNetwork(), spec_.deep.hidden_units, "deep.hidden_units",
               std::move(parts), input_field);
}

absl::StatusOr<ValueId> ModelBuilder::Tower(const std::string& part, const std::string& network,
                                            const std::vector<int64_t>& units,
                                            const std::string& units_field,
                                            std::vector<ValueId> parts,
                                            const std::string& input_field) {
  LayerChain chain = DeepChain(part, network, units, units_field, input_field);
  chain.activations.push_back("dice");
  HP_ASSIGN_OR_RETURN(const ValueId input,
                      Concat(absl::StrCat(part, ".input"), std::move(parts), "deep.features"));
  return AddLayers(chain, layout_, input, &tensors_, &graph_);
}

absl::StatusOr<ValueId> ModelBuilder::Layers(const std::string& part, const std::string& network,
                                             const std::vector<int64_t>& units,
                                             const std::string& units_field, ValueId input,
                                             const std::string& input_field) {
  return AddLayers(DeepChain(part, network, units, units_field, input_field), layout_, input,
                   &tensors_, &graph_);
}

LayerChain ModelBuilder::DeepChain(const std::string& part, const std::string& network,
                                   const std::vector<int64_t>& units,
                                   const std::string& units_field,
                                   const std::string& input_field) const {
  LayerChain chain;
  chain.part = part;
  chain.section = "deep";
  chain.input_field = input_field;
  chain.hidden_units = units;
  chain.activation = spec_.deep.activation;
  chain.activations = {"linear", "relu", "sigmoid", "tanh", "prelu"};
  chain.batch_normalization = spec_.deep.batch_normalization;
  chain.batch_normalization_epsilon = spec_.deep.batch_normalization_epsilon;
  chain.network = network;
  for (size_t i = 0; i < units.size(); ++i) {
    chain.unit_fields.push_back(absl::StrCat(units_field, "[", i, "]"));
  }
  return chain;
}

absl::StatusOr<ValueId> ModelBuilder::TaskLogit(const TaskNames& task,
                                                const std::vector<int64_t>& units,
                                                const std::string& units_field, ValueId input,
                                                const std::string& input_field) {
  const std::string part = absl::StrCat("tasks.", task.name);
  HP_ASSIGN_OR_RETURN(const ValueId hidden,
                      Layers(part, layout_.Task(task), units, units_field, input, input_field));
  const HeadTensors names = layout_.TaskHead(task);
  const std::string field = units.empty() ? input_field : absl::StrCat("the last of ", units_field);
  const int64_t width = graph_.WidthOf(hidden);
  HP_ASSIGN_OR_RETURN(const Tensor* const weight,
                      tensors_.TakeKernel(names.weight, 1, width, field));
  HP_ASSIGN_OR_RETURN(const Tensor* const bias,
                      tensors_.Take(names.bias, {{1}}, "the layout's bias of a task"));
  return AddDense(absl::StrCat(part, ".head"), *weight, bias, hidden, &graph_);
}

absl::StatusOr<ValueId> ModelBuilder::SoftAttention(const std::string& part,
                                                    const HeadTensors& names, ValueId input) {
  const int64_t width = graph_.WidthOf(input);
  const std::string field = "soft_attention.over";
  HP_ASSIGN_OR_RETURN(const Tensor* const weight,
                      tensors_.Take(names.weight, {{width, width}}, field));
  HP_ASSIGN_OR_RETURN(const Tensor* const bias, tensors_.Take(names.bias, {{width}}, field));
  const std::string name = absl::StrCat(part, ".attention");
  const ValueId scores = AddDense(absl::StrCat(name, ".scores"), *weight, bias, input, &graph_);
  const ValueId softmax = graph_.Append(absl::StrCat(name, ".softmax"), OperatorKind::RowSoftmax,
                                        {scores}, graph_.WidthOf(input));
  return graph_.Append(name, OperatorKind::Multiply, {softmax, input}, graph_.WidthOf(input));
}

absl::StatusOr<ValueId> ModelBuilder::Head(std::vector<ValueId> parts, const std::string& field) {
  ValueId input = parts[0];
  if (parts.size() > 1) {
    HP_ASSIGN_OR_RETURN(input, Concat("head.input", std::move(parts), field));
  }
  const int64_t width = graph_.WidthOf(input);
  HP_ASSIGN_OR_RETURN(
      const Tensor* const head,
      tensors_.TakeKernel(InSequence(layout_.HeadWeight(), LayersBeforeHead(), tensors_), 1, width,
                          field));
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
  if (addends_.empty() && outputs_.empty()) {
    return absl::InvalidArgumentError(
        "spec: neither wide.features nor deep.features has a feature: the model has no input");
  }
  if (outputs_.empty()) {
    HP_RETURN_IF_ERROR(AddBiases());
    const ValueId logit = graph_.Append("logit", AddOp(), addends_, 1);
    const OutputSpec output = OutputsOfSpec()[0];
    AddOutput({output.name, logit, output.task});
  }
  tensors_.Add(PutRankingFirst());
  graph_.SetOutputs(std::move(outputs_));
  if (layout_.traits().shared_tables_have_every_name) {
    HP_RETURN_IF_ERROR(IgnoreOtherNamesOfTables());
  }
  CheckEveryTensorIsUsed(fields);
  HP_RETURN_IF_ERROR(tensors_.Faults());
  HP_RETURN_IF_ERROR(Verify(graph_));
  return std::move(graph_);
}

std::vector<OutputSpec> ModelBuilder::OutputsOfSpec() const {
  if (!spec_.outputs.empty()) return spec_.outputs;
  return {{kDefaultOutputName, spec_.task}};
}

absl::StatusOr<const Output*> ModelBuilder::FindOutput(const std::string& name) const {
  std::vector<std::string> names;
  for (const Output& output : outputs_) {
    if (output.name == name) return &output;
    names.push_back(output.name);
  }
  return absl::InvalidArgumentError(absl::StrCat("spec: model.rank_by: there is no output '", name,
                                                 "', the model has: ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<ValueId> ModelBuilder::LogOfProduct(const std::string& name,
                                                   const std::vector<Power>& product) {
  // Logits of probabilities, and what are logarithms already; their exponents likewise.
  std::vector<ValueId> logits, logarithms;
  std::vector<double> exponents, others;
  for (const Power& power : product) {
    HP_ASSIGN_OR_RETURN(const Output* const output, FindOutput(power.output));
    switch (output->task) {
      case schema::Task::Binary:
        logits.push_back(output->value);
        exponents.push_back(power.exponent);
        break;
      case schema::Task::LogProbability:
        logarithms.push_back(output->value);
        others.push_back(power.exponent);
        break;
      default:
        return absl::InvalidArgumentError(
            absl::StrCat("spec: model.rank_by has output '", power.output, "', which is ",
                         output->task == schema::Task::Regression
                             ? "a regression: it has no probability to multiply by"
                             : "a sum of probabilities: what is multiplied here are sigmoids of "
                               "logits"));
    }
  }
  std::vector<ValueId> parts;
  if (!logits.empty()) {
    const auto width = static_cast<uint32_t>(logits.size());
    const ValueId joined = width == 1 ? logits[0]
                                      : graph_.Append(absl::StrCat(name, ".logits"), kConcat,
                                                      std::move(logits), width);
    parts.push_back(graph_.Append(absl::StrCat(name, ".log_sigmoid"),
                                  ActivationOp({schema::ActivationKind::LogSigmoid}), {joined},
                                  width));
  }
  parts.insert(parts.end(), logarithms.begin(), logarithms.end());
  exponents.insert(exponents.end(), others.begin(), others.end());
  const auto width = static_cast<uint32_t>(exponents.size());
  const ValueId input = parts.size() == 1 ? parts[0]
                                          : graph_.Append(absl::StrCat(name, ".logarithms"),
                                                          kConcat, std::move(parts), width);
  DenseData sum;
  sum.name = name;
  sum.input_width = width;
  sum.output_width = 1;
  sum.weights = std::move(exponents);
  const DenseId id = graph_.AddDense(std::move(sum));
  return graph_.Append(name, DenseOp(id, {}), {input}, 1);
}

absl::Status ModelBuilder::RankByProduct() {
  constexpr char kName[] = "ranking";
  std::vector<Power> product;
  for (const auto& [name, exponent] : spec_.rank_by.powers) product.push_back({name, exponent});
  for (const Output& output : outputs_) {
    if (output.name != kName) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("spec: model.rank_by is a product, which becomes the output '", kName,
                     "'; call that one of model.outputs otherwise"));
  }
  HP_ASSIGN_OR_RETURN(const ValueId value, LogOfProduct(kName, product));
  outputs_.insert(outputs_.begin(),
                  {kName, value, schema::Task::LogProbability, std::move(product)});
  return absl::OkStatus();
}

absl::Status ModelBuilder::PutRankingFirst() {
  if (!spec_.rank_by.powers.empty()) return RankByProduct();
  if (spec_.rank_by.output.empty()) return absl::OkStatus();
  HP_ASSIGN_OR_RETURN(const Output* const first, FindOutput(spec_.rank_by.output));
  const auto found = outputs_.begin() + (first - outputs_.data());
  std::rotate(outputs_.begin(), found, found + 1);
  return absl::OkStatus();
}

absl::Status ModelBuilder::AddBiases() {
  for (const BiasTensor& bias : layout_.Biases(!spec_.wide.features.empty(), has_head_)) {
    const std::string name = InSequence(bias.name, LayersBeforeHead(), tensors_);
    if (!bias.required && !tensors_.Has(name)) continue;
    HP_ASSIGN_OR_RETURN(const Tensor* const tensor,
                        tensors_.Take(name, {{1}}, "the layout's bias of the logit"));
    AddToLogit(graph_.Append(name, ConstantOp(Doubles(*tensor)), {}, 1));
  }
  return absl::OkStatus();
}

// What the spec of a model cannot say, and its tensors do.
absl::Status ModelBuilder::RefuseTensors() const {
  for (const RefusedTensor& refused : layout_.traits().refused) {
    for (const std::string& name : tensors_.Untaken()) {
      if (!absl::StrContains(name, refused.in_name)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("weights: tensor '", name, "' ", refused.reason));
    }
  }
  return absl::OkStatus();
}

// Leaves out what holds the numbers of a table that was read, under another name.
absl::Status ModelBuilder::IgnoreOtherNamesOfTables() {
  constexpr char kField[] = "embedding.table";
  std::map<std::string, const Tensor*> tables;  // Those that were read.
  std::set<std::string> untaken;
  for (const std::string& name : tensors_.Untaken()) untaken.insert(name);
  for (const FeatureSpec& feature : spec_.features) {
    const std::string table = layout_.DeepTable(feature.table);
    if (!tensors_.Has(table) || untaken.count(table) == 1) continue;
    HP_ASSIGN_OR_RETURN(tables[table], tensors_.Take(table, {{kAnySize, kAnySize}}, kField));
  }
  const std::string pattern = layout_.DeepTable("*");
  const size_t place = pattern.find('*');
  for (const auto& [name, shape] : tensors_.Beginning(pattern.substr(0, place))) {
    if (untaken.count(name) == 0 || !absl::EndsWith(name, pattern.substr(place + 1))) continue;
    std::vector<std::string> alike;
    for (const auto& [table, tensor] : tables) {
      if (tensor->shape == shape) alike.push_back(table);
    }
    if (alike.empty()) continue;
    HP_ASSIGN_OR_RETURN(const Tensor* const other, tensors_.Take(name, {shape}, kField));
    const bool is_known = std::any_of(alike.begin(), alike.end(), [&](const std::string& table) {
      return tables[table]->data == other->data;
    });
    if (is_known) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("weights: nothing in the spec uses '", name,
                     "', and it is no other name of a table that is read: its numbers are not "
                     "those of '",
                     absl::StrJoin(alike, "' or '"), "'"));
  }
  return absl::OkStatus();
}

void ModelBuilder::CheckEveryTensorIsUsed(const std::string& fields) {
  std::vector<std::string> unused;
  for (const std::string& name : tensors_.Untaken()) {
    const auto& unread = layout_.traits().unread;
    const bool may_stay = IsTrainingState(name) ||
                          std::any_of(unread.begin(), unread.end(), [&](const char* beginning) {
                            return absl::StartsWith(name, beginning);
                          });
    if (!may_stay) unused.push_back(absl::StrCat("'", name, "'"));
  }
  const std::vector<std::string> names = tensors_.UnusedNames();
  for (const std::string& name : names) {
    tensors_.Add(absl::InvalidArgumentError(
        absl::StrCat("spec: layout.names has '", name, "', but this model has no such tensor")));
  }
  // Those of names that lead nowhere follow from that.
  if (unused.empty() || !names.empty()) return;
  constexpr size_t kMostNamed = 20;
  const size_t more = unused.size() > kMostNamed ? unused.size() - kMostNamed : 0;
  unused.resize(unused.size() - more);
  tensors_.Add(absl::InvalidArgumentError(
      absl::StrCat("weights: nothing in the spec uses ", absl::StrJoin(unused, ", "),
                   more > 0 ? absl::StrCat(" and ", more, " more") : "",
                   "; expected a spec that describes the whole model (its ", fields, ")")));
}

}  // namespace handpick::converter
