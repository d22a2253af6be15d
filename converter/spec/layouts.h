// Layouts: how a training library names its tensors, and where its semantics differ.
//
// One row a layout; nothing else in the converter asks which layout a model has, but what its
// traits are. Documented for users in converter/layouts/README.md, with which
// tests/converter/registry_test.cc compares the rows.
#ifndef HANDPICK_CONVERTER_SPEC_LAYOUTS_H_
#define HANDPICK_CONVERTER_SPEC_LAYOUTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace handpick::converter {

enum class Layout { kHandpick, kDeepCtrTorch, kDeepCtr, kFuxiCtr };
inline constexpr size_t kLayoutCount = 4;

// Sets of layouts are sums of bits.
constexpr unsigned LayoutBit(Layout layout) { return 1u << static_cast<unsigned>(layout); }
inline constexpr unsigned kEveryLayout = (1u << kLayoutCount) - 1;

// What a tensor is to a model. Shapes are [out, in] for weights and [out] for biases.
enum class TensorRole {
  kDeepTable,    // Embeddings of the deep part and of attention, [rows, dimension].
  kWideTable,    // Weights of ids in the wide part, [rows, 1].
  kWideNumbers,  // Weights of all numbers of the wide part together.
  kWideBias,     // [1], of the wide part, if there is one.
  kNetwork,      // The beginning of a name, <network>, of the deep part's layers;
  kUnit,         // and of the activation unit's.
  kLayerWeight,
  kLayerBias,
  kBatchNorm,  // Of a layer. <part>: weight, bias, running_mean, running_var, each [out].
  kPrelu,      // [1] or [out].
  kDiceAlpha,  // [out] or [out, 1].
  kDice,       // As kBatchNorm.
  kHeadWeight,
  kHeadBias,    // [1], where there is a network.
  kOutputBias,  // [1], in every model.
  kUnitHeadWeight,
  kUnitHeadBias,
  kExtractor,       // DIEN's GRU. <part>: weight_ih, weight_hh, bias_ih, bias_hh; gates r, z, n.
  kEvolution,       // Its second recurrence, likewise.
  kAuxiliary,       // The beginning of names that negative sampling trains, and nothing else reads.
  kTask,            // The beginning of a name, as kNetwork: the network of task <t>.
  kTaskHeadWeight,  // [1, in]
  kTaskHeadBias,    // [1]
  kExpert,          // As kNetwork: expert <e>.
  kGate,            // As kNetwork: the layers of the gate of task <t>.
  kGateWeight,      // [experts, in], of its last layer.
  kGateBias,        // [experts], if there is one.
  // Linear parts of a piece-wise linear model; <part>: region, base. A layout with <i> in their
  // names has a tensor for each piece, a column of what the others have.
  kPieceTable,    // [rows, pieces]
  kPieceNumbers,  // [pieces, numbers]
  kPieceBias,     // [pieces], if there is one.
  kFactorTable,   // [rows, 1], of what the whole is multiplied by.
  kFactorNumbers,
  kFactorBias,  // [1], if there is one.
  // A cross layer's, [1, width] or [width, width] and [width]; without <i>: of all layers, stacked.
  kCrossWeight,
  kCrossBias,
  kCrossDown,     // Of low rank: [rank, width], and
  kCrossUp,       // [width, rank].
  kResidualUnit,  // <network> of the two layers of unit <unit>.
  kGmfTable,      // Embeddings of generalized matrix factorization.
  kGmf,           // <network> of its soft attention.
  kSoftWeight,    // Soft attention of a <network>, [width, width] and [width].
  kSoftBias,
  kValue,  // <network> of the value of a state.
  kValueHeadWeight,
  kValueHeadBias,
  kAutorecTable,       // [rows, hidden]: a rated item to the hidden layer.
  kAutorecHiddenBias,  // [hidden]
  kAutorecOutput,      // [rows, hidden] and [rows, 1]: from there to an item's rating.
  kAutorecOutputBias,
  kOuterKernel,  // PNN's outer product: [pairs], [pairs, k] or a matrix [k, k] for each pair.
  kUserTower,    // As kNetwork, of the user's tower
  kItemTower,    // and of the item's.
  kItemBias,     // [rows, 1]: a number of each item.
  kNamedUnit,    // kUnit and its head, of unit <name>, where there are several.
  kNamedUnitHeadWeight,
  kNamedUnitHeadBias,
  kProjection,      // [dimension, numbers]: makes a field of a feature of several numbers.
  kStackedNetwork,  // As kNetwork: of the layers upon a cross, where these have another name.
  kBilinear,        // [width, width]: the score of an event is k^T W q.
  // Of unit <name>, where there are several: kBilinear, kExtractor and kEvolution.
  kNamedBilinear,
  kNamedExtractor,
  kNamedEvolution,
};

// A name with places for <table>, <i> (a layer or a piece, from 0), <network>, <part>, <t> (a task,
// from 0 or by name), <e> (an expert, from 0), <name> (an attention unit), <a> (the same, from 0)
// and <n> (where a layer stands in a torch.nn.Sequential, which the archive says). A recurrence may
// have <side> (x or h) and <param> (weight or bias) for <part>. <task> is a task's name; <_i> and
// <_t> number layers and tasks as Keras numbers layers: nothing for the first, _1 for the second.
struct TensorName {
  TensorRole role;
  const char* pattern;
  // For a kind of model, for a cell of the evolution, or for a named task; "": any other.
  const char* only = "";
};

// How the names of some tensors begin in an archive, and in the patterns.
struct OtherBeginning {
  const char* theirs;
  const char* ours;
};

// Where the attended history stands among the deep features. kInPlace: each feature of the key
// stands where the deep features have it.
enum class HistoryPlace { kLast, kBeforeNumbers, kFirst, kInPlace };

