// Operators that multiply by matrices or normalise by trained statistics.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "converter/reference/operators/loops.h"

namespace handpick::converter::reference {

Row Dense(const CandidateValues& candidate, const Node& node, size_t event) {
  const Operator& op = node.op;
  Row y = Product(candidate.Weights(node, 0), candidate.Operand(node, 0, event));
  if (node.inputs.size() == 2) {
    for (size_t j = 0; j < y.size(); ++j) y[j] += candidate.Operand(node, 1, event)[j];
  }
  return Activate(std::move(y), op.activation());
}

Row ContextDense(const CandidateValues& candidate, const Node& node, size_t event) {
  const RowView x = candidate.Operand(node, 0, event);
  const RowView matrix = candidate.Operand(node, 1, event);
  Row y(candidate.WidthOf(node), 0.0);
  if (node.inputs.size() == 3) y = CopyOf(candidate.Operand(node, 2, event));
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < y.size(); ++j) y[j] += x[i] * matrix[i * y.size() + j];
  }
  return Activate(std::move(y), node.op.activation());
}

Row MixFields(const CandidateValues& candidate, const Node& node, size_t event) {
  const DenseData& weights = candidate.Weights(node, 0);
  const RowView x = candidate.Operand(node, 0, event);
  const size_t columns = x.size() / weights.input_width;
  Row out = node.op.numbers;
  out.resize(candidate.WidthOf(node), 0.0);
  for (size_t c = 0; c < columns; ++c) {
    for (uint32_t o = 0; o < weights.output_width; ++o) {
      for (uint32_t i = 0; i < weights.input_width; ++i) {
        out[c * weights.output_width + o] += weights.At(o, i) * x[i * columns + c];
      }
    }
  }
  return out;
}

Row FieldDense(const CandidateValues& candidate, const Node& node, size_t event) {
  const DenseData& dense = candidate.Weights(node, 0);
  const RowView x = candidate.Operand(node, 0, event);
  Row y;
  for (size_t begin = 0; begin < x.size(); begin += dense.input_width) {
    const Row field = Product(dense, x.subspan(begin, dense.input_width));
    y.insert(y.end(), field.begin(), field.end());
  }
  return Activate(std::move(y), node.op.activation());
}

Row BatchNorm(const CandidateValues& candidate, const Node& node, size_t event) {
  const BatchNormStatistics& of = *node.op.batch_norm;
  Row row = CopyOf(candidate.Operand(node, 0, event));
  for (size_t j = 0; j < row.size(); ++j) {
    row[j] =
        (row[j] - of.mean[j]) / std::sqrt(of.variance[j] + of.epsilon) * of.scale[j] + of.offset[j];
  }
  return row;
}

}  // namespace handpick::converter::reference
