#include "converter/passes/fold_constants.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/passes/dense_columns.h"
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
      FoldInputs(dense, &node);
    } else if (node.op.Is(kConcat)) {
      FoldConcat(&node);
    } else if (node.op.Is(OperatorKind::Multiply)) {
      FoldPadding(&node);
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

  // Columns of constants are a part of the bias.
  void FoldInputs(Operator* dense, Node* node) {
    const DenseData& whole = *rewriter_.graph().dense[dense->weights[0]];
    std::vector<double> bias = whole.bias;
    bias.resize(whole.output_width, 0.0);
    const std::vector<DenseLeaf> leaves = LeavesOf(node->inputs[0], &rewriter_);
    std::vector<DenseLeaf> others;
    for (const DenseLeaf& leaf : leaves) {
      const std::vector<double>* constant = ConstantOf(leaf.value);
      if (constant == nullptr) {
        others.push_back(leaf);
        continue;
      }
      for (uint32_t j = 0; j < whole.output_width; ++j) {
        for (uint32_t i = 0; i < constant->size(); ++i) {
          bias[j] += whole.At(j, leaf.column + i) * (*constant)[i];
        }
      }
    }
    if (others.empty() || others.size() == leaves.size()) return;
    const std::string name = rewriter_.graph().NameOf(*node);
    const DensePart part = PartOfDense(name, whole, others, std::move(bias), &rewriter_);
    dense->weights[0] = part.weights;
    node->inputs[0] = part.input;
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

  // [x, 0] * y is [x * y's first columns, 0]: no product of zeros.
  void FoldPadding(Node* node) {
    for (size_t padded = 0; padded < 2; ++padded) {
      const Node concat = rewriter_.ProducerOf(node->inputs[padded]);
      if (!concat.op.Is(kConcat) || concat.inputs.size() != 2) continue;
      const std::vector<double>* constant = ConstantOf(concat.inputs[1]);
      if (constant == nullptr ||
          std::any_of(constant->begin(), constant->end(), [](double x) { return x != 0; })) {
        continue;
      }
      const std::string name = rewriter_.graph().NameOf(*node);
      const uint32_t width = rewriter_.graph().WidthOf(concat.inputs[0]);
      const ValueId columns = rewriter_.Append(absl::StrCat(name, ".columns"), SliceOp(0),
                                               {node->inputs[1 - padded]}, width);
      const ValueId product =
          rewriter_.Append(absl::StrCat(name, ".unpadded"), OperatorKind::Multiply,
                           {concat.inputs[0], columns}, width);
      *node = {kConcat, {product, concat.inputs[1]}, node->output};
      return;
    }
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
