// The loops of the reference interpreter: each operator, for one candidate of a request.
//
// Only the reference's own files include this: others call interpreter.h or shared_interpreter.h.
#ifndef HANDPICK_CONVERTER_REFERENCE_CANDIDATE_EVALUATION_H_
#define HANDPICK_CONVERTER_REFERENCE_CANDIDATE_EVALUATION_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/graph/infer_domains.h"
#include "converter/request/resolve.h"

namespace handpick::converter::reference {

using Row = std::vector<double>;

// The sum, mean or maximum of rows of one width, column by column.
inline Row Pool(const std::vector<Row>& rows, uint32_t width, schema::Combiner combiner,
                double divisor, double empty_value) {
  if (rows.empty()) return Row(width, combiner == schema::Combiner::Max ? empty_value : 0.0);
  Row pooled = rows[0];
  for (size_t r = 1; r < rows.size(); ++r) {
    for (uint32_t j = 0; j < width; ++j) {
      pooled[j] = combiner == schema::Combiner::Max ? std::max(pooled[j], rows[r][j])
                                                    : pooled[j] + rows[r][j];
    }
  }
  if (combiner == schema::Combiner::Mean) {
    for (double& number : pooled) number /= divisor;
  }
  return pooled;
}

inline double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// Nothing overflows.
inline double LogSigmoid(double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }

inline Row Activate(Row row, const ActivationSpec& activation) {
  for (size_t j = 0; j < row.size(); ++j) {
    const double x = row[j];
    switch (activation.kind) {
      case schema::ActivationKind::Linear:
        break;
      case schema::ActivationKind::Relu:
        row[j] = std::max(x, 0.0);
        break;
      case schema::ActivationKind::Sigmoid:
        row[j] = Sigmoid(x);
        break;
      case schema::ActivationKind::LogSigmoid:
        row[j] = LogSigmoid(x);
        break;
      case schema::ActivationKind::Prelu:
        row[j] = x > 0 ? x : x * activation.alpha[activation.alpha.size() == 1 ? 0 : j];
        break;
      case schema::ActivationKind::Tanh:
        row[j] = std::tanh(x);
        break;
      case schema::ActivationKind::Dice: {
        const double p = Sigmoid(activation.scale[j] * x + activation.shift[j]);
        row[j] = p * x + (1 - p) * activation.alpha[j] * x;
        break;
      }
    }
  }
  return row;
}

// The state of a recurrent cell after one more event. `gates`: the input side of r, z, n;
// `from_state`: the state's side, Product(weights, before).
inline Row NextState(schema::RecurrentCell cell, const Row& gates, const Row& from_state,
                     const DenseData& weights, double attention, const Row& before) {
  const size_t width = before.size();
  Row after(width);
  const auto reset = [&](size_t i) { return Sigmoid(gates[i] + from_state[i]); };
  // The state's side of n: r (U h + b), or U (r h) + b.
  const auto new_from_state = [&](size_t i) {
    const size_t row = 2 * width + i;
    if (!schema::ResetsFirst(cell)) return reset(i) * from_state[row];
    double sum = weights.bias.empty() ? 0 : weights.bias[row];
    for (size_t j = 0; j < width; ++j) {
      sum +=
          reset(j) * before[j] * weights.At(static_cast<uint32_t>(row), static_cast<uint32_t>(j));
    }
    return sum;
  };
  for (size_t i = 0; i < width; ++i) {
    const double h = before[i];
    const double z = Sigmoid(gates[width + i] + from_state[width + i]);
    const double n = std::tanh(gates[2 * width + i] + new_from_state(i));
    switch (cell) {
      case schema::RecurrentCell::AttentionGru:
      case schema::RecurrentCell::ResetFirstAttentionGru:
        after[i] = (1 - attention) * h + attention * n;
        break;
      case schema::RecurrentCell::AttentionUpdateGru:
        after[i] = (1 - attention * z) * h + attention * z * n;
        break;
      case schema::RecurrentCell::ResetFirstAttentionKeepGru:
        after[i] = (1 - attention) * z * h + (1 - (1 - attention) * z) * n;
        break;
      default:  // Without attention, or with attention on the input alone.
        after[i] = (1 - z) * n + z * h;
        break;
    }
  }
  return after;
}

// Evaluates one candidate of a request. Each value has one row, or one per event when its domain
// has events.
class CandidateEvaluation {
 public:
  CandidateEvaluation(const Graph& graph, const std::vector<Domain>& domains,
                      const std::vector<uint32_t>& sequences, const ResolvedRequest& request,
                      size_t candidate)
      : graph_(graph),
        domains_(domains),
        sequences_(sequences),
        request_(request),
        candidate_(candidate),
        events_(std::max<size_t>(graph.sequences.size(), 1)) {
    for (size_t s = 0; s < graph.sequences.size(); ++s) {
      const Sequence& sequence = graph.sequences[s];
      Events& events = events_[s];
      // The oldest events beyond the model's maximum are dropped.
      events.last = s < request.event_counts.size() ? request.event_counts[s] : 0;
      events.first = events.last - std::min<size_t>(events.last, sequence.max_events);
      // States that are carried on follow from the events before those that are left as well.
      events.computed = sequence.beyond_maximum == schema::BeyondMaximum::Carry ? 0 : events.first;
    }
  }

