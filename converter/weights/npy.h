// The .npy format: one array of numbers.
#ifndef HANDPICK_CONVERTER_WEIGHTS_NPY_H_
#define HANDPICK_CONVERTER_WEIGHTS_NPY_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/io/byte_source.h"
#include "converter/io/npy_header.h"
#include "converter/weights/elements.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

struct NpyArray {
  NpyHeader header;
  ElementType type;
  size_t count = 0;  // Elements.
  // Why the elements cannot be read: they are strings, say. The rest of it is right all the same.
  absl::Status refusal;
};

// Reads what comes before the elements of an array of `size` bytes in all. Floats, integers and
// bools of both byte orders have the bytes that their shape needs. `what` names the array in
// messages.
absl::StatusOr<NpyArray> ReadNpyArray(uint64_t size, const std::string& what, ReadNext read);

// The elements of such an array, in C order.
absl::StatusOr<Tensor> ReadNpyElements(const NpyArray& array, const std::string& what,
                                       ReadNext read);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_NPY_H_
