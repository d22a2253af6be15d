// JSON as text.
#ifndef HANDPICK_CONVERTER_IO_JSON_TEXT_H_
#define HANDPICK_CONVERTER_IO_JSON_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {

// A value as text, in one line, or with so many spaces a level. Bytes that are no UTF-8, of names
// of files for one, become U+FFFD; the library's own dump() throws.
template <typename AnyJson>
std::string JsonText(const AnyJson& value, int indent = -1) {
  return value.dump(indent, ' ', false, AnyJson::error_handler_t::replace);
}

// A text as JSON, in quotes.
inline std::string JsonString(absl::string_view text) {
  return JsonText(nlohmann::json(std::string(text)));
}

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_JSON_TEXT_H_