  virtual ~CandidateEvaluation() = default;

  // The logit of each output.
  std::vector<double> Logits() {
    Evaluate();
    std::vector<double> logits;
    for (const ValueId output : graph_.OutputValues()) logits.push_back(rows_[output][0][0]);
    return logits;
  }

  // All rows of every value.
  std::vector<std::vector<Row>> Values() {
    Evaluate();
    return rows_;
  }

  Row RowOf(ValueId value) {
    Evaluate();
    return rows_[value][0];
  }

 protected:
  void Evaluate() {
    rows_.resize(graph_.values.size());
    for (const Node& node : graph_.nodes) Compute(node);
  }

  // The rows of a node's value.
  void Compute(const Node& node) {
    std::vector<Row>& output = rows_[node.output];
    const Loop& loop = LoopOf(node.op.kind);
    if (loop.all != nullptr) {
      output = (this->*loop.all)(node);
    } else if (domains_[node.output].has_event()) {
      output.clear();
      const Events& events = EventsOf(node);
      for (size_t event = events.computed; event < events.last; ++event) {
        output.push_back((this->*loop.row)(node, event));
      }
    } else {
      output = {(this->*loop.row)(node, 0)};
    }
  }

  // Which events of a sequence there are.
  struct Events {
    size_t computed = 0;  // That of the first row of a value that has one per event.
    size_t first = 0;     // The oldest one in the history.
    size_t last = 0;      // Behind the newest one.
  };

  // Those that a node reads, or runs over.
  const Events& EventsOf(const Node& node) const {
    const uint32_t sequence = SequenceOf(graph_, node, sequences_);
    return events_[sequence == kNoSequence ? 0 : sequence];
  }

  // How a kind of node is computed: row by row, or all rows together where one depends on others.
  struct Loop {
    OperatorKind kind;
    Row (CandidateEvaluation::*row)(const Node&, size_t event) const;
    std::vector<Row> (CandidateEvaluation::*all)(const Node&) const;
  };
  static const Loop& LoopOf(OperatorKind kind);

  // The row of an operand that belongs to an event; operands without events are the same for all.
  const Row& Operand(const Node& node, size_t input, size_t event) const {
    const ValueId value = node.inputs[input];
    return domains_[value].has_event() ? rows_[value][event - EventsOf(node).computed]
                                       : rows_[value][0];
  }

  // Where a feature's value is found among the rows of its side.
  size_t RowOfSide(uint32_t feature, size_t event) const {
    switch (graph_.features->features[feature]->side) {
      case schema::Side::History:
        return event;
      case schema::Side::Candidate:
        return candidate_;
      default:
        return 0;
    }
  }

