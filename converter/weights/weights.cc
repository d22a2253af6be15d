#include "converter/weights/weights.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "converter/io/files.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::StatusOr<Weights> ReadWeights(const std::string& path) {
  const bool safetensors = absl::EndsWithIgnoreCase(path, ".safetensors");
  if (!safetensors && !absl::EndsWithIgnoreCase(path, ".npz")) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": weights are read from .safetensors and .npz files, by their extension"));
  }
  HP_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  return safetensors ? ParseSafetensors(bytes, path) : ParseNpz(bytes, path);
}

}  // namespace handpick::converter
