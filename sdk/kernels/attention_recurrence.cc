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
#include "sdk/kernels/panel_seven_bits-inl.h"
#include "sdk/kernels/panel_words-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

// Units whose gates are computed together: their products stay in the first cache until the gates
// take them. Whole blocks of outputs.
inline constexpr uint32_t kUnitBlock = HWY_TARGET == HWY_AVX2   ? 12
                                       : HWY_TARGET <= HWY_AVX3 ? 24
                                                                : 8;

struct RecurrenceWork {
  ReadyMatrix matrix;
  float* other;      // The state that is being made: [width] rows.
  float* reset;      // Of a cell whose reset comes first: r h, [width] rows.
  float* products;   // [3][kUnitBlock] rows
  float* start;      // [3 width]
  int32_t* rounded;  // The state as words or bytes.
  float* scale;      // [stride], of words or 7 bits.
};

size_t PlaceRecurrenceWork(const AttentionRecurrenceWeights& weights, uint32_t stride, char* base,
                           RecurrenceWork* work) {
  const Matrix& matrix = weights.matrix;
  const uint32_t width = matrix.in;
  const Way way = WayOfBounded(matrix);
  Packer packer(base);
  work->matrix = PlaceMatrix(matrix, way, &packer);
  packer.PlaceArray(&work->other, size_t{width} * stride);
  packer.PlaceArray(&work->reset, schema::ResetsFirst(weights.cell) ? size_t{width} * stride : 0);
  packer.PlaceArray(&work->products, size_t{3} * kUnitBlock * stride);
  packer.PlaceArray(&work->start, size_t{3} * width);
  // Bytes take half of the room of words.
  const size_t rows = way == Way::kSevenBits ? SevenBitRow(width) / 4 : WordPairs(width);
  packer.PlaceArray(&work->rounded, way == Way::kFloats ? 0 : rows * stride);
  packer.PlaceArray(&work->scale, way == Way::kWords || way == Way::kSevenBits ? stride : 0);
  return packer.bytes();
}

// A state is a mean of numbers in (-1, 1): its levels need no extremes.
inline constexpr int32_t kStateZeroPoint = 128;
inline constexpr float kStateLevels = 127;

using Cell = schema::RecurrentCell;

// What goes into a gate: where attention scales the event's part, that differs from lane to lane;
// elsewhere the products started from it.
template <Cell kCell>
HWY_INLINE VF GateInput(const float* gates, const float* input_bias, uint32_t i, VF attention,
                        VF product) {
  const DF d;
  if (!schema::ScalesInput(kCell)) return product;
  return hn::Add(hn::MulAdd(attention, hn::Set(d, gates[i]), hn::Set(d, input_bias[i])), product);
}

struct GateRange {
  uint32_t begin, end;
};
inline constexpr GateRange kEveryGate = {0, 3};
inline constexpr GateRange kResetAndUpdate = {0, 2};
inline constexpr GateRange kNew = {2, 3};

// gcc would make a copy for each range of gates.
#if HWY_COMPILER_GCC_ACTUAL
#define HP_NOCLONE __attribute__((noclone))
#else
#define HP_NOCLONE
#endif

// products[g][u] = U h + start for the gates g of units [first, first + count).
HWY_NOINLINE HP_NOCLONE void MultiplyBlock(const Matrix& matrix, const RecurrenceWork& work,
                                           GateRange gates, const float* state, uint32_t first,
                                           uint32_t count, PanelShape shape) {
  const uint32_t width = matrix.in;
  const size_t stride = shape.stride;
  for (uint32_t gate = gates.begin; gate < gates.end; ++gate) {
    const uint32_t row = gate * width + first;
    float* to = work.products + size_t{gate} * kUnitBlock * stride;
    const float* start = work.start + row;
    if (work.matrix.way == Way::kFloats) {
      FloatLayer(work.matrix.floats + size_t{row} * width, width, count, start, state, to, shape);
    } else if constexpr (kTakesSevenBits) {
      RunSevenBitLayer(
          {work.matrix.FittedRows(row, width), width, count, start,
           reinterpret_cast<const uint8_t*>(work.rounded), work.scale, kSevenBitZeroPoint},
          to, shape);
    } else if constexpr (kWayOfInt8 == Way::kWords) {
      const size_t pairs = WordPairs(width);
      PlainWordLayer(work.matrix.words + 2 * row * pairs, matrix.scales + row, pairs, count, start,
                     work.rounded, work.scale, to, shape);
    } else if constexpr (kTakesBytes) {
      Int8LayerOfUniform(
          Int8RowsOf(matrix, row), width, count, [start](size_t j) HWY_ATTR { return start[j]; },
          reinterpret_cast<const uint8_t*>(work.rounded), 1 / kStateLevels, kStateZeroPoint, to,
          shape);
    }
  }
}

