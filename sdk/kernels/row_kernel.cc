#include "sdk/kernels/row_kernel.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/row_kernel.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/half-inl.h"
#include "sdk/kernels/simd_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Loads of the last numbers of a row are some branches where no instruction takes a mask: one copy
// of these instead of one for each row of a block.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define HANDPICK_OF_TAIL HWY_INLINE
#else
#define HANDPICK_OF_TAIL HWY_NOINLINE
#endif

// Weights as floats, a vector at a time; `valid`: so many, then zeros.
HWY_INLINE VF LoadWeights(const float* from) { return hn::LoadU(DF(), from); }
HANDPICK_OF_TAIL VF LoadWeights(const float* from, size_t valid) {
  return hn::LoadN(DF(), from, valid);
}

HWY_INLINE VF LoadWeights(const uint16_t* from) { return WidenedHalves(hn::LoadU(DU16(), from)); }
HANDPICK_OF_TAIL VF LoadWeights(const uint16_t* from, size_t valid) {
  return WidenedHalves(hn::LoadN(DU16(), from, valid));
}

using D4 = hn::FixedTag<float, 4>;

// The sum of a vector's blocks of four.
template <class D>
HWY_INLINE hn::Vec<D4> SumOfBlocks([[maybe_unused]] D d, hn::Vec<D> x) {
  if constexpr (HWY_MAX_LANES_D(D) > 4) {
    const hn::Half<D> half;
    return SumOfBlocks(half, hn::Add(hn::LowerHalf(half, x), hn::UpperHalf(half, x)));
  } else {
    return x;
  }
}

// {sum of a, sum of b, sum of c, sum of d}.
HWY_INLINE hn::Vec<D4> Sums(VF a, VF b, VF c, VF d) {
  const DF df;
  const hn::Repartition<uint64_t, DF> d64;
  // In each block {a0 + a2, b0 + b2, a1 + a3, b1 + b3}, then {a0 + a2, b0 + b2, c0 + c2, d0 + d2}
  // and the same of the odd ones.
  const auto ab =
      hn::BitCast(d64, hn::Add(hn::InterleaveLower(df, a, b), hn::InterleaveUpper(df, a, b)));
  const auto cd =
      hn::BitCast(d64, hn::Add(hn::InterleaveLower(df, c, d), hn::InterleaveUpper(df, c, d)));
  return SumOfBlocks(df, hn::Add(hn::BitCast(df, hn::InterleaveLower(d64, ab, cd)),
                                 hn::BitCast(df, hn::InterleaveUpper(d64, ab, cd))));
}

// Rows [first, first + kRows) of weights from column `begin` on; those behind the last are the last
// one again.
template <size_t kRows, typename Weight>
HWY_INLINE void PointToRows(const DenseWeights& weights, uint32_t first, uint32_t begin,
                            const Weight* HWY_RESTRICT (&rows)[kRows]) {
  const size_t left = weights.output_width - first;
  for (size_t r = 0; r < kRows; ++r) {
    const size_t row = first + (r < left ? r : left - 1);
    rows[r] = static_cast<const Weight*>(weights.data) + row * weights.input_width + begin;
  }
}

// y[j] = bias[j] + factor * scales[j] * sum (without scales: + sum), or, where `add`, y[j] + that,
// for outputs from `first` on; those behind the last are left out.
template <size_t kRows>
HWY_INLINE void StoreSums(const DenseWeights& weights, uint32_t first, float factor, bool add,
                          const VF (&sums)[kRows], float* HWY_RESTRICT y) {
  const D4 d;
  const size_t left = weights.output_width - first;
  for (size_t r = 0; r < kRows && r < left; r += 4) {
    const size_t valid = left - r < 4 ? left - r : 4;
    const size_t j = first + r;
    hn::Vec<D4> sum = Sums(sums[r], sums[r + 1], sums[r + 2], sums[r + 3]);
    if (weights.scales != nullptr) {
      sum = hn::Mul(sum, hn::Mul(hn::Set(d, factor), hn::LoadN(d, weights.scales + j, valid)));
    }
    const float* before = add ? y : weights.bias;
    if (before != nullptr) sum = hn::Add(sum, hn::LoadN(d, before + j, valid));
    hn::StoreN(sum, d, y + j, valid);
  }
}

// Calls f(kRows, first) for all outputs, eight at a time: as many sums as hide the latency of an
// addition.
template <typename F>
HWY_INLINE void ForEachOutputs(uint32_t outputs, F f) {
  uint32_t first = 0;
  for (; first + 4 < outputs; first += 8) f(std::integral_constant<size_t, 8>(), first);
  if (first < outputs) f(std::integral_constant<size_t, 4>(), first);
}

template <typename Weight>
HWY_NOINLINE void MultiplyFloats(const DenseWeights& weights, const float* HWY_RESTRICT x,
                                 float* HWY_RESTRICT y) {
  const DF d;
  const size_t n = hn::Lanes(d);
  const size_t in = weights.input_width;
  ForEachOutputs(weights.output_width, [&](auto rows_at_a_time, uint32_t first) HWY_ATTR {
    constexpr size_t kRows = decltype(rows_at_a_time)::value;
    const Weight* HWY_RESTRICT rows[kRows];
    PointToRows(weights, first, 0, rows);
    VF sums[kRows];
    for (VF& sum : sums) sum = hn::Zero(d);
    size_t k = 0;
    for (; k + n <= in; k += n) {
      const VF of_x = hn::LoadU(d, x + k);
      for (size_t r = 0; r < kRows; ++r) {
        sums[r] = hn::MulAdd(LoadWeights(rows[r] + k), of_x, sums[r]);
      }
    }
    if (k < in) {
      const VF of_x = hn::LoadN(d, x + k, in - k);
      for (size_t r = 0; r < kRows; ++r) {
        sums[r] = hn::MulAdd(LoadWeights(rows[r] + k, in - k), of_x, sums[r]);
      }
    }
    StoreSums(weights, first, 1, false, sums, y);
  });
}

