#include "converter/emit/bundle_file.h"

#include <algorithm>

#include "absl/strings/string_view.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::StatusOr<BundleFile> BundleFile::Create(const std::string& path) {
  HP_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  return BundleFile(std::move(file));
}

absl::Status BundleFile::Write(const BundleImage& image,
                               const std::function<void(uint64_t bytes)>& written) {
  constexpr uint64_t kBlockBytes = uint64_t{8} << 20;
  HP_RETURN_IF_ERROR(file_.Resize(image.size()));
  std::vector<BundleImage::Part> rows;
  for (const BundleImage::Part& part : image.parts()) {
    if (part.is_rows) rows.push_back(part);
    const bool is_there =
        std::any_of(rows_.begin(), rows_.end(), [&](const BundleImage::Part& own) {
          return part.is_rows && own.offset == part.offset && own.bytes == part.bytes &&
                 own.size == part.size;
        });
    if (is_there) continue;
    for (uint64_t at = 0; at < part.size; at += kBlockBytes) {
      const uint64_t count = std::min(kBlockBytes, part.size - at);
      const absl::string_view block(reinterpret_cast<const char*>(part.bytes + at),
                                    static_cast<size_t>(count));
      HP_RETURN_IF_ERROR(file_.WriteAt(part.offset + at, block));
      written(count);
    }
  }
  rows_ = std::move(rows);
  return absl::OkStatus();
}

}  // namespace handpick::converter
