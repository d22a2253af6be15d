#include "converter/reference/shared_interpreter.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "converter/graph/infer_domains.h"
#include "converter/reference/candidate_evaluation.h"

namespace handpick::converter {
namespace {

using reference::AddProduct;
using reference::ColumnMatrix;
using reference::Row;
using Matrices = std::vector<std::unique_ptr<const ColumnMatrix>>;

class SharedEvaluation : public reference::CandidateEvaluation {
 public:
  SharedEvaluation(const Graph& graph, const std::vector<Domain>& domains,
                   const std::vector<uint32_t>& sequences, const Matrices& matrices,
                   const ResolvedRequest& request)
      : CandidateEvaluation(graph, domains, sequences, request, /*candidate=*/0),
        matrices_(matrices) {}

  LogitsOfOutputs Run(size_t candidates) {
    rows_.resize(graph_.values.size());
    const std::vector<ValueId> outputs = graph_.OutputValues();
    LogitsOfOutputs logits(outputs.size());
    for (candidate_ = 0; candidate_ < candidates; ++candidate_) {
      for (const Node& node : graph_.nodes) {
        if (candidate_ > 0 && !domains_[node.output].has_candidate()) continue;
        if (!ComputeByKernels(node)) Compute(node);
      }
      for (size_t i = 0; i < outputs.size(); ++i) logits[i].push_back(rows_[outputs[i]][0][0]);
    }
    return logits;
  }

 private:
  // False: it is for Compute.
  bool ComputeByKernels(const Node& node) {
    switch (node.op.kind) {
      case OperatorKind::Dense:
        DenseOfRows(node);
        return true;
      case OperatorKind::AttentionUnit:
        // A query for each event has no product of its own to share.
        if (domains_[node.inputs[0]].has_event() || !domains_[node.output].has_event()) {
          return false;
        }
        AttentionUnitOfEvents(node);
        return true;
      default:
        return false;
    }
  }

  Row FromState(const Node& node, const Row& state) const override {
    const ColumnMatrix& w = *matrices_[node.op.weights[0]];
    Row y = w.bias;
    AddProduct(w, 1, state.data(), state.size(), y.data());
    y.resize(w.outputs);
    return y;
  }

  // The events that a value's rows are of, or one row without.
  std::pair<size_t, size_t> RowsOf(const Node& node) const {
    if (!domains_[node.output].has_event()) return {0, 1};
    return {EventsOf(node).computed, EventsOf(node).last};
  }

  void DenseOfRows(const Node& node) {
    const ColumnMatrix& w = *matrices_[node.op.weights[0]];
    const auto [first, last] = RowsOf(node);
    y_.clear();
    x_.clear();
    for (size_t event = first; event < last; ++event) {
      const Row& x = Operand(node, 0, event);
      x_.insert(x_.end(), x.begin(), x.end());
      y_.insert(y_.end(), w.bias.begin(), w.bias.end());
      if (node.inputs.size() < 2) continue;
      const Row& addend = Operand(node, 1, event);
      double* const y = y_.data() + (event - first) * w.stride;
      for (size_t j = 0; j < w.outputs; ++j) y[j] += addend[j];
    }
    AddProduct(w, last - first, x_.data(), w.inputs, y_.data());
    ActivateRows(node.op.activation(), last - first, w.stride, w.outputs, &y_);
    Keep(node, last - first, w.stride, w.outputs, y_);
  }

