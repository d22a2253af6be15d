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

// Bit i is lane i of at most 16 of 32 bits.
template <class D, class M = hn::Mask<D>>
HWY_INLINE uint64_t BitsOf(D d, M mask) {
#if HWY_TARGET == HWY_AVX2
  // Highway's own go through memory.
  const hn::RebindToFloat<D> df;
  return static_cast<uint32_t>(_mm256_movemask_ps(hn::BitCast(df, hn::VecFromMask(d, mask)).raw));
#elif HWY_ARCH_X86 && HWY_TARGET < HWY_AVX2
  (void)d;
  return mask.raw;
#else
  uint8_t some[8] = {};
  hn::StoreMaskBits(d, mask, some);
  uint64_t lanes = some[0];
  if (HWY_MAX_LANES_D(D) > 8) lanes |= uint64_t{some[1]} << 8;
  return lanes;
#endif
}

// Those of a word's items for which passes(tag, vector of elements) holds.
template <typename T, typename Passes>
HWY_INLINE uint64_t Passing(const T* from, const Passes& passes) {
  const hn::CappedTag<T, 16> d;
  constexpr size_t kLanes = HWY_MAX_LANES_D(decltype(d));
  uint64_t kept = 0;
  for (size_t i = 0; i < kWordBits; i += kLanes) {
    kept |= BitsOf(d, passes(d, hn::LoadU(d, from + i))) << i;
  }
  return kept;
}

// Keeps the bits of items that pass.
template <typename T, typename Passes>
HWY_INLINE void Keep(absl::Span<const T> column, const Passes& passes, uint64_t* bits) {
  const size_t words = column.size() / kWordBits;
  for (size_t word = 0; word < words; ++word) {
    if (bits[word] != 0) bits[word] &= Passing(column.data() + word * kWordBits, passes);
  }
  const size_t left = column.size() % kWordBits;
  if (left == 0) return;
  T rest[kWordBits] = {};
  std::copy_n(column.data() + words * kWordBits, left, rest);
  bits[words] &= Passing(rest, passes);
}

void KeepInRangeImpl(absl::Span<const float> numbers, float low, float high, uint64_t* bits) {
  const auto passes = [low, high](auto d, auto x) HWY_ATTR {
    return hn::And(hn::Ge(x, hn::Set(d, low)), hn::Le(x, hn::Set(d, high)));
  };
  Keep(numbers, passes, bits);
}

void KeepAnyOfImpl(absl::Span<const uint32_t> column, absl::Span<const uint32_t> rows, bool none_of,
                   uint64_t* bits) {
  // The first few are held in registers, and the first one fills up.
  constexpr size_t kHeld = 4;
  const hn::CappedTag<uint32_t, 16> d;
  const auto held = [rows, d](size_t i)
                        HWY_ATTR { return hn::Set(d, rows[i < rows.size() ? i : 0]); };
  const auto a = held(0), b = held(1), c = held(2), e = held(3);
  const absl::Span<const uint32_t> others =
      rows.size() > kHeld ? rows.subspan(kHeld) : absl::Span<const uint32_t>();
  const auto passes = [&](auto tag, auto x) HWY_ATTR {
    auto found = hn::Or(hn::Or(hn::Eq(x, a), hn::Eq(x, b)), hn::Or(hn::Eq(x, c), hn::Eq(x, e)));
    for (const uint32_t row : others) found = hn::Or(found, hn::Eq(x, hn::Set(tag, row)));
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
  if (rows.empty()) {
    if (!none_of) std::fill_n(bits, (column.size() + 63) / 64, uint64_t{0});
    return;
  }
  HWY_DYNAMIC_DISPATCH(KeepAnyOfImpl)(column, rows, none_of, bits);
}

}  // namespace handpick
#endif  // HWY_ONCE
