// Takes tensors out of a model's weights by name and shape, and keeps account of what was taken.
#ifndef HANDPICK_CONVERTER_RECIPES_TENSOR_READER_H_
#define HANDPICK_CONVERTER_RECIPES_TENSOR_READER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/spec/tensor_names.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

using Shape = std::vector<int64_t>;

// A dimension that any size satisfies.
inline constexpr int64_t kAnySize = -1;

// "[64, 30]"; kAnySize is "?".
std::string ShapeText(const Shape& shape);

class TensorReader {
 public:
  // `weights` must outlive the reader. Names are the layout's; `names` says what they are in
  // `weights`, and messages have both.
  explicit TensorReader(const Weights& weights, TensorNames names = {})
      : weights_(weights), names_(std::move(names)) {}

  bool Has(const std::string& name) { return weights_.count(names_.Find(name).name) != 0; }

  // The tensor of that name, whose shape must be one of `shapes`. `field` is what in the spec
  // speaks of it ("deep.hidden_units[1]"). An error names the tensor, its shape, the expected shape
  // and the field. The tensor lives as long as the weights
  // and the reader.
  absl::StatusOr<const Tensor*> Take(const std::string& name, const std::vector<Shape>& shapes,
                                     absl::string_view field);

  // An error if there is such a tensor: the spec's `field` says that the model has none.
  absl::Status Refuse(const std::string& name, absl::string_view field);

  // The tensor of that name, if there is one, needs not to be taken.
  void Ignore(const std::string& name) { taken_.insert(names_.Find(name).name); }

  // Tensors that were neither taken nor ignored, by their names in the weights.
  std::vector<std::string> Untaken() const;

  // Renamed tensors that nobody asked for, by their names in the spec.
  std::vector<std::string> UnusedNames() const { return names_.Unused(); }

 private:
  const Weights& weights_;
  TensorNames names_;
  std::set<std::string> taken_;
  std::map<std::string, Tensor> transposed_;  // By their names in the weights.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_TENSOR_READER_H_
