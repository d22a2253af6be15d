#include "sdk/kernels/attention_unit.h"

#include <algorithm>
#include <utility>

#include "sdk/base/packer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/attention_unit.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/panel_activate-inl.h"
#include "sdk/kernels/panel_dense-inl.h"
#include "sdk/kernels/panel_matrix-inl.h"
#include "sdk/kernels/panel_quantize-inl.h"
#include "sdk/kernels/panel_seven_bits-inl.h"
#include "sdk/kernels/panel_words-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

// Where an activation unit works. What a choice of the processor does not need is null.
struct UnitWork {
  ReadyMatrix query;
  ReadyMatrix product;
  ReadyMatrix* layers;
  char* fold;            // An event's folded matrix, where none are kept.
  uint8_t* query_bytes;  // [panels] of Int8PanelBytes
  float* query_scale;    // [panels][stride]
  float* first;          // What the first layer makes: a panel of the widest layer.
  float* other;          // One more.
  float* packed_scores;  // [stride]
  int32_t* rounded;      // A panel as words or bytes.
  float* scale;          // [stride]
  float* zero_point;
};

// The query and the folded matrix as bytes.
inline constexpr bool kMayFoldInt8 = kTakesSevenBits || kTakesBytes;
bool FoldsInt8(const AttentionUnitWeights& weights) {
  return kMayFoldInt8 && weights.fold_int8 && weights.query.in <= kMostRoundedInputs;
}

// What the larger of each lane's two sides is rounded to.
inline constexpr float kQueryLevels = kTakesSevenBits ? kSevenBitLevels : 127;

HWY_INLINE size_t FoldRow(uint32_t query_width) {
  return kTakesSevenBits ? SevenBitRow(query_width) : query_width;
}

// A folded matrix: [first width, query width] numbers or, rounded, [first width] rows of
// FoldRow(query width) bytes, and behind them the scale and the sum of each row.
struct FoldLayout {
  explicit FoldLayout(const AttentionUnitWeights& weights) : int8(FoldsInt8(weights)) {
    const uint64_t rows = weights.query.out;
    const uint64_t width = weights.query.in;
    Packer packer;
    packer.Place(rows, int8 ? FoldRow(weights.query.in) : width * sizeof(float));
    scales = packer.Place(int8 ? rows : 0, sizeof(float));
    sums = packer.Place(int8 ? rows : 0, sizeof(int32_t));
    bytes = packer.bytes();
  }

  Int8Weights Rounded(const char* fold) const {
    return {reinterpret_cast<const int8_t*>(fold), reinterpret_cast<const float*>(fold + scales),
            reinterpret_cast<const int32_t*>(fold + sums)};
  }

  bool int8;
  size_t scales;
  size_t sums;
  size_t bytes;
};

// How a layer is multiplied, behind an activation.
Way WayOfLayer(const Matrix& matrix, const Activation& activation) {
  return activation.kind == schema::ActivationKind::Sigmoid ? WayOfBounded(matrix) : WayOf(matrix);
}

// Features of a panel of bytes or, half of them, of words.
HWY_INLINE size_t RoundedWidth(uint32_t width, Way way) {
  if (way == Way::kFloats) return 0;
  return way == Way::kSevenBits ? SevenBitRow(width) : 4 * WordPairs(width);
}

// Bytes of a panel of the query.
HWY_INLINE size_t QueryBytes(uint32_t query_width, uint32_t stride) {
  return Int8PanelBytes(static_cast<uint32_t>(FoldRow(query_width)), stride);
}

