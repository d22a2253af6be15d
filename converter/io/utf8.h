#ifndef HANDPICK_CONVERTER_IO_UTF8_H_
#define HANDPICK_CONVERTER_IO_UTF8_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace handpick::converter {

// Whether a text is UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool IsUtf8(absl::string_view text);

// What is wrong with a string as an id: "is empty", "is no UTF-8", "has control characters". Null:
// nothing.
const char* FaultOfId(absl::string_view id);

// Appends a character. False, and nothing is appended, if there is none of that number.
bool AppendUtf8(uint32_t character, std::string* text);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_UTF8_H_
