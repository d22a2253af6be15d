// Activations of panels, once for each instruction set (see panel_dense-inl.h about the guard).
#if defined(HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_
#undef HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_
#else
#define HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_
#endif

#include "hwy/highway.h"
#include "sdk/kernels/panel.h"
#include "sdk/kernels/simd_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Calls visit(f) with f(feature, vector) -> vector, the activation. NaN stays NaN.
template <typename Visit>
HWY_INLINE void WithActivation(const Activation& activation, Visit visit) {
  const DF d;
  const float* alpha = activation.alpha.data();
  switch (activation.kind) {
    case schema::ActivationKind::Linear:
      visit([](uint32_t, VF x) HWY_ATTR { return x; });
      break;
    case schema::ActivationKind::Relu:
      visit([d](uint32_t, VF x) HWY_ATTR { return AtLeast(x, hn::Zero(d)); });
      break;
    case schema::ActivationKind::Sigmoid:
      visit([](uint32_t, VF x) HWY_ATTR { return SigmoidVector(x); });
      break;
    case schema::ActivationKind::Tanh:
      visit([](uint32_t, VF x) HWY_ATTR { return TanhVector(x); });
      break;
    case schema::ActivationKind::LogSigmoid:
      visit([](uint32_t, VF x) HWY_ATTR { return LogSigmoidVector(x); });
      break;
    case schema::ActivationKind::Dice: {
      const float* scale = activation.scale.data();
      const float* shift = activation.shift.data();
      visit([=](uint32_t c, VF x) HWY_ATTR {
        const VF p = SigmoidVector(hn::MulAdd(hn::Set(d, scale[c]), x, hn::Set(d, shift[c])));
        const VF leaked = hn::Mul(hn::Set(d, alpha[c]), x);
        return hn::MulAdd(p, hn::Sub(x, leaked), leaked);
      });
      break;
    }
    case schema::ActivationKind::Prelu: {
      const uint32_t step = activation.alpha.size() == 1 ? 0 : 1;
      visit([=](uint32_t c, VF x) HWY_ATTR {
        const VF leaked = hn::Mul(hn::Set(d, alpha[c * step]), x);
        return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, leaked);
      });
      break;
    }
  }
}

// y = activation(y) for features [first, first + width) of a layer; y: the first of them.
HWY_INLINE void Activate(const Activation& activation, uint32_t first, uint32_t width, float* y,
                         PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  if (activation.kind == schema::ActivationKind::Linear) return;
  WithActivation(activation, [&](auto f) HWY_ATTR {
    for (uint32_t c = 0; c < width; ++c) {
      float* row = y + size_t{c} * shape.stride;
      for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
        hn::Store(f(first + c, hn::Load(d, row + lane)), d, row + lane);
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_PANEL_ACTIVATE_INL_H_
