// Elements of tensors in files, turned into float32.
#ifndef HANDPICK_CONVERTER_WEIGHTS_ELEMENTS_H_
#define HANDPICK_CONVERTER_WEIGHTS_ELEMENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {

// Types of elements, little-endian.
enum class Dtype { kF64, kF32, kF16, kBf16, kI64, kI32, kI16, kI8, kU8, kBool };

size_t ByteSize(Dtype dtype);

// The number of elements of a shape; an error when a dimension is negative or the product (or
// `bytes_per_element` times it) overflows.
absl::StatusOr<size_t> CountElements(const std::vector<int64_t>& shape, size_t bytes_per_element,
                                     const std::string& what);

// "[3, 4]"
std::string ShownShape(const std::vector<int64_t>& shape);

// All elements of `bytes` where `dtype` is an integer or bool; else none.
std::vector<int64_t> ToIntegers(absl::string_view bytes, Dtype dtype);

// All elements of `bytes`, whose size is a multiple of the element's. Refused: NaN, infinities, and
// numbers beyond float32's range, by position.
absl::StatusOr<std::vector<float>> ToFloats(absl::string_view bytes, Dtype dtype,
                                            const std::string& what);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_ELEMENTS_H_
