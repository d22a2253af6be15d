// Bytes that are read where they are wanted: a file of gigabytes costs what is asked of it.
#ifndef HANDPICK_CONVERTER_IO_BYTE_SOURCE_H_
#define HANDPICK_CONVERTER_IO_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {

// Copies the next `size` bytes of something.
using ReadNext = absl::FunctionRef<absl::Status(char* out, size_t size)>;

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  // Copies `size` bytes from `offset` to `out`. All of them must be there: an error if they are
  // not, or if the system cannot read them.
  virtual absl::Status Read(uint64_t offset, char* out, size_t size) const = 0;
};

// A regular file is read on demand; the standard input ("-"), pipes and devices are read whole.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenBytes(const std::string& path);

// Bytes that are in memory, and stay there. `origin` names them in messages.
std::unique_ptr<ByteSource> BytesOf(absl::string_view bytes, std::string origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_BYTE_SOURCE_H_
