#include "sdk/base/model_memory.h"

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

void* ModelMemory::Allocate(size_t bytes) {
  // The list node takes one aligned unit in front of the caller's bytes.
  static_assert(sizeof(Block) <= HP_ALIGNMENT, "a block's header fits one unit");
  if (bytes > SIZE_MAX - HP_ALIGNMENT) return nullptr;
  const size_t total = bytes + HP_ALIGNMENT;
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

}  // namespace handpick
