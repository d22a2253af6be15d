// What each kind of work takes on a machine: what a prediction multiplies with the amounts of a
// bundle's steps.
#ifndef HANDPICK_CONVERTER_BENCH_COSTS_H_
#define HANDPICK_CONVERTER_BENCH_COSTS_H_

#include "converter/bench/lanes.h"
#include "converter/bench/peak.h"

namespace handpick::converter {

// A feature of a context is bound, checked and looked up: as long as so many steps' overheads.
inline constexpr double kFeatureSteps = 5;

// Seconds. "Over panels": for each candidate of a tile. "Of a row": of a context or an event.
struct Costs {
  double f32_mac = 0;      // A float32 multiply-accumulate over panels,
  double f32_mac_row = 0;  // and of a row, where each weight is used once.
  double int8_mac = 0;     // One with int8 weights over panels, however the processor does it,
  double int8_attention_mac = 0;  // one of an activation unit's or a recurrence's for attention,
  double int8_mac_row = 0;        // and of a row.
  double element = 0;             // A number that is read or written beside the weights.
  double fold_element = 0;    // One of the matrices that an activation unit folds for each event.
  double sigmoid = 0;         // Or another function, beside float32 weights,
  double int8_sigmoid = 0;    // and in an activation unit where 8 bits are made of it.
  double gate = 0;            // A function of a recurrence over panels,
  double int8_gate = 0;       // with int8 weights,
  double row_gate = 0;        // and of one row.
  double exponential = 0;     // A number of a softmax.
  double pool_element = 0;    // A number that a weighted pool reads.
  double gather_row = 0;      // An embedding row that is brought into lanes, whatever its width,
  double gather_element = 0;  // and each of its numbers. Memory comes on top.
  double tree_node = 0;       // A node of a tree over panels, in the first-level cache,
  double tree_node_row = 0;   // and of a row.
  double step = 0;            // A step whenever it runs,
  double product = 0;         // and more for one that multiplies.
  double request = 0;         // Binding a request's columns.
  double feature = 0;         // Taking a feature of a context.
  double memory_row = 0;      // 64 bytes at random out of memory,
  double memory_byte = 0;     // and a byte in order.
  double lane_group = kLaneGroup;  // Lanes that are computed together.
};

// Of a machine whose peaks are known. By its instruction set, kernels reach shares of the peaks,
// and other work takes as long as so many multiply-accumulates at the float32 peak.
Costs CostsOf(const MachinePeak& machine);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_COSTS_H_
