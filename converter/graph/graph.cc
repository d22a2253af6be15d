#include "converter/graph/graph.h"

#include <cstddef>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/graph/infer_domains.h"
#include "converter/io/status_macros.h"
#include "schema/bundle_generated.h"
#include "schema/operator_check.h"

namespace handpick::converter {
namespace {

// A node in the terms of the operators' contract. Its indices exist.
class NodeView {
 public:
  NodeView(const Graph& graph, const Node& node) : graph_(graph), node_(node), op_(node.op) {}

  size_t operand_count() const { return node_.inputs.size(); }
  uint32_t OperandWidth(size_t i) const { return graph_.WidthOf(node_.inputs[i]); }
  uint32_t output_width() const { return graph_.WidthOf(node_.output); }
  size_t lookup_count() const { return op_.lookups.size(); }
  uint32_t LookupDimension(size_t i) const {
    return graph_.tables[op_.lookups[i].table]->dimension;
  }
  schema::Combiner LookupCombiner(size_t i) const { return op_.lookups[i].combiner; }
  size_t feature_count() const { return op_.features.size(); }
  uint32_t NumericDimension(size_t i) const {
    const schema::FeatureT& feature = *graph_.features->features[op_.features[i]];
    return feature.type == schema::FeatureType::Numeric ? feature.dimension : 0;
  }
  size_t weight_count() const { return op_.weights.size(); }
  schema::MatrixShape Matrix(size_t i) const {
    const DenseData& dense = *graph_.dense[op_.weights[i]];
    return {dense.output_width, dense.input_width, !dense.bias.empty()};
  }
  size_t activation_count() const { return op_.activations.size(); }
  schema::ActivationShape Activation(size_t i) const {
    const ActivationSpec& activation = op_.activations[i];
    return {activation.kind, activation.alpha.size(), activation.scale.size(),
            activation.shift.size()};
  }
  size_t number_count() const { return op_.numbers.size(); }
  schema::RecurrentCell cell() const { return op_.cell; }
  schema::Combiner combiner() const { return op_.combiner; }
  uint32_t ForestWidth() const {
    return op_.forest.has_value() ? graph_.forests[*op_.forest]->input_width : 0;
  }
  double empty_value() const { return op_.empty_value; }
  bool squared() const { return op_.squared; }

 private:
  const Graph& graph_;
  const Node& node_;
  const Operator& op_;
};

// Checks one node, whose operands are known to exist.
class NodeChecker {
 public:
  NodeChecker(const Graph& graph, const Node& node)
      : graph_(graph), node_(node), row_(FindGraphOperator(node.op.kind)) {}

  absl::Status Check() const {
    if (row_ == nullptr) return Error("is of an unknown kind");
    HP_RETURN_IF_ERROR(CheckReferences());
    const schema::StepFault fault = schema::CheckContract(*row_, NodeView(graph_, node_));
    if (fault) return Error(FaultText(fault));
    return CheckGraphOnly();
  }

 private:
  absl::Status Error(const std::string& what) const {
    return absl::InternalError(
        absl::StrCat("node '", graph_.NameOf(node_), "' (", OperatorName(node_.op), "): ", what));
  }

  absl::Status CheckWidth(const char* what, uint64_t width, uint64_t expected) const {
    if (width == expected) return absl::OkStatus();
    return Error(absl::StrCat(what, " is ", width, " wide, expected ", expected));
  }

  // That what the node refers to exists.
  absl::Status CheckReferences() const {
    for (const Lookup& lookup : node_.op.lookups) HP_RETURN_IF_ERROR(CheckLookup(lookup));
    const bool gives_rows = row_->features == schema::FeatureRule::kMask;
    for (const uint32_t feature : node_.op.features) {
      HP_RETURN_IF_ERROR(CheckFeature(feature, gives_rows));
      if (gives_rows && graph_.features->features[feature]->side != schema::Side::History) {
        return Error("its mask is no feature of the history");
      }
    }
    for (const DenseId weights : node_.op.weights) HP_RETURN_IF_ERROR(CheckWeights(weights));
    return node_.op.forest.has_value() ? CheckForest(*node_.op.forest) : absl::OkStatus();
  }

  absl::Status CheckForest(ForestId forest) const {
    if (forest >= graph_.forests.size()) {
      return Error(absl::StrCat("reads forest ", forest, ", which does not exist"));
    }
    const schema::ForestFault fault = schema::CheckForest(graph_.forests[forest]->View());
    if (!fault) return absl::OkStatus();
    if (!fault.in_tree) return Error(absl::StrCat("its forest: ", fault.problem));
    return Error(
        absl::StrCat("its forest: tree ", fault.tree, ", node ", fault.node, ": ", fault.problem));
  }

