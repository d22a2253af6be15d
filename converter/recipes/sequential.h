// Where layers stand in a torch.nn.Sequential. Its modules are counted, those without tensors too
// (activations, dropout), so that a layer's number follows from what the archive has.
#ifndef HANDPICK_CONVERTER_RECIPES_SEQUENTIAL_H_
#define HANDPICK_CONVERTER_RECIPES_SEQUENTIAL_H_

#include <cstddef>
#include <string>

#include "converter/recipes/layout.h"
#include "converter/recipes/tensor_reader.h"

namespace handpick::converter {

// The names of linear layer `layer` (from 0), and of the normalisation and activation between it
// and the next one, with their positions for <n>. A name without <n> stays as it is, and so does
// that of a module that is not there, which makes it the name of no tensor.
LayerTensors InSequence(LayerTensors names, size_t layer, const TensorReader& tensors);

// The name of a tensor of linear layer `layer`, likewise.
std::string InSequence(std::string name, size_t layer, const TensorReader& tensors);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_SEQUENTIAL_H_
