// Takes tensors out of a model's weights by name and shape, and keeps account of what was taken.
#ifndef HANDPICK_CONVERTER_RECIPES_TENSOR_READER_H_
#define HANDPICK_CONVERTER_RECIPES_TENSOR_READER_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/spec/tensor_names.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

using Shape = std::vector<int64_t>;

// A dimension that any size satisfies.
inline constexpr int64_t kAnySize = -1;

// "[64, 30]"; kAnySize is "?".
std::string ShapeText(const Shape& shape);

// A fault does not end the reading: what is wrong with a tensor is kept, and a tensor of zeros of
// the shape that was expected stands in for it, so that the model is built to its end and all
// faults are found. What is built after a fault is not to be used; see Faults.
class TensorReader {
 public:
  // `weights` must outlive the reader. Names are the layout's; `names` says what they are in
  // `weights`, and messages have both.
  explicit TensorReader(const Archive& weights, TensorNames names = {},
                        bool kernels_are_in_out = false)
      : weights_(weights), names_(std::move(names)), kernels_are_in_out_(kernels_are_in_out) {}

  bool Has(const std::string& name) { return InfoOf(names_.Find(name)) != nullptr; }

  // The tensor of that name, whose shape must be one of `shapes`. `field` is what in the spec
  // speaks of it ("deep.hidden_units[1]"). A fault names the tensor, its shape, the expected shape
  // and the field. The tensor is read once, and lives as long as the reader. Errors: all faults so
  // far, where the elements of a stand-in would take too much memory.
  absl::StatusOr<const Tensor*> Take(const std::string& name, const std::vector<Shape>& shapes,
                                     absl::string_view field);

  // The same of a tensor that is large: it is the caller's, and a second call reads it again. A
  // stand-in has a shape alone.
  absl::StatusOr<Tensor> TakeTable(const std::string& name, const std::vector<Shape>& shapes,
                                   absl::string_view field);

  // The weights of a dense layer, [out, in], however the layout has them. Either may be kAnySize.
  absl::StatusOr<const Tensor*> TakeKernel(const std::string& name, int64_t out, int64_t in,
                                           absl::string_view field);

  // A fault if there is such a tensor: the spec's `field` says that the model has none.
  absl::Status Refuse(const std::string& name, absl::string_view field);

  // One more fault.
  void Add(absl::Status fault);
  // All faults: one as it is, several one a line.
  absl::Status Faults() const;
  // All faults, and `error`, after which there is no going on. It is left out where it may follow
  // from a stand-in of unknown width.
  absl::Status Fail(absl::Status error);

  // The tensor of that name, if there is one, needs not to be taken.
  void Ignore(const std::string& name) { taken_.insert(names_.Find(name).name); }

  // Tensors that were neither taken nor ignored, by their names in the weights.
  std::vector<std::string> Untaken() const;

  // Names in the weights that begin so, with their shapes.
  std::vector<std::pair<std::string, Shape>> Beginning(absl::string_view beginning) const;

  // Renamed tensors that nobody asked for, by their names in the spec.
  std::vector<std::string> UnusedNames() const { return names_.Unused(); }

 private:
  // A tensor of the archive, or what stands in for it.
  struct Found {
    ArchiveTensor named;
    const Tensor* stand_in = nullptr;
  };
  const TensorInfo* InfoOf(const ArchiveTensor& named) const;
  absl::StatusOr<Found> Find(const std::string& name, const std::vector<Shape>& shapes,
                             absl::string_view field, bool needs_elements);
  absl::StatusOr<Tensor> Read(const ArchiveTensor& named) const;
  std::string OnlyOneOfShape(const std::vector<Shape>& shapes) const;
  absl::StatusOr<const Tensor*> StandIn(Shape shape, const Shape* known, bool needs_elements);

  const Archive& weights_;
  TensorNames names_;
  const bool kernels_are_in_out_;
  std::set<std::string> taken_;
  std::vector<absl::Status> faults_;
  std::list<Tensor> stand_ins_;
  // Whether the widths that shapes are expected by follow from the weights and the spec alone.
  bool knows_widths_ = true;
  // By their names in the weights, and whether they are transposed.
  std::map<std::pair<std::string, bool>, Tensor> read_;
  std::map<std::string, Tensor> kernels_;  // By the layout's names.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_TENSOR_READER_H_
