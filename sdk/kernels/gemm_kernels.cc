#include "sdk/kernels/gemm_kernels.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

// Names that platforms/third_party/xnnpack.bzl gives to the kernels.
#define HANDPICK_GEMM(name)                                                                        \
  extern "C" void handpick_gemm_##name(size_t, size_t, size_t, const float*, size_t, const float*, \
                                       float*, size_t, size_t, const handpick::GemmBounds*)

#if defined(__x86_64__)
#if !defined(__ANDROID__)
HANDPICK_GEMM(1x32__avx512f_broadcast);
HANDPICK_GEMM(7x32__avx512f_broadcast);
#endif
HANDPICK_GEMM(1x16__fma3_broadcast);
HANDPICK_GEMM(5x16__fma3_broadcast);
HANDPICK_GEMM(1x16__avx_broadcast);
HANDPICK_GEMM(5x16__avx_broadcast);
HANDPICK_GEMM(1x8__sse_load1);
HANDPICK_GEMM(4x8__sse_load1);
#elif defined(__aarch64__)
HANDPICK_GEMM(1x8__asm_aarch64_neonfma_ld128_acc4);
HANDPICK_GEMM(6x8__asm_aarch64_neonfma_ld128);
HANDPICK_GEMM(6x8__asm_aarch64_neonfma_cortex_a53_prfm);
HANDPICK_GEMM(6x8__asm_aarch64_neonfma_cortex_a55);
#elif defined(__arm__)
HANDPICK_GEMM(1x8__asm_aarch32_neon_cortex_a53);
HANDPICK_GEMM(4x8__asm_aarch32_neon_cortex_a75);
#else
#error "no kernels of XNNPACK for this processor: build with --define handpick_engine=highway"
#endif

