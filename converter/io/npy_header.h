// What a file of the .npy format, one array, says of itself before its elements.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#ifndef HANDPICK_CONVERTER_IO_NPY_HEADER_H_
#define HANDPICK_CONVERTER_IO_NPY_HEADER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/io/byte_source.h"

namespace handpick::converter {

// What every such file begins with.
inline constexpr absl::string_view kNpyMagic = "\x93NUMPY";

struct NpyHeader {
  std::vector<int64_t> shape;
  bool fortran_order = false;
  std::string descr;           // The type in NumPy's words: "<f4".
  uint64_t element_bytes = 0;  // That follow the header.
};

// Reads the header of an array of `size` bytes in all, versions 1 to 3; what is left to read is the
// elements. `what` names the array in messages. Errors: anything but 'descr', 'fortran_order' and
// 'shape', once each; types of several fields. Whether the elements are as many as the shape says
// is not looked at.
absl::StatusOr<NpyHeader> ReadNpyHeader(uint64_t size, const std::string& what, ReadNext read);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_NPY_HEADER_H_
