#include "sdk/kernels/dense_panels.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "sdk/base/packer.h"
#include "sdk/kernels/dot_product.h"
#include "sdk/kernels/row_stream.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/dense_panels.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/panel_activate-inl.h"
#include "sdk/kernels/panel_matrix-inl.h"

#ifndef HANDPICK_SDK_KERNELS_DENSE_PANELS_ONCE_
#define HANDPICK_SDK_KERNELS_DENSE_PANELS_ONCE_
namespace handpick {

// Bytes of weights that are widened at a time: they stay in the first cache while all panels take
// them.
inline constexpr size_t kWidenedBytes = 16 << 10;
// Rows are widened in multiples of it: whole blocks of outputs.
inline constexpr uint32_t kWidenedRows = 8;
// Panels whose input stands rounded at a time, for one widening of the weights.
inline constexpr uint32_t kRoundedPanels = 8;

struct DensePanelsWork {
  float* floats;  // Rows of weights, widened.
  int16_t* words;
  int32_t* rounded;  // The input of kRoundedPanels panels.
  float* scale;      // [stride] for each of them.
  float* zero_point;
};

}  // namespace handpick
#endif  // HANDPICK_SDK_KERNELS_DENSE_PANELS_ONCE_

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

struct StreamTurn {
  static constexpr size_t kSteps = kStepsOfTurn;
  HWY_INLINE void operator()() const { stream->Turn(); }
  RowStream* stream;
};

// Rows of a matrix that are multiplied at a time: all, or those that are widened together.
uint32_t RowsOfChunk(const Matrix& matrix, Way way) {
  if (way != Way::kWords && !IsWidened(matrix, way)) return matrix.out;
  const size_t row =
      way == Way::kWords ? WordPairs(matrix.in) * sizeof(int32_t) : matrix.in * sizeof(float);
  const size_t rows = kWidenedBytes / std::max<size_t>(row, 1) / kWidenedRows * kWidenedRows;
  return static_cast<uint32_t>(std::min<size_t>(matrix.out, std::max<size_t>(rows, kWidenedRows)));
}

// Panels that are multiplied with a chunk, of `panels`.
uint64_t PanelsOfGroup(const Matrix& matrix, Way way, uint64_t panels) {
  if (way == Way::kWords) return std::min<uint64_t>(panels, kRoundedPanels);
  return IsWidened(matrix, way) ? panels : 1;
}

// Words or bytes of one rounded panel, in units of 4 bytes.
size_t RoundedPanel(const Matrix& matrix, Way way, uint32_t stride) {
  if (way == Way::kBytes) return Int8PanelBytes(matrix.in, stride) / sizeof(int32_t);
  return way == Way::kWords ? WordPairs(matrix.in) * stride : 0;
}

size_t PlaceDensePanelsWork(const Matrix& matrix, uint32_t stride, uint64_t panels, char* base,
                            DensePanelsWork* work) {
  const Way way = WayOf(matrix);
  const size_t rows = RowsOfChunk(matrix, way);
  const size_t group = way == Way::kFloats ? 0 : PanelsOfGroup(matrix, way, panels);
  Packer packer(base);
  packer.PlaceArray(&work->floats, IsWidened(matrix, way) ? rows * matrix.in : 0);
  packer.PlaceArray(&work->words, way == Way::kWords ? rows * 2 * WordPairs(matrix.in) : 0);
  packer.PlaceArray(&work->rounded, group * RoundedPanel(matrix, way, stride));
  packer.PlaceArray(&work->scale, group * stride);
  packer.PlaceArray(&work->zero_point, way == Way::kBytes ? stride : 0);
  return packer.bytes();
}