  Row LookUp(const Lookup& lookup, size_t event) const {
    const TableData& table = *graph_.tables[lookup.table];
    const ResolvedRows& resolved =
        request_.features[lookup.feature].rows[RowOfSide(lookup.feature, event)];
    std::vector<Row> rows;
    for (uint32_t row : resolved.rows) rows.push_back(table.Row(row));
    return Pool(rows, table.dimension, lookup.combiner, resolved.divisor, lookup.empty_value);
  }

  bool Counts(uint32_t mask_feature, size_t event) const {
    const int64_t padding_row = graph_.features->features[mask_feature]->padding_row;
    const std::vector<uint32_t>& rows = request_.features[mask_feature].rows[event].rows;
    return rows.size() != 1 || rows[0] != padding_row;
  }

  std::vector<Row> PoolHistory(const Node& node) const {
    const Operator& op = node.op;
    const Events& events = EventsOf(node);
    std::vector<Row> rows;
    for (size_t event = events.first; event < events.last; ++event) {
      if (op.features.empty() || Counts(op.features[0], event)) {
        rows.push_back(Operand(node, 0, event));
      }
    }
    return {Pool(rows, graph_.WidthOf(node.output), op.combiner, static_cast<double>(rows.size()),
                 op.empty_value)};
  }

  std::vector<Row> WeightedPool(const Node& node) const {
    const Events& events = EventsOf(node);
    Row sum(graph_.WidthOf(node.output), 0.0);
    if (events.first == events.last && !node.op.numbers.empty()) return {node.op.numbers};
    for (size_t event = events.first; event < events.last; ++event) {
      const double weight = Operand(node, 0, event)[0];
      const Row& row = Operand(node, 1, event);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += weight * row[j];
    }
    return {sum};
  }

  // Events that are not in the history any more have weight 0.
  std::vector<Row> SoftmaxOverHistory(const Node& node) const {
    const Events& events = EventsOf(node);
    double largest = -std::numeric_limits<double>::infinity();
    for (size_t event = events.first; event < events.last; ++event) {
      largest = std::max(largest, Operand(node, 0, event)[0]);
    }
    std::vector<Row> weights(events.last - events.computed, Row(1, 0.0));
    double sum = 0;
    for (size_t event = events.first; event < events.last; ++event) {
      double& weight = weights[event - events.computed][0];
      weight = std::exp(Operand(node, 0, event)[0] - largest);
      sum += weight;
    }
    for (Row& weight : weights) weight[0] /= sum;
    return weights;
  }

  // The state's side of a cell.
  virtual Row FromState(const Node& node, const Row& state) const {
    return Product(*graph_.dense[node.op.weights[0]], state);
  }

  std::vector<Row> Recurrence(const Node& node) const {
    const Events& events = EventsOf(node);
    std::vector<Row> states;
    Row state(graph_.WidthOf(node.output), 0.0);
    for (size_t event = events.computed; event < events.last; ++event) {
      state = NextState(node.op.cell, Operand(node, 0, event), FromState(node, state),
                        *graph_.dense[node.op.weights[0]], /*attention=*/1, state);
      states.push_back(state);
    }
    return states;
  }

  std::vector<Row> AttentionRecurrence(const Node& node) const {
    const Operator& op = node.op;
    const Events& events = EventsOf(node);
    Row state(graph_.WidthOf(node.output), 0.0);
    for (size_t event = events.first; event < events.last; ++event) {
      const double attention = Operand(node, 1, event)[0];
      Row gates = Operand(node, 0, event);
      if (schema::ScalesInput(op.cell)) {
        for (size_t j = 0; j < gates.size(); ++j) {
          gates[j] = attention * gates[j] + op.numbers[j];
        }
      }
      state = NextState(op.cell, gates, FromState(node, state), *graph_.dense[op.weights[0]],
                        attention, state);
    }
    return {state};
  }

  Row Embedding(const Node& node, size_t event) const {
    Row row;
    for (const Lookup& lookup : node.op.lookups) {
      const Row part = LookUp(lookup, event);
      row.insert(row.end(), part.begin(), part.end());
    }
    return row;
  }

