// Tensors by the names that the user's archive has for them ("layout": {"names": ...}).
#ifndef HANDPICK_CONVERTER_SPEC_TENSOR_NAMES_H_
#define HANDPICK_CONVERTER_SPEC_TENSOR_NAMES_H_

#include <cstddef>
#include <map>
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
  bool transpose = false;   // Its rows are columns there.
  bool is_renamed = false;  // By the spec.
  bool is_another = false;  // What the archive has of that name is something else.
};

// Finds tensors of a layout in an archive.
class TensorNames {
 public:
  TensorNames() = default;
  // `theirs`: what tensors are called in the archive, by the layout's names for them, where that is
  // something else.
  explicit TensorNames(std::vector<TensorRename> renames,
                       std::map<std::string, std::string> theirs = {})
      : renames_(std::move(renames)), theirs_(std::move(theirs)) {
    for (const auto& [ours, name] : theirs_) renumbered_.insert(name);
  }

  // Where the tensor is that the layout calls `name`: by the rename of that name, or else by the
  // pattern with the fewest places that fits (of several the first), or else as the archive calls
  // it, or else under that name.
  ArchiveTensor Find(const std::string& name);

  // The renames ("ours") that no Find had a use for.
  std::vector<std::string> Unused() const;

 private:
  std::vector<TensorRename> renames_;
  std::map<std::string, std::string> theirs_;
  std::set<std::string> renumbered_;  // What is in `theirs_`, by the archive's names.
  std::set<size_t> used_;
};

// Checks the renames of a spec: each is of a tensor that layout handpick knows, and has the same
// places on both sides. Adds the first fault.
void CheckRenames(const Spec& spec, JsonErrors* errors);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_TENSOR_NAMES_H_
