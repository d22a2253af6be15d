// Elements of tensors in files, turned into float32.
#ifndef HANDPICK_CONVERTER_WEIGHTS_ELEMENTS_H_
#define HANDPICK_CONVERTER_WEIGHTS_ELEMENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/io/byte_source.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

enum class Dtype { kF64, kF32, kF16, kBf16, kI64, kI32, kI16, kI8, kU64, kU32, kU16, kU8, kBool };

// How an element lies in a file.
struct ElementType {
  Dtype dtype = Dtype::kF32;
  bool big_endian = false;
};

size_t ByteSize(Dtype dtype);
// For people: "f32".
const char* NameOf(Dtype dtype);

// The number of elements of a shape; an error when a dimension is negative or the product (or
// `bytes_per_element` times it) overflows.
absl::StatusOr<size_t> CountElements(const std::vector<int64_t>& shape, size_t bytes_per_element,
                                     const std::string& what);

// The error of elements that are none of these types; `type` is what they are.
absl::Status RefusedType(const std::string& what, absl::string_view type);

// "[3, 4]"
std::string ShownShape(const std::vector<int64_t>& shape);

// Refuses NaN and infinities, by position.
absl::Status CheckFinite(const std::vector<float>& elements, const std::string& what);

// Sets the data of `tensor` to the next `count` elements, and `integers` where they are integers or
// bools. Little-endian f32 goes where it stays without a copy between; of the others a block at a
// time is in memory. The caller has checked that so many are there. Refused, by position: NaN,
// infinities, numbers beyond float32's range, integers beyond int64's.
absl::Status ReadElements(size_t count, ElementType type, const std::string& what, ReadNext read,
                          Tensor* tensor);

// Puts the elements of a tensor into row-major order, the last index the fastest: `strides` says
// how far apart they are along each axis of `shape`. All must be within the data.
void ToRowMajor(const std::vector<int64_t>& shape, const std::vector<uint64_t>& strides,
                Tensor* tensor);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_ELEMENTS_H_
