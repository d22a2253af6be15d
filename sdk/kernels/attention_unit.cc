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

// Panels that are kept between the first layer and the others.
inline constexpr uint32_t kFirstPanels = 2;

// Where an activation unit works. What a choice of the processor does not need is null.
struct UnitWork {
  ReadyMatrix query;
  ReadyMatrix product;
  ReadyMatrix* layers;
  float* folded;         // [first width, query width]
  int8_t* fold_bytes;    // [first width] rows of FoldRow(query width)
  float* fold_scales;    // [first width]
  int32_t* fold_sums;    // [first width]
  uint8_t* query_bytes;  // [panels] of Int8PanelBytes
  float* query_scale;    // [panels][stride]
  float* first;          // [kFirstPanels] What the first layer makes: panels of the widest layer.
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
  const bool int8 = FoldsInt8(weights);
  packer.PlaceArray(&work->folded, int8 ? 0 : size_t{first_width} * query_width);
  packer.PlaceArray(&work->fold_bytes, int8 ? first_width * FoldRow(query_width) : 0);
  packer.PlaceArray(&work->fold_scales, int8 ? first_width : 0);
  packer.PlaceArray(&work->fold_sums, int8 ? first_width : 0);
  const size_t query_panels = int8 ? panels : 0;
  packer.PlaceArray(&work->query_bytes, query_panels * QueryBytes(query_width, stride));
  packer.PlaceArray(&work->query_scale, query_panels * stride);
  packer.PlaceArray(&work->first, kFirstPanels * size_t{widest} * stride);
  packer.PlaceArray(&work->other, size_t{widest} * stride);
  packer.PlaceArray(&work->packed_scores, stride);
  packer.PlaceArray(&work->rounded, rounded / 4 * stride);
  packer.PlaceArray(&work->scale, stride);
  packer.PlaceArray(&work->zero_point, stride);
  return packer.bytes();
}

// A sigmoid is in [0, 1]: its bytes need no extremes. With 254 levels 1/2 is one of them.
inline constexpr float kSigmoidLevels = 254;

// What is folded: [rows, width] each.
struct FoldWeights {
  uint32_t rows;
  uint32_t width;
  const float* query;
  const float* product;
};

// Rows [first, first + rows) of the same.
FoldWeights RowsOf(const FoldWeights& weights, uint32_t first, uint32_t rows) {
  const size_t skipped = size_t{first} * weights.width;
  return {rows, weights.width, weights.query + skipped, weights.product + skipped};
}

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
      VF sums[N];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) sums[i] = hn::LoadU(d, query + k + i * n);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        sums[i] =
            hn::MulAdd(hn::LoadU(d, product + k + i * n), hn::LoadU(d, key + k + i * n), sums[i]);
      }
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) hn::StoreU(sums[i], d, to + k + i * n);
    }
    for (; k < width; ++k) to[k] = query[k] + product[k] * key[k];
  }
}

// Calls whole(k) for vectors of a row, part(k) for the numbers behind them.
template <typename Whole, typename Part>
HWY_INLINE void ForEachNumber(uint32_t width, Whole whole, Part part) {
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(DF()));
  uint32_t k = 0;
  for (; k + n <= width; k += n) whole(k);
  for (; k < width; ++k) part(k);
}

// Of the sizes of the numbers of a row: vector(k) has those from k on, number(k) is one.
template <typename Vector, typename Number>
HWY_INLINE float LargestOfRow(uint32_t width, Vector vector, Number number) {
  const DF d;
  VF most_vector = hn::Zero(d);
  float most = 0;
  ForEachNumber(
      width, [&](uint32_t k) HWY_ATTR { most_vector = hn::Max(most_vector, hn::Abs(vector(k))); },
      [&](uint32_t k) HWY_ATTR {
        const float x = number(k);
        const float size = x < 0 ? -x : x;
        most = size > most ? size : most;
      });
  const float vector_most = hn::ReduceMax(d, most_vector);
  return vector_most > most ? vector_most : most;
}

