#include "sdk/kernels/attention_recurrence.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "sdk/base/packer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/attention_recurrence.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/panel_dense-inl.h"
#include "sdk/kernels/panel_matrix-inl.h"
#include "sdk/kernels/panel_quantize-inl.h"
#include "sdk/kernels/panel_words-inl.h"

#ifndef HANDPICK_SDK_KERNELS_ATTENTION_RECURRENCE_ONCE_
#define HANDPICK_SDK_KERNELS_ATTENTION_RECURRENCE_ONCE_
namespace handpick {

// Units whose gates are computed together: their products stay in the first cache until the gates
// take them.
inline constexpr uint32_t kUnitBlock = 8;

}  // namespace handpick
#endif  // HANDPICK_SDK_KERNELS_ATTENTION_RECURRENCE_ONCE_

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

struct RecurrenceWork {
  ReadyMatrix matrix;
  float* other;      // The state that is being made: [width] rows.
  float* products;   // [3][kUnitBlock] rows
  float* start;      // [3 width]
  int32_t* rounded;  // The state as words or bytes.
  float* scale;      // [stride], of words.
};

size_t PlaceRecurrenceWork(const Matrix& matrix, uint32_t stride, char* base,
                           RecurrenceWork* work) {
  const uint32_t width = matrix.in;
  const Way way = WayOf(matrix);
  Packer packer(base);
  work->matrix = PlaceMatrix(matrix, way, &packer);
  packer.PlaceArray(&work->other, size_t{width} * stride);
  packer.PlaceArray(&work->products, size_t{3} * kUnitBlock * stride);
  packer.PlaceArray(&work->start, size_t{3} * width);
  // Bytes take half of the room of words.
  packer.PlaceArray(&work->rounded, way == Way::kFloats ? 0 : WordPairs(width) * stride);
  packer.PlaceArray(&work->scale, way == Way::kWords ? stride : 0);
  return packer.bytes();
}

// A state is a mean of numbers in (-1, 1): its levels need no extremes.
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
void MultiplyBlock(const Matrix& matrix, const RecurrenceWork& work, const float* state,
                   uint32_t first, uint32_t count, PanelShape shape) {
  const uint32_t width = matrix.in;
  const size_t stride = shape.stride;
  for (uint32_t gate = 0; gate < 3; ++gate) {
    const uint32_t row = gate * width + first;
    float* to = work.products + size_t{gate} * kUnitBlock * stride;
    const auto start = [&](uint32_t j) HWY_ATTR { return work.start[row + j]; };
    const auto keep = [](uint32_t, VF sum) HWY_ATTR { return sum; };
    if (work.matrix.way == Way::kFloats) {
      DenseLayer(work.matrix.floats + size_t{row} * width, width, count, start, state, to, shape,
                 keep);
    } else if constexpr (kWithoutDotProduct == Way::kWords) {
      const size_t pairs = WordPairs(width);
      WordLayer(work.matrix.words + 2 * row * pairs, matrix.scales + row, pairs, count, start,
                work.rounded, work.scale, to, shape, keep);
    } else if constexpr (kMayTakeBytes) {
      Int8LayerOfUniform(Int8RowsOf(matrix, row), width, count, start,
                         reinterpret_cast<const uint8_t*>(work.rounded), 1 / kStateLevels,
                         kStateZeroPoint, to, shape);
    }
  }
}

// The new state of units [first, first + count). With c(x) = sigmoid(x) - 1/2,
//   n = tanh(g + r p) = 2 c(2 g + (2 c(r's input) + 1) p)   and   h' = h + u (n - h),
// u being what lets the new state in: 1 - z, the attention, or attention times z.
template <Cell kCell, int kDegree>
void UpdateBlock(const AttentionRecurrenceWeights& weights, const RecurrenceWork& work,
                 const float* gates, const float* attention, const float* before, float* after,
                 uint32_t first, uint32_t count, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const uint32_t width = weights.matrix.in;
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

// The same as words.
void StateToWords(const float* state, uint32_t width, int32_t* words, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const VF levels = hn::Set(d, WordLevels(width));
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    StoreWords(width, words, shape.stride, lane, [&](uint32_t c) HWY_ATTR {
      return hn::MulAdd(hn::Load(d, state + size_t{c} * shape.stride + lane), levels,
                        hn::Set(d, kRoundToWord));
    });
  }
}