// Places everything from `base` (null: nowhere) on and returns the bytes that it takes.
size_t PlaceUnitWork(const AttentionUnitWeights& weights, uint32_t stride, uint32_t panels,
                     char* base, UnitWork* work) {
  Packer packer(base);
  const uint32_t query_width = weights.query.in;
  const uint32_t first_width = weights.query.out;
  work->query = PlaceMatrix(weights.query, Way::kFloats, &packer);
  work->product = PlaceMatrix(weights.product, Way::kFloats, &packer);
  packer.PlaceArray(&work->layers, weights.layer_count);
  uint32_t widest = first_width;
  size_t rounded = 0;
  const Activation* activation = weights.first_activation;
  for (uint32_t i = 0; i < weights.layer_count; ++i) {
    const Matrix& matrix = weights.layers[i].matrix;
    const ReadyMatrix ready = PlaceMatrix(matrix, WayOfLayer(matrix, *activation), &packer);
    if (base != nullptr) work->layers[i] = ready;
    rounded = std::max(rounded, RoundedWidth(matrix.in, ready.way));
    widest = std::max(widest, matrix.out);
    activation = weights.layers[i].activation;
  }
  const FoldLayout fold(weights);
  packer.PlaceArray(&work->fold, fold.bytes);
  const size_t query_panels = fold.int8 ? panels : 0;
  packer.PlaceArray(&work->query_bytes, query_panels * QueryBytes(query_width, stride));
  packer.PlaceArray(&work->query_scale, query_panels * stride);
  packer.PlaceArray(&work->first, size_t{widest} * stride);
  packer.PlaceArray(&work->other, size_t{widest} * stride);
  packer.PlaceArray(&work->packed_scores, stride);
  packer.PlaceArray(&work->rounded, rounded / 4 * stride);
  packer.PlaceArray(&work->scale, stride);
  packer.PlaceArray(&work->zero_point, stride);
  return packer.bytes();
}

// A sigmoid is in [0, 1]: its bytes need no extremes. With 254 levels 1/2 is one of them.
inline constexpr int kSigmoidLevels = 254;

// What is folded: [rows, width] each.
struct FoldWeights {
  uint32_t rows;
  uint32_t width;
  const float* query;
  const float* product;
};

// folded[j][k] = query[j][k] + product[j][k] key[k].
void Fold(const FoldWeights& weights, const float* HWY_RESTRICT key, float* HWY_RESTRICT folded) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const uint32_t width = weights.width;
  for (uint32_t j = 0; j < weights.rows; ++j) {
    const float* HWY_RESTRICT query = weights.query + size_t{j} * width;
    const float* HWY_RESTRICT product = weights.product + size_t{j} * width;
    float* HWY_RESTRICT to = folded + size_t{j} * width;
    uint32_t k = 0;
    constexpr int N = kVectorsTogether;
    for (; k + N * n <= width; k += N * n) {
      VF sums[N], factors[N], of_key[N];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        sums[i] = hn::LoadU(d, query + k + i * n);
        factors[i] = hn::LoadU(d, product + k + i * n);
        of_key[i] = hn::LoadU(d, key + k + i * n);
        LoadsApart();
      }
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) sums[i] = hn::MulAdd(factors[i], of_key[i], sums[i]);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) hn::StoreU(sums[i], d, to + k + i * n);
    }
#if HWY_COMPILER_CLANG
#pragma clang loop vectorize(disable) unroll(disable)
#endif
    for (; k < width; ++k) to[k] = query[k] + product[k] * key[k];
  }
}

// Calls whole(k) for vectors of a row from `k` on, part(k) for the numbers behind them.
template <typename Whole, typename Part>
HWY_INLINE void ForEachNumber(uint32_t k, uint32_t width, Whole whole, Part part) {
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(DF()));
  for (; k + n <= width; k += n) whole(k);
#if HWY_COMPILER_CLANG
#pragma clang loop vectorize(disable) unroll(disable)
#endif
  for (; k < width; ++k) part(k);
}

