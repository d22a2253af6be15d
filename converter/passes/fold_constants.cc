#include "converter/passes/fold_constants.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

class ConstantFolder {
 public:
  explicit ConstantFolder(const Graph& graph) : rewriter_(graph) {}

  void Visit(Node node) {
    if (auto* add = node.op.As(OperatorKind::Add)) {
      FoldAdd(add, &node);
    } else if (auto* dense = node.op.As(OperatorKind::Dense)) {
      FoldRow(dense, &node);
    } else if (node.op.Is(kConcat)) {
      FoldConcat(&node);
    }
    rewriter_.Add(std::move(node));
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  const std::vector<double>* ConstantOf(ValueId value) {
    const auto* constant = rewriter_.ProducerOf(value).op.As(kConstant);
    return constant == nullptr ? nullptr : &constant->numbers;
  }

  void FoldAdd(Operator* add, Node* node) {
    std::vector<ValueId> others;
    std::vector<double> bias(rewriter_.graph().WidthOf(node->output), 0.0);
    for (ValueId input : node->inputs) {
      const std::vector<double>* constant = ConstantOf(input);
      if (constant == nullptr) {
        others.push_back(input);
        continue;
      }
      for (size_t j = 0; j < bias.size(); ++j) bias[j] += (*constant)[j];
    }
    if (others.size() == node->inputs.size()) return;
    for (size_t j = 0; j < add->bias.size(); ++j) bias[j] += add->bias[j];
    const bool is_constant = others.empty() && add->IsLinear();
    if (is_constant) {
      *node = {ConstantOp(std::move(bias)), {}, node->output};
    } else if (!others.empty()) {
      add->bias = std::move(bias);
      node->inputs = std::move(others);
    }
  }

  void FoldRow(Operator* dense, Node* node) {
    if (node->inputs.size() != 2) return;
    const std::vector<double>* constant = ConstantOf(node->inputs[1]);
    if (constant == nullptr) return;
    DenseData weights = *rewriter_.graph().dense[dense->weights[0]];
    weights.bias.resize(weights.output_width, 0.0);
    for (size_t j = 0; j < weights.bias.size(); ++j) weights.bias[j] += (*constant)[j];
    dense->weights[0] = rewriter_.graph().AddDense(std::move(weights));
    node->inputs.pop_back();
  }

  void FoldConcat(Node* node) {
    std::vector<double> all;
    for (ValueId input : node->inputs) {
      const std::vector<double>* constant = ConstantOf(input);
      if (constant == nullptr) return;
      all.insert(all.end(), constant->begin(), constant->end());
    }
    *node = {ConstantOp(std::move(all)), {}, node->output};
  }

  Rewriter rewriter_;
};

}  // namespace

Graph FoldConstants(const Graph& graph) {
  ConstantFolder folder(graph);
  for (const Node& node : graph.nodes) folder.Visit(folder.rewriter().Current(node));
  return folder.rewriter().Finish();
}

}  // namespace handpick::converter
