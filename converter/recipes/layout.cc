#include "converter/recipes/layout.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "schema/bundle_generated.h"

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

std::string WithName(absl::string_view pattern, absl::string_view name) {
  return absl::StrReplaceAll(pattern, {{"<name>", name}});
}

// How Keras numbers layers.
std::string KerasNumber(size_t number) { return number == 0 ? "" : absl::StrCat("_", number); }

std::string WithAttention(absl::string_view pattern, size_t attention) {
  return absl::StrReplaceAll(pattern, {{"<a>", absl::StrCat(attention)}});
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

std::string TensorLayout::NumbersTable(absl::string_view feature, bool has_several) const {
  return WithTable(Pattern(has_several ? TensorRole::kProjection : TensorRole::kDeepTable),
                   feature);
}

std::string TensorLayout::DeepNetwork() const { return std::string(Pattern(TensorRole::kNetwork)); }

std::string TensorLayout::Unit(absl::string_view unit) const {
  return OfUnit(TensorRole::kUnit, TensorRole::kNamedUnit, unit);
}

size_t TensorLayout::NumberOf(absl::string_view unit) const {
  size_t attention = 0;
  while (attention + 1 < spec_.attention.size() && spec_.attention[attention].name != unit) {
    ++attention;
  }
  return attention;
}

std::string TensorLayout::OfUnit(TensorRole role, TensorRole named, absl::string_view unit) const {
  const absl::string_view pattern = unit.empty() ? "" : Pattern(named);
  if (!pattern.empty()) return WithName(pattern, unit);
  return WithAttention(Pattern(role), NumberOf(unit));
}

std::string TensorLayout::StackedNetwork() const {
  return std::string(Pattern(TensorRole::kStackedNetwork));
}

std::string TensorLayout::OuterKernel() const {
  return std::string(Pattern(TensorRole::kOuterKernel));
}

LayerTensors TensorLayout::UserTowerLayer(size_t layer) const {
  return NetworkLayer(Pattern(TensorRole::kUserTower), layer);
}

LayerTensors TensorLayout::ItemTowerLayer(size_t layer) const {
  return NetworkLayer(Pattern(TensorRole::kItemTower), layer);
}

std::string TensorLayout::ItemBias() const { return std::string(Pattern(TensorRole::kItemBias)); }

std::string TensorLayout::HeadWeight() const {
  return OfNetwork(TensorRole::kHeadWeight, Pattern(TensorRole::kNetwork));
}

HeadTensors TensorLayout::AttentionHead(absl::string_view unit) const {
  if (!unit.empty() && !Pattern(TensorRole::kNamedUnitHeadWeight).empty()) {
    return {WithName(Pattern(TensorRole::kNamedUnitHeadWeight), unit),
            WithName(Pattern(TensorRole::kNamedUnitHeadBias), unit)};
  }
  return {OfNetwork(TensorRole::kUnitHeadWeight, Unit(unit)),
          OfNetwork(TensorRole::kUnitHeadBias, Unit(unit))};
}

std::string TensorLayout::Bilinear(absl::string_view unit) const {
  return OfUnit(TensorRole::kBilinear, TensorRole::kNamedBilinear, unit);
}

std::vector<BiasTensor> TensorLayout::Biases(bool has_wide, bool has_network) const {
  std::vector<BiasTensor> biases;
  const auto add = [&](TensorRole role, bool required) {
    const std::string name = OfNetwork(role, Pattern(TensorRole::kNetwork));
    if (!name.empty()) biases.push_back({name, required});
  };
  if (has_wide) add(TensorRole::kWideBias, /*required=*/false);
  if (has_network) add(TensorRole::kHeadBias, /*required=*/true);
  add(TensorRole::kOutputBias, /*required=*/true);
  return biases;
}

RecurrentTensors TensorLayout::Extractor(absl::string_view unit) const {
  return Recurrent(TensorRole::kExtractor, TensorRole::kNamedExtractor, unit);
}

RecurrentTensors TensorLayout::Evolution(absl::string_view unit) const {
  RecurrentTensors tensors = Recurrent(TensorRole::kEvolution, TensorRole::kNamedEvolution, unit);
  const std::string& cell = spec_.evolution.cell;
  tensors.one_bias = traits().augru_has_one_bias && cell == "AUGRU";
  tensors.gates_are_u_r_n =
      traits().attention_gates_are_u_r_n && (cell == "AGRU" || cell == "AUGRU");
  return tensors;
}

JoinedRecurrentTensors TensorLayout::JoinedExtractor() const {
  return JoinedRecurrent(TensorRole::kExtractor);
}

JoinedRecurrentTensors TensorLayout::JoinedEvolution() const {
  return JoinedRecurrent(TensorRole::kEvolution);
}

std::string TensorLayout::NegativeSampling() const {
  return std::string(Pattern(TensorRole::kAuxiliary));
}

CrossTensors TensorLayout::CrossLayer(size_t layer) const {
  const std::string number = absl::StrCat(layer);
  const auto name = [&](TensorRole role) {
    return absl::StrReplaceAll(Pattern(role), {{"<i>", number}});
  };
  return {name(TensorRole::kCrossWeight), name(TensorRole::kCrossBias),
          name(TensorRole::kCrossDown), name(TensorRole::kCrossUp),
          !absl::StrContains(Pattern(TensorRole::kCrossWeight), "<i>")};
}

LayerTensors TensorLayout::ResidualLayer(size_t layer) const {
  const std::string unit = absl::StrCat(layer / 2);
  return NetworkLayer(absl::StrReplaceAll(Pattern(TensorRole::kResidualUnit), {{"<unit>", unit}}),
                      layer % 2);
}

std::string TensorLayout::GmfTable(absl::string_view table) const {
  return WithTable(Pattern(TensorRole::kGmfTable), table);
}

HeadTensors TensorLayout::GmfAttention() const { return SoftAttention(TensorRole::kGmf); }

HeadTensors TensorLayout::DeepAttention() const { return SoftAttention(TensorRole::kNetwork); }

HeadTensors TensorLayout::SoftAttention(TensorRole network) const {
  return {OfNetwork(TensorRole::kSoftWeight, Pattern(network)),
          OfNetwork(TensorRole::kSoftBias, Pattern(network))};
}

std::string TensorLayout::OfNetwork(TensorRole role, absl::string_view network) const {
  return absl::StrReplaceAll(Pattern(role), {{"<network>", network}});
}

LayerTensors TensorLayout::ValueLayer(size_t layer) const {
  return NetworkLayer(Pattern(TensorRole::kValue), layer);
}

HeadTensors TensorLayout::ValueHead() const {
  return {std::string(Pattern(TensorRole::kValueHeadWeight)),
          std::string(Pattern(TensorRole::kValueHeadBias))};
}

AutorecTensors TensorLayout::Autorec(absl::string_view item_table,
                                     absl::string_view candidate_table) const {
  return {WithTable(Pattern(TensorRole::kAutorecTable), item_table),
          std::string(Pattern(TensorRole::kAutorecHiddenBias)),
          WithTable(Pattern(TensorRole::kAutorecOutput), candidate_table),
          WithTable(Pattern(TensorRole::kAutorecOutputBias), candidate_table)};
}

std::string TensorLayout::WideBias() const { return std::string(Pattern(TensorRole::kWideBias)); }

LayerTensors TensorLayout::NetworkLayer(absl::string_view network, size_t layer) const {
  const std::string number = absl::StrCat(layer);
  const auto name = [&](TensorRole role, absl::string_view part = "") {
    return absl::StrReplaceAll(Pattern(role), {{"<network>", network},
                                               {"<i>", number},
                                               {"<_i>", KerasNumber(layer)},
                                               {".<part>", part},
                                               {"/<part>:0", part}});
  };
  return {name(TensorRole::kLayerWeight), name(TensorRole::kLayerBias),
          name(TensorRole::kBatchNorm),   name(TensorRole::kPrelu),
          name(TensorRole::kDiceAlpha),   name(TensorRole::kDice)};
}

std::string TensorLayout::OfTask(TensorRole role, const TaskNames& task) const {
  return absl::StrReplaceAll(
      PatternOf(spec_.layout, role, spec_.kind, task.text),
      {{"<t>", task.text}, {"<task>", task.name}, {"<_t>", KerasNumber(task.number)}});
}

std::string TensorLayout::Task(const TaskNames& task) const {
  return OfTask(TensorRole::kTask, task);
}

HeadTensors TensorLayout::TaskHead(const TaskNames& task) const {
  return {OfTask(TensorRole::kTaskHeadWeight, task), OfTask(TensorRole::kTaskHeadBias, task)};
}

std::string TensorLayout::Expert(size_t expert) const {
  return absl::StrReplaceAll(Pattern(TensorRole::kExpert), {{"<e>", absl::StrCat(expert)}});
}

std::string TensorLayout::Gate(const TaskNames& task) const {
  return OfTask(TensorRole::kGate, task);
}

HeadTensors TensorLayout::GateHead(const TaskNames& task) const {
  return {OfTask(TensorRole::kGateWeight, task), OfTask(TensorRole::kGateBias, task)};
}

std::vector<std::string> TensorLayout::PieceTables(absl::string_view part,
                                                   absl::string_view table) const {
  return OfPieces(TensorRole::kPieceTable, part, table);
}

std::vector<std::string> TensorLayout::PieceNumbers(absl::string_view part) const {
  return OfPieces(TensorRole::kPieceNumbers, part, "");
}

std::string TensorLayout::PieceBias(absl::string_view part) const {
  return WithPart(Pattern(TensorRole::kPieceBias), part);
}

std::string TensorLayout::FactorTable(absl::string_view table) const {
  return WithTable(Pattern(TensorRole::kFactorTable), table);
}

std::string TensorLayout::FactorNumbers() const {
  return std::string(Pattern(TensorRole::kFactorNumbers));
}

std::string TensorLayout::FactorBias() const {
  return std::string(Pattern(TensorRole::kFactorBias));
}

std::vector<std::string> TensorLayout::OfPieces(TensorRole role, absl::string_view part,
                                                absl::string_view table) const {
  const std::string pattern =
      absl::StrReplaceAll(Pattern(role), {{"<part>", part}, {"<table>", table}});
  if (!absl::StrContains(pattern, "<i>")) return {pattern};
  std::vector<std::string> names;
  for (int64_t piece = 0; piece < spec_.piecewise.count; ++piece) {
    names.push_back(absl::StrReplaceAll(pattern, {{"<i>", absl::StrCat(piece)}}));
  }
  return names;
}

RecurrentTensors TensorLayout::Recurrent(TensorRole role, TensorRole named,
                                         absl::string_view unit) const {
  const std::string pattern = OfUnit(role, named, unit);
  const auto name = [&](absl::string_view part, absl::string_view side, absl::string_view param) {
    return absl::StrReplaceAll(pattern, {{"<part>", part}, {"<side>", side}, {"<param>", param}});
  };
  return {name("weight_ih", "x", "weight"), name("weight_hh", "h", "weight"),
          name("bias_ih", "x", "bias"), name("bias_hh", "h", "bias")};
}

JoinedRecurrentTensors TensorLayout::JoinedRecurrent(TensorRole role) const {
  const absl::string_view pattern = Pattern(role);
  return {WithPart(pattern, "gates/kernel"), WithPart(pattern, "gates/bias"),
          WithPart(pattern, "candidate/kernel"), WithPart(pattern, "candidate/bias")};
}

std::vector<std::string> EmbeddingTensors(const Spec& spec) {
  const TensorLayout layout(spec);
  std::set<std::string> names;
  for (const FeatureSpec& feature : spec.features) {
    names.insert(layout.DeepTable(feature.table));
    names.insert(layout.WideTable(feature.table));
    if (spec.traits().wide_is_an_embedding) names.insert(layout.WideTable(feature.name));
    names.insert(layout.GmfTable(feature.table));
    const AutorecTensors autorec = layout.Autorec(feature.table, feature.table);
    names.insert({autorec.table, autorec.output, autorec.output_bias});
  }
  // The scalar of a factorization machine belongs to its weights.
  if (spec.kind == "fnn") names.insert(layout.WideBias());
  names.erase("");
  return {names.begin(), names.end()};
}

absl::Status CheckLayout(const Spec& spec, const FeatureSet& features) {
  if (spec.traits().takes_max_with_length) return absl::OkStatus();
  for (const auto* uses : {&spec.wide.features, &spec.deep.features, &spec.piecewise.features,
                           &spec.piecewise.base_features, &spec.piecewise.bias_features}) {
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
    case HistoryPlace::kInPlace:
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