// Gates of N vectors of lanes: twice sigmoid(x) - 1/2, begun and finished apart on arm64 (see
// sigmoid_neon-inl.h); elsewhere all at the end, and once.
#if HWY_ARCH_ARM_A64
template <int kDegree>
using Gates = Sigmoids<kDegree, 2>;
#else
template <int kDegree>
struct Gates {
  template <int N>
  HWY_INLINE void Start(VF (&)[N], VF (&)[N]) const {}
  template <int N>
  HWY_INLINE void Finish(VF (&x)[N], const VF (&)[N]) const {
    for (int i = 0; i < N; ++i) x[i] = CenteredSigmoid<kDegree>(x[i]);
  }
};
#endif
// Of what they make of a vector: (2 c + 1) x, (c + 1/2) x, and 2 c - x.
HWY_INLINE VF Gated(VF c, VF x) {
#if HWY_ARCH_ARM_A64
  return hn::MulAdd(c, x, x);
#else
  const DF d;
  return hn::Mul(hn::MulAdd(hn::Set(d, 2.0f), c, hn::Set(d, 1.0f)), x);
#endif
}
HWY_INLINE VF ResetState(VF c, VF x) {
#if HWY_ARCH_ARM_A64
  return Gated(c, hn::Mul(hn::Set(DF(), 0.5f), x));
#else
  return hn::Mul(hn::Add(c, hn::Set(DF(), 0.5f)), x);
#endif
}
HWY_INLINE VF TanhMinus(VF c, VF x) {
#if HWY_ARCH_ARM_A64
  return hn::Sub(c, x);
#else
  return hn::MulSub(hn::Set(DF(), 2.0f), c, x);
#endif
}

// What lets the new state in: 1 - z, the attention, attention times z, or 1 - (1 - attention) z;
// `z` is what Gates make.
template <Cell kCell>
HWY_INLINE VF NewPart(VF attention, VF z) {
  const DF d;
  const VF half = hn::Set(d, 0.5f);
  const VF one = hn::Set(d, 1.0f);
#if HWY_ARCH_ARM_A64
  if (kCell == Cell::AttentionUpdateGru) return hn::Mul(hn::Add(z, one), hn::Mul(attention, half));
  if (kCell == Cell::ResetFirstAttentionKeepGru) {
    return hn::NegMulAdd(hn::Mul(hn::Sub(one, attention), half), hn::Add(z, one), one);
  }
  return hn::Mul(hn::Sub(one, z), half);
#else
  if (kCell == Cell::AttentionUpdateGru) {
    return hn::MulAdd(attention, z, hn::Mul(attention, half));
  }
  if (kCell == Cell::ResetFirstAttentionKeepGru) {
    const VF rest = hn::Sub(one, attention);
    return hn::NegMulAdd(rest, z, hn::NegMulAdd(rest, half, one));
  }
  return hn::Sub(half, z);
#endif
}

constexpr bool IsAttentionAlone(Cell cell) {
  return cell == Cell::AttentionGru || cell == Cell::ResetFirstAttentionGru;
}

// The event's side of the new state, of unit u's gate i = 2 width + u.
template <Cell kCell>
HWY_INLINE VF NewInput(const float* gates, const float* input_bias, uint32_t i, VF attention) {
  const DF d;
  const VF side = hn::Set(d, gates[i]);
  if (!schema::ScalesInput(kCell)) return side;
  return hn::MulAdd(attention, side, hn::Set(d, input_bias[i]));
}

