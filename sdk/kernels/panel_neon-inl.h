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
#include "sdk/kernels/simd_math-inl.h"

#if HWY_ARCH_ARM_A64
HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Floats or bytes of one register.
template <int V>
HWY_INLINE void LoadVectors(const float* from, float32x4_t (&to)[V]) {
  for (int v = 0; v < V; ++v) to[v] = vld1q_f32(from + 4 * v);
}
template <int V>
HWY_INLINE void LoadVectors(const uint8_t* from, int8x16_t (&to)[V]) {
  for (int v = 0; v < V; ++v) to[v] = vreinterpretq_s8_u8(vld1q_u8(from + 16 * v));
}
HWY_INLINE float32x4_t LoadOfRow(const float* from) { return vld1q_f32(from); }
HWY_INLINE int8x16_t LoadOfRow(const int8_t* from) { return vld1q_s8(from); }

// acc + weights[kLane] * x, and acc + the sum of four products of bytes, weights [4 * kLane, 4 *
// kLane + 4).
template <int kLane>
HWY_INLINE void AddByLane(float32x4_t x, float32x4_t weights, VF& acc) {
  acc.raw = vfmaq_laneq_f32(acc.raw, x, weights, kLane);
}
template <int kLane>
HWY_INLINE void AddByLane(int8x16_t x, int8x16_t weights, VI& acc) {
  // Not the intrinsic: the target's functions are compiled for processors without it, too. What
  // .arch allows holds to the end of the function, for the assembler alone.
  __asm__(
#if !defined(__ARM_FEATURE_DOTPROD)
      ".arch armv8.2-a+crypto+dotprod\n\t"
#endif
      "sdot %0.4s, %1.16b, %2.4b[%3]"
      : "+w"(acc.raw)
      : "w"(x), "w"(weights), "i"(kLane));
}

// One step for all rows.
template <int kLane, int R, int V, typename X, typename Acc>
HWY_INLINE void AddStep(const X (&x)[V], const X (&weights)[R], Acc (&acc)[R][V]) {
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) AddByLane<kLane>(x[v], weights[r], acc[r][v]);
  }
}

// acc[r][v] += sum over steps k below `steps`, whole fours, of step k of row r of the weights with
// step k of x. A step is a float, or four bytes; x's steps are `stride` numbers apart.
template <typename Loaded, int R, int V, typename Weight, typename X, typename Acc, typename Turn>
HWY_INLINE void AddRowsByLane(const Weight* HWY_RESTRICT weights, size_t weight_stride,
                              size_t steps, const X* HWY_RESTRICT x, size_t stride,
                              Acc (&acc)[R][V], Turn turn) {
  constexpr size_t kWidth = 16 / sizeof(Weight);  // Weights of four steps.
  if (steps == 0) return;
  Loaded w[R];
  Loaded even[V], odd[V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) w[r] = LoadOfRow(weights + r * weight_stride);
  LoadVectors(x, even);
  for (size_t k = 0; k < steps;) {
    turn();
    const size_t end = steps - k < Turn::kSteps ? steps : k + Turn::kSteps;
    for (; k < end; k += 4) {
      LoadVectors(x + stride, odd);
      AddStep<0>(even, w, acc);
      LoadVectors(x + 2 * stride, even);
      AddStep<1>(odd, w, acc);
      LoadVectors(x + 3 * stride, odd);
      AddStep<2>(even, w, acc);
      // Behind the last ones the same again: nothing is read that is not the layer's.
      const bool last = k + 4 >= steps;
      weights += last ? 0 : kWidth;
      x += last ? 0 : 4 * stride;
      LoadVectors(x, even);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) AddByLane<3>(odd[v], w[r], acc[r][v]);
        w[r] = LoadOfRow(weights + r * weight_stride);
      }
    }
  }
}

// Four rows whose weights stand side by side.
template <int V>
HWY_INLINE void AddFourColumns(const float32x4_t (&x)[V], float32x4_t weights, VF (*acc)[V]) {
  for (int v = 0; v < V; ++v) AddByLane<0>(x[v], weights, acc[0][v]);
  for (int v = 0; v < V; ++v) AddByLane<1>(x[v], weights, acc[1][v]);
  for (int v = 0; v < V; ++v) AddByLane<2>(x[v], weights, acc[2][v]);
  for (int v = 0; v < V; ++v) AddByLane<3>(x[v], weights, acc[3][v]);
}

// acc[r][v] += sum over k below `in` of weights[r + k * step] x[k][v]; R: a multiple of 4.
template <int R, int V, typename Turn>
HWY_INLINE void AddColumnsByLane(const float* HWY_RESTRICT weights, size_t step, size_t in,
                                 const float* HWY_RESTRICT x, size_t stride, VF (&acc)[R][V],
                                 Turn turn) {
  static_assert(R % 4 == 0, "whole vectors of weights");
  constexpr int W = R / 4;
  const auto add = [&acc](const float32x4_t(&xv)[V], const float32x4_t(&w)[W])
      __attribute__((always_inline)) {
    for (int i = 0; i < W; ++i) AddFourColumns<V>(xv, w[i], acc + 4 * i);
  };
  float32x4_t even[V], odd[V], even_weights[W], odd_weights[W];
  const size_t pairs = in / 2 * 2;
  if (pairs != 0) {
    LoadVectors(x, even);
    LoadVectors(weights, even_weights);
  }
  for (size_t k = 0; k < pairs;) {
    turn();
    const size_t end = pairs - k < Turn::kSteps ? pairs : k + Turn::kSteps;
    for (; k < end; k += 2) {
      LoadVectors(x + stride, odd);
      LoadVectors(weights + step, odd_weights);
      add(even, even_weights);
      const bool last = k + 2 >= pairs;
      weights += last ? 0 : 2 * step;
      x += last ? 0 : 2 * stride;
      LoadVectors(x, even);
      LoadVectors(weights, even_weights);
      add(odd, odd_weights);
    }
  }
  if (pairs == in) return;
  if (pairs % Turn::kSteps == 0) turn();
  const size_t behind = pairs == 0 ? 0 : 2;
  LoadVectors(x + behind * stride, even);
  LoadVectors(weights + behind * step, even_weights);
  add(even, even_weights);
}

// acc[r][v] += sum over k of weights[r][k] * byte[k][v]: AddInt8Block where there is SDOT.
template <int R, int V, typename Turn>
HWY_INLINE void AddInt8BlockByLane(const int8_t* HWY_RESTRICT weights, size_t weight_stride,
                                   uint32_t in, const uint8_t* HWY_RESTRICT x, size_t stride,
                                   VI (&acc)[R][V], Turn turn) {
  const size_t whole = in / 16 * 4;
  AddRowsByLane<int8x16_t, R, V>(weights, weight_stride, whole, x, 4 * stride, acc, turn);
  for (size_t k = 4 * whole; k < in; k += 4) {
    const size_t left = in - k;
    if (left >= 4 && k / 4 % Turn::kSteps == 0) turn();
    int8x16_t xv[V];
    LoadVectors(x + k * stride, xv);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const int8_t* from = weights + r * weight_stride + k;
      int32_t four = 0;
      if (left >= 4) {
        std::memcpy(&four, from, 4);
      } else {
        std::memcpy(&four, from, left);
      }
      const int8x16_t w = vreinterpretq_s8_s32(vdupq_n_s32(four));
      for (int v = 0; v < V; ++v) AddByLane<0>(xv[v], w, acc[r][v]);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();
#endif  // HWY_ARCH_ARM_A64

#endif  // HANDPICK_SDK_KERNELS_PANEL_NEON_INL_H_