  absl::Status CheckFeature(uint32_t feature, bool gives_rows) const {
    if (graph_.features == nullptr || feature >= graph_.features->features.size()) {
      return Error(absl::StrCat("reads feature ", feature, ", which does not exist"));
    }
    const schema::FeatureType type = graph_.features->features[feature]->type;
    const bool has_rows = type == schema::FeatureType::Categorical ||
                          type == schema::FeatureType::MultiCategorical ||
                          type == schema::FeatureType::Crossed;
    if (gives_rows ? !has_rows : type != schema::FeatureType::Numeric) {
      return Error(absl::StrCat("cannot read feature '", graph_.features->features[feature]->name,
                                "', which is ", FeatureTypeName(type)));
    }
    return absl::OkStatus();
  }

  absl::Status CheckLookup(const Lookup& lookup) const {
    HP_RETURN_IF_ERROR(CheckFeature(lookup.feature, /*gives_rows=*/true));
    if (lookup.table >= graph_.tables.size()) {
      return Error(absl::StrCat("reads table ", lookup.table, ", which does not exist"));
    }
    const TableData& table = *graph_.tables[lookup.table];
    if (RowCount(*graph_.features, lookup.feature) > table.rows) {
      return Error(absl::StrCat("table '", table.name, "' has ", table.rows, " rows, feature '",
                                graph_.features->features[lookup.feature]->name, "' needs ",
                                RowCount(*graph_.features, lookup.feature)));
    }
    return absl::OkStatus();
  }

  absl::Status CheckWeights(DenseId weights) const {
    if (weights >= graph_.dense.size()) {
      return Error(absl::StrCat("reads weights ", weights, ", which do not exist"));
    }
    const DenseData& dense = *graph_.dense[weights];
    if (dense.weights.size() != static_cast<uint64_t>(dense.input_width) * dense.output_width) {
      return Error(absl::StrCat("has ", dense.weights.size(), " weights, expected ",
                                dense.output_width, " x ", dense.input_width));
    }
    if (!dense.bias.empty() && dense.bias.size() != dense.output_width) {
      return Error(
          absl::StrCat("has ", dense.bias.size(), " biases, expected ", dense.output_width));
    }
    return absl::OkStatus();
  }

  // What the table of operators does not say of a graph's own.
  absl::Status CheckGraphOnly() const {
    const Operator& op = node_.op;
    const uint32_t width = graph_.WidthOf(node_.output);
    if (!op.bias.empty()) {
      if (!op.Is(OperatorKind::Add)) return Error("has a bias, which it does not take");
      HP_RETURN_IF_ERROR(CheckWidth("its bias", op.bias.size(), width));
    }
    if (op.kind == kConstant) return CheckWidth("its output", width, op.numbers.size());
    if (op.kind == kConcat) {
      uint64_t together = 0;
      for (ValueId input : node_.inputs) together += graph_.WidthOf(input);
      return CheckWidth("its output", width, together);
    }
    if (op.kind == kSlice) {
      const uint64_t end = static_cast<uint64_t>(op.column) + width;
      if (end <= graph_.WidthOf(node_.inputs[0])) return absl::OkStatus();
      return Error(absl::StrCat("ends at column ", end, " of ", graph_.WidthOf(node_.inputs[0])));
    }
    const uint64_t fields = node_.inputs.size();
    const uint64_t vector = fields == 0 ? 0 : graph_.WidthOf(node_.inputs[0]);
    if (op.kind == kPairProducts) {
      const uint64_t pairs = fields * (fields - 1) / 2;
      const uint64_t numbers = op.numbers.size();
      if (numbers != 0 && numbers != pairs && numbers != pairs * vector &&
          numbers != pairs * vector * vector) {
        return Error(absl::StrCat("has ", numbers, " numbers for ", pairs, " pairs"));
      }
      return CheckWidth("its output", width, pairs);
    }
    if (op.kind == kSquareOfSum) return CheckWidth("its output", width, vector * vector);
    if (op.kind == kFieldAwarePairs) {
      if (vector % fields != 0) {
        return Error(absl::StrCat("has vectors of ", vector, " numbers for ", fields, " fields"));
      }
      return CheckWidth("its output", width, 1);
    }
    if (op.kind == kAttentionalPairs && fields < 2) return Error("has no pair");
    if (op.kind == kBatchNormalization) {
      if (op.batch_norm == nullptr) return Error("has no statistics");
      const BatchNormStatistics& of = *op.batch_norm;
      for (const auto* column : {&of.mean, &of.variance, &of.scale, &of.offset}) {
        HP_RETURN_IF_ERROR(CheckWidth("a statistic", column->size(), width));
      }
    }
    return absl::OkStatus();
  }

