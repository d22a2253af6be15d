// Takes tensors out of a model's weights by name and shape, and keeps account of what was taken.
#ifndef HANDPICK_CONVERTER_RECIPES_TENSOR_READER_H_
#define HANDPICK_CONVERTER_RECIPES_TENSOR_READER_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

using Shape = std::vector<int64_t>;

// A dimension that any size satisfies.
inline constexpr int64_t kAnySize = -1;

// "[64, 30]"; kAnySize is "?".
std::string ShapeText(const Shape& shape);

class TensorReader {
 public:
  // `weights` must outlive the reader.
  explicit TensorReader(const Weights& weights) : weights_(weights) {}

  bool Has(const std::string& name) const { return weights_.count(name) != 0; }

  // The tensor of that name, whose shape must be one of `shapes`. `field` is what in the spec
  // speaks of it ("deep.hidden_units[1]"). An error names the tensor, its shape, the expected shape
  // and the field. The tensor lives as long as the weights.
  absl::StatusOr<const Tensor*> Take(const std::string& name, const std::vector<Shape>& shapes,
                                     absl::string_view field);

  // An error if there is such a tensor: the spec's `field` says that the model has none.
  absl::Status Refuse(const std::string& name, absl::string_view field) const;

  // The tensor of that name, if there is one, needs not to be taken.
  void Ignore(const std::string& name) { taken_.insert(name); }

  // Tensors that were neither taken nor ignored.
  std::vector<std::string> Untaken() const;

 private:
  const Weights& weights_;
  std::set<std::string> taken_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_TENSOR_READER_H_