// Of the sizes of the numbers of a row: vectors(k, x) makes those from k on, as many vectors as x
// has, number(k) is one.
template <typename Vectors, typename Number>
HWY_INLINE float LargestOfRow(uint32_t width, Vectors vectors, Number number) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  constexpr int N = kVectorsTogether;
  VF sizes[N];
  for (int i = 0; i < N; ++i) sizes[i] = hn::Zero(d);
  uint32_t begin = 0;
  for (; begin + N * n <= width; begin += N * n) {
    VF x[N];
    vectors(begin, x);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) x[i] = hn::Abs(x[i]);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) sizes[i] = hn::Max(sizes[i], x[i]);
  }
  VF most_vector = sizes[0];
  for (int i = 1; i < N; ++i) most_vector = hn::Max(most_vector, sizes[i]);
  float most = 0;
  ForEachNumber(
      begin, width,
      [&](uint32_t k) HWY_ATTR {
        VF x[1];
        vectors(k, x);
        most_vector = hn::Max(most_vector, hn::Abs(x[0]));
      },
      [&](uint32_t k) HWY_ATTR {
        const float x = number(k);
        const float size = x < 0 ? -x : x;
        most = size > most ? size : most;
      });
  const float vector_most = hn::ReduceMax(d, most_vector);
  return vector_most > most ? vector_most : most;
}

#if HWY_ARCH_ARM_A64
// The bytes of whole numbers from -128 to 127 plus kRoundToByte + kByteOffset, in the order of the
// vectors.
HWY_INLINE int8x16_t LowBytes(const VF (&x)[4]) {
  const auto low = [](VF a, VF b) HWY_ATTR {
    return vuzp1q_s16(vreinterpretq_s16_f32(a.raw), vreinterpretq_s16_f32(b.raw));
  };
  return vuzp1q_s8(vreinterpretq_s8_s16(low(x[0], x[1])), vreinterpretq_s8_s16(low(x[2], x[3])));
}
#endif

