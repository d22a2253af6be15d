// Products of 16 bits with panels, once for each instruction set (see panel_dense-inl.h about the
// guard). A panel of words: word w of feature c, lane l stands at [c / 2][l][c % 2], in rows of
// 4 * stride bytes; its value is scale[lane] * w.
#if defined(HANDPICK_SDK_KERNELS_PANEL_WORDS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_PANEL_WORDS_INL_H_
#undef HANDPICK_SDK_KERNELS_PANEL_WORDS_INL_H_
#else
#define HANDPICK_SDK_KERNELS_PANEL_WORDS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "sdk/kernels/panel.h"
#include "sdk/kernels/panel_dense-inl.h"
#include "sdk/kernels/panel_quantize-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Pairs of words of a row, the last filled up with a zero.
HWY_INLINE size_t WordPairs(uint32_t width) { return (size_t{width} + 1) / 2; }

// Levels on either side of 0 of the words of an input, so many that no sum of products with bytes
// passes 31 bits; even, so that half of them are whole.
HWY_INLINE float WordLevels(uint32_t width) {
  const uint32_t most = INT32_MAX / 128 / std::max(width, 1u);
  return static_cast<float>(std::min<uint32_t>(most, INT16_MAX) & ~1u);
}

// Added to a number of 16 bits, 1.5 * 2^23 leaves it rounded in the low ones.
inline constexpr float kRoundToWord = 12582912.0f;

// Vectors of lanes whose products are summed at a time: one fewer than of floats, since they are
// added in an instruction of their own.
inline constexpr int kWordVectors = 2;

// Writes f(c) (whole numbers of 16 bits plus kRoundToWord) of each feature c as words, for the
// vector of lanes from `lane` on.
template <typename F>
HWY_INLINE void StoreWords(uint32_t width, int32_t* words, size_t stride, uint32_t lane, F f) {
  const DI di;
  const VI low = hn::Set(di, 0xFFFF);
  const auto bits = [&](uint32_t c) HWY_ATTR { return hn::BitCast(di, f(c)); };
  int32_t* to = words + lane;
  uint32_t c = 0;
  for (; c + 2 <= width; c += 2, to += stride) {
    hn::Store(hn::Or(hn::And(bits(c), low), hn::ShiftLeft<16>(bits(c + 1))), di, to);
  }
  if (c < width) hn::Store(hn::And(bits(c), low), di, to);
}

// Rounds each lane to WordLevels on either side of 0. Of a lane that is not finite the scale is
// not.
HWY_INLINE void RoundToWords(const float* x, uint32_t width, int32_t* words, float* scales,
                             PanelShape shape) {
  const DF d;
  const DI di;
  const size_t n = hn::Lanes(d);
  const size_t stride = shape.stride;
  const float levels = WordLevels(width);
  const VF round = hn::Set(d, kRoundToWord);
  const VI low = hn::Set(di, 0xFFFF);
  // A few vectors at a time, so that memory is walked along.
  ForEachVectorGroup<3>(shape.lanes, [&](uint32_t lane, auto vectors) HWY_ATTR {
    constexpr int V = decltype(vectors)::value;
    const float* from = x + lane;
    VI most[V];
    for (int v = 0; v < V; ++v) most[v] = hn::Zero(di);
    for (uint32_t c = 0; c < width; ++c) {
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) {
        most[v] = hn::Max(most[v], SizeBits(hn::Load(d, from + c * stride + v * n)));
      }
    }
    VF inverse[V];
    for (int v = 0; v < V; ++v) {
      const VF scale = ScaleOf(hn::BitCast(d, most[v]), levels);
      inverse[v] = hn::Div(hn::Set(d, 1.0f), scale);
      hn::Store(scale, d, scales + lane + v * n);
    }
    int32_t* to = words + lane;
    const auto bits = [&](uint32_t c, int v) HWY_ATTR {
      return hn::BitCast(di, hn::MulAdd(hn::Load(d, from + c * stride + v * n), inverse[v], round));
    };
    uint32_t c = 0;
    for (; c + 2 <= width; c += 2, to += stride) {
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) {
        const VI pair = hn::Or(hn::And(bits(c, v), low), hn::ShiftLeft<16>(bits(c + 1, v)));
        hn::Store(pair, di, to + v * n);
      }
    }
    for (int v = 0; c < width && v < V; ++v) hn::Store(hn::And(bits(c, v), low), di, to + v * n);
  });
}

