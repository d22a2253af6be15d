#include "converter/recipes/tensor_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

bool Matches(const Shape& shape, const Shape& expected) {
  return std::equal(
      shape.begin(), shape.end(), expected.begin(), expected.end(),
      [](int64_t size, int64_t wanted) { return wanted == kAnySize || size == wanted; });
}

constexpr size_t kMostShown = 50;

bool MatchesAny(const Shape& shape, const std::vector<Shape>& expected) {
  return std::any_of(expected.begin(), expected.end(),
                     [&](const Shape& one) { return Matches(shape, one); });
}

// The same numbers of dimensions, of any size.
std::vector<Shape> AnySizes(std::vector<Shape> shapes) {
  for (Shape& shape : shapes) std::fill(shape.begin(), shape.end(), kAnySize);
  return shapes;
}

std::string ShapesText(const std::vector<Shape>& shapes) {
  return absl::StrJoin(shapes, " or ", [](std::string* out, const Shape& shape) {
    absl::StrAppend(out, ShapeText(shape));
  });
}

// A tensor in a message: by its name in the weights and, where that is another, the layout's.
std::string Shown(const std::string& name, const ArchiveTensor& named) {
  if (!named.is_renamed || named.name == name) return absl::StrCat("'", named.name, "'");
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

const TensorInfo* TensorReader::InfoOf(const ArchiveTensor& named) const {
  const auto found = weights_.tensors().find(named.name);
  return named.is_another || found == weights_.tensors().end() ? nullptr : &found->second;
}

absl::StatusOr<TensorReader::Found> TensorReader::Find(const std::string& name,
                                                       const std::vector<Shape>& shapes,
                                                       absl::string_view field,
                                                       bool needs_elements) {
  Found found;
  found.named = names_.Find(name);
  const ArchiveTensor& named = found.named;
  const std::string shown = Shown(name, named);
  const std::vector<Shape> expected = knows_widths_ ? shapes : AnySizes(shapes);
  const TensorInfo* const info = InfoOf(named);
  const Shape* known = nullptr;  // Of what was meant.
  Shape shape;
  if (info == nullptr) {
    // To look for a name takes time, and faults beyond these are only counted.
    const bool is_shown = faults_.size() < kMostShown;
    const std::string nearest = is_shown ? NearestName(named.name, Untaken()) : "";
    const std::string only = is_shown && nearest.empty() ? OnlyOneOfShape(expected) : "";
    const std::string meant = nearest.empty() ? only : nearest;
    Add(absl::NotFoundError(
        absl::StrCat("weights: tensor ", shown, " is missing", Suggestion(named.name, {nearest}),
                     only.empty() ? "" : absl::StrCat(" (only '", only, "' has that shape)"),
                     ", expected with shape ", ShapesText(expected), " (spec: ", field, ")")));
    if (!meant.empty() && MatchesAny(weights_.tensors().at(meant).shape, expected)) {
      taken_.insert(meant);
      known = &weights_.tensors().at(meant).shape;
    }
  } else {
    taken_.insert(named.name);
    shape = info->shape;
    if (named.transpose && shape.size() != 2) {
      Add(absl::InvalidArgumentError(
          absl::StrCat("weights: tensor ", shown, " has shape ", ShapeText(shape),
                       ", and only a matrix can be transposed (spec: layout.names)")));
    } else {
      if (named.transpose) std::swap(shape[0], shape[1]);
      if (MatchesAny(shape, shapes)) return found;
      known = &shape;
      if (!MatchesAny(shape, expected)) {
        Add(absl::InvalidArgumentError(
            absl::StrCat("weights: tensor ", shown, " has shape ", ShapeText(shape),
                         named.transpose ? " when transposed" : "", ", expected ",
                         ShapesText(expected), " (spec: ", field, ")")));
      }
    }
  }
  HP_ASSIGN_OR_RETURN(found.stand_in, StandIn(shapes[0], known, needs_elements));
  return found;
}

absl::StatusOr<Tensor> TensorReader::Read(const ArchiveTensor& named) const {
  HP_ASSIGN_OR_RETURN(Tensor tensor, weights_.Read(named.name));
  if (named.transpose) return Transposed(tensor);
  return tensor;
}

absl::StatusOr<const Tensor*> TensorReader::Take(const std::string& name,
                                                 const std::vector<Shape>& shapes,
                                                 absl::string_view field) {
  HP_ASSIGN_OR_RETURN(const Found found, Find(name, shapes, field, /*needs_elements=*/true));
  if (found.stand_in != nullptr) return found.stand_in;
  const std::pair<std::string, bool> key = {found.named.name, found.named.transpose};
  const auto known = read_.find(key);
  if (known != read_.end()) return &known->second;
  absl::StatusOr<Tensor> tensor = Read(found.named);
  if (!tensor.ok()) {
    Add(tensor.status());
    const Shape& shape = InfoOf(found.named)->shape;
    return StandIn(found.named.transpose ? Shape{shape[1], shape[0]} : shape, nullptr,
                   /*needs_elements=*/true);
  }
  return &read_.emplace(key, *std::move(tensor)).first->second;
}

absl::StatusOr<Tensor> TensorReader::TakeTable(const std::string& name,
                                               const std::vector<Shape>& shapes,
                                               absl::string_view field) {
  HP_ASSIGN_OR_RETURN(const Found found, Find(name, shapes, field, /*needs_elements=*/false));
  if (found.stand_in != nullptr) return *found.stand_in;
  absl::StatusOr<Tensor> tensor = Read(found.named);
  if (tensor.ok()) return tensor;
  Add(tensor.status());
  Tensor stand_in;
  stand_in.shape = InfoOf(found.named)->shape;
  if (found.named.transpose) std::swap(stand_in.shape[0], stand_in.shape[1]);
  return stand_in;
}

absl::StatusOr<const Tensor*> TensorReader::StandIn(Shape shape, const Shape* known,
                                                    bool needs_elements) {
  constexpr size_t kMostElements = size_t{1} << 22;
  size_t elements = 1;
  bool fits = true;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == kAnySize) {
      const bool is_known = known != nullptr && known->size() == shape.size() && (*known)[i] > 0;
      shape[i] = is_known ? (*known)[i] : 1;
      knows_widths_ = knows_widths_ && is_known;
    }
    const auto size = static_cast<size_t>(std::max<int64_t>(shape[i], 0));
    fits = fits && (size == 0 || elements <= kMostElements / size);
    if (fits) elements *= size;
  }
  if (!fits && needs_elements) return Faults();
  stand_ins_.push_back({std::move(shape), std::vector<float>(needs_elements ? elements : 0)});
  return &stand_ins_.back();
}

