#include "sdk/kernels/panel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/panel_quantize.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/panel_quantize-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

void QuantizePanel(const float* x, uint32_t width, const Int8Panel& out, PanelShape shape) {
  Quantize(x, width, out, shape);
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(QuantizePanel);

void QuantizePanel(const float* x, uint32_t width, const Int8Panel& out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(QuantizePanel)(x, width, out, shape);
}

}  // namespace handpick
#endif  // HWY_ONCE
