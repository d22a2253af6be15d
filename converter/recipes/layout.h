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

  // Hidden layers: weight [out, in], bias [out].
  virtual std::string LayerWeight(size_t layer) const = 0;
  virtual std::string LayerBias(size_t layer) const = 0;
  // The prefix of weight, bias, running_mean and running_var, each [out].
  virtual std::string BatchNormalization(size_t layer) const = 0;
  // [1] or [out].
  virtual std::string PreluSlope(size_t layer) const = 0;
  // [1, in].
  virtual std::string HeadWeight() const = 0;
  virtual std::vector<BiasTensor> Biases(bool has_wide, bool has_deep) const = 0;

  // The order in which the deep part's inputs are concatenated.
  virtual std::vector<FeatureUse> DeepOrder(const Spec& spec, const FeatureSet& features) const = 0;
  // Whether deep features without hidden layers mean no deep part (their tables being there for
  // nothing); otherwise they are an error.
  virtual bool DropsDeepWithoutLayers() const = 0;
  // What a maximum over no position is, in every column.
  virtual double MaximumOfNothing() const = 0;
};

const TensorLayout& LayoutFor(Layout layout);

// True for tensors that exist for training only, in any layout.
bool IsTrainingState(absl::string_view tensor);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_LAYOUT_H_
