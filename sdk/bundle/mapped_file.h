// The bytes of a bundle: of a file, mapped read-only or copied, or of the caller.
#ifndef HANDPICK_SDK_BUNDLE_MAPPED_FILE_H_
#define HANDPICK_SDK_BUNDLE_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>

#include "handpick/handpick.h"

namespace handpick {

struct BundleBytes {
  const void* data = nullptr;
  size_t size = 0;
  // What ReleaseBytes gives back: a mapping, which begins at a page, or `size` bytes of the
  // allocator's. Neither: the bytes are the caller's.
  void* mapping = nullptr;
  size_t mapping_size = 0;
  void* copy = nullptr;
};

// Whether bytes are copied, and what takes the copy.
struct CopyTo {
  bool always;  // Or only where they can't be used in place.
  const hp_allocator* allocator;
  uint64_t max_bytes;
};

// The bytes of a file. They are copied into the allocator's memory, or mapped.
// HP_OUT_OF_MEMORY: the copy would have more than `max_bytes`. HP_FILE_ERROR has
// the path and the system's reason; no file makes it wait (a pipe without a writer, say).
hp_status ReadFile(const char* path, const CopyTo& copy, BundleBytes* bytes, hp_error* error);

// The same of bytes [offset, offset + length) of an open file; length -1: up to its end. The
// descriptor stays the caller's, and its position is what it was. They are copied also where
// `offset` is no multiple of HP_ALIGNMENT: a mapping would be misaligned.
hp_status ReadDescriptor(int descriptor, int64_t offset, int64_t length, const CopyTo& copy,
                         BundleBytes* bytes, hp_error* error);

// A copy of bytes in memory.
hp_status CopyBuffer(const void* data, size_t size, const CopyTo& copy, BundleBytes* bytes,
                     hp_error* error);

// `allocator`: that which they were read with.
void ReleaseBytes(const BundleBytes& bytes, const hp_allocator& allocator);

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_MAPPED_FILE_H_
