// .h5: what Keras' save_weights and save write, read with the HDF5 library.
#ifndef HANDPICK_CONVERTER_WEIGHTS_HDF5_ARCHIVE_H_
#define HANDPICK_CONVERTER_WEIGHTS_HDF5_ARCHIVE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "converter/weights/stored_archive.h"

namespace handpick::converter {

// Every dataset by its path. Of Keras' files: without the group "model_weights" of a whole model,
// without what the optimizer keeps, and without the layer's name where Keras has it twice
// ("dense/dense/kernel:0" is "dense/kernel:0"). Refused: links to other files, soft links, data in
// other files, virtual datasets, filters of plugins.
absl::StatusOr<std::unique_ptr<StoredArchive>> OpenHdf5(const std::string& path);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_HDF5_ARCHIVE_H_
