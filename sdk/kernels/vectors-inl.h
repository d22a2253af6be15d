// Vectors of floats and of whole numbers, once for each instruction set (included between
// HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, hence the unusual guard).
#if defined(HANDPICK_SDK_KERNELS_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_VECTORS_INL_H_
#undef HANDPICK_SDK_KERNELS_VECTORS_INL_H_
#else
#define HANDPICK_SDK_KERNELS_VECTORS_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::CappedTag<float, 16>;
using DI = hn::Rebind<int32_t, DF>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;

// The larger and the smaller of two numbers, and NaN where x is NaN: relu and clamps would make a
// plausible number of what overflowed. x86 takes the second operand where one is NaN.
HWY_INLINE VF AtLeast(VF x, VF least) {
#if HWY_ARCH_X86
  return hn::Max(least, x);
#elif HWY_ARCH_ARM_A64
  return VF(vmaxq_f32(x.raw, least.raw));
#elif HWY_ARCH_WASM
  return VF{wasm_f32x4_pmax(x.raw, least.raw)};  // x < least ? least : x
#else
  return hn::IfThenElse(hn::Lt(x, least), least, x);
#endif
}
HWY_INLINE VF AtMost(VF x, VF most) {
#if HWY_ARCH_X86
  return hn::Min(most, x);
#elif HWY_ARCH_ARM_A64
  return VF(vminq_f32(x.raw, most.raw));
#elif HWY_ARCH_WASM
  return VF{wasm_f32x4_pmin(x.raw, most.raw)};   // most < x ? most : x
#else
  return hn::IfThenElse(hn::Lt(most, x), most, x);
#endif
}

// Between loads that stand side by side: with clang, they stay two. A load of a pair of vectors
// keeps LLVM's Cortex-A55 from others for six cycles.
HWY_INLINE void LoadsApart() {
#if HWY_ARCH_ARM_A64 && HWY_COMPILER_CLANG
  __asm__ volatile("" ::: "memory");
#endif
}

// Vectors of lanes that are computed together. On arm64 that is a whole lane group: cores that run
// instructions in order have something to do while one waits for itself.
#if HWY_ARCH_ARM_A64
inline constexpr int kVectorsTogether = 4;
#else
inline constexpr int kVectorsTogether = 1;
#endif

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_VECTORS_INL_H_
