#include "converter/bench/costs.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace handpick::converter {
namespace {

// What kernels make of an instruction set. Shares are of the peaks; the rest is in
// multiply-accumulates at the float32 peak, so that it grows and shrinks with the machine.
struct SetCosts {
  const char* set;  // As Highway calls it.
  double f32_share;
  double f32_share_row;
  double int8_share;
  double int8_share_attention;
  double int8_share_row;
  double element;
  double fold_element;
  double sigmoid;
  double int8_sigmoid;
  double gate;
  double int8_gate;
  double row_gate;
  double exponential;
  double pool_element;
  double gather_row;
  double gather_element;
  // Of a random row's time: tables are smaller than what the machine's figure is of.
  double memory;
};

// From tests/benchmarks:kernels_benchmark and profiles of the standard workloads. A set without a
// line has those of the first, which are of a processor whose registers of 512 bits are computed
// with as a whole.
constexpr SetCosts kSets[] = {
    {"AVX3_DL", 0.87, 0.18, 0.65, 0.65, 0.17, 3, 5, 20, 11, 38, 19, 32, 36, 0.5, 120, 9, 1},
    // 512 bits in two halves.
    {"AVX3_ZEN4", 0.92, 0.55, 0.66, 0.66, 0.17, 1, 3, 6.8, 4.6, 13.3, 6.4, 37, 36, 0.5, 120, 8,
     0.5},
    // What attention sums in 16 bits is more than the peak of sums in 32.
    {"AVX2", 0.88, 0.55, 0.74, 1.28, 0.46, 1, 3, 9, 10, 15.3, 9.6, 37, 36, 0.5, 120, 8, 1.2},
};

// A node of a tree.
constexpr double kTreeNode = 70;
constexpr double kTreeNodeRow = 150;

// Seconds.
constexpr double kStep = 3e-8;
constexpr double kProduct = 6e-8;
constexpr double kRequest = 2e-7;

const SetCosts& CostsOfSet(const std::string& set) {
  const auto* found = std::find_if(std::begin(kSets), std::end(kSets),
                                   [&](const SetCosts& costs) { return costs.set == set; });
  return found == std::end(kSets) ? kSets[0] : *found;
}

}  // namespace

Costs CostsOf(const MachinePeak& machine) {
  const SetCosts& set = CostsOfSet(machine.instruction_set);
  const double f32 = 2e-9 / machine.f32_gflops;  // Of one multiply-accumulate at the peak.
  const double int8 = 2e-9 / machine.int8_gops;
  Costs costs;
  costs.f32_mac = f32 / set.f32_share;
  costs.f32_mac_row = f32 / set.f32_share_row;
  costs.int8_mac = int8 / set.int8_share;
  costs.int8_attention_mac = int8 / set.int8_share_attention;
  costs.int8_mac_row = int8 / set.int8_share_row;
  costs.element = set.element * f32;
  costs.fold_element = set.fold_element * f32;
  costs.sigmoid = set.sigmoid * f32;
  costs.int8_sigmoid = set.int8_sigmoid * f32;
  costs.gate = set.gate * f32;
  costs.int8_gate = set.int8_gate * f32;
  costs.row_gate = set.row_gate * f32;
  costs.exponential = set.exponential * f32;
  costs.pool_element = set.pool_element * f32;
  costs.gather_row = set.gather_row * f32;
  costs.gather_element = set.gather_element * f32;
  costs.tree_node = kTreeNode * f32;
  costs.tree_node_row = kTreeNodeRow * f32;
  costs.step = kStep;
  costs.product = kProduct;
  costs.request = kRequest;
  costs.feature = kFeatureSteps * kStep;
  costs.memory_row = set.memory / machine.random_rows;
  costs.memory_byte = 1e-9 / machine.read_gigabytes;
  costs.lane_group = LaneGroupOf(machine.instruction_set);
  return costs;
}

}  // namespace handpick::converter
