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
    {Role::kBilinear, "attention.bilinear.weight"},
    {Role::kNamedBilinear, "attention.<name>.bilinear.weight"},
    {Role::kNamedExtractor, "gru.<name>.<part>"},
    {Role::kNamedEvolution, "evolution.<name>.<part>"},
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
  traits.has_attention_forms = false;
  traits.has_sum_pooling = false;
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

// DeepCTR 0.9.4 (TensorFlow), as tf.keras saves weights. A model has one layer of most kinds.
constexpr TensorName kDeepCtrNames[] = {
    {Role::kDeepTable, "sparse_emb_<table>/embeddings:0"},
    {Role::kWideTable, "linear0sparse_emb_<table>/embeddings:0"},
    {Role::kWideNumbers, "linear/linear_kernel:0"},
    {Role::kWideBias, "linear/linear_bias:0"},
    {Role::kNetwork, "dnn"},
    {Role::kUnit, "attention_sequence_pooling_layer/local_activation_unit/dnn"},
    {Role::kLayerWeight, "afm_layer/attention_W:0", "afm"},
    {Role::kLayerWeight, "<network>/kernel<i>:0"},
    {Role::kLayerBias, "afm_layer/attention_b:0", "afm"},
    {Role::kLayerBias, "<network>/bias<i>:0"},
    {Role::kBatchNorm, "<network>/batch_normalization<_i>/<part>:0"},
    {Role::kPrelu, "<network>/p_re_lu<_i>/alpha:0"},
    {Role::kDiceAlpha, "<network>/dice<_i>/dice_alpha:0"},
    {Role::kDice, "<network>/dice<_i>/batch_normalization/<part>:0"},
    {Role::kHeadWeight, "afm_layer/projection_p:0", "afm"},
    {Role::kHeadWeight, "dense/kernel:0"},
    {Role::kOutputBias, "prediction_layer/global_bias:0"},
    {Role::kUnitHeadWeight, "afm_layer/projection_h:0", "afm"},
    {Role::kUnitHeadWeight, "attention_sequence_pooling_layer/local_activation_unit/kernel:0"},
    {Role::kUnitHeadBias, "attention_sequence_pooling_layer/local_activation_unit/bias:0"},
    {Role::kExtractor, "gru1/gru_cell/<part>:0"},
    // contrib/utils.py: these cells make their variables outside of a layer of their own.
    {Role::kEvolution, "gru2/<part>:0", "AGRU"},
    {Role::kEvolution, "gru2/<part>:0", "AUGRU"},
    {Role::kEvolution, "gru2/gru_cell/<part>:0"},
    {Role::kTask, "dnn<_t>", "esmm"},
    {Role::kTask, "tower_<task>"},
    {Role::kTaskHeadWeight, "dense<_t>/kernel:0"},
    // models/multitask/esmm.py: what it says of both is a product, which has no bias.
    {Role::kTaskHeadBias, "prediction_layer/global_bias:0", "cvr"},
    {Role::kTaskHeadBias, "<task>/global_bias:0"},
    {Role::kExpert, "expert_<e>"},
    {Role::kGate, "gate_<task>"},
    {Role::kGateWeight, "gate_softmax_<task>/kernel:0"},
    {Role::kCrossWeight, "cross_net/kernel<i>:0"},
    {Role::kCrossBias, "cross_net/bias<i>:0"},
    {Role::kOuterKernel, "outter_product_layer/kernel:0"},
};

constexpr const char* kDeepCtrNumberedLayers[] = {"afm_layer",
                                                  "attention_sequence_pooling_layer",
                                                  "batch_normalization",
                                                  "cross_net",
                                                  "dense",
                                                  "dice",
                                                  "dnn",
                                                  "gru_cell",
                                                  "linear",
                                                  "local_activation_unit",
                                                  "outter_product_layer",
                                                  "p_re_lu",
                                                  "prediction_layer"};

// inputs.py: a table that sequences alone look into (and, up to release 0.9.4, any that one does).
constexpr OtherBeginning kDeepCtrOtherBeginnings[] = {
    {"sparse_seq_emb_", "sparse_emb_"}, {"linear0sparse_seq_emb_", "linear0sparse_emb_"}};

