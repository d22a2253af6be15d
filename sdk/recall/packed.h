// Unsigned numbers of a few bits each, one after the other.
#ifndef HANDPICK_SDK_RECALL_PACKED_H_
#define HANDPICK_SDK_RECALL_PACKED_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/types/span.h"

namespace handpick {

// Bytes behind the last number: one load takes 8 bytes, wherever it begins.
inline constexpr size_t kPackedTailBytes = 8;

// Bits of a number below `count`, at least 1.
inline uint32_t PackedBits(uint32_t count) {
  uint32_t bits = 1;
  while (bits < 32 && (uint64_t{count} - (count != 0)) >> bits != 0) ++bits;
  return bits;
}

// Bytes of `count` numbers, the tail included.
inline uint64_t PackedBytes(uint32_t count, uint32_t bits) {
  return (uint64_t{count} * bits + 7) / 8 + kPackedTailBytes;
}

// A view; the bytes are those of PackedBytes(). Without bytes, entry i is i. Entries come from a
// file: whoever reads one checks it.
class PackedNumbers {
 public:
  PackedNumbers() = default;
  PackedNumbers(absl::Span<const uint8_t> bytes, uint32_t bits)
      : bytes_(bytes.data()), bits_(bits), mask_((uint64_t{1} << bits) - 1) {
    if (bytes.empty()) bytes_ = nullptr;
  }

  bool is_identity() const { return bytes_ == nullptr; }

  // For a Get() that comes soon.
  void Prefetch(uint32_t index) const {
    if (bytes_ != nullptr) __builtin_prefetch(bytes_ + uint64_t{index} * bits_ / 8);
  }

  uint32_t Get(uint32_t index) const {
    if (bytes_ == nullptr) return index;
    const uint64_t bit = uint64_t{index} * bits_;
    uint64_t word;
    std::memcpy(&word, bytes_ + bit / 8, sizeof(word));
    return static_cast<uint32_t>((word >> (bit % 8)) & mask_);
  }

 private:
  const uint8_t* bytes_ = nullptr;
  uint32_t bits_ = 1;
  uint64_t mask_ = 1;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_PACKED_H_
