#include "converter/bench/predict.h"

#include <algorithm>
#include <cmath>

namespace handpick::converter {
namespace {

using schema::OperatorKind;

// What a row takes that is waited for alone, in times of one that comes beside others: rows of a
// context or an event, and those of the first lanes, while which nothing is computed.
constexpr double kAlone = 3.5;

// Seconds that a row of a context is waited for at least, after a request's other rows went through
// the caches: memory and a page of its own. 60 ns (8 bits) to 220 ns were seen in requests.
constexpr double kLatency = 1e-7;

// Times that folding takes where what is folded is rounded: each number is made twice.
constexpr double kRoundedFold = 1.5;

// What a byte of the weights takes once a request, in times of one of memory in order: they stay in
// one of the farther caches.
constexpr double kWeightByte = 0.25;

// Bytes of a row that are fetched ahead at most.
constexpr double kFetchedAhead = 128;
constexpr double kLine = 64;

// What a step's numbers and functions cost, and each row that it gathers. Where products are,
// numbers are read and written beside them. An activation unit's functions, and a recurrence's over
// candidates, are made into 8 bits where the weights behind them are.
struct KernelCosts {
  double element;
  double function;
  double row = 0;
  double int8_mac = 0;  // Over panels.
};

KernelCosts CostsOfKernel(OperatorKind kind, const Amount& amount, const Costs& costs) {
  const bool int8 = amount.int8_multiply_accumulates > 0;
  switch (kind) {
    case OperatorKind::Embedding:
    case OperatorKind::EmbeddingSum:
      return {costs.gather_element, 0, costs.gather_row};
    case OperatorKind::EmbeddingBiInteraction:
      // What comes into lanes is the sum.
      return {costs.element, 0, costs.gather_row};
    case OperatorKind::SoftmaxOverHistory:
      return {0, costs.exponential};
    case OperatorKind::WeightedPool:
      return {costs.pool_element, 0};
    case OperatorKind::AttentionUnit:
      return {0, int8 ? costs.int8_sigmoid : costs.sigmoid, 0, costs.int8_attention_mac};
    case OperatorKind::AttentionRecurrence:
      return {0, int8 ? costs.int8_gate : costs.gate, 0, costs.int8_attention_mac};
    case OperatorKind::Recurrence:
      return {0, costs.row_gate};
    default:
      return {amount.all_multiply_accumulates() > 0 ? 0 : costs.element, costs.sigmoid, 0,
              costs.int8_mac};
  }
}

// Parts of a line are shared with other rows. The first line of a row comes at random, and the
// others of a row that is fetched ahead after it; those of longer rows are waited for like the
// first.
double SecondsOfMemory(const Amount& amount, const Costs& costs) {
  const double bytes = amount.bytes_gathered / amount.rows_gathered;
  const double row = bytes <= kLine ? bytes / kLine * costs.memory_row
                     : bytes <= kFetchedAhead
                         ? costs.memory_row + (bytes - kLine) * costs.memory_byte
                         : bytes / kLine * costs.memory_row;
  return amount.rows_gathered * row;
}

}  // namespace

StepTime PredictStep(const StepWork& step, const Costs& costs, double events) {
  const Amount amount = step.With(events);
  const KernelCosts kernel = CostsOfKernel(step.kind, amount, costs);
  const bool tiled = step.runs_per == RunsPer::kCandidate;
  StepTime time;
  time.per_run = costs.step + (amount.all_multiply_accumulates() > 0 ? costs.product : 0);
  const double fold_element =
      costs.fold_element * (amount.int8_multiply_accumulates > 0 ? kRoundedFold : 1);
  time.per_new_event = step.per_new_event.elements * fold_element;
  time.per_run += std::min(events, step.max_events) * step.per_tile_event.elements * fold_element;
  time.per_row = amount.multiply_accumulates * (tiled ? costs.f32_mac : costs.f32_mac_row) +
                 amount.int8_multiply_accumulates * (tiled ? kernel.int8_mac : costs.int8_mac_row) +
                 amount.elements * kernel.element + amount.functions * kernel.function +
                 amount.rows_gathered * kernel.row +
                 amount.tree_nodes * (tiled ? costs.tree_node : costs.tree_node_row);
  if (amount.rows_gathered > 0) time.per_row += SecondsOfMemory(amount, costs);
  if (tiled) {
    // Since the last request, other things were in the first cache.
    time.per_request = step.weight_bytes * kWeightByte * costs.memory_byte;
    time.per_first_lane = amount.rows_gathered * kAlone * costs.memory_row;
  } else {
    const double alone = (kAlone - 1) * costs.memory_row;
    time.per_row += amount.rows_gathered *
                    (step.runs_per == RunsPer::kContext ? std::max(alone, kLatency) : alone);
  }
  return time;
}

double Prediction::Score(double candidates) const {
  const double lanes = LanesOf(candidates, lane_group);
  return each_request + std::min(lanes, StepTime::kFirstLanes) * each_first_lane +
         std::ceil(candidates / tile) * each_tile + lanes * each_lane;
}

Prediction Predict(const std::vector<StepWork>& steps, double context_features, const Costs& costs,
                   double events, double tile) {
  Prediction sum;
  sum.context_change = context_features * costs.feature;
  sum.tile = std::max(1.0, tile);
  sum.lane_group = costs.lane_group;
  sum.each_request = costs.request;
  for (const StepWork& step : steps) {
    const StepTime time = PredictStep(step, costs, events);
    switch (step.runs_per) {
      case RunsPer::kContext:
        sum.context_change += time.per_run + time.per_row;
        break;
      case RunsPer::kEvent:
        sum.event += time.per_run + time.per_row;
        break;
      case RunsPer::kCandidate:
        sum.each_request += time.per_request;
        sum.each_first_lane += time.per_first_lane;
        sum.each_tile += time.per_run;
        sum.each_lane += time.per_row;
        sum.event += time.per_new_event;
        break;
    }
  }
  // Of the last group of lanes half are idle, in the mean.
  sum.request = sum.each_request + StepTime::kFirstLanes * sum.each_first_lane + sum.each_tile +
                (sum.lane_group - 1) / 2 * sum.each_lane;
  sum.candidate = sum.each_lane + sum.each_tile / sum.tile;
  return sum;
}

}  // namespace handpick::converter
