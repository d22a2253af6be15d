// Blocks of dense layers on arm64, once for each instruction set (see panel_dense-inl.h about the
// guard). Instructions take a weight out of a vector of them: one load of 16 bytes of a row serves
// four steps, where each weight by itself would take a load or a copy to all lanes. Weights and
// inputs of the next step are loaded before the products of this one, and each row's next weights
// as soon as its last ones are used: cores that run instructions in order do not wait for them.
#if defined(HANDPICK_SDK_KERNELS_PANEL_NEON_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_PANEL_NEON_INL_H_
#undef HANDPICK_SDK_KERNELS_PANEL_NEON_INL_H_
#else
#define HANDPICK_SDK_KERNELS_PANEL_NEON_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "sdk/kernels/dot_product.h"
#include "sdk/kernels/panel_turn-inl.h"
#include "sdk/kernels/simd_math-inl.h"

#if HWY_ARCH_ARM_A64
HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// With clang, loads stand between the products: beside each other, or as a pair, a core that runs
// instructions in order would do nothing else meanwhile. With the barriers that this takes, gcc
// writes sums to memory and reads them again; it places loads by itself.
#if HWY_COMPILER_CLANG
#define HANDPICK_IN_ORDER volatile
#else
#define HANDPICK_IN_ORDER
#endif

// Vector v of floats or bytes.
HWY_INLINE void LoadVector(const float* from, int v, float32x4_t& to) {
  to = vld1q_f32(from + 4 * v);
}
HWY_INLINE void LoadVector(const uint8_t* from, int v, int8x16_t& to) {
  to = vreinterpretq_s8_u8(vld1q_u8(from + 16 * v));
}
HWY_INLINE void LoadVector(const int8_t* from, int v, int8x16_t& to) {
  to = vld1q_s8(from + 16 * v);
}
template <int V, typename From, typename Loaded>
HWY_INLINE void LoadVectors(const From* from, Loaded (&to)[V]) {
  for (int v = 0; v < V; ++v) LoadVector(from, v, to[v]);
}

// The same behind the products of row 0, for which what it returns is called.
template <int V, typename From, typename Loaded>
HWY_INLINE auto LoadBetween(const From* from, Loaded (&to)[V]) {
#if HWY_COMPILER_CLANG
  return [from, &to](int r) HWY_ATTR {
    for (int v = 0; v < V && r == 0; ++v) {
      LoadVector(from, v, to[v]);
      if (v + 1 < V) __asm__ volatile("" ::: "memory");
    }
  };
#else
  LoadVectors(from, to);
  return [](int) {};
#endif
}

// Instructions that the target's functions may not take by intrinsics, since they are compiled for
// processors without them, too. What .arch allows holds to the end of the function, for the
// assembler alone.
#if defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_MATMUL_INT8)
#define HANDPICK_BYTE_PRODUCTS
#else
#define HANDPICK_BYTE_PRODUCTS ".arch armv8.2-a+crypto+dotprod+i8mm\n\t"
#endif

// acc + weights[kLane] * x, and acc + the sum of four products of bytes, weights [4 * kLane, 4 *
// kLane + 4).
template <int kLane>
HWY_INLINE void AddByLane(float32x4_t x, float32x4_t weights, VF& acc) {
#if HWY_COMPILER_CLANG
  __asm__ HANDPICK_IN_ORDER("fmla %0.4s, %1.4s, %2.s[%3]"
                            : "+w"(acc.raw)
                            : "w"(x), "w"(weights), "i"(kLane));
#else
  acc.raw = vfmaq_laneq_f32(acc.raw, x, weights, kLane);
#endif
}
template <int kLane>
HWY_INLINE void AddByLane(int8x16_t x, int8x16_t weights, VI& acc) {
  __asm__ HANDPICK_IN_ORDER(HANDPICK_BYTE_PRODUCTS "sdot %0.4s, %1.16b, %2.4b[%3]"
                            : "+w"(acc.raw)
                            : "w"(x), "w"(weights), "i"(kLane));
}

