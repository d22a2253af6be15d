#include "converter/passes/gather_fields.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/graph/infer_domains.h"
#include "converter/passes/remove_dead_code.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

// Neighbours in a concatenation that become one node.
struct Group {
  std::string name;
  std::vector<ValueId> fields;  // In the concatenation's order.
  ValueId value = 0;            // Of the node, once it is made.
  bool is_made = false;
};

class Gatherer {
 public:
  explicit Gatherer(const Graph& graph)
      : graph_(graph),
        producers_(ProducerOfEachValue(graph)),
        readers_(ReadersOfEachValue(graph)),
        domains_(InferDomains(graph)),
        rewriter_(graph) {
    for (const ValueId output : graph.OutputValues()) outputs_.insert(output);
    std::vector<const Node*> concats;
    for (const Node& node : graph.nodes) {
      if (node.op.Is(kConcat)) concats.push_back(&node);
    }
    // What a shorter one joins is then often a part of what a longer one does.
    std::stable_sort(concats.begin(), concats.end(), [](const Node* a, const Node* b) {
      return a->inputs.size() > b->inputs.size();
    });
    for (const Node* concat : concats) FindGroups(*concat);
  }

  Graph Run() {
    for (const Node& node : graph_.nodes) {
      if (const auto group = group_of_.find(node.output); group != group_of_.end()) {
        Gather(node, &groups_[group->second]);
      } else if (node.op.Is(kConcat)) {
        AddConcat(node);
      } else {
        rewriter_.Keep(node);
      }
    }
    return rewriter_.Finish();
  }

 private:
  const Operator& OpOf(ValueId value) const { return graph_.nodes[producers_[value]].op; }

  bool IsFree(ValueId value) const {
    return outputs_.count(value) == 0 && group_of_.count(value) == 0 &&
           (OpOf(value).Is(OperatorKind::Embedding) || OpOf(value).Is(OperatorKind::Numeric));
  }

  void FindGroups(const Node& concat) {
    const std::vector<ValueId>& inputs = concat.inputs;
    for (size_t begin = 0, end; begin < inputs.size(); begin = end) {
      const ValueId first = inputs[begin];
      end = begin + 1;
      if (!IsFree(first)) continue;
      group_of_[first] = groups_.size();
      while (end < inputs.size() && IsFree(inputs[end]) &&
             OpOf(inputs[end]).kind == OpOf(first).kind &&
             domains_[inputs[end]] == domains_[first]) {
        group_of_[inputs[end++]] = groups_.size();
      }
      if (end - begin == 1) {
        group_of_.erase(first);
        continue;
      }
      Group group;
      group.name = absl::StrCat(graph_.NameOf(concat), ".", graph_.values[first].name);
      group.fields.assign(inputs.begin() + static_cast<std::ptrdiff_t>(begin),
                          inputs.begin() + static_cast<std::ptrdiff_t>(end));
      groups_.push_back(std::move(group));
    }
  }

  // Fields have no operands: where the first of a group was, all of it can be.
  void Gather(const Node& field, Group* group) {
    if (!group->is_made) Make(group);
    // Beside the concatenation.
    if (readers_[field.output] == 1) return;
    rewriter_.Add({SliceOp(ColumnOf(*group, field.output)), {group->value}, field.output});
  }

  void Make(Group* group) {
    Operator all(OpOf(group->fields[0]).kind);
    uint32_t width = 0;
    for (const ValueId field : group->fields) {
      const Operator& op = OpOf(field);
      all.lookups.insert(all.lookups.end(), op.lookups.begin(), op.lookups.end());
      all.features.insert(all.features.end(), op.features.begin(), op.features.end());
      width += graph_.WidthOf(field);
    }
    group->value = rewriter_.Append(group->name, std::move(all), {}, width);
    group->is_made = true;
  }

  void AddConcat(const Node& concat) {
    const Node current = rewriter_.Current(concat);
    Node node = current;
    node.inputs.clear();
    for (size_t i = 0; i < concat.inputs.size();) {
      const size_t count = NeighboursFrom(concat.inputs, i);
      node.inputs.push_back(count == 1 ? current.inputs[i] : Part(concat, i, count));
      i += count;
    }
    if (node.inputs.size() == 1) {
      rewriter_.Replace(concat.output, node.inputs[0]);
    } else {
      rewriter_.Add(std::move(node));
    }
  }

  // How many values from number i on are neighbours in one group too; 1 at least.
  size_t NeighboursFrom(const std::vector<ValueId>& values, size_t i) const {
    const auto found = group_of_.find(values[i]);
    if (found == group_of_.end()) return 1;
    const std::vector<ValueId>& fields = groups_[found->second].fields;
    const auto first = std::find(fields.begin(), fields.end(), values[i]);
    const auto values_first = values.begin() + static_cast<std::ptrdiff_t>(i);
    const auto behind = std::mismatch(first, fields.end(), values_first, values.end());
    return static_cast<size_t>(behind.first - first);
  }

  // The part of a group that `count` operands from number i on are.
  ValueId Part(const Node& concat, size_t i, size_t count) {
    const Group& group = groups_[group_of_.at(concat.inputs[i])];
    if (count == group.fields.size()) return group.value;
    uint32_t width = 0;
    for (size_t k = i; k < i + count; ++k) width += graph_.WidthOf(concat.inputs[k]);
    const std::string& first = graph_.values[concat.inputs[i]].name;
    return rewriter_.Append(absl::StrCat(graph_.NameOf(concat), ".", first),
                            SliceOp(ColumnOf(group, concat.inputs[i])), {group.value}, width);
  }

  uint32_t ColumnOf(const Group& group, ValueId field) const {
    uint32_t column = 0;
    for (const ValueId other : group.fields) {
      if (other == field) break;
      column += graph_.WidthOf(other);
    }
    return column;
  }

  const Graph& graph_;
  std::vector<size_t> producers_;
  std::vector<size_t> readers_;
  std::vector<Domain> domains_;
  std::set<ValueId> outputs_;
  std::vector<Group> groups_;
  std::map<ValueId, size_t> group_of_;
  Rewriter rewriter_;
};

}  // namespace

Graph GatherFields(const Graph& graph) {
  // Two that were in concatenations of their own, one inside the other, are neighbours afterwards;
  // and so are two of which one concatenation has a third between them, in another that has not.
  const auto count_fields = [](const Graph& of) {
    return std::count_if(of.nodes.begin(), of.nodes.end(), [](const Node& node) {
      return node.op.Is(OperatorKind::Embedding) || node.op.Is(OperatorKind::Numeric);
    });
  };
  Graph gathered = graph;
  size_t nodes;
  std::ptrdiff_t fields;
  do {
    nodes = gathered.nodes.size();
    fields = count_fields(gathered);
    gathered = RemoveDeadCode(Gatherer(gathered).Run());
  } while (gathered.nodes.size() != nodes || count_fields(gathered) < fields);
  return gathered;
}

}  // namespace handpick::converter
