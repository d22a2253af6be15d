// Products of 7 bits with panels, once for each instruction set (see panel_dense-inl.h about the
// guard): for processors that multiply bytes in pairs, into sums of 16 bits (x86's PMADDUBSW).
//
// Widening each pair's sum to 32 bits would cost as much as products of words. So the input has 7
// bits and rows of weights are scaled so that kSumGroup inputs can be added up in 16 bits: of the 8
// products that meet in one of them, those of one sign come to 127 * 258 at most. Rows that would
// pass that get a scale that is a little larger, about 1.2 times where weights are like normal
// ones.
//
// A panel of 7 bits is an Int8Panel (panel.h) of bytes from 0 to 127. Rows of weights are filled up
// with zeros to whole groups.
#if defined(HANDPICK_SDK_KERNELS_PANEL_SEVEN_BITS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_PANEL_SEVEN_BITS_INL_H_
#undef HANDPICK_SDK_KERNELS_PANEL_SEVEN_BITS_INL_H_
#else
#define HANDPICK_SDK_KERNELS_PANEL_SEVEN_BITS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "sdk/kernels/panel.h"
#include "sdk/kernels/panel_dense-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Inputs whose products are added up in 16 bits: those of the first two of every four in one sum,
// and those of the other two in another.
inline constexpr uint32_t kSumGroup = 16;

// Numbers that are not above 0, in levels on either side of 64; of a sigmoid, from 0.
inline constexpr float kSevenBitLevels = 63;
inline constexpr int32_t kSevenBitZeroPoint = 64;
inline constexpr float kSevenBitSigmoidLevels = 126;  // 1/2 is one of them.

HWY_INLINE size_t SevenBitRow(uint32_t width) {
  return (size_t{width} + kSumGroup - 1) / kSumGroup * kSumGroup;
}

// Of the numbers of a row, what becomes 127: the largest, or half of the largest sum of one sign
// that meets in 16 bits, so that with half a level more for each of its 8 it is 258 at most.
// vector(k): those from k on; number(k): one.
template <typename Vector, typename Number>
HWY_INLINE float MostOfSevenBitRow(uint32_t width, Vector vector, Number number) {
  const DF d;
  constexpr uint32_t n = static_cast<uint32_t>(hn::MaxLanes(DF()));
  static_assert(kSumGroup % n == 0, "groups are whole vectors");
  const VF zero = hn::Zero(d);
  const VF half = hn::Set(d, 0.5f);
  VF most_vector = zero;
  // Sums of the lanes that stand for the same two of every four inputs, in all of them.
  const auto gather = [](VF sums) HWY_ATTR {
    if constexpr (n == 8) sums = hn::Add(sums, hn::SwapAdjacentBlocks(sums));
    return hn::Add(sums, hn::Reverse2(DF(), sums));
  };
  const uint32_t whole = width / kSumGroup * kSumGroup;
  uint32_t first = 0;
#if HWY_TARGET == HWY_AVX2
  // Two groups' sums of both signs, in half of the instructions.
  VF most_sums = zero;
  for (; first + 2 * kSumGroup <= whole; first += 2 * kSumGroup) {
    VF pairs[2];
    for (uint32_t g = 0; g < 2; ++g) {
      const VF x = vector(first + g * kSumGroup);
      const VF y = vector(first + g * kSumGroup + n);
      most_vector = hn::Max(most_vector, hn::Max(hn::Abs(x), hn::Abs(y)));
      const VF above = hn::Add(hn::Max(x, zero), hn::Max(y, zero));
      const VF below = hn::Sub(above, hn::Add(x, y));
      pairs[g] = VF{_mm256_hadd_ps(above.raw, below.raw)};
    }
    const VF low = hn::ConcatLowerLower(d, pairs[1], pairs[0]);
    const VF high = hn::ConcatUpperUpper(d, pairs[1], pairs[0]);
    most_sums = hn::Max(most_sums, hn::Add(low, high));
  }
  most_vector = hn::Max(most_vector, hn::Mul(half, most_sums));
#endif
  for (uint32_t k = first; k < whole; k += kSumGroup) {
    VF above = zero;
    VF all = zero;
    for (uint32_t i = 0; i < kSumGroup; i += n) {
      const VF x = vector(k + i);
      most_vector = hn::Max(most_vector, hn::Abs(x));
      above = hn::Add(above, hn::Max(x, zero));
      all = hn::Add(all, x);
    }
    const VF sums = hn::Max(gather(above), gather(hn::Sub(above, all)));
    most_vector = hn::Max(most_vector, hn::Mul(half, sums));
  }
  float most = 0;
  float above[2] = {};
  float below[2] = {};
  for (uint32_t k = whole; k < width; ++k) {
    const float x = number(k);
    const float size = x < 0 ? -x : x;
    most = std::max(most, size);
    float* sums = x < 0 ? below : above;
    if (k % 4 < 2) {
      sums[0] += size;
    } else {
      sums[1] += size;
    }
  }
  for (const float sum : {above[0], above[1], below[0], below[1]}) most = std::max(most, sum / 2);
  return std::max(most, hn::ReduceMax(d, most_vector));
}