// Four weights in every lane, or those that are left and zeros. Nothing behind them is read.
HWY_INLINE int8x16_t RepeatFour(const int8_t* weights, size_t left) {
  int32_t four = 0;
  if (left >= 4) {
    std::memcpy(&four, weights, 4);
  } else {
    std::memcpy(&four, weights, left);
  }
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

// One step for all rows. Calls between(r) behind the products of row r.
template <int kLane, int R, int V, typename X, typename Acc, typename Between>
HWY_INLINE void AddStep(const X (&x)[V], const X (&weights)[R], Acc (&acc)[R][V], Between between) {
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) AddByLane<kLane>(x[v], weights[r], acc[r][v]);
    between(r);
  }
}

// 16 bytes that are `offset` bytes behind `from`. With clang, right here, not as one of a pair, and
// with the distance in a register: LLVM's model of Cortex-A55 begins such a load beside a product,
// and no other.
template <typename From, typename Loaded>
HWY_INLINE void LoadAt(const From* from, size_t offset, Loaded& to) {
#if HWY_COMPILER_CLANG
  __asm__ volatile("ldr %q0, [%1, %x2]" : "=w"(to) : "r"(from), "rz"(offset) : "memory");
#else
  LoadVector(reinterpret_cast<const From*>(reinterpret_cast<const char*>(from) + offset), 0, to);
#endif
}

// acc[r][v] += sum over steps k below `steps`, whole fours, of step k of row r of the weights with
// step k of x. A step is a float, or four bytes; x's steps are `stride` numbers apart.
template <typename Loaded, int R, int V, typename Weight, typename X, typename Acc, typename Turn>
HWY_INLINE void AddRowsByLane(const Weight* HWY_RESTRICT weights, size_t weight_stride,
                              size_t steps, const X* HWY_RESTRICT x, size_t stride,
                              Acc (&acc)[R][V], Turn turn) {
  if (steps == 0) return;
  // Behind which row's products the next step's x is loaded, and of how many rows at a time the
  // next weights are. Beside a product of bytes a single load may begin. Those of floats stand
  // together: each makes LLVM's Cortex-A53 wait for the products before it.
  constexpr bool kFloats = sizeof(Weight) == sizeof(float);
  constexpr int kBehind = R == 8 ? (kFloats ? 3 : 1) : 0;
  constexpr int kBehindNext = kFloats || R == 1 ? 0 : 1;  // How many rows later the next vector is.
  constexpr int kTogether = kFloats && R > 1 ? 2 : 1;
  Loaded w[R];
  Loaded even[V], odd[V];
  size_t row_at[R], x_at[4][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) row_at[r] = r * weight_stride * sizeof(Weight);
#pragma GCC unroll 4
  for (int step = 0; step < 4; ++step) {
    for (int v = 0; v < V; ++v) x_at[step][v] = step * stride * sizeof(X) + 16 * v;
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) LoadAt(weights, row_at[r], w[r]);
  for (int v = 0; v < V; ++v) LoadAt(x, x_at[0][v], even[v]);
  const auto load_x = [&](int step, Loaded(&to)[V], int r) HWY_ATTR {
    for (int v = 0; v < V; ++v) {
      if (r == kBehind + v * kBehindNext) LoadAt(x, x_at[step][v], to[v]);
    }
  };
  for (size_t left = steps; left != 0;) {
    turn();
    for (const size_t end = left - NextTurn<Turn>(0, left); left != end;) {
      left -= 4;
      AddStep<0>(even, w, acc, [&](int r) HWY_ATTR { load_x(1, odd, r); });
      AddStep<1>(odd, w, acc, [&](int r) HWY_ATTR { load_x(2, even, r); });
      AddStep<2>(even, w, acc, [&](int r) HWY_ATTR { load_x(3, odd, r); });
      // Behind the last ones the same again: nothing is read that is not the layer's.
      weights += left == 0 ? 0 : 16 / sizeof(Weight);
      x += left == 0 ? 0 : 4 * stride;
#if HWY_COMPILER_CLANG
      __asm__("" : "+r"(weights), "+r"(x));  // One register each: no copies that run ahead.
#endif
      AddStep<3>(odd, w, acc, [&](int r) HWY_ATTR {
        for (int i = r + 1 - kTogether; i <= r; ++i) {
          if (r % kTogether == kTogether - 1) LoadAt(weights, row_at[i], w[i]);
        }
        load_x(0, even, r);
      });
    }
  }
}

