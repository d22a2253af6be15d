#include "sdk/base/utf8.h"

#include <cstdint>
#include <cstring>

namespace handpick {
namespace {

constexpr size_t kMostShown = 64;

bool Continues(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

// Bytes of the character that `text` begins with; 0: it is a control character or no UTF-8 (too
// long a form, a surrogate, beyond U+10FFFF, cut).
size_t CharacterSize(const char* text, size_t size) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return first < 0x20 || first == 0x7F ? 0 : 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || size < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!Continues(text[i])) return 0;
  }
  const auto second = static_cast<uint8_t>(text[1]);
  switch (first) {
    case 0xC2:
      return second < 0xA0 ? 0 : length;  // U+0080 to U+009F: controls.
    case 0xE0:
      return second < 0xA0 ? 0 : length;
    case 0xED:
      return second > 0x9F ? 0 : length;
    case 0xF0:
      return second < 0x90 ? 0 : length;
    case 0xF4:
      return second > 0x8F ? 0 : length;
    default:
      return length;
  }
}

}  // namespace

void CopyShown(const char* text, size_t size, char* shown, size_t capacity) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  size_t used = 0;
  for (size_t i = 0; i < size;) {
    const size_t whole = CharacterSize(text + i, size - i);
    const size_t needed = whole == 0 ? 4 : whole;
    if (used + needed >= capacity) break;
    if (whole == 0) {
      const auto byte = static_cast<uint8_t>(text[i]);
      const char escaped[] = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
      std::memcpy(shown + used, escaped, sizeof(escaped));
    } else {
      std::memcpy(shown + used, text + i, whole);
    }
    used += needed;
    i += whole == 0 ? 1 : whole;
  }
  shown[used] = '\0';
}

int ShownSize(const hp_string& id) {
  if (id.data == nullptr) return 0;
  if (id.size <= kMostShown) return static_cast<int>(id.size);
  size_t size = kMostShown;
  // Back to where a character begins, if one begins within its longest form.
  while (size > kMostShown - 4 && Continues(id.data[size])) --size;
  return static_cast<int>(Continues(id.data[size]) ? kMostShown : size);
}

}  // namespace handpick