#if !HANDPICK_WITHOUT_INT8
// Int8 weights meet the row in 16 bits: one instruction takes twice as many products as in floats,
// and none widens weights to 32 bits.
using D16 = hn::Repartition<int16_t, DI>;
using D8 = hn::Rebind<int8_t, D16>;

HWY_INLINE hn::Vec<D16> LoadWeights(const int8_t* from) {
  return hn::PromoteTo(D16(), hn::LoadU(D8(), from));
}
HANDPICK_OF_TAIL hn::Vec<D16> LoadWeights(const int8_t* from, size_t valid) {
  return hn::PromoteTo(D16(), hn::LoadN(D8(), from, valid));
}

// Inputs at a time: so many products in four lanes, of at most 128 * 32768 each, fit into 32 bits.
constexpr uint32_t kChunk = 1024;
static_assert(kChunk / 4 * 128 * 32768ull < (1ull << 31), "sums do not overflow");

// to[i] = x[i] in steps of the returned size, 2^-15 of the largest number's; `to` is filled up to
// whole vectors of D16 with zeros. A row that is not finite makes the step NaN.
HWY_INLINE float RoundTo16Bits(const float* HWY_RESTRICT x, size_t count,
                               int16_t* HWY_RESTRICT to) {
  constexpr float kLevels = 32767;
  // Below, numbers are as good as 0.
  constexpr float kSmallest = 1e-30f;
  const DF d;
  const hn::Rebind<int16_t, DF> d16;
  const size_t n = hn::Lanes(d);
  const auto load = [&](size_t i) HWY_ATTR {
    return i + n <= count ? hn::LoadU(d, x + i) : hn::LoadN(d, x + i, count - i);
  };
  VF most = hn::Zero(d);
  VF poison = hn::Zero(d);  // 0 times each number: NaN if one is not finite.
  for (size_t i = 0; i < count; i += n) {
    most = hn::Max(most, hn::Abs(load(i)));
    poison = hn::MulAdd(load(i), hn::Zero(d), poison);
  }
  const float largest = hn::ReduceMax(d, most);
  const VF inverse = hn::Set(d, largest > kSmallest ? kLevels / largest : 0.0f);
  size_t i = 0;
  for (; i < count; i += n) {
    hn::StoreU(hn::DemoteTo(d16, hn::NearestInt(hn::Mul(load(i), inverse))), d16, to + i);
  }
  if (i % hn::Lanes(D16()) != 0) hn::StoreU(hn::Zero(d16), d16, to + i);
  return largest / kLevels + hn::ReduceSum(d, poison);
}

HWY_NOINLINE void MultiplyInt8(const DenseWeights& weights, const float* HWY_RESTRICT x,
                               float* HWY_RESTRICT y) {
  const DF d;
  const DI di;
  const D16 d16;
  const size_t n = hn::Lanes(d16);
  HWY_ALIGN int16_t rounded[kChunk];
  for (uint32_t begin = 0; begin < weights.input_width; begin += kChunk) {
    const uint32_t left = weights.input_width - begin;
    const size_t in = left < kChunk ? left : kChunk;
    const float step = RoundTo16Bits(x + begin, in, rounded);
    ForEachOutputs(weights.output_width, [&](auto rows_at_a_time, uint32_t first) HWY_ATTR {
      constexpr size_t kRows = decltype(rows_at_a_time)::value;
      const int8_t* HWY_RESTRICT rows[kRows];
      PointToRows(weights, first, begin, rows);
      hn::Vec<DI> products[kRows], others[kRows];
      for (size_t r = 0; r < kRows; ++r) products[r] = others[r] = hn::Zero(di);
      const auto take = [&](size_t k, auto load) HWY_ATTR {
        const auto of_x = hn::Load(d16, rounded + k);
        for (size_t r = 0; r < kRows; ++r) {
          products[r] =
              hn::ReorderWidenMulAccumulate(di, load(rows[r] + k), of_x, products[r], others[r]);
        }
      };
      size_t k = 0;
      for (; k + n <= in; k += n) {
        take(k, [&](const int8_t* from) HWY_ATTR { return LoadWeights(from); });
      }
      if (k < in) {
        take(k, [&](const int8_t* from) HWY_ATTR { return LoadWeights(from, in - k); });
      }
      VF sums[kRows];
      for (size_t r = 0; r < kRows; ++r) {
        sums[r] = hn::ConvertTo(d, hn::Add(products[r], others[r]));
      }
      StoreSums(weights, first, step, begin != 0, sums, y);
    });
  }
}

#endif  // !HANDPICK_WITHOUT_INT8

#undef HANDPICK_OF_TAIL

void MultiplyRow(const DenseWeights& weights, const float* x, float* y) {
  switch (weights.type) {
#if !HANDPICK_WITHOUT_INT8
    case schema::ElementType::Int8PerRow:
      return MultiplyInt8(weights, x, y);
#endif
    case schema::ElementType::Float16:
      return MultiplyFloats<uint16_t>(weights, x, y);
    default:
      return MultiplyFloats<float>(weights, x, y);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(MultiplyRow);

void MultiplyRow(const DenseWeights& weights, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(MultiplyRow)(weights, x, y);
}

}  // namespace handpick
#endif  // HWY_ONCE
