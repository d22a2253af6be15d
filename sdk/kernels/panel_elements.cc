// What goes on element by element, and the reductions over events.
#include <algorithm>
#include <type_traits>

#include "sdk/kernels/panel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/panel_elements.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/panel_dense-inl.h"
#include "sdk/kernels/simd_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// out[c] = f(c, where it stands) for every vector.
template <typename F>
HWY_INLINE void ForEachVector(uint32_t width, float* out, PanelShape shape, F f) {
  const DF d;
  constexpr uint32_t n = HWY_MAX_LANES_D(DF);
  constexpr int N = kVectorsTogether;
  for (uint32_t c = 0; c < width; ++c) {
    for (uint32_t lane = 0; lane < shape.lanes; lane += N * n) {
      const size_t at = size_t{c} * shape.stride + lane;
      VF x[N];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) x[i] = f(c, at + i * n);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) hn::Store(x[i], d, out + at + i * n);
    }
  }
}

HWY_INLINE VF Read(const PanelOperand& operand, uint32_t c, size_t at) {
  return operand.broadcast ? hn::Set(DF(), operand.data[c]) : hn::Load(DF(), operand.data + at);
}

void CopyPanel(const PanelOperand& a, uint32_t width, float* out, PanelShape shape) {
  const PanelOperand from = a;
  ForEachVector(width, out, shape,
                [&](uint32_t c, size_t at) HWY_ATTR { return Read(from, c, at); });
}

void AddPanel(const PanelOperand& a, uint32_t width, float* out, PanelShape shape) {
  const PanelOperand from = a;
  ForEachVector(width, out, shape, [&](uint32_t c, size_t at) HWY_ATTR {
    return hn::Add(hn::Load(DF(), out + at), Read(from, c, at));
  });
}

void MultiplyPanels(const PanelOperand& a, const PanelOperand& b, uint32_t width, float* out,
                    PanelShape shape) {
  const PanelOperand one = a;
  const PanelOperand other = b;
  ForEachVector(width, out, shape, [&](uint32_t c, size_t at) HWY_ATTR {
    return hn::Mul(Read(one, c, at), Read(other, c, at));
  });
}

void BiInteractionPanel(const PanelOperand& sum, const PanelOperand& squares, uint32_t width,
                        float* out, PanelShape shape) {
  const PanelOperand sums = sum;
  const PanelOperand of_squares = squares;
  ForEachVector(width, out, shape, [&](uint32_t c, size_t at) HWY_ATTR {
    const VF s = Read(sums, c, at);
    // s * s is rounded before the subtraction: of a single embedding, squares leave exactly 0.
    return hn::Mul(hn::Set(DF(), 0.5f), hn::Sub(hn::Mul(s, s), Read(of_squares, c, at)));
  });
}

// Calls f(bool_constant, bool_constant): whether a and b are broadcast, for loops that do not ask.
template <typename F>
HWY_INLINE void OfKinds(const PanelOperand& a, const PanelOperand& b, F f) {
  using Row = std::true_type;
  using Panel = std::false_type;
  if (a.broadcast) {
    b.broadcast ? f(Row(), Row()) : f(Row(), Panel());
  } else {
    b.broadcast ? f(Panel(), Row()) : f(Panel(), Panel());
  }
}

template <bool kBroadcast>
HWY_INLINE VF ReadAs(const float* data, size_t c, size_t stride, size_t lane) {
  if constexpr (kBroadcast) return hn::Set(DF(), data[c]);
  return hn::Load(DF(), data + c * stride + lane);
}

