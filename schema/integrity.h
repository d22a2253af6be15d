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
#include <initializer_list>

#include "xxhash.h"

namespace handpick::schema {

struct ByteRange {
  uint64_t offset;
  uint64_t size;
};

inline uint64_t HashOfBytes(const uint8_t* bytes, uint64_t size) {
  return XXH3_64bits(bytes, static_cast<size_t>(size));
}

// Where the two things are that the rest's hash takes for zeros. See zeroed_ranges.h.
struct ZeroedRanges {
  ByteRange rest_hash;
  ByteRange signature;
};

// Bytes [begin, end) of the file, which the rest's hash takes as they are, or for zeros.
struct RestPiece {
  uint64_t begin;
  uint64_t end;
  bool is_zero;
};

// The piece of the rest that comes next from byte `at` on; begin == end: there is none. Pieces of
// `blobs` [count], which are ascending, apart and inside of the file, are passed over. `blob`: the
// first that may lie behind `at`; at first 0.
inline RestPiece NextRestPiece(uint64_t at, uint64_t size, const ByteRange* blobs, size_t count,
                               const ZeroedRanges& zeros, size_t* blob) {
  while (*blob < count && blobs[*blob].offset <= at) {
    if (blobs[*blob].size != 0) at = blobs[*blob].offset + blobs[*blob].size;
    ++*blob;
  }
  RestPiece piece = {at, *blob < count ? blobs[*blob].offset : size, false};
  for (const ByteRange& range : {zeros.rest_hash, zeros.signature}) {
    if (range.size == 0) continue;
    if (at >= range.offset && at - range.offset < range.size) {
      piece.is_zero = true;
      if (range.offset + range.size < piece.end) piece.end = range.offset + range.size;
    } else if (range.offset > at && range.offset < piece.end) {
      piece.end = range.offset;
    }
  }
  return piece;
}

// Adds bytes [begin, end) of a piece to the hash.
inline void HashRestPiece(const uint8_t* file, const RestPiece& piece, XXH3_state_t* state) {
  if (!piece.is_zero) {
    XXH3_64bits_update(state, file + piece.begin, static_cast<size_t>(piece.end - piece.begin));
    return;
  }
  static constexpr uint8_t kZeros[64] = {};
  for (uint64_t left = piece.end - piece.begin; left > 0;) {
    const uint64_t some = left < sizeof(kZeros) ? left : sizeof(kZeros);
    XXH3_64bits_update(state, kZeros, static_cast<size_t>(some));
    left -= some;
  }
}

// A state on the stack. Aligned by hand: frames that gcc's address sanitizer keeps elsewhere are
// aligned to 32 bytes.
class StackHashState {
 public:
  StackHashState()
      : state_(reinterpret_cast<XXH3_state_t*>(
            memory_ + (kAlignment - reinterpret_cast<uintptr_t>(memory_) % kAlignment))) {}
  StackHashState(const StackHashState&) = delete;
  StackHashState& operator=(const StackHashState&) = delete;
  XXH3_state_t* get() { return state_; }

 private:
  static constexpr size_t kAlignment = alignof(XXH3_state_t);
  unsigned char memory_[sizeof(XXH3_state_t) + kAlignment];
  XXH3_state_t* const state_;
};

// The hash of everything outside of `blobs` [count]. Allocates nothing.
inline uint64_t HashOfRest(const uint8_t* file, uint64_t size, const ByteRange* blobs, size_t count,
                           const ZeroedRanges& zeros) {
  StackHashState state;
  XXH3_64bits_reset(state.get());
  size_t blob = 0;
  for (uint64_t at = 0; at < size;) {
    const RestPiece piece = NextRestPiece(at, size, blobs, count, zeros, &blob);
    HashRestPiece(file, piece, state.get());
    at = piece.end;
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_INTEGRITY_H_
