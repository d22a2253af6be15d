// How matrices of every type of storage are multiplied with panels, once for each instruction set
// (see panel_dense-inl.h about the guard).
#if defined(HANDPICK_SDK_KERNELS_PANEL_MATRIX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_PANEL_MATRIX_INL_H_
#undef HANDPICK_SDK_KERNELS_PANEL_MATRIX_INL_H_
#else
#define HANDPICK_SDK_KERNELS_PANEL_MATRIX_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "sdk/base/packer.h"
#include "sdk/kernels/half-inl.h"
#include "sdk/kernels/matrix.h"
#include "sdk/kernels/panel.h"
#include "sdk/kernels/panel_dense-inl.h"
#include "sdk/kernels/panel_quantize-inl.h"
#include "sdk/kernels/panel_seven_bits-inl.h"
#include "sdk/kernels/panel_words-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// How a processor multiplies a matrix.
enum class Way : uint8_t {
  kFloats,  // Weights that are stored otherwise become floats first.
  kWords,   // Int8 weights become 16 bits first, and the input whole numbers of up to 15 bits.
  kBytes,   // Int8 weights in place, and the input 8 bits.
  // Int8 weights so scaled that some products fit 16 bits, and the input 7 bits.
  kSevenBits,
};

// What int8 weights are multiplied with, for layers with outputs enough. AVX-512 with VNNI adds up
// four products of bytes in each lane in an instruction, four times what it does in floats. arm64
// does so with SDOT, and twice as many with SMMLA; with neither, six instructions do what eight do
// in floats. Elsewhere on x86, PMADDWD adds up two products of
// words: twice the floats' number, and more than products of bytes, which take two instructions and
// an unpacking. WebAssembly has the same instruction, and no fused multiply-add. armv7 has nothing
// that is quicker than its multiply-add of floats.
// A library without int8 layers has none of it.
#if HANDPICK_WITHOUT_INT8
inline constexpr Way kWayOfInt8 = Way::kFloats;
#elif (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL) || HWY_ARCH_ARM_A64
inline constexpr Way kWayOfInt8 = Way::kBytes;
#elif HWY_ARCH_X86 || HWY_ARCH_WASM
inline constexpr Way kWayOfInt8 = Way::kWords;
#else
inline constexpr Way kWayOfInt8 = Way::kFloats;
#endif
inline constexpr bool kTakesBytes = kWayOfInt8 == Way::kBytes;

// Products of 7 bits take half the instructions of those of words (panel_seven_bits-inl.h); what
// has no extremes to find, or is folded to bytes, is rounded to that. SSE4 could have them, too,
// but is rare, and its copy would be as large.
#if HWY_TARGET == HWY_AVX2 && !HANDPICK_WITHOUT_INT8
inline constexpr bool kTakesSevenBits = true;
#else
inline constexpr bool kTakesSevenBits = false;
#endif

// How near a sigmoid is that becomes bytes, or a gate of a state that does: rounding is off by
// more.
inline constexpr int kByteDegree = kTakesSevenBits ? kRough : kCoarse;

// Of fewer outputs, rounding the input costs more than is won.
inline constexpr uint32_t kLeastRoundedOutputs = 16;

// Of more inputs, sums of products of bytes could pass 31 bits.
inline constexpr uint32_t kMostRoundedInputs = 1 << 16;

HWY_INLINE Way WayOf(const Matrix& matrix) {
  const bool int8 = matrix.type == schema::ElementType::Int8PerRow;
  const bool rounded = matrix.out >= kLeastRoundedOutputs && matrix.in <= kMostRoundedInputs;
  return int8 && rounded ? kWayOfInt8 : Way::kFloats;
}

// The same of an input whose levels are known before it is: of a sigmoid, or between -1 and 1.
HWY_INLINE Way WayOfBounded(const Matrix& matrix) {
  const Way way = WayOf(matrix);
  return kTakesSevenBits && way == Way::kWords ? Way::kSevenBits : way;
}

HWY_INLINE bool IsWidened(const Matrix& matrix, Way way) {
  return way == Way::kFloats && matrix.type != schema::ElementType::Float32;
}

// Numbers as floats. from: of any alignment.
HWY_INLINE void WidenHalves(const uint16_t* from, size_t count, float* HWY_RESTRICT to) {
  const DF d;
  const DU16 du16;
  const size_t n = hn::Lanes(d);
  size_t i = 0;
  for (; i + n <= count; i += n) {
    hn::StoreU(WidenedHalves(hn::LoadU(du16, from + i)), d, to + i);
  }
  if (i < count) {
    hn::StoreN(WidenedHalves(hn::LoadN(du16, from + i, count - i)), d, to + i, count - i);
  }
}

// The same times `scale`.
HWY_INLINE void WidenBytes(const int8_t* HWY_RESTRICT from, float scale, size_t count,
                           float* HWY_RESTRICT to) {
  const DF d;
  const DI di;
  const hn::Rebind<int8_t, DF> d8;
  const size_t n = hn::Lanes(d);
  const VF factor = hn::Set(d, scale);
  size_t i = 0;
  for (; i + n <= count; i += n) {
    const VF q = hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, from + i)));
    hn::StoreU(hn::Mul(q, factor), d, to + i);
  }
  for (; i < count; ++i) to[i] = static_cast<float>(from[i]) * scale;
}