void InnerProductPanels(const PanelOperand& a, const PanelOperand& b, uint32_t width,
                        uint32_t groups, float* out, PanelShape shape) {
  const DF d;
  const size_t n = hn::Lanes(d);
  const uint32_t group = width / groups;
  const size_t stride = shape.stride;
  OfKinds(a, b, [&](auto a_row, auto b_row) HWY_ATTR {
    ForEachVectorGroup(shape.lanes, [&](uint32_t lane, auto vectors) HWY_ATTR {
      constexpr int V = decltype(vectors)::value;
      for (uint32_t g = 0; g < groups; ++g) {
        // Two sums of each vector: one would wait for itself.
        VF even[V], odd[V];
        for (int v = 0; v < V; ++v) even[v] = odd[v] = hn::Zero(d);
        const auto add = [&](VF* sums, size_t c) HWY_ATTR {
          for (int v = 0; v < V; ++v) {
            const VF x = ReadAs<decltype(a_row)::value>(a.data, c, stride, lane + v * n);
            const VF y = ReadAs<decltype(b_row)::value>(b.data, c, stride, lane + v * n);
            sums[v] = hn::MulAdd(x, y, sums[v]);
          }
        };
        size_t c = size_t{g} * group;
        const size_t end = c + group;
        for (; c + 2 <= end; c += 2) {
          add(even, c);
          add(odd, c + 1);
        }
        if (c < end) add(even, c);
        for (int v = 0; v < V; ++v) {
          hn::Store(hn::Add(even[v], odd[v]), d, out + g * stride + lane + v * n);
        }
      }
    });
  });
}

// Calls f(first column, integral_constant R): fours, and the last ones alone.
template <typename F>
HWY_INLINE void ForEachColumns(uint32_t width, F f) {
  uint32_t c = 0;
  for (; c + 4 <= width; c += 4) f(c, std::integral_constant<int, 4>());
  for (; c < width; ++c) f(c, std::integral_constant<int, 1>());
}

void WeightedSumPanels(const PanelOperand& weights, const PanelOperand& values, uint32_t count,
                       uint32_t width, float* out, PanelShape shape) {
  const DF d;
  const size_t n = hn::Lanes(d);
  const size_t stride = shape.stride;
  OfKinds(weights, values, [&](auto weight_row, auto value_row) HWY_ATTR {
    ForEachVectorGroup(shape.lanes, [&](uint32_t lane, auto vectors) HWY_ATTR {
      constexpr int V = decltype(vectors)::value;
      // A weight is read once for several columns.
      ForEachColumns(width, [&](uint32_t c, auto columns) HWY_ATTR {
        constexpr int R = decltype(columns)::value;
        VF sums[R][V];
        for (int r = 0; r < R; ++r) {
          for (int v = 0; v < V; ++v) sums[r][v] = hn::Zero(d);
        }
        for (uint32_t i = 0; i < count; ++i) {
          const size_t at = size_t{i} * width + c;
          for (int v = 0; v < V; ++v) {
            const VF weight =
                ReadAs<decltype(weight_row)::value>(weights.data, i, stride, lane + v * n);
            for (int r = 0; r < R; ++r) {
              const VF value =
                  ReadAs<decltype(value_row)::value>(values.data, at + r, stride, lane + v * n);
              sums[r][v] = hn::MulAdd(weight, value, sums[r][v]);
            }
          }
        }
        for (int r = 0; r < R; ++r) {
          for (int v = 0; v < V; ++v) {
            hn::Store(sums[r][v], d, out + (c + r) * stride + lane + v * n);
          }
        }
      });
    });
  });
}

void SoftmaxPanel(const float* in, uint32_t events, float* out, PanelShape shape) {
  const DF d;
  constexpr uint32_t n = HWY_MAX_LANES_D(DF);
  constexpr int N = kVectorsTogether;
  if (events == 0) return;
  for (uint32_t lane = 0; lane < shape.lanes; lane += N * n) {
    const auto load = [=](const float* from, uint32_t e, VF(&x)[N]) HWY_ATTR {
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        x[i] = hn::Load(d, from + size_t{e} * shape.stride + lane + i * n);
      }
    };
    const auto store = [=](const VF(&x)[N], uint32_t e) HWY_ATTR {
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        hn::Store(x[i], d, out + size_t{e} * shape.stride + lane + i * n);
      }
    };
    VF most[N], sum[N], x[N];
    load(in, 0, most);
    for (uint32_t e = 1; e < events; ++e) {
      load(in, e, x);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) most[i] = hn::Max(most[i], x[i]);
    }
    for (int i = 0; i < N; ++i) sum[i] = hn::Zero(d);
    for (uint32_t e = 0; e < events; ++e) {
      load(in, e, x);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) x[i] = hn::Sub(x[i], most[i]);
      ExpsOfNonPositive(x);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) sum[i] = hn::Add(sum[i], x[i]);
      store(x, e);
    }
    for (int i = 0; i < N; ++i) sum[i] = hn::Div(hn::Set(d, 1.0f), sum[i]);
    for (uint32_t e = 0; e < events; ++e) {
      load(out, e, x);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) x[i] = hn::Mul(x[i], sum[i]);
      store(x, e);
    }
  }
}

