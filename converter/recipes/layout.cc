#include "converter/recipes/layout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace handpick::converter {
namespace {

// Kinds of columns, in the order of a deep input that is grouped by them. What is pooled is a
// sequence.
enum ColumnKind { kSingle, kSequence, kNumbers };

ColumnKind KindOf(const FeatureSet& features, size_t index) {
  const schema::FeatureT& feature = *features.features[index];
  const bool pooled =
      feature.side == schema::Side::History ||
      feature.type == schema::FeatureType::MultiCategorical ||
      std::any_of(feature.cross_of.begin(), feature.cross_of.end(), [&](uint32_t operand) {
        return features.features[operand]->type == schema::FeatureType::MultiCategorical;
      });
  if (feature.type == schema::FeatureType::Numeric) return kNumbers;
  return pooled ? kSequence : kSingle;
}

std::string WithTable(absl::string_view pattern, absl::string_view table) {
  return absl::StrReplaceAll(pattern, {{"<table>", table}});
}

std::string WithPart(absl::string_view pattern, absl::string_view part) {
  return absl::StrReplaceAll(pattern, {{"<part>", part}});
}

}  // namespace

absl::string_view TensorLayout::Pattern(TensorRole role) const {
  return PatternOf(spec_.layout, role, spec_.kind, spec_.evolution.cell);
}

std::string TensorLayout::DeepTable(absl::string_view table) const {
  return WithTable(Pattern(TensorRole::kDeepTable), table);
}

std::string TensorLayout::WideTable(absl::string_view table) const {
  return WithTable(Pattern(TensorRole::kWideTable), table);
}

std::string TensorLayout::WideNumericWeight() const {
  return std::string(Pattern(TensorRole::kWideNumbers));
}

LayerTensors TensorLayout::DeepLayer(size_t layer) const {
  return Layer(TensorRole::kNetwork, layer);
}

LayerTensors TensorLayout::AttentionLayer(size_t layer) const {
  return Layer(TensorRole::kUnit, layer);
}

std::string TensorLayout::HeadWeight() const {
  return std::string(Pattern(TensorRole::kHeadWeight));
}

HeadTensors TensorLayout::AttentionHead() const {
  return {std::string(Pattern(TensorRole::kUnitHeadWeight)),
          std::string(Pattern(TensorRole::kUnitHeadBias))};
}

std::vector<BiasTensor> TensorLayout::Biases(bool has_wide, bool has_network) const {
  std::vector<BiasTensor> biases;
  const auto add = [&](TensorRole role, bool required) {
    const absl::string_view name = Pattern(role);
    if (!name.empty()) biases.push_back({std::string(name), required});
  };
  if (has_wide) add(TensorRole::kWideBias, /*required=*/false);
  if (has_network) add(TensorRole::kHeadBias, /*required=*/true);
  add(TensorRole::kOutputBias, /*required=*/true);
  return biases;
}

RecurrentTensors TensorLayout::Extractor() const { return Recurrent(TensorRole::kExtractor); }

RecurrentTensors TensorLayout::Evolution() const {
  RecurrentTensors tensors = Recurrent(TensorRole::kEvolution);
  tensors.one_bias = traits().augru_has_one_bias && spec_.evolution.cell == "AUGRU";
  return tensors;
}

std::string TensorLayout::NegativeSampling() const {
  return std::string(Pattern(TensorRole::kAuxiliary));
}

LayerTensors TensorLayout::Layer(TensorRole network, size_t layer) const {
  const std::string number = absl::StrCat(layer);
  const auto name = [&](TensorRole role, absl::string_view part = "") {
    return absl::StrReplaceAll(
        Pattern(role), {{"<network>", Pattern(network)}, {"<i>", number}, {".<part>", part}});
  };
  return {name(TensorRole::kLayerWeight), name(TensorRole::kLayerBias),
          name(TensorRole::kBatchNorm),   name(TensorRole::kPrelu),
          name(TensorRole::kDiceAlpha),   name(TensorRole::kDice)};
}

RecurrentTensors TensorLayout::Recurrent(TensorRole role) const {
  const absl::string_view pattern = Pattern(role);
  return {WithPart(pattern, "weight_ih"), WithPart(pattern, "weight_hh"),
          WithPart(pattern, "bias_ih"), WithPart(pattern, "bias_hh")};
}

absl::Status CheckLayout(const Spec& spec, const FeatureSet& features) {
  if (spec.traits().takes_max_with_length) return absl::OkStatus();
  for (const auto* uses : {&spec.wide.features, &spec.deep.features}) {
    for (const FeatureUse& use : *uses) {
      const schema::FeatureT& feature = *features.features[use.feature];
      if (use.combiner == schema::Combiner::Max && feature.length_feature >= 0) {
        return absl::InvalidArgumentError(absl::StrCat(
            "spec: feature '", feature.name, "' has combiner max and a length, which layout ",
            RowOf(spec.layout).name, " cannot have: the library itself fails on it"));
      }
    }
  }
  return absl::OkStatus();
}

DeepInput OrderOfDeep(const Spec& spec, const FeatureSet& features) {
  const LayoutTraits& traits = spec.traits();
  DeepInput input;
  for (const FeatureUse& use : spec.deep.features) {
    const bool is_ignored =
        traits.ignores_other_sequences && KindOf(features, use.feature) == kSequence;
    (is_ignored ? input.ignored : input.features).push_back(use);
  }
  if (traits.groups_deep_by_column_kind) {
    std::stable_sort(input.features.begin(), input.features.end(),
                     [&](const FeatureUse& a, const FeatureUse& b) {
                       return KindOf(features, a.feature) < KindOf(features, b.feature);
                     });
  }
  const auto is_number = [&](const FeatureUse& use) {
    return KindOf(features, use.feature) == kNumbers;
  };
  switch (traits.history_place) {
    case HistoryPlace::kFirst:
      input.history = 0;
      break;
    case HistoryPlace::kBeforeNumbers:
      input.history = static_cast<size_t>(
          std::find_if(input.features.begin(), input.features.end(), is_number) -
          input.features.begin());
      break;
    case HistoryPlace::kLast:
      input.history = input.features.size();
      break;
  }
  return input;
}

bool IsTrainingState(absl::string_view tensor) {
  return absl::EndsWith(tensor, ".num_batches_tracked");
}

}  // namespace handpick::converter
