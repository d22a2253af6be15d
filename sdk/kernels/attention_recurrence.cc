#include "sdk/kernels/attention_recurrence.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "sdk/kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/attention_recurrence.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/panel_dense-inl.h"
#include "sdk/kernels/panel_quantize-inl.h"

#ifndef HANDPICK_SDK_KERNELS_ATTENTION_RECURRENCE_ONCE_
#define HANDPICK_SDK_KERNELS_ATTENTION_RECURRENCE_ONCE_
namespace handpick {

// Units whose gates are computed together: their products stay in the first cache until the gates
// take them.
inline constexpr uint32_t kUnitBlock = 8;

struct AttentionRecurrenceWork {
  float* other;     // The state that is being made: [width] rows.
  float* products;  // [3][kUnitBlock] rows
  float* start;     // [3 width]
  uint8_t* bytes;   // The state as int8.
};

inline size_t PlaceAttentionRecurrenceWork(const AttentionRecurrenceWeights& weights,
                                           uint32_t stride, char* base,
                                           AttentionRecurrenceWork* work) {
  Scratch scratch(base);
  work->other = scratch.Take<float>(size_t{weights.width} * stride);
  work->products = scratch.Take<float>(size_t{3} * kUnitBlock * stride);
  work->start = scratch.Take<float>(size_t{3} * weights.width);
  work->bytes =
      scratch.Take<uint8_t>(weights.floats == nullptr ? Int8PanelBytes(weights.width, stride) : 0);
  return scratch.bytes();
}

}  // namespace handpick
#endif  // HANDPICK_SDK_KERNELS_ATTENTION_RECURRENCE_ONCE_

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

// A state is a mean of numbers in (-1, 1): its bytes need no extremes.
inline constexpr int32_t kStateZeroPoint = 128;
inline constexpr float kStateLevels = 127;

using Cell = schema::RecurrentCell;

// What goes into a gate: of AttentionInputGru, attention scales the event's part, which differs
// from lane to lane; of the others the products started from it.
template <Cell kCell>
HWY_INLINE VF GateInput(const float* gates, const float* input_bias, uint32_t i, VF attention,
                        VF product) {
  const DF d;
  if (kCell != Cell::AttentionInputGru) return product;
  return hn::Add(hn::MulAdd(attention, hn::Set(d, gates[i]), hn::Set(d, input_bias[i])), product);
}

// products[g][u] = U h + start for the gates g of units [first, first + count).
void MultiplyBlock(const AttentionRecurrenceWeights& weights, const AttentionRecurrenceWork& work,
                   const float* state, uint32_t first, uint32_t count, PanelShape shape) {
  const uint32_t width = weights.width;
  const size_t stride = shape.stride;
  for (uint32_t gate = 0; gate < 3; ++gate) {
    const uint32_t row = gate * width + first;
    float* to = work.products + size_t{gate} * kUnitBlock * stride;
    const auto start = [&](uint32_t j) HWY_ATTR { return work.start[row + j]; };
    if (weights.floats != nullptr) {
      DenseLayer(weights.floats + size_t{row} * width, width, count, start, state, to, shape,
                 [](uint32_t, VF sum) HWY_ATTR { return sum; });
      continue;
    }
    const Int8Weights rows = {weights.int8.data + size_t{row} * width, weights.int8.scales + row,
                              weights.int8.row_sums + row};
    Int8LayerOfUniform(rows, width, count, start, work.bytes, 1 / kStateLevels, kStateZeroPoint, to,
                       shape);
  }
}

// The new state of units [first, first + count). With c(x) = sigmoid(x) - 1/2,
//   n = tanh(g + r p) = 2 c(2 g + (2 c(r's input) + 1) p)   and   h' = h + u (n - h),
// u being what lets the new state in: 1 - z, the attention, or attention times z.
template <Cell kCell, int kDegree>
void UpdateBlock(const AttentionRecurrenceWeights& weights, const AttentionRecurrenceWork& work,
                 const float* gates, const float* attention, const float* before, float* after,
                 uint32_t first, uint32_t count, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const uint32_t width = weights.width;
  const float* bias = weights.input_bias;
  const size_t gate_rows = size_t{kUnitBlock} * shape.stride;
  const VF half = hn::Set(d, 0.5f);
  const VF one = hn::Set(d, 1.0f);
  const VF two = hn::Set(d, 2.0f);
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    const VF a = hn::Load(d, attention + lane);
    const VF half_a = hn::Mul(a, half);
    for (uint32_t u = 0; u < count; ++u) {
      const uint32_t unit = first + u;
      const float* product = work.products + size_t{u} * shape.stride + lane;
      const VF h = hn::Load(d, before + size_t{unit} * shape.stride + lane);
      const VF r =
          CenteredSigmoid<kDegree>(GateInput<kCell>(gates, bias, unit, a, hn::Load(d, product)));
      VF update = a;
      if (kCell != Cell::AttentionGru) {
        const VF z = CenteredSigmoid<kDegree>(
            GateInput<kCell>(gates, bias, width + unit, a, hn::Load(d, product + gate_rows)));
        update = kCell == Cell::AttentionInputGru ? hn::Sub(half, z) : hn::MulAdd(a, z, half_a);
      }
      const uint32_t i = 2 * width + unit;
      VF side = hn::Set(d, gates[i]);
      if (kCell == Cell::AttentionInputGru) side = hn::MulAdd(a, side, hn::Set(d, bias[i]));
      const VF gated = hn::Mul(hn::MulAdd(two, r, one), hn::Load(d, product + 2 * gate_rows));
      const VF c = CenteredSigmoid<kDegree>(hn::MulAdd(two, side, gated));
      hn::Store(hn::MulAdd(update, hn::MulSub(two, c, h), h), d,
                after + size_t{unit} * shape.stride + lane);
    }
  }
}