// The new state of units [first, first + count). With c(x) = sigmoid(x) - 1/2,
//   n = tanh(g + r p) = 2 c(2 g + (2 c(r's input) + 1) p)   and   h' = h + u (n - h),
// u being what lets the new state in.
template <Cell kCell, int kDegree>
void UpdateBlock(const AttentionRecurrenceWeights& weights, const RecurrenceWork& work,
                 const float* gates, const float* attention, const float* before, float* after,
                 uint32_t first, uint32_t count, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const uint32_t width = weights.matrix.in;
  const float* bias = weights.input_bias;
  const size_t gate_rows = size_t{kUnitBlock} * shape.stride;
  const VF two = hn::Set(d, 2.0f);
  constexpr int N = kVectorsTogether;
  const Gates<kDegree> sigmoids;
  for (uint32_t lane = 0; lane < shape.lanes; lane += N * n) {
    VF a[N];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) a[i] = hn::Load(d, attention + lane + i * n);
    for (uint32_t u = 0; u < count; ++u) {
      const uint32_t unit = first + u;
      const float* product = work.products + size_t{u} * shape.stride + lane;
      const size_t at = size_t{unit} * shape.stride + lane;
      VF update[N], update_q[N], c[N], q[N];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        c[i] = GateInput<kCell>(gates, bias, unit, a[i], hn::Load(d, product + i * n));
      }
      sigmoids.Start(c, q);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        const VF sum = hn::Load(d, product + gate_rows + i * n);
        update[i] =
            IsAttentionAlone(kCell) ? a[i] : GateInput<kCell>(gates, bias, width + unit, a[i], sum);
      }
      sigmoids.Finish(c, q);
      if (!IsAttentionAlone(kCell)) sigmoids.Start(update, update_q);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        const VF side = NewInput<kCell>(gates, bias, 2 * width + unit, a[i]);
        c[i] = hn::MulAdd(two, side, Gated(c[i], hn::Load(d, product + 2 * gate_rows + i * n)));
      }
      if (!IsAttentionAlone(kCell)) {
        sigmoids.Finish(update, update_q);
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i) update[i] = NewPart<kCell>(a[i], update[i]);
      }
      sigmoids.Start(c, q);
      sigmoids.Finish(c, q);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        const VF h = hn::Load(d, before + at + i * n);
        c[i] = hn::MulAdd(update[i], TanhMinus(c[i], h), h);
      }
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) hn::Store(c[i], d, after + at + i * n);
    }
  }
}

// One copy for all cells whose reset comes first, which are rare: r h of units [first, first +
// count), and what lets the new state in, in the place of that state.
HWY_NOINLINE void ResetBlock(const AttentionRecurrenceWeights& weights, const RecurrenceWork& work,
                             const float* gates, const float* attention, const float* before,
                             float* after, uint32_t first, uint32_t count, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const uint32_t width = weights.matrix.in;
  const float* bias = weights.input_bias;
  const size_t gate_rows = size_t{kUnitBlock} * shape.stride;
  const Cell cell = weights.cell;
  constexpr int N = kVectorsTogether;
  const Gates<kExact> sigmoids;
  const auto gate_input = [&](uint32_t i, VF a, VF product) HWY_ATTR {
    if (!schema::ScalesInput(cell)) return product;
    return GateInput<Cell::ResetFirstAttentionInputGru>(gates, bias, i, a, product);
  };
  for (uint32_t lane = 0; lane < shape.lanes; lane += N * n) {
    VF a[N];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) a[i] = hn::Load(d, attention + lane + i * n);
    for (uint32_t u = 0; u < count; ++u) {
      const uint32_t unit = first + u;
      const float* product = work.products + size_t{u} * shape.stride + lane;
      const size_t at = size_t{unit} * shape.stride + lane;
      VF x[N], q[N];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) x[i] = gate_input(unit, a[i], hn::Load(d, product + i * n));
      sigmoids.Start(x, q);
      sigmoids.Finish(x, q);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        hn::Store(ResetState(x[i], hn::Load(d, before + at + i * n)), d, work.reset + at + i * n);
        x[i] = a[i];
      }
      if (!IsAttentionAlone(cell)) {
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i) {
          x[i] = gate_input(width + unit, a[i], hn::Load(d, product + gate_rows + i * n));
        }
        sigmoids.Start(x, q);
        sigmoids.Finish(x, q);
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i) {
          x[i] = cell == Cell::ResetFirstAttentionKeepGru
                     ? NewPart<Cell::ResetFirstAttentionKeepGru>(a[i], x[i])
                     : NewPart<Cell::ResetFirstAttentionInputGru>(a[i], x[i]);
        }
      }
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) hn::Store(x[i], d, after + at + i * n);
    }
  }
}