// Bytes as words, in pairs.
HWY_INLINE void WidenToWords(const int8_t* HWY_RESTRICT from, size_t count,
                             int16_t* HWY_RESTRICT to) {
  const hn::CappedTag<int16_t, 32> d;
  const hn::Rebind<int8_t, decltype(d)> d8;
  const size_t n = hn::Lanes(d);
  size_t i = 0;
  for (; i + n <= count; i += n) {
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(d8, from + i)), d, to + i);
  }
  for (; i < count; ++i) to[i] = from[i];
  if (count % 2 != 0) to[count] = 0;
}

// acc[r][v] += sum over k of weights[r][k] * word[k][v], `pairs` pairs each.
template <int R, int V, typename Turn>
HWY_INLINE void AddWordBlock(const int16_t* HWY_RESTRICT weights, size_t pairs,
                             const int32_t* HWY_RESTRICT x, size_t stride, VI (&acc)[R][V],
                             Turn turn) {
  const DI d;
  const hn::Repartition<int16_t, DI> d16;
  const size_t n = hn::Lanes(d);
  for (size_t k = 0; k < pairs;) {
    turn();
    const size_t end = NextTurn<Turn>(k, pairs);
    for (; k < end; ++k) {
      hn::Vec<decltype(d16)> xv[V];
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) xv[v] = hn::BitCast(d16, hn::Load(d, x + k * stride + v * n));
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        int32_t two;
        std::memcpy(&two, weights + 2 * (r * pairs + k), sizeof(two));
        const auto weight = hn::BitCast(d16, hn::Set(d, two));
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) {
          acc[r][v] = hn::Add(acc[r][v], hn::WidenMulPairwiseAdd(d, xv[v], weight));
        }
      }
    }
  }
}

// y[j] = finish(j, start(j) + weights[j] x). weights: rows of `pairs` pairs of words, scales [out].
template <typename Start, typename Finish, typename Turn = NoTurn>
HWY_INLINE void WordLayer(const int16_t* weights, const float* scales, size_t pairs, uint32_t out,
                          Start start, const int32_t* x, const float* x_scale, float* y,
                          PanelShape shape, Finish finish, Turn turn = Turn()) {
  const DF d;
  const size_t n = hn::Lanes(d);
  const size_t stride = shape.stride;
  ForEachVectorGroup<kWordVectors>(shape.lanes, [&](uint32_t lane, auto vectors) HANDPICK_APART {
    constexpr int V = decltype(vectors)::value;
    ForEachOutputBlock(out, [&](uint32_t j, auto outputs) HWY_ATTR {
      constexpr int R = decltype(outputs)::value;
      VI acc[R][V];
      for (int r = 0; r < R; ++r) {
        for (int v = 0; v < V; ++v) acc[r][v] = hn::Zero(DI());
      }
      AddWordBlock<R, V>(weights + 2 * j * pairs, pairs, x + lane, stride, acc, turn);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const VF begin = hn::Set(d, start(j + r));
        const VF weight_scale = hn::Set(d, scales[j + r]);
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) {
          const VF product =
              hn::Mul(hn::ConvertTo(d, acc[r][v]), hn::Load(d, x_scale + lane + v * n));
          hn::Store(finish(j + r, hn::MulAdd(product, weight_scale, begin)), d,
                    y + (j + r) * stride + lane + v * n);
        }
      }
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_PANEL_WORDS_INL_H_
