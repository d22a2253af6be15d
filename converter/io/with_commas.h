// Counts that people read.
#ifndef HANDPICK_CONVERTER_IO_WITH_COMMAS_H_
#define HANDPICK_CONVERTER_IO_WITH_COMMAS_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace handpick::converter {

// 1234567 as "1,234,567".
inline std::string WithCommas(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_WITH_COMMAS_H_