// Rows [first, first + count) of a Float16 or Int8PerRow matrix as floats; without gaps. Not
// inline, as the next: one copy for all that multiply.
inline HWY_NOINLINE void WidenRows(const Matrix& matrix, uint32_t first, uint32_t count,
                                   float* to) {
  const size_t in = matrix.in;
  if (matrix.type == schema::ElementType::Float16) {
    WidenHalves(static_cast<const uint16_t*>(matrix.data) + first * in, count * in, to);
    return;
  }
  const int8_t* rows = static_cast<const int8_t*>(matrix.data);
  for (uint32_t j = first; !HANDPICK_WITHOUT_INT8 && j < first + count; ++j, to += in) {
    WidenBytes(rows + j * in, matrix.scales[j], in, to);
  }
}

// Rows [first, first + count) of an Int8PerRow matrix as words, in rows of WordPairs(in).
inline HWY_NOINLINE void WidenRowsToWords(const Matrix& matrix, uint32_t first, uint32_t count,
                                          int16_t* to) {
  const int8_t* rows = static_cast<const int8_t*>(matrix.data) + size_t{first} * matrix.in;
  for (uint32_t j = 0; j < count; ++j) {
    WidenToWords(rows + size_t{j} * matrix.in, matrix.in, to + 2 * j * WordPairs(matrix.in));
  }
}

// Rows of an Int8PerRow matrix from `first` on.
HWY_INLINE Int8Weights Int8RowsOf(const Matrix& matrix, uint32_t first) {
  return {static_cast<const int8_t*>(matrix.data) + size_t{first} * matrix.in,
          matrix.scales + first, matrix.row_sums + first};
}

// Layers that are multiplied in several places with nothing put into their loops: one copy each.
// Sums stay as they are; `start`: [out], or null for zeros.
inline HWY_NOINLINE void FloatLayer(const float* weights, uint32_t in, uint32_t out,
                                    const float* start, const float* x, float* y,
                                    PanelShape shape) {
  DenseLayer(weights, in, out, Starts(start), x, y, shape,
             [](uint32_t, VF sum) HWY_ATTR { return sum; });
}

inline HWY_NOINLINE void PlainWordLayer(const int16_t* weights, const float* scales, size_t pairs,
                                        uint32_t out, const float* start, const int32_t* x,
                                        const float* x_scale, float* y, PanelShape shape) {
  WordLayer(
      weights, scales, pairs, out,
      [start](size_t j) HWY_ATTR { return start != nullptr ? start[j] : 0.0f; }, x, x_scale, y,
      shape, [](uint32_t, VF sum) HWY_ATTR { return sum; });
}

// A whole matrix, ready to be multiplied many times: what its way takes, or null.
struct ReadyMatrix {
  Way way;
  float* widened;
  int16_t* words;
  const float* floats;
  int8_t* fitted;  // Rows of SevenBitRow(in).
  float* scales;
  int32_t* row_sums;

  Int8Weights FittedRows(uint32_t first, uint32_t in) const {
    return {fitted + first * SevenBitRow(in), scales + first, row_sums + first};
  }
};

// Takes the memory that a matrix needs.
inline HWY_NOINLINE ReadyMatrix PlaceMatrix(const Matrix& matrix, Way way, Packer* packer) {
  const size_t numbers = IsWidened(matrix, way) ? size_t{matrix.out} * matrix.in : 0;
  ReadyMatrix ready = {};
  ready.way = way;
  packer->PlaceArray(&ready.widened, numbers);
  if constexpr (kWayOfInt8 == Way::kWords) {
    const size_t words = way == Way::kWords ? 2 * WordPairs(matrix.in) * matrix.out : 0;
    packer->PlaceArray(&ready.words, words);
  }
  if constexpr (kTakesSevenBits) {
    const uint32_t fitted = way == Way::kSevenBits ? matrix.out : 0;
    packer->PlaceArray(&ready.fitted, fitted * SevenBitRow(matrix.in));
    packer->PlaceArray(&ready.scales, fitted);
    packer->PlaceArray(&ready.row_sums, fitted);
  }
  return ready;
}

// Widens it, where its way takes something else than what is stored.
inline HWY_NOINLINE void ReadyUp(const Matrix& matrix, ReadyMatrix* ready) {
  if (kWayOfInt8 == Way::kWords && ready->way == Way::kWords) {
    WidenRowsToWords(matrix, 0, matrix.out, ready->words);
  } else if (kTakesSevenBits && ready->way == Way::kSevenBits) {
    const int8_t* rows = static_cast<const int8_t*>(matrix.data);
    for (uint32_t j = 0; j < matrix.out; ++j) {
      ready->scales[j] =
          matrix.scales[j] * FitSevenBitRow(rows + size_t{j} * matrix.in, matrix.in,
                                            ready->fitted + j * SevenBitRow(matrix.in),
                                            &ready->row_sums[j]);
    }
  } else if (IsWidened(matrix, ready->way)) {
    WidenRows(matrix, 0, matrix.out, ready->widened);
    ready->floats = ready->widened;
  } else if (ready->way == Way::kFloats) {
    ready->floats = static_cast<const float*>(matrix.data);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_PANEL_MATRIX_INL_H_
