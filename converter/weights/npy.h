// The .npy format: one array.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#ifndef HANDPICK_CONVERTER_WEIGHTS_NPY_H_
#define HANDPICK_CONVERTER_WEIGHTS_NPY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

// Versions 1 to 3, little-endian floats, integers and bools, C and Fortran order (turned into C
// order). `what` names the array in messages.
absl::StatusOr<Tensor> ParseNpy(absl::string_view bytes, const std::string& what);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_NPY_H_
