// The inner loops of dense layers on panels, once for each instruction set: included between
// HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, hence the unusual guard.
//
// Blocks of R outputs and V vectors of lanes stay in registers over the whole sum: each weight is
// broadcast and used for V products, each vector of the input for R. 8 x 3 fills 32 registers, 4 x
// 3 fills 16, and 4 x 2 where sums of products take two instructions. 8 x 2 leaves arm64 room for
// four steps' weights.
#if defined(HANDPICK_SDK_KERNELS_PANEL_DENSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_PANEL_DENSE_INL_H_
#undef HANDPICK_SDK_KERNELS_PANEL_DENSE_INL_H_
#else
#define HANDPICK_SDK_KERNELS_PANEL_DENSE_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "hwy/highway.h"
#include "sdk/kernels/dot_product.h"
#include "sdk/kernels/panel.h"
#include "sdk/kernels/panel_neon-inl.h"
#include "sdk/kernels/panel_turn-inl.h"
#include "sdk/kernels/simd_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
inline constexpr int kBlockOutputs = 8;
#else
inline constexpr int kBlockOutputs = 4;
#endif
#if (HWY_ARCH_X86 && HWY_TARGET > HWY_AVX2) || HWY_ARCH_WASM || HWY_ARCH_ARM_A64
// Products that are added in an instruction of their own need a register more; arm64: see above.
inline constexpr int kBlockVectors = 2;
#else
inline constexpr int kBlockVectors = 3;
#endif

// Lanes are computed in groups of so many: with vectors of at most half a lane group, half of one
// is left out where no candidate is. Not where functions take a whole group together.
inline constexpr uint32_t kComputedGroup =
    HWY_MAX_LANES_D(DF) < kLaneGroup && kVectorsTogether == 1 ? kLaneGroup / 2 : kLaneGroup;

HWY_INLINE PanelShape ShapeOfPanel(uint32_t candidates, uint32_t panel, uint32_t stride) {
  const uint32_t left = candidates - panel * stride;
  if (left >= stride) return {stride, stride};
  const uint32_t lanes = (left + kComputedGroup - 1) / kComputedGroup * kComputedGroup;
  // A single vector of AVX2 would need blocks of its own.
  return {stride, lanes < kLaneGroup ? kLaneGroup : lanes};
}

// Outputs of a block of a single vector of lanes (AVX-512 has such): each product takes a load of
// its own, and the larger the blocks are, the fewer there are of the input beside them.
inline constexpr int kSingleOutputs = HWY_MAX_LANES_D(DF) < kLaneGroup ? kBlockOutputs : 24;
// Of a block of two vectors with AVX2: eight sums would wait for one another, twelve fill the
// registers.
inline constexpr int kDoubleOutputs = HWY_TARGET == HWY_AVX2 ? 6 : kBlockOutputs;

// Of the lambda around a layer's blocks: where gcc puts it into a large function, it writes every
// sum to memory in every step (1.4 times the time of DIN's activation unit). Layers of a few
// outputs, as a recurrence has, would feel the call.
#define HANDPICK_APART HWY_ATTR __attribute__((noinline))

// Calls f(first lane, integral_constant V) so that vectors of V * Lanes(DF()) lanes, V being kMost
// or kLeast, cover `lanes`, whole lane groups. Each V is f's code once more: where a lane group has
// two or four vectors, none is left alone; where it has one, eight outputs by one vector keep a
// processor as busy as by two. Where kMost is 2, lanes may be covered twice.
template <int kMost = kBlockVectors, typename F>
HWY_INLINE void ForEachVectorGroup(uint32_t lanes, F f) {
  constexpr uint32_t n = HWY_MAX_LANES_D(DF);
  constexpr int kLeast = n < kLaneGroup ? 2 : 1;
  uint32_t lane = 0;
  if constexpr (kMost > kLeast) {
    // A single vector must not be left.
    for (uint32_t left = lanes; left >= kMost * n && (kLeast == 1 || left != (kMost + 1) * n);
         left = lanes - lane) {
      f(lane, std::integral_constant<int, kMost>());
      lane += kMost * n;
    }
  }
  for (; lane + kLeast * n <= lanes; lane += kLeast * n) {
    f(lane, std::integral_constant<int, kLeast>());
  }
  // Pairs alone do not cover an odd number: the last one takes a vector once more.
  if constexpr (kMost == kLeast && kLeast * n > kComputedGroup) {
    if (lane < lanes) f(lanes - kLeast * n, std::integral_constant<int, kLeast>());
  }
}

