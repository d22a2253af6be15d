#include "converter/graph/operators.h"

#include <utility>

namespace handpick::converter {
namespace {

using schema::ActivationRule;
using schema::CellRule;
using schema::EventWork;
using schema::FeatureRule;
using schema::kAnywhere;
using schema::LookupRule;
using schema::NumbersRule;
using schema::OperandCount;
using schema::OperandDomain;
using schema::OperandRule;
using schema::OperatorRow;
using schema::Width;

constexpr OperatorRow GraphRow(OperatorKind kind, const char* name, uint8_t operand_count,
                               OperandCount count, OperandRule operand) {
  return {kind,
          name,
          kAnywhere,
          false,
          operand_count,
          {operand, operand, operand},
          count,
          LookupRule::kNone,
          FeatureRule::kNone,
          0,
          {},
          false,
          false,
          kind == kActivation ? ActivationRule::kOutput : ActivationRule::kNone,
          kind == kConstant ? NumbersRule::kEmptyValue : NumbersRule::kNone,
          CellRule::kNone,
          false,
          EventWork::kNone,
          0,
          1};
}

// Of pairs of vectors of one width.
constexpr OperatorRow PairsRow(OperatorKind kind, const char* name) {
  const OperandRule vector = {"vector", OperandDomain::kBroadcast, Width::kA};
  OperatorRow row = GraphRow(kind, name, 1, OperandCount::kOneOrMore, vector);
  if (kind == kPairProducts) row.numbers = NumbersRule::kFree;
  if (kind == kAttentionalPairs) {
    row.matrix_count = 2;
    row.matrices[0] = {"projection", Width::kOne, Width::kA, false};
    row.matrices[1] = {"attention weights", Width::kB, Width::kA, true};
    row.has_chain = true;
    row.activations = ActivationRule::kLayers;
  }
  return row;
}

constexpr OperandRule kLikeOutput = {"input", OperandDomain::kBroadcast, Width::kOutput};
constexpr OperandRule kOfAnyWidth = {"input", OperandDomain::kBroadcast, Width::kNone};

constexpr OperatorRow kGraphOperators[] = {
    GraphRow(kConstant, "constant", 0, OperandCount::kAll, {}),
    GraphRow(kConcat, "concat", 1, OperandCount::kOneOrMore, kOfAnyWidth),
    GraphRow(kSlice, "slice", 1, OperandCount::kAll, kOfAnyWidth),
    GraphRow(kBatchNormalization, "batch normalization", 1, OperandCount::kAll, kLikeOutput),
    GraphRow(kActivation, "activation", 1, OperandCount::kAll, kLikeOutput),
    GraphRow(kSubtract, "subtract", 2, OperandCount::kAll, kLikeOutput),
    GraphRow(kBiInteractionOfAll, "bi-interaction", 1, OperandCount::kOneOrMore, kLikeOutput),
    PairsRow(kPairProducts, "products of pairs"),
    PairsRow(kSquareOfSum, "outer product of the sum"),
    PairsRow(kFieldAwarePairs, "field-aware pairs"),
    PairsRow(kAttentionalPairs, "attentional pairs"),
};

}  // namespace

const ActivationSpec& Operator::ActivationAt(size_t i) const {
  static const auto* linear = new ActivationSpec();
  return i < activations.size() ? activations[i] : *linear;
}

Operator EmbeddingOp(Lookup lookup) { return EmbeddingOp(std::vector<Lookup>{lookup}); }

Operator EmbeddingOp(std::vector<Lookup> lookups) {
  Operator op(OperatorKind::Embedding);
  op.lookups = std::move(lookups);
  return op;
}

Operator EmbeddingSumOp(std::vector<Lookup> lookups, bool squared) {
  Operator op(OperatorKind::EmbeddingSum);
  op.lookups = std::move(lookups);
  op.squared = squared;
  return op;
}

Operator EmbeddingBiInteractionOp(std::vector<Lookup> lookups) {
  Operator op(OperatorKind::EmbeddingBiInteraction);
  op.lookups = std::move(lookups);
  return op;
}

Operator NumericOp(uint32_t feature) { return NumericOp(std::vector<uint32_t>{feature}); }

Operator NumericOp(std::vector<uint32_t> features) {
  Operator op(OperatorKind::Numeric);
  op.features = std::move(features);
  return op;
}

Operator ConstantOp(std::vector<double> values) {
  Operator op(kConstant);
  op.numbers = std::move(values);
  return op;
}

Operator SliceOp(uint32_t column) {
  Operator op(kSlice);
  op.column = column;
  return op;
}

Operator DenseOp(DenseId weights, ActivationSpec activation) {
  Operator op(OperatorKind::Dense);
  op.weights = {weights};
  op.activations = {std::move(activation)};
  return op;
}

Operator BatchNormOp(BatchNormStatistics statistics) {
  Operator op(kBatchNormalization);
  op.batch_norm = std::make_shared<const BatchNormStatistics>(std::move(statistics));
  return op;
}

Operator ActivationOp(ActivationSpec activation) {
  Operator op(kActivation);
  op.activations = {std::move(activation)};
  return op;
}

Operator AddOp(ActivationSpec activation, std::vector<double> bias) {
  Operator op(OperatorKind::Add);
  op.activations = {std::move(activation)};
  op.bias = std::move(bias);
  return op;
}

Operator CopyOp(Domain domain, uint32_t sequence) {
  Operator op(OperatorKind::Copy);
  op.domain = domain;
  op.sequence = sequence;
  return op;
}

Operator WeightedPoolOp(std::vector<double> empty_value) {
  Operator op(OperatorKind::WeightedPool);
  op.numbers = std::move(empty_value);
  return op;
}

Operator RecurrenceOp(DenseId weights, schema::RecurrentCell cell) {
  Operator op(OperatorKind::Recurrence);
  op.cell = cell;
  op.weights = {weights};
  return op;
}

Operator AttentionRecurrenceOp(schema::RecurrentCell cell, DenseId weights,
                               std::vector<double> input_bias) {
  Operator op(OperatorKind::AttentionRecurrence);
  op.cell = cell;
  op.weights = {weights};
  op.numbers = std::move(input_bias);
  return op;
}

Operator ForestOp(ForestId forest) {
  Operator op(OperatorKind::Forest);
  op.forest = forest;
  return op;
}

const OperatorRow* FindGraphOperator(OperatorKind kind) {
  for (const OperatorRow& row : kGraphOperators) {
    if (row.kind == kind) return &row;
  }
  return schema::FindOperator(kind);
}

const char* OperatorName(OperatorKind kind) {
  const OperatorRow* row = FindGraphOperator(kind);
  return row == nullptr ? "unknown operator" : row->name;
}

}  // namespace handpick::converter
