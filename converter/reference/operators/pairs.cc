// Operators over all pairs of their operands.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "converter/reference/operators/loops.h"

namespace handpick::converter::reference {
namespace {

// The first operand of a pair, times its matrix.
Row TimesKernel(RowView a, RowView kernels, size_t pair, size_t pairs) {
  if (kernels.empty()) return CopyOf(a);
  const size_t k = a.size();
  const size_t each = kernels.size() / pairs;
  const double* kernel = kernels.data() + pair * each;
  Row out(k, 0.0);
  for (size_t c = 0; c < k; ++c) {
    if (each == 1 || each == k) {
      out[c] = kernel[each == 1 ? 0 : c] * a[c];
    } else {
      for (size_t b = 0; b < k; ++b) out[b] += a[c] * kernel[c * k + b];
    }
  }
  return out;
}

}  // namespace

Row BiInteractionOfAll(const CandidateValues& candidate, const Node& node, size_t event) {
  Row sum(candidate.WidthOf(node), 0.0);
  for (size_t a = 0; a < node.inputs.size(); ++a) {
    for (size_t b = a + 1; b < node.inputs.size(); ++b) {
      const RowView first = candidate.Operand(node, a, event);
      const RowView second = candidate.Operand(node, b, event);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += first[j] * second[j];
    }
  }
  return sum;
}

Row BiInteraction(const CandidateValues& candidate, const Node& node, size_t event) {
  Row row = CopyOf(candidate.Operand(node, 0, event));
  const RowView squares = candidate.Operand(node, 1, event);
  for (size_t j = 0; j < row.size(); ++j) row[j] = (row[j] * row[j] - squares[j]) / 2;
  return row;
}

Row PairProducts(const CandidateValues& candidate, const Node& node, size_t event) {
  const size_t fields = node.inputs.size();
  Row products;
  for (size_t i = 0; i < fields; ++i) {
    for (size_t j = i + 1; j < fields; ++j) {
      const Row a = TimesKernel(candidate.Operand(node, i, event), node.op.numbers, products.size(),
                                fields * (fields - 1) / 2);
      const RowView b = candidate.Operand(node, j, event);
      double sum = 0;
      for (size_t c = 0; c < b.size(); ++c) sum += a[c] * b[c];
      products.push_back(sum);
    }
  }
  return products;
}

Row SquareOfSum(const CandidateValues& candidate, const Node& node, size_t event) {
  Row sum = CopyOf(candidate.Operand(node, 0, event));
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    for (size_t c = 0; c < sum.size(); ++c) sum[c] += candidate.Operand(node, i, event)[c];
  }
  Row products;
  for (const double a : sum) {
    for (const double b : sum) products.push_back(a * b);
  }
  return products;
}

Row FieldAwarePairs(const CandidateValues& candidate, const Node& node, size_t event) {
  const size_t fields = node.inputs.size();
  const size_t k = candidate.Operand(node, 0, event).size() / fields;
  double sum = 0;
  for (size_t i = 0; i < fields; ++i) {
    for (size_t j = i + 1; j < fields; ++j) {
      const RowView first = candidate.Operand(node, i, event);
      const RowView second = candidate.Operand(node, j, event);
      for (size_t c = 0; c < k; ++c) sum += first[j * k + c] * second[i * k + c];
    }
  }
  return {sum};
}

Row AttentionalPairs(const CandidateValues& candidate, const Node& node, size_t event) {
  const Operator& op = node.op;
  std::vector<Row> products;
  Row weights;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    for (size_t j = i + 1; j < node.inputs.size(); ++j) {
      Row product = CopyOf(candidate.Operand(node, i, event));
      const RowView factor = candidate.Operand(node, j, event);
      for (size_t c = 0; c < product.size(); ++c) product[c] *= factor[c];
      products.push_back(product);
      for (size_t layer = 1; layer < op.weights.size(); ++layer) {
        product =
            Activate(Product(candidate.Weights(node, layer), product), op.ActivationAt(layer - 1));
      }
      weights.push_back(product[0]);
    }
  }
  const double largest = *std::max_element(weights.begin(), weights.end());
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - largest);
  Row pooled(products[0].size(), 0.0);
  for (size_t p = 0; p < products.size(); ++p) {
    for (size_t c = 0; c < pooled.size(); ++c) pooled[c] += weights[p] / sum * products[p][c];
  }
  return Product(candidate.Weights(node, 0), pooled);
}

}  // namespace handpick::converter::reference
