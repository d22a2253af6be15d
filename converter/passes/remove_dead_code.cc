#include "converter/passes/remove_dead_code.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace handpick::converter {
namespace {

// Gives used things new numbers, in the order of first use.
class Renumbering {
 public:
  explicit Renumbering(size_t size) : numbers_(size, kUnused) {}

  // The new number; `is_new` says whether this is the first use.
  uint32_t Use(uint32_t old_number, bool* is_new) {
    *is_new = numbers_[old_number] == kUnused;
    if (*is_new) numbers_[old_number] = next_++;
    return numbers_[old_number];
  }

 private:
  static constexpr uint32_t kUnused = UINT32_MAX;
  std::vector<uint32_t> numbers_;
  uint32_t next_ = 0;
};

class DeadCodeRemover {
 public:
  explicit DeadCodeRemover(const Graph& graph)
      : graph_(graph),
        values_(graph.values.size()),
        tables_(graph.tables.size()),
        dense_(graph.dense.size()),
        forests_(graph.forests.size()) {}

  Graph Run() {
    Graph result = graph_;
    result.nodes.clear();
    result.values.clear();
    result.tables.clear();
    result.dense.clear();
    result.forests.clear();
    const std::vector<bool> live = LiveValues();
    for (const Node& source : graph_.nodes) {
      if (!live[source.output]) continue;
      Node node = source;
      for (ValueId& input : node.inputs) input = UseValue(input, &result);
      for (Lookup& lookup : node.op.lookups) UseTable(&lookup.table, &result);
      for (DenseId& weights : node.op.weights) UseDense(&weights, &result);
      if (node.op.forest.has_value()) UseForest(&*node.op.forest, &result);
      node.output = UseValue(node.output, &result);
      result.nodes.push_back(std::move(node));
    }
    result.MapOutputValues([&](ValueId value) { return UseValue(value, &result); });
    return result;
  }

 private:
  std::vector<bool> LiveValues() const {
    std::vector<bool> live(graph_.values.size(), false);
    for (const ValueId output : graph_.OutputValues()) live[output] = true;
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      if (!live[graph_.nodes[i].output]) continue;
      for (ValueId input : graph_.nodes[i].inputs) live[input] = true;
    }
    return live;
  }

  ValueId UseValue(ValueId old_id, Graph* result) {
    bool is_new = false;
    const ValueId id = values_.Use(old_id, &is_new);
    if (is_new) result->values.push_back(graph_.values[old_id]);
    return id;
  }

  void UseTable(TableId* table, Graph* result) {
    bool is_new = false;
    const TableId old_id = *table;
    *table = tables_.Use(old_id, &is_new);
    if (is_new) result->tables.push_back(graph_.tables[old_id]);
  }

  void UseDense(DenseId* dense, Graph* result) {
    bool is_new = false;
    const DenseId old_id = *dense;
    *dense = dense_.Use(old_id, &is_new);
    if (is_new) result->dense.push_back(graph_.dense[old_id]);
  }

  void UseForest(ForestId* forest, Graph* result) {
    bool is_new = false;
    const ForestId old_id = *forest;
    *forest = forests_.Use(old_id, &is_new);
    if (is_new) result->forests.push_back(graph_.forests[old_id]);
  }

  const Graph& graph_;
  Renumbering values_;
  Renumbering tables_;
  Renumbering dense_;
  Renumbering forests_;
};

}  // namespace

Graph RemoveDeadCode(const Graph& graph) { return DeadCodeRemover(graph).Run(); }

}  // namespace handpick::converter