// The new state then: the products are U_n (r h).
HWY_NOINLINE void RenewBlock(const AttentionRecurrenceWeights& weights, const RecurrenceWork& work,
                             const float* gates, const float* attention, const float* before,
                             float* after, uint32_t first, uint32_t count, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const uint32_t width = weights.matrix.in;
  const float* products = work.products + 2 * size_t{kUnitBlock} * shape.stride;
  const VF two = hn::Set(d, 2.0f);
  constexpr int N = kVectorsTogether;
  const Gates<kExact> sigmoids;
  for (uint32_t lane = 0; lane < shape.lanes; lane += N * n) {
    VF a[N];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) a[i] = hn::Load(d, attention + lane + i * n);
    for (uint32_t u = 0; u < count; ++u) {
      const uint32_t unit = first + u;
      const float* product = products + size_t{u} * shape.stride + lane;
      const size_t at = size_t{unit} * shape.stride + lane;
      const uint32_t gate = 2 * width + unit;
      VF c[N], q[N];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        const VF side =
            schema::ScalesInput(weights.cell)
                ? NewInput<Cell::ResetFirstAttentionInputGru>(gates, weights.input_bias, gate, a[i])
                : NewInput<Cell::ResetFirstAttentionGru>(gates, weights.input_bias, gate, a[i]);
        c[i] = hn::Mul(two, hn::Add(side, hn::Load(d, product + i * n)));
      }
      sigmoids.Start(c, q);
      sigmoids.Finish(c, q);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        const VF h = hn::Load(d, before + at + i * n);
        c[i] = hn::MulAdd(hn::Load(d, after + at + i * n), TanhMinus(c[i], h), h);
      }
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) hn::Store(c[i], d, after + at + i * n);
    }
  }
}

[[maybe_unused]] void StateToBytes(const float* state, uint32_t width, float levels, uint8_t* bytes,
                                   PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    StoreBytes(width, bytes, shape.stride, lane, [&](uint32_t c) HWY_ATTR {
      return hn::MulAdd(hn::Load(d, state + size_t{c} * shape.stride + lane), hn::Set(d, levels),
                        hn::Set(d, levels + 1 + kRoundToByte));
    });
  }
}

