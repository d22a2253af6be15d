// A checkpoint of TensorFlow: an index, and beside it the tensors' bytes in one file or several.
// https://github.com/tensorflow/tensorflow (core/util/tensor_bundle,
// core/protobuf/tensor_bundle.proto)
#ifndef HANDPICK_CONVERTER_WEIGHTS_TENSORFLOW_H_
#define HANDPICK_CONVERTER_WEIGHTS_TENSORFLOW_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "converter/io/byte_source.h"
#include "converter/weights/stored_archive.h"

namespace handpick::converter {

// The index that a path stands for: "ckpt/w.index" for the prefix "ckpt/w", which is what
// TensorFlow calls a checkpoint; of a folder, which a SavedModel is, "variables/variables.index" in
// it, or "variables.index". The path of a file, or of nothing, stays as it is.
std::string CheckpointIndexOf(const std::string& path);

// `source` is the index, `path` where it is: the data is "ckpt/w.data-00000-of-00001" for
// "ckpt/w.index". A variable has the name that an .h5 file of its model gives it, "dense/kernel:0",
// where the checkpoint's object graph says one; otherwise, and where several have one name, its key
// without "/.ATTRIBUTES/VARIABLE_VALUE". Left out is what an optimizer, metrics and the checkpoint
// itself have there.
absl::StatusOr<std::unique_ptr<StoredArchive>> OpenTensorFlow(const ByteSource& source,
                                                              const std::string& path);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_TENSORFLOW_H_
