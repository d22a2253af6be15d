// Conditions on whole columns, with SIMD: a bit for each item.
#ifndef HANDPICK_SDK_FEATURES_FILTER_BITS_H_
#define HANDPICK_SDK_FEATURES_FILTER_BITS_H_

#include <cstdint>

#include "absl/types/span.h"

namespace handpick {

// Ids that KeepAnyOf() compares with, at most.
inline constexpr uint32_t kMaxComparedRows = 8;

// `bits`: bit i % 64 of word i / 64 is item i's, [size / 64, rounded up]. Those of items that fail
// are cleared; none is set. Bits behind the last item have no meaning.

// low <= number <= high; a NaN fails.
void KeepInRange(absl::Span<const float> numbers, float low, float high, uint64_t* bits);

// The item's row is one of `rows` (at most kMaxComparedRows), or with `none_of` is none of them.
void KeepAnyOf(absl::Span<const uint32_t> column, absl::Span<const uint32_t> rows, bool none_of,
               uint64_t* bits);

}  // namespace handpick

#endif  // HANDPICK_SDK_FEATURES_FILTER_BITS_H_
