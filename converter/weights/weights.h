// Named tensors of a trained model, in memory.
#ifndef HANDPICK_CONVERTER_WEIGHTS_WEIGHTS_H_
#define HANDPICK_CONVERTER_WEIGHTS_WEIGHTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace handpick::converter {

// A tensor, row-major. Whatever its type in the file (f64, f32, f16, bf16, integers), its elements
// are here as float32.
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> data;
  // Elements that are integers (or bools) in the file, exactly: float32 keeps 24 bits of them.
  // Empty: they are floats.
  std::vector<int64_t> integers = {};
  // Whether it is no fault that a model does not read it.
  bool is_optional = false;
};

using Weights = std::map<std::string, Tensor>;

// All tensors of a file that OpenArchive (archive.h) opens.
absl::StatusOr<Weights> ReadWeights(const std::string& path);

// All tensors of an archive that is in memory.
absl::StatusOr<Weights> ParseSafetensors(const std::string& bytes, const std::string& origin);
absl::StatusOr<Weights> ParseNpz(const std::string& bytes, const std::string& origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_WEIGHTS_H_
