#include "converter/reference/operators/kernel_loops.h"

#include <algorithm>
#include <utility>

#include "converter/reference/operators/loops.h"
#include "converter/reference/row.h"

namespace handpick::converter::reference {
namespace {

// Events that go through an attention unit together: their rows stay in the first level of caches.
constexpr size_t kEventBlock = 16;

// Where rows of an operand begin, and how far it is from one to the next: 0 where one is for all.
struct OperandRows {
  OperandRows(const CandidateValues& candidate, const Node& node, size_t input)
      : begin(candidate.Rows(node.inputs[input]).numbers.data()),
        stride(candidate.HasEvents(node.inputs[input]) ? candidate.Rows(node.inputs[input]).stride
                                                       : 0) {}

  const double* At(size_t row) const { return begin + row * stride; }

  const double* begin;
  size_t stride;
};

// How many rows a node's value has.
size_t RowCount(const Node& node, const CandidateValues& candidate) {
  if (!candidate.HasEvents(node.output)) return 1;
  const CandidateValues::Events& events = candidate.EventsOf(node);
  return events.last - events.computed;
}

}  // namespace

bool KernelLoops::Compute(const Node& node, CandidateValues* candidate) {
  switch (node.op.kind) {
    case OperatorKind::Dense:
      Dense(node, candidate);
      return true;
    case OperatorKind::WeightedPool:
      // A weight or a row that is the same for all events has no rows of its own.
      if (!candidate->HasEvents(node.inputs[0]) || !candidate->HasEvents(node.inputs[1])) {
        return false;
      }
      WeightedPool(node, candidate);
      return true;
    case OperatorKind::Recurrence:
    case OperatorKind::AttentionRecurrence:
      Recur(node, candidate);
      return true;
    case OperatorKind::AttentionUnit:
      // A query for each event has no product of its own to share.
      if (candidate->HasEvents(node.inputs[0]) || !candidate->HasEvents(node.output)) return false;
      AttentionUnit(node, candidate);
      return true;
    default:
      return false;
  }
}

void KernelLoops::Dense(const Node& node, CandidateValues* candidate) {
  const ColumnMatrix& w = Matrix(node.op, 0);
  const size_t rows = RowCount(node, *candidate);
  ValueRows& y = candidate->Rows(node.output);
  y.Resize(rows, w.outputs);
  for (size_t row = 0; row < rows; ++row) {
    double* const begin = y.numbers.data() + row * y.stride;
    std::copy(w.bias.begin(), w.bias.end(), begin);
    if (node.inputs.size() < 2) continue;
    const double* const addend = OperandRows(*candidate, node, 1).At(row);
    for (size_t j = 0; j < w.outputs; ++j) begin[j] += addend[j];
  }
  const OperandRows x(*candidate, node, 0);
  AddProduct(w, rows, x.begin, x.stride, y.numbers.data());
  Activate(node.op.activation(), rows, y.stride, y.width, y.numbers.data());
}

void KernelLoops::Recur(const Node& node, CandidateValues* candidate) const {
  const ColumnMatrix& w = Matrix(node.op, 0);
  const auto from_state = [&w](const Row& state) {
    Row y = w.bias;
    AddProduct(w, 1, state.data(), state.size(), y.data());
    return y;
  };
  Keep(node,
       node.op.Is(OperatorKind::Recurrence) ? Recurrence(*candidate, node, from_state)
                                            : AttentionRecurrence(*candidate, node, from_state),
       candidate);
}

void KernelLoops::WeightedPool(const Node& node, CandidateValues* candidate) {
  const CandidateValues::Events& events = candidate->EventsOf(node);
  ValueRows& sum = candidate->Rows(node.output);
  sum.Resize(1, candidate->WidthOf(node));
  std::fill(sum.numbers.begin(), sum.numbers.end(), 0.0);
  const size_t count = events.last - events.first;
  if (count == 0) {
    std::copy(node.op.numbers.begin(), node.op.numbers.end(), sum.numbers.begin());
    return;
  }
  x_.clear();
  for (size_t event = events.first; event < events.last; ++event) {
    x_.push_back(candidate->Operand(node, 0, event)[0]);
  }
  const double* const rows = candidate->Operand(node, 1, events.first).data();
  AddWeighted(1, count, x_.data(), count, rows, sum.stride, sum.numbers.data());
}

// With z = key * query: activation(P z + (Q query + key_row)), then layer by layer.
void KernelLoops::AttentionUnit(const Node& node, CandidateValues* candidate) {
  const Operator& op = node.op;
  const ColumnMatrix& of_query = Matrix(op, 0);
  const ColumnMatrix& of_product = Matrix(op, 1);
  const size_t rows = RowCount(node, *candidate);
  ValueRows& output = candidate->Rows(node.output);
  output.Resize(rows, candidate->WidthOf(node));
  if (rows == 0) return;
  const double* const query = OperandRows(*candidate, node, 0).begin;
  const OperandRows key(*candidate, node, 1);
  const OperandRows key_row(*candidate, node, 2);
  const size_t padded_inputs = PaddedColumns(of_product.inputs);
  Row shared(of_query.stride, 0.0);
  AddProduct(of_query, 1, query, padded_inputs, shared.data());
  for (size_t begin = 0; begin < rows; begin += kEventBlock) {
    const size_t count = std::min(kEventBlock, rows - begin);
    x_.resize(count * padded_inputs);
    MultiplyRows(count, padded_inputs, key.At(begin), key.stride, query, x_.data());
    y_.resize(count * of_product.stride);
    AddToRows(count, of_product.stride, key_row.At(begin), key_row.stride, shared.data(),
              y_.data());
    AddProduct(of_product, count, x_.data(), padded_inputs, y_.data());
    Activate(op.ActivationAt(0), count, of_product.stride, of_product.outputs, y_.data());
    size_t stride = of_product.stride;
    for (size_t layer = 2; layer < op.weights.size(); ++layer) {
      const ColumnMatrix& w = Matrix(op, layer);
      std::swap(x_, y_);
      y_.resize(count * w.stride);
      for (size_t row = 0; row < count; ++row) {
        std::copy(w.bias.begin(), w.bias.end(), y_.begin() + row * w.stride);
      }
      AddProduct(w, count, x_.data(), stride, y_.data());
      Activate(op.ActivationAt(layer - 1), count, w.stride, w.outputs, y_.data());
      stride = w.stride;
    }
    std::copy(y_.begin(), y_.begin() + count * stride,
              output.numbers.begin() + begin * output.stride);
  }
}

void KernelLoops::Activate(const ActivationSpec& activation, size_t rows, size_t stride,
                           size_t width, double* y) {
  switch (activation.kind) {
    case schema::ActivationKind::Linear:
      return;
    case schema::ActivationKind::Sigmoid:
      SigmoidInPlace(y, rows * stride);
      return;
    case schema::ActivationKind::Dice:
      p_.assign(rows * stride, 0.0);
      for (size_t row = 0; row < rows; ++row) {
        for (size_t j = 0; j < width; ++j) {
          p_[row * stride + j] = activation.scale[j] * y[row * stride + j] + activation.shift[j];
        }
      }
      SigmoidInPlace(p_.data(), p_.size());
      for (size_t row = 0; row < rows; ++row) {
        for (size_t j = 0; j < width; ++j) {
          const double p = p_[row * stride + j];
          double& x = y[row * stride + j];
          x = p * x + (1 - p) * activation.alpha[j] * x;
        }
      }
      return;
    default:
      for (size_t row = 0; row < rows; ++row) {
        ActivateInPlace(activation, {y + row * stride, width});
      }
      return;
  }
}

}  // namespace handpick::converter::reference
