#include "sdk/base/model_memory.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#if defined(_WIN32)
#include <malloc.h>
#endif

namespace handpick {
namespace {

#if defined(_WIN32)
void* MallocAligned(void*, size_t bytes, size_t alignment) {
  return _aligned_malloc(bytes, alignment);
}

void FreeAligned(void*, void* memory, size_t) { _aligned_free(memory); }
#else
void* MallocAligned(void*, size_t bytes, size_t alignment) {
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment < sizeof(void*) ? sizeof(void*) : alignment, bytes) != 0)
    return nullptr;
  return memory;
}

void FreeAligned(void*, void* memory, size_t) { std::free(memory); }
#endif

}  // namespace

hp_allocator DefaultAllocator() {
  return hp_allocator{sizeof(hp_allocator), &MallocAligned, &FreeAligned, nullptr};
}

ModelMemory::ModelMemory(const hp_allocator* allocator)
    : allocator_(allocator != nullptr ? *allocator : DefaultAllocator()) {}

ModelMemory::~ModelMemory() {
  while (blocks_ != nullptr) {
    Block* next = blocks_->next;
    allocator_.release(allocator_.opaque, blocks_, blocks_->bytes);
    blocks_ = next;
  }
}

bool ModelMemory::Take(size_t bytes) {
  if (bytes > limit_ || taken_ > limit_ - bytes) {
    over_limit_ = true;
    return false;
  }
  taken_ += bytes;
  return true;
}

char* ModelMemory::NewBlock(size_t bytes) {
  // The list node takes one aligned unit in front of the caller's bytes.
  static_assert(sizeof(Block) <= HP_ALIGNMENT, "a block's header fits one unit");
  if (bytes > SIZE_MAX - HP_ALIGNMENT) return nullptr;
  const size_t total = bytes + HP_ALIGNMENT;
  if (!Take(total)) return nullptr;
  char* memory = static_cast<char*>(allocator_.allocate(allocator_.opaque, total, HP_ALIGNMENT));
  if (memory == nullptr) return nullptr;
  std::memset(memory, 0, total);
  Block* block = reinterpret_cast<Block*>(memory);
  block->next = blocks_;
  block->bytes = total;
  blocks_ = block;
  total_bytes_ += total;
  return memory + HP_ALIGNMENT;
}

void* ModelMemory::Allocate(size_t bytes, size_t alignment) {
  if (bytes >= kSmall || alignment > alignof(std::max_align_t)) return NewBlock(bytes);
  size_t before = (0 - reinterpret_cast<uintptr_t>(shared_)) % alignment;
  if (shared_left_ < before + bytes) {
    char* block = NewBlock(kSharedBytes);
    if (block == nullptr) return nullptr;
    shared_ = block;
    shared_left_ = kSharedBytes;
    before = 0;
  }
  char* memory = shared_ + before;
  shared_ = memory + bytes;
  shared_left_ -= before + bytes;
  return memory;
}

hp_allocator ModelMemory::counted_allocator() {
  return {sizeof(hp_allocator),
          [](void* opaque, size_t bytes, size_t alignment) -> void* {
            auto* memory = static_cast<ModelMemory*>(opaque);
            if (!memory->Take(bytes)) return nullptr;
            return memory->allocator_.allocate(memory->allocator_.opaque, bytes, alignment);
          },
          [](void* opaque, void* memory, size_t bytes) {
            const hp_allocator& allocator = static_cast<ModelMemory*>(opaque)->allocator_;
            allocator.release(allocator.opaque, memory, bytes);
          },
          this};
}

}  // namespace handpick
