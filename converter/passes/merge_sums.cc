#include "converter/passes/merge_sums.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

class SumMerger {
 public:
  explicit SumMerger(const Graph& graph) : readers_(ReadersOfEachValue(graph)), rewriter_(graph) {}

  void Visit(const Node& source) {
    Node node = rewriter_.Current(source);
    auto* add = node.op.As(OperatorKind::Add);
    if (add == nullptr) {
      rewriter_.Add(std::move(node));
      return;
    }
    std::vector<ValueId> addends;
    for (ValueId input : node.inputs) Flatten(input, &addends, &add->bias);
    Group(std::move(addends), &node);
    rewriter_.Add(std::move(node));
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  // True if a value has one reader; values that this pass made are read by the sum being visited.
  bool ReadOnce(ValueId value) const { return value >= readers_.size() || readers_[value] == 1; }

  void Flatten(ValueId value, std::vector<ValueId>* addends, std::vector<double>* bias) {
    const Node& producer = rewriter_.ProducerOf(value);
    const auto* add = producer.op.As(OperatorKind::Add);
    if (add == nullptr || !add->IsLinear() || !ReadOnce(value)) {
      addends->push_back(value);
      return;
    }
    const Node inner = rewriter_.Take(value);
    const auto& inner_add = inner.op;
    bias->resize(std::max(bias->size(), inner_add.bias.size()), 0.0);
    for (size_t j = 0; j < inner_add.bias.size(); ++j) (*bias)[j] += inner_add.bias[j];
    for (ValueId input : inner.inputs) Flatten(input, addends, bias);
  }

  // Replaces the addends of each smaller domain by their sum.
  void Group(std::vector<ValueId> addends, Node* node) {
    auto& add = node->op;
    Domain whole;
    std::map<int, std::vector<ValueId>> by_domain;
    for (ValueId addend : addends) {
      const Domain domain = rewriter_.DomainOf(addend);
      whole = whole.Union(domain);
      by_domain[domain.index()].push_back(addend);
    }
    const std::vector<ValueId>& largest = by_domain[whole.index()];
    const bool has_dense = std::any_of(largest.begin(), largest.end(), [&](ValueId addend) {
      return rewriter_.ProducerOf(addend).op.Is(OperatorKind::Dense);
    });
    node->inputs.clear();
    const auto candidates = by_domain.find(Domain::Candidate().index());
    const bool add_to_candidates = whole == Domain::Pair() && candidates != by_domain.end();
    for (auto& [domain, own] : by_domain) {
      std::vector<ValueId>& sums = add_to_candidates && domain == Domain::Context().index()
                                       ? candidates->second
                                       : node->inputs;
      const bool is_smaller = domain != whole.index();
      // A dense layer adds a bias for nothing; beside none in this sum itself, the context adds it
      // once.
      const bool takes_bias =
          is_smaller && domain == Domain::Context().index() && !add.bias.empty() && !has_dense;
      if (!is_smaller || (own.size() == 1 && !takes_bias)) {
        sums.insert(sums.end(), own.begin(), own.end());
        continue;
      }
      Operator part = AddOp();
      if (takes_bias) part.bias = std::exchange(add.bias, {});
      Domain part_domain;
      for (ValueId addend : own) part_domain = part_domain.Union(rewriter_.DomainOf(addend));
      sums.push_back(rewriter_.Append(
          absl::StrCat(rewriter_.graph().NameOf(*node), ".", DomainName(part_domain)),
          std::move(part), std::move(own), rewriter_.graph().WidthOf(node->output)));
    }
  }

  const std::vector<size_t> readers_;
  Rewriter rewriter_;
};

}  // namespace

Graph MergeSums(const Graph& graph) {
  SumMerger merger(graph);
  for (const Node& node : graph.nodes) merger.Visit(node);
  return merger.rewriter().Finish();
}

}  // namespace handpick::converter
