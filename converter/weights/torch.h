// What torch.save writes: a zip archive with a pickle and a member for each storage, or (before
// PyTorch 1.6) pickles and then the storages one after the other.
// https://github.com/pytorch/pytorch/blob/v1.13.1/torch/serialization.py
#ifndef HANDPICK_CONVERTER_WEIGHTS_TORCH_H_
#define HANDPICK_CONVERTER_WEIGHTS_TORCH_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/io/byte_source.h"
#include "converter/weights/stored_archive.h"
#include "converter/weights/zip.h"

namespace handpick::converter {

// What the older form begins with.
absl::string_view TorchMagic();
// Whether an archive has what torch.save puts into every one.
bool IsTorchZip(const ZipArchive& zip);

// A state_dict, or a dictionary that has one under "state_dict", "model_state_dict" or "model".
// Nothing of the pickle is run (pickle.h). Tensors may share storages and have any strides that are
// not negative.
absl::StatusOr<std::unique_ptr<StoredArchive>> OpenTorchZip(std::unique_ptr<ZipArchive> zip,
                                                            const std::string& origin);
absl::StatusOr<std::unique_ptr<StoredArchive>> OpenTorchPlain(std::unique_ptr<ByteSource> source,
                                                              const std::string& origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_TORCH_H_