// Outputs of a block of floats, of V vectors of lanes.
template <int V>
constexpr int MostOutputs() {
  if (V == 1) return kSingleOutputs;
  return V == 2 ? kDoubleOutputs : kBlockOutputs;
}

// Calls f(first output, integral_constant R) so that blocks of R outputs cover `out`.
template <int kMost = kBlockOutputs, typename F>
HWY_INLINE void ForEachOutputBlock(uint32_t out, F f) {
  uint32_t j = 0;
  // Of blocks of six, two of four are better than another of six and one of two.
  for (uint32_t left = out; kMost > kBlockOutputs && left >= kMost && (kMost != 6 || left != 8);
       left = out - j) {
    f(j, std::integral_constant<int, kMost>());
    j += kMost;
  }
  for (; j + kBlockOutputs <= out; j += kBlockOutputs) {
    f(j, std::integral_constant<int, kBlockOutputs>());
  }
  if (kBlockOutputs == 8 && j + 4 <= out) {
    f(j, std::integral_constant<int, 4>());
    j += 4;
  }
  if (j + 2 <= out) {
    f(j, std::integral_constant<int, 2>());
    j += 2;
  }
  if (j < out) f(j, std::integral_constant<int, 1>());
}

// acc[r][v] = start[r] + sum over k of weights[r * weight_stride + k * step] x[k][v].
template <int R, int V, typename Start, typename Store, typename Turn = NoTurn>
HWY_INLINE void DenseBlock(const float* HWY_RESTRICT weights, size_t weight_stride, size_t step,
                           uint32_t in, const float* HWY_RESTRICT x, size_t stride, Start start,
                           Store store, Turn turn = Turn()) {
  const DF d;
  const size_t n = hn::Lanes(d);
  VF acc[R][V];
#pragma GCC unroll 24
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) acc[r][v] = start(r, v);
  }
  // Where every eighth row begins: of more rows, the distances from the first fill the registers
  // for addresses.
  constexpr int kRows = 8;
  const float* rows[(R + kRows - 1) / kRows];
#pragma GCC unroll 3
  for (int b = 0; b * kRows < R; ++b) {
    rows[b] = weights + b * kRows * weight_stride;
    if constexpr (R > kRows) __asm__("" : "+r"(rows[b]));
  }
  size_t k = 0;
  bool turned = false;  // What is left is of a turn that was taken.
#if HWY_ARCH_ARM_A64
  // Either stride is 1 when it is compiled.
  if (step != 1 && weight_stride == 1) {
    if constexpr (R % 4 == 0) {
      k = in;
      AddColumnsByLane(weights, step, in, x, stride, acc, turn);
    }
  } else if (step == 1 && weight_stride != 1) {
    k = in / 4 * 4;
    AddRowsByLane<float32x4_t>(weights, weight_stride, k, x, stride, acc, turn);
    turned = !TurnIsDue<Turn>(k);
  }
#endif
  while (k < in) {
    if (!turned) turn();
    const size_t end = NextTurn<Turn>(k, in);
    for (; k < end; ++k) {
      VF xv[V];
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) xv[v] = hn::Load(d, x + k * stride + v * n);
#pragma GCC unroll 24
      for (int r = 0; r < R; ++r) {
        const VF weight = hn::Set(d, rows[r / kRows][r % kRows * weight_stride + k * step]);
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) acc[r][v] = hn::MulAdd(weight, xv[v], acc[r][v]);
      }
    }
  }
#pragma GCC unroll 24
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) store(r, v, acc[r][v]);
  }
}