// The folded matrix as int8 with a scale per output. Each number is made twice, for the largest of
// its row and to be rounded: in between, the scales of all rows are made at once, so that no row
// waits for its own.
[[maybe_unused]] void FoldInt8(const FoldWeights& weights, const float* HWY_RESTRICT key,
                               int8_t* HWY_RESTRICT folded, float* HWY_RESTRICT scales,
                               int32_t* HWY_RESTRICT row_sums) {
  const DF d;
  const DI di;
  const hn::Rebind<int8_t, DF> d8;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const uint32_t width = weights.width;
  const uint32_t rows = weights.rows;
  const auto vector = [&](uint32_t j, uint32_t k) HWY_ATTR {
    const size_t at = size_t{j} * width + k;
    return hn::MulAdd(hn::LoadU(d, weights.product + at), hn::LoadU(d, key + k),
                      hn::LoadU(d, weights.query + at));
  };
  const auto number = [&](uint32_t j, uint32_t k) HWY_ATTR {
    const size_t at = size_t{j} * width + k;
    return weights.query[at] + weights.product[at] * key[k];
  };
  for (uint32_t j = 0; j < rows; ++j) {
    const auto row_vector = [&](uint32_t k) HWY_ATTR { return vector(j, k); };
    const auto row_number = [&](uint32_t k) HWY_ATTR { return number(j, k); };
    scales[j] = kTakesSevenBits ? MostOfSevenBitRow(width, row_vector, row_number)
                                : LargestOfRow(width, row_vector, row_number);
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
    ForEachNumber(
        width,
        [&](uint32_t k) HWY_ATTR {
          const VI q = hn::NearestInt(hn::Mul(vector(j, k), inverse_vector));
          sum_vector = hn::Add(sum_vector, q);
          hn::StoreU(hn::DemoteTo(d8, q), d8, to + k);
        },
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

// Bytes of sigmoid(x), of `most` levels, for a layer of int8 weights that follows.
[[maybe_unused]] void SigmoidToBytes(const float* x, uint32_t width, float most,
                                     const UnitWork& work, PanelShape shape) {
  const DF d;
  const VF levels = hn::Set(d, most);
  const VF half = hn::Set(d, most / 2 + kRoundToByte);
  SigmoidToLevels(
      x, most, work.scale, shape,
      [&](VF v) HWY_ATTR { return hn::MulAdd(CenteredSigmoid<kByteDegree>(v), levels, half); },
      [&](uint32_t lane, auto f) HWY_ATTR {
        StoreBytes(width, reinterpret_cast<uint8_t*>(work.rounded), shape.stride, lane, f);
      });
}

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
  Int8LayerOfScaled(
      weights, in, out, [start](size_t j) HWY_ATTR { return start != nullptr ? start[j] : 0.0f; },
      bytes, scale, zero_point, y, shape);
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
      SigmoidToBytes(x, matrix.in, kSevenBitSigmoidLevels, work, shape);
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
        SigmoidToBytes(x, matrix.in, kSigmoidLevels, work, shape);
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

// In which order events, outputs of the first layer and panels are gone through. It changes where
// numbers are while they are needed, and none of them.
//
// Folding reads two matrices and writes one, which together are more than the first-level cache
// holds: for one panel, reading them takes longer than multiplying. So for few candidates a few
// outputs are folded for some events, one after the other, and multiplied at once. What the first
// layer makes is then kept for all of these events: side by side in the lanes of one panel, if they
// fit, so that the other layers take them together. For many panels, a matrix is folded as a whole
// and serves them all; so is one of bytes, which is a quarter as large.
struct UnitOrder {
  uint32_t events;  // Folded together.
  uint32_t rows;    // Outputs of the first layer that are folded at a time.
  uint32_t packed;  // Events beside one another in a panel's lanes.
  bool keeps;       // What the first layer makes for all of these events and panels.
};

// Outputs whose two matrices stay in the first-level cache: a multiple of a block's.
inline constexpr uint32_t kFoldRows = 16;

UnitOrder OrderOf(uint32_t panels, PanelShape first_panel, uint32_t first_width, bool int8) {
  const uint32_t packed = panels == 1 ? first_panel.stride / first_panel.lanes : 1;
  if (int8) return {packed, first_width, packed, packed > 1};
  if (panels > kFirstPanels) return {1, first_width, 1, false};
  return {packed > 1 ? packed : kFirstPanels / std::max(panels, 1u), kFoldRows, packed, true};
}

// Outputs of the next block. One would not be left alone: layers of one output are summed
// otherwise.
uint32_t RowsOfBlock(uint32_t left, uint32_t rows) { return left <= rows + 1 ? left : rows; }

// What the first layer of a call has.
struct FirstLayer {
  FoldWeights fold;
  bool int8;
  size_t query_bytes;  // Of a panel.
  const AttentionUnitInput& input;
  const UnitWork& work;

  // Folds outputs [j, j + rows) for the event at `position` of the ring.
  void FoldRows(uint32_t position, uint32_t j, uint32_t rows) const {
    const float* key = input.key + position * input.key_stride;
    if (!int8) {
      Fold(RowsOf(fold, j, rows), key, work.folded);
    } else if constexpr (kMayFoldInt8) {
      FoldInt8(RowsOf(fold, j, rows), key, work.fold_bytes, work.fold_scales, work.fold_sums);
    }
  }

  // y[j..] of panel p for what was folded.
  void Multiply(uint32_t position, uint32_t j, uint32_t rows, uint32_t p, float* y,
                PanelShape shape) const {
    const float* start = input.key_row + position * input.key_row_stride + j;
    float* to = y + size_t{j} * shape.stride;
    if (!int8) {
      FloatLayer(work.folded, fold.width, rows, start, input.query + p * input.query_panel, to,
                 shape);
      return;
    }
    const Int8Weights folded = {work.fold_bytes, work.fold_scales, work.fold_sums};
    const uint8_t* bytes = work.query_bytes + p * query_bytes;
    const float* scale = work.query_scale + size_t{p} * shape.stride;
    if constexpr (kTakesSevenBits) {
      RunSevenBitLayer({folded, fold.width, rows, start, bytes, scale, kSevenBitZeroPoint}, to,
                       shape);
    } else if constexpr (kTakesBytes) {
      ByteLayer(folded, fold.width, rows, start, bytes, scale, 128, to, shape);
    }
  }
};

}  // namespace

void AttentionUnit(const AttentionUnitWeights& weights, const AttentionUnitInput& input,
                   const EventRing& ring, uint32_t candidates, uint32_t stride, float* scores,
                   size_t score_panel, void* scratch) {
  const uint32_t panels = (candidates + stride - 1) / stride;
  UnitWork work;
  PlaceUnitWork(weights, stride, panels, static_cast<char*>(scratch), &work);
  ReadyUp(weights.query, &work.query);
  ReadyUp(weights.product, &work.product);
  uint32_t widest = weights.query.out;
  for (uint32_t i = 0; i < weights.layer_count; ++i) {
    ReadyUp(weights.layers[i].matrix, &work.layers[i]);
    widest = std::max(widest, weights.layers[i].matrix.out);
  }
  const uint32_t query_width = weights.query.in;
  const uint32_t first_width = weights.query.out;
  const FirstLayer first = {{first_width, query_width, work.query.floats, work.product.floats},
                            FoldsInt8(weights),
                            QueryBytes(query_width, stride),
                            input,
                            work};
  if constexpr (kMayFoldInt8) {
    for (uint32_t p = 0; first.int8 && p < panels; ++p) {
      QuantizeSymmetric(input.query + p * input.query_panel, query_width, kQueryLevels,
                        work.query_bytes + p * first.query_bytes,
                        work.query_scale + size_t{p} * stride, ShapeOfPanel(candidates, p, stride));
    }
  }
  const PanelShape shape = ShapeOfPanel(candidates, 0, stride);
  const UnitOrder order = OrderOf(panels, shape, first_width, first.int8);
  const size_t panel = size_t{widest} * stride;
  const auto position = [&](uint32_t e) { return (ring.oldest + e) % ring.capacity; };
  const auto score = [&](uint32_t e, uint32_t p) {
    return scores + p * score_panel + size_t{e} * stride;
  };
  for (uint32_t e = 0; e < ring.count; e += order.events) {
    const uint32_t events = std::min(order.events, ring.count - e);
    for (uint32_t j = 0, rows; j < first_width; j += rows) {
      rows = RowsOfBlock(first_width - j, order.rows);
      for (uint32_t i = 0; i < events; ++i) {
        first.FoldRows(position(e + i), j, rows);
        for (uint32_t p = 0; p < panels; ++p) {
          const PanelShape of_panel = ShapeOfPanel(candidates, p, stride);
          float* to = order.packed > 1 ? work.first + i * shape.lanes
                      : order.keeps    ? work.first + (i * panels + p) * panel
                                       : work.first;
          first.Multiply(position(e + i), j, rows, p, to, of_panel);
          if (!order.keeps) FinishPanel(weights, work, to, score(e, p), of_panel);
        }
      }
    }
    if (order.packed > 1) {
      FinishPanel(weights, work, work.first, work.packed_scores, {stride, events * shape.lanes});
      for (uint32_t i = 0; i < events; ++i) {
        std::copy_n(work.packed_scores + i * shape.lanes, shape.lanes, score(e + i, 0));
      }
    } else if (order.keeps) {
      for (uint32_t i = 0; i < events * panels; ++i) {
        FinishPanel(weights, work, work.first + i * panel, score(e + i / panels, i % panels),
                    ShapeOfPanel(candidates, i % panels, stride));
      }
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

void AttentionUnit(const AttentionUnitWeights& weights, const AttentionUnitInput& input,
                   const EventRing& ring, uint32_t candidates, uint32_t stride, float* scores,
                   size_t score_panel, void* scratch) {
  HWY_DYNAMIC_DISPATCH(AttentionUnit)
  (weights, input, ring, candidates, stride, scores, score_panel, scratch);
}

size_t AttentionUnitScratch(const AttentionUnitWeights& weights, uint32_t stride, uint32_t panels) {
  return HWY_DYNAMIC_DISPATCH(AttentionUnitScratch)(weights, stride, panels);
}

}  // namespace handpick
#endif  // HWY_ONCE
