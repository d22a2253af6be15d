// Numbers that do not change, and that all copies of an array share.
#ifndef HANDPICK_CONVERTER_IO_SHARED_ARRAY_H_
#define HANDPICK_CONVERTER_IO_SHARED_ARRAY_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace handpick::converter {

// Weights can be as large as the memory: what is passed around is where they are.
template <typename T>
class SharedArray {
 public:
  SharedArray() = default;

  // Of elements that were made; they move here.
  SharedArray(std::vector<T> elements) {  // NOLINT: a vector is such an array.
    auto owned = std::make_shared<const std::vector<T>>(std::move(elements));
    data_ = owned->data();
    size_ = owned->size();
    owner_ = std::move(owned);
  }

  // Of elements inside of something that `owner` keeps alive; without an owner, the caller does.
  SharedArray(std::shared_ptr<const void> owner, const T* data, size_t size)
      : owner_(std::move(owner)), data_(data), size_(size) {}

  const T* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  const T& operator[](size_t i) const { return data_[i]; }

  friend bool operator==(const SharedArray& a, const SharedArray& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
  friend bool operator!=(const SharedArray& a, const SharedArray& b) { return !(a == b); }

 private:
  std::shared_ptr<const void> owner_;
  const T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_SHARED_ARRAY_H_