  Row EmbeddingSum(const Node& node, size_t event) const {
    const Operator& op = node.op;
    Row sum(graph_.WidthOf(node.output), 0.0);
    if (!node.inputs.empty()) sum = Operand(node, 0, event);
    for (const Lookup& lookup : op.lookups) {
      const Row row = LookUp(lookup, event);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += op.squared ? row[j] * row[j] : row[j];
    }
    return sum;
  }

  Row Numeric(const Node& node, size_t event) const {
    Row row;
    for (const uint32_t feature : node.op.features) {
      const Row& part = request_.features[feature].numbers[RowOfSide(feature, event)];
      row.insert(row.end(), part.begin(), part.end());
    }
    return row;
  }

  Row Constant(const Node& node, size_t) const { return node.op.numbers; }

  Row Concat(const Node& node, size_t event) const {
    Row row;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Row& part = Operand(node, i, event);
      row.insert(row.end(), part.begin(), part.end());
    }
    return row;
  }

  Row Slice(const Node& node, size_t event) const {
    const Operator& op = node.op;
    const Row& whole = Operand(node, 0, event);
    const auto begin = whole.begin() + op.column;
    return Row(begin, begin + graph_.WidthOf(node.output));
  }

  Row Dense(const Node& node, size_t event) const {
    const Operator& op = node.op;
    Row y = Product(*graph_.dense[op.weights[0]], Operand(node, 0, event));
    if (node.inputs.size() == 2) {
      for (size_t j = 0; j < y.size(); ++j) y[j] += Operand(node, 1, event)[j];
    }
    return Activate(std::move(y), op.activation());
  }

  Row BatchNorm(const Node& node, size_t event) const {
    const BatchNormStatistics& of = *node.op.batch_norm;
    Row row = Operand(node, 0, event);
    for (size_t j = 0; j < row.size(); ++j) {
      row[j] = (row[j] - of.mean[j]) / std::sqrt(of.variance[j] + of.epsilon) * of.scale[j] +
               of.offset[j];
    }
    return row;
  }

  Row Activation(const Node& node, size_t event) const {
    const Operator& op = node.op;
    return Activate(Operand(node, 0, event), op.activation());
  }

