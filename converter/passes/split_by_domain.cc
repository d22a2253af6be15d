#include "converter/passes/split_by_domain.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/graph/infer_domains.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

// A dense layer's columns from `column` on, times `sign`.
struct Term {
  uint32_t column;
  double sign;
};

// What a dense layer multiplies with the sum of the columns of `terms`.
struct Part {
  ValueId value;
  std::vector<Term> terms;
};

class Splitter {
 public:
  explicit Splitter(const Graph& graph) : rewriter_(graph) {}

  void Visit(Node node) {
    if (const auto* dense = node.op.As(OperatorKind::Dense)) {
      if (SplitDense(node, *dense)) return;
    } else if (const auto* sum = node.op.As(OperatorKind::EmbeddingSum)) {
      if (SplitEmbeddingSum(node, *sum)) return;
    } else if (node.op.Is(OperatorKind::Forest)) {
      if (SplitForest(node)) return;
    }
    const ValueId output = node.output;
    const bool is_concat = node.op.Is(kConcat);
    rewriter_.Add(std::move(node));
    if (is_concat) NoteConcat(output);
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  Graph& graph() { return rewriter_.graph(); }

  std::string PartName(const Node& node, int domain_index) {
    static constexpr Domain kDomains[kDomainCount] = {Domain::Context(), Domain::History(),
                                                      Domain::Candidate(), Domain::Pair()};
    return absl::StrCat(graph().NameOf(node), ".", DomainName(kDomains[domain_index]));
  }

  // What a value is concatenated from, also over concatenations inside it.
  void CollectLeaves(ValueId value, std::vector<ValueId>* leaves) {
    const Node& producer = rewriter_.ProducerOf(value);
    if (!producer.op.Is(kConcat)) {
      leaves->push_back(value);
      return;
    }
    for (ValueId input : producer.inputs) CollectLeaves(input, leaves);
  }

  void NoteConcat(ValueId value) {
    std::vector<ValueId> leaves;
    CollectLeaves(value, &leaves);
    concats_.try_emplace(std::move(leaves), value);
  }

  // The difference that makes a value, if taking it apart adds no multiplication: its operands vary
  // along different axes, or are multiplied by columns of the layer anyhow.
  const Node* Difference(ValueId value, const std::set<ValueId>& leaves) {
    const Node& producer = rewriter_.ProducerOf(value);
    if (!producer.op.Is(kSubtract)) return nullptr;
    bool is_free = true;
    for (ValueId input : producer.inputs) {
      std::vector<ValueId> own;
      CollectLeaves(input, &own);
      for (ValueId leaf : own) is_free = is_free && leaves.count(leaf) != 0;
    }
    const bool differs =
        rewriter_.DomainOf(producer.inputs[0]) != rewriter_.DomainOf(producer.inputs[1]);
    return is_free || differs ? &producer : nullptr;
  }

  // Adds what a value that is multiplied by the columns from `column` on is made of.
  void CollectParts(ValueId value, uint32_t column, double sign, const std::set<ValueId>& leaves,
                    std::vector<Part>* parts) {
    const Node& producer = rewriter_.ProducerOf(value);
    if (producer.op.Is(kConcat)) {
      for (ValueId input : producer.inputs) {
        CollectParts(input, column, sign, leaves, parts);
        column += graph().WidthOf(input);
      }
      return;
    }
    if (producer.op.Is(kConstant)) {
      constants_.push_back({value, {{column, sign}}});
      return;
    }
    if (const Node* difference = Difference(value, leaves)) {
      CollectParts(difference->inputs[0], column, sign, leaves, parts);
      CollectParts(difference->inputs[1], column, -sign, leaves, parts);
      return;
    }
    for (Part& part : *parts) {
      if (part.value != value) continue;
      part.terms.push_back({column, sign});
      return;
    }
    parts->push_back({value, {{column, sign}}});
  }

  bool SplitDense(const Node& node, const Operator& op) {
    std::vector<ValueId> leaves;
    CollectLeaves(node.inputs[0], &leaves);
    std::vector<Part> parts;
    constants_.clear();
    CollectParts(node.inputs[0], 0, 1, {leaves.begin(), leaves.end()}, &parts);
    if (parts.empty()) return false;
    std::map<int, std::vector<Part>> by_domain;
    bool is_plain = constants_.empty();
    for (const Part& part : parts) {
      is_plain = is_plain && part.terms.size() == 1 && part.terms[0].sign > 0;
      by_domain[rewriter_.DomainOf(part.value).index()].push_back(part);
    }
    if (by_domain.size() == 1 && is_plain) return false;
    std::vector<ValueId> addends;
    for (const auto& [domain, own_parts] : by_domain) {
      addends.push_back(AppendDensePart(PartName(node, domain), own_parts,
                                        *graph().dense[op.weights[0]],
                                        /*with_bias=*/addends.empty()));
    }
    if (node.inputs.size() == 2) addends.push_back(node.inputs[1]);
    rewriter_.Add({AddOp(op.activation()), std::move(addends), node.output});
    return true;
  }

  ValueId AppendDensePart(const std::string& name, const std::vector<Part>& parts,
                          const DenseData& whole, bool with_bias) {
    DenseData dense;
    dense.name = name;
    dense.output_width = whole.output_width;
    std::vector<ValueId> leaves;
    for (const Part& part : parts) {
      dense.input_width += graph().WidthOf(part.value);
      leaves.push_back(part.value);
    }
    for (uint32_t j = 0; j < whole.output_width; ++j) {
      for (const Part& part : parts) {
        for (uint32_t i = 0; i < graph().WidthOf(part.value); ++i) {
          double weight = 0;
          for (const Term& term : part.terms) weight += term.sign * whole.At(j, term.column + i);
          dense.weights.push_back(weight);
        }
      }
    }
    if (with_bias) dense.bias = BiasWithConstants(whole);
    const ValueId input = Concatenate(absl::StrCat(name, ".input"), leaves, dense.input_width);
    const DenseId id = graph().AddDense(std::move(dense));
    return rewriter_.Append(name, DenseOp(id, {}), {input}, whole.output_width);
  }

  // The bias, and what the layer makes of the constants in its input.
  std::vector<double> BiasWithConstants(const DenseData& whole) {
    std::vector<double> bias = whole.bias;
    for (const Part& part : constants_) {
      const std::vector<double> numbers = rewriter_.ProducerOf(part.value).op.numbers;
      // Zeros that pad a value leave the layer as it is, without a bias too.
      if (std::count(numbers.begin(), numbers.end(), 0.0) ==
          static_cast<std::ptrdiff_t>(numbers.size())) {
        continue;
      }
      bias.resize(whole.output_width, 0.0);
      for (uint32_t j = 0; j < whole.output_width; ++j) {
        for (uint32_t i = 0; i < numbers.size(); ++i) {
          bias[j] += part.terms[0].sign * numbers[i] * whole.At(j, part.terms[0].column + i);
        }
      }
    }
    return bias;
  }

  // `leaves` side by side, out of concatenations that exist already as far as possible: what lies
  // in one place need not be copied into another.
  ValueId Concatenate(std::string name, const std::vector<ValueId>& leaves, uint32_t width) {
    std::vector<ValueId> inputs;
    for (auto at = leaves.begin(); at != leaves.end();) {
      auto end = leaves.end();
      while (end != at && concats_.count({at, end}) == 0) --end;
      inputs.push_back(end != at ? concats_.at({at, end}) : *at);
      at = end != at ? end : at + 1;
    }
    if (inputs.size() == 1) return inputs[0];
    const ValueId whole = rewriter_.Append(std::move(name), kConcat, std::move(inputs), width);
    NoteConcat(whole);
    return whole;
  }

  bool SplitEmbeddingSum(const Node& node, const Operator& op) {
    std::map<int, Operator> by_domain;
    for (const Lookup& lookup : op.lookups) {
      const int domain = FeatureDomain(*graph().features, lookup.feature).index();
      Operator& part = by_domain.try_emplace(domain, EmbeddingSumOp({}, op.squared)).first->second;
      part.lookups.push_back(lookup);
    }
    const bool has_addend = !node.inputs.empty();
    if (by_domain.size() == 1 && !has_addend) return false;
    if (by_domain.size() == 1 &&
        rewriter_.DomainOf(node.inputs[0]).index() == by_domain.begin()->first) {
      return false;
    }
    std::vector<ValueId> addends = node.inputs;
    for (auto& [domain, part] : by_domain) {
      addends.push_back(rewriter_.Append(PartName(node, domain), std::move(part), {},
                                         graph().WidthOf(node.output)));
    }
    rewriter_.Add({AddOp(), std::move(addends), node.output});
    return true;
  }

  // Trees by the domain of what they test, each over what its own trees test.
  bool SplitForest(const Node& node) {
    const ForestData whole = *graph().forests[*node.op.forest];
    std::vector<ValueId> leaves;
    CollectLeaves(node.inputs[0], &leaves);
    std::vector<uint32_t> leaf_of_column;
    for (uint32_t leaf = 0; leaf < leaves.size(); ++leaf) {
      leaf_of_column.insert(leaf_of_column.end(), graph().WidthOf(leaves[leaf]), leaf);
    }
    std::map<int, ForestPart> by_domain;
    double base = whole.base;
    for (size_t tree = 0; tree < whole.tree_count(); ++tree) {
      std::set<uint32_t> tested;
      for (uint32_t n = whole.tree_begins[tree]; n < whole.tree_begins[tree + 1]; ++n) {
        const schema::ForestNode& at = whole.nodes[n];
        if ((at.flags & schema::kInnerNode) != 0) tested.insert(leaf_of_column[at.column]);
      }
      if (tested.empty()) {  // One leaf.
        base += whole.nodes[whole.tree_begins[tree]].number;
        continue;
      }
      Domain domain;
      for (const uint32_t leaf : tested) domain = domain.Union(rewriter_.DomainOf(leaves[leaf]));
      ForestPart& part = by_domain[domain.index()];
      part.trees.push_back(tree);
      part.leaves.insert(tested.begin(), tested.end());
    }
    if (by_domain.empty() ||
        (by_domain.size() == 1 && by_domain.begin()->second.leaves.size() == leaves.size())) {
      return false;
    }
    if (by_domain.size() == 1) {
      const auto& [domain, part] = *by_domain.begin();
      Node only = PartOfForest(graph().NameOf(node), whole, leaves, part, base);
      only.output = node.output;
      rewriter_.Add(std::move(only));
      return true;
    }
    std::vector<ValueId> addends;
    for (const auto& [domain, part] : by_domain) {
      const std::string name = PartName(node, domain);
      Node forest = PartOfForest(name, whole, leaves, part, base);
      base = 0;
      addends.push_back(rewriter_.Append(name, std::move(forest.op), std::move(forest.inputs), 1));
    }
    rewriter_.Add({AddOp(), std::move(addends), node.output});
    return true;
  }

  struct ForestPart {
    std::vector<size_t> trees;
    std::set<uint32_t> leaves;  // Positions among the parts of the forest's input.
  };

  // Without an output.
  Node PartOfForest(const std::string& name, const ForestData& whole,
                    const std::vector<ValueId>& leaves, const ForestPart& part, double base) {
    std::vector<ValueId> own;
    std::vector<uint16_t> new_column;  // By old column; of leaves that are not here, any number.
    ForestData forest;
    forest.name = name;
    forest.base = base;
    for (uint32_t leaf = 0; leaf < leaves.size(); ++leaf) {
      const uint32_t width = graph().WidthOf(leaves[leaf]);
      for (uint32_t c = 0; c < width; ++c) {
        new_column.push_back(static_cast<uint16_t>(forest.input_width + c));
      }
      if (part.leaves.count(leaf) == 0) continue;
      own.push_back(leaves[leaf]);
      forest.input_width += width;
    }
    for (const size_t tree : part.trees) {
      const uint32_t begin = whole.tree_begins[tree];
      const auto shift = static_cast<uint32_t>(forest.nodes.size()) - begin;  // Modulo 2^32.
      for (uint32_t n = begin; n < whole.tree_begins[tree + 1]; ++n) {
        schema::ForestNode node = whole.nodes[n];
        node.left += shift;
        const bool is_inner = (node.flags & schema::kInnerNode) != 0;
        node.column = is_inner ? new_column[node.column] : uint16_t{0};
        if ((node.flags & schema::kCategories) != 0) CopySet(whole, &node, &forest);
        forest.nodes.push_back(node);
      }
      forest.tree_begins.push_back(static_cast<uint32_t>(forest.nodes.size()));
    }
    const uint32_t width = forest.input_width;
    const ValueId input = Concatenate(absl::StrCat(name, ".input"), own, width);
    const ForestId id = graph().AddForest(std::move(forest));
    return {ForestOp(id), {input}, 0};
  }

  // The set that a node asks for, into another forest.
  static void CopySet(const ForestData& from, schema::ForestNode* node, ForestData* to) {
    const uint32_t set = schema::SetOfNode(*node);
    if (to->set_begins.empty()) to->set_begins.push_back(0);
    const auto copy = static_cast<uint32_t>(to->set_begins.size() - 1);
    to->set_words.insert(to->set_words.end(), from.set_words.begin() + from.set_begins[set],
                         from.set_words.begin() + from.set_begins[set + 1]);
    to->set_begins.push_back(static_cast<uint32_t>(to->set_words.size()));
    std::memcpy(&node->number, &copy, sizeof(copy));
  }

  Rewriter rewriter_;
  std::map<std::vector<ValueId>, ValueId> concats_;  // By leaves.
  std::vector<Part> constants_;                      // Of the layer that is being split.
};

}  // namespace

Graph SplitByDomain(const Graph& graph) {
  Splitter splitter(graph);
  for (const Node& node : graph.nodes) splitter.Visit(splitter.rewriter().Current(node));
  return splitter.rewriter().Finish();
}

}  // namespace handpick::converter
