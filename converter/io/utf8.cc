#include "converter/io/utf8.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace handpick::converter {
namespace {

constexpr uint32_t kMost = 0x10FFFF;

bool IsSurrogate(uint32_t character) { return character >= 0xD800 && character <= 0xDFFF; }

}  // namespace

bool IsUtf8(absl::string_view text) {
  // The least character of a sequence with so many bytes behind the first.
  constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    if (first < 0x80) continue;
    const size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC0 || first >= 0xF8 || text.size() - i < more) return false;
    uint32_t character = first & (0x3Fu >> more);
    for (size_t j = 0; j < more; ++j) {
      const auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xC0) != 0x80) return false;
      character = character << 6 | (next & 0x3F);
    }
    if (character < kLeast[more] || character > kMost || IsSurrogate(character)) return false;
  }
  return true;
}

const char* FaultOfId(absl::string_view id) {
  if (id.empty()) return "is empty";
  if (!IsUtf8(id)) return "is no UTF-8";
  const bool has_controls = std::any_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  return has_controls ? "has control characters" : nullptr;
}

bool AppendUtf8(uint32_t character, std::string* text) {
  if (character > kMost || IsSurrogate(character)) return false;
  const auto append = [text](uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (character < 0x80) {
    append(character);
    return true;
  }
  // As many bytes follow as the first one has ones behind its first.
  size_t more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  append(((0xFFu << (7 - more)) & 0xFFu) | character >> (6 * more));
  while (more-- > 0) append(0x80 | (character >> (6 * more) & 0x3F));
  return true;
}

}  // namespace handpick::converter