void NormalizePanel(const PanelOperand& in, uint32_t width, float* out, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    VF sum = hn::Zero(d);
    for (uint32_t c = 0; c < width; ++c) {
      const VF x = Read(in, c, size_t{c} * shape.stride + lane);
      sum = hn::Add(sum, hn::Mul(x, x));
    }
    // Of two operands of which one is NaN, x86's maximum is the second.
    const VF square = hn::Max(hn::Set(d, 1e-24f), sum);
    const VF inverse = hn::Div(hn::Sqrt(square), square);
    for (uint32_t c = 0; c < width; ++c) {
      const size_t at = size_t{c} * shape.stride + lane;
      hn::Store(hn::Mul(Read(in, c, at), inverse), d, out + at);
    }
  }
}

void AddWeightedRows(const float* weights, const float* values, size_t value_stride,
                     uint32_t events, uint32_t width, float* out, PanelShape shape) {
  const DF d;
  const size_t n = hn::Lanes(d);
  // A dense layer whose weights are the values, column by column.
  ForEachVectorGroup(shape.lanes, [&](uint32_t lane, auto vectors) HWY_ATTR {
    constexpr int V = decltype(vectors)::value;
    ForEachOutputBlock(width, [&](uint32_t c, auto outputs) HWY_ATTR {
      constexpr int R = decltype(outputs)::value;
      float* to = out + size_t{c} * shape.stride + lane;
      DenseBlock<R, V>(
          values + c, 1, value_stride, events, weights + lane, shape.stride,
          [&](int r, int v) HWY_ATTR { return hn::Load(d, to + r * shape.stride + v * n); },
          [&](int r, int v, VF sum) HWY_ATTR { hn::Store(sum, d, to + r * shape.stride + v * n); });
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(ShapeOfPanel);
HWY_EXPORT(CopyPanel);
HWY_EXPORT(AddPanel);
HWY_EXPORT(MultiplyPanels);
HWY_EXPORT(BiInteractionPanel);
HWY_EXPORT(InnerProductPanels);
HWY_EXPORT(WeightedSumPanels);
HWY_EXPORT(SoftmaxPanel);
HWY_EXPORT(NormalizePanel);
HWY_EXPORT(AddWeightedRows);

PanelShape ShapeOfPanel(uint32_t candidates, uint32_t panel, uint32_t stride) {
  return HWY_DYNAMIC_DISPATCH(ShapeOfPanel)(candidates, panel, stride);
}

void CopyPanel(const PanelOperand& a, uint32_t width, float* out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(CopyPanel)(a, width, out, shape);
}

void AddPanel(const PanelOperand& a, uint32_t width, float* out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(AddPanel)(a, width, out, shape);
}

void MultiplyPanels(const PanelOperand& a, const PanelOperand& b, uint32_t width, float* out,
                    PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(MultiplyPanels)(a, b, width, out, shape);
}

void BiInteractionPanel(const PanelOperand& sum, const PanelOperand& squares, uint32_t width,
                        float* out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(BiInteractionPanel)(sum, squares, width, out, shape);
}

void InnerProductPanels(const PanelOperand& a, const PanelOperand& b, uint32_t width,
                        uint32_t groups, float* out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(InnerProductPanels)(a, b, width, groups, out, shape);
}

void WeightedSumPanels(const PanelOperand& weights, const PanelOperand& values, uint32_t count,
                       uint32_t width, float* out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(WeightedSumPanels)(weights, values, count, width, out, shape);
}

void SoftmaxPanel(const float* in, uint32_t events, float* out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(SoftmaxPanel)(in, events, out, shape);
}

void NormalizePanel(const PanelOperand& in, uint32_t width, float* out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(NormalizePanel)(in, width, out, shape);
}

void AddWeightedRows(const float* weights, const float* values, size_t value_stride,
                     uint32_t events, uint32_t width, float* out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(AddWeightedRows)
  (weights, values, value_stride, events, width, out, shape);
}

}  // namespace handpick
#endif  // HWY_ONCE
