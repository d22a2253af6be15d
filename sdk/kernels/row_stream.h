// Embedding rows that will be read soon, asked for while a kernel computes.
//
// Rows of large tables come from memory, one after the other at best as fast as it delivers; a
// layer computes from the first cache and leaves the memory idle. A stream puts the two in the same
// time: it takes turns with the layer's inner loop, and asks for a few rows in each. Nothing that
// is computed depends on it.
#ifndef HANDPICK_SDK_KERNELS_ROW_STREAM_H_
#define HANDPICK_SDK_KERNELS_ROW_STREAM_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/types/span.h"
#include "sdk/kernels/panel.h"

namespace handpick {

// Used by one thread at a time; allocates nothing.
class RowStream {
 public:
  // Sources that are fetched from at most.
  static constexpr uint32_t kMaxSources = 32;
  // Of rows at most. Longer ones are left to the processor, which follows lines by itself while
  // they are read; beside a layer they slow it down by as much as is won.
  static constexpr size_t kMaxRowBytes = 128;

  // Of no rows.
  RowStream() = default;

  // The rows of `sources` (the first kMaxSources that have at most kMaxRowBytes) for candidates
  // [0, count), candidate by candidate, spread over at most `turns` turns. The sources' tables and
  // indices stay until the last turn.
  RowStream(absl::Span<const GatherSource> sources, uint32_t count, uint64_t turns);

  // Inline, because a call would save every vector register of the loop that it stands in; and few
  // branches, which all go the same way until the rows end.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Turn() {
    for (uint32_t r = 0; r < rows_of_turn_; ++r) {
      const Source& source = sources_[source_];
      const uint8_t* at = source.rows + source.index[candidate_] * source.row_bytes;
      const uint8_t* end = at + source.row_bytes;
      // A row may begin within a line.
      at -= reinterpret_cast<uintptr_t>(at) % kCacheLine;
      for (; at < end; at += kCacheLine) Prefetch(at);
      const bool last = source_ + 1 == source_count_;
      source_ = last ? 0 : source_ + 1;
      candidate_ += last;
      if (candidate_ == count_) {
        rows_of_turn_ = 0;
        break;
      }
    }
  }

  // Rows that were not asked for yet.
  uint64_t rows_left() const { return uint64_t{count_ - candidate_} * source_count_ - source_; }

 private:
  struct Source {
    const uint8_t* rows;
    const uint32_t* index;
    size_t row_bytes;
  };

  static constexpr uintptr_t kCacheLine = 64;

  // Into the second cache: a tile's rows would push the layer's weights out of the first.
  static ABSL_ATTRIBUTE_ALWAYS_INLINE void Prefetch(const void* at) {
    __builtin_prefetch(at, /*rw=*/0, /*locality=*/2);
  }

  uint32_t rows_of_turn_ = 0;
  uint32_t candidate_ = 0;  // The next row's.
  uint32_t source_ = 0;
  uint32_t count_ = 0;
  uint32_t source_count_ = 0;
  Source sources_[kMaxSources];
};

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_ROW_STREAM_H_
