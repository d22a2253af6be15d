// Activations of panels.
#include "sdk/kernels/panel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/panel_activate.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/panel_activate-inl.h"
#include "sdk/kernels/simd_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

// Calls visit(f) with f(feature, vector) -> vector, the activation.
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

#if HWY_ARCH_ARM_A64
// Lane group by lane group, step by step.
void SigmoidsOfRows(uint32_t width, float* y, PanelShape shape) {
  const DF d;
  constexpr int N = kVectorsTogether;
  constexpr size_t n = HWY_MAX_LANES_D(DF);
  static_assert(N * n == kLaneGroup, "whole lane groups");
  const Sigmoids<kExact> sigmoids;
  for (uint32_t c = 0; c < width; ++c) {
    float* row = y + size_t{c} * shape.stride;
    for (uint32_t lane = 0; lane < shape.lanes; lane += N * n) {
      VF x[N], q[N];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        x[i] = hn::Load(d, row + lane + i * n);
        LoadsApart();
      }
      sigmoids.Start(x, q);
      sigmoids.FinishPlus(x, q, kFourHalves);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) hn::Store(x[i], d, row + lane + i * n);
    }
  }
}
#endif

}  // namespace

void Activate(const Activation& activation, uint32_t first, uint32_t width, float* y,
              PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  if (activation.kind == schema::ActivationKind::Linear) return;
#if HWY_ARCH_ARM_A64
  if (activation.kind == schema::ActivationKind::Sigmoid) return SigmoidsOfRows(width, y, shape);
#endif
  constexpr int N = kVectorsTogether;
  WithActivation(activation, [&](auto f) HWY_ATTR {
    for (uint32_t c = 0; c < width; ++c) {
      float* row = y + size_t{c} * shape.stride;
      for (uint32_t lane = 0; lane < shape.lanes; lane += N * n) {
        VF x[N];
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i) x[i] = hn::Load(d, row + lane + i * n);
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i) x[i] = f(first + c, x[i]);
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i) hn::Store(x[i], d, row + lane + i * n);
      }
    }
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

HWY_EXPORT(ActivatePanel);

void ActivatePanel(const Activation& activation, uint32_t width, float* y, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(ActivatePanel)(activation, width, y, shape);
}

}  // namespace handpick
#endif  // HWY_ONCE
