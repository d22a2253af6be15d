#include "converter/reference/interpreter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "converter/graph/infer_domains.h"

namespace handpick::converter {
namespace {

using Row = std::vector<double>;

// The sum, mean or maximum of rows of one width, column by column.
Row Pool(const std::vector<Row>& rows, uint32_t width, schema::Combiner combiner, double divisor,
         double empty_value) {
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

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

Row Activate(Row row, const ActivationSpec& activation) {
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

// What is left of a row after the engine's dynamic quantisation to int8: one scale and zero point
// per row, chosen so that 0 and both extremes are kept.
Row QuantizeAndBack(Row row) {
  constexpr double kLowest = -128, kHighest = 127;
  double smallest = 0, largest = 0;
  for (double x : row) {
    smallest = std::min(smallest, x);
    largest = std::max(largest, x);
  }
  if (smallest == largest) return row;  // All zero.
  const double scale = (largest - smallest) / (kHighest - kLowest);
  // The zero point comes from the extreme whose own rounding error is smaller.
  const double from_smallest = kLowest + smallest / scale;
  const double from_largest = kHighest + largest / scale;
  const double zero_point = std::nearbyint(std::clamp(
      from_smallest + from_largest > 0 ? kLowest - smallest / scale : kHighest - largest / scale,
      kLowest, kHighest));
  for (double& x : row) {
    const double level = std::clamp(std::nearbyint(x / scale) + zero_point, kLowest, kHighest);
    x = (level - zero_point) * scale;
  }
  return row;
}

// Rounds to multiples of 1 / levels.
Row RoundToLevels(Row row, double levels) {
  for (double& x : row) x = std::nearbyint(x * levels) / levels;
  return row;
}

// Rounds to 127 levels on either side of 0.
Row RoundSymmetrically(const Row& row) {
  double largest = 0;
  for (double x : row) largest = std::max(largest, std::abs(x));
  return largest == 0 ? row : RoundToLevels(row, 127 / largest);
}

// The state of a recurrent cell after one more event. `gates`: the input side of r, z, n;
// `weights`: the state's side.
Row NextState(schema::RecurrentCell cell, const Row& gates, const DenseData& weights,
              double attention, const Row& before) {
  const size_t width = before.size();
  Row from_state(3 * width, 0.0);
  // Int8 weights multiply levels of the state; the state itself is kept as it is.
  const bool int8 = weights.type == schema::ElementType::Int8PerRow;
  const Row multiplied = int8 ? RoundToLevels(before, 127) : before;
  for (uint32_t j = 0; j < weights.output_width; ++j) {
    for (uint32_t i = 0; i < weights.input_width; ++i)
      from_state[j] += multiplied[i] * weights.At(j, i);
    if (!weights.bias.empty()) from_state[j] += weights.bias[j];
  }
  Row after(width);
  for (size_t i = 0; i < width; ++i) {
    const double h = before[i];
    const double r = Sigmoid(gates[i] + from_state[i]);
    const double z = Sigmoid(gates[width + i] + from_state[width + i]);
    const double n = std::tanh(gates[2 * width + i] + r * from_state[2 * width + i]);
    switch (cell) {
      case schema::RecurrentCell::AttentionGru:
        after[i] = (1 - attention) * h + attention * n;
        break;
      case schema::RecurrentCell::AttentionUpdateGru:
        after[i] = (1 - attention * z) * h + attention * z * n;
        break;
      default:  // Gru, AttentionInputGru
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
                      const ResolvedRequest& request, size_t candidate)
      : graph_(graph), domains_(domains), request_(request), candidate_(candidate) {
    // The oldest events beyond the model's maximum are dropped.
    last_event_ = request.event_count;
    first_event_ = last_event_ - std::min<size_t>(last_event_, graph.max_history);
    // States that are carried on follow from the events before those that are left as well.
    first_computed_ = graph.beyond_maximum == schema::BeyondMaximum::Carry ? 0 : first_event_;
  }

  double Logit() {
    rows_.resize(graph_.values.size());
    for (const Node& node : graph_.nodes) {
      std::vector<Row>& output = rows_[node.output];
      if (const auto* pool = std::get_if<PoolHistoryOp>(&node.op)) {
        output = {PoolEvents(node, *pool)};
      } else if (const auto* weighted = std::get_if<WeightedPoolOp>(&node.op)) {
        output = {PoolWeighted(node, *weighted)};
      } else if (std::holds_alternative<SoftmaxOverHistoryOp>(node.op)) {
        output = Softmax(node);
      } else if (const auto* recurrence = std::get_if<RecurrenceOp>(&node.op)) {
        output = States(node, *recurrence);
      } else if (const auto* attention = std::get_if<AttentionRecurrenceOp>(&node.op)) {
        output = {LastState(node, *attention)};
      } else if (domains_[node.output].has_event()) {
        for (size_t event = first_computed_; event < last_event_; ++event) {
          output.push_back(Compute(node, event));
        }
      } else {
        output = {Compute(node, 0)};
      }
    }
    return rows_[graph_.logit][0][0];
  }

 private:
  // The row of an operand that belongs to an event; operands without events are the same for all.
  const Row& Operand(const Node& node, size_t input, size_t event) const {
    const ValueId value = node.inputs[input];
    return domains_[value].has_event() ? rows_[value][event - first_computed_] : rows_[value][0];
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
    for (uint32_t row : resolved.rows) {
      Row numbers(table.dimension);
      for (uint32_t j = 0; j < table.dimension; ++j) numbers[j] = table.At(row, j);
      rows.push_back(numbers);
    }
    return Pool(rows, table.dimension, lookup.combiner, resolved.divisor, lookup.empty_value);
  }

  bool Counts(uint32_t mask_feature, size_t event) const {
    const int64_t padding_row = graph_.features->features[mask_feature]->padding_row;
    const std::vector<uint32_t>& rows = request_.features[mask_feature].rows[event].rows;
    return rows.size() != 1 || rows[0] != padding_row;
  }

  Row PoolEvents(const Node& node, const PoolHistoryOp& op) const {
    std::vector<Row> rows;
    for (size_t event = first_event_; event < last_event_; ++event) {
      if (!op.mask_feature.has_value() || Counts(*op.mask_feature, event)) {
        rows.push_back(Operand(node, 0, event));
      }
    }
    return Pool(rows, graph_.WidthOf(node.output), op.combiner, static_cast<double>(rows.size()),
                op.empty_value);
  }

  Row PoolWeighted(const Node& node, const WeightedPoolOp& op) const {
    Row sum(graph_.WidthOf(node.output), 0.0);
    if (first_event_ == last_event_ && !op.empty_value.empty()) return op.empty_value;
    for (size_t event = first_event_; event < last_event_; ++event) {
      const double weight = Operand(node, 0, event)[0];
      const Row& row = Operand(node, 1, event);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += weight * row[j];
    }
    return sum;
  }

  // Events that are not in the history any more have weight 0.
  std::vector<Row> Softmax(const Node& node) const {
    double largest = -std::numeric_limits<double>::infinity();
    for (size_t event = first_event_; event < last_event_; ++event) {
      largest = std::max(largest, Operand(node, 0, event)[0]);
    }
    std::vector<Row> weights(last_event_ - first_computed_, Row(1, 0.0));
    double sum = 0;
    for (size_t event = first_event_; event < last_event_; ++event) {
      double& weight = weights[event - first_computed_][0];
      weight = std::exp(Operand(node, 0, event)[0] - largest);
      sum += weight;
    }
    for (Row& weight : weights) weight[0] /= sum;
    return weights;
  }

  std::vector<Row> States(const Node& node, const RecurrenceOp& op) const {
    std::vector<Row> states;
    Row state(graph_.WidthOf(node.output), 0.0);
    for (size_t event = first_computed_; event < last_event_; ++event) {
      state = NextState(schema::RecurrentCell::Gru, Operand(node, 0, event),
                        *graph_.dense[op.weights], /*attention=*/1, state);
      states.push_back(state);
    }
    return states;
  }

  Row LastState(const Node& node, const AttentionRecurrenceOp& op) const {
    Row state(graph_.WidthOf(node.output), 0.0);
    for (size_t event = first_event_; event < last_event_; ++event) {
      const double attention = Operand(node, 1, event)[0];
      Row gates = Operand(node, 0, event);
      if (op.cell == schema::RecurrentCell::AttentionInputGru) {
        for (size_t j = 0; j < gates.size(); ++j) {
          gates[j] = attention * gates[j] + op.input_bias[j];
        }
      }
      state = NextState(op.cell, gates, *graph_.dense[op.weights], attention, state);
    }
    return state;
  }

  Row Compute(const Node& node, size_t event) const {
    return std::visit([&](const auto& op) { return Compute(node, op, event); }, node.op);
  }

  Row Compute(const Node&, const EmbeddingOp& op, size_t event) const {
    return LookUp(op.lookup, event);
  }

  Row Compute(const Node& node, const EmbeddingSumOp& op, size_t event) const {
    Row sum(graph_.WidthOf(node.output), 0.0);
    if (!node.inputs.empty()) sum = Operand(node, 0, event);
    for (const Lookup& lookup : op.lookups) {
      const Row row = LookUp(lookup, event);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += op.squared ? row[j] * row[j] : row[j];
    }
    return sum;
  }

  Row Compute(const Node&, const NumericOp& op, size_t event) const {
    return request_.features[op.feature].numbers[RowOfSide(op.feature, event)];
  }

  Row Compute(const Node&, const ConstantOp& op, size_t) const { return op.values; }

  Row Compute(const Node& node, const ConcatOp&, size_t event) const {
    Row row;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Row& part = Operand(node, i, event);
      row.insert(row.end(), part.begin(), part.end());
    }
    return row;
  }

  Row Compute(const Node& node, const SliceOp& op, size_t event) const {
    const Row& whole = Operand(node, 0, event);
    const auto begin = whole.begin() + op.column;
    return Row(begin, begin + graph_.WidthOf(node.output));
  }

  Row Compute(const Node& node, const DenseOp& op, size_t event) const {
    const DenseData& dense = *graph_.dense[op.weights];
    const Row& x = Operand(node, 0, event);
    Row y(dense.output_width, 0.0);
    for (uint32_t j = 0; j < dense.output_width; ++j) {
      for (uint32_t i = 0; i < dense.input_width; ++i) y[j] += x[i] * dense.At(j, i);
      if (!dense.bias.empty()) y[j] += dense.bias[j];
      if (node.inputs.size() == 2) y[j] += Operand(node, 1, event)[j];
    }
    return Activate(y, op.activation);
  }

  Row Compute(const Node& node, const BatchNormOp& op, size_t event) const {
    Row row = Operand(node, 0, event);
    for (size_t j = 0; j < row.size(); ++j) {
      row[j] = (row[j] - op.mean[j]) / std::sqrt(op.variance[j] + op.epsilon) * op.scale[j] +
               op.offset[j];
    }
    return row;
  }

  Row Compute(const Node& node, const ActivationOp& op, size_t event) const {
    return Activate(Operand(node, 0, event), op.activation);
  }

  Row Compute(const Node& node, const AddOp& op, size_t event) const {
    Row sum(graph_.WidthOf(node.output), 0.0);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Row& addend = Operand(node, i, event);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += addend[j];
    }
    for (size_t j = 0; j < op.bias.size(); ++j) sum[j] += op.bias[j];
    return Activate(sum, op.activation);
  }

  // Pooling is not per event: PoolEvents.
  Row Compute(const Node& node, const PoolHistoryOp& op, size_t) const {
    return PoolEvents(node, op);
  }

  Row Compute(const Node& node, const MultiplyOp&, size_t event) const {
    Row product = Operand(node, 0, event);
    const Row& factor = Operand(node, 1, event);
    for (size_t j = 0; j < product.size(); ++j) product[j] *= factor[j];
    return product;
  }

  Row Compute(const Node& node, const SubtractOp&, size_t event) const {
    Row difference = Operand(node, 0, event);
    const Row& subtrahend = Operand(node, 1, event);
    for (size_t j = 0; j < difference.size(); ++j) difference[j] -= subtrahend[j];
    return difference;
  }

  Row Compute(const Node& node, const BiInteractionOp&, size_t event) const {
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

  Row Compute(const Node& node, const BiInteractionOfSumsOp&, size_t event) const {
    Row row = Operand(node, 0, event);
    const Row& squares = Operand(node, 1, event);
    for (size_t j = 0; j < row.size(); ++j) row[j] = (row[j] * row[j] - squares[j]) / 2;
    return row;
  }

  Row Compute(const Node& node, const EmbeddingBiInteractionOp& op, size_t event) const {
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

  // These run over all events: see Logit.
  Row Compute(const Node& node, const WeightedPoolOp& op, size_t) const {
    return PoolWeighted(node, op);
  }
  Row Compute(const Node& node, const SoftmaxOverHistoryOp&, size_t event) const {
    return Softmax(node)[event - first_computed_];
  }
  Row Compute(const Node& node, const RecurrenceOp& op, size_t event) const {
    return States(node, op)[event - first_computed_];
  }
  Row Compute(const Node& node, const AttentionRecurrenceOp& op, size_t) const {
    return LastState(node, op);
  }

  // With M = Q + P diag(key): activation(M query + key_row), then layer by layer.
  Row Compute(const Node& node, const AttentionUnitOp& op, size_t event) const {
    Row query = Operand(node, 0, event);
    const Row& key = Operand(node, 1, event);
    Row x = Operand(node, 2, event);
    if (op.fold_int8) query = RoundSymmetrically(query);
    for (size_t j = 0; j < x.size(); ++j) {
      Row folded(query.size());
      for (size_t i = 0; i < query.size(); ++i) {
        folded[i] = graph_.dense[op.query_weights]->At(j, i) +
                    graph_.dense[op.product_weights]->At(j, i) * key[i];
      }
      if (op.fold_int8) folded = RoundSymmetrically(folded);
      for (size_t i = 0; i < query.size(); ++i) x[j] += folded[i] * query[i];
    }
    const ActivationSpec* activation = &op.activation;
    for (const AttentionLayerSpec& layer : op.layers) {
      x = Activate(x, *activation);
      const DenseData& dense = *graph_.dense[layer.weights];
      if (dense.type == schema::ElementType::Int8PerRow) {
        x = activation->kind == schema::ActivationKind::Sigmoid ? RoundToLevels(x, 254)
                                                                : QuantizeAndBack(x);
      }
      Row y(dense.output_width, 0.0);
      for (size_t j = 0; j < y.size(); ++j) {
        for (size_t i = 0; i < x.size(); ++i) y[j] += dense.At(j, i) * x[i];
        if (!dense.bias.empty()) y[j] += dense.bias[j];
      }
      x = std::move(y);
      activation = &layer.activation;
    }
    return Activate(x, *activation);
  }

  Row Compute(const Node& node, const QuantizeOp&, size_t event) const {
    return QuantizeAndBack(Operand(node, 0, event));
  }

  Row Compute(const Node& node, const CopyOp&, size_t event) const {
    return Operand(node, 0, event);
  }

  const Graph& graph_;
  const std::vector<Domain>& domains_;
  const ResolvedRequest& request_;
  const size_t candidate_;
  size_t first_computed_;  // Event of the first row of a value that has one per event.
  size_t first_event_;     // Oldest event in the history.
  size_t last_event_;
  std::vector<std::vector<Row>> rows_;  // By value.
};

}  // namespace

absl::StatusOr<std::vector<double>> EvaluateReference(const Graph& graph, const Request& request) {
  const absl::StatusOr<ResolvedRequest> resolved = ResolveRequest(request, *graph.features);
  if (!resolved.ok()) return resolved.status();
  return EvaluateReference(graph, *resolved);
}

std::vector<double> EvaluateReference(const Graph& graph, const ResolvedRequest& request) {
  const std::vector<Domain> domains = InferDomains(graph);
  std::vector<double> logits;
  for (size_t candidate = 0; candidate < request.candidate_count; ++candidate) {
    logits.push_back(CandidateEvaluation(graph, domains, request, candidate).Logit());
  }
  return logits;
}

}  // namespace handpick::converter
