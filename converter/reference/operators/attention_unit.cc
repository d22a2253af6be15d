#include <cstddef>
#include <cstdint>
#include <utility>

#include "converter/reference/operators/loops.h"

namespace handpick::converter::reference {

// With M = Q + P diag(key): activation(M query + key_row), then layer by layer.
Row AttentionUnit(const CandidateValues& candidate, const Node& node, size_t event) {
  const Operator& op = node.op;
  const RowView query = candidate.Operand(node, 0, event);
  const RowView key = candidate.Operand(node, 1, event);
  Row x = CopyOf(candidate.Operand(node, 2, event));
  const DenseData& of_query = candidate.Weights(node, 0);
  const DenseData& of_product = candidate.Weights(node, 1);
  for (uint32_t j = 0; j < x.size(); ++j) {
    for (uint32_t i = 0; i < query.size(); ++i) {
      x[j] += (of_query.At(j, i) + of_product.At(j, i) * key[i]) * query[i];
    }
  }
  x = Activate(std::move(x), op.ActivationAt(0));
  for (size_t layer = 2; layer < op.weights.size(); ++layer) {
    x = Activate(Product(candidate.Weights(node, layer), x), op.ActivationAt(layer - 1));
  }
  return x;
}

}  // namespace handpick::converter::reference
