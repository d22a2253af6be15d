// Float16 numbers as floats, once for each instruction set (see panel_dense-inl.h about the guard).
#if defined(HANDPICK_SDK_KERNELS_HALF_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_HALF_INL_H_
#undef HANDPICK_SDK_KERNELS_HALF_INL_H_
#else
#define HANDPICK_SDK_KERNELS_HALF_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "sdk/kernels/simd_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

using DU16 = hn::Rebind<uint16_t, DF>;

// Without an instruction for it, a vector of them takes some thirty: one copy of these.
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX2
#define HANDPICK_WIDEN inline HWY_NOINLINE
#else
#define HANDPICK_WIDEN HWY_INLINE
#endif
HANDPICK_WIDEN VF WidenedHalves(hn::Vec<DU16> bits) {
  return hn::PromoteTo(DF(), hn::BitCast(hn::Rebind<hwy::float16_t, DF>(), bits));
}
#undef HANDPICK_WIDEN

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_HALF_INL_H_