// Row r and those behind it, up to four, whose weights stand side by side. Calls between(r) behind
// the products of row r.
template <int kLane = 0, int V, typename Between>
HWY_INLINE void AddFourColumns(const float32x4_t (&x)[V], float32x4_t weights, int r, VF (*acc)[V],
                               Between between) {
#pragma GCC unroll 3
  for (int v = 0; v < V; ++v) AddByLane<kLane>(x[v], weights, acc[r][v]);
  between(r);
  if constexpr (kLane < 3) AddFourColumns<kLane + 1, V>(x, weights, r + 1, acc, between);
}

// acc[r][v] += sum over k below `in` of weights[r + k * step] x[k][v]; R: a multiple of 4.
template <int R, int V, typename Turn>
HWY_INLINE void AddColumnsByLane(const float* HWY_RESTRICT weights, size_t step, size_t in,
                                 const float* HWY_RESTRICT x, size_t stride, VF (&acc)[R][V],
                                 Turn turn) {
  static_assert(R % 4 == 0, "whole vectors of weights");
  constexpr int W = R / 4;
  const auto add = [&acc](const float32x4_t(&xv)[V], const float32x4_t(&w)[W], auto between)
      __attribute__((always_inline)) {
    for (int i = 0; i < W; ++i) AddFourColumns<0, V>(xv, w[i], 4 * i, acc, between);
  };
  // Of the next step.
  const auto load = [](const float* next, float32x4_t(&to)[V], const float* next_weights,
                       float32x4_t(&to_weights)[W]) __attribute__((always_inline)) {
    const auto x_between = LoadBetween(next, to);
    const auto weights_between = LoadBetween(next_weights, to_weights);
    return [x_between, weights_between](int r) HWY_ATTR {
      x_between(r);
      weights_between(r);
    };
  };
  float32x4_t even[V], odd[V], even_weights[W], odd_weights[W];
  const size_t pairs = in / 2 * 2;
  if (pairs != 0) {
    LoadVectors(x, even);
    LoadVectors(weights, even_weights);
  }
  for (size_t k = 0; k < pairs;) {
    turn();
    const size_t end = NextTurn<Turn>(k, pairs);
    for (; k < end; k += 2) {
      add(even, even_weights, load(x + stride, odd, weights + step, odd_weights));
      const bool last = k + 2 >= pairs;
      weights += last ? 0 : 2 * step;
      x += last ? 0 : 2 * stride;
      add(odd, odd_weights, load(x, even, weights, even_weights));
    }
  }
  if (pairs == in) return;
  if (TurnIsDue<Turn>(pairs)) turn();
  const size_t behind = pairs == 0 ? 0 : 2;
  LoadVectors(x + behind * stride, even);
  LoadVectors(weights + behind * step, even_weights);
  add(even, even_weights, [](int) {});
}

// acc[r][v] += sum over k, from `begin` on, of weights[r][k] * byte[k][v]: with SDOT, the inputs
// behind whole vectors of weights.
template <int R, int V, typename Turn>
HWY_INLINE void AddInt8Rest(const int8_t* HWY_RESTRICT weights, size_t weight_stride, size_t begin,
                            uint32_t in, const uint8_t* HWY_RESTRICT x, size_t stride,
                            VI (&acc)[R][V], Turn turn) {
  for (size_t k = begin; k < in; k += 4) {
    const size_t left = in - k;
    if (left >= 4 && TurnIsDue<Turn>(k / 4)) turn();
    int8x16_t xv[V];
    LoadVectors(x + k * stride, xv);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const int8x16_t w = RepeatFour(weights + r * weight_stride + k, left);
      for (int v = 0; v < V; ++v) AddByLane<0>(xv[v], w, acc[r][v]);
    }
  }
}

// The same of all inputs.
template <int R, int V, typename Turn>
HWY_INLINE void AddInt8BlockByLane(const int8_t* HWY_RESTRICT weights, size_t weight_stride,
                                   uint32_t in, const uint8_t* HWY_RESTRICT x, size_t stride,
                                   VI (&acc)[R][V], Turn turn) {
  const size_t whole = in / 16 * 4;
  AddRowsByLane<int8x16_t, R, V>(weights, weight_stride, whole, x, 4 * stride, acc, turn);
  AddInt8Rest(weights, weight_stride, 4 * whole, in, x, stride, acc, turn);
}

