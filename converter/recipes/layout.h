// Layouts: how a training library names its tensors, and where its semantics differ.
//
// A recipe says what a model computes; a layout says where its numbers are found. Documented for
// users in converter/README.md.
#ifndef HANDPICK_CONVERTER_RECIPES_LAYOUT_H_
#define HANDPICK_CONVERTER_RECIPES_LAYOUT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "converter/request/features.h"
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

class TensorLayout {
 public:
  virtual ~TensorLayout() = default;

  // Refuses what the library itself cannot do.
  virtual absl::Status Check(const Spec& spec, const FeatureSet& features) const = 0;

  // Embedding tables [rows, dimension]; in the wide part, dimension 1.
  virtual std::string DeepTable(absl::string_view table) const = 0;
  virtual std::string WideTable(absl::string_view table) const = 0;
  // The weights of all numbers of the wide part.
  virtual std::string WideNumericWeight() const = 0;

  // Hidden layers of the network and of the attention unit.
  virtual LayerTensors DeepLayer(size_t layer) const = 0;
  virtual LayerTensors AttentionLayer(size_t layer) const = 0;
  // [1, in] of the network; its bias is one of Biases.
  virtual std::string HeadWeight() const = 0;
  virtual HeadTensors AttentionHead() const = 0;
  virtual std::vector<BiasTensor> Biases(bool has_wide, bool has_deep) const = 0;

  // DIEN's interest extractor, and its evolution by a cell as the spec names it.
  virtual RecurrentTensors Extractor() const = 0;
  virtual RecurrentTensors Evolution(const std::string& cell) const = 0;
  // How the names of tensors begin that negative sampling trains, and that nothing else reads.
  virtual std::string NegativeSampling() const = 0;

  virtual DeepInput OrderOfDeep(const Spec& spec, const FeatureSet& features) const = 0;
  // Whether deep features without hidden layers mean no deep part (their tables being there for
  // nothing); otherwise they are an error.
  virtual bool DropsDeepWithoutLayers() const = 0;
  // What a maximum over no position is, in every column.
  virtual double MaximumOfNothing() const = 0;
  // Whether a softmax over no events is one over padding, which is row 0; otherwise it weighs
  // nothing.
  virtual bool SoftmaxOfNothingIsPadding() const = 0;
};

// The layout of a spec's model. Lives for ever.
const TensorLayout& LayoutFor(const Spec& spec);

// True for tensors that exist for training only, in any layout.
bool IsTrainingState(absl::string_view tensor);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_LAYOUT_H_