// One output alone would wait for each product before the next: four partial sums, over k mod 4.
template <int V, typename Store>
HWY_INLINE void DenseSingle(const float* HWY_RESTRICT weights, uint32_t in, float start,
                            const float* HWY_RESTRICT x, size_t stride, Store store) {
  const DF d;
  const size_t n = hn::Lanes(d);
  VF acc[4][V];
  for (int i = 0; i < 4; ++i) {
    for (int v = 0; v < V; ++v) acc[i][v] = i == 0 ? hn::Set(d, start) : hn::Zero(d);
  }
  size_t k = 0;
  for (; k + 4 <= in; k += 4) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const VF weight = hn::Set(d, weights[k + i]);
      for (int v = 0; v < V; ++v) {
        acc[i][v] = hn::MulAdd(weight, hn::Load(d, x + (k + i) * stride + v * n), acc[i][v]);
      }
    }
  }
  for (; k < in; ++k) {
    const VF weight = hn::Set(d, weights[k]);
    for (int v = 0; v < V; ++v) {
      acc[0][v] = hn::MulAdd(weight, hn::Load(d, x + k * stride + v * n), acc[0][v]);
    }
  }
  for (int v = 0; v < V; ++v) {
    store(v, hn::Add(hn::Add(acc[0][v], acc[1][v]), hn::Add(acc[2][v], acc[3][v])));
  }
}

// What a layer's sums start from: a number for each output, or zeros for null. arm64 does not ask
// for each: a branch would stand between the loads.
struct Starts {
#if HWY_ARCH_ARM_A64
  explicit Starts(const float* numbers)
      : from(numbers != nullptr ? numbers : &kNone), mask(numbers != nullptr ? ~size_t{0} : 0) {}
  HWY_INLINE float operator()(size_t j) const { return from[j & mask]; }
  static constexpr float kNone = 0;
  const float* from;
  size_t mask;
#else
  explicit Starts(const float* numbers) : from(numbers) {}
  HWY_INLINE float operator()(size_t j) const { return from != nullptr ? from[j] : 0.0f; }
  const float* from;
#endif
};

// What stands in a closure, or behind a pointer, is read again behind each store: layers copy it
// before their blocks.

// y[j] = start[j] + weights[j] x for all outputs; `finish` is applied to each vector of output j.
template <typename Start, typename Finish, typename Turn = NoTurn>
HWY_INLINE void DenseLayer(const float* weights, uint32_t in, uint32_t out, Start start,
                           const float* x, float* y, PanelShape shape, Finish finish,
                           Turn turn = Turn()) {
  const DF d;
  const size_t n = hn::Lanes(d);
  ForEachVectorGroup(shape.lanes, [&](uint32_t lane, auto vectors) HANDPICK_APART {
    constexpr int V = decltype(vectors)::value;
    const size_t stride = shape.stride;
    const uint32_t width = in;
    const Start begin = start;
    const Finish end = finish;
    float* const first = y + lane;
    if (out == 1) {
      DenseSingle<V>(weights, width, begin(0), x + lane, stride,
                     [&](int v, VF sum) HWY_ATTR { hn::Store(end(0, sum), d, first + v * n); });
      return;
    }
    ForEachOutputBlock<MostOutputs<V>()>(out, [&](size_t j, auto outputs) HWY_ATTR {
      constexpr int R = decltype(outputs)::value;
      float* to = first + j * stride;
      DenseBlock<R, V>(
          weights + j * width, width, 1, width, x + lane, stride,
          [&](int r, int) HWY_ATTR { return hn::Set(d, begin(j + r)); },
          [=](int r, int v, VF sum)
              HWY_ATTR { hn::Store(end(j + r, sum), d, to + r * stride + v * n); },
          turn);
    });
  });
}

// ---- int8 ----

// Bytes of an Int8Panel stand for q where products are unsigned times signed (x86), and for
// q - 128, signed, where they are signed times signed (NEON).
#if HWY_ARCH_X86
inline constexpr int kByteOffset = 0;
#else
inline constexpr int kByteOffset = 128;
#endif

// What arm64 has, which no target of Highway's says.
HWY_INLINE ByteProducts ProductsOfLayer() {
  return HWY_ARCH_ARM_A64 ? MostByteProducts() : ByteProducts::kLong;
}

// acc + the sum of four products of bytes, lane by lane.
HWY_INLINE VI DotOfFour(VI x, VI weights, VI acc) {
#if HWY_TARGET <= HWY_AVX3_DL && HWY_COMPILER_GCC_ACTUAL
  // With the intrinsic, gcc 12 copies accumulators through memory.
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc.raw) : "v"(x.raw), "v"(weights.raw));
  return acc;
#elif HWY_ARCH_X86
  const hn::Repartition<uint8_t, DI> du;
  const hn::Repartition<int8_t, DI> ds;
  return hn::SumOfMulQuadAccumulate(DI(), hn::BitCast(du, x), hn::BitCast(ds, weights), acc);