// One call's operands, and its loops over panels and rows.
class DensePanelsCall {
 public:
  DensePanelsCall(const Matrix& matrix, const float* row, const Activation& activation,
                  const PanelsIn& x, const PanelsOut& y, const PanelGrid& grid, void* scratch,
                  RowStream* stream)
      : matrix_(matrix),
        row_(row),
        activation_(activation),
        x_(x),
        y_(y),
        grid_(grid),
        panels_(uint64_t{grid.panels()} * grid.events),
        stream_(stream) {
    PlaceDensePanelsWork(matrix, grid.stride, panels_, static_cast<char*>(scratch), &work_);
  }

  template <Way kWay>
  void Run() {
    const uint64_t group = PanelsOfGroup(matrix_, kWay, panels_);
    const uint32_t rows = RowsOfChunk(matrix_, kWay);
    for (uint64_t begin = 0; begin < panels_; begin += group) {
      const uint64_t end = std::min(panels_, begin + group);
      for (uint64_t i = begin; i < end; ++i) RoundInput<kWay>(i, i - begin);
      for (uint32_t first = 0; first < matrix_.out; first += rows) {
        const uint32_t count = std::min(rows, matrix_.out - first);
        WidenWeights<kWay>(first, count);
        for (uint64_t i = begin; i < end; ++i) Multiply<kWay>(i, i - begin, first, count);
      }
    }
  }

 private:
  PanelShape Shape(uint64_t i) const {
    return ShapeOfPanel(grid_.candidates, static_cast<uint32_t>(i / grid_.events), grid_.stride);
  }
  const float* X(uint64_t i) const {
    return x_.data + i / grid_.events * x_.panel + i % grid_.events * x_.event;
  }
  int32_t* Rounded(Way way, uint64_t slot) const {
    return work_.rounded + slot * RoundedPanel(matrix_, way, grid_.stride);
  }
  Int8Panel BytesOf(uint64_t slot) const {
    return {reinterpret_cast<uint8_t*>(Rounded(Way::kBytes, slot)), work_.scale, work_.zero_point};
  }

  template <Way kWay>
  void RoundInput(uint64_t i, uint64_t slot) {
    if constexpr (kWay == Way::kWords) {
      RoundToWords(X(i), matrix_.in, Rounded(kWay, slot), work_.scale + slot * grid_.stride,
                   Shape(i));
    } else if constexpr (kWay == Way::kBytes) {
      Quantize(X(i), matrix_.in, BytesOf(slot), Shape(i));
    }
  }

  template <Way kWay>
  void WidenWeights(uint32_t first, uint32_t count) {
    if constexpr (kWay == Way::kWords) {
      WidenRowsToWords(matrix_, first, count, work_.words);
    } else if (IsWidened(matrix_, kWay)) {
      WidenRows(matrix_, first, count, work_.floats);
    }
  }

  template <Way kWay>
  void Multiply(uint64_t i, uint64_t slot, uint32_t first, uint32_t count) {
    const DF d;
    const PanelShape shape = Shape(i);
    float* y = y_.data + i / grid_.events * y_.panel + i % grid_.events * y_.event +
               size_t{first} * shape.stride;
    const StreamTurn turn = {stream_};
    const auto start = [bias = matrix_.bias, row = row_, first](size_t j) HWY_ATTR {
      return (bias != nullptr ? bias[first + j] : 0.0f) + (row != nullptr ? row[first + j] : 0.0f);
    };
    // Relu is applied in the registers of the sums.
    const bool relu = activation_.kind == schema::ActivationKind::Relu;
    const VF least = hn::Set(d, relu ? 0.0f : -std::numeric_limits<float>::infinity());
    const auto finish = [least](uint32_t, VF sum) HWY_ATTR { return AtLeast(sum, least); };
    if constexpr (kWay == Way::kBytes) {
      Int8Layer(Int8RowsOf(matrix_, first), matrix_.in, count, start, BytesOf(slot), y, shape,
                finish, turn);
    } else if constexpr (kWay == Way::kWords) {
      WordLayer(work_.words, matrix_.scales + first, WordPairs(matrix_.in), count, start,
                Rounded(kWay, slot), work_.scale + slot * grid_.stride, y, shape, finish, turn);
    } else {
      const float* weights = IsWidened(matrix_, kWay)
                                 ? work_.floats
                                 : static_cast<const float*>(matrix_.data);  // `first` is 0.
      DenseLayer(weights, matrix_.in, count, start, X(i), y, shape, finish, turn);
    }
    if (!relu) Activate(activation_, first, count, y, shape);
  }