  const Graph& graph_;
  const Node& node_;
  const schema::OperatorRow* row_;
};

absl::Status CheckOutputs(const Graph& graph, const std::vector<bool>& made) {
  const std::vector<Output> outputs = graph.Outputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string what =
        i == 0 ? std::string("the logit") : absl::StrCat("output '", outputs[i].name, "'");
    if (outputs[i].value >= graph.values.size() || !made[outputs[i].value]) {
      return absl::InternalError(absl::StrCat(what, " is not made by any node"));
    }
    if (graph.WidthOf(outputs[i].value) != 1) {
      return absl::InternalError(
          absl::StrCat(what, " is ", graph.WidthOf(outputs[i].value), " wide, expected 1"));
    }
    for (size_t j = 0; j < i; ++j) {
      if (outputs[j].name != outputs[i].name) continue;
      return absl::InternalError(absl::StrCat(what, " has the name of another"));
    }
  }
  return absl::OkStatus();
}

// Checks that what runs over the events of the history is given values that vary along them.
absl::Status CheckEventAxes(const Graph& graph) {
  const std::vector<Domain> domains = InferDomains(graph);
  for (const Node& node : graph.nodes) {
    const schema::OperatorRow& row = *FindGraphOperator(node.op.kind);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const schema::OperandDomain rule = schema::RuleOfOperand(row, i).domain;
      const bool over_events =
          rule == schema::OperandDomain::kHistory || rule == schema::OperandDomain::kPair;
      const Domain domain = domains[node.inputs[i]];
      // States are kept with the events.
      const bool is_good =
          row.kind == OperatorKind::Recurrence ? domain == Domain::History() : domain.has_event();
      if (!over_events || is_good || row.kind == OperatorKind::PoolHistory) continue;
      return absl::InternalError(absl::StrCat("node '", graph.NameOf(node), "' (",
                                              OperatorName(node.op),
                                              "): an input does not vary along the history"));
    }
  }
  return absl::OkStatus();
}

// Checks that each node reads, and looks up, the events of one sequence.
absl::Status CheckSequences(const Graph& graph) {
  const std::vector<uint32_t> sequences = InferSequences(graph);
  for (const Node& node : graph.nodes) {
    const uint32_t own = SequenceOf(graph, node, sequences);
    const auto is_other = [&](uint32_t sequence) {
      return sequence != kNoSequence && sequence != own;
    };
    bool mixes = false;
    for (const ValueId input : node.inputs) mixes |= is_other(sequences[input]);
    std::vector<uint32_t> features = node.op.features;
    for (const Lookup& lookup : node.op.lookups) features.push_back(lookup.feature);
    for (const uint32_t f : features) {
      const schema::FeatureT& feature = *graph.features->features[f];
      mixes |= feature.side == schema::Side::History && is_other(feature.sequence);
    }
    if (mixes) {
      return absl::InternalError(absl::StrCat("node '", graph.NameOf(node), "' (",
                                              OperatorName(node.op),
                                              "): reads the events of two sequences"));
    }
    if (own != kNoSequence && own >= graph.sequences.size()) {
      return absl::InternalError(absl::StrCat("node '", graph.NameOf(node), "' (",
                                              OperatorName(node.op), "): is of sequence ", own,
                                              " of ", graph.sequences.size()));
    }
  }
  return absl::OkStatus();
}

// Checks that numbers which may be missing go into forests and nowhere else.
class MissingChecker {
 public:
  explicit MissingChecker(const Graph& graph) : graph_(graph), columns_(graph.values.size()) {}

  absl::Status Check() {
    for (const Node& node : graph_.nodes) {
      if (node.op.Is(OperatorKind::Numeric)) {
        AddFeatures(node);
      } else if (IsPlace(node.op.kind) || node.op.Is(OperatorKind::Copy)) {
        Move(node);
      } else if (!node.op.Is(OperatorKind::Forest)) {
        for (const ValueId input : node.inputs) {
          HP_RETURN_IF_ERROR(Refuse(input, absl::StrCat("'", graph_.NameOf(node), "' (",
                                                        OperatorName(node.op), ") reads them")));
        }
      }
    }
    return Refuse(graph_.logit, "they are the logit");
  }

 private:
  // By column, the feature that may be missing there; empty: none in any column.
  using Columns = std::vector<const std::string*>;

  void AddFeatures(const Node& node) {
    bool any = false;
    Columns columns;
    for (const uint32_t f : node.op.features) {
      const schema::FeatureT& feature = *graph_.features->features[f];
      any = any || feature.may_be_missing;
      columns.insert(columns.end(), feature.dimension,
                     feature.may_be_missing ? &feature.name : nullptr);
    }
    if (any) columns_[node.output] = std::move(columns);
  }

