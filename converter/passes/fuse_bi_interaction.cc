#include "converter/passes/fuse_bi_interaction.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "converter/graph/infer_domains.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

bool Same(const Lookup& a, const Lookup& b) {
  return a.feature == b.feature && a.table == b.table && a.combiner == b.combiner &&
         a.empty_value == b.empty_value;
}

class Matcher {
 public:
  explicit Matcher(const Graph& graph)
      : graph_(graph),
        domains_(InferDomains(graph)),
        producers_(ProducerOfEachValue(graph)),
        readers_(ReadersOfEachValue(graph)) {}

  // The node that stands for the bi-interaction `node` and the sums that it reads.
  std::optional<Node> Match(const Node& node) const {
    if (!node.op.Is(OperatorKind::BiInteraction) || domains_[node.output] != Domain::Candidate()) {
      return std::nullopt;
    }
    const Node* sum = SumOf(node.inputs[0], /*squared=*/false);
    const Node* squares = SumOf(node.inputs[1], /*squared=*/true);
    if (sum == nullptr || squares == nullptr || sum->inputs.size() != squares->inputs.size()) {
      return std::nullopt;
    }
    const auto& lookups = sum->op.lookups;
    const auto& squared = squares->op.lookups;
    if (!std::equal(lookups.begin(), lookups.end(), squared.begin(), squared.end(), Same)) {
      return std::nullopt;
    }
    Node fused{EmbeddingBiInteractionOp(lookups), sum->inputs, node.output};
    fused.inputs.insert(fused.inputs.end(), squares->inputs.begin(), squares->inputs.end());
    for (ValueId addend : fused.inputs) {
      if (domains_[addend] != Domain::Context()) return std::nullopt;
    }
    return fused;
  }

 private:
  // The sum of a candidate's embeddings that makes `value`, for one reader.
  const Node* SumOf(ValueId value, bool squared) const {
    if (producers_[value] == graph_.nodes.size() || readers_[value] != 1 ||
        domains_[value] != Domain::Candidate()) {
      return nullptr;
    }
    const Node& node = graph_.nodes[producers_[value]];
    const auto* sum = node.op.As(OperatorKind::EmbeddingSum);
    return sum != nullptr && sum->squared == squared ? &node : nullptr;
  }

  const Graph& graph_;
  const std::vector<Domain> domains_;
  const std::vector<size_t> producers_;
  const std::vector<size_t> readers_;
};

}  // namespace

Graph FuseBiInteraction(const Graph& graph) {
  const Matcher matcher(graph);
  std::set<ValueId> inner;  // Sums that a fused node stands for.
  for (const Node& node : graph.nodes) {
    if (matcher.Match(node)) inner.insert(node.inputs.begin(), node.inputs.end());
  }
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes) {
    if (inner.count(node.output) != 0) continue;
    std::optional<Node> fused = matcher.Match(node);
    rewriter.Add(rewriter.Current(fused ? *fused : node));
  }
  return rewriter.Finish();
}

}  // namespace handpick::converter