// A row of bytes so that kSumGroup of its products fit: itself, if they do. Returns how many times
// its scale is.
HWY_INLINE float FitSevenBitRow(const int8_t* HWY_RESTRICT from, uint32_t width,
                                int8_t* HWY_RESTRICT to, int32_t* row_sum) {
  const DF d;
  const DI di;
  const hn::Rebind<int8_t, DF> d8;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const auto vector = [&](uint32_t k) HWY_ATTR {
    return hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, from + k)));
  };
  const float most =
      MostOfSevenBitRow(width, vector, [&](uint32_t k) { return static_cast<float>(from[k]); });
  const float times = most > 127 ? most / 127 : 1;
  const float inverse = 1 / times;
  const VF inverse_vector = hn::Set(d, inverse);
  VI sum_vector = hn::Zero(di);
  int32_t sum = 0;
  uint32_t k = 0;
  for (; k + n <= width; k += n) {
    const VI q = hn::NearestInt(hn::Mul(vector(k), inverse_vector));
    sum_vector = hn::Add(sum_vector, q);
    hn::StoreU(hn::DemoteTo(d8, q), d8, to + k);
  }
  for (; k < width; ++k) {
    const float level = static_cast<float>(from[k]) * inverse;
    const int32_t q = static_cast<int32_t>(level + (level < 0 ? -0.5f : 0.5f));
    sum += q;
    to[k] = static_cast<int8_t>(q);
  }
  std::fill(to + width, to + SevenBitRow(width), int8_t{0});
  *row_sum = sum + hn::ReduceSum(di, sum_vector);
  return times;
}

// What follows stands as it is written, all of it in registers: left alone, gcc 12 makes trees of
// sums for which there are not registers enough, and loads vectors twice.
template <typename V>
HWY_INLINE void InOrder([[maybe_unused]] V& v) {
#if HWY_ARCH_X86 && HWY_COMPILER_GCC_ACTUAL
  __asm__("" : "+x"(v.raw));
#endif
}

// acc + the sums of each two of `pairs`.
HWY_INLINE VI AddPairs(hn::Vec<hn::Repartition<int16_t, DI>> pairs, VI acc) {
#if HWY_TARGET == HWY_AVX2 && HWY_COMPILER_GCC_ACTUAL
  // There is no register for the ones.
  alignas(32) static constexpr int16_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  VI wide;
  __asm__("vpmaddwd %2, %1, %0" : "=x"(wide.raw) : "x"(pairs.raw), "m"(kOnes));
#else
  const VI wide = hn::WidenMulPairwiseAdd(DI(), pairs, hn::Set(hn::Repartition<int16_t, DI>(), 1));
#endif
  return hn::Add(acc, wide);
}

// acc[r][v] += sum over k of weights[r][k] * byte[k][v], `row` of them, whole groups. Two products
// and then two sums: so a processor that multiplies in two of four places has them filled best.
template <int R, int V>
HWY_INLINE void AddSevenBitBlock(const int8_t* HWY_RESTRICT weights, size_t row,
                                 const uint8_t* HWY_RESTRICT x, size_t stride, VI (&acc)[R][V]) {
  const DI d;
  const hn::Repartition<int16_t, DI> d16;
  const hn::Repartition<uint8_t, DI> du;
  const hn::Repartition<int8_t, DI> ds;
  constexpr int kSteps = kSumGroup / 4;
  const size_t n = hn::Lanes(d);
  for (size_t k = 0; k < row; k += kSumGroup) {
    const uint8_t* from = x + k * stride;
    hn::Vec<decltype(d16)> sum[R][V];
#pragma GCC unroll 4
    for (int s = 0; s < kSteps; ++s) {
      // Vectors of the input one by one: sums leave no registers for several.
      hn::Vec<decltype(ds)> w[R];
#pragma GCC unroll 3
      for (int r = 0; r < R; ++r) {
        int32_t four;
        std::memcpy(&four, weights + r * row + k + 4 * s, sizeof(four));
        w[r] = hn::BitCast(ds, hn::Set(d, four));
      }
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) {
        VI xv = hn::Load(d, reinterpret_cast<const int32_t*>(from) + v * n);
        InOrder(xv);
        hn::Vec<decltype(d16)> pairs[R];
#pragma GCC unroll 3
        for (int r = 0; r < R; ++r) {
          pairs[r] = hn::SatWidenMulPairwiseAdd(d16, hn::BitCast(du, xv), w[r]);
          InOrder(pairs[r]);
        }
#pragma GCC unroll 3
        for (int r = 0; r < R; ++r) {
          sum[r][v] = s == 0 ? pairs[r] : hn::Add(pairs[r], sum[r][v]);
          InOrder(sum[r][v]);
        }
      }
      from += 4 * stride;
    }
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) {
        acc[r][v] = AddPairs(sum[r][v], acc[r][v]);
        // Nor does each sum move to another register.
        InOrder(acc[r][v]);
      }
    }
  }
}

