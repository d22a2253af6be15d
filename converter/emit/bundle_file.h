// A bundle on its way to the disk.
#ifndef HANDPICK_CONVERTER_EMIT_BUNDLE_FILE_H_
#define HANDPICK_CONVERTER_EMIT_BUNDLE_FILE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/emit/bundle_image.h"
#include "converter/io/files.h"

namespace handpick::converter {

// A file that can be measured before it is there: written once with what is known at first, again
// when all is known, and kept whole or not at all.
class BundleFile {
 public:
  static absl::StatusOr<BundleFile> Create(const std::string& path);

  // Makes the file what `image` is. Rows that are at their places since the last call stay: they
  // must not have changed. `written` hears of bytes as they are written.
  absl::Status Write(BundleImage* image, const std::function<void(uint64_t bytes)>& written);

  // The file as it is now. To be let go before the next Write.
  absl::StatusOr<MappedBytes> Map() const { return file_.Map(); }

  // To be committed: it has no name until then.
  AtomicFile* file() { return &file_; }

 private:
  explicit BundleFile(AtomicFile file) : file_(std::move(file)) {}

  AtomicFile file_;
  std::vector<PlacedRows> rows_;  // That are in the file.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EMIT_BUNDLE_FILE_H_