// The one tensor that nobody took and whose shape is one of `shapes`; "" if there is none, or
// another.
std::string TensorReader::OnlyOneOfShape(const std::vector<Shape>& shapes) const {
  std::string only;
  if (!knows_widths_) return only;
  for (const std::string& name : Untaken()) {
    if (!MatchesAny(weights_.tensors().at(name).shape, shapes)) continue;
    if (!only.empty()) return "";
    only = name;
  }
  return only;
}

absl::StatusOr<const Tensor*> TensorReader::TakeKernel(const std::string& name, int64_t out,
                                                       int64_t in, absl::string_view field) {
  if (!kernels_are_in_out_) return Take(name, {{out, in}}, field);
  const absl::StatusOr<const Tensor*> tensor = Take(name, {{in, out}}, field);
  if (!tensor.ok()) return tensor.status();
  const auto [entry, is_new] = kernels_.try_emplace(name);
  if (is_new) entry->second = Transposed(**tensor);
  return &entry->second;
}

absl::Status TensorReader::Refuse(const std::string& name, absl::string_view field) {
  const ArchiveTensor named = names_.Find(name);
  const TensorInfo* const info = InfoOf(named);
  if (info == nullptr) return absl::OkStatus();
  taken_.insert(named.name);
  Add(absl::InvalidArgumentError(absl::StrCat("weights: tensor ", Shown(name, named), " of shape ",
                                              ShapeText(info->shape),
                                              " is there, expected none (spec: ", field, ")")));
  return absl::OkStatus();
}

void TensorReader::Add(absl::Status fault) {
  // A tensor may be asked for twice.
  if (fault.ok() || std::find(faults_.begin(), faults_.end(), fault) != faults_.end()) return;
  faults_.push_back(std::move(fault));
}

absl::Status TensorReader::Faults() const {
  constexpr absl::string_view kPrefix = "weights: ";
  if (faults_.empty()) return absl::OkStatus();
  if (faults_.size() == 1) return faults_[0];
  std::string text = absl::StrCat(kPrefix, faults_.size(), " faults:");
  for (size_t i = 0; i < faults_.size() && i < kMostShown; ++i) {
    absl::StrAppend(&text, "\n  ", absl::StripPrefix(faults_[i].message(), kPrefix));
  }
  if (faults_.size() > kMostShown) {
    absl::StrAppend(&text, "\n  and ", faults_.size() - kMostShown, " more");
  }
  return absl::InvalidArgumentError(text);
}

absl::Status TensorReader::Fail(absl::Status error) {
  if (knows_widths_ || faults_.empty()) Add(std::move(error));
  return Faults();
}

std::vector<std::pair<std::string, Shape>> TensorReader::Beginning(
    absl::string_view beginning) const {
  std::vector<std::pair<std::string, Shape>> tensors;
  for (auto tensor = weights_.tensors().lower_bound(std::string(beginning));
       tensor != weights_.tensors().end() && absl::StartsWith(tensor->first, beginning); ++tensor) {
    tensors.emplace_back(tensor->first, tensor->second.shape);
  }
  return tensors;
}

std::vector<std::string> TensorReader::Untaken() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights_.tensors()) {
    if (taken_.count(name) == 0 && !tensor.is_optional) names.push_back(name);
  }
  return names;
}

}  // namespace handpick::converter