void RoundState(const float* state, uint32_t width, const RecurrenceWork& work, PanelShape shape) {
  if (work.matrix.way == Way::kFloats) return;
  if constexpr (kWithoutDotProduct == Way::kWords) {
    StateToWords(state, width, work.rounded, shape);
  } else if constexpr (kMayTakeBytes) {
    StateToBytes(state, width, reinterpret_cast<uint8_t*>(work.rounded), shape);
  }
}

template <Cell kCell, int kDegree>
void Recur(const AttentionRecurrenceWeights& weights, const float* gates, size_t gate_stride,
           const EventRing& ring, const float* attention, float* state, PanelShape shape,
           const RecurrenceWork& work) {
  const uint32_t width = weights.matrix.in;
  const size_t size = size_t{width} * shape.stride;
  const float* bias = weights.matrix.bias;
  float* before = state;
  float* after = work.other;
  std::fill_n(before, size, 0.0f);
  for (uint32_t e = 0; e < ring.count; ++e) {
    const float* event = gates + (ring.oldest + e) % ring.capacity * gate_stride;
    for (uint32_t i = 0; i < 3 * width; ++i) {
      const bool added = kCell != Cell::AttentionInputGru && i < 2 * width;
      work.start[i] = (bias != nullptr ? bias[i] : 0.0f) + (added ? event[i] : 0.0f);
    }
    RoundState(before, width, work, shape);
    for (uint32_t first = 0; first < width; first += kUnitBlock) {
      const uint32_t count = std::min(kUnitBlock, width - first);
      MultiplyBlock(weights.matrix, work, before, first, count, shape);
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
  RecurrenceWork work;
  PlaceRecurrenceWork(weights.matrix, shape.stride, static_cast<char*>(scratch), &work);
  ReadyUp(weights.matrix, &work.matrix);
  if (work.matrix.way == Way::kWords) {
    std::fill_n(work.scale, shape.stride, 1 / WordLevels(weights.matrix.in));
  }
  const auto run = [&](auto cell) {
    constexpr Cell kCell = decltype(cell)::value;
    if constexpr (kMayTakeBytes) {
      // A state of 8 bits is rounded more than a coarse gate is off.
      if (work.matrix.way == Way::kBytes) {
        Recur<kCell, kCoarse>(weights, gates, gate_stride, ring, attention, state, shape, work);
        return;
      }
    }
    Recur<kCell, kExact>(weights, gates, gate_stride, ring, attention, state, shape, work);
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

size_t AttentionRecurrenceScratch(const AttentionRecurrenceWeights& weights, uint32_t stride) {
  RecurrenceWork work;
  return PlaceRecurrenceWork(weights.matrix, stride, nullptr, &work);
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(AttentionRecurrence);
HWY_EXPORT(AttentionRecurrenceScratch);

void AttentionRecurrence(const AttentionRecurrenceWeights& weights, const float* gates,
                         size_t gate_stride, const EventRing& ring, const float* attention,
                         float* state, PanelShape shape, void* scratch) {
  HWY_DYNAMIC_DISPATCH(AttentionRecurrence)
  (weights, gates, gate_stride, ring, attention, state, shape, scratch);
}

size_t AttentionRecurrenceScratch(const AttentionRecurrenceWeights& weights, uint32_t stride) {
  return HWY_DYNAMIC_DISPATCH(AttentionRecurrenceScratch)(weights, stride);
}

}  // namespace handpick
#endif  // HWY_ONCE