// sums[i][j] += row i of the weights times lane j, eight bytes each.
HWY_INLINE void AddMatrixProduct(int8x16_t weights, int8x16_t x, int32x4_t& sums) {
  __asm__(HANDPICK_BYTE_PRODUCTS "smmla %0.4s, %1.16b, %2.16b" : "+w"(sums) : "w"(weights), "w"(x));
}

// Two rows of two numbers each out of the low and the high halves of two vectors; also back again.
HWY_INLINE void SwapHalves(int32x4_t a, int32x4_t b, int32x4_t& low, int32x4_t& high) {
  low = vreinterpretq_s32_s64(vzip1q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
  high = vreinterpretq_s32_s64(vzip2q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
}

// With SMMLA: what is multiplied are pairs of rows and pairs of lanes, eight inputs at a time. They
// are brought side by side as they are loaded, which takes half as many instructions as the
// products of a block do; the weights stay as they are stored.
template <int R, int V, typename Turn>
HWY_INLINE void AddInt8BlockByMatrix(const int8_t* HWY_RESTRICT weights, size_t weight_stride,
                                     uint32_t in, const uint8_t* HWY_RESTRICT x, size_t stride,
                                     VI (&acc)[R][V], Turn turn) {
  static_assert(R % 2 == 0, "pairs of rows");
  constexpr int P = R / 2;
  int32x4_t sums[P][2 * V];
#pragma GCC unroll 4
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      SwapHalves(acc[2 * p][v].raw, acc[2 * p + 1][v].raw, sums[p][2 * v], sums[p][2 * v + 1]);
    }
  }
  const auto add =
      [&sums, x, stride ](size_t k, const int32x4_t(&pairs)[P]) __attribute__((always_inline)) {
    int8x16_t fours[V], next[V];
    LoadVectors(x + k * stride, fours);
    LoadVectors(x + (k + 4) * stride, next);
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      const int32x4_t a = vreinterpretq_s32_s8(fours[v]);
      const int32x4_t b = vreinterpretq_s32_s8(next[v]);
      const int8x16_t low = vreinterpretq_s8_s32(vzip1q_s32(a, b));
      const int8x16_t high = vreinterpretq_s8_s32(vzip2q_s32(a, b));
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) {
        const int8x16_t w = vreinterpretq_s8_s32(pairs[p]);
        AddMatrixProduct(w, low, sums[p][2 * v]);
        AddMatrixProduct(w, high, sums[p][2 * v + 1]);
      }
    }
  };
  size_t k = 0;
  for (const size_t whole = in / 16 * 16; k < whole;) {
    turn();
    const size_t end = NextTurn<Turn, 4>(k, whole);
    for (; k < end; k += 16) {
      int32x4_t low[P], high[P];
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) {
        const int8_t* from = weights + 2 * p * weight_stride + k;
        SwapHalves(vreinterpretq_s32_s8(vld1q_s8(from)),
                   vreinterpretq_s32_s8(vld1q_s8(from + weight_stride)), low[p], high[p]);
      }
      add(k, low);
      add(k + 8, high);
    }
  }
  if (k + 8 <= in) {
    if (TurnIsDue<Turn>(k / 4)) turn();
    int32x4_t pairs[P];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      const int8_t* from = weights + 2 * p * weight_stride + k;
      pairs[p] = vreinterpretq_s32_s8(vcombine_s8(vld1_s8(from), vld1_s8(from + weight_stride)));
    }
    add(k, pairs);
    k += 8;
  }
#pragma GCC unroll 4
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      SwapHalves(sums[p][2 * v], sums[p][2 * v + 1], acc[2 * p][v].raw, acc[2 * p + 1][v].raw);
    }
  }
  AddInt8Rest(weights, weight_stride, k, in, x, stride, acc, turn);
}

