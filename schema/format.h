// The version of the bundle's format, and how to read a file's without trusting it: a file of
// another major does not pass the verifier of this one.
#ifndef HANDPICK_SCHEMA_FORMAT_H_
#define HANDPICK_SCHEMA_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace handpick::schema {

// A runtime opens its own major with any minor up to its own.
inline constexpr uint16_t kFormatMajor = 2;
inline constexpr uint16_t kFormatMinor = 0;

struct FormatVersion {
  uint16_t major_version;
  uint16_t minor_version;
};

// Reads Bundle.format_major and format_minor, the first two fields of the root table in every
// format. False when the bytes do not hold them.
inline bool ReadFormatVersion(const uint8_t* bytes, size_t size, FormatVersion* version) {
  // FlatBuffers: the root table's offset; the table begins with a signed distance back to its
  // vtable; a vtable is its own size, the table's size, and an offset per field (0: left out).
  const auto read = [&](uint64_t at, size_t count, auto* to) {
    if (at > size || size - at < count) return false;
    std::memcpy(to, bytes + at, count);
    return true;
  };
  uint32_t root = 0;
  int32_t back = 0;
  uint16_t vtable_bytes = 0;
  if (!read(0, sizeof(root), &root) || !read(root, sizeof(back), &back)) return false;
  const int64_t vtable = int64_t{root} - back;
  if (vtable < 0 || !read(static_cast<uint64_t>(vtable), 2, &vtable_bytes)) return false;
  const auto field = [&](uint16_t index, uint16_t* to) {
    const uint16_t entry = static_cast<uint16_t>(4 + 2 * index);
    uint16_t offset = 0;
    *to = 0;
    if (entry + 2 > vtable_bytes) return true;
    if (!read(static_cast<uint64_t>(vtable) + entry, 2, &offset)) return false;
    return offset == 0 || read(uint64_t{root} + offset, 2, to);
  };
  return field(0, &version->major_version) && field(1, &version->minor_version);
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_FORMAT_H_