#else
  const hn::Repartition<int8_t, DI> ds;
  return hn::SumOfMulQuadAccumulate(DI(), hn::BitCast(ds, x), hn::BitCast(ds, weights), acc);
#endif
}

// acc[r][v] += sum over k of weights[r][k] * byte[k][v], where bytes stand as in an Int8Panel.
// Reads no weight behind the last of a row. products: ProductsOfLayer(), asked once a layer.
template <int R, int V, typename Turn = NoTurn>
HWY_INLINE void AddInt8Block([[maybe_unused]] ByteProducts products,
                             const int8_t* HWY_RESTRICT weights, size_t weight_stride, uint32_t in,
                             const uint8_t* HWY_RESTRICT x, size_t stride, VI (&acc)[R][V],
                             Turn turn = Turn()) {
#if HWY_ARCH_ARM_A64
  AddInt8BlockOfArm(products, weights, weight_stride, in, x, stride, acc, turn);
#else
  const DI d;
  const size_t n = hn::Lanes(d);
  const auto multiply = [&](size_t k, size_t bytes) HWY_ATTR {
    VI xv[V];
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      xv[v] = hn::Load(d, reinterpret_cast<const int32_t*>(x + k * stride) + v * n);
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      int32_t four = 0;
      std::memcpy(&four, weights + r * weight_stride + k, bytes);
      const VI weight = hn::Set(d, four);
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) acc[r][v] = DotOfFour(xv[v], weight, acc[r][v]);
    }
  };
  size_t k = 0;
  for (const size_t fours = in / 4 * 4; k < fours;) {
    turn();
    const size_t end = NextTurn<Turn, 4>(k, fours);
    for (; k < end; k += 4) multiply(k, 4);
  }
  if (k < in) multiply(k, in - k);
#endif
}

// What the sums of products of a row become: scale times them, plus start.
struct RowOfSums {
  float scale;
  float start;
  float row_sum;
};

// to[r][v] = finish(r, scale(r) value(sum, row sum, v) + start(r)) for each sum of a block. On
// arm64 of some rows step by step: what they take is read before any is written, and they wait for
// each other.
template <int R, int V, typename Row, typename Value, typename Finish>
HWY_INLINE void StoreSums(const VI (&acc)[R][V], float* HWY_RESTRICT to, size_t stride, Row row,
                          Value value, Finish finish) {
  const DF d;
  const size_t n = hn::Lanes(d);
  constexpr int kRows = R < kVectorsTogether ? R : kVectorsTogether;
#pragma GCC unroll 8
  for (int r = 0; r < R; r += kRows) {
    VF scale[kRows], start[kRows], row_sum[kRows], sums[kRows][V];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const RowOfSums of = row(r + i);
      scale[i] = hn::Set(d, of.scale);
      start[i] = hn::Set(d, of.start);
      row_sum[i] = hn::Set(d, of.row_sum);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) sums[i][v] = hn::ConvertTo(d, acc[r + i][v]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) sums[i][v] = value(sums[i][v], row_sum[i], v);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) sums[i][v] = hn::MulAdd(sums[i][v], scale[i], start[i]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) {
        hn::Store(finish(r + i, sums[i][v]), d, to + (r + i) * stride + v * n);
      }
    }
  }
}

