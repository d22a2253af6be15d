#include "converter/emit/bundle_file.h"

#include "absl/strings/string_view.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::StatusOr<BundleFile> BundleFile::Create(const std::string& path) {
  HP_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  return BundleFile(std::move(file));
}

absl::Status BundleFile::Write(BundleImage* image,
                               const std::function<void(uint64_t bytes)>& written) {
  HP_RETURN_IF_ERROR(file_.Resize(image->size()));
  return image->Write(
      [&](uint64_t offset, absl::string_view bytes) {
        HP_RETURN_IF_ERROR(file_.WriteAt(offset, bytes));
        written(bytes.size());
        return absl::OkStatus();
      },
      &rows_);
}

}  // namespace handpick::converter