// A tensor that says of a model that it cannot be had, by a part of its name.
struct RefusedTensor {
  const char* in_name;
  const char* reason;
};

// What a library does that another would not.
struct LayoutTraits {
  const char* library = "";  // In messages.

  // Tensors.
  bool kernels_are_in_out = false;  // Weights of dense layers are [in, out].
  // Of a normalisation: how the names end of its scale, offset, mean and variance.
  const char* norm_ends[4] = {".weight", ".bias", ".running_mean", ".running_var"};
  // Layers that are numbered as they are made, whatever else the process made before: their numbers
  // count in their order alone.
  absl::Span<const char* const> numbered_layers = {};
  // Names that tensors may have instead.
  absl::Span<const OtherBeginning> other_beginnings = {};

  // Features.
  int64_t most_rows = INT64_MAX;         // Of a table; ids beyond collide.
  bool row_zero_pads = false;            // Ids of row 0 do not count, unless there is a length.
  bool takes_max_with_length = true;     // Pools the maximum of the positions below a length.
  bool last_column_sizes_table = false;  // A table of two sizes is no error, but the last one's.
  double empty_max_value = 0;            // What a maximum over no position is, in every column.
  bool has_max = true;
  bool has_lengths = true;       // Of multi-valued features.
  bool pads_with_zeros = false;  // Row 0 of a table that pads is zeros, which a sum may add;
                                 // a mean leaves out whatever row adds up to 0.
  bool shared_tables_have_every_name = false;  // A table is there under each feature's name.
  bool embeds_numbers = false;                 // Numbers are multiplied with a vector: fields too.
  // The wide part: tables, and weights of numbers, have the names of features; ids are added up.
  bool wide_is_an_embedding = false;

  // The network.
  bool groups_deep_by_column_kind = false;  // Its input: ids, then sequences, then numbers.
  bool ignores_deep_without_layers = false;
  bool has_batch_normalization = true;
  bool has_dice_in_network = true;
  double batch_normalization_epsilon = 0;  // 0: any.
  // Added to the variance in Dice: Zhou et al. 2018, equation 3; DeepCTR-Torch has the same.
  double dice_epsilon = 1e-8;
  bool dice_is_affine = true;

  // Attention.
  HistoryPlace history_place = HistoryPlace::kLast;
  bool ignores_other_sequences = false;  // Deep features that are pooled have no effect.
  bool softmax_over_padding = false;     // Without events, the softmax is one over row 0 alone.
  bool attends_to_several_ids = true;    // A feature of query or key may be multi-valued;
  bool attends_to_numbers = true;        // or numeric, and the query may be padded.
  bool query_in_deep_order = false;      // The query is joined in the order of the deep features.
  bool has_several_units = true;         // Each over a sequence of its own.
  bool augru_has_one_bias = false;       // bias_ih is another name of bias_hh, which counts.
  bool zeros_are_no_events = false;      // An event with an id of row 0 does not count.
  // Recurrences are TensorFlow's GRUCell: gates/kernel [input and state, 2 H] of r and z,
  // candidate/kernel [input and state, H], a bias for each, and the reset before the product.
  bool recurrences_are_tensorflows = false;
  bool attention_lowers_what_augru_keeps = false;  // h' = k h + (1 - k) n, with k = (1 - a) z.
  bool keys_are_not_pooled = false;                // No feature of the key is a deep feature too.
  bool padding_is_no_event = false;    // Attention leaves events out whose first id is padding.
  bool has_attention_forms = true;     // Other than a unit of layers.
  bool has_sum_pooling = true;         // DIEN's sum of the keys beside the last state.
  bool gru_pools_by_attention = true;  // Cell GRU. Otherwise: its last state, without attention.
  bool has_aigru = true;
  bool attention_gates_are_u_r_n = false;  // The gates of AGRU and AUGRU; otherwise r, z, n.

  // A piece-wise linear model.
  bool pieces_are_regions = false;  // Pieces are linear by the weights that choose among them.
  absl::Span<const char* const> unread = {};  // How names begin of tensors that nothing reads.

  // Cross layers.
  bool has_parallel_full_cross_alone = false;  // Neither stacked nor of low rank.
  bool has_full_matrix_cross_alone = false;    // Neither of a vector nor of low rank.
  bool stacks_beside_layers = false;  // Layers upon the cross, beside others upon the features.

  // Pairs.
  bool has_outer_products = true;         // PNN's.
  bool has_superposed_products = true;    // PNN's outer product of the sum of the fields.
  bool outer_kernels_are_turned = false;  // PNN's matrices are [k of the second, pairs, k].
  bool pair_attention_is_turned = false;  // AFM's attention weights are [in, out].

  absl::Span<const RefusedTensor> refused = {};
};

// A layout in models of one kind, where it differs from itself.
struct LayoutOfKind {
  const char* kind;
  LayoutTraits traits;
};

struct LayoutRow {
  Layout layout;
  const char* name;  // As in a spec.
  const char* help;  // One line.
  absl::Span<const TensorName> names;
  LayoutTraits traits;
  absl::Span<const LayoutOfKind> of_kinds;
};

// In the order of the enumerators. Lives for ever.
absl::Span<const LayoutRow> Layouts();
const LayoutRow& RowOf(Layout layout);
const std::vector<std::string>& LayoutNames();

const LayoutTraits& TraitsOf(Layout layout, absl::string_view kind);

// The pattern of a role in models of `kind` (with an evolution of cell `cell`); "" if the layout
// has no such tensor.
absl::string_view PatternOf(Layout layout, TensorRole role, absl::string_view kind,
                            absl::string_view cell = "");

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_LAYOUTS_H_