// y[j] = finish(j, start[j] + weights[j] x), x being bytes:
//   weight_scale x_scale (sum of products of bytes - (zero_point - offset) row_sum) + start
template <typename Start, typename Finish, typename Turn = NoTurn>
HWY_INLINE void Int8Layer(const Int8Weights& weights, uint32_t in, uint32_t out, Start start,
                          const Int8Panel& x, float* y, PanelShape shape, Finish finish,
                          Turn turn = Turn()) {
  const DF d;
  const size_t n = hn::Lanes(d);
  ForEachVectorGroup(shape.lanes, [&](uint32_t lane, auto vectors) HANDPICK_APART {
    constexpr int V = decltype(vectors)::value;
    const ByteProducts products = ProductsOfLayer();
    const Int8Weights layer = weights;
    const size_t stride = shape.stride;
    const uint32_t width = in;
    const Start first = start;
    const Finish end = finish;
    float* const to = y + lane;
    VF scale[V];
    VF zero[V];  // Times the scale.
    for (int v = 0; v < V; ++v) {
      scale[v] = hn::Load(d, x.scale + lane + v * n);
      const VF zero_point = hn::Load(d, x.zero_point + lane + v * n);
      zero[v] = hn::Mul(scale[v], hn::Sub(zero_point, hn::Set(d, static_cast<float>(kByteOffset))));
    }
    ForEachOutputBlock(out, [&](size_t j, auto outputs) HWY_ATTR {
      constexpr int R = decltype(outputs)::value;
      VI acc[R][V];
      for (int r = 0; r < R; ++r) {
        for (int v = 0; v < V; ++v) acc[r][v] = hn::Zero(DI());
      }
      AddInt8Block<R, V>(products, layer.data + j * width, width, width, x.bytes + size_t{lane} * 4,
                         stride, acc, turn);
      if constexpr (kVectorsTogether > 1) {
        StoreSums<R, V>(
            acc, to + j * stride, stride,
            [=](int r) HWY_ATTR {
              return RowOfSums{layer.scales[j + r], first(j + r),
                               static_cast<float>(layer.row_sums[j + r])};
            },
            [=](VF sum, VF row_sum, int v)
                HWY_ATTR { return hn::NegMulAdd(zero[v], row_sum, hn::Mul(scale[v], sum)); },
            [=](int r, VF sum) HWY_ATTR { return end(j + r, sum); });
      } else {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          const VF begin = hn::Set(d, first(j + r));
          const VF weight_scale = hn::Set(d, layer.scales[j + r]);
          const VF row_sum = hn::Set(d, static_cast<float>(layer.row_sums[j + r]));
#pragma GCC unroll 3
          for (int v = 0; v < V; ++v) {
            const VF product =
                hn::NegMulAdd(zero[v], row_sum, hn::Mul(scale[v], hn::ConvertTo(d, acc[r][v])));
            hn::Store(end(j + r, hn::MulAdd(weight_scale, product, begin)), d,
                      to + (j + r) * stride + v * n);
          }
        }
      }
    });
  });
}

// a b: row sums of a folded matrix whose weights are no numbers are any.
HWY_INLINE int32_t Wrapping(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}

// The same for bytes that have one zero point in all lanes:
//   weight_scale x_scale (sum of products - zero_point row_sum) + start
template <typename Start>
HWY_INLINE void Int8LayerOfScaled(const Int8Weights& weights, uint32_t in, uint32_t out,
                                  Start start, const uint8_t* bytes, const float* x_scale,
                                  int32_t zero_point, float* y, PanelShape shape) {
  const DF d;
  const DI di;
  const size_t n = hn::Lanes(d);
  ForEachVectorGroup(shape.lanes, [&](uint32_t lane, auto vectors) HANDPICK_APART {
    constexpr int V = decltype(vectors)::value;
    const ByteProducts products = ProductsOfLayer();
    const Int8Weights layer = weights;
    const size_t stride = shape.stride;
    const uint32_t width = in;
    const Start first = start;
    float* const to = y + lane;
    VF scale[V];
    for (int v = 0; v < V; ++v) scale[v] = hn::Load(d, x_scale + lane + v * n);
    ForEachOutputBlock(out, [&](size_t j, auto outputs) HWY_ATTR {
      constexpr int R = decltype(outputs)::value;
      VI acc[R][V];
      for (int r = 0; r < R; ++r) {
        const VI zero = hn::Set(di, Wrapping(kByteOffset - zero_point, layer.row_sums[j + r]));
        for (int v = 0; v < V; ++v) acc[r][v] = zero;
      }
      AddInt8Block<R, V>(products, layer.data + j * width, width, width, bytes + size_t{lane} * 4,
                         stride, acc);
      if constexpr (kVectorsTogether > 1) {
        StoreSums<R, V>(
            acc, to + j * stride, stride,
            [=](int r) HWY_ATTR {
              return RowOfSums{layer.scales[j + r], first(j + r), 0};
            },
            [=](VF sum, VF, int v) HWY_ATTR { return hn::Mul(sum, scale[v]); },
            [](int, VF sum) HWY_ATTR { return sum; });
      } else {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          const VF begin = hn::Set(d, first(j + r));
          const VF weight_scale = hn::Set(d, layer.scales[j + r]);
#pragma GCC unroll 3
          for (int v = 0; v < V; ++v) {
            const VF product = hn::Mul(hn::ConvertTo(d, acc[r][v]), scale[v]);
            hn::Store(hn::MulAdd(product, weight_scale, begin), d, to + (j + r) * stride + v * n);
          }
        }
      }
    });
  });
}

