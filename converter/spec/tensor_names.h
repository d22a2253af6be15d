// Tensors by the names that the user's archive has for them ("layout": {"names": ...}).
#ifndef HANDPICK_CONVERTER_SPEC_TENSOR_NAMES_H_
#define HANDPICK_CONVERTER_SPEC_TENSOR_NAMES_H_

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "converter/io/json.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// A tensor of an archive.
struct ArchiveTensor {
  std::string name;
  bool transpose = false;  // Its rows are columns there.
};

// Finds tensors of a layout in an archive.
class TensorNames {
 public:
  TensorNames() = default;
  explicit TensorNames(std::vector<TensorRename> renames) : renames_(std::move(renames)) {}

  // Where the tensor is that the layout calls `name`: by the rename of that name, or else by the
  // pattern with the fewest places that fits (of several the first), or else under that name.
  ArchiveTensor Find(const std::string& name);

  // The renames ("ours") that no Find had a use for.
  std::vector<std::string> Unused() const;

 private:
  std::vector<TensorRename> renames_;
  std::set<size_t> used_;
};

// Checks the renames of a spec: each is of a tensor that layout handpick knows, and has the same
// places on both sides. Adds the first fault.
void CheckRenames(const Spec& spec, JsonErrors* errors);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_TENSOR_NAMES_H_