#if HWY_TARGET == HWY_AVX2
// Numbers of 8 bits, in the order of the vectors: one by one, each takes five instructions.
HWY_INLINE hn::Vec<hn::Repartition<int8_t, DI>> PackWhole(VI a, VI b, VI c, VI e) {
  const DI di;
  const hn::Repartition<int16_t, DI> d16;
  const hn::Repartition<int8_t, DI> d8;
  // Each of these leaves the halves of a register side by side.
  const auto packed =
      hn::ReorderDemote2To(d8, hn::ReorderDemote2To(d16, a, b), hn::ReorderDemote2To(d16, c, e));
  alignas(32) static constexpr int32_t kOrder[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  return hn::BitCast(
      d8, hn::TableLookupLanes(hn::BitCast(di, packed), hn::SetTableIndices(di, kOrder)));
}
#endif

// The folded matrix as int8 with a scale per output. Each number is made twice, for the largest of
// its row and to be rounded: in between, the scales of all rows are made at once, so that no row
// waits for its own.
[[maybe_unused]] void FoldInt8(const FoldWeights& of, const float* HWY_RESTRICT key,
                               int8_t* HWY_RESTRICT folded, float* HWY_RESTRICT scales,
                               int32_t* HWY_RESTRICT row_sums) {
  const DF d;
  const DI di;
  const hn::Rebind<int8_t, DF> d8;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const FoldWeights weights = of;  // Behind a pointer it would be read again between loads.
  const uint32_t width = weights.width;
  const uint32_t rows = weights.rows;
  const auto vector = [&](uint32_t j, uint32_t k) HWY_ATTR {
    const size_t at = size_t{j} * width + k;
    return hn::MulAdd(hn::LoadU(d, weights.product + at), hn::LoadU(d, key + k),
                      hn::LoadU(d, weights.query + at));
  };
  [[maybe_unused]] const auto vectors = [&](uint32_t j, uint32_t k, auto& x) HWY_ATTR {
    constexpr int N = sizeof(x) / sizeof(VF);
    const size_t at = size_t{j} * width + k;
    VF product[N], of_key[N];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      x[i] = hn::LoadU(d, weights.query + at + i * n);
      product[i] = hn::LoadU(d, weights.product + at + i * n);
      of_key[i] = hn::LoadU(d, key + k + i * n);
      LoadsApart();
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) x[i] = hn::MulAdd(product[i], of_key[i], x[i]);
  };
  const auto number = [&](uint32_t j, uint32_t k) HWY_ATTR {
    const size_t at = size_t{j} * width + k;
    return weights.query[at] + weights.product[at] * key[k];
  };
  for (uint32_t j = 0; j < rows; ++j) {
    const auto row_number = [&](uint32_t k) HWY_ATTR { return number(j, k); };
    if constexpr (kTakesSevenBits) {
      const auto row_vector = [&](uint32_t k) HWY_ATTR { return vector(j, k); };
      scales[j] = MostOfSevenBitRow(width, row_vector, row_number);
    } else {
      const auto row_vectors = [&](uint32_t k, auto& x) HWY_ATTR { vectors(j, k, x); };
      scales[j] = LargestOfRow(width, row_vectors, row_number);
    }
  }
  const auto scale_of = [d](VF most) HWY_ATTR {
    return hn::IfThenElse(hn::Gt(most, hn::Zero(d)), hn::Div(most, hn::Set(d, 127.0f)),
                          hn::Set(d, 1.0f));
  };
  for (uint32_t j = 0; j < rows; j += n) {
    const uint32_t valid = rows - j < n ? rows - j : n;
    hn::StoreN(scale_of(hn::LoadN(d, scales + j, valid)), d, scales + j, valid);
  }
  for (uint32_t j = 0; j < rows; ++j) {
    int8_t* HWY_RESTRICT to = folded + j * FoldRow(width);
    const float inverse = 1.0f / scales[j];
    const VF inverse_vector = hn::Set(d, inverse);
    VI sum_vector = hn::Zero(di);
    // Weights of a file that changes under the model may be no numbers: sums wrap around.
    uint32_t sum = 0;
    uint32_t begin = 0;
    const auto rounded = [&](uint32_t k) HWY_ATTR {
      const VI q = hn::NearestInt(hn::Mul(vector(j, k), inverse_vector));
      sum_vector = hn::Add(sum_vector, q);
      return q;
    };
#if HWY_ARCH_ARM_A64
    for (; begin + 4 * n <= width; begin += 4 * n) {
      VF x[4];
      vectors(j, begin, x);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) x[i] = hn::Mul(x[i], inverse_vector);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) x[i] = hn::Add(x[i], hn::Set(d, kRoundToByte + kByteOffset));
      const int8x16_t bytes = LowBytes(x);
      sum_vector.raw = vpadalq_s16(sum_vector.raw, vpaddlq_s8(bytes));
      vst1q_s8(to + begin, bytes);
    }
#elif HWY_TARGET == HWY_AVX2
    for (; begin + 4 * n <= width; begin += 4 * n) {
      hn::StoreU(PackWhole(rounded(begin), rounded(begin + n), rounded(begin + 2 * n),
                           rounded(begin + 3 * n)),
                 hn::Repartition<int8_t, DI>(), to + begin);
    }
#endif
    ForEachNumber(
        begin, width,
        [&](uint32_t k) HWY_ATTR { hn::StoreU(hn::DemoteTo(d8, rounded(k)), d8, to + k); },
        [&](uint32_t k) HWY_ATTR {
          const float any = number(j, k) * inverse;
          const float level = any > -127.0f ? (any < 127.0f ? any : 127.0f) : -127.0f;
          const int32_t q = static_cast<int32_t>(level + (level < 0 ? -0.5f : 0.5f));
          sum += static_cast<uint32_t>(q);
          to[k] = static_cast<int8_t>(q);
        });
    std::fill(to + width, to + FoldRow(width), int8_t{0});
    row_sums[j] = static_cast<int32_t>(sum + static_cast<uint32_t>(hn::ReduceSum(di, sum_vector)));
  }
}

