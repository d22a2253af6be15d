// The .npy format: one array.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#ifndef HANDPICK_CONVERTER_WEIGHTS_NPY_H_
#define HANDPICK_CONVERTER_WEIGHTS_NPY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/weights/elements.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

struct NpyHeader {
  std::vector<int64_t> shape;
  bool fortran_order = false;
  std::string descr;  // The type in NumPy's words: "<f4".
  ElementType type;
  size_t count = 0;  // Elements.
  // Why the elements cannot be read: they are strings, say. The rest of it is right all the same.
  absl::Status refusal;
};

// Reads the header of an array of `size` bytes in all, versions 1 to 3; what is left to read is the
// elements. Floats, integers and bools of both byte orders have the bytes that their shape needs.
// `what` names the array in messages.
absl::StatusOr<NpyHeader> ReadNpyHeader(uint64_t size, const std::string& what, ReadNext read);

// The elements of such an array, in C order.
absl::StatusOr<Tensor> ReadNpyElements(const NpyHeader& header, const std::string& what,
                                       ReadNext read);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_NPY_H_
