#include "converter/weights/weights.h"

#include <memory>
#include <utility>

#include "converter/io/byte_source.h"
#include "converter/io/status_macros.h"
#include "converter/weights/archive.h"
#include "converter/weights/npz.h"
#include "converter/weights/safetensors.h"
#include "converter/weights/stored_archive.h"
#include "converter/weights/zip.h"

namespace handpick::converter {

absl::StatusOr<Weights> ReadWeights(const std::string& path) {
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<Archive> archive, OpenArchive(path));
  return ReadAll(*archive);
}

absl::StatusOr<Weights> ParseSafetensors(const std::string& bytes, const std::string& origin) {
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<StoredArchive> archive,
                      OpenSafetensors(BytesOf(bytes, origin), origin));
  return ReadAll(*archive);
}

absl::StatusOr<Weights> ParseNpz(const std::string& bytes, const std::string& origin) {
  HP_ASSIGN_OR_RETURN(std::unique_ptr<ZipArchive> zip,
                      ZipArchive::Open(BytesOf(bytes, origin), origin));
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<StoredArchive> archive,
                      OpenNpz(std::move(zip), origin));
  return ReadAll(*archive);
}

}  // namespace handpick::converter
