// The file that turns one version of a bundle into the next: which bytes of the old one are copied,
// and which are new.
//
// A header, then steps up to the end of the new file. A step is three numbers and the new bytes:
//   where to copy from: how far behind the end of the last step's copy (which may be before it, so
//     the sign is in the lowest bit);
//   how many bytes to copy;
//   how many new bytes follow in the file.
// Numbers are in base 128, the lowest seven bits first, the highest bit set in all bytes but the
// last.
#ifndef HANDPICK_SCHEMA_DELTA_H_
#define HANDPICK_SCHEMA_DELTA_H_

#include <cstddef>
#include <cstdint>

namespace handpick::schema {

inline constexpr char kDeltaMagic[8] = {'H', 'P', 'D', 'E', 'L', 'T', 'A', '1'};

// Little-endian, as bundles are.
struct DeltaHeader {
  char magic[8];
  uint64_t old_size;
  uint64_t new_size;
  uint64_t old_xxh3;  // XXH3, 64 bits, of the whole files.
  uint64_t new_xxh3;
  uint64_t delta_size;  // Of this file.
};
static_assert(sizeof(DeltaHeader) == 48, "without gaps");

// Both files are bundles.
inline constexpr uint64_t kMaxDeltaFile = (uint64_t{1} << 31) - 1;

inline constexpr size_t kMaxDeltaNumber = 5;  // Bytes of a number: it is below 2^35.

// Writes a number, and returns how many bytes it takes.
inline size_t WriteDeltaNumber(uint64_t number, uint8_t* to) {
  size_t size = 0;
  while (number >= 128) {
    to[size++] = static_cast<uint8_t>(number | 128);
    number >>= 7;
  }
  to[size++] = static_cast<uint8_t>(number);
  return size;
}

inline uint64_t SignedDeltaNumber(int64_t distance) {
  return distance < 0 ? (static_cast<uint64_t>(-(distance + 1)) << 1) | 1
                      : static_cast<uint64_t>(distance) << 1;
}
inline int64_t DistanceOf(uint64_t number) {
  const int64_t size = static_cast<int64_t>(number >> 1);
  return (number & 1) != 0 ? -size - 1 : size;
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_DELTA_H_
