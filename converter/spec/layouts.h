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
  kExtractor,  // DIEN's GRU. <part>: weight_ih, weight_hh, bias_ih, bias_hh; gates r, z, n.
  kEvolution,  // Its second recurrence, likewise.
  kAuxiliary,  // The beginning of names that negative sampling trains, and nothing else reads.
};

// A name with places for <table>, <i> (a layer, from 0), <network> and <part>.
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
  double batch_normalization_epsilon = 0;  // 0: any.

  // Attention.
  HistoryPlace history_place = HistoryPlace::kLast;
  bool ignores_other_sequences = false;  // Deep features that are pooled have no effect.
  bool softmax_over_padding = false;     // Without events, the softmax is one over row 0 alone.
  bool attends_to_several_ids = true;    // A feature of query or key may be multi-valued.
  bool query_in_deep_order = false;      // The query is joined in the order of the deep features.
  bool augru_has_one_bias = false;       // bias_ih is another name of bias_hh, which counts.
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
