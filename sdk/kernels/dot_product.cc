#include "sdk/kernels/dot_product.h"

#include <algorithm>
#include <atomic>
#include <cstddef>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace handpick {
namespace {

ByteProducts g_most = ByteProducts::kMatrix;

#if defined(__aarch64__) && defined(__APPLE__)
bool Has(const char* feature) {
  int has = 0;
  size_t size = sizeof(has);
  return sysctlbyname(feature, &has, &size, nullptr, 0) == 0 && has != 0;
}
#endif

ByteProducts Ask() {
#if defined(__aarch64__) && defined(__linux__)
  // HWCAP_ASIMDDP and HWCAP2_I8MM in the kernel's asm/hwcap.h.
  constexpr unsigned long kDotProduct = 1ul << 20;
  constexpr unsigned long kMatrixProduct = 1ul << 13;
  if ((getauxval(AT_HWCAP) & kDotProduct) == 0) return ByteProducts::kLong;
  const bool matrix = (getauxval(AT_HWCAP2) & kMatrixProduct) != 0;
  return matrix ? ByteProducts::kMatrix : ByteProducts::kDot;
#elif defined(__aarch64__) && defined(__APPLE__)
  if (!Has("hw.optional.arm.FEAT_DotProd")) return ByteProducts::kLong;
  return Has("hw.optional.arm.FEAT_I8MM") ? ByteProducts::kMatrix : ByteProducts::kDot;
#else
  return ByteProducts::kLong;
#endif
}

}  // namespace

ByteProducts MostByteProducts() {
  // No guard, which would be a lock: asked twice at a time, the answer is the same.
  constexpr int kNotAsked = -1;
  static std::atomic<int> answer{kNotAsked};
  int most = answer.load(std::memory_order_relaxed);
  if (most == kNotAsked) {
    most = static_cast<int>(Ask());
    answer.store(most, std::memory_order_relaxed);
  }
  return std::min(static_cast<ByteProducts>(most), g_most);
}

void LimitByteProductsForTest(ByteProducts most) { g_most = most; }

}  // namespace handpick