// The same as words.
[[maybe_unused]] void StateToWords(const float* state, uint32_t width, int32_t* words,
                                   PanelShape shape) {
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

HWY_NOINLINE void RoundState(const float* state, uint32_t width, const RecurrenceWork& work,
                             PanelShape shape) {
  if (work.matrix.way == Way::kFloats) return;
  if constexpr (kTakesSevenBits || kTakesBytes) {
    StateToBytes(state, width, kTakesSevenBits ? kSevenBitLevels : kStateLevels,
                 reinterpret_cast<uint8_t*>(work.rounded), shape);
  } else if constexpr (kWayOfInt8 == Way::kWords) {
    StateToWords(state, width, work.rounded, shape);
  }
}

// UpdateBlock of a cell, ResetBlock or RenewBlock.
using Update = void (*)(const AttentionRecurrenceWeights& weights, const RecurrenceWork& work,
                        const float* gates, const float* attention, const float* before,
                        float* after, uint32_t first, uint32_t count, PanelShape shape);

// `update`: of a cell whose reset does not come first; an Update, or one that is inlined.
template <typename F>
HWY_NOINLINE void Recur(const AttentionRecurrenceWeights& weights, F update, const float* gates,
                        size_t gate_stride, const EventRing& ring, const float* attention,
                        float* state, PanelShape shape, const RecurrenceWork& work) {
  const uint32_t width = weights.matrix.in;
  const size_t size = size_t{width} * shape.stride;
  const float* bias = weights.matrix.bias;
  float* before = state;
  float* after = work.other;
  std::fill_n(before, size, 0.0f);
  for (uint32_t e = 0; e < ring.count; ++e) {
    const float* event = gates + (ring.oldest + e) % ring.capacity * gate_stride;
    for (uint32_t i = 0; i < 3 * width; ++i) {
      const bool added = !schema::ScalesInput(weights.cell) && i < 2 * width;
      work.start[i] = (bias != nullptr ? bias[i] : 0.0f) + (added ? event[i] : 0.0f);
    }
    const float* attention_now = attention + size_t{e} * shape.stride;
    // Calls `then` for blocks of units, behind the products of some gates with what is given.
    const auto for_blocks = [&](GateRange range, const float* given, auto then) HWY_ATTR {
      RoundState(given, width, work, shape);
      for (uint32_t first = 0; first < width; first += kUnitBlock) {
        const uint32_t count = std::min(kUnitBlock, width - first);
        MultiplyBlock(weights.matrix, work, range, given, first, count, shape);
        then(weights, work, event, attention_now, before, after, first, count, shape);
      }
    };
    // One copy for all cells but AttentionUpdateGru.
    if (std::is_same_v<F, Update> && schema::ResetsFirst(weights.cell)) {
      for_blocks(kResetAndUpdate, before, Update{ResetBlock});
      for_blocks(kNew, work.reset, Update{RenewBlock});
    } else {
      for_blocks(kEveryGate, before, update);
    }
    std::swap(before, after);
  }
  if (before != state) std::copy_n(before, size, state);
}

template <Cell kCell>
Update UpdateOf(Way way) {
  if constexpr (kTakesSevenBits || kTakesBytes) {
    if (way != Way::kFloats) return UpdateBlock<kCell, kByteDegree>;
  }
  return UpdateBlock<kCell, kExact>;
}

// Null where the reset comes first. Other cells are refused when the bundle is opened.
Update UpdateOf(Cell cell, Way way) {
  switch (cell) {
    case Cell::AttentionInputGru:
      return UpdateOf<Cell::AttentionInputGru>(way);
    case Cell::AttentionGru:
      return UpdateOf<Cell::AttentionGru>(way);
    default:
      return nullptr;
  }
}

}  // namespace

void AttentionRecurrence(const AttentionRecurrenceWeights& weights, const float* gates,
                         size_t gate_stride, const EventRing& ring, const float* attention,
                         float* state, PanelShape shape, void* scratch) {
  RecurrenceWork work;
  PlaceRecurrenceWork(weights, shape.stride, static_cast<char*>(scratch), &work);
  ReadyUp(weights.matrix, &work.matrix);
  if (work.matrix.way == Way::kWords) {
    std::fill_n(work.scale, shape.stride, 1 / WordLevels(weights.matrix.in));
  } else if (work.matrix.way == Way::kSevenBits) {
    std::fill_n(work.scale, shape.stride, 1 / kSevenBitLevels);
  }
  const auto recur = [&](auto update) {
    Recur(weights, update, gates, gate_stride, ring, attention, state, shape, work);
  };
  // DIEN's cell. A call for each block took 1 to 2 % of its time.
  constexpr Cell kInlined = Cell::AttentionUpdateGru;
  if (weights.cell != kInlined) return recur(UpdateOf(weights.cell, work.matrix.way));
  if constexpr (kTakesSevenBits || kTakesBytes) {
    if (work.matrix.way != Way::kFloats) {
      return recur(std::integral_constant<Update, UpdateBlock<kInlined, kByteDegree>>());
    }
  }
  recur(std::integral_constant<Update, UpdateBlock<kInlined, kExact>>());
}

size_t AttentionRecurrenceScratch(const AttentionRecurrenceWeights& weights, uint32_t stride) {
  RecurrenceWork work;
  return PlaceRecurrenceWork(weights, stride, nullptr, &work);
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
