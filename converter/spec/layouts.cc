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
    {Role::kTask, "tasks.<t>"},
    {Role::kTaskHeadWeight, "tasks.<t>.head.weight"},
    {Role::kTaskHeadBias, "tasks.<t>.head.bias"},
    {Role::kExpert, "experts.<e>"},
    {Role::kGate, "gate.<t>"},
    {Role::kGateWeight, "gate.<t>.weight"},
    {Role::kGateBias, "gate.<t>.bias"},
    {Role::kPieceTable, "piecewise.<part>.embedding.<table>.weight"},
    {Role::kPieceNumbers, "piecewise.<part>.numeric.weight"},
    {Role::kPieceBias, "piecewise.<part>.bias"},
    {Role::kFactorTable, "piecewise.factor.embedding.<table>.weight"},
    {Role::kFactorNumbers, "piecewise.factor.numeric.weight"},
    {Role::kFactorBias, "piecewise.factor.bias"},
    {Role::kCrossWeight, "cross.layers.<i>.weight"},
    {Role::kCrossBias, "cross.layers.<i>.bias"},
    {Role::kCrossDown, "cross.layers.<i>.v.weight"},
    {Role::kCrossUp, "cross.layers.<i>.u.weight"},
    {Role::kResidualUnit, "deep.units.<unit>"},
    {Role::kGmfTable, "gmf.embedding.<table>.weight"},
    {Role::kGmf, "gmf"},
    {Role::kSoftWeight, "<network>.attention.weight"},
    {Role::kSoftBias, "<network>.attention.bias"},
    {Role::kValue, "value"},
    {Role::kValueHeadWeight, "value.head.weight"},
    {Role::kValueHeadBias, "value.head.bias"},
    {Role::kAutorecTable, "autorec.embedding.<table>.weight"},
    {Role::kAutorecHiddenBias, "autorec.hidden.bias"},
    {Role::kAutorecOutput, "autorec.output.<table>.weight"},
    {Role::kAutorecOutputBias, "autorec.output.<table>.bias"},
    {Role::kOuterKernel, "products.outer.weight"},
    {Role::kUserTower, "towers.user"},
    {Role::kItemTower, "towers.item"},
    {Role::kItemBias, "towers.item.bias"},
    {Role::kNamedUnit, "attention.<name>"},
    {Role::kNamedUnitHeadWeight, "attention.<name>.head.weight"},
    {Role::kNamedUnitHeadBias, "attention.<name>.head.bias"},
};