  const Matrix& matrix_;
  const float* row_;
  const Activation& activation_;
  const PanelsIn x_;
  const PanelsOut y_;
  const PanelGrid grid_;
  const uint64_t panels_;  // Those of all events.
  RowStream* stream_;
  DensePanelsWork work_;
};

}  // namespace

size_t DensePanelsScratch(const Matrix& matrix, uint32_t stride, uint64_t panels) {
  DensePanelsWork work;
  return PlaceDensePanelsWork(matrix, stride, panels, nullptr, &work);
}

void DensePanels(const Matrix& matrix, const float* row, const Activation& activation,
                 const PanelsIn& x, const PanelsOut& y, const PanelGrid& grid, void* scratch,
                 RowStream* next) {
  if (grid.candidates == 0 || grid.events == 0) return;
  RowStream none;
  DensePanelsCall call(matrix, row, activation, x, y, grid, scratch,
                       next == nullptr ? &none : next);
  switch (WayOf(matrix)) {
    case Way::kFloats:
      return call.Run<Way::kFloats>();
    case Way::kWords:
      if constexpr (kWayOfInt8 == Way::kWords) call.Run<Way::kWords>();
      return;
    case Way::kBytes:
      if constexpr (kTakesBytes) call.Run<Way::kBytes>();
      return;
    case Way::kSevenBits:
      return;  // Not of inputs without bounds.
  }
}

void ComputedDensePanels(const ComputedMatrix& matrix, const float* row,
                         const Activation& activation, const PanelsIn& x, const PanelsOut& y,
                         const PanelGrid& grid, RowStream* next) {
  const DF d;
  const size_t n = hn::Lanes(d);
  RowStream none;
  const StreamTurn turn = {next == nullptr || matrix.out == 1 ? &none : next};
  const bool relu = activation.kind == schema::ActivationKind::Relu;
  const VF least = hn::Set(d, relu ? 0.0f : -std::numeric_limits<float>::infinity());
  for (uint32_t p = 0; p < grid.panels(); ++p) {
    const PanelShape shape = ShapeOfPanel(grid.candidates, p, grid.stride);
    const float* in = x.data + p * x.panel;
    float* out = y.data + p * y.panel;
    ForEachVectorGroup(shape.lanes, [&](uint32_t lane, auto vectors) HANDPICK_APART {
      constexpr int V = decltype(vectors)::value;
      const size_t stride = shape.stride;
      const float* const first = row;
      float* const end = out + lane;
      ForEachOutputBlock(matrix.out, [&](size_t j, auto outputs) HWY_ATTR {
        constexpr int R = decltype(outputs)::value;
        float* to = end + j * stride;
        DenseBlock<R, V>(
            matrix.data + j, 1, matrix.out, matrix.in, in + lane, stride,
            [&](int r, int) HWY_ATTR { return hn::Set(d, first != nullptr ? first[j + r] : 0.0f); },
            [&](int r, int v, VF sum)
                HWY_ATTR { hn::Store(AtLeast(sum, least), d, to + r * stride + v * n); },
            turn);
      });
    });
    if (!relu) Activate(activation, 0, matrix.out, out, shape);
  }
}

// Blocks of kMost outputs at most, of chunks of `rows`; a single output of `floats` has none.
template <int kMost>
HWY_NOINLINE uint64_t BlocksOfOutputs(uint32_t out, uint32_t rows, bool floats) {
  uint64_t blocks = 0;
  for (uint32_t first = 0; first < out; first += rows) {
    const uint32_t count = std::min(rows, out - first);
    if (floats && count == 1) continue;
    ForEachOutputBlock<kMost>(count, [&](uint32_t, auto) {
      ++blocks;
      hwy::PreventElision(blocks);  // Or compilers make vectors of it, and much code.
    });
  }
  return blocks;
}

