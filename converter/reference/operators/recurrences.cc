// Recurrent cells, from event to event.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "converter/reference/operators/loops.h"
#include "schema/operators.h"

namespace handpick::converter::reference {
namespace {

// The state of a recurrent cell after one more event. `gates`: the input side of r, z, n;
// `from_state`: the state's side, Product(weights, before).
Row NextState(schema::RecurrentCell cell, RowView gates, const Row& from_state,
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

FromState ByLoop(const CandidateValues& candidate, const Node& node) {
  const DenseData& weights = candidate.Weights(node, 0);
  return [&weights](const Row& state) { return Product(weights, state); };
}

}  // namespace

std::vector<Row> Recurrence(const CandidateValues& candidate, const Node& node,
                            const FromState& from_state) {
  const CandidateValues::Events& events = candidate.EventsOf(node);
  std::vector<Row> states;
  Row state(candidate.WidthOf(node), 0.0);
  for (size_t event = events.computed; event < events.last; ++event) {
    state = NextState(node.op.cell, candidate.Operand(node, 0, event), from_state(state),
                      candidate.Weights(node, 0), /*attention=*/1, state);
    states.push_back(state);
  }
  return states;
}

std::vector<Row> AttentionRecurrence(const CandidateValues& candidate, const Node& node,
                                     const FromState& from_state) {
  const Operator& op = node.op;
  const CandidateValues::Events& events = candidate.EventsOf(node);
  Row state(candidate.WidthOf(node), 0.0);
  for (size_t event = events.first; event < events.last; ++event) {
    const double attention = candidate.Operand(node, 1, event)[0];
    Row gates = CopyOf(candidate.Operand(node, 0, event));
    if (schema::ScalesInput(op.cell)) {
      for (size_t j = 0; j < gates.size(); ++j) {
        gates[j] = attention * gates[j] + op.numbers[j];
      }
    }
    state =
        NextState(op.cell, gates, from_state(state), candidate.Weights(node, 0), attention, state);
  }
  return {state};
}

std::vector<Row> Recurrence(const CandidateValues& candidate, const Node& node) {
  return Recurrence(candidate, node, ByLoop(candidate, node));
}

std::vector<Row> AttentionRecurrence(const CandidateValues& candidate, const Node& node) {
  return AttentionRecurrence(candidate, node, ByLoop(candidate, node));
}

}  // namespace handpick::converter::reference