// DeepCTR-Torch 0.2.9. The classes DIEN and AFM have names of their own.
constexpr TensorName kDeepCtrTorchNames[] = {
    {Role::kDeepTable, "embedding_dict.<table>.weight"},
    {Role::kWideTable, "linear_model.embedding_dict.<table>.weight"},
    {Role::kWideNumbers, "linear_model.weight"},
    {Role::kNetwork, "bottom_dnn", "shared_bottom"},
    {Role::kNetwork, "dnn"},
    {Role::kUnit, "interest_evolution.attention.local_att.dnn", "dien"},
    {Role::kUnit, "attention.local_att.dnn"},
    {Role::kLayerWeight, "fm.attention_W", "afm"},
    {Role::kLayerWeight, "<network>.linears.<i>.weight"},
    {Role::kLayerBias, "fm.attention_b", "afm"},
    {Role::kLayerBias, "<network>.linears.<i>.bias"},
    {Role::kBatchNorm, "<network>.bn.<i>.<part>"},
    {Role::kPrelu, "<network>.activation_layers.<i>.weight"},
    {Role::kDiceAlpha, "<network>.activation_layers.<i>.alpha"},
    {Role::kDice, "<network>.activation_layers.<i>.bn.<part>"},
    {Role::kHeadWeight, "linear.weight", "dien"},
    {Role::kHeadWeight, "fm.projection_p", "afm"},
    {Role::kHeadWeight, "dnn_linear.weight"},
    {Role::kOutputBias, "out.bias"},
    {Role::kUnitHeadWeight, "interest_evolution.attention.local_att.dense.weight", "dien"},
    {Role::kUnitHeadWeight, "fm.projection_h", "afm"},
    {Role::kUnitHeadWeight, "attention.local_att.dense.weight"},
    {Role::kUnitHeadBias, "interest_evolution.attention.local_att.dense.bias", "dien"},
    {Role::kUnitHeadBias, "attention.local_att.dense.bias"},
    {Role::kExtractor, "interest_extractor.gru.<part>_l0"},
    {Role::kEvolution, "interest_evolution.interest_evolution.rnn.<part>", "AGRU"},
    {Role::kEvolution, "interest_evolution.interest_evolution.rnn.<part>", "AUGRU"},
    {Role::kEvolution, "interest_evolution.interest_evolution.<part>_l0"},
    {Role::kAuxiliary, "interest_extractor.auxiliary_net."},
    {Role::kTask, "<t>_dnn", "esmm"},
    {Role::kTask, "tower_dnn.<t>"},
    {Role::kTaskHeadWeight, "<t>_dnn_final_layer.weight", "esmm"},
    {Role::kTaskHeadWeight, "tower_dnn_final_layer.<t>.weight"},
    // One bias for both towers.
    {Role::kTaskHeadBias, "out.bias", "esmm"},
    {Role::kTaskHeadBias, "out.<t>.bias"},
    {Role::kExpert, "expert_dnn.<e>"},
    {Role::kGate, "gate_dnn.<t>"},
    {Role::kGateWeight, "gate_dnn_final_layer.<t>.weight"},
    {Role::kPieceTable, "<part>_linear_model.<i>.embedding_dict.<table>.weight"},
    {Role::kPieceNumbers, "<part>_linear_model.<i>.weight"},
    {Role::kFactorTable, "bias_model.0.embedding_dict.<table>.weight"},
    {Role::kFactorNumbers, "bias_model.0.weight"},
    {Role::kCrossWeight, "crossnet.kernels"},
    {Role::kCrossBias, "crossnet.bias"},
    {Role::kOuterKernel, "outterproduct.kernel"},
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
  // models/basemodel.py makes its networks with dice_dim=3, whose Dice asserts 3 dimensions.
  traits.has_dice_in_network = false;
  traits.history_place = HistoryPlace::kBeforeNumbers;
  // layers/sequence.py gives every score of padding the same huge negative number.
  traits.softmax_over_padding = true;
  traits.attends_to_several_ids = false;
  traits.attends_to_numbers = false;
  traits.query_in_deep_order = true;
  traits.has_several_units = false;
  // layers/sequence.py registers AUGRU's hidden bias under both names.
  traits.augru_has_one_bias = true;
  traits.has_parallel_full_cross_alone = true;
  traits.has_superposed_products = false;
  traits.outer_kernels_are_turned = true;
  traits.pair_attention_is_turned = true;
  return traits;
}

constexpr LayoutTraits DeepCtrTorchWithoutBatchNormalization() {
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

// models/mlr.py: what the base class makes, and linear models that its forward pass never calls.
constexpr const char* kDeepCtrTorchMlrUnread[] = {"base_linear_model.", "linear_model.",
                                                  "embedding_dict.", "out.bias"};

constexpr LayoutTraits DeepCtrTorchMlr() {
  LayoutTraits traits = DeepCtrTorch();
  // get_learner_score calls region_linear_model.
  traits.pieces_are_regions = true;
  traits.unread = kDeepCtrTorchMlrUnread;
  return traits;
}

constexpr LayoutOfKind kDeepCtrTorchOfKinds[] = {
    {"mlr", DeepCtrTorchMlr()},
    {"nfm", DeepCtrTorchWithoutBatchNormalization()},
    {"pnn", DeepCtrTorchWithoutBatchNormalization()},
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
