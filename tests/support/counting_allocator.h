// An allocator that counts what it gives out.
#ifndef HANDPICK_TESTS_SUPPORT_COUNTING_ALLOCATOR_H_
#define HANDPICK_TESTS_SUPPORT_COUNTING_ALLOCATOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "handpick/handpick.h"

namespace handpick::testing {

struct CountingAllocator {
  bool gives_garbage = false;  // The memory is full of it.
  int64_t bytes = 0;           // That are given out now,
  int64_t most = 0;            // and that were at a time.
  size_t largest = 0;          // Of one allocation.

  hp_allocator allocator() {
    return {sizeof(hp_allocator),
            [](void* opaque, size_t size, size_t alignment) -> void* {
              auto* to = static_cast<CountingAllocator*>(opaque);
              to->bytes += static_cast<int64_t>(size);
              to->most = std::max(to->most, to->bytes);
              to->largest = std::max(to->largest, size);
              void* memory =
                  std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
              if (memory != nullptr && to->gives_garbage) std::memset(memory, 0xA8, size);
              return memory;
            },
            [](void* opaque, void* memory, size_t size) {
              static_cast<CountingAllocator*>(opaque)->bytes -= static_cast<int64_t>(size);
              std::free(memory);
            },
            this};
  }
};

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_COUNTING_ALLOCATOR_H_
