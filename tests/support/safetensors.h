// Files of the safetensors format, sound or not.
#ifndef HANDPICK_TESTS_SUPPORT_SAFETENSORS_H_
#define HANDPICK_TESTS_SUPPORT_SAFETENSORS_H_

#include <cstddef>
#include <string>

namespace handpick {

// A file with this header, in JSON, and these bytes of tensors.
inline std::string SafetensorsFile(const std::string& header, const std::string& data) {
  std::string file;
  for (size_t i = 0; i < 8; ++i) {
    file.push_back(static_cast<char>((header.size() >> (8 * i)) & 255));
  }
  return file + header + data;
}

}  // namespace handpick

#endif  // HANDPICK_TESTS_SUPPORT_SAFETENSORS_H_
