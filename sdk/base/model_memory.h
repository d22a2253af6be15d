// Memory that lives as long as a model. Every byte comes from the caller's allocator and is
// counted.
#ifndef HANDPICK_SDK_BASE_MODEL_MEMORY_H_
#define HANDPICK_SDK_BASE_MODEL_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
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

  // From now on nothing is given out that would make it more than `bytes` in all.
  void Limit(uint64_t bytes) { limit_ = bytes; }
  // Whether something was refused for that.
  bool over_limit() const { return over_limit_; }

  // Zeroed memory, or null. Aligned to HP_ALIGNMENT from kSmall bytes on, below that to
  // `alignment`, at most 16. Released by the destructor.
  void* Allocate(size_t bytes, size_t alignment = HP_ALIGNMENT);

  // A zeroed array of `count` elements of a trivial type. False: no memory. An empty array needs
  // none.
  template <typename T>
  [[nodiscard]] bool NewArray(size_t count, absl::Span<T>* array) {
    static_assert(std::is_trivially_destructible<T>::value, "never destroyed");
    *array = {};
    if (count == 0) return true;
    if (count > SIZE_MAX / sizeof(T)) return false;
    void* memory = Allocate(count * sizeof(T), alignof(T));
    if (memory == nullptr) return false;
    *array = absl::Span<T>(static_cast<T*>(memory), count);
    return true;
  }

  // A copy of an array that lies in the bundle: what is used as an index or a size after opening,
  // so that a file that is written meanwhile can't change it.
  template <typename T>
  [[nodiscard]] bool Copy(absl::Span<const T> from, absl::Span<const T>* to) {
    absl::Span<T> copy;
    if (!NewArray(from.size(), &copy)) return false;
    if (!from.empty()) std::memcpy(copy.data(), from.data(), from.size() * sizeof(T));
    *to = copy;
    return true;
  }

  const hp_allocator& allocator() const { return allocator_; }
  // The same, but what it gives out counts towards the limit. For the engine; as long as this.
  hp_allocator counted_allocator();
  // Bytes taken from the allocator so far, but for those of counted_allocator().
  uint64_t total_bytes() const { return total_bytes_; }

 private:
  struct Block {
    Block* next;
    size_t bytes;
  };

  // Small arrays share blocks: a block for each would be mostly its header.
  static constexpr size_t kSmall = 512;
  static constexpr size_t kSharedBytes = 2048;

  // Whether so many bytes more are within the limit; counts them if so.
  bool Take(size_t bytes);
  char* NewBlock(size_t bytes);

  hp_allocator allocator_;
  Block* blocks_ = nullptr;
  char* shared_ = nullptr;  // What is left of a shared block.
  size_t shared_left_ = 0;
  uint64_t total_bytes_ = 0;
  uint64_t taken_ = 0;
  uint64_t limit_ = UINT64_MAX;
  bool over_limit_ = false;
};

// The allocator that stands in for a null one.
hp_allocator DefaultAllocator();

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_MODEL_MEMORY_H_