// Calls store(lane, f) with f(c) = level(sigmoid(x[c]) - 1/2) for each vector of lanes, and writes
// what one level is worth: no number in lanes that have none.
template <typename Level, typename Store>
HWY_INLINE void SigmoidToLevels(const float* x, float levels, float* scale, PanelShape shape,
                                Level level, Store store) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    VF sum = hn::Zero(d);
    store(lane, [&](uint32_t c) HWY_ATTR {
      const VF s = level(hn::Load(d, x + size_t{c} * shape.stride + lane));
      sum = hn::Add(sum, s);
      return s;
    });
    hn::Store(hn::Add(hn::Set(d, 1 / levels), hn::Sub(sum, sum)), d, scale + lane);
  }
}

// Bytes of sigmoid(x), of as many levels, for a layer of int8 weights that follows.
#if HWY_ARCH_ARM_A64
// Four features of a vector of lanes at a time: each begins before the one ahead of it is finished.
[[maybe_unused]] void SigmoidToBytes(const float* x, uint32_t width, const UnitWork& work,
                                     PanelShape shape) {
  const DF d;
  const DI di;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const size_t stride = shape.stride;
  constexpr int N = 4;
  static constexpr FourTimes kOffset{kSigmoidLevels / 2 + kRoundToByte};
  const Sigmoids<kByteDegree, kSigmoidLevels> sigmoids;
  const auto load = [=](const float* from, VF(&to)[N]) HWY_ATTR {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) to[i] = hn::Load(d, from + i * stride);
  };
  const uint32_t whole = width / N * N;
  VF s[N], q[N];
  for (int i = 0; i < N; ++i) s[i] = q[i] = hn::Zero(d);
  if (whole != 0) {
    load(x, s);
    sigmoids.Start(s, q);
  }
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    int32_t* to = work.rounded + lane;
    const float* from = x + lane;
    VF sum = hn::Zero(d);
    for (uint32_t c = 0; c < whole; c += N) {
      from += N * stride;
      // Behind the last features those of the next lanes, and behind the last lanes any.
      const float* after = lane + n < shape.lanes ? x + lane + n : x;
      VF next[N];
      load(c + N < whole ? from : after, next);
      sigmoids.FinishPlus(s, q, kOffset);
      sum = hn::Add(sum, hn::Add(hn::Add(s[0], s[1]), hn::Add(s[2], s[3])));
      hn::Store(PackBytes(s[0], s[1], s[2], s[3]), di, to);
      to += stride;
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) s[i] = next[i];
      sigmoids.Start(s, q);
    }
    if (whole != width) {
      VF rest[N], rest_q[N];
      for (uint32_t i = 0; i < N; ++i) {
        // Bytes behind the last feature meet weights that are zero.
        rest[i] = hn::Load(d, x + std::min(whole + i, width - 1) * stride + lane);
      }
      sigmoids.Start(rest, rest_q);
      sigmoids.FinishPlus(rest, rest_q, kOffset);
      sum = hn::Add(sum, hn::Add(hn::Add(rest[0], rest[1]), hn::Add(rest[2], rest[3])));
      hn::Store(PackBytes(rest[0], rest[1], rest[2], rest[3]), di, to);
    }
    const VF level = hn::Set(d, 1.0f / kSigmoidLevels);
    hn::Store(hn::Add(level, hn::Sub(sum, sum)), d, work.scale + lane);
  }
}
#else
[[maybe_unused]] void SigmoidToBytes(const float* x, uint32_t width, const UnitWork& work,
                                     PanelShape shape) {
  const DF d;
  constexpr float kLevels = kTakesSevenBits ? kSevenBitSigmoidLevels : kSigmoidLevels;
  const VF levels = hn::Set(d, kLevels);
  const VF half = hn::Set(d, kLevels / 2 + kRoundToByte);
  SigmoidToLevels(
      x, kLevels, work.scale, shape,
      [&](VF v) HWY_ATTR {
        if constexpr (kTakesSevenBits) {
          return hn::Add(RoughSigmoidTimes<static_cast<int>(kSevenBitSigmoidLevels)>(v), half);
        } else {
          return hn::MulAdd(CenteredSigmoid<kByteDegree>(v), levels, half);
        }
      },
      [&](uint32_t lane, auto f) HWY_ATTR {
        StoreBytes(width, reinterpret_cast<uint8_t*>(work.rounded), shape.stride, lane, f);
      });
}
#endif

