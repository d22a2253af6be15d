#include "converter/bench/predict.h"

#include <algorithm>

namespace handpick::converter {
namespace {

using schema::OperatorKind;

// What a kernel makes of the machine. Costs of numbers and functions are in multiply-accumulates at
// the float32 peak, so that they grow and shrink with the machine.
struct KernelCost {
  OperatorKind kind;
  double f32_share;        // Of the peak, for a product over a tile of candidates,
  double f32_share_alone;  // and over one row, where each weight is used once.
  double int8_share;       // Of the 8-bit peak.
  double int8_share_alone;
  double per_element;
  double per_function;
  double per_int8_function;  // Of which 8 bits are made.
  double per_row;            // Whatever the width.
};

// From tests/benchmarks:kernels_benchmark and profiles of the standard workloads, with AVX-512; an
// operator without a line has those of the first.
constexpr KernelCost kKernels[] = {
    {OperatorKind::Unknown, 0.87, 0.18, 0.65, 0.17, 5, 20, 20, 0},
    // Rows are fetched from anywhere and brought into lanes.
    {OperatorKind::Embedding, 0.87, 0.18, 0.65, 0.17, 30, 0, 0, 200},
    {OperatorKind::EmbeddingSum, 0.87, 0.18, 0.65, 0.17, 30, 0, 0, 200},
    {OperatorKind::SoftmaxOverHistory, 0.87, 0.18, 0.65, 0.17, 0, 36, 36, 0},
    {OperatorKind::WeightedPool, 0.87, 0.18, 0.65, 0.17, 0.5, 0, 0, 0},
    {OperatorKind::AttentionUnit, 0.87, 0.18, 0.65, 0.17, 5, 20, 11, 0},
    {OperatorKind::AttentionRecurrence, 0.87, 0.18, 0.65, 0.17, 0, 38, 19, 0},
    {OperatorKind::Recurrence, 0.87, 0.18, 0.65, 0.17, 5, 32, 32, 0},
};

// Calling a step, and one that calls XNNPACK's operators.
constexpr double kSecondsPerRun = 3e-8;
constexpr double kSecondsPerProduct = 6e-8;

// Candidates go through in groups of 16 lanes: so many of the last group's are idle, in the mean.
constexpr double kIdleLanes = 7.5;

// A node of a tree, in multiply-accumulates at the float32 peak: of candidates, whose nodes stay in
// the first cache, and of one row.
constexpr double kPerTreeNode = 70;
constexpr double kPerTreeNodeAlone = 150;

// Binding a request's columns and resolving the ids of a row are no steps.
constexpr double kSecondsPerRequest = 2e-7;

const KernelCost& CostOf(OperatorKind kind) {
  const auto* found = std::find_if(std::begin(kKernels), std::end(kKernels),
                                   [&](const KernelCost& kernel) { return kernel.kind == kind; });
  return found == std::end(kKernels) ? kKernels[0] : *found;
}

}  // namespace

StepTime PredictStep(const StepWork& step, const MachinePeak& machine, double events) {
  const KernelCost& kernel = CostOf(step.kind);
  const Amount amount = step.With(events);
  const bool tiled = step.runs_per == RunsPer::kCandidate;
  const double f32_seconds = 2e-9 / machine.f32_gflops;  // Of one multiply-accumulate at the peak.
  const double int8_seconds = 2e-9 / machine.int8_gops;
  const double per_function =
      amount.int8_multiply_accumulates > 0 ? kernel.per_int8_function : kernel.per_function;
  StepTime time;
  time.per_run = kSecondsPerRun + (amount.all_multiply_accumulates() > 0 ? kSecondsPerProduct : 0);
  time.per_run += step.per_tile_and_event.elements * std::min(events, step.max_events) *
                  kernel.per_element * f32_seconds;
  time.per_row = amount.multiply_accumulates * f32_seconds /
                     (tiled ? kernel.f32_share : kernel.f32_share_alone) +
                 amount.int8_multiply_accumulates * int8_seconds /
                     (tiled ? kernel.int8_share : kernel.int8_share_alone) +
                 (amount.elements * kernel.per_element + amount.functions * per_function +
                  kernel.per_row + amount.tree_nodes * (tiled ? kPerTreeNode : kPerTreeNodeAlone)) *
                     f32_seconds;
  if (amount.rows_gathered > 0) {
    // The first 64 bytes of a row come at random, the others after them.
    time.per_row += amount.rows_gathered / machine.random_rows +
                    std::max(0.0, amount.bytes_gathered - 64 * amount.rows_gathered) * 1e-9 /
                        machine.read_gigabytes;
  }
  return time;
}

Prediction Predict(const std::vector<StepWork>& steps, const MachinePeak& machine, double events,
                   double tile) {
  Prediction sum;
  sum.request = kSecondsPerRequest;
  for (const StepWork& step : steps) {
    const StepTime time = PredictStep(step, machine, events);
    switch (step.runs_per) {
      case RunsPer::kContext:
        sum.context_change += time.per_run + time.per_row;
        break;
      case RunsPer::kEvent:
        sum.event += time.per_run + time.per_row;
        break;
      case RunsPer::kCandidate:
        sum.request += time.per_run + kIdleLanes * time.per_row;
        sum.candidate += time.per_row + time.per_run / std::max(1.0, tile);
        break;
    }
  }
  return sum;
}

}  // namespace handpick::converter
