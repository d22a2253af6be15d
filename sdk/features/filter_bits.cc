#include "sdk/features/filter_bits.h"

#include <algorithm>
#include <cstddef>

// Compiled once for each instruction set; the processor's best one is chosen when it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/features/filter_bits.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kWordBits = 64;

// Keeps the bits of items for which passes(tag, vector of elements) holds.
template <typename T, typename Passes>
HWY_INLINE void Keep(absl::Span<const T> column, const Passes& passes, uint64_t* bits) {
  const hn::CappedTag<T, 16> d;
  constexpr size_t kLanes = HWY_MAX_LANES_D(decltype(d));
  for (size_t word = 0; word * kWordBits < column.size(); ++word) {
    if (bits[word] == 0) continue;
    const T* from = column.data() + word * kWordBits;
    const size_t left = column.size() - word * kWordBits;
    T rest[kWordBits] = {};
    if (left < kWordBits) {
      std::copy_n(from, left, rest);
      from = rest;
    }
    uint64_t kept = 0;
    for (size_t i = 0; i < kWordBits; i += kLanes) {
      uint8_t some[8] = {};
      hn::StoreMaskBits(d, passes(d, hn::LoadU(d, from + i)), some);
      uint64_t lanes = some[0];
      if (kLanes > 8) lanes |= uint64_t{some[1]} << 8;
      kept |= lanes << i;
    }
    bits[word] &= kept;
  }
}

void KeepInRangeImpl(absl::Span<const float> numbers, float low, float high, uint64_t* bits) {
  const auto passes = [low, high](auto d, auto x) HWY_ATTR {
    return hn::And(hn::Ge(x, hn::Set(d, low)), hn::Le(x, hn::Set(d, high)));
  };
  Keep(numbers, passes, bits);
}

void KeepAnyOfImpl(absl::Span<const uint32_t> column, absl::Span<const uint32_t> rows, bool none_of,
                   uint64_t* bits) {
  const auto passes = [rows, none_of](auto d, auto x) HWY_ATTR {
    auto found = hn::MaskFalse(d);
    for (const uint32_t row : rows) found = hn::Or(found, hn::Eq(x, hn::Set(d, row)));
    return none_of ? hn::Not(found) : found;
  };
  Keep(column, passes, bits);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {
namespace {
HWY_EXPORT(KeepInRangeImpl);
HWY_EXPORT(KeepAnyOfImpl);
}  // namespace

void KeepInRange(absl::Span<const float> numbers, float low, float high, uint64_t* bits) {
  HWY_DYNAMIC_DISPATCH(KeepInRangeImpl)(numbers, low, high, bits);
}

void KeepAnyOf(absl::Span<const uint32_t> column, absl::Span<const uint32_t> rows, bool none_of,
               uint64_t* bits) {
  HWY_DYNAMIC_DISPATCH(KeepAnyOfImpl)(column, rows, none_of, bits);
}

}  // namespace handpick
#endif  // HWY_ONCE
