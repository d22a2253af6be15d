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

#if HWY_TARGET == HWY_AVX2
// Bit i: passes(tag, vector of elements) holds for lane i of four vectors. Masks become bytes
// first: fewer instructions than moving the bits of each.
template <typename T, typename Passes>
HWY_INLINE uint64_t SomePassing(const T* from, const Passes& passes) {
  const hn::CappedTag<T, 16> d;
  const hn::RebindToSigned<decltype(d)> d32;
  const hn::Repartition<int16_t, decltype(d)> d16;
  const hn::Repartition<int8_t, decltype(d)> d8;
  const auto mask = [&](size_t i) HWY_ATTR {
    const auto x = hn::LoadU(d, from + i * hn::Lanes(d));
    return hn::BitCast(d32, hn::VecFromMask(d, passes(d, x)));
  };
  const auto mixed = hn::ReorderDemote2To(d8, hn::ReorderDemote2To(d16, mask(0), mask(1)),
                                          hn::ReorderDemote2To(d16, mask(2), mask(3)));
  // Four bytes of each vector's lower block, then of each one's upper.
  alignas(32) constexpr int32_t kOrder[] = {0, 4, 1, 5, 2, 6, 3, 7};
  const auto bytes =
      hn::TableLookupLanes(hn::BitCast(d32, mixed), hn::SetTableIndices(d32, kOrder));
  uint32_t bits = 0;
  hn::StoreMaskBits(d8, hn::MaskFromVec(hn::BitCast(d8, bytes)), reinterpret_cast<uint8_t*>(&bits));
  return bits;
}
#else
// Bit i: passes(tag, vector of elements) holds for lane i of a vector.
template <typename T, typename Passes>
HWY_INLINE uint64_t SomePassing(const T* from, const Passes& passes) {
  const hn::CappedTag<T, 16> d;
  const auto mask = passes(d, hn::LoadU(d, from));
#if HWY_ARCH_X86 && HWY_TARGET < HWY_AVX2
  return mask.raw;
#else
  uint8_t some[8] = {};
  hn::StoreMaskBits(d, mask, some);
  uint64_t lanes = some[0];
  if (HWY_MAX_LANES_D(decltype(d)) > 8) lanes |= uint64_t{some[1]} << 8;
  return lanes;
#endif
}
#endif

// Those of a word's items for which passes(tag, vector of elements) holds.
template <typename T, typename Passes>
HWY_INLINE uint64_t Passing(const T* from, const Passes& passes) {
  const hn::CappedTag<T, 16> d;
  constexpr size_t kLanes = HWY_MAX_LANES_D(decltype(d));
  constexpr size_t kSome = HWY_TARGET == HWY_AVX2 ? 4 * kLanes : kLanes;
  uint64_t kept = 0;
  for (size_t i = 0; i < kWordBits; i += kSome) kept |= SomePassing(from + i, passes) << i;
  return kept;
}

// Keeps the bits of items that pass; with all bits of `flip` set, of those that do not.
template <typename T, typename Passes>
HWY_INLINE void Keep(absl::Span<const T> column, uint64_t flip, const Passes& passes,
                     uint64_t* bits) {
  T rest[kWordBits] = {};
  const size_t words = (column.size() + kWordBits - 1) / kWordBits;
  for (size_t word = 0; word < words; ++word) {
    if (bits[word] == 0) continue;
    const T* from = column.data() + word * kWordBits;
    const size_t left = column.size() - word * kWordBits;
    if (left < kWordBits) {
      std::copy_n(from, left, rest);
      from = rest;
    }
    bits[word] &= Passing(from, passes) ^ flip;
  }
}

void KeepInRangeImpl(absl::Span<const float> numbers, float low, float high, uint64_t* bits) {
  const auto passes = [low, high](auto d, auto x) HWY_ATTR {
    return hn::And(hn::Ge(x, hn::Set(d, low)), hn::Le(x, hn::Set(d, high)));
  };
  Keep(numbers, 0, passes, bits);
}

void KeepAnyOfImpl(absl::Span<const uint32_t> column, absl::Span<const uint32_t> rows, bool none_of,
                   uint64_t* bits) {
  const uint64_t flip = none_of ? ~uint64_t{0} : 0;
  const hn::CappedTag<uint32_t, 16> d;
  const auto a = hn::Set(d, rows[0]);
  if (rows.size() == 1) {
    Keep(
        column, flip, [&](auto, auto x) HWY_ATTR { return hn::Eq(x, a); }, bits);
    return;
  }
  // The first few are held in registers, and the first one fills up.
  constexpr size_t kHeld = 4;
  const auto held = [rows, d](size_t i)
                        HWY_ATTR { return hn::Set(d, rows[i < rows.size() ? i : 0]); };
  const auto b = held(1), c = held(2), e = held(3);
  const absl::Span<const uint32_t> others =
      rows.size() > kHeld ? rows.subspan(kHeld) : absl::Span<const uint32_t>();
  const auto passes = [&](auto tag, auto x) HWY_ATTR {
    auto found = hn::Or(hn::Or(hn::Eq(x, a), hn::Eq(x, b)), hn::Or(hn::Eq(x, c), hn::Eq(x, e)));
    for (const uint32_t row : others) found = hn::Or(found, hn::Eq(x, hn::Set(tag, row)));
    return found;
  };
  Keep(column, flip, passes, bits);
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
