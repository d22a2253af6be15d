// An archive of named tensors, of whatever format: what is in it is known when it is open, and
// elements are read when they are asked for.
#ifndef HANDPICK_CONVERTER_WEIGHTS_ARCHIVE_H_
#define HANDPICK_CONVERTER_WEIGHTS_ARCHIVE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

struct TensorInfo {
  std::vector<int64_t> shape;
  std::string type;  // Of its elements in the file, for people: "f32", "bf16", "i64".
  // Whether it is no fault that a model does not read it.
  bool is_optional = false;
};

class Archive {
 public:
  virtual ~Archive() = default;

  // "safetensors", "npz", "pt", "h5", "tensorflow".
  virtual const char* format() const = 0;
  // What messages call it: the path.
  virtual const std::string& origin() const = 0;
  virtual const std::map<std::string, TensorInfo>& tensors() const = 0;
  // The names of all tensors. In the order of the file where that says something, as a state_dict's
  // does, which is the order in which the model made them; otherwise sorted.
  virtual std::vector<std::string> Order() const;
  // What was done to it that the user should know: prefixes of names that were taken off, say.
  virtual const std::vector<std::string>& notices() const = 0;
  // The elements of one tensor. Errors: there is none of that name; damaged data; NaN and
  // infinities by position.
  virtual absl::StatusOr<Tensor> Read(const std::string& name) const = 0;
  // The paths of all that it is read from.
  virtual std::vector<std::string> files() const { return {origin()}; }
};

// Opens a file by what it begins or ends with, and by its extension where that does not tell; a
// checkpoint of TensorFlow also by its prefix or its SavedModel's folder. Everything in it is
// distrusted: sizes are checked before anything is allocated, and only Read unpacks tensors.
absl::StatusOr<std::unique_ptr<Archive>> OpenArchive(const std::string& path);

// Whether OpenArchive would take the file for weights: by its bytes, or else by its extension.
bool IsWeightsFile(const std::string& path);

// Every tensor of an archive.
absl::StatusOr<Weights> ReadAll(const Archive& archive);

// Tensors that are in memory already, as an archive. `weights` must outlive it.
std::unique_ptr<Archive> ArchiveOf(const Weights& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_ARCHIVE_H_
