// Operators that move numbers, and compute nothing.
#include <cstddef>

#include "converter/reference/operators/loops.h"

namespace handpick::converter::reference {

Row Constant(const CandidateValues&, const Node& node, size_t) { return node.op.numbers; }

Row Concat(const CandidateValues& candidate, const Node& node, size_t event) {
  Row row;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const RowView part = candidate.Operand(node, i, event);
    row.insert(row.end(), part.begin(), part.end());
  }
  return row;
}

Row Slice(const CandidateValues& candidate, const Node& node, size_t event) {
  const RowView whole = candidate.Operand(node, 0, event);
  const auto begin = whole.begin() + node.op.column;
  return Row(begin, begin + candidate.WidthOf(node));
}

Row Copy(const CandidateValues& candidate, const Node& node, size_t event) {
  return CopyOf(candidate.Operand(node, 0, event));
}

}  // namespace handpick::converter::reference