  Row Add(const Node& node, size_t event) const {
    const Operator& op = node.op;
    Row sum(graph_.WidthOf(node.output), 0.0);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Row& addend = Operand(node, i, event);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += addend[j];
    }
    for (size_t j = 0; j < op.bias.size(); ++j) sum[j] += op.bias[j];
    return Activate(std::move(sum), op.activation());
  }

  Row Multiply(const Node& node, size_t event) const {
    Row product = Operand(node, 0, event);
    const Row& factor = Operand(node, 1, event);
    for (size_t j = 0; j < product.size(); ++j) product[j] *= factor[j];
    return product;
  }

  Row Subtract(const Node& node, size_t event) const {
    Row difference = Operand(node, 0, event);
    const Row& subtrahend = Operand(node, 1, event);
    for (size_t j = 0; j < difference.size(); ++j) difference[j] -= subtrahend[j];
    return difference;
  }

  Row BiInteractionOfAll(const Node& node, size_t event) const {
    Row sum(graph_.WidthOf(node.output), 0.0);
    for (size_t a = 0; a < node.inputs.size(); ++a) {
      for (size_t b = a + 1; b < node.inputs.size(); ++b) {
        for (size_t j = 0; j < sum.size(); ++j) {
          sum[j] += Operand(node, a, event)[j] * Operand(node, b, event)[j];
        }
      }
    }
    return sum;
  }

  Row BiInteraction(const Node& node, size_t event) const {
    Row row = Operand(node, 0, event);
    const Row& squares = Operand(node, 1, event);
    for (size_t j = 0; j < row.size(); ++j) row[j] = (row[j] * row[j] - squares[j]) / 2;
    return row;
  }

  Row RowSoftmax(const Node& node, size_t event) const {
    Row row = Operand(node, 0, event);
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (double& x : row) sum += x = std::exp(x - largest);
    for (double& x : row) x /= sum;
    return row;
  }

  Row InnerProduct(const Node& node, size_t event) const {
    const Row& a = Operand(node, 0, event);
    const Row& b = Operand(node, 1, event);
    Row products(graph_.WidthOf(node.output), 0.0);
    const size_t group = a.size() / products.size();
    for (size_t c = 0; c < a.size(); ++c) products[c / group] += a[c] * b[c];
    return products;
  }

  Row WeightedSum(const Node& node, size_t event) const {
    const Row& weights = Operand(node, 0, event);
    const Row& values = Operand(node, 1, event);
    Row sum(graph_.WidthOf(node.output), 0.0);
    for (size_t c = 0; c < values.size(); ++c) {
      sum[c % sum.size()] += weights[c / sum.size()] * values[c];
    }
    return sum;
  }

  // A row is compared as float32, as it is in training.
  Row Forest(const Node& node, size_t event) const {
    const ForestData& forest = *graph_.forests[*node.op.forest];
    const Row& row = Operand(node, 0, event);
    const std::vector<float> numbers(row.begin(), row.end());
    double sum = forest.base;
    for (size_t tree = 0; tree < forest.tree_count(); ++tree) {
      sum += forest.nodes[schema::LeafOf(forest.View(), tree, numbers.data(), 1)].number;
    }
    return {sum};
  }

  Row ContextDense(const Node& node, size_t event) const {
    const Row& x = Operand(node, 0, event);
    const Row& matrix = Operand(node, 1, event);
    Row y(graph_.WidthOf(node.output), 0.0);
    if (node.inputs.size() == 3) y = Operand(node, 2, event);
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = 0; j < y.size(); ++j) y[j] += x[i] * matrix[i * y.size() + j];
    }
    return Activate(std::move(y), node.op.activation());
  }

  Row MixFields(const Node& node, size_t event) const {
    const DenseData& weights = *graph_.dense[node.op.weights[0]];
    const Row& x = Operand(node, 0, event);
    const size_t columns = x.size() / weights.input_width;
    Row out = node.op.numbers;
    out.resize(graph_.WidthOf(node.output), 0.0);
    for (size_t c = 0; c < columns; ++c) {
      for (uint32_t o = 0; o < weights.output_width; ++o) {
        for (uint32_t i = 0; i < weights.input_width; ++i) {
          out[c * weights.output_width + o] += weights.At(o, i) * x[i * columns + c];
        }
      }
    }
    return out;
  }

  Row FieldDense(const Node& node, size_t event) const {
    const DenseData& dense = *graph_.dense[node.op.weights[0]];
    const Row& x = Operand(node, 0, event);
    Row y;
    for (auto at = x.begin(); at != x.end(); at += dense.input_width) {
      const Row field = Product(dense, Row(at, at + dense.input_width));
      y.insert(y.end(), field.begin(), field.end());
    }
    return Activate(std::move(y), node.op.activation());
  }

  Row LogSumExp(const Node& node, size_t event) const {
    const Row& row = Operand(node, 0, event);
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const double x : row) sum += std::exp(x - largest);
    return {largest + std::log(sum)};
  }

  // The first operand of a pair, times its matrix.
  static Row TimesKernel(const Row& a, const Row& kernels, size_t pair, size_t pairs) {
    if (kernels.empty()) return a;
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

  Row PairProducts(const Node& node, size_t event) const {
    const size_t fields = node.inputs.size();
    Row products;
    for (size_t i = 0; i < fields; ++i) {
      for (size_t j = i + 1; j < fields; ++j) {
        const Row a = TimesKernel(Operand(node, i, event), node.op.numbers, products.size(),
                                  fields * (fields - 1) / 2);
        const Row& b = Operand(node, j, event);
        double sum = 0;
        for (size_t c = 0; c < b.size(); ++c) sum += a[c] * b[c];
        products.push_back(sum);
      }
    }
    return products;
  }

  Row SquareOfSum(const Node& node, size_t event) const {
    Row sum = Operand(node, 0, event);
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      for (size_t c = 0; c < sum.size(); ++c) sum[c] += Operand(node, i, event)[c];
    }
    Row products;
    for (const double a : sum) {
      for (const double b : sum) products.push_back(a * b);
    }
    return products;
  }

  Row FieldAwarePairs(const Node& node, size_t event) const {
    const size_t fields = node.inputs.size();
    const size_t k = Operand(node, 0, event).size() / fields;
    double sum = 0;
    for (size_t i = 0; i < fields; ++i) {
      for (size_t j = i + 1; j < fields; ++j) {
        for (size_t c = 0; c < k; ++c) {
          sum += Operand(node, i, event)[j * k + c] * Operand(node, j, event)[i * k + c];
        }
      }
    }
    return {sum};
  }

  Row AttentionalPairs(const Node& node, size_t event) const {
    const Operator& op = node.op;
    std::vector<Row> products;
    Row weights;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      for (size_t j = i + 1; j < node.inputs.size(); ++j) {
        Row product = Operand(node, i, event);
        for (size_t c = 0; c < product.size(); ++c) product[c] *= Operand(node, j, event)[c];
        products.push_back(product);
        for (size_t layer = 1; layer < op.weights.size(); ++layer) {
          product = Activate(Product(*graph_.dense[op.weights[layer]], product),
                             op.ActivationAt(layer - 1));
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
    return Product(*graph_.dense[op.weights[0]], pooled);
  }

  Row RowNormalize(const Node& node, size_t event) const {
    Row row = Operand(node, 0, event);
    double square = 0;
    for (const double x : row) square += x * x;
    const double length = std::max(std::sqrt(square), 1e-12);
    for (double& x : row) x /= length;
    return row;
  }

  Row EmbeddingBiInteraction(const Node& node, size_t event) const {
    const Operator& op = node.op;
    Row sum(graph_.WidthOf(node.output), 0.0);
    Row squares = sum;
    if (!node.inputs.empty()) {
      sum = Operand(node, 0, event);
      squares = Operand(node, 1, event);
    }
    for (const Lookup& lookup : op.lookups) {
      const Row row = LookUp(lookup, event);
      for (size_t j = 0; j < sum.size(); ++j) {
        sum[j] += row[j];
        squares[j] += row[j] * row[j];
      }
    }
    for (size_t j = 0; j < sum.size(); ++j) sum[j] = (sum[j] * sum[j] - squares[j]) / 2;
    return sum;
  }

  // With M = Q + P diag(key): activation(M query + key_row), then layer by layer.
  Row AttentionUnit(const Node& node, size_t event) const {
    const Operator& op = node.op;
    const Row& query = Operand(node, 0, event);
    const Row& key = Operand(node, 1, event);
    Row x = Operand(node, 2, event);
    for (size_t j = 0; j < x.size(); ++j) {
      for (size_t i = 0; i < query.size(); ++i) {
        const double folded =
            graph_.dense[op.weights[0]]->At(j, i) + graph_.dense[op.weights[1]]->At(j, i) * key[i];
        x[j] += folded * query[i];
      }
    }
    x = Activate(std::move(x), op.ActivationAt(0));
    for (size_t layer = 2; layer < op.weights.size(); ++layer) {
      x = Activate(Product(*graph_.dense[op.weights[layer]], x), op.ActivationAt(layer - 1));
    }
    return x;
  }

  static Row Product(const DenseData& dense, const Row& x) {
    Row y(dense.output_width, 0.0);
    for (uint32_t j = 0; j < dense.output_width; ++j) {
      for (uint32_t i = 0; i < dense.input_width; ++i) y[j] += x[i] * dense.At(j, i);
      if (!dense.bias.empty()) y[j] += dense.bias[j];
    }
    return y;
  }

  Row Copy(const Node& node, size_t event) const { return Operand(node, 0, event); }

  const Graph& graph_;
  const std::vector<Domain>& domains_;
  const std::vector<uint32_t>& sequences_;
  const ResolvedRequest& request_;
  size_t candidate_;
  std::vector<Events> events_;          // By sequence.
  std::vector<std::vector<Row>> rows_;  // By value.
};

inline const CandidateEvaluation::Loop& CandidateEvaluation::LoopOf(OperatorKind kind) {
  using Of = CandidateEvaluation;
  static constexpr Loop kLoops[] = {
      {OperatorKind::Embedding, &Of::Embedding, nullptr},
      {OperatorKind::EmbeddingSum, &Of::EmbeddingSum, nullptr},
      {OperatorKind::Numeric, &Of::Numeric, nullptr},
      {OperatorKind::Dense, &Of::Dense, nullptr},
      {OperatorKind::Add, &Of::Add, nullptr},
      {OperatorKind::Copy, &Of::Copy, nullptr},
      {OperatorKind::PoolHistory, nullptr, &Of::PoolHistory},
      {OperatorKind::Multiply, &Of::Multiply, nullptr},
      {OperatorKind::BiInteraction, &Of::BiInteraction, nullptr},
      {OperatorKind::SoftmaxOverHistory, nullptr, &Of::SoftmaxOverHistory},
      {OperatorKind::WeightedPool, nullptr, &Of::WeightedPool},
      {OperatorKind::Recurrence, nullptr, &Of::Recurrence},
      {OperatorKind::AttentionRecurrence, nullptr, &Of::AttentionRecurrence},
      {OperatorKind::AttentionUnit, &Of::AttentionUnit, nullptr},
      {OperatorKind::EmbeddingBiInteraction, &Of::EmbeddingBiInteraction, nullptr},
      {OperatorKind::RowSoftmax, &Of::RowSoftmax, nullptr},
      {OperatorKind::InnerProduct, &Of::InnerProduct, nullptr},
      {OperatorKind::WeightedSum, &Of::WeightedSum, nullptr},
      {OperatorKind::Forest, &Of::Forest, nullptr},
      {OperatorKind::ContextDense, &Of::ContextDense, nullptr},
      {OperatorKind::MixFields, &Of::MixFields, nullptr},
      {OperatorKind::FieldDense, &Of::FieldDense, nullptr},
      {OperatorKind::LogSumExp, &Of::LogSumExp, nullptr},
      {OperatorKind::Constant, &Of::Constant, nullptr},
      {OperatorKind::RowNormalize, &Of::RowNormalize, nullptr},
  };
  static_assert(std::size(kLoops) == schema::kOperatorCount, "every operator has a reference");
  constexpr auto in_order = [] {
    for (size_t i = 0; i < std::size(kLoops); ++i) {
      if (kLoops[i].kind != schema::kOperators[i].kind) return false;
    }
    return true;
  };
  static_assert(in_order(), "references stand in the order of the operators");
  static constexpr Loop kGraphLoops[] = {
      {kConstant, &Of::Constant, nullptr},
      {kConcat, &Of::Concat, nullptr},
      {kSlice, &Of::Slice, nullptr},
      {kBatchNormalization, &Of::BatchNorm, nullptr},
      {kActivation, &Of::Activation, nullptr},
      {kSubtract, &Of::Subtract, nullptr},
      {kBiInteractionOfAll, &Of::BiInteractionOfAll, nullptr},
      {kPairProducts, &Of::PairProducts, nullptr},
      {kSquareOfSum, &Of::SquareOfSum, nullptr},
      {kFieldAwarePairs, &Of::FieldAwarePairs, nullptr},
      {kAttentionalPairs, &Of::AttentionalPairs, nullptr},
  };
  for (const Loop& loop : kGraphLoops) {
    if (loop.kind == kind) return loop;
  }
  return kLoops[static_cast<size_t>(kind) - 1];
}

}  // namespace handpick::converter::reference

#endif  // HANDPICK_CONVERTER_REFERENCE_CANDIDATE_EVALUATION_H_
