// Layouts: how a training library names its tensors, and where its semantics differ.
//
// One row a layout; nothing else in the converter asks which layout a model has, but what its
// traits are. Documented for users in converter/README.md, with which
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

enum class Layout { kHandpick, kDeepCtrTorch };
inline constexpr size_t kLayoutCount = 2;

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
};

// A name with places for <table>, <i> (a layer or a piece, from 0), <network>, <part>, <t> (a task,
// from 0 or by name), <e> (an expert, from 0) and <name> (an attention unit).
struct TensorName {
  TensorRole role;
  const char* pattern;
  const char* only = "";  // For a kind of model, or for a cell of the evolution; "": any other.
};

// Where the attended history stands among the deep features.
enum class HistoryPlace { kLast, kBeforeNumbers, kFirst };

// What a library does that another would not.
struct LayoutTraits {
  const char* library = "";  // In messages.

  // Features.
  int64_t most_rows = INT64_MAX;         // Of a table; ids beyond collide.
  bool row_zero_pads = false;            // Ids of row 0 do not count, unless there is a length.
  bool takes_max_with_length = true;     // Pools the maximum of the positions below a length.
  bool last_column_sizes_table = false;  // A table of two sizes is no error, but the last one's.
  double empty_max_value = 0;            // What a maximum over no position is, in every column.

  // The network.
  bool groups_deep_by_column_kind = false;  // Its input: ids, then sequences, then numbers.
  bool ignores_deep_without_layers = false;
  bool has_batch_normalization = true;
  bool has_dice_in_network = true;
  double batch_normalization_epsilon = 0;  // 0: any.

  // Attention.
  HistoryPlace history_place = HistoryPlace::kLast;
  bool ignores_other_sequences = false;  // Deep features that are pooled have no effect.
  bool softmax_over_padding = false;     // Without events, the softmax is one over row 0 alone.
  bool attends_to_several_ids = true;    // A feature of query or key may be multi-valued;
  bool attends_to_numbers = true;        // or numeric, and the query may be padded.
  bool query_in_deep_order = false;      // The query is joined in the order of the deep features.
  bool has_several_units = true;         // Each over a sequence of its own.
  bool augru_has_one_bias = false;       // bias_ih is another name of bias_hh, which counts.

  // A piece-wise linear model.
  bool pieces_are_regions = false;  // Pieces are linear by the weights that choose among them.
  absl::Span<const char* const> unread = {};  // How names begin of tensors that nothing reads.

  // Cross layers.
  bool has_parallel_full_cross_alone = false;  // Neither stacked nor of low rank.

  // Pairs.
  bool has_superposed_products = true;    // PNN's outer product of the sum of the fields.
  bool outer_kernels_are_turned = false;  // PNN's matrices are [k of the second, pairs, k].
  bool pair_attention_is_turned = false;  // AFM's attention weights are [in, out].
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