constexpr LayoutTraits DeepCtr() {
  LayoutTraits traits;
  traits.library = "DeepCTR";
  traits.kernels_are_in_out = true;
  traits.norm_ends[0] = "/gamma:0";
  traits.norm_ends[1] = "/beta:0";
  traits.norm_ends[2] = "/moving_mean:0";
  traits.norm_ends[3] = "/moving_variance:0";
  traits.numbered_layers = kDeepCtrNumberedLayers;
  traits.other_beginnings = kDeepCtrOtherBeginnings;
  traits.row_zero_pads = true;
  // layers/sequence.py masks with e - (1 - m) * 1e9.
  traits.empty_max_value = -1e9;
  // feature_column.py: of each group ids, then sequences; layers/utils.py: then numbers.
  traits.groups_deep_by_column_kind = true;
  // Keras' BatchNormalization.
  traits.batch_normalization_epsilon = 1e-3;
  // layers/activation.py: center=False, scale=False.
  traits.dice_epsilon = 1e-9;
  traits.dice_is_affine = false;
  traits.history_place = HistoryPlace::kBeforeNumbers;
  // layers/sequence.py gives every score of padding the same huge negative number.
  traits.softmax_over_padding = true;
  traits.attends_to_several_ids = false;
  traits.attends_to_numbers = false;
  traits.query_in_deep_order = true;
  // layers/utils.py: Concat's mask is that of all of its inputs.
  traits.zeros_are_no_events = true;
  traits.recurrences_are_tensorflows = true;
  traits.has_attention_forms = false;
  traits.has_sum_pooling = false;
  // contrib/utils.py, VecAttGRUCell.
  traits.attention_lowers_what_augru_keeps = true;
  traits.has_parallel_full_cross_alone = true;
  traits.has_superposed_products = false;
  traits.outer_kernels_are_turned = true;
  traits.pair_attention_is_turned = true;
  return traits;
}

constexpr LayoutTraits DeepCtrDien() {
  LayoutTraits traits = DeepCtr();
  // models/sequence/dien.py masks by the length (seq_mask_zero=False), and states behind it are 0.
  traits.zeros_are_no_events = false;
  traits.softmax_over_padding = false;
  return traits;
}

constexpr LayoutOfKind kDeepCtrOfKinds[] = {{"dien", DeepCtrDien()}};

// FuxiCTR 2.3.9 (torch). Models name their parts each in their own way; DIN and DIEN make the
// embeddings that the others have behind one module more.
constexpr TensorName kFuxiCtrNames[] = {
    {Role::kDeepTable, "embedding_layer.embedding_layers.<table>.weight", "din"},
    {Role::kDeepTable, "embedding_layer.embedding_layers.<table>.weight", "dien"},
    {Role::kDeepTable, "embedding_layer.embedding_layer.embedding_layers.<table>.weight"},
    {Role::kProjection, "embedding_layer.feature_encoders.<table>.weight", "din"},
    {Role::kProjection, "embedding_layer.feature_encoders.<table>.weight", "dien"},
    {Role::kProjection, "embedding_layer.embedding_layer.feature_encoders.<table>.weight"},
    {Role::kWideTable,
     "fm.lr_layer.embedding_layer.embedding_layer.embedding_layers.<table>.weight", "fm"},
    {Role::kWideTable,
     "fm.lr_layer.embedding_layer.embedding_layer.embedding_layers.<table>.weight", "deepfm"},
    {Role::kWideTable, "lr_layer.embedding_layer.embedding_layer.embedding_layers.<table>.weight"},
    {Role::kWideBias, "fm.lr_layer.bias", "fm"},
    {Role::kWideBias, "fm.lr_layer.bias", "deepfm"},
    {Role::kWideBias, "lr_layer.bias", "lr"},
    {Role::kNetwork, "mlp.mlp", "deepfm"},
    {Role::kNetwork, "parallel_dnn.mlp", "dcn"},
    {Role::kNetwork, "dnn.mlp"},
    {Role::kStackedNetwork, "stacked_dnn.mlp"},
    {Role::kUnit, "attention_modules.<a>.attn_mlp.mlp", "dien"},
    {Role::kUnit, "attention_layers.<a>.attention_layer.mlp"},
    {Role::kLayerWeight, "<network>.<n>.weight"},
    {Role::kLayerBias, "<network>.<n>.bias"},
    {Role::kBatchNorm, "<network>.<n>.<part>"},
    {Role::kPrelu, "<network>.<n>.weight"},
    {Role::kDiceAlpha, "<network>.<n>.alpha"},
    {Role::kDice, "<network>.<n>.bn.<part>"},
    {Role::kHeadWeight, "fc.weight", "dcn"},
    {Role::kHeadWeight, "<network>.<n>.weight"},
    {Role::kHeadBias, "fc.bias", "dcn"},
    {Role::kHeadBias, "<network>.<n>.bias"},
    {Role::kUnitHeadWeight, "<network>.<n>.weight"},
    {Role::kUnitHeadBias, "<network>.<n>.bias"},
    {Role::kBilinear, "attention_modules.<a>.W_kernel"},
    {Role::kExtractor, "extraction_modules.<a>.<part>_l0"},
    {Role::kEvolution, "evolving_modules.<a>.gru_cell.<side>2h.<param>", "AGRU"},
    {Role::kEvolution, "evolving_modules.<a>.gru_cell.<side>2h.<param>", "AUGRU"},
    {Role::kEvolution, "evolving_modules.<a>.<part>_l0"},
    {Role::kAuxiliary, "aux_net."},
    {Role::kCrossWeight, "crossnet.cross_layers.<i>.weight"},
    {Role::kCrossBias, "crossnet.cross_layers.<i>.bias"},
};