  void Move(const Node& node) {
    bool any = false;
    for (const ValueId input : node.inputs) any = any || !columns_[input].empty();
    if (!any) return;
    Columns columns;
    for (const ValueId input : node.inputs) {
      Columns own = columns_[input];
      own.resize(graph_.WidthOf(input), nullptr);
      columns.insert(columns.end(), own.begin(), own.end());
    }
    if (node.op.Is(kSlice)) {
      columns.erase(columns.begin(), columns.begin() + node.op.column);
      columns.resize(graph_.WidthOf(node.output));
    }
    for (const std::string* column : columns) {
      if (column == nullptr) continue;
      columns_[node.output] = std::move(columns);
      return;
    }
  }

  absl::Status Refuse(ValueId value, const std::string& use) const {
    for (const std::string* feature : columns_[value]) {
      if (feature == nullptr) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("the numbers of feature '", *feature,
                       "' may be missing, which trees can read and nothing else can: ", use));
    }
    return absl::OkStatus();
  }

  const Graph& graph_;
  std::vector<Columns> columns_;  // By value.
};

}  // namespace

ValueId Graph::AddValue(std::string name, uint32_t width) {
  values.push_back({std::move(name), width});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::Append(std::string name, Operator op, std::vector<ValueId> inputs, uint32_t width) {
  const ValueId output = AddValue(std::move(name), width);
  nodes.push_back({std::move(op), std::move(inputs), output});
  return output;
}

TableId Graph::AddTable(TableData table) {
  tables.push_back(std::make_shared<const TableData>(std::move(table)));
  return static_cast<TableId>(tables.size() - 1);
}

DenseId Graph::AddDense(DenseData weights) {
  dense.push_back(std::make_shared<const DenseData>(std::move(weights)));
  return static_cast<DenseId>(dense.size() - 1);
}

ForestId Graph::AddForest(ForestData forest) {
  forests.push_back(std::make_shared<const ForestData>(std::move(forest)));
  return static_cast<ForestId>(forests.size() - 1);
}

std::string FaultText(const schema::StepFault& fault) {
  std::string text = fault.thing;
  if (fault.name[0] != 0) absl::StrAppend(&text, " '", fault.name, "'");
  if (std::strcmp(fault.problem, "number") != 0) return absl::StrCat(text, " ", fault.problem);
  return absl::StrCat(text, " is ", fault.found, ", expected ", fault.expected);
}

absl::Status Verify(const Graph& graph) {
  std::vector<bool> made(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    if (node.output >= graph.values.size()) {
      return absl::InternalError(
          absl::StrCat("a node writes value ", node.output, " of ", graph.values.size()));
    }
    const std::string& name = graph.NameOf(node);
    if (graph.WidthOf(node.output) == 0) {
      return absl::InternalError(absl::StrCat("node '", name, "' has no columns"));
    }
    for (ValueId input : node.inputs) {
      if (input >= graph.values.size() || !made[input]) {
        return absl::InternalError(absl::StrCat(
            "node '", name, "' reads value ",
            input < graph.values.size() ? graph.values[input].name : absl::StrCat(input),
            " before it is made"));
      }
    }
    if (made[node.output]) {
      return absl::InternalError(absl::StrCat("value '", name, "' is made twice"));
    }
    made[node.output] = true;
    if (auto status = NodeChecker(graph, node).Check(); !status.ok()) return status;
  }
  HP_RETURN_IF_ERROR(CheckOutputs(graph, made));
  HP_RETURN_IF_ERROR(MissingChecker(graph).Check());
  HP_RETURN_IF_ERROR(CheckEventAxes(graph));
  return CheckSequences(graph);
}

uint32_t Graph::max_history() const {
  uint32_t most = 0;
  for (const Sequence& sequence : sequences) most = std::max(most, sequence.max_events);
  return most;
}

std::vector<Output> Graph::Outputs() const {
  std::vector<Output> outputs = {{output_name, logit, task, product}};
  outputs.insert(outputs.end(), other_outputs.begin(), other_outputs.end());
  return outputs;
}

void Graph::SetOutputs(std::vector<Output> outputs) {
  logit = outputs[0].value;
  task = outputs[0].task;
  output_name = std::move(outputs[0].name);
  product = std::move(outputs[0].product);
  outputs.erase(outputs.begin());
  other_outputs = std::move(outputs);
}

std::vector<ValueId> Graph::OutputValues() const {
  std::vector<ValueId> of_outputs = {logit};
  for (const Output& output : other_outputs) of_outputs.push_back(output.value);
  return of_outputs;
}

std::vector<size_t> ProducerOfEachValue(const Graph& graph) {
  std::vector<size_t> producers(graph.values.size(), graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) producers[graph.nodes[i].output] = i;
  return producers;
}

std::vector<size_t> ReadersOfEachValue(const Graph& graph) {
  std::vector<size_t> readers(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (ValueId input : node.inputs) ++readers[input];
  }
  for (const ValueId output : graph.OutputValues()) ++readers[output];
  return readers;
}

}  // namespace handpick::converter
