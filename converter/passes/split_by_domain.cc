#include "converter/passes/split_by_domain.h"

#include <cstdint>
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
    CollectParts(node.inputs[0], 0, 1, {leaves.begin(), leaves.end()}, &parts);
    std::map<int, std::vector<Part>> by_domain;
    bool is_plain = true;
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
    if (with_bias) dense.bias = whole.bias;
    const ValueId input = Concatenate(absl::StrCat(name, ".input"), leaves, dense.input_width);
    const DenseId id = graph().AddDense(std::move(dense));
    return rewriter_.Append(name, DenseOp(id, {}), {input}, whole.output_width);
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

  Rewriter rewriter_;
  std::map<std::vector<ValueId>, ValueId> concats_;  // By leaves.
};

}  // namespace

Graph SplitByDomain(const Graph& graph) {
  Splitter splitter(graph);
  for (const Node& node : graph.nodes) splitter.Visit(splitter.rewriter().Current(node));
  return splitter.rewriter().Finish();
}

}  // namespace handpick::converter
