#include "sdk/kernels/panel.h"
#include "sdk/kernels/row_stream.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/panel_dense.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/panel_activate-inl.h"
#include "sdk/kernels/panel_dense-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

HWY_INLINE float StartOf(const DenseStart& start, uint32_t j) {
  return (start.bias != nullptr ? start.bias[j] : 0.0f) +
         (start.row != nullptr ? start.row[j] : 0.0f);
}

// Calls layer(finish), and applies the activation in its registers or afterwards.
template <typename Layer>
HWY_INLINE void RunLayer(const Activation& activation, uint32_t out, float* y, PanelShape shape,
                         Layer layer) {
  const DF d;
  if (activation.kind == schema::ActivationKind::Relu) {
    layer([d](uint32_t, VF sum) HWY_ATTR { return AtLeast(sum, hn::Zero(d)); });
    return;
  }
  layer([](uint32_t, VF sum) HWY_ATTR { return sum; });
  Activate(activation, 0, out, y, shape);
}

struct StreamTurn {
  static constexpr size_t kSteps = kStepsOfTurn;
  HWY_INLINE void operator()() const { stream->Turn(); }
  RowStream* stream;
};

void DensePanelInt8(const Int8Weights& weights, uint32_t in, uint32_t out, const DenseStart& start,
                    const Activation& activation, const Int8Panel& x, float* y, PanelShape shape,
                    RowStream* next) {
  RowStream none;
  RowStream& stream = next == nullptr ? none : *next;
  const auto begin = [&](uint32_t j) HWY_ATTR { return StartOf(start, j); };
  RunLayer(activation, out, y, shape, [&](auto finish) HWY_ATTR {
    Int8Layer(weights, in, out, begin, x, y, shape, finish, StreamTurn{&stream});
  });
}

void ActivatePanel(const Activation& activation, uint32_t width, float* y, PanelShape shape) {
  Activate(activation, 0, width, y, shape);
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(DensePanelInt8);
HWY_EXPORT(ActivatePanel);

void DensePanelInt8(const Int8Weights& weights, uint32_t in, uint32_t out, const DenseStart& start,
                    const Activation& activation, const Int8Panel& x, float* y, PanelShape shape,
                    RowStream* next) {
  HWY_DYNAMIC_DISPATCH(DensePanelInt8)(weights, in, out, start, activation, x, y, shape, next);
}

void ActivatePanel(const Activation& activation, uint32_t width, float* y, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(ActivatePanel)(activation, width, y, shape);
}

}  // namespace handpick
#endif  // HWY_ONCE
