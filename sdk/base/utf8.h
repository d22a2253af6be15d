// Text that came from outside, made fit to be shown.
#ifndef HANDPICK_SDK_BASE_UTF8_H_
#define HANDPICK_SDK_BASE_UTF8_H_

#include <cstddef>

#include "handpick/handpick.h"

namespace handpick {

// Copies what fits of the first `size` bytes of `text` into `shown` [capacity, at least 1], ended
// by a zero. Control characters, and bytes that are no UTF-8, become \xNN; nothing is cut in two.
void CopyShown(const char* text, size_t size, char* shown, size_t capacity);

// For "%.*s": how many bytes of an id are shown, at most 64, of which the last character is whole;
// and the bytes, never null.
int ShownSize(const hp_string& id);
inline const char* ShownData(const hp_string& id) { return id.data == nullptr ? "" : id.data; }

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_UTF8_H_
