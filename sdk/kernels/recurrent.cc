#include "sdk/kernels/recurrent.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/recurrent.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/simd_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

void GruStep(const float* gates, const float* state_gates, const float* before, float* after,
             uint32_t width) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  // Whole vectors and the rest of the units are computed alike: a unit's bits do not depend on
  // where it stands.
  for (uint32_t i = 0; i < width; i += n) {
    const uint32_t valid = width - i < n ? width - i : n;
    const auto load = [&](const float* from) HWY_ATTR { return hn::LoadN(d, from + i, valid); };
    const auto sum = [&](uint32_t gate) HWY_ATTR {
      return hn::Add(load(gates + size_t{gate} * width), load(state_gates + size_t{gate} * width));
    };
    const VF h = load(before);
    const VF r = SigmoidVector(sum(0));
    const VF keep = SigmoidVector(sum(1));
    const VF side =
        hn::MulAdd(r, load(state_gates + size_t{2} * width), load(gates + size_t{2} * width));
    const VF next = TanhVector(side);
    hn::StoreN(hn::MulAdd(keep, hn::Sub(h, next), next), d, after + i, valid);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(GruStep);

void GruStep(const float* gates, const float* state_gates, const float* before, float* after,
             uint32_t width) {
  HWY_DYNAMIC_DISPATCH(GruStep)(gates, state_gates, before, after, width);
}

}  // namespace handpick
#endif  // HWY_ONCE
