// .npz: a zip archive of .npy members.
#ifndef HANDPICK_CONVERTER_WEIGHTS_NPZ_H_
#define HANDPICK_CONVERTER_WEIGHTS_NPZ_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "converter/weights/stored_archive.h"
#include "converter/weights/zip.h"

namespace handpick::converter {

// Unpacks the headers of the arrays; the rest when they are asked for. Arrays whose elements are no
// numbers are refused then.
absl::StatusOr<std::unique_ptr<StoredArchive>> OpenNpz(std::unique_ptr<ZipArchive> zip,
                                                       const std::string& origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_NPZ_H_