// Vectors of lanes of a block, by two outputs: their sums of 16 and of 32 bits fill 12 of 16
// registers. Two vectors have three outputs.
inline constexpr int kSevenBitVectors = 3;

// A layer whose input is a panel of 7 bits of one zero point:
//   y[j] = start[j] + weight_scale x_scale (sum of products - zero_point row_sum)
struct SevenBitLayer {
  Int8Weights weights;  // Rows of SevenBitRow(in).
  uint32_t in;
  uint32_t out;
  const float* start;  // [out], or null: zeros.
  const uint8_t* bytes;
  const float* x_scale;  // [lanes]
  int32_t zero_point;
};

// Outputs [j, j + R) of a layer for V vectors of lanes. x, x_scale and y: the first of the lanes.
template <int R, int V>
HWY_INLINE void RunSevenBitBlock(const SevenBitLayer& layer, size_t start_mask, size_t j,
                                 size_t row, const uint8_t* x, const float* x_scale,
                                 float* HWY_RESTRICT y, size_t stride) {
  const DF d;
  const DI di;
  constexpr size_t n = HWY_MAX_LANES_D(DF);
  const VI zero_point = hn::Set(di, -layer.zero_point);
  VI acc[R][V];
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r) {
    const VI zero = hn::Mul(hn::Set(di, layer.weights.row_sums[j + r]), zero_point);
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) acc[r][v] = zero;
  }
  AddSevenBitBlock<R, V>(layer.weights.data + j * row, row, x, stride, acc);
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r) {
    const VF begin = hn::Set(d, layer.start[(j + r) & start_mask]);
    const VF weight_scale = hn::Set(d, layer.weights.scales[j + r]);
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      const VF product = hn::Mul(hn::ConvertTo(d, acc[r][v]), hn::Load(d, x_scale + v * n));
      hn::Store(hn::MulAdd(product, weight_scale, begin), d, y + v * n);
    }
    y += stride;
  }
}

// All outputs for V vectors of lanes. The layer is given by value: what is reached through a
// reference is read again behind every store. Pointers move along: as few as possible, since there
// are hardly registers for them.
template <int V>
HWY_NOINLINE void RunSevenBitBlocks(SevenBitLayer layer, uint32_t lane, float* y, size_t stride) {
  constexpr uint32_t kOutputs = V == 2 ? 3 : 2;
  const size_t row = SevenBitRow(layer.in);
  const uint8_t* x = layer.bytes + size_t{lane} * 4;
  const float* x_scale = layer.x_scale + lane;
  // Without a branch in each block.
  static constexpr float kNone = 0;
  const size_t start_mask = layer.start != nullptr ? ~size_t{0} : 0;
  if (layer.start == nullptr) layer.start = &kNone;
  y += lane;
  uint32_t j = 0;
  for (; j + kOutputs <= layer.out; j += kOutputs) {
    RunSevenBitBlock<kOutputs, V>(layer, start_mask, j, row, x, x_scale, y, stride);
    y += kOutputs * stride;
  }
  for (; j < layer.out; ++j) {
    RunSevenBitBlock<1, V>(layer, start_mask, j, row, x, x_scale, y, stride);
    y += stride;
  }
}

HWY_INLINE void RunSevenBitLayer(const SevenBitLayer& layer, float* y, PanelShape shape) {
  ForEachVectorGroup<kSevenBitVectors>(shape.lanes, [&](uint32_t lane, auto vectors) HWY_ATTR {
    RunSevenBitBlocks<decltype(vectors)::value>(layer, lane, y, shape.stride);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_PANEL_SEVEN_BITS_INL_H_
