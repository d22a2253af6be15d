// Taking a dense layer over a concatenation apart, column by column.
#ifndef HANDPICK_CONVERTER_PASSES_DENSE_COLUMNS_H_
#define HANDPICK_CONVERTER_PASSES_DENSE_COLUMNS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {

// A value that is multiplied by a dense layer's columns from `column` on.
struct DenseLeaf {
  ValueId value;
  uint32_t column;
};

// What `input` is concatenated from, also over concatenations inside it.
std::vector<DenseLeaf> LeavesOf(ValueId input, Rewriter* rewriter);

// The columns of `whole` that belong to a leaf of `width`, as a layer without a bias.
DenseData ColumnsOf(const DenseData& whole, uint32_t column, uint32_t width);

// A layer of the columns of some leaves, and what it reads. `bias` may be empty.
struct DensePart {
  DenseId weights;
  ValueId input;
};
DensePart PartOfDense(const std::string& name, const DenseData& whole,
                      const std::vector<DenseLeaf>& leaves, std::vector<double> bias,
                      Rewriter* rewriter);

// `node`, a dense layer, is the sum of `addends` and of what it makes of `rest`, its other leaves.
// Adds that sum, with `bias`, the layer's addend and its activation, as the node's output.
void AddSumOfParts(const Node& node, std::vector<ValueId> addends,
                   const std::vector<DenseLeaf>& rest, std::vector<double> bias,
                   Rewriter* rewriter);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_DENSE_COLUMNS_H_
