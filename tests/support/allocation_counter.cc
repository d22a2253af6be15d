#include "tests/support/allocation_counter.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace {

std::atomic<bool> counting{false};
std::atomic<uint64_t> calls{0};

std::atomic<bool> exhausting{false};
std::atomic<int64_t> given{0};
std::atomic<int64_t> blocks{0};
std::atomic<bool> refused{false};
int64_t most = 0;

// Whether the heap is exhausted; counts the block otherwise.
[[maybe_unused]] bool Refuses() {
  if (!exhausting.load(std::memory_order_relaxed)) return false;
  if (given.fetch_add(1) < most) {
    ++blocks;
    return false;
  }
  refused = true;
  return true;
}

void Count() {
  if (counting.load(std::memory_order_relaxed)) calls.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

namespace handpick::testing {

void StartCountingAllocations() {
  calls = 0;
  counting = true;
}

uint64_t StopCountingAllocations() {
  counting = false;
  return calls;
}

void StartExhausting(int64_t allowed) {
  most = allowed;
  given = 0;
  blocks = 0;
  refused = false;
  exhausting = true;
}

Exhausted StopExhausting() {
  exhausting = false;
  return {blocks, refused};
}

}  // namespace handpick::testing

#if defined(__SANITIZE_ADDRESS__)

// The sanitizer has an allocator of its own, and tells about each call.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {
const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t) { Count(); }, [](const volatile void*) { Count(); });
}  // namespace

#else

// Definitions in the program come before the C library's, for the library's own calls too; glibc's
// stay reachable under these names.
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void* memory);

void* malloc(size_t bytes) {
  Count();
  if (Refuses()) return nullptr;
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  Count();
  if (Refuses()) return nullptr;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) {
  Count();
  return __libc_realloc(memory, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  Count();
  if (Refuses()) return nullptr;
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  Count();
  if (Refuses()) return nullptr;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  Count();
  if (Refuses()) return ENOMEM;
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  Count();
  if (memory != nullptr && exhausting.load(std::memory_order_relaxed)) --blocks;
  __libc_free(memory);
}
void* mmap(void* address, size_t length, int protection, int flags, int descriptor, off_t offset) {
  Count();
  return reinterpret_cast<void*>(
      syscall(SYS_mmap, address, length, protection, flags, descriptor, offset));
}
}

#endif
