// What an operator is, said once: its operands, weights and attributes, the domains it works in,
// and what it costs. Read by the runtime's check of a bundle, by the converter's verification,
// domain inference, lowering and work counts, by cost predictions, `handpick inspect` and the docs.
//
// To add an operator: its number and meaning in bundle_enums.fbs (enum OperatorKind), a row here,
// its kernel, the kernel's line in sdk/session/step_kernels.cc, and its loop in the converter's
// reference interpreter. What is forgotten does not compile.
#ifndef HANDPICK_SCHEMA_OPERATORS_H_
#define HANDPICK_SCHEMA_OPERATORS_H_

#include <cstddef>
#include <cstdint>

#include "schema/bundle_enums_generated.h"

namespace handpick::schema {

// A set of domains: bit DomainBit(domain).
using DomainSet = uint8_t;
constexpr DomainSet DomainBit(Domain domain) {
  return static_cast<DomainSet>(1u << static_cast<int>(domain));
}
inline constexpr DomainSet kInContext = DomainBit(Domain::Context);
inline constexpr DomainSet kInHistory = DomainBit(Domain::History);
inline constexpr DomainSet kInCandidate = DomainBit(Domain::Candidate);
inline constexpr DomainSet kInPair = DomainBit(Domain::Pair);
inline constexpr DomainSet kInRows = kInContext | kInHistory | kInCandidate;  // Not per pair.
inline constexpr DomainSet kAnywhere = kInRows | kInPair;

// The domain of an operand, given that of the step.
enum class OperandDomain : uint8_t {
  kSame,
  // The same, or one of fewer axes, which is broadcast. Not in the history: an event's values are
  // computed once, so they never depend on the context.
  kBroadcast,
  kContext,
  kHistory,
  kCandidate,
  kPair,
};

// A width. kA and kB are free: whatever the first operand of that width has, and then the same
// wherever they stand again.
enum class Width : uint8_t {
  kNone,
  kOne,
  kOutput,        // The step's output.
  kThreeOutputs,  // Gates r, z, n.
  kA,
  kB,
  kAOfOutputs,    // kA, and a multiple of the output's.
  kBTimesOutput,  // kB times the output's.
  kATimesOutput,  // kA times the output's.
  kFields,        // The input of the first matrix, once or more; the output is its output as often.
};

struct OperandRule {
  const char* name;
  OperandDomain domain;
  Width width;
};

// Weights [output, input].
struct MatrixRule {
  const char* name;
  Width output;
  Width input;
  bool has_bias;  // Whether it may have one.
};

// How many of the operands there are.
enum class OperandCount : uint8_t {
  kAll,
  kLastIsOptional,
  kAllOrNone,
  kOneOrMore,  // All like the first.
};

enum class LookupRule : uint8_t {
  kNone,
  kSideBySide,  // The output is as wide as their dimensions together.
  kTogether,    // Each as wide as the output.
};

enum class FeatureRule : uint8_t {
  kNone,
  kNumbers,  // Numeric features, side by side.
  kMask,     // At most one, a categorical feature of the history.
};

enum class ActivationRule : uint8_t {
  kNone,
  kOutput,  // At most one, of the output.
  kLayers,  // None, or one for the first layer and one for each layer of the chain.
};

enum class NumbersRule : uint8_t {
  kNone,
  kEmptyValue,  // None, or as many as the output is wide.
  kOutput,      // As many as the output is wide.
  kFree,        // Any: said elsewhere, of operators that only a graph has.
  kInputBias,   // Cells that attention scales the input of: three times the output's width.
};

// Which cells there may be.
enum class CellRule : uint8_t { kNone, kGru, kWithAttention };

constexpr bool IsWithoutAttention(RecurrentCell cell) {
  return cell == RecurrentCell::Gru || cell == RecurrentCell::ResetFirstGru;
}
// Whether attention scales the input side of the gates, whose bias then lies apart.
constexpr bool ScalesInput(RecurrentCell cell) {
  return cell == RecurrentCell::AttentionInputGru ||
         cell == RecurrentCell::ResetFirstAttentionInputGru;
}
// Whether the reset gate comes before the state's product, and not after it.
constexpr bool ResetsFirst(RecurrentCell cell) {
  return cell >= RecurrentCell::ResetFirstAttentionInputGru;
}

// What there is to do for each event of the sequence, beside what there is to do once.
enum class EventWork : uint8_t {
  kNone,
  kElements,            // The elements of operands and output.
  kElementsAndProduct,  // And as many multiply-accumulates as the output is wide.
  kAll,                 // Everything: what is once is an element of the output.
};

struct OperatorRow {
  OperatorKind kind;
  const char* name;  // As people say it: "embedding sum".
  DomainSet domains;
  // The output's domain is the union of the operands' and features' axes, without the events'.
  bool reduces_events;
  uint8_t operand_count;
  OperandRule operands[3];
  OperandCount count;
  LookupRule lookups;
  FeatureRule features;
  uint8_t matrix_count;
  MatrixRule matrices[2];
  // More weights follow, at least one: the layers of a chain from kB to the output.
  bool has_chain;
  // The second matrix is folded into the first for each event, so that one product is left.
  bool folds_second;
  ActivationRule activations;
  NumbersRule numbers;
  CellRule cells;
  bool has_combiner;  // And with it an `empty_value`.
  EventWork event_work;
  uint8_t functions_per_output;  // Exponentials, beside activations.
  // Each element of operands and output counts so often (it is read again).
  uint8_t passes;
  // There is a multiply-accumulate for each number of the second operand.
  bool multiplies_second_operand = false;
  // The first matrix is multiplied for each of its outputs' widths that the output has.
  bool per_field = false;
  // It has a forest over its operand, and an output of one number.
  bool has_forest = false;
  bool has_squared = false;  // It may take squares.
};

// clang-format off
inline constexpr OperatorRow kOperators[] = {
    {OperatorKind::Embedding, "embedding", kInRows, false,
     0, {}, OperandCount::kAll, LookupRule::kSideBySide, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1},
    {OperatorKind::EmbeddingSum, "embedding sum", kInRows, false,
     1, {{"addend", OperandDomain::kBroadcast, Width::kOutput}}, OperandCount::kLastIsOptional,
     LookupRule::kTogether, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1, false, false, false, true},
    {OperatorKind::Numeric, "numeric", kInRows, false,
     0, {}, OperandCount::kAll, LookupRule::kNone, FeatureRule::kNumbers,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 2},
    {OperatorKind::Dense, "dense", kAnywhere, false,
     2, {{"input", OperandDomain::kSame, Width::kA}, {"row", OperandDomain::kContext, Width::kOutput}},
     OperandCount::kLastIsOptional, LookupRule::kNone, FeatureRule::kNone,
     1, {{"weights", Width::kOutput, Width::kA, true}}, false, false, ActivationRule::kOutput,
     NumbersRule::kNone, CellRule::kNone, false, EventWork::kNone, 0, 1},
    {OperatorKind::Add, "add", kAnywhere, false,
     1, {{"addend", OperandDomain::kBroadcast, Width::kOutput}}, OperandCount::kOneOrMore,
     LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kOutput, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1},
    {OperatorKind::Copy, "copy", kAnywhere, false,
     1, {{"input", OperandDomain::kBroadcast, Width::kOutput}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1},
    {OperatorKind::PoolHistory, "pool history", kInContext, true,
     1, {{"input", OperandDomain::kHistory, Width::kOutput}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kMask,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, true,
     EventWork::kElements, 0, 1},
    {OperatorKind::Multiply, "multiply", kAnywhere, false,
     2, {{"a", OperandDomain::kBroadcast, Width::kOutput}, {"b", OperandDomain::kBroadcast, Width::kOutput}},
     OperandCount::kAll, LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1},
    {OperatorKind::BiInteraction, "bi-interaction of sums", kAnywhere, false,
     2, {{"sum", OperandDomain::kBroadcast, Width::kOutput}, {"squares", OperandDomain::kBroadcast, Width::kOutput}},
     OperandCount::kAll, LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1},
    {OperatorKind::SoftmaxOverHistory, "softmax over history", kInPair, false,
     1, {{"score", OperandDomain::kPair, Width::kOne}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 1, 1},
    {OperatorKind::WeightedPool, "weighted pool", kInCandidate, true,
     2, {{"weight", OperandDomain::kPair, Width::kOne}, {"value", OperandDomain::kHistory, Width::kOutput}},
     OperandCount::kAll, LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kEmptyValue, CellRule::kNone, false,
     EventWork::kElementsAndProduct, 0, 1},
    {OperatorKind::Recurrence, "recurrence", kInHistory, false,
     1, {{"gates", OperandDomain::kHistory, Width::kThreeOutputs}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kNone,
     1, {{"state weights", Width::kThreeOutputs, Width::kOutput, true}}, false, false,
     ActivationRule::kNone, NumbersRule::kNone, CellRule::kGru, false, EventWork::kNone, 3, 2},
    {OperatorKind::AttentionRecurrence, "attention recurrence", kInCandidate, true,
     2, {{"gates", OperandDomain::kHistory, Width::kThreeOutputs}, {"attention", OperandDomain::kPair, Width::kOne}},
     OperandCount::kAll, LookupRule::kNone, FeatureRule::kNone,
     1, {{"state weights", Width::kThreeOutputs, Width::kOutput, true}}, false, false,
     ActivationRule::kNone, NumbersRule::kInputBias, CellRule::kWithAttention, false,
     EventWork::kAll, 3, 2},
    {OperatorKind::AttentionUnit, "attention unit", kInPair, false,
     3, {{"query", OperandDomain::kCandidate, Width::kA}, {"key", OperandDomain::kHistory, Width::kA},
         {"key row", OperandDomain::kHistory, Width::kB}},
     OperandCount::kAll, LookupRule::kNone, FeatureRule::kNone,
     2, {{"query weights", Width::kB, Width::kA, false}, {"product weights", Width::kB, Width::kA, false}},
     true, true, ActivationRule::kLayers, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1},
    {OperatorKind::EmbeddingBiInteraction, "bi-interaction of embeddings", kInCandidate, false,
     2, {{"sum", OperandDomain::kContext, Width::kOutput}, {"squares", OperandDomain::kContext, Width::kOutput}},
     OperandCount::kAllOrNone, LookupRule::kTogether, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1},
    {OperatorKind::RowSoftmax, "row softmax", kAnywhere, false,
     1, {{"input", OperandDomain::kSame, Width::kOutput}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 1, 2},
    {OperatorKind::InnerProduct, "inner product", kAnywhere, false,
     2, {{"a", OperandDomain::kBroadcast, Width::kAOfOutputs}, {"b", OperandDomain::kBroadcast, Width::kAOfOutputs}},
     OperandCount::kAll, LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1, true},
    {OperatorKind::WeightedSum, "weighted sum", kAnywhere, false,
     2, {{"weights", OperandDomain::kBroadcast, Width::kB}, {"values", OperandDomain::kBroadcast, Width::kBTimesOutput}},
     OperandCount::kAll, LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1, true},
    {OperatorKind::Forest, "forest", kAnywhere, false,
     1, {{"numbers", OperandDomain::kSame, Width::kA}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1, false, false, true},
    {OperatorKind::ContextDense, "context dense", kInCandidate, false,
     3, {{"input", OperandDomain::kSame, Width::kA}, {"matrix", OperandDomain::kContext, Width::kATimesOutput},
         {"row", OperandDomain::kContext, Width::kOutput}},
     OperandCount::kLastIsOptional, LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kOutput, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 1, true},
    {OperatorKind::MixFields, "mix fields", kInContext, false,
     1, {{"vectors", OperandDomain::kContext, Width::kFields}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kNone,
     1, {{"weights", Width::kNone, Width::kNone, false}}, false, false, ActivationRule::kNone,
     NumbersRule::kEmptyValue, CellRule::kNone, false, EventWork::kNone, 0, 2, false, true},
    {OperatorKind::FieldDense, "field dense", kInContext | kInCandidate, false,
     1, {{"input", OperandDomain::kSame, Width::kFields}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kNone,
     1, {{"weights", Width::kNone, Width::kNone, true}}, false, false, ActivationRule::kOutput,
     NumbersRule::kNone, CellRule::kNone, false, EventWork::kNone, 0, 1, false, true},
    {OperatorKind::LogSumExp, "log of sum of exponentials", kInContext, false,
     1, {{"input", OperandDomain::kContext, Width::kNone}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 1, 2},
    {OperatorKind::Constant, "constant row", kInContext, false,
     0, {}, OperandCount::kAll, LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kOutput, CellRule::kNone, false,
     EventWork::kNone, 0, 1},
    {OperatorKind::RowNormalize, "row normalize", kAnywhere, false,
     1, {{"input", OperandDomain::kSame, Width::kOutput}}, OperandCount::kAll,
     LookupRule::kNone, FeatureRule::kNone,
     0, {}, false, false, ActivationRule::kNone, NumbersRule::kNone, CellRule::kNone, false,
     EventWork::kNone, 0, 2},
};
// clang-format on

inline constexpr size_t kOperatorCount = sizeof(kOperators) / sizeof(kOperators[0]);
static_assert(kOperatorCount == static_cast<size_t>(OperatorKind::MAX),
              "every kind has a row, but Unknown");

constexpr bool OperatorsAreInOrder() {
  for (size_t i = 0; i < kOperatorCount; ++i) {
    if (static_cast<size_t>(kOperators[i].kind) != i + 1) return false;
  }
  return true;
}
static_assert(OperatorsAreInOrder(), "rows stand in the order of the kinds");

// Null for what is no kind of this version.
constexpr const OperatorRow* FindOperator(OperatorKind kind) {
  const auto index = static_cast<size_t>(kind);
  return index == 0 || index > kOperatorCount ? nullptr : &kOperators[index - 1];
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_OPERATORS_H_
