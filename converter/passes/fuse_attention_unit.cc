#include "converter/passes/fuse_attention_unit.h"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "converter/graph/infer_domains.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

// Layers behind the first that a runtime takes: sdk/bundle/limits.h.
constexpr size_t kMostLayers = 16;
// The query's and the product's.
constexpr size_t kFirstLayerMatrices = 2;

// A unit, and the value that it makes.
struct Unit {
  Operator op = OperatorKind::AttentionUnit;
  std::vector<ValueId> inputs;
  ValueId output = 0;
};

class Matcher {
 public:
  explicit Matcher(const Graph& graph)
      : graph_(graph),
        domains_(InferDomains(graph)),
        producers_(ProducerOfEachValue(graph)),
        readers_(ReadersOfEachValue(graph)) {
    for (const Node& node : graph.nodes) {
      for (ValueId input : node.inputs) reader_[input] = &node;
    }
  }

  // The unit whose first layer ends in the sum `node`. `inner`: values that go with it.
  std::optional<Unit> Match(const Node& node, std::set<ValueId>* inner) const {
    const auto* add = node.op.As(OperatorKind::Add);
    if (add == nullptr || !add->bias.empty() || node.inputs.size() != 3 ||
        domains_[node.output] != Domain::Pair()) {
      return std::nullopt;
    }
    Unit unit;
    if (!MatchFirstLayer(node, &unit)) return std::nullopt;
    unit.op.activations = {add->activation()};
    unit.output = node.output;
    std::set<ValueId> values;
    while (graph_.WidthOf(unit.output) != 1 || unit.op.weights.size() == kFirstLayerMatrices) {
      if (readers_[unit.output] != 1) return std::nullopt;
      const auto next = reader_.find(unit.output);
      if (next == reader_.end()) return std::nullopt;
      const auto* dense = next->second->op.As(OperatorKind::Dense);
      if (dense == nullptr || next->second->inputs.size() != 1) return std::nullopt;
      if (unit.op.weights.size() == kFirstLayerMatrices + kMostLayers) return std::nullopt;
      values.insert(unit.output);
      unit.op.weights.push_back(dense->weights[0]);
      unit.op.activations.push_back(dense->activation());
      unit.output = next->second->output;
    }
    inner->insert(values.begin(), values.end());
    return unit;
  }

 private:
  const Node* ProducerOf(ValueId value) const {
    return producers_[value] < graph_.nodes.size() ? &graph_.nodes[producers_[value]] : nullptr;
  }

  // The linear layer without bias or row that makes a value.
  const Node* PlainLayer(ValueId value) const {
    const Node* node = ProducerOf(value);
    const auto* dense = node == nullptr ? nullptr : node->op.As(OperatorKind::Dense);
    const bool plain = dense != nullptr && node->inputs.size() == 1 && dense->IsLinear() &&
                       graph_.dense[dense->weights[0]]->bias.empty();
    return plain ? node : nullptr;
  }

  bool MatchFirstLayer(const Node& sum, Unit* unit) const {
    const Node* product_layer = nullptr;
    const Node* query_layer = nullptr;
    std::optional<ValueId> key_row;
    for (ValueId input : sum.inputs) {
      if (domains_[input] == Domain::Pair()) {
        product_layer = PlainLayer(input);
      } else if (domains_[input] == Domain::Candidate()) {
        query_layer = PlainLayer(input);
      } else if (domains_[input] == Domain::History()) {
        key_row = input;
      }
    }
    if (product_layer == nullptr || query_layer == nullptr || !key_row.has_value()) return false;
    const Node* product = ProducerOf(product_layer->inputs[0]);
    if (product == nullptr || !product->op.Is(OperatorKind::Multiply)) return false;
    const ValueId query = query_layer->inputs[0];
    const size_t other = product->inputs[0] == query ? 1 : 0;
    const ValueId key = product->inputs[other];
    if (product->inputs[1 - other] != query || domains_[key] != Domain::History()) return false;
    unit->inputs = {query, key, *key_row};
    unit->op.weights = {query_layer->op.weights[0], product_layer->op.weights[0]};
    return true;
  }

  const Graph& graph_;
  const std::vector<Domain> domains_;
  const std::vector<size_t> producers_;
  const std::vector<size_t> readers_;
  std::map<ValueId, const Node*> reader_;  // One of a value's readers.
};

}  // namespace

Graph FuseAttentionUnit(const Graph& graph) {
  const Matcher matcher(graph);
  std::set<ValueId> inner;
  std::map<ValueId, Unit> units;  // By their output.
  for (const Node& node : graph.nodes) {
    if (std::optional<Unit> unit = matcher.Match(node, &inner)) {
      units.emplace(unit->output, *std::move(unit));
    }
  }
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes) {
    if (inner.count(node.output) != 0) continue;
    const auto unit = units.find(node.output);
    if (unit == units.end()) {
      rewriter.Add(rewriter.Current(node));
    } else {
      rewriter.Add({unit->second.op, unit->second.inputs, node.output});
    }
  }
  return rewriter.Finish();
}

}  // namespace handpick::converter
