// The hashes of a bundle's bytes (schema::Integrity): which bytes each of them covers. Written by
// the converter, checked by the runtime.
//
//   | ... | blob 0 | ... | blob 1 | ... | rest | ... | signature | ... |
//
// Every byte is covered once: those of a blob by its own hash, all others, one after the other, by
// `rest`, for which its own 8 bytes and those of the signature are zeros.
#ifndef HANDPICK_SCHEMA_INTEGRITY_H_
#define HANDPICK_SCHEMA_INTEGRITY_H_

#include <cstddef>
#include <cstdint>

#include "schema/bundle_generated.h"
#include "xxhash.h"

namespace handpick::schema {

struct ByteRange {
  uint64_t offset;
  uint64_t size;
};

inline uint64_t HashOfBytes(const uint8_t* bytes, uint64_t size) {
  return XXH3_64bits(bytes, static_cast<size_t>(size));
}

// Where the two things are that the rest's hash takes for zeros. `integrity` lies in `file`.
struct ZeroedRanges {
  ByteRange rest_hash;
  ByteRange signature;
};

inline ZeroedRanges ZeroedRangesOf(const uint8_t* file, const Bundle& bundle) {
  ZeroedRanges zeros = {};
  const Integrity& integrity = *bundle.integrity();
  if (integrity.rest() != nullptr) {
    const auto* at = reinterpret_cast<const uint8_t*>(integrity.rest());
    zeros.rest_hash = {static_cast<uint64_t>(at - file), sizeof(uint64_t)};
  }
  if (bundle.signature() != nullptr && bundle.signature()->bytes() != nullptr) {
    const auto& bytes = *bundle.signature()->bytes();
    zeros.signature = {static_cast<uint64_t>(bytes.data() - file), bytes.size()};
  }
  return zeros;
}

// The hash of everything outside of `blobs` [count], which are ascending, apart and inside of the
// file. Allocates nothing.
inline uint64_t HashOfRest(const uint8_t* file, uint64_t size, const ByteRange* blobs, size_t count,
                           const ZeroedRanges& zeros) {
  // Aligned by hand: frames that gcc's address sanitizer keeps elsewhere are aligned to 32 bytes.
  constexpr size_t kAlignment = alignof(XXH3_state_t);
  unsigned char memory[sizeof(XXH3_state_t) + kAlignment];
  const size_t beyond = reinterpret_cast<uintptr_t>(memory) % kAlignment;
  auto* state = reinterpret_cast<XXH3_state_t*>(memory + kAlignment - beyond);
  XXH3_64bits_reset(state);
  const ByteRange none = {size, 0};
  uint64_t at = 0;
  size_t blob = 0;
  // From one border to the next: bytes of a blob are passed over, those of zeros become zeros.
  while (at < size) {
    const ByteRange next_blob = blob < count ? blobs[blob] : none;
    if (at == next_blob.offset && next_blob.size != 0) {
      at += next_blob.size;
      ++blob;
      continue;
    }
    if (blob < count && next_blob.size == 0 && at >= next_blob.offset) {
      ++blob;
      continue;
    }
    uint64_t end = next_blob.offset;
    bool is_zero = false;
    for (const ByteRange& range : {zeros.rest_hash, zeros.signature}) {
      if (range.size == 0) continue;
      if (at >= range.offset && at - range.offset < range.size) {
        is_zero = true;
        if (range.offset + range.size < end) end = range.offset + range.size;
      } else if (range.offset > at && range.offset < end) {
        end = range.offset;
      }
    }
    if (is_zero) {
      static constexpr uint8_t kZeros[64] = {};
      for (uint64_t left = end - at; left > 0;) {
        const uint64_t some = left < sizeof(kZeros) ? left : sizeof(kZeros);
        XXH3_64bits_update(state, kZeros, static_cast<size_t>(some));
        left -= some;
      }
    } else {
      XXH3_64bits_update(state, file + at, static_cast<size_t>(end - at));
    }
    at = end;
  }
  return XXH3_64bits_digest(state);
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_INTEGRITY_H_
