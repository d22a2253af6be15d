// Where a model's numbers are found, and the order in which its library joins them: what
// converter/spec/layouts.h says of the layout of a spec.
#ifndef HANDPICK_CONVERTER_RECIPES_LAYOUT_H_
#define HANDPICK_CONVERTER_RECIPES_LAYOUT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "converter/request/features.h"
#include "converter/spec/layouts.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// A tensor of one number that is added to the logit.
struct BiasTensor {
  std::string name;
  bool required;
};

// A dense layer, [out, in] and [out], and what its activation may need.
struct LayerTensors {
  std::string weight;
  std::string bias;
  std::string batch_norm;  // The prefix of weight, bias, running_mean and running_var, each [out].
  std::string prelu;       // [1] or [out].
  std::string dice_alpha;  // [out] or [out, 1].
  std::string dice_norm;   // A prefix, as batch_norm.
};

// A dense layer of one output, [1, in] and [1].
struct HeadTensors {
  std::string weight;
  std::string bias;
};

// A recurrent cell of width H, its gates stacked r, z, n: [3 H, in], [3 H, H], [3 H], [3 H].
struct RecurrentTensors {
  std::string weight_ih;
  std::string weight_hh;
  std::string bias_ih;
  std::string bias_hh;
  // bias_ih is another name of bias_hh to the library: of two different vectors bias_hh counts.
  bool one_bias = false;
};

// How the deep part's input is concatenated.
struct DeepInput {
  std::vector<FeatureUse> features;  // In their order.
  size_t history = 0;                // Before which of them the attended history comes.
  std::vector<FeatureUse> ignored;   // Which the library leaves out.
};

// The names of one model's tensors: its layout's patterns (converter/spec/layouts.h), filled in.
class TensorLayout {
 public:
  // `spec` must outlive this.
  explicit TensorLayout(const Spec& spec) : spec_(spec) {}

  const LayoutTraits& traits() const { return spec_.traits(); }

  // Embedding tables [rows, dimension]; in the wide part, dimension 1.
  std::string DeepTable(absl::string_view table) const;
  std::string WideTable(absl::string_view table) const;
  // The weights of all numbers of the wide part.
  std::string WideNumericWeight() const;

  // Hidden layers of the network and of the attention unit.
  LayerTensors DeepLayer(size_t layer) const;
  LayerTensors AttentionLayer(size_t layer) const;
  // [1, in] of the network; its bias is one of Biases.
  std::string HeadWeight() const;
  HeadTensors AttentionHead() const;
  std::vector<BiasTensor> Biases(bool has_wide, bool has_network) const;

  // DIEN's interest extractor, and its evolution.
  RecurrentTensors Extractor() const;
  RecurrentTensors Evolution() const;
  // How the names of tensors begin that negative sampling trains, and that nothing else reads.
  std::string NegativeSampling() const;

 private:
  absl::string_view Pattern(TensorRole role) const;
  LayerTensors Layer(TensorRole network, size_t layer) const;
  RecurrentTensors Recurrent(TensorRole role) const;

  const Spec& spec_;
};

// Refuses what the layout's library itself cannot do.
absl::Status CheckLayout(const Spec& spec, const FeatureSet& features);

// The deep features in the layout's order.
DeepInput OrderOfDeep(const Spec& spec, const FeatureSet& features);

// True for tensors that exist for training only, in any layout.
bool IsTrainingState(absl::string_view tensor);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_LAYOUT_H_
