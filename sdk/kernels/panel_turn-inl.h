// What takes turns with a layer's inner loop, once for each instruction set (see panel_dense-inl.h
// about the guard).
#if defined(HANDPICK_SDK_KERNELS_PANEL_TURN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_PANEL_TURN_INL_H_
#undef HANDPICK_SDK_KERNELS_PANEL_TURN_INL_H_
#else
#define HANDPICK_SDK_KERNELS_PANEL_TURN_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Something else takes a turn before every so many steps of a layer's inner loop: whole loops of
// the same length are what branch predictors expect.
inline constexpr size_t kStepsOfTurn = 16;

// Where nothing else is to be done.
struct NoTurn {
  static constexpr size_t kSteps = 0;
  HWY_INLINE void operator()() const {}
};

// Whether a turn is due before step k.
template <typename Turn>
HWY_INLINE bool TurnIsDue(size_t k) {
  if constexpr (Turn::kSteps != 0) return k % Turn::kSteps == 0;
  return false;
}

// Behind the last of the steps from k on that no turn interrupts, if one was before k; kEach: what
// a step takes of k.
template <typename Turn, size_t kEach = 1>
HWY_INLINE size_t NextTurn(size_t k, size_t steps) {
  if constexpr (Turn::kSteps != 0)
    return steps - k < kEach * Turn::kSteps ? steps : k + kEach * Turn::kSteps;
  return steps;
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_PANEL_TURN_INL_H_