// The same as words.
[[maybe_unused]] void SigmoidToWords(const float* x, uint32_t width, const UnitWork& work,
                                     PanelShape shape) {
  const DF d;
  const float most = WordLevels(width);
  const VF levels = hn::Set(d, most);
  const VF half = hn::Set(d, most / 2 + kRoundToWord);
  SigmoidToLevels(
      x, most, work.scale, shape,
      [&](VF v) HWY_ATTR { return hn::MulAdd(CenteredSigmoid(v), levels, half); },
      [&](uint32_t lane, auto f)
          HWY_ATTR { StoreWords(width, work.rounded, shape.stride, lane, f); });
}

// One copy for two places.
[[maybe_unused]] HWY_NOINLINE void ByteLayer(const Int8Weights& weights, uint32_t in, uint32_t out,
                                             const float* start, const uint8_t* bytes,
                                             const float* scale, int32_t zero_point, float* y,
                                             PanelShape shape) {
  Int8LayerOfScaled(weights, in, out, Starts(start), bytes, scale, zero_point, y, shape);
}

// y = layer activation(x); x is written over.
void RunLayer(const AttentionUnitLayer& layer, const ReadyMatrix& ready,
              const Activation& activation, float* x, float* y, PanelShape shape,
              const UnitWork& work) {
  const Matrix& matrix = layer.matrix;
  const bool sigmoid = activation.kind == schema::ActivationKind::Sigmoid;
  if (!sigmoid || ready.way == Way::kFloats) Activate(activation, 0, matrix.in, x, shape);
  if constexpr (kWayOfInt8 == Way::kWords) {
    if (ready.way == Way::kWords) {
      if (sigmoid) {
        SigmoidToWords(x, matrix.in, work, shape);
      } else {
        RoundToWords(x, matrix.in, work.rounded, work.scale, shape);
      }
      PlainWordLayer(ready.words, matrix.scales, WordPairs(matrix.in), matrix.out, matrix.bias,
                     work.rounded, work.scale, y, shape);
      return;
    }
  }
  if constexpr (kTakesSevenBits) {
    if (ready.way == Way::kSevenBits) {
      SigmoidToBytes(x, matrix.in, work, shape);
      RunSevenBitLayer({ready.FittedRows(0, matrix.in), matrix.in, matrix.out, matrix.bias,
                        reinterpret_cast<const uint8_t*>(work.rounded), work.scale, 0},
                       y, shape);
      return;
    }
  }
  if constexpr (kTakesBytes) {
    if (ready.way == Way::kBytes) {
      uint8_t* bytes = reinterpret_cast<uint8_t*>(work.rounded);
      if (sigmoid) {
        SigmoidToBytes(x, matrix.in, work, shape);
        ByteLayer(Int8RowsOf(matrix, 0), matrix.in, matrix.out, matrix.bias, bytes, work.scale, 0,
                  y, shape);
      } else {
        const Int8Panel panel = {bytes, work.scale, work.zero_point};
        Quantize(x, matrix.in, panel, shape);
        const auto start = [&](size_t j)
                               HWY_ATTR { return matrix.bias != nullptr ? matrix.bias[j] : 0.0f; };
        Int8Layer(Int8RowsOf(matrix, 0), matrix.in, matrix.out, start, panel, y, shape,
                  [](uint32_t, VF sum) HWY_ATTR { return sum; });
      }
      return;
    }
  }
  FloatLayer(ready.floats, matrix.in, matrix.out, matrix.bias, x, y, shape);
}

