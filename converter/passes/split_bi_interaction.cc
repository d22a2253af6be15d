#include "converter/passes/split_bi_interaction.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

class BiInteractionSplitter {
 public:
  explicit BiInteractionSplitter(const Graph& graph)
      : readers_(ReadersOfEachValue(graph)), rewriter_(graph) {}

  void Visit(Node node) {
    if (node.op.Is(kBiInteractionOfAll)) {
      const std::string name = rewriter_.graph().NameOf(node);
      const ValueId sum = AppendSum(absl::StrCat(name, ".sum"), node.inputs, /*squared=*/false);
      const ValueId squares =
          AppendSum(absl::StrCat(name, ".squares"), node.inputs, /*squared=*/true);
      node.op = OperatorKind::BiInteraction;
      node.inputs = {sum, squares};
    }
    rewriter_.Add(std::move(node));
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  // The sum of `vectors`, or of their squares.
  ValueId AppendSum(const std::string& name, const std::vector<ValueId>& vectors, bool squared) {
    const uint32_t width = rewriter_.graph().WidthOf(vectors[0]);
    Operator embeddings = EmbeddingSumOp({}, squared);
    std::vector<ValueId> addends;
    for (ValueId vector : vectors) {
      const auto* embedding = rewriter_.ProducerOf(vector).op.As(OperatorKind::Embedding);
      if (embedding != nullptr && readers_[vector] == 1) {
        embeddings.lookups.insert(embeddings.lookups.end(), embedding->lookups.begin(),
                                  embedding->lookups.end());
      } else if (squared) {
        addends.push_back(
            rewriter_.Append(absl::StrCat(name, ".", rewriter_.graph().values[vector].name),
                             OperatorKind::Multiply, {vector, vector}, width));
      } else {
        addends.push_back(vector);
      }
    }
    if (!embeddings.lookups.empty()) {
      const std::string own_name = addends.empty() ? name : absl::StrCat(name, ".embeddings");
      addends.push_back(rewriter_.Append(own_name, std::move(embeddings), {}, width));
    }
    if (addends.size() == 1) return addends[0];
    return rewriter_.Append(name, AddOp(), std::move(addends), width);
  }

  const std::vector<size_t> readers_;
  Rewriter rewriter_;
};

}  // namespace

Graph SplitBiInteraction(const Graph& graph) {
  BiInteractionSplitter splitter(graph);
  for (const Node& node : graph.nodes) splitter.Visit(splitter.rewriter().Current(node));
  return splitter.rewriter().Finish();
}

}  // namespace handpick::converter
