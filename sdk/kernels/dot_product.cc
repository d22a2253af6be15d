#include "sdk/kernels/dot_product.h"

#include <atomic>
#include <cstddef>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace handpick {
namespace {

bool g_allowed = true;

bool Ask() {
#if defined(__ARM_FEATURE_DOTPROD)
  return true;
#elif defined(__aarch64__) && defined(__linux__)
  constexpr unsigned long kDotProduct = 1ul << 20;  // HWCAP_ASIMDDP in the kernel's asm/hwcap.h.
  return (getauxval(AT_HWCAP) & kDotProduct) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
  int has = 0;
  size_t size = sizeof(has);
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &size, nullptr, 0) == 0 && has != 0;
#else
  return false;
#endif
}

}  // namespace

bool HasDotProduct() {
  // No guard, which would be a lock: asked twice at a time, the answer is the same.
  enum : int { kNotAsked, kNo, kYes };
  static std::atomic<int> answer{kNotAsked};
  int has = answer.load(std::memory_order_relaxed);
  if (has == kNotAsked) {
    has = Ask() ? kYes : kNo;
    answer.store(has, std::memory_order_relaxed);
  }
  return has == kYes && g_allowed;
}

void SetDotProductForTest(bool allowed) { g_allowed = allowed; }

}  // namespace handpick
