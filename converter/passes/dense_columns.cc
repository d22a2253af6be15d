#include "converter/passes/dense_columns.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace handpick::converter {

std::vector<DenseLeaf> LeavesOf(ValueId input, Rewriter* rewriter) {
  std::vector<DenseLeaf> leaves;
  uint32_t column = 0;
  const Node producer = rewriter->ProducerOf(input);
  if (!producer.op.Is(kConcat)) return {{input, 0}};
  for (const ValueId part : producer.inputs) {
    for (const DenseLeaf& leaf : LeavesOf(part, rewriter)) {
      leaves.push_back({leaf.value, column + leaf.column});
    }
    column += rewriter->graph().WidthOf(part);
  }
  return leaves;
}

DenseData ColumnsOf(const DenseData& whole, uint32_t column, uint32_t width) {
  DenseData part;
  part.name = whole.name;
  part.input_width = width;
  part.output_width = whole.output_width;
  for (uint32_t j = 0; j < whole.output_width; ++j) {
    for (uint32_t i = 0; i < width; ++i) part.weights.push_back(whole.At(j, column + i));
  }
  return part;
}

DensePart PartOfDense(const std::string& name, const DenseData& whole,
                      const std::vector<DenseLeaf>& leaves, std::vector<double> bias,
                      Rewriter* rewriter) {
  Graph& graph = rewriter->graph();
  DenseData part;
  part.name = name;
  part.output_width = whole.output_width;
  part.bias = std::move(bias);
  std::vector<ValueId> inputs;
  for (const DenseLeaf& leaf : leaves) {
    inputs.push_back(leaf.value);
    part.input_width += graph.WidthOf(leaf.value);
  }
  for (uint32_t j = 0; j < whole.output_width; ++j) {
    for (const DenseLeaf& leaf : leaves) {
      for (uint32_t i = 0; i < graph.WidthOf(leaf.value); ++i) {
        part.weights.push_back(whole.At(j, leaf.column + i));
      }
    }
  }
  ValueId input = inputs[0];
  if (inputs.size() > 1) {
    input = rewriter->Append(absl::StrCat(name, ".input"), kConcat, std::move(inputs),
                             part.input_width);
  }
  return {rewriter->graph().AddDense(std::move(part)), input};
}

void AddSumOfParts(const Node& node, std::vector<ValueId> addends,
                   const std::vector<DenseLeaf>& rest, std::vector<double> bias,
                   Rewriter* rewriter) {
  const uint32_t width = rewriter->graph().WidthOf(node.output);
  if (!rest.empty()) {
    const std::string name = absl::StrCat(rewriter->graph().NameOf(node), ".rest");
    const DenseData whole = *rewriter->graph().dense[node.op.weights[0]];
    const DensePart part = PartOfDense(name, whole, rest, std::move(bias), rewriter);
    addends.push_back(rewriter->Append(name, DenseOp(part.weights), {part.input}, width));
    bias.clear();
  }
  if (node.inputs.size() == 2) addends.push_back(node.inputs[1]);
  rewriter->Add({AddOp(node.op.activation(), std::move(bias)), std::move(addends), node.output});
}

}  // namespace handpick::converter