// Scores of one panel, from the first layer's sums in `x`, which is written over.
void FinishPanel(const AttentionUnitWeights& weights, const UnitWork& work, float* x, float* score,
                 PanelShape shape) {
  const Activation* activation = weights.first_activation;
  float* y = work.other;
  for (uint32_t i = 0; i < weights.layer_count; ++i) {
    float* to = i + 1 == weights.layer_count ? score : y;
    RunLayer(weights.layers[i], work.layers[i], *activation, x, to, shape, work);
    activation = weights.layers[i].activation;
    std::swap(x, y);
  }
  Activate(*activation, 0, 1, score, shape);
}

// Readies up what is folded.
FoldWeights ReadyToFold(const AttentionUnitWeights& weights, UnitWork* work) {
  ReadyUp(weights.query, &work->query);
  ReadyUp(weights.product, &work->product);
  return {weights.query.out, weights.query.in, work->query.floats, work->product.floats};
}

// Not inline: one copy for two places.
HWY_NOINLINE void FoldEvent(const FoldWeights& weights, const FoldLayout& layout, const float* key,
                            char* fold) {
  if (!layout.int8) {
    Fold(weights, key, reinterpret_cast<float*>(fold));
  } else if constexpr (kMayFoldInt8) {
    FoldInt8(weights, key, reinterpret_cast<int8_t*>(fold),
             reinterpret_cast<float*>(fold + layout.scales),
             reinterpret_cast<int32_t*>(fold + layout.sums));
  }
}

uint32_t PositionOf(const EventRing& ring, uint32_t e) { return (ring.oldest + e) % ring.capacity; }

}  // namespace

size_t AttentionFoldBytes(const AttentionUnitWeights& weights) { return FoldLayout(weights).bytes; }

void FoldAttentionEvents(const AttentionUnitWeights& weights, const float* key, size_t key_stride,
                         const EventRing& ring, char* folds, void* scratch) {
  UnitWork work;
  PlaceUnitWork(weights, kLaneGroup, 1, static_cast<char*>(scratch), &work);
  const FoldWeights from = ReadyToFold(weights, &work);
  const FoldLayout layout(weights);
  for (uint32_t e = 0; e < ring.count; ++e) {
    const size_t position = PositionOf(ring, e);
    FoldEvent(from, layout, key + position * key_stride, folds + position * layout.bytes);
  }
}

