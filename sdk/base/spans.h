// Parts of spans without the C++ runtime: Span::subspan and first throw, and brings in what that
// takes.
#ifndef HANDPICK_SDK_BASE_SPANS_H_
#define HANDPICK_SDK_BASE_SPANS_H_

#include <stddef.h>

#include "absl/types/span.h"

namespace handpick {

// `span` has at least `count` elements.
template <typename T>
absl::Span<T> First(absl::Span<T> span, size_t count) {
  return absl::Span<T>(span.data(), count);
}
template <typename T>
absl::Span<T> AllButFirst(absl::Span<T> span, size_t count = 1) {
  return absl::Span<T>(span.data() + count, span.size() - count);
}

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_SPANS_H_
