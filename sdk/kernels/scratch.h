// Hands out parts of a kernel's scratch memory, or adds up how much a kernel will need.
#ifndef HANDPICK_SDK_KERNELS_SCRATCH_H_
#define HANDPICK_SDK_KERNELS_SCRATCH_H_

#include <cstddef>
#include <cstdint>

namespace handpick {

class Scratch {
 public:
  // `base` is aligned to 64 bytes; null: parts are counted alone.
  explicit Scratch(char* base) : base_(base) {}

  // Room for `count` numbers, aligned to 64 bytes; null when there is no memory to hand out.
  template <typename T>
  T* Take(size_t count) {
    T* part = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + bytes_);
    bytes_ += (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return part;
  }

  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kAlignment = 64;
  char* base_;
  size_t bytes_ = 0;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_SCRATCH_H_
