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
  LayerTensors DeepLayer(size_t layer) const override {
    return Layer(absl::StrCat("deep.layers.", layer));
  }
  LayerTensors AttentionLayer(size_t layer) const override {
    return Layer(absl::StrCat("attention.layers.", layer));
  }
  std::string HeadWeight() const override { return "head.weight"; }
  HeadTensors AttentionHead() const override {
    return {"attention.head.weight", "attention.head.bias"};
  }

  std::vector<BiasTensor> Biases(bool has_wide, bool has_deep) const override {
    std::vector<BiasTensor> biases;
    if (has_wide) biases.push_back({"wide.bias", /*required=*/false});
    if (has_deep) biases.push_back({"head.bias", /*required=*/true});
    return biases;
  }

  RecurrentTensors Extractor() const override { return Recurrent("gru"); }
  RecurrentTensors Evolution(const std::string&) const override { return Recurrent("evolution"); }
  std::string NegativeSampling() const override { return "auxiliary."; }

  DeepInput OrderOfDeep(const Spec& spec, const FeatureSet&) const override {
    return {spec.deep.features, spec.deep.features.size(), {}};
  }
  bool DropsDeepWithoutLayers() const override { return false; }
  double MaximumOfNothing() const override { return 0; }
  bool SoftmaxOfNothingIsPadding() const override { return false; }

 private:
  static LayerTensors Layer(const std::string& prefix) {
    return {prefix + ".weight",       prefix + ".bias",       prefix + ".batch_norm",
            prefix + ".prelu.weight", prefix + ".dice.alpha", prefix + ".dice"};
  }
  static RecurrentTensors Recurrent(const std::string& prefix) {
    return {prefix + ".weight_ih", prefix + ".weight_hh", prefix + ".bias_ih", prefix + ".bias_hh"};
  }
};

// Kinds of columns, in the order in which the deep input of DeepCTR-Torch has them. What is pooled
// is a sequence there.
enum ColumnKind { kSparse, kSequence, kDense };

ColumnKind KindOf(const FeatureSet& features, size_t index) {
  const schema::FeatureT& feature = *features.features[index];
  const bool pooled =
      feature.side == schema::Side::History ||
      feature.type == schema::FeatureType::MultiCategorical ||
      std::any_of(feature.cross_of.begin(), feature.cross_of.end(), [&](uint32_t operand) {
        return features.features[operand]->type == schema::FeatureType::MultiCategorical;
      });
  if (feature.type == schema::FeatureType::Numeric) return kDense;
  return pooled ? kSequence : kSparse;
}

// DeepCTR-Torch 0.2.9.
class DeepCtrTorchLayout : public TensorLayout {
 public:
  // The class DIEN has names and an order of its own.
  explicit DeepCtrTorchLayout(bool is_dien) : is_dien_(is_dien) {}

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
  LayerTensors DeepLayer(size_t layer) const override { return Layer("dnn", layer); }
  LayerTensors AttentionLayer(size_t layer) const override { return Layer(Unit() + ".dnn", layer); }
  std::string HeadWeight() const override {
    return is_dien_ ? "linear.weight" : "dnn_linear.weight";
  }
  HeadTensors AttentionHead() const override {
    return {Unit() + ".dense.weight", Unit() + ".dense.bias"};
  }

  std::vector<BiasTensor> Biases(bool, bool) const override {
    return {{"out.bias", /*required=*/true}};
  }

  RecurrentTensors Extractor() const override { return Recurrent("interest_extractor.gru", "_l0"); }
  RecurrentTensors Evolution(const std::string& cell) const override {
    const std::string prefix = "interest_evolution.interest_evolution";
    if (cell == "GRU" || cell == "AIGRU") return Recurrent(prefix, "_l0");
    RecurrentTensors tensors = Recurrent(prefix + ".rnn", "");
    // layers/sequence.py registers AUGRU's hidden bias under both names.
    tensors.one_bias = cell == "AUGRU";
    return tensors;
  }
  std::string NegativeSampling() const override { return "interest_extractor.auxiliary_net."; }

  DeepInput OrderOfDeep(const Spec& spec, const FeatureSet& features) const override {
    DeepInput input;
    for (const FeatureUse& use : spec.deep.features) {
      const bool ignored = is_dien_ && KindOf(features, use.feature) == kSequence;
      (ignored ? input.ignored : input.features).push_back(use);
    }
    std::stable_sort(input.features.begin(), input.features.end(),
                     [&](const FeatureUse& a, const FeatureUse& b) {
                       return KindOf(features, a.feature) < KindOf(features, b.feature);
                     });
    if (is_dien_) return input;  // The history comes first.
    const auto is_dense = [&](const FeatureUse& use) {
      return KindOf(features, use.feature) == kDense;
    };
    input.history =
        static_cast<size_t>(std::find_if(input.features.begin(), input.features.end(), is_dense) -
                            input.features.begin());
    return input;
  }
  bool DropsDeepWithoutLayers() const override { return true; }
  // layers/sequence.py masks with e - (1 - m) * 1e9.
  double MaximumOfNothing() const override { return -1e9; }
  // layers/sequence.py gives every score of padding the same huge negative number. DIEN leaves
  // empty histories out before it attends.
  bool SoftmaxOfNothingIsPadding() const override { return !is_dien_; }

 private:
  std::string Unit() const {
    return is_dien_ ? "interest_evolution.attention.local_att" : "attention.local_att";
  }
  static LayerTensors Layer(const std::string& network, size_t layer) {
    const std::string linear = absl::StrCat(network, ".linears.", layer);
    const std::string activation = absl::StrCat(network, ".activation_layers.", layer);
    return {linear + ".weight",     linear + ".bias",      absl::StrCat(network, ".bn.", layer),
            activation + ".weight", activation + ".alpha", activation + ".bn"};
  }
  static RecurrentTensors Recurrent(const std::string& prefix, const std::string& suffix) {
    return {prefix + ".weight_ih" + suffix, prefix + ".weight_hh" + suffix,
            prefix + ".bias_ih" + suffix, prefix + ".bias_hh" + suffix};
  }

  const bool is_dien_;
};

}  // namespace

const TensorLayout& LayoutFor(const Spec& spec) {
  static const auto* const handpick = new HandpickLayout;
  static const auto* const deepctr_torch = new DeepCtrTorchLayout(/*is_dien=*/false);
  static const auto* const deepctr_torch_dien = new DeepCtrTorchLayout(/*is_dien=*/true);
  if (spec.layout == Layout::kHandpick) return *handpick;
  return spec.kind == "dien" ? *deepctr_torch_dien : *deepctr_torch;
}

bool IsTrainingState(absl::string_view tensor) {
  return absl::EndsWith(tensor, ".num_batches_tracked");
}

}  // namespace handpick::converter
