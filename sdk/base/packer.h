// Packs arrays one behind the other into one block of memory. How large the block is has to be
// known before there is one, and where everything lies afterwards: one function does both, and is
// run twice.
#ifndef HANDPICK_SDK_BASE_PACKER_H_
#define HANDPICK_SDK_BASE_PACKER_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "handpick/handpick.h"
#include "sdk/base/checked.h"

namespace handpick {

class Packer {
 public:
  // `base` is aligned to HP_ALIGNMENT; null: counts alone.
  explicit Packer(char* base = nullptr) : base_(base) {}

  // Room for `count` elements of `size` bytes, aligned to HP_ALIGNMENT: where it begins, from the
  // base. Not inline: places are taken in long rows, once for each instruction set.
  ABSL_ATTRIBUTE_NOINLINE size_t Place(uint64_t count, uint64_t size) {
    const size_t offset = bytes_;
    uint64_t end = 0;
    fits_ = fits_ && CheckedMultiply(count, size, &end) && CheckedAdd(end, offset, &end) &&
            end <= SIZE_MAX - HP_ALIGNMENT;
    if (fits_) bytes_ = static_cast<size_t>(RoundUp(end, HP_ALIGNMENT));
    return offset;
  }

  // Sets `array` to such room, or to null where there is no base.
  template <typename T>
  void PlaceArray(T** array, uint64_t count) {
    const size_t offset = Place(count, sizeof(T));
    *array = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + offset);
  }

  // What everything takes together; SIZE_MAX when that is more than can be addressed.
  size_t bytes() const { return fits_ ? bytes_ : SIZE_MAX; }

 private:
  char* base_;
  size_t bytes_ = 0;
  bool fits_ = true;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_PACKER_H_
