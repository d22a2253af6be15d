// The names of an archive's tensors where a library numbers its layers as it makes them.
//
// Keras calls the layers of a second model of a process dnn_1, dense_1, ...: of such numbers the
// order alone says something. A layout's patterns have the names of a first model.
#ifndef HANDPICK_CONVERTER_SPEC_NUMBERED_NAMES_H_
#define HANDPICK_CONVERTER_SPEC_NUMBERED_NAMES_H_

#include <map>
#include <string>
#include <vector>

#include "converter/spec/layouts.h"
#include "converter/spec/spec.h"
#include "converter/spec/tensor_names.h"

namespace handpick::converter {

// What the tensors of an archive are called in it, by the names that the patterns of a layout have
// for them; those that are the same are left out. Layers of one kind within one layer, or beside
// one another, are numbered anew, in the order of their numbers: nothing, _1, _2, ...
std::map<std::string, std::string> TheirNames(const LayoutTraits& traits,
                                              const std::vector<std::string>& archive);

// Where the tensors of a spec are in an archive: a map by name.
template <typename Tensors>
TensorNames NamesIn(const Spec& spec, const Tensors& tensors) {
  std::vector<std::string> archive;
  for (const auto& [name, tensor] : tensors) archive.push_back(name);
  return TensorNames(spec.renames, TheirNames(spec.traits(), archive));
}

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_NUMBERED_NAMES_H_
