// The operators of a graph: those of a bundle (schema/operators.h), and some that only a graph has,
// because passes do away with them or because they are places and not work.
#ifndef HANDPICK_CONVERTER_GRAPH_OPERATORS_H_
#define HANDPICK_CONVERTER_GRAPH_OPERATORS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "converter/graph/domain.h"
#include "schema/operators.h"

namespace handpick::converter {

using TableId = uint32_t;   // Index into Graph::tables.
using DenseId = uint32_t;   // Index into Graph::dense.
using ForestId = uint32_t;  // Index into Graph::forests.
using schema::OperatorKind;

// () -> number of values: `numbers`.
inline constexpr OperatorKind kConstant = static_cast<OperatorKind>(0x80);
// (a, b, ...) -> sum of the widths: side by side. A place, not work.
inline constexpr OperatorKind kConcat = static_cast<OperatorKind>(0x81);
// (x) -> width of the output: columns [column, column + width) of x. A place, not work.
inline constexpr OperatorKind kSlice = static_cast<OperatorKind>(0x82);
// (x) -> the same: (x - mean) / sqrt(variance + epsilon) * scale + offset, column by column.
inline constexpr OperatorKind kBatchNormalization = static_cast<OperatorKind>(0x83);
// (x) -> the same.
inline constexpr OperatorKind kActivation = static_cast<OperatorKind>(0x84);
// (a, b) of one width -> the same: a - b.
inline constexpr OperatorKind kSubtract = static_cast<OperatorKind>(0x85);
// (v1, v2, ...) all of one width -> the same: sum over all pairs i < j of vi * vj, element by
// element (NFM's bi-interaction pooling).
inline constexpr OperatorKind kBiInteractionOfAll = static_cast<OperatorKind>(0x86);
// (v1, ..., vn) all of one width k -> n (n - 1) / 2, the pairs i < j in nested order, j fastest:
// vi^T K vj. `numbers`: none, for which K is 1; a number for each pair; k numbers for each pair,
// the diagonal of its K; or each pair's K, [k, k] row-major.
inline constexpr OperatorKind kPairProducts = static_cast<OperatorKind>(0x90);
// (v1, v2, ...) all of one width k -> k k: s s^T, s being the sum of the vectors, row-major.
inline constexpr OperatorKind kSquareOfSum = static_cast<OperatorKind>(0x91);
// (v1, ..., vn) all of one width n k -> 1: sum over the pairs i < j of <vi[j], vj[i]>, where v[j]
// are columns [j k, (j + 1) k).
inline constexpr OperatorKind kFieldAwarePairs = static_cast<OperatorKind>(0x92);
// (v1, ..., vn) all of one width k, two or more -> 1: p^T sum over the pairs i < j of a_ij (vi *
// vj), a being the softmax over the pairs of the layers behind p's weights, whose input is vi * vj.
inline constexpr OperatorKind kAttentionalPairs = static_cast<OperatorKind>(0x93);

// What is done to each number last. `alpha` (Prelu: one number, or one per column; Dice: one per
// column); `scale` and `shift` (Dice): one per column, its normalisation.
struct ActivationSpec {
  schema::ActivationKind kind = schema::ActivationKind::Linear;
  std::vector<double> alpha = {};
  std::vector<double> scale = {};
  std::vector<double> shift = {};
};

// The rows of one feature in one table, pooled. `combiner` and `empty_value` (Max of no position)
// matter for features that can have more or fewer than one row.
struct Lookup {
  uint32_t feature = 0;
  TableId table = 0;
  schema::Combiner combiner = schema::Combiner::Sum;
  double empty_value = 0;
};

struct BatchNormStatistics {
  std::vector<double> mean, variance, scale, offset;
  double epsilon = 0;
};

// A kind and its attributes: those of schema::Step, in the numbers that they stand for. An
// attribute that the kind does not have is empty.
struct Operator {
  // NOLINTNEXTLINE(google-explicit-constructor): a kind without attributes is an operator.
  Operator(OperatorKind of = OperatorKind::Unknown) : kind(of) {}

  OperatorKind kind;
  std::vector<Lookup> lookups = {};
  std::vector<uint32_t> features = {};
  std::vector<DenseId> weights = {};
  std::vector<ActivationSpec> activations = {};
  schema::Combiner combiner = schema::Combiner::Sum;
  double empty_value = 0;
  bool squared = false;
  schema::RecurrentCell cell = schema::RecurrentCell::Unknown;
  std::vector<double> numbers = {};
  // Forest.
  std::optional<ForestId> forest = std::nullopt;
  // Add, in a graph: one number per column, added before the activation; or empty. Lowered away.
  std::vector<double> bias = {};
  // Copy: what the result varies along, beside the operand's axes.
  Domain domain = {};
  uint32_t sequence = 0;  // Of a domain with events.
  // kSlice.
  uint32_t column = 0;
  // kBatchNormalization.
  std::shared_ptr<const BatchNormStatistics> batch_norm = nullptr;

  bool Is(OperatorKind other) const { return kind == other; }
  // This, if it is of that kind; otherwise null.
  const Operator* As(OperatorKind other) const { return kind == other ? this : nullptr; }
  Operator* As(OperatorKind other) { return kind == other ? this : nullptr; }

  // Activation i; linear where there is none.
  const ActivationSpec& ActivationAt(size_t i) const;
  // The activation of an operator that has one.
  const ActivationSpec& activation() const { return ActivationAt(0); }
  ActivationSpec& activation() {
    if (activations.empty()) activations.resize(1);
    return activations[0];
  }
  bool IsLinear() const { return activation().kind == schema::ActivationKind::Linear; }
};

// Operators with attributes, in a word.
Operator EmbeddingOp(Lookup lookup);
Operator EmbeddingOp(std::vector<Lookup> lookups);  // Side by side.
Operator EmbeddingSumOp(std::vector<Lookup> lookups, bool squared = false);
Operator EmbeddingBiInteractionOp(std::vector<Lookup> lookups);
Operator NumericOp(uint32_t feature);
Operator NumericOp(std::vector<uint32_t> features);
Operator ConstantOp(std::vector<double> values);
Operator SliceOp(uint32_t column);
Operator DenseOp(DenseId weights, ActivationSpec activation = {});
Operator BatchNormOp(BatchNormStatistics statistics);
Operator ActivationOp(ActivationSpec activation);
Operator AddOp(ActivationSpec activation = {}, std::vector<double> bias = {});
// `sequence`: of a domain with events.
Operator CopyOp(Domain domain, uint32_t sequence = 0);
Operator WeightedPoolOp(std::vector<double> empty_value = {});
Operator RecurrenceOp(DenseId weights, schema::RecurrentCell cell = schema::RecurrentCell::Gru);
Operator AttentionRecurrenceOp(schema::RecurrentCell cell, DenseId weights,
                               std::vector<double> input_bias = {});
Operator ForestOp(ForestId forest);

// What a kind is: its row in schema/operators.h, or here. Never null for a kind that has a name.
const schema::OperatorRow* FindGraphOperator(OperatorKind kind);

// "embedding", "dense", ...: for messages.
const char* OperatorName(OperatorKind kind);
inline const char* OperatorName(const Operator& op) { return OperatorName(op.kind); }

// Whether the kind is a place among others' columns, and no step.
inline bool IsPlace(OperatorKind kind) { return kind == kConcat || kind == kSlice; }

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_OPERATORS_H_
