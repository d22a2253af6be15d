#include <cstddef>
#include <vector>

#include "converter/reference/operators/loops.h"
#include "schema/forest.h"

namespace handpick::converter::reference {

// A row is compared as float32, as it is in training.
Row Forest(const CandidateValues& candidate, const Node& node, size_t event) {
  const ForestData& forest = *candidate.graph().forests[*node.op.forest];
  const RowView row = candidate.Operand(node, 0, event);
  const std::vector<float> numbers(row.begin(), row.end());
  double sum = forest.base;
  for (size_t tree = 0; tree < forest.tree_count(); ++tree) {
    sum += forest.nodes[schema::LeafOf(forest.View(), tree, numbers.data(), 1)].number;
  }
  return {sum};
}

}  // namespace handpick::converter::reference
