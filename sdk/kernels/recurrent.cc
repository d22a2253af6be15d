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

namespace {

// Whole vectors and the rest of the units are computed alike: a unit's bits do not depend on where
// it stands.
template <typename F>
HWY_INLINE void ForEachVector(uint32_t width, F f) {
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(DF()));
  for (uint32_t i = 0; i < width; i += n) f(i, width - i < n ? width - i : n);
}

// A gate of units [i, i + valid).
HWY_INLINE VF GateOf(uint32_t gate, const float* gates, const float* state_gates, uint32_t width,
                     uint32_t i, uint32_t valid) {
  const DF d;
  const size_t at = size_t{gate} * width + i;
  return SigmoidVector(
      hn::Add(hn::LoadN(d, gates + at, valid), hn::LoadN(d, state_gates + at, valid)));
}

// What becomes of the state, `side` being tanh's argument.
HWY_INLINE void StoreNext(VF keep, VF side, const float* before, float* after, uint32_t i,
                          uint32_t valid) {
  const DF d;
  const VF h = hn::LoadN(d, before + i, valid);
  const VF next = TanhVector(side);
  hn::StoreN(hn::MulAdd(keep, hn::Sub(h, next), next), d, after + i, valid);
}

}  // namespace

void GruStep(const float* gates, const float* state_gates, const float* before, float* after,
             uint32_t width) {
  ForEachVector(width, [&](uint32_t i, uint32_t valid) HWY_ATTR {
    const DF d;
    const VF r = GateOf(0, gates, state_gates, width, i, valid);
    const VF keep = GateOf(1, gates, state_gates, width, i, valid);
    const size_t at = size_t{2} * width + i;
    const VF side =
        hn::MulAdd(r, hn::LoadN(d, state_gates + at, valid), hn::LoadN(d, gates + at, valid));
    StoreNext(keep, side, before, after, i, valid);
  });
}

void GruReset(const float* gates, const float* state_gates, const float* before, float* reset,
              uint32_t width) {
  ForEachVector(width, [&](uint32_t i, uint32_t valid) HWY_ATTR {
    const DF d;
    const VF r = GateOf(0, gates, state_gates, width, i, valid);
    hn::StoreN(hn::Mul(r, hn::LoadN(d, before + i, valid)), d, reset + i, valid);
  });
}

void GruRenew(const float* gates, const float* state_gates, const float* new_gates,
              const float* before, float* after, uint32_t width) {
  ForEachVector(width, [&](uint32_t i, uint32_t valid) HWY_ATTR {
    const DF d;
    const VF keep = GateOf(1, gates, state_gates, width, i, valid);
    const size_t at = size_t{2} * width + i;
    const VF side = hn::Add(hn::LoadN(d, new_gates + at, valid), hn::LoadN(d, gates + at, valid));
    StoreNext(keep, side, before, after, i, valid);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(GruStep);
HWY_EXPORT(GruReset);
HWY_EXPORT(GruRenew);

void GruStep(const float* gates, const float* state_gates, const float* before, float* after,
             uint32_t width) {
  HWY_DYNAMIC_DISPATCH(GruStep)(gates, state_gates, before, after, width);
}

void GruReset(const float* gates, const float* state_gates, const float* before, float* reset,
              uint32_t width) {
  HWY_DYNAMIC_DISPATCH(GruReset)(gates, state_gates, before, reset, width);
}

void GruRenew(const float* gates, const float* state_gates, const float* new_gates,
              const float* before, float* after, uint32_t width) {
  HWY_DYNAMIC_DISPATCH(GruRenew)(gates, state_gates, new_gates, before, after, width);
}

}  // namespace handpick
#endif  // HWY_ONCE