uint64_t TurnsOfDensePanels(const Matrix& matrix, const PanelGrid& grid) {
  const auto whole = [](uint64_t n, uint64_t of) { return (n + of - 1) / of; };
  const Way way = WayOf(matrix);
  const uint64_t steps = way == Way::kBytes   ? matrix.in / 4
                         : way == Way::kWords ? WordPairs(matrix.in)
                                              : matrix.in;
  const uint32_t rows = RowsOfChunk(matrix, way);
  const bool floats = way == Way::kFloats;
  const auto blocks_of = [&](auto most) {
    return BlocksOfOutputs<decltype(most)::value>(matrix.out, rows, floats);
  };
  // By the vectors of a group.
  const uint64_t blocks[] = {
      blocks_of(std::integral_constant<int, MostOutputs<1>()>()),
      blocks_of(std::integral_constant<int, MostOutputs<2>()>()),
      blocks_of(std::integral_constant<int, MostOutputs<3>()>()),
  };
  const uint64_t plain = blocks_of(std::integral_constant<int, kBlockOutputs>());
  uint64_t sum = 0;
  for (uint32_t p = 0; p < grid.panels(); ++p) {
    const uint32_t lanes = ShapeOfPanel(grid.candidates, p, grid.stride).lanes;
    const auto add = [&](uint32_t, auto vectors) {
      sum += floats ? blocks[decltype(vectors)::value - 1] : plain;
    };
    if (way == Way::kWords) {
      ForEachVectorGroup<kWordVectors>(lanes, add);
    } else {
      ForEachVectorGroup(lanes, add);
    }
  }
  return sum * grid.events * whole(steps, kStepsOfTurn);
}

bool MultipliesAsBytes(uint32_t outputs, bool attention) {
  const bool long_products = HWY_ARCH_ARM_A64 && MostByteProducts() == ByteProducts::kLong;
  const bool takes_bytes = (kTakesBytes && !long_products) || (kTakesSevenBits && attention);
  return takes_bytes && outputs >= kLeastRoundedOutputs;
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(DensePanelsScratch);
HWY_EXPORT(DensePanels);
HWY_EXPORT(TurnsOfDensePanels);
HWY_EXPORT(ComputedDensePanels);
HWY_EXPORT(MultipliesAsBytes);

size_t DensePanelsScratch(const Matrix& matrix, uint32_t stride, uint64_t panels) {
  return HWY_DYNAMIC_DISPATCH(DensePanelsScratch)(matrix, stride, panels);
}

void DensePanels(const Matrix& matrix, const float* row, const Activation& activation,
                 const PanelsIn& x, const PanelsOut& y, const PanelGrid& grid, void* scratch,
                 RowStream* next) {
  HWY_DYNAMIC_DISPATCH(DensePanels)(matrix, row, activation, x, y, grid, scratch, next);
}

bool MultipliesAsBytes(uint32_t outputs, bool attention) {
  return HWY_DYNAMIC_DISPATCH(MultipliesAsBytes)(outputs, attention);
}

uint64_t TurnsOfDensePanels(const Matrix& matrix, const PanelGrid& grid) {
  return HWY_DYNAMIC_DISPATCH(TurnsOfDensePanels)(matrix, grid);
}

void ComputedDensePanels(const ComputedMatrix& matrix, const float* row,
                         const Activation& activation, const PanelsIn& x, const PanelsOut& y,
                         const PanelGrid& grid, RowStream* next) {
  HWY_DYNAMIC_DISPATCH(ComputedDensePanels)(matrix, row, activation, x, y, grid, next);
}

}  // namespace handpick
#endif  // HWY_ONCE