  // With z = key * query: activation(P z + (Q query + key_row)), then layer by layer.
  void AttentionUnitOfEvents(const Node& node) {
    const Operator& op = node.op;
    const ColumnMatrix& of_query = *matrices_[op.weights[0]];
    const ColumnMatrix& of_product = *matrices_[op.weights[1]];
    const auto [first, last] = RowsOf(node);
    const size_t events = last - first;
    // With rows of zeros, so that no row is multiplied alone.
    const size_t rows =
        (events + reference::kRowStep - 1) / reference::kRowStep * reference::kRowStep;
    const size_t inputs = of_product.inputs;
    size_t stride = of_product.stride;
    x_.resize(rows * inputs);
    y_.resize(rows * stride);
    std::fill(x_.begin() + static_cast<ptrdiff_t>(events * inputs), x_.end(), 0.0);
    std::fill(y_.begin() + static_cast<ptrdiff_t>(events * stride), y_.end(), 0.0);
    if (events > 0) {
      const Row& query = Operand(node, 0, first);
      Row shared(stride, 0.0);
      AddProduct(of_query, 1, query.data(), inputs, shared.data());
      for (size_t row = 0; row < events; ++row) {
        const Row& key = Operand(node, 1, first + row);
        const Row& key_row = Operand(node, 2, first + row);
        double* const x = x_.data() + row * inputs;
        double* const y = y_.data() + row * stride;
        for (size_t i = 0; i < inputs; ++i) x[i] = key[i] * query[i];
        for (size_t j = 0; j < of_product.outputs; ++j) y[j] = shared[j] + key_row[j];
        std::fill(y + of_product.outputs, y + stride, 0.0);
      }
    }
    AddProduct(of_product, rows, x_.data(), inputs, y_.data());
    size_t outputs = of_product.outputs;
    ActivateRows(op.ActivationAt(0), rows, stride, outputs, &y_);
    for (size_t layer = 2; layer < op.weights.size(); ++layer) {
      const ColumnMatrix& w = *matrices_[op.weights[layer]];
      std::swap(x_, y_);
      y_.clear();
      for (size_t row = 0; row < rows; ++row) y_.insert(y_.end(), w.bias.begin(), w.bias.end());
      AddProduct(w, rows, x_.data(), stride, y_.data());
      stride = w.stride;
      outputs = w.outputs;
      ActivateRows(op.ActivationAt(layer - 1), rows, stride, outputs, &y_);
    }
    Keep(node, events, stride, outputs, y_);
  }

  // Numbers that pad rows may be anything afterwards.
  void ActivateRows(const ActivationSpec& activation, size_t rows, size_t stride, size_t width,
                    std::vector<double>* y) {
    switch (activation.kind) {
      case schema::ActivationKind::Linear:
        return;
      case schema::ActivationKind::Sigmoid:
        reference::SigmoidInPlace(y->data(), rows * stride);
        return;
      case schema::ActivationKind::Dice: {
        p_.assign(rows * stride, 0.0);
        for (size_t row = 0; row < rows; ++row) {
          for (size_t j = 0; j < width; ++j) {
            p_[row * stride + j] =
                activation.scale[j] * (*y)[row * stride + j] + activation.shift[j];
          }
        }
        reference::SigmoidInPlace(p_.data(), p_.size());
        for (size_t row = 0; row < rows; ++row) {
          for (size_t j = 0; j < width; ++j) {
            const double p = p_[row * stride + j];
            double& x = (*y)[row * stride + j];
            x = p * x + (1 - p) * activation.alpha[j] * x;
          }
        }
        return;
      }
      default:
        for (size_t row = 0; row < rows; ++row) {
          const auto begin = y->begin() + static_cast<ptrdiff_t>(row * stride);
          const Row own =
              reference::Activate(Row(begin, begin + static_cast<ptrdiff_t>(width)), activation);
          std::copy(own.begin(), own.end(), begin);
        }
        return;
    }
  }

  // Rows of a matrix as those of a node's value.
  void Keep(const Node& node, size_t rows, size_t stride, size_t width,
            const std::vector<double>& y) {
    std::vector<Row>& kept = rows_[node.output];
    kept.resize(rows);
    for (size_t row = 0; row < rows; ++row) {
      const auto begin = y.begin() + static_cast<ptrdiff_t>(row * stride);
      kept[row].assign(begin, begin + static_cast<ptrdiff_t>(width));
    }
  }

  const Matrices& matrices_;
  std::vector<double> x_, y_, p_;  // Scratch.
};

}  // namespace

SharedInterpreter::SharedInterpreter(const Graph& graph)
    : graph_(graph), domains_(InferDomains(graph)), sequences_(InferSequences(graph)) {
  for (const auto& dense : graph.dense) {
    matrices_.push_back(std::make_unique<const ColumnMatrix>(*dense));
  }
}

LogitsOfOutputs SharedInterpreter::Evaluate(const ResolvedRequest& request) const {
  return SharedEvaluation(graph_, domains_, sequences_, matrices_, request)
      .Run(request.candidate_count);
}

}  // namespace handpick::converter