// The same for bytes that have one scale and one zero point in all lanes.
template <typename Start>
HWY_INLINE void Int8LayerOfUniform(const Int8Weights& weights, uint32_t in, uint32_t out,
                                   Start start, const uint8_t* bytes, float x_scale,
                                   int32_t zero_point, float* y, PanelShape shape) {
  const DF d;
  const DI di;
  const size_t n = hn::Lanes(d);
  const size_t stride = shape.stride;
  ForEachVectorGroup(shape.lanes, [&](uint32_t lane, auto vectors) HWY_ATTR {
    constexpr int V = decltype(vectors)::value;
    const ByteProducts products = ProductsOfLayer();
    // Nothing is copied before the blocks: gcc then has the sums of DIEN's recurrence in memory
    // with AVX-512, which takes a third longer.
    ForEachOutputBlock(out, [&](uint32_t j, auto outputs) HWY_ATTR {
      constexpr int R = decltype(outputs)::value;
      VI acc[R][V];
      for (int r = 0; r < R; ++r) {
        const VI zero = hn::Set(di, Wrapping(kByteOffset - zero_point, weights.row_sums[j + r]));
        for (int v = 0; v < V; ++v) acc[r][v] = zero;
      }
      AddInt8Block<R, V>(products, weights.data + size_t{j} * in, in, in, bytes + size_t{lane} * 4,
                         stride, acc);
      if constexpr (kVectorsTogether > 1) {
        StoreSums<R, V>(
            acc, y + j * stride + lane, stride,
            [&](int r) HWY_ATTR {
              return RowOfSums{weights.scales[j + r] * x_scale, start(j + r), 0};
            },
            [](VF sum, VF, int) HWY_ATTR { return sum; }, [](int, VF sum) HWY_ATTR { return sum; });
      } else {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          const VF scale = hn::Set(d, weights.scales[j + r] * x_scale);
          const VF begin = hn::Set(d, start(j + r));
#pragma GCC unroll 3
          for (int v = 0; v < V; ++v) {
            hn::Store(hn::MulAdd(hn::ConvertTo(d, acc[r][v]), scale, begin), d,
                      y + (j + r) * stride + lane + v * n);
          }
        }
      }
    });
  });
}

// Added to a number from 0 to 255, 1.5 * 2^23 rounds it to a whole one that stands in the low bits;
// arm64: it less kByteOffset, which leaves nothing to be done to the byte.
#if HWY_ARCH_ARM_A64
inline constexpr float kRoundToByte = 12582912.0f - kByteOffset;
#else
inline constexpr float kRoundToByte = 12582912.0f;
#endif
inline constexpr uint32_t kRoundToByteBits = 0x4B400000u;

// Four bytes, one from each vector of numbers from 0 to 255 plus kRoundToByte, into each lane.
HWY_INLINE VI PackBytes(VF a, VF b, VF c, VF e) {
  const DI di;
  const auto bits = [di](VF v) HWY_ATTR { return hn::BitCast(di, v); };
#if HWY_ARCH_ARM_A64
  int32x4_t packed = vsliq_n_s32(bits(a).raw, bits(b).raw, 8);
  packed = vsliq_n_s32(packed, bits(c).raw, 16);
  return VI(vsliq_n_s32(packed, bits(e).raw, 24));
#else
  const VI low = hn::Add(bits(a), hn::ShiftLeft<8>(bits(b)));
  const VI high = hn::Add(hn::ShiftLeft<16>(bits(c)), hn::ShiftLeft<24>(bits(e)));
  // What the four constants add up to, modulo 2^32.
  constexpr uint32_t kConstants = kRoundToByteBits * 0x01010101u;
  const VI packed = hn::Sub(hn::Add(low, high), hn::Set(di, static_cast<int32_t>(kConstants)));
  return kByteOffset == 0 ? packed
                          : hn::Xor(packed, hn::Set(di, static_cast<int32_t>(0x80808080u)));
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_PANEL_DENSE_INL_H_
