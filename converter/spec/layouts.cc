#include "converter/spec/layouts.h"

namespace handpick::converter {
namespace {

using Role = TensorRole;

constexpr TensorName kHandpickNames[] = {
    {Role::kDeepTable, "deep.embedding.<table>.weight"},
    {Role::kWideTable, "wide.embedding.<table>.weight"},
    {Role::kWideNumbers, "wide.numeric.weight"},
    {Role::kWideBias, "wide.bias"},
    {Role::kNetwork, "deep"},
    {Role::kUnit, "attention"},
    {Role::kLayerWeight, "<network>.layers.<i>.weight"},
    {Role::kLayerBias, "<network>.layers.<i>.bias"},
    {Role::kBatchNorm, "<network>.layers.<i>.batch_norm.<part>"},
    {Role::kPrelu, "<network>.layers.<i>.prelu.weight"},
    {Role::kDiceAlpha, "<network>.layers.<i>.dice.alpha"},
    {Role::kDice, "<network>.layers.<i>.dice.<part>"},
    {Role::kHeadWeight, "head.weight"},
    {Role::kHeadBias, "head.bias"},
    {Role::kUnitHeadWeight, "attention.head.weight"},
    {Role::kUnitHeadBias, "attention.head.bias"},
    {Role::kExtractor, "gru.<part>"},
    {Role::kEvolution, "evolution.<part>"},
    {Role::kAuxiliary, "auxiliary."},
};

// DeepCTR-Torch 0.2.9. The class DIEN has names of its own.
constexpr TensorName kDeepCtrTorchNames[] = {
    {Role::kDeepTable, "embedding_dict.<table>.weight"},
    {Role::kWideTable, "linear_model.embedding_dict.<table>.weight"},
    {Role::kWideNumbers, "linear_model.weight"},
    {Role::kNetwork, "dnn"},
    {Role::kUnit, "interest_evolution.attention.local_att.dnn", "dien"},
    {Role::kUnit, "attention.local_att.dnn"},
    {Role::kLayerWeight, "<network>.linears.<i>.weight"},
    {Role::kLayerBias, "<network>.linears.<i>.bias"},
    {Role::kBatchNorm, "<network>.bn.<i>.<part>"},
    {Role::kPrelu, "<network>.activation_layers.<i>.weight"},
    {Role::kDiceAlpha, "<network>.activation_layers.<i>.alpha"},
    {Role::kDice, "<network>.activation_layers.<i>.bn.<part>"},
    {Role::kHeadWeight, "linear.weight", "dien"},
    {Role::kHeadWeight, "dnn_linear.weight"},
    {Role::kOutputBias, "out.bias"},
    {Role::kUnitHeadWeight, "interest_evolution.attention.local_att.dense.weight", "dien"},
    {Role::kUnitHeadWeight, "attention.local_att.dense.weight"},
    {Role::kUnitHeadBias, "interest_evolution.attention.local_att.dense.bias", "dien"},
    {Role::kUnitHeadBias, "attention.local_att.dense.bias"},
    {Role::kExtractor, "interest_extractor.gru.<part>_l0"},
    {Role::kEvolution, "interest_evolution.interest_evolution.rnn.<part>", "AGRU"},
    {Role::kEvolution, "interest_evolution.interest_evolution.rnn.<part>", "AUGRU"},
    {Role::kEvolution, "interest_evolution.interest_evolution.<part>_l0"},
    {Role::kAuxiliary, "interest_extractor.auxiliary_net."},
};

constexpr LayoutTraits DeepCtrTorch() {
  LayoutTraits traits;
  traits.library = "DeepCTR-Torch";
  // Ids are float32, which tells integers apart up to here.
  traits.most_rows = int64_t{1} << 24;
  traits.row_zero_pads = true;
  traits.takes_max_with_length = false;
  traits.last_column_sizes_table = true;
  // layers/sequence.py masks with e - (1 - m) * 1e9.
  traits.empty_max_value = -1e9;
  traits.groups_deep_by_column_kind = true;
  // Such a model can be built: the deep features have tables, and nothing reads them.
  traits.ignores_deep_without_layers = true;
  traits.batch_normalization_epsilon = 1e-5;
  traits.history_place = HistoryPlace::kBeforeNumbers;
  // layers/sequence.py gives every score of padding the same huge negative number.
  traits.softmax_over_padding = true;
  traits.attends_to_several_ids = false;
  traits.query_in_deep_order = true;
  // layers/sequence.py registers AUGRU's hidden bias under both names.
  traits.augru_has_one_bias = true;
  return traits;
}

constexpr LayoutTraits DeepCtrTorchNfm() {
  LayoutTraits traits = DeepCtrTorch();
  traits.has_batch_normalization = false;
  return traits;
}

constexpr LayoutTraits DeepCtrTorchDien() {
  LayoutTraits traits = DeepCtrTorch();
  traits.history_place = HistoryPlace::kFirst;
  traits.ignores_other_sequences = true;
  // Empty histories are left out before it attends.
  traits.softmax_over_padding = false;
  return traits;
}

constexpr LayoutOfKind kDeepCtrTorchOfKinds[] = {
    {"nfm", DeepCtrTorchNfm()},
    {"dien", DeepCtrTorchDien()},
};

constexpr LayoutRow kLayouts[] = {
    {Layout::kHandpick,
     "handpick",
     "names and semantics of this project's own",
     kHandpickNames,
     LayoutTraits(),
     {}},
    {Layout::kDeepCtrTorch, "deepctr-torch", "a state_dict of DeepCTR-Torch 0.2.9",
     kDeepCtrTorchNames, DeepCtrTorch(), kDeepCtrTorchOfKinds},
};
static_assert(sizeof(kLayouts) / sizeof(kLayouts[0]) == kLayoutCount, "every layout has a row");

}  // namespace

absl::Span<const LayoutRow> Layouts() { return kLayouts; }

const LayoutRow& RowOf(Layout layout) { return kLayouts[static_cast<size_t>(layout)]; }

const std::vector<std::string>& LayoutNames() {
  static const auto* const kNames = [] {
    auto* const names = new std::vector<std::string>;
    for (const LayoutRow& row : kLayouts) names->push_back(row.name);
    return names;
  }();
  return *kNames;
}

const LayoutTraits& TraitsOf(Layout layout, absl::string_view kind) {
  for (const LayoutOfKind& of_kind : RowOf(layout).of_kinds) {
    if (of_kind.kind == kind) return of_kind.traits;
  }
  return RowOf(layout).traits;
}

absl::string_view PatternOf(Layout layout, TensorRole role, absl::string_view kind,
                            absl::string_view cell) {
  for (const TensorName& name : RowOf(layout).names) {
    const absl::string_view only = name.only;
    if (name.role == role && (only.empty() || only == kind || only == cell)) return name.pattern;
  }
  return "";
}

}  // namespace handpick::converter