void StateToBytes(const float* state, uint32_t width, uint8_t* bytes, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    StoreBytes(width, bytes, shape.stride, lane, [&](uint32_t c) HWY_ATTR {
      return hn::MulAdd(hn::Load(d, state + size_t{c} * shape.stride + lane),
                        hn::Set(d, kStateLevels),
                        hn::Set(d, static_cast<float>(kStateZeroPoint) + kRoundToByte));
    });
  }
}

template <Cell kCell, int kDegree>
void Recur(const AttentionRecurrenceWeights& weights, const float* gates, size_t gate_stride,
           const EventRing& ring, const float* attention, float* state, PanelShape shape,
           const AttentionRecurrenceWork& work) {
  const uint32_t width = weights.width;
  const size_t size = size_t{width} * shape.stride;
  float* before = state;
  float* after = work.other;
  std::fill_n(before, size, 0.0f);
  for (uint32_t e = 0; e < ring.count; ++e) {
    const float* event = gates + (ring.oldest + e) % ring.capacity * gate_stride;
    for (uint32_t i = 0; i < 3 * width; ++i) {
      const bool added = kCell != Cell::AttentionInputGru && i < 2 * width;
      work.start[i] =
          (weights.bias != nullptr ? weights.bias[i] : 0.0f) + (added ? event[i] : 0.0f);
    }
    if (weights.floats == nullptr) StateToBytes(before, width, work.bytes, shape);
    for (uint32_t first = 0; first < width; first += kUnitBlock) {
      const uint32_t count = std::min(kUnitBlock, width - first);
      MultiplyBlock(weights, work, before, first, count, shape);
      UpdateBlock<kCell, kDegree>(weights, work, event, attention + size_t{e} * shape.stride,
                                  before, after, first, count, shape);
    }
    std::swap(before, after);
  }
  if (before != state) std::copy_n(before, size, state);
}

}  // namespace

void AttentionRecurrence(const AttentionRecurrenceWeights& weights, const float* gates,
                         size_t gate_stride, const EventRing& ring, const float* attention,
                         float* state, PanelShape shape, void* scratch) {
  AttentionRecurrenceWork work;
  PlaceAttentionRecurrenceWork(weights, shape.stride, static_cast<char*>(scratch), &work);
  const auto run = [&](auto cell) {
    constexpr Cell kCell = decltype(cell)::value;
    // The state of int8 products is rounded more than a coarse gate is off.
    if (weights.floats != nullptr) {
      Recur<kCell, kExact>(weights, gates, gate_stride, ring, attention, state, shape, work);
    } else {
      Recur<kCell, kCoarse>(weights, gates, gate_stride, ring, attention, state, shape, work);
    }
  };
  switch (weights.cell) {
    case Cell::AttentionInputGru:
      return run(std::integral_constant<Cell, Cell::AttentionInputGru>());
    case Cell::AttentionGru:
      return run(std::integral_constant<Cell, Cell::AttentionGru>());
    case Cell::AttentionUpdateGru:
      return run(std::integral_constant<Cell, Cell::AttentionUpdateGru>());
    default:
      return;  // Refused when the bundle is opened.
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(AttentionRecurrence);

void AttentionRecurrence(const AttentionRecurrenceWeights& weights, const float* gates,
                         size_t gate_stride, const EventRing& ring, const float* attention,
                         float* state, PanelShape shape, void* scratch) {
  HWY_DYNAMIC_DISPATCH(AttentionRecurrence)
  (weights, gates, gate_stride, ring, attention, state, shape, scratch);
}

size_t AttentionRecurrenceScratch(const AttentionRecurrenceWeights& weights, uint32_t stride) {
  AttentionRecurrenceWork work;
  return PlaceAttentionRecurrenceWork(weights, stride, nullptr, &work);
}

}  // namespace handpick
#endif  // HWY_ONCE
