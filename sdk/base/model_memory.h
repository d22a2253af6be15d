// Memory that lives as long as a model. Every byte comes from the caller's allocator and is
// counted.
#ifndef HANDPICK_SDK_BASE_MODEL_MEMORY_H_
#define HANDPICK_SDK_BASE_MODEL_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "absl/types/span.h"
#include "handpick/handpick.h"

namespace handpick {

class ModelMemory {
 public:
  // `allocator` null: malloc and free.
  explicit ModelMemory(const hp_allocator* allocator);
  ~ModelMemory();
  ModelMemory(const ModelMemory&) = delete;
  ModelMemory& operator=(const ModelMemory&) = delete;

  // Zeroed memory aligned to HP_ALIGNMENT, or null. Released by the destructor.
  void* Allocate(size_t bytes);

  // A zeroed array of `count` elements of a trivial type. False: no memory. An empty array needs
  // none.
  template <typename T>
  [[nodiscard]] bool NewArray(size_t count, absl::Span<T>* array) {
    static_assert(std::is_trivially_destructible<T>::value, "never destroyed");
    *array = {};
    if (count == 0) return true;
    if (count > SIZE_MAX / sizeof(T)) return false;
    void* memory = Allocate(count * sizeof(T));
    if (memory == nullptr) return false;
    *array = absl::Span<T>(static_cast<T*>(memory), count);
    return true;
  }

  const hp_allocator& allocator() const { return allocator_; }
  // Bytes taken from the allocator so far.
  uint64_t total_bytes() const { return total_bytes_; }

 private:
  struct Block {
    Block* next;
    size_t bytes;
  };

  hp_allocator allocator_;
  Block* blocks_ = nullptr;
  uint64_t total_bytes_ = 0;
};

// The allocator that stands in for a null one.
hp_allocator DefaultAllocator();

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_MODEL_MEMORY_H_
