// Arrays of the caller's whose elements may be larger than this library's.
#ifndef HANDPICK_SDK_BASE_ELEMENTS_H_
#define HANDPICK_SDK_BASE_ELEMENTS_H_

#include <cstddef>
#include <cstdint>

namespace handpick {

// Element `i`, `size` bytes each: at least sizeof(T), and a multiple of its alignment.
template <typename T>
const T& ElementAt(const T* elements, uint32_t size, size_t i) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(elements) + i * size);
}

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_ELEMENTS_H_