// With neither, at most four rows: two products of bytes are summed up in 16 bits (of weights of
// -127 to 127, at most 2 * 127 * 128), and pairs of such sums in 32. Not inline: it needs all
// registers.
template <int R, int V, typename Turn>
HWY_NOINLINE void AddInt8RowsByLongProducts(const int8_t* HWY_RESTRICT weights,
                                            size_t weight_stride, uint32_t in,
                                            const uint8_t* HWY_RESTRICT x, size_t stride,
                                            VI (*acc)[V], Turn turn) {
  int32x4_t low[R][V], high[R][V];  // Two sums of each lane.
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) low[r][v] = high[r][v] = vdupq_n_s32(0);
  }
  const size_t whole = in / 8 * 8;
  size_t k = 0;
  while (k < whole) {
    turn();
    const size_t end = NextTurn<Turn, 4>(k, whole);
    for (; k < end; k += 8) {
      int8x16_t a[V], b[V];
      LoadVectors(x + k * stride, a);
      LoadVectors(x + (k + 4) * stride, b);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        int32x2_t eight = vreinterpret_s32_s8(vld1_s8(weights + r * weight_stride + k));
#if !HWY_COMPILER_CLANG
        __asm__("" : "+w"(eight));  // gcc would load each four by itself.
#endif
        const int8x16_t wa = vreinterpretq_s8_s32(vdupq_lane_s32(eight, 0));
        const int8x16_t wb = vreinterpretq_s8_s32(vdupq_lane_s32(eight, 1));
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) {
          const int16x8_t ab = vmlal_s8(vmull_s8(vget_low_s8(a[v]), vget_low_s8(wa)),
                                        vget_low_s8(b[v]), vget_low_s8(wb));
          low[r][v] = vpadalq_s16(low[r][v], ab);
          high[r][v] = vpadalq_s16(high[r][v], vmlal_high_s8(vmull_high_s8(a[v], wa), b[v], wb));
#if !HWY_COMPILER_CLANG
          // gcc would begin with the products of all rows, and have no registers for sums.
          __asm__("" : "+w"(a[v]), "+w"(b[v]), "+w"(low[r][v]), "+w"(high[r][v]));
#endif
        }
      }
    }
  }
  for (; k < in; k += 4) {
    const size_t left = in - k;
    if (left >= 4 && TurnIsDue<Turn>(k / 4)) turn();
    int8x16_t a[V];
    LoadVectors(x + k * stride, a);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const int8x16_t w = RepeatFour(weights + r * weight_stride + k, left);
      for (int v = 0; v < V; ++v) {
        low[r][v] = vpadalq_s16(low[r][v], vmull_s8(vget_low_s8(a[v]), vget_low_s8(w)));
        high[r][v] = vpadalq_s16(high[r][v], vmull_high_s8(a[v], w));
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      acc[r][v].raw = vaddq_s32(acc[r][v].raw, vpaddq_s32(low[r][v], high[r][v]));
    }
  }
}

// acc[r][v] += sum over k of weights[r][k] * byte[k][v]: AddInt8Block by what the processor has.
// Whole numbers, and so the same bits.
template <int R, int V, typename Turn>
HWY_INLINE void AddInt8BlockOfArm(ByteProducts most, const int8_t* HWY_RESTRICT weights,
                                  size_t weight_stride, uint32_t in, const uint8_t* HWY_RESTRICT x,
                                  size_t stride, VI (&acc)[R][V], Turn turn) {
  if (most == ByteProducts::kLong) {
    constexpr int kRows = R < 4 ? R : 4;
    VI sums[R][V];  // Not `acc`, which would be in memory for the others, too.
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < V; ++v) sums[r][v] = acc[r][v];
    }
    AddInt8RowsByLongProducts<kRows, V>(weights, weight_stride, in, x, stride, sums, turn);
    if constexpr (R == 8) {
      AddInt8RowsByLongProducts<kRows, V>(weights + kRows * weight_stride, weight_stride, in, x,
                                          stride, sums + kRows, NoTurn());
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < V; ++v) acc[r][v] = sums[r][v];
    }
    return;
  }
  if constexpr (R % 2 == 0) {
    if (most == ByteProducts::kMatrix) {
      AddInt8BlockByMatrix(weights, weight_stride, in, x, stride, acc, turn);
      return;
    }
  }
  AddInt8BlockByLane(weights, weight_stride, in, x, stride, acc, turn);
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();
#endif  // HWY_ARCH_ARM_A64

#endif  // HANDPICK_SDK_KERNELS_PANEL_NEON_INL_H_
