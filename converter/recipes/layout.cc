#include "converter/recipes/layout.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace handpick::converter {
namespace {

class HandpickLayout : public TensorLayout {
 public:
  absl::Status Check(const Spec&, const FeatureSet&) const override { return absl::OkStatus(); }

  std::string DeepTable(absl::string_view table) const override {
    return absl::StrCat("deep.embedding.", table, ".weight");
  }
  std::string WideTable(absl::string_view table) const override {
    return absl::StrCat("wide.embedding.", table, ".weight");
  }
  std::string WideNumericWeight() const override { return "wide.numeric.weight"; }
  std::string LayerWeight(size_t layer) const override {
    return absl::StrCat("deep.layers.", layer, ".weight");
  }
  std::string LayerBias(size_t layer) const override {
    return absl::StrCat("deep.layers.", layer, ".bias");
  }
  std::string BatchNormalization(size_t layer) const override {
    return absl::StrCat("deep.layers.", layer, ".batch_norm");
  }
  std::string PreluSlope(size_t layer) const override {
    return absl::StrCat("deep.layers.", layer, ".prelu.weight");
  }
  std::string HeadWeight() const override { return "head.weight"; }

  std::vector<BiasTensor> Biases(bool has_wide, bool has_deep) const override {
    std::vector<BiasTensor> biases;
    if (has_wide) biases.push_back({"wide.bias", /*required=*/false});
    if (has_deep) biases.push_back({"head.bias", /*required=*/true});
    return biases;
  }

  std::vector<FeatureUse> DeepOrder(const Spec& spec, const FeatureSet&) const override {
    return spec.deep.features;
  }
  bool DropsDeepWithoutLayers() const override { return false; }
  double MaximumOfNothing() const override { return 0; }
};

// The position of a feature's kind in the deep input of DeepCTR-Torch: sparse columns, sequences,
// dense columns. What is pooled is a sequence there.
int KindOf(const FeatureSet& features, size_t index) {
  const schema::FeatureT& feature = *features.features[index];
  const bool pooled =
      feature.side == schema::Side::History ||
      feature.type == schema::FeatureType::MultiCategorical ||
      std::any_of(feature.cross_of.begin(), feature.cross_of.end(), [&](uint32_t operand) {
        return features.features[operand]->type == schema::FeatureType::MultiCategorical;
      });
  if (feature.type == schema::FeatureType::Numeric) return 2;
  return pooled ? 1 : 0;
}

// DeepCTR-Torch 0.2.9.
class DeepCtrTorchLayout : public TensorLayout {
 public:
  absl::Status Check(const Spec& spec, const FeatureSet& features) const override {
    for (const auto* uses : {&spec.wide.features, &spec.deep.features}) {
      for (const FeatureUse& use : *uses) {
        const schema::FeatureT& feature = *features.features[use.feature];
        if (use.combiner == schema::Combiner::Max && feature.length_feature >= 0) {
          return absl::InvalidArgumentError(absl::StrCat(
              "spec: feature '", feature.name,
              "' has combiner max and a length, which layout deepctr-torch cannot have: the "
              "library itself fails on it"));
        }
      }
    }
    return absl::OkStatus();
  }

  std::string DeepTable(absl::string_view table) const override {
    return absl::StrCat("embedding_dict.", table, ".weight");
  }
  std::string WideTable(absl::string_view table) const override {
    return absl::StrCat("linear_model.embedding_dict.", table, ".weight");
  }
  std::string WideNumericWeight() const override { return "linear_model.weight"; }
  std::string LayerWeight(size_t layer) const override {
    return absl::StrCat("dnn.linears.", layer, ".weight");
  }
  std::string LayerBias(size_t layer) const override {
    return absl::StrCat("dnn.linears.", layer, ".bias");
  }
  std::string BatchNormalization(size_t layer) const override {
    return absl::StrCat("dnn.bn.", layer);
  }
  std::string PreluSlope(size_t layer) const override {
    return absl::StrCat("dnn.activation_layers.", layer, ".weight");
  }
  std::string HeadWeight() const override { return "dnn_linear.weight"; }

  std::vector<BiasTensor> Biases(bool, bool) const override {
    return {{"out.bias", /*required=*/true}};
  }

  std::vector<FeatureUse> DeepOrder(const Spec& spec, const FeatureSet& features) const override {
    std::vector<FeatureUse> order = spec.deep.features;
    std::stable_sort(order.begin(), order.end(), [&](const FeatureUse& a, const FeatureUse& b) {
      return KindOf(features, a.feature) < KindOf(features, b.feature);
    });
    return order;
  }
  bool DropsDeepWithoutLayers() const override { return true; }
  // layers/sequence.py masks with e - (1 - m) * 1e9.
  double MaximumOfNothing() const override { return -1e9; }
};

}  // namespace

const TensorLayout& LayoutFor(Layout layout) {
  static const HandpickLayout* const handpick = new HandpickLayout;
  static const DeepCtrTorchLayout* const deepctr_torch = new DeepCtrTorchLayout;
  if (layout == Layout::kDeepCtrTorch) return *deepctr_torch;
  return *handpick;
}

bool IsTrainingState(absl::string_view tensor) {
  return absl::EndsWith(tensor, ".num_batches_tracked");
}

}  // namespace handpick::converter
