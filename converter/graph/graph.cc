#include "converter/graph/graph.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/graph/infer_domains.h"

namespace handpick::converter {
namespace {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

// Checks one node, whose operands are known to exist.
class NodeChecker {
 public:
  NodeChecker(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  absl::Status Check() const {
    return std::visit([this](const auto& op) { return CheckOp(op); }, node_.op);
  }

 private:
  absl::Status Error(const std::string& what) const {
    return absl::InternalError(
        absl::StrCat("node '", graph_.NameOf(node_), "' (", OperatorName(node_.op), "): ", what));
  }

  uint32_t OutputWidth() const { return graph_.WidthOf(node_.output); }

  absl::Status CheckInputCount(size_t least, size_t most) const {
    if (node_.inputs.size() >= least && node_.inputs.size() <= most) return absl::OkStatus();
    return Error(
        absl::StrCat("has ", node_.inputs.size(), " inputs, expected ", least, " to ", most));
  }

  absl::Status CheckWidth(const char* what, uint64_t width, uint64_t expected) const {
    if (width == expected) return absl::OkStatus();
    return Error(absl::StrCat(what, " is ", width, " wide, expected ", expected));
  }

  absl::Status CheckElementwise() const {
    if (auto status = CheckInputCount(1, 1); !status.ok()) return status;
    return CheckWidth("its input", graph_.WidthOf(node_.inputs[0]), OutputWidth());
  }

  // Inputs as wide as the output.
  absl::Status CheckInputs(size_t least, size_t most) const {
    if (auto status = CheckInputCount(least, most); !status.ok()) return status;
    for (ValueId input : node_.inputs) {
      if (auto status = CheckWidth("an input", graph_.WidthOf(input), OutputWidth());
          !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckActivation(const ActivationSpec& activation) const {
    const size_t alphas = activation.alpha.size();
    const bool is_dice = activation.kind == schema::ActivationKind::Dice;
    const size_t normalised = is_dice ? OutputWidth() : 0;
    if (activation.scale.size() != normalised || activation.shift.size() != normalised) {
      return Error(absl::StrCat("its activation has ", activation.scale.size(), " scales and ",
                                activation.shift.size(), " shifts, expected ", normalised));
    }
    if (is_dice) return CheckWidth("its slope", alphas, OutputWidth());
    if (activation.kind != schema::ActivationKind::Prelu) {
      return alphas == 0 ? absl::OkStatus() : Error("has slopes that its activation does not take");
    }
    if (alphas == 1 || alphas == OutputWidth()) return absl::OkStatus();
    return Error(absl::StrCat("has ", alphas, " slopes, expected 1 or ", OutputWidth()));
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
    if (auto status = CheckFeature(lookup.feature, /*gives_rows=*/true); !status.ok()) {
      return status;
    }
    if (lookup.table >= graph_.tables.size()) {
      return Error(absl::StrCat("reads table ", lookup.table, ", which does not exist"));
    }
    const TableData& table = *graph_.tables[lookup.table];
    if (RowCount(*graph_.features, lookup.feature) > table.rows) {
      return Error(absl::StrCat("table '", table.name, "' has ", table.rows, " rows, feature '",
                                graph_.features->features[lookup.feature]->name, "' needs ",
                                RowCount(*graph_.features, lookup.feature)));
    }
    return CheckWidth("its output", OutputWidth(), table.dimension);
  }

  absl::Status CheckOp(const EmbeddingOp& op) const {
    if (auto status = CheckInputCount(0, 0); !status.ok()) return status;
    return CheckLookup(op.lookup);
  }

  absl::Status CheckLookups(const std::vector<Lookup>& lookups) const {
    if (lookups.empty()) return Error("has no lookups");
    for (const Lookup& lookup : lookups) {
      if (auto status = CheckLookup(lookup); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status CheckOp(const EmbeddingSumOp& op) const {
    if (auto status = CheckInputCount(0, 1); !status.ok()) return status;
    if (auto status = CheckLookups(op.lookups); !status.ok()) return status;
    if (node_.inputs.empty()) return absl::OkStatus();
    return CheckWidth("its addend", graph_.WidthOf(node_.inputs[0]), OutputWidth());
  }

  absl::Status CheckOp(const NumericOp& op) const {
    if (auto status = CheckInputCount(0, 0); !status.ok()) return status;
    if (auto status = CheckFeature(op.feature, /*gives_rows=*/false); !status.ok()) return status;
    return CheckWidth("its output", OutputWidth(),
                      graph_.features->features[op.feature]->dimension);
  }

  absl::Status CheckOp(const ConstantOp& op) const {
    if (auto status = CheckInputCount(0, 0); !status.ok()) return status;
    return CheckWidth("its output", OutputWidth(), op.values.size());
  }

  absl::Status CheckOp(const ConcatOp&) const {
    if (auto status = CheckInputCount(1, SIZE_MAX); !status.ok()) return status;
    uint64_t width = 0;
    for (ValueId input : node_.inputs) width += graph_.WidthOf(input);
    return CheckWidth("its output", OutputWidth(), width);
  }

  absl::Status CheckOp(const SliceOp& op) const {
    if (auto status = CheckInputCount(1, 1); !status.ok()) return status;
    const uint64_t end = static_cast<uint64_t>(op.column) + OutputWidth();
    if (end > graph_.WidthOf(node_.inputs[0])) {
      return Error(absl::StrCat("ends at column ", end, " of ", graph_.WidthOf(node_.inputs[0])));
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

  absl::Status CheckOp(const DenseOp& op) const {
    if (auto status = CheckInputCount(1, 2); !status.ok()) return status;
    if (auto status = CheckWeights(op.weights); !status.ok()) return status;
    const DenseData& dense = *graph_.dense[op.weights];
    if (auto status = CheckWidth("its input", graph_.WidthOf(node_.inputs[0]), dense.input_width);
        !status.ok()) {
      return status;
    }
    if (auto status = CheckWidth("its output", OutputWidth(), dense.output_width); !status.ok()) {
      return status;
    }
    if (node_.inputs.size() == 2) {
      if (auto status = CheckWidth("its row", graph_.WidthOf(node_.inputs[1]), dense.output_width);
          !status.ok()) {
        return status;
      }
    }
    return CheckActivation(op.activation);
  }

  absl::Status CheckOp(const BatchNormOp& op) const {
    for (const auto* column : {&op.mean, &op.variance, &op.scale, &op.offset}) {
      if (auto status = CheckWidth("a statistic", column->size(), OutputWidth()); !status.ok()) {
        return status;
      }
    }
    return CheckElementwise();
  }

  absl::Status CheckOp(const ActivationOp& op) const {
    if (auto status = CheckActivation(op.activation); !status.ok()) return status;
    return CheckElementwise();
  }

  absl::Status CheckOp(const AddOp& op) const {
    if (auto status = CheckInputs(1, SIZE_MAX); !status.ok()) return status;
    if (!op.bias.empty()) {
      if (auto status = CheckWidth("its bias", op.bias.size(), OutputWidth()); !status.ok()) {
        return status;
      }
    }
    return CheckActivation(op.activation);
  }

  absl::Status CheckOp(const PoolHistoryOp& op) const {
    if (op.mask_feature.has_value()) {
      if (auto status = CheckFeature(*op.mask_feature, /*gives_rows=*/true); !status.ok()) {
        return status;
      }
      if (graph_.features->features[*op.mask_feature]->side != schema::Side::History) {
        return Error("its mask is no feature of the history");
      }
    }
    return CheckElementwise();
  }

  absl::Status CheckOp(const MultiplyOp&) const { return CheckInputs(2, 2); }
  absl::Status CheckOp(const SubtractOp&) const { return CheckInputs(2, 2); }
  absl::Status CheckOp(const BiInteractionOp&) const { return CheckInputs(1, SIZE_MAX); }
  absl::Status CheckOp(const BiInteractionOfSumsOp&) const { return CheckInputs(2, 2); }

  absl::Status CheckOp(const EmbeddingBiInteractionOp& op) const {
    if (auto status = CheckInputs(0, 2); !status.ok()) return status;
    if (node_.inputs.size() == 1) return Error("has a sum without squares");
    return CheckLookups(op.lookups);
  }

  absl::Status CheckOp(const SoftmaxOverHistoryOp&) const {
    if (auto status = CheckWidth("its output", OutputWidth(), 1); !status.ok()) return status;
    return CheckElementwise();
  }

  absl::Status CheckOp(const WeightedPoolOp& op) const {
    if (auto status = CheckInputCount(2, 2); !status.ok()) return status;
    if (auto status = CheckWidth("its weight", graph_.WidthOf(node_.inputs[0]), 1); !status.ok()) {
      return status;
    }
    if (!op.empty_value.empty()) {
      if (auto status = CheckWidth("its empty value", op.empty_value.size(), OutputWidth());
          !status.ok()) {
        return status;
      }
    }
    return CheckWidth("its value", graph_.WidthOf(node_.inputs[1]), OutputWidth());
  }

  absl::Status CheckRecurrence(DenseId weights) const {
    if (auto status = CheckWeights(weights); !status.ok()) return status;
    const uint64_t gates = uint64_t{3} * OutputWidth();
    const DenseData& dense = *graph_.dense[weights];
    if (auto status = CheckWidth("its state", dense.input_width, OutputWidth()); !status.ok()) {
      return status;
    }
    if (auto status = CheckWidth("its weights' output", dense.output_width, gates); !status.ok()) {
      return status;
    }
    return CheckWidth("its gates", graph_.WidthOf(node_.inputs[0]), gates);
  }

  absl::Status CheckOp(const RecurrenceOp& op) const {
    if (auto status = CheckInputCount(1, 1); !status.ok()) return status;
    return CheckRecurrence(op.weights);
  }

  absl::Status CheckOp(const AttentionRecurrenceOp& op) const {
    if (auto status = CheckInputCount(2, 2); !status.ok()) return status;
    if (op.cell < schema::RecurrentCell::AttentionInputGru ||
        op.cell > schema::RecurrentCell::AttentionUpdateGru) {
      return Error("has no cell with attention");
    }
    const bool has_bias = op.cell == schema::RecurrentCell::AttentionInputGru;
    if (auto status = CheckWidth("its input bias", op.input_bias.size(),
                                 has_bias ? uint64_t{3} * OutputWidth() : 0);
        !status.ok()) {
      return status;
    }
    if (auto status = CheckWidth("its attention", graph_.WidthOf(node_.inputs[1]), 1);
        !status.ok()) {
      return status;
    }
    return CheckRecurrence(op.weights);
  }

  absl::Status CheckOp(const AttentionUnitOp& op) const {
    if (auto status = CheckInputCount(3, 3); !status.ok()) return status;
    const uint32_t query_width = graph_.WidthOf(node_.inputs[0]);
    uint32_t width = graph_.WidthOf(node_.inputs[2]);
    if (auto status = CheckWidth("its key", graph_.WidthOf(node_.inputs[1]), query_width);
        !status.ok()) {
      return status;
    }
    for (const DenseId weights : {op.query_weights, op.product_weights}) {
      if (auto status = CheckLayer(weights, query_width, width); !status.ok()) return status;
      if (!graph_.dense[weights]->bias.empty()) return Error("has a bias in its first layer");
    }
    if (op.layers.empty()) return Error("has no layer behind its first");
    for (const AttentionLayerSpec& layer : op.layers) {
      if (auto status = CheckWeights(layer.weights); !status.ok()) return status;
      const uint32_t next = graph_.dense[layer.weights]->output_width;
      if (auto status = CheckLayer(layer.weights, width, next); !status.ok()) return status;
      width = next;
    }
    if (auto status = CheckWidth("its last layer", width, 1); !status.ok()) return status;
    return CheckWidth("its output", OutputWidth(), 1);
  }

  absl::Status CheckLayer(DenseId weights, uint32_t input_width, uint32_t output_width) const {
    if (auto status = CheckWeights(weights); !status.ok()) return status;
    const DenseData& dense = *graph_.dense[weights];
    if (auto status = CheckWidth("a layer's input", dense.input_width, input_width); !status.ok()) {
      return status;
    }
    return CheckWidth("a layer's output", dense.output_width, output_width);
  }

  absl::Status CheckOp(const QuantizeOp&) const { return CheckElementwise(); }
  absl::Status CheckOp(const CopyOp&) const { return CheckElementwise(); }

  const Graph& graph_;
  const Node& node_;
};

// Checks that what runs over the events of the history is given values that vary along them.
absl::Status CheckEventAxes(const Graph& graph) {
  const std::vector<Domain> domains = InferDomains(graph);
  for (const Node& node : graph.nodes) {
    bool is_good = true;
    if (std::holds_alternative<SoftmaxOverHistoryOp>(node.op)) {
      is_good = domains[node.inputs[0]].has_event();
    } else if (std::holds_alternative<RecurrenceOp>(node.op)) {
      is_good = domains[node.inputs[0]] == Domain::History();
    } else if (std::holds_alternative<WeightedPoolOp>(node.op)) {
      is_good = domains[node.inputs[0]].has_event() && domains[node.inputs[1]].has_event();
    } else if (std::holds_alternative<AttentionRecurrenceOp>(node.op)) {
      is_good = domains[node.inputs[0]] == Domain::History() && domains[node.inputs[1]].has_event();
    } else if (std::holds_alternative<AttentionUnitOp>(node.op)) {
      is_good = domains[node.inputs[1]].has_event() && domains[node.inputs[2]].has_event();
    }
    if (is_good) continue;
    return absl::InternalError(absl::StrCat("node '", graph.NameOf(node), "' (",
                                            OperatorName(node.op),
                                            "): an input does not vary along the history"));
  }
  return absl::OkStatus();
}

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
  if (graph.logit >= graph.values.size() || !made[graph.logit]) {
    return absl::InternalError("the logit is not made by any node");
  }
  if (graph.WidthOf(graph.logit) != 1) {
    return absl::InternalError(
        absl::StrCat("the logit is ", graph.WidthOf(graph.logit), " wide, expected 1"));
  }
  return CheckEventAxes(graph);
}

const char* OperatorName(const Operator& op) {
  return std::visit(
      Overloaded{
          [](const EmbeddingOp&) { return "embedding"; },
          [](const EmbeddingSumOp&) { return "embedding sum"; },
          [](const NumericOp&) { return "numeric"; },
          [](const ConstantOp&) { return "constant"; },
          [](const ConcatOp&) { return "concat"; },
          [](const SliceOp&) { return "slice"; },
          [](const DenseOp&) { return "dense"; },
          [](const BatchNormOp&) { return "batch normalization"; },
          [](const ActivationOp&) { return "activation"; },
          [](const AddOp&) { return "add"; },
          [](const PoolHistoryOp&) { return "pool history"; },
          [](const MultiplyOp&) { return "multiply"; },
          [](const SubtractOp&) { return "subtract"; },
          [](const BiInteractionOp&) { return "bi-interaction"; },
          [](const BiInteractionOfSumsOp&) { return "bi-interaction of sums"; },
          [](const SoftmaxOverHistoryOp&) { return "softmax over history"; },
          [](const WeightedPoolOp&) { return "weighted pool"; },
          [](const RecurrenceOp&) { return "recurrence"; },
          [](const AttentionRecurrenceOp&) { return "attention recurrence"; },
          [](const AttentionUnitOp&) { return "attention unit"; },
          [](const EmbeddingBiInteractionOp&) { return "bi-interaction of embeddings"; },
          [](const QuantizeOp&) { return "quantize"; },
          [](const CopyOp&) { return "copy"; },
      },
      op);
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
  ++readers[graph.logit];
  return readers;
}

}  // namespace handpick::converter
