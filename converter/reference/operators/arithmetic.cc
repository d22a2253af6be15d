// Operators that compute number by number, or add up products of numbers.
#include <cstddef>
#include <utility>

#include "converter/reference/operators/loops.h"

namespace handpick::converter::reference {

Row Add(const CandidateValues& candidate, const Node& node, size_t event) {
  const Operator& op = node.op;
  Row sum(candidate.WidthOf(node), 0.0);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const RowView addend = candidate.Operand(node, i, event);
    for (size_t j = 0; j < sum.size(); ++j) sum[j] += addend[j];
  }
  for (size_t j = 0; j < op.bias.size(); ++j) sum[j] += op.bias[j];
  return Activate(std::move(sum), op.activation());
}

Row Multiply(const CandidateValues& candidate, const Node& node, size_t event) {
  Row product = CopyOf(candidate.Operand(node, 0, event));
  const RowView factor = candidate.Operand(node, 1, event);
  for (size_t j = 0; j < product.size(); ++j) product[j] *= factor[j];
  return product;
}

Row Subtract(const CandidateValues& candidate, const Node& node, size_t event) {
  Row difference = CopyOf(candidate.Operand(node, 0, event));
  const RowView subtrahend = candidate.Operand(node, 1, event);
  for (size_t j = 0; j < difference.size(); ++j) difference[j] -= subtrahend[j];
  return difference;
}

Row InnerProduct(const CandidateValues& candidate, const Node& node, size_t event) {
  const RowView a = candidate.Operand(node, 0, event);
  const RowView b = candidate.Operand(node, 1, event);
  Row products(candidate.WidthOf(node), 0.0);
  const size_t group = a.size() / products.size();
  for (size_t c = 0; c < a.size(); ++c) products[c / group] += a[c] * b[c];
  return products;
}

Row WeightedSum(const CandidateValues& candidate, const Node& node, size_t event) {
  const RowView weights = candidate.Operand(node, 0, event);
  const RowView values = candidate.Operand(node, 1, event);
  Row sum(candidate.WidthOf(node), 0.0);
  for (size_t c = 0; c < values.size(); ++c) {
    sum[c % sum.size()] += weights[c / sum.size()] * values[c];
  }
  return sum;
}

Row Activation(const CandidateValues& candidate, const Node& node, size_t event) {
  const Operator& op = node.op;
  return Activate(CopyOf(candidate.Operand(node, 0, event)), op.activation());
}

}  // namespace handpick::converter::reference