namespace handpick {
namespace {

#if defined(__x86_64__)

struct X86 {
  bool avx = false;
  bool fma3 = false;
  bool avx512f = false;
};

X86 Ask() {
  X86 has;
  uint32_t a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return has;
  // Registers that the system saves.
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  has.avx = (low & 0x06) == 0x06 && (c & bit_AVX) != 0;
  has.fma3 = has.avx && (c & bit_FMA) != 0;
  if (has.avx && (low & 0xE6) == 0xE6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
    has.avx512f = (b & bit_AVX512F) != 0;
  }
  return has;
}

#if !defined(__ANDROID__)
constexpr Gemm kAvx512 = {"avx512f", handpick_gemm_1x32__avx512f_broadcast,
                          handpick_gemm_7x32__avx512f_broadcast, 7, 32};
#endif
constexpr Gemm kFma3 = {"fma3", handpick_gemm_1x16__fma3_broadcast,
                        handpick_gemm_5x16__fma3_broadcast, 5, 16};
constexpr Gemm kAvx = {"avx", handpick_gemm_1x16__avx_broadcast, handpick_gemm_5x16__avx_broadcast,
                       5, 16};
constexpr Gemm kSse = {"sse", handpick_gemm_1x8__sse_load1, handpick_gemm_4x8__sse_load1, 4, 8};

#elif defined(__aarch64__)

constexpr Gemm kNeon = {"neonfma_ld128", handpick_gemm_1x8__asm_aarch64_neonfma_ld128_acc4,
                        handpick_gemm_6x8__asm_aarch64_neonfma_ld128, 6, 8};
// For cores that run instructions in order. They give the same bits: each output is one chain of
// fused operations in all of these, so that it does not matter on which core of a phone a model is
// opened.
constexpr Gemm kCortexA53 = {"cortex_a53", handpick_gemm_1x8__asm_aarch64_neonfma_ld128_acc4,
                             handpick_gemm_6x8__asm_aarch64_neonfma_cortex_a53_prfm, 6, 8};
constexpr Gemm kCortexA55 = {"cortex_a55", handpick_gemm_1x8__asm_aarch64_neonfma_ld128_acc4,
                             handpick_gemm_6x8__asm_aarch64_neonfma_cortex_a55, 6, 8};

// The part number of the core that this thread runs on (Arm Architecture Reference Manual,
// MIDR_EL1), or 0.
uint32_t CorePart() {
#if defined(__linux__)
  constexpr unsigned long kMayAsk = 1ul << 11;  // HWCAP_CPUID in the kernel's asm/hwcap.h.
  if ((getauxval(AT_HWCAP) & kMayAsk) != 0) {
    uint64_t midr;
    __asm__("mrs %0, midr_el1" : "=r"(midr));
    constexpr uint32_t kArm = 0x41;
    if ((midr >> 24 & 0xFF) == kArm) return midr >> 4 & 0xFFF;
  }
#endif
  return 0;
}

#else

constexpr Gemm kNeon = {"neon_cortex_a75", handpick_gemm_1x8__asm_aarch32_neon_cortex_a53,
                        handpick_gemm_4x8__asm_aarch32_neon_cortex_a75, 4, 8};

#endif

constexpr GemmBounds kUnbounded = {-INFINITY, INFINITY};

#if defined(__x86_64__)
GemmLimit limit_of_gemms = GemmLimit::kNone;
#endif

}  // namespace

#if defined(__x86_64__)
void LimitGemms(GemmLimit limit) { limit_of_gemms = limit; }
#else
void LimitGemms(GemmLimit) {}
#endif

const Gemm& ChooseGemm() {
#if defined(__x86_64__)
  if (limit_of_gemms == GemmLimit::kSse) return kSse;
  // Asked once: in a virtual machine the question alone may take as long as opening a model.
  static std::atomic<const Gemm*> chosen{nullptr};
  const Gemm* gemm = chosen.load(std::memory_order_relaxed);
  if (gemm == nullptr) {
    const X86 has = Ask();
    gemm = has.fma3 ? &kFma3 : has.avx ? &kAvx : &kSse;
#if !defined(__ANDROID__)
    if (has.avx512f) gemm = &kAvx512;
#endif
    chosen.store(gemm, std::memory_order_relaxed);
  }
#if !defined(__ANDROID__)
  if (gemm == &kAvx512 && limit_of_gemms != GemmLimit::kNone) return kFma3;
#endif
  return *gemm;
#elif defined(__aarch64__)
  switch (CorePart()) {
    case 0xD03:  // Cortex-A53
      return kCortexA53;
    case 0xD04:  // Cortex-A35
    case 0xD05:  // Cortex-A55
      return kCortexA55;
    default:
      return kNeon;
  }
#else
  return kNeon;
#endif
}

size_t RunnableGemms(const Gemm* (&gemms)[8]) {
  size_t count = 0;
#if defined(__x86_64__)
  const X86 has = Ask();
  gemms[count++] = &kSse;
  if (has.avx) gemms[count++] = &kAvx;
  if (has.fma3) gemms[count++] = &kFma3;
#if !defined(__ANDROID__)
  if (has.avx512f) gemms[count++] = &kAvx512;
#endif
#elif defined(__aarch64__)
  gemms[count++] = &kNeon;
  gemms[count++] = &kCortexA53;
  gemms[count++] = &kCortexA55;
#else
  gemms[count++] = &kNeon;
#endif
  return count;
}

uint64_t PackedGemmFloats(const Gemm& gemm, uint32_t inputs, uint32_t outputs) {
  const uint64_t blocks = (uint64_t{outputs} + gemm.block - 1) / gemm.block;
  return blocks * gemm.block * (uint64_t{inputs} + 1);
}

void PackGemmWeights(const Gemm& gemm, const float* weights, const float* bias, uint32_t inputs,
                     uint32_t outputs, float* packed) {
  for (uint32_t first = 0; first < outputs; first += gemm.block) {
    const uint32_t used = std::min(gemm.block, outputs - first);
    for (uint32_t o = 0; o < gemm.block; ++o) {
      packed[o] = o < used && bias != nullptr ? bias[first + o] : 0;
    }
    packed += gemm.block;
    for (uint32_t o = 0; o < gemm.block; ++o) {
      const float* row = weights + size_t{first + std::min(o, used - 1)} * inputs;
      for (uint32_t i = 0; i < inputs; ++i)
        packed[size_t{i} * gemm.block + o] = o < used ? row[i] : 0;
    }
    packed += size_t{inputs} * gemm.block;
  }
}

void RunGemm(const Gemm& gemm, const float* packed, uint32_t inputs, uint32_t outputs,
             const float* x, float* y, uint32_t rows) {
  const size_t x_stride = size_t{inputs} * sizeof(float);
  const size_t y_stride = size_t{outputs} * sizeof(float);
  const size_t block_stride = gemm.block * sizeof(float);
  const GemmKernel kernel = rows == 1 ? gemm.one : gemm.many;
  for (uint32_t row = 0; row < rows; row += gemm.rows) {
    kernel(std::min(gemm.rows, rows - row), outputs, x_stride, x + size_t{row} * inputs, x_stride,
           packed, y + size_t{row} * outputs, y_stride, block_stride, &kUnbounded);
  }
}

}  // namespace handpick