constexpr RefusedTensor kFuxiCtrRefused[] = {
    {"crossnet.U_list.",
     "is of use_low_rank_mixture, whose gates and inner activations no cross "
     "layer here has"},
    {".pretrain_embedding.",
     "is of a pretrained embedding (pretrained_emb), which a table alone "
     "does not replace: train with the embedding's own table, or merge it "
     "into one"},
};

constexpr LayoutTraits FuxiCtr() {
  LayoutTraits traits;
  traits.library = "FuxiCTR";
  traits.row_zero_pads = true;
  traits.has_max = false;
  traits.has_lengths = false;
  // layers/pooling.py: MaskedAveragePooling counts rows that do not add up to 0.
  traits.pads_with_zeros = true;
  // layers/embeddings/feature_embedding.py: share_embedding is a second name of a module; but not
  // in the linear part, use_sharing=False.
  traits.shared_tables_have_every_name = true;
  traits.embeds_numbers = true;
  traits.wide_is_an_embedding = true;
  traits.batch_normalization_epsilon = 1e-5;
  // layers/activations.py: Dice(eps=1e-9), affine=False.
  traits.dice_epsilon = 1e-9;
  traits.dice_is_affine = false;
  traits.attends_to_several_ids = false;
  traits.attends_to_numbers = false;
  // models of the zoo: DIN.py puts what is attended in the place of each sequence.
  traits.history_place = HistoryPlace::kInPlace;
  traits.padding_is_no_event = true;
  traits.has_attention_forms = false;
  traits.has_full_matrix_cross_alone = true;
  traits.stacks_beside_layers = true;
  traits.has_outer_products = false;
  traits.has_superposed_products = false;
  traits.refused = kFuxiCtrRefused;
  return traits;
}

constexpr LayoutTraits FuxiCtrDien() {
  LayoutTraits traits = FuxiCtr();
  traits.history_place = HistoryPlace::kFirst;
  traits.keys_are_not_pooled = true;
  // Its sequences are padded at their end, and packed.
  traits.padding_is_no_event = false;
  traits.has_attention_forms = true;
  traits.gru_pools_by_attention = false;
  // DIEN.py multiplies [rows, events, width] with [rows, events].
  traits.has_aigru = false;
  traits.attention_gates_are_u_r_n = true;
  return traits;
}

// layers/interactions/inner_product.py keeps its mask as a parameter.
constexpr const char* kFuxiCtrPnnUnread[] = {"inner_product_layer.triu_mask"};

constexpr LayoutTraits FuxiCtrPnn() {
  LayoutTraits traits = FuxiCtr();
  traits.unread = kFuxiCtrPnnUnread;
  return traits;
}

constexpr LayoutOfKind kFuxiCtrOfKinds[] = {
    {"dien", FuxiCtrDien()},
    {"pnn", FuxiCtrPnn()},
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
    {Layout::kDeepCtr, "deepctr", "Keras weights of DeepCTR 0.9.4 (TensorFlow)", kDeepCtrNames,
     DeepCtr(), kDeepCtrOfKinds},
    {Layout::kFuxiCtr, "fuxictr", "a state_dict of FuxiCTR 2.3.9 (torch)", kFuxiCtrNames, FuxiCtr(),
     kFuxiCtrOfKinds},
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
