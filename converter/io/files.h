// Files in and out. Every error names the path and the system's reason.
#ifndef HANDPICK_CONVERTER_IO_FILES_H_
#define HANDPICK_CONVERTER_IO_FILES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {

// The bytes of a file; "-" is the standard input.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes a file whole or not at all: to a temporary name beside it, synchronised to the disk, then
// renamed. What `path` held before stays there when this fails. A path that is no regular file is
// refused.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view bytes);

// A copy of bytes, aligned to `kAlignment` as the runtime wants a bundle.
class AlignedBytes {
 public:
  static constexpr size_t kAlignment = 64;

  AlignedBytes() = default;
  explicit AlignedBytes(absl::string_view bytes);

  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  absl::string_view view() const {
    return absl::string_view(reinterpret_cast<const char*>(data_.get()), size_);
  }

 private:
  struct Free {
    void operator()(uint8_t* data) const;
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_FILES_H_
