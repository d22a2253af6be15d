// Operators that read features.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "converter/reference/operators/loops.h"

namespace handpick::converter::reference {
namespace {

// The rows of a feature in its table, pooled.
Row LookUp(const CandidateValues& candidate, const Lookup& lookup, size_t event) {
  const TableData& table = *candidate.graph().tables[lookup.table];
  const ResolvedRows& resolved =
      candidate.request().features[lookup.feature].rows[candidate.RowOfSide(lookup.feature, event)];
  std::vector<Row> rows;
  for (uint32_t row : resolved.rows) rows.push_back(table.Row(row));
  return Pool(rows, table.dimension, lookup.combiner, resolved.divisor, lookup.empty_value);
}

}  // namespace

Row Embedding(const CandidateValues& candidate, const Node& node, size_t event) {
  Row row;
  for (const Lookup& lookup : node.op.lookups) {
    const Row part = LookUp(candidate, lookup, event);
    row.insert(row.end(), part.begin(), part.end());
  }
  return row;
}

Row EmbeddingSum(const CandidateValues& candidate, const Node& node, size_t event) {
  const Operator& op = node.op;
  Row sum(candidate.WidthOf(node), 0.0);
  if (!node.inputs.empty()) sum = CopyOf(candidate.Operand(node, 0, event));
  for (const Lookup& lookup : op.lookups) {
    const Row row = LookUp(candidate, lookup, event);
    for (size_t j = 0; j < sum.size(); ++j) sum[j] += op.squared ? row[j] * row[j] : row[j];
  }
  return sum;
}

Row EmbeddingBiInteraction(const CandidateValues& candidate, const Node& node, size_t event) {
  const Operator& op = node.op;
  Row sum(candidate.WidthOf(node), 0.0);
  Row squares = sum;
  if (!node.inputs.empty()) {
    sum = CopyOf(candidate.Operand(node, 0, event));
    squares = CopyOf(candidate.Operand(node, 1, event));
  }
  for (const Lookup& lookup : op.lookups) {
    const Row row = LookUp(candidate, lookup, event);
    for (size_t j = 0; j < sum.size(); ++j) {
      sum[j] += row[j];
      squares[j] += row[j] * row[j];
    }
  }
  for (size_t j = 0; j < sum.size(); ++j) sum[j] = (sum[j] * sum[j] - squares[j]) / 2;
  return sum;
}

Row Numeric(const CandidateValues& candidate, const Node& node, size_t event) {
  Row row;
  for (const uint32_t feature : node.op.features) {
    const Row& part =
        candidate.request().features[feature].numbers[candidate.RowOfSide(feature, event)];
    row.insert(row.end(), part.begin(), part.end());
  }
  return row;
}

}  // namespace handpick::converter::reference
