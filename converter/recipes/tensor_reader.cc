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

// A tensor in a message: by its name in the weights and, where that is another, the layout's.
std::string Shown(const std::string& name, const ArchiveTensor& named) {
  if (named.name == name) return absl::StrCat("'", name, "'");
  return absl::StrCat("'", named.name, "' (layout.names of '", name, "')");
}

Tensor Transposed(const Tensor& tensor) {
  const auto rows = static_cast<size_t>(tensor.shape[0]);
  const auto columns = static_cast<size_t>(tensor.shape[1]);
  Tensor result = {{tensor.shape[1], tensor.shape[0]}, std::vector<float>(tensor.data.size())};
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) result.data[j * rows + i] = tensor.data[i * columns + j];
  }
  return result;
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
  const ArchiveTensor named = names_.Find(name);
  const std::string shown = Shown(name, named);
  const auto found = weights_.find(named.name);
  if (found == weights_.end()) {
    return absl::NotFoundError(
        absl::StrCat("weights: tensor ", shown, " is missing", Suggestion(named.name, Untaken()),
                     ", expected with shape ", ShapesText(shapes), " (spec: ", field, ")"));
  }
  const Tensor* tensor_or_transposed = &found->second;
  if (named.transpose) {
    if (found->second.shape.size() != 2) {
      return absl::InvalidArgumentError(
          absl::StrCat("weights: tensor ", shown, " has shape ", ShapeText(found->second.shape),
                       ", and only a matrix can be transposed (spec: layout.names)"));
    }
    const auto [entry, is_new] = transposed_.try_emplace(named.name);
    if (is_new) entry->second = Transposed(found->second);
    tensor_or_transposed = &entry->second;
  }
  const Tensor& tensor = *tensor_or_transposed;
  const bool fits = std::any_of(shapes.begin(), shapes.end(),
                                [&](const Shape& shape) { return Matches(tensor.shape, shape); });
  if (!fits) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: tensor ", shown, " has shape ", ShapeText(tensor.shape),
                     named.transpose ? " when transposed" : "", ", expected ", ShapesText(shapes),
                     " (spec: ", field, ")"));
  }
  taken_.insert(named.name);
  return &tensor;
}

absl::Status TensorReader::Refuse(const std::string& name, absl::string_view field) {
  const ArchiveTensor named = names_.Find(name);
  const auto found = weights_.find(named.name);
  if (found == weights_.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("weights: tensor ", Shown(name, named),
                                                 " of shape ", ShapeText(found->second.shape),
                                                 " is there, expected none (spec: ", field, ")"));
}

std::vector<std::string> TensorReader::Untaken() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights_) {
    if (taken_.count(name) == 0 && !tensor.is_optional) names.push_back(name);
  }
  return names;
}

}  // namespace handpick::converter
