// Whole numbers of files, whatever this machine's order of bytes is.
#ifndef HANDPICK_CONVERTER_IO_BYTE_ORDER_H_
#define HANDPICK_CONVERTER_IO_BYTE_ORDER_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace handpick::converter {

// The number without a sign that some bytes are, at most 8 of them.
inline uint64_t UnsignedOf(absl::string_view bytes, bool big_endian = false) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const size_t place = big_endian ? bytes.size() - 1 - i : i;
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * place);
  }
  return value;
}

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_BYTE_ORDER_H_