void AttentionUnit(const AttentionUnitWeights& weights, const AttentionUnitInput& input,
                   const EventRing& ring, uint32_t candidates, uint32_t stride, float* scores,
                   size_t score_panel, void* scratch) {
  const uint32_t panels = (candidates + stride - 1) / stride;
  UnitWork work;
  PlaceUnitWork(weights, stride, panels, static_cast<char*>(scratch), &work);
  FoldWeights from = {};
  if (input.folds == nullptr) from = ReadyToFold(weights, &work);
  for (uint32_t i = 0; i < weights.layer_count; ++i) {
    ReadyUp(weights.layers[i].matrix, &work.layers[i]);
  }
  const FoldLayout layout(weights);
  const uint32_t query_width = weights.query.in;
  const uint32_t first_width = weights.query.out;
  const size_t query_bytes = QueryBytes(query_width, stride);
  if constexpr (kMayFoldInt8) {
    for (uint32_t p = 0; layout.int8 && p < panels; ++p) {
      QuantizeSymmetric(input.query + p * input.query_panel, query_width, kQueryLevels,
                        work.query_bytes + p * query_bytes, work.query_scale + size_t{p} * stride,
                        ShapeOfPanel(candidates, p, stride));
    }
  }
  // y = M_k q + start for panel p.
  const auto multiply = [&](const char* fold, const float* start, uint32_t p, float* y,
                            PanelShape shape) HWY_ATTR {
    if (!layout.int8) {
      FloatLayer(reinterpret_cast<const float*>(fold), query_width, first_width, start,
                 input.query + p * input.query_panel, y, shape);
      return;
    }
    const uint8_t* bytes = work.query_bytes + p * query_bytes;
    const float* scale = work.query_scale + size_t{p} * stride;
    if constexpr (kTakesSevenBits) {
      RunSevenBitLayer(
          {layout.Rounded(fold), query_width, first_width, start, bytes, scale, kSevenBitZeroPoint},
          y, shape);
    } else if constexpr (kTakesBytes) {
      ByteLayer(layout.Rounded(fold), query_width, first_width, start, bytes, scale, 128, y, shape);
    }
  };
  // Of few candidates, several events' scores stand side by side in the lanes of one panel, so that
  // the layers behind the first take them together. It changes where numbers are, and none of them.
  const PanelShape first_panel = ShapeOfPanel(candidates, 0, stride);
  const uint32_t together = panels == 1 ? stride / first_panel.lanes : 1;
  for (uint32_t e = 0; e < ring.count; e += together) {
    const uint32_t events = std::min(together, ring.count - e);
    for (uint32_t i = 0; i < events; ++i) {
      const size_t position = PositionOf(ring, e + i);
      const char* fold = work.fold;
      if (input.folds != nullptr) {
        fold = input.folds + position * layout.bytes;
      } else {
        FoldEvent(from, layout, input.key + position * input.key_stride, work.fold);
      }
      const float* start = input.key_row + position * input.key_row_stride;
      for (uint32_t p = 0; p < panels; ++p) {
        const PanelShape shape = ShapeOfPanel(candidates, p, stride);
        multiply(fold, start, p, work.first + i * shape.lanes, shape);
        if (together > 1) continue;
        FinishPanel(weights, work, work.first, scores + p * score_panel + size_t{e} * stride,
                    shape);
      }
    }
    if (together == 1) continue;
    FinishPanel(weights, work, work.first, work.packed_scores,
                {stride, events * first_panel.lanes});
    for (uint32_t i = 0; i < events; ++i) {
      std::copy_n(work.packed_scores + i * first_panel.lanes, first_panel.lanes,
                  scores + size_t{e + i} * stride);
    }
  }
}

size_t AttentionUnitScratch(const AttentionUnitWeights& weights, uint32_t stride, uint32_t panels) {
  UnitWork work;
  return PlaceUnitWork(weights, stride, panels, nullptr, &work);
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(AttentionUnit);
HWY_EXPORT(AttentionUnitScratch);
HWY_EXPORT(AttentionFoldBytes);
HWY_EXPORT(FoldAttentionEvents);

void AttentionUnit(const AttentionUnitWeights& weights, const AttentionUnitInput& input,
                   const EventRing& ring, uint32_t candidates, uint32_t stride, float* scores,
                   size_t score_panel, void* scratch) {
  HWY_DYNAMIC_DISPATCH(AttentionUnit)
  (weights, input, ring, candidates, stride, scores, score_panel, scratch);
}

size_t AttentionUnitScratch(const AttentionUnitWeights& weights, uint32_t stride, uint32_t panels) {
  return HWY_DYNAMIC_DISPATCH(AttentionUnitScratch)(weights, stride, panels);
}

size_t AttentionFoldBytes(const AttentionUnitWeights& weights) {
  return HWY_DYNAMIC_DISPATCH(AttentionFoldBytes)(weights);
}

void FoldAttentionEvents(const AttentionUnitWeights& weights, const float* key, size_t key_stride,
                         const EventRing& ring, char* folds, void* scratch) {
  HWY_DYNAMIC_DISPATCH(FoldAttentionEvents)(weights, key, key_stride, ring, folds, scratch);
}

}  // namespace handpick
#endif  // HWY_ONCE
