#include "converter/recipes/tensor_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/nearest_name.h"

namespace handpick::converter {
namespace {

bool Matches(const Shape& shape, const Shape& expected) {
  return std::equal(
      shape.begin(), shape.end(), expected.begin(), expected.end(),
      [](int64_t size, int64_t wanted) { return wanted == kAnySize || size == wanted; });
}

std::string ShapesText(const std::vector<Shape>& shapes) {
  return absl::StrJoin(shapes, " or ", [](std::string* out, const Shape& shape) {
    absl::StrAppend(out, ShapeText(shape));
  });
}

}  // namespace

std::string ShapeText(const Shape& shape) {
  return absl::StrCat("[",
                      absl::StrJoin(shape, ", ",
                                    [](std::string* out, int64_t size) {
                                      absl::StrAppend(out,
                                                      size == kAnySize ? "?" : absl::StrCat(size));
                                    }),
                      "]");
}

absl::StatusOr<const Tensor*> TensorReader::Take(const std::string& name,
                                                 const std::vector<Shape>& shapes,
                                                 absl::string_view field) {
  const auto found = weights_.find(name);
  if (found == weights_.end()) {
    return absl::NotFoundError(absl::StrCat("weights: tensor '", name, "' is missing",
                                            Suggestion(name, Untaken()), ", expected with shape ",
                                            ShapesText(shapes), " (spec: ", field, ")"));
  }
  const Tensor& tensor = found->second;
  const bool fits = std::any_of(shapes.begin(), shapes.end(),
                                [&](const Shape& shape) { return Matches(tensor.shape, shape); });
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat("weights: tensor '", name, "' has shape ",
                                                   ShapeText(tensor.shape), ", expected ",
                                                   ShapesText(shapes), " (spec: ", field, ")"));
  }
  taken_.insert(name);
  return &tensor;
}

absl::Status TensorReader::Refuse(const std::string& name, absl::string_view field) const {
  const auto found = weights_.find(name);
  if (found == weights_.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("weights: tensor '", name, "' of shape ",
                                                 ShapeText(found->second.shape),
                                                 " is there, expected none (spec: ", field, ")"));
}

std::vector<std::string> TensorReader::Untaken() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights_) {
    if (taken_.count(name) == 0) names.push_back(name);
  }
  return names;
}

}  // namespace handpick::converter
