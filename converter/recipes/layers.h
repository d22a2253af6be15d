// Dense layers read from tensors.
#ifndef HANDPICK_CONVERTER_RECIPES_LAYERS_H_
#define HANDPICK_CONVERTER_RECIPES_LAYERS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/graph/graph.h"
#include "converter/recipes/layout.h"
#include "converter/recipes/tensor_reader.h"

namespace handpick::converter {

// A chain of hidden layers, each activation(batch_norm(x W^T + b)).
struct LayerChain {
  std::string part;          // "deep": begins the names of nodes, and of the spec's fields,
  std::string section = {};  // if this does not.
  std::string input_field;   // What in the spec says how wide the input is: "the widths of ...".
  std::vector<int64_t> hidden_units;
  std::string activation;
  std::string output_activation = {};  // Of the last layer; empty: the same.
  // Accepted names of activations.
  std::vector<std::string> activations;
  bool batch_normalization = false;
  double batch_normalization_epsilon = 0;
  LayerTensors (TensorLayout::*tensors)(size_t layer) const = nullptr;
  std::string network = {};  // Without `tensors`: how the names of its tensors begin.
  // What in the spec says how wide each layer is, where that is not hidden_units[layer].
  std::vector<std::string> unit_fields = {};
};

// Adds the layers of a chain to `graph`; returns the last one's output.
absl::StatusOr<ValueId> AddLayers(const LayerChain& chain, const TensorLayout& layout,
                                  ValueId input, TensorReader* tensors, Graph* graph);

// One layer of a chain in two steps: batch_norm(x W^T + b), and the activation.
absl::StatusOr<ValueId> AddLinear(const LayerChain& chain, const TensorLayout& layout, size_t layer,
                                  ValueId input, TensorReader* tensors, Graph* graph);
absl::StatusOr<ValueId> AddActivation(const LayerChain& chain, const TensorLayout& layout,
                                      size_t layer, ValueId input, TensorReader* tensors,
                                      Graph* graph);

// Adds x W^T + b. `bias` may be null.
ValueId AddDense(const std::string& name, const Tensor& weights, const Tensor* bias, ValueId input,
                 Graph* graph);

// A tensor's numbers in double.
std::vector<double> Doubles(const Tensor& tensor);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_LAYERS_H_
