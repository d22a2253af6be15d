// Activations of panels, once for each instruction set (see panel_dense-inl.h about the guard).
#if defined(HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_
#undef HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_
#else
#define HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "sdk/kernels/panel.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// y = activation(y) for features [first, first + width) of a layer; y: the first of them. NaN stays
// NaN. Not inline: each caller would have all activations once more.
void Activate(const Activation& activation, uint32_t first, uint32_t width, float* y,
              PanelShape shape);

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_
