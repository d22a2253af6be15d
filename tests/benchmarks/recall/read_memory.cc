#include "tests/benchmarks/recall/read_memory.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/benchmarks/recall/read_memory.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace handpick::benchmarks {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

uint64_t Read(const uint8_t* data, size_t bytes) {
  const hn::CappedTag<uint64_t, 8> d;
  const size_t step = hn::Lanes(d) * sizeof(uint64_t);
  auto a = hn::Zero(d);
  auto b = hn::Zero(d);
  auto c = hn::Zero(d);
  auto e = hn::Zero(d);
  for (size_t at = 0; at + 4 * step <= bytes; at += 4 * step) {
    const auto* words = reinterpret_cast<const uint64_t*>(data + at);
    a = hn::Add(a, hn::LoadU(d, words));
    b = hn::Add(b, hn::LoadU(d, words + hn::Lanes(d)));
    c = hn::Add(c, hn::LoadU(d, words + 2 * hn::Lanes(d)));
    e = hn::Add(e, hn::LoadU(d, words + 3 * hn::Lanes(d)));
  }
  return hn::ReduceSum(d, hn::Add(hn::Add(a, b), hn::Add(c, e)));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace handpick::benchmarks
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick::benchmarks {
HWY_EXPORT(Read);
uint64_t ReadMemory(const uint8_t* data, size_t bytes) {
  return HWY_DYNAMIC_DISPATCH(Read)(data, bytes);
}
}  // namespace handpick::benchmarks
#endif  // HWY_ONCE
