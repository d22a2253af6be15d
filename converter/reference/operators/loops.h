// The meaning of each operator, as a loop over doubles: the rows of a node's value, from those of
// its operands. Which operator has which loop is in loops.cc.
#ifndef HANDPICK_CONVERTER_REFERENCE_OPERATORS_LOOPS_H_
#define HANDPICK_CONVERTER_REFERENCE_OPERATORS_LOOPS_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/reference/candidate_values.h"
#include "converter/reference/row.h"

namespace handpick::converter::reference {

// Computes the rows of a node's value.
void Compute(const Node& node, CandidateValues* candidate);

// A loop makes the row of one event; of values without events, the row.

// arithmetic.cc
Row Activation(const CandidateValues& candidate, const Node& node, size_t event);
Row Add(const CandidateValues& candidate, const Node& node, size_t event);
Row InnerProduct(const CandidateValues& candidate, const Node& node, size_t event);
Row Multiply(const CandidateValues& candidate, const Node& node, size_t event);
Row Subtract(const CandidateValues& candidate, const Node& node, size_t event);
Row WeightedSum(const CandidateValues& candidate, const Node& node, size_t event);

// attention_unit.cc
Row AttentionUnit(const CandidateValues& candidate, const Node& node, size_t event);

// columns.cc
Row Concat(const CandidateValues& candidate, const Node& node, size_t event);
Row Constant(const CandidateValues& candidate, const Node& node, size_t event);
Row Copy(const CandidateValues& candidate, const Node& node, size_t event);
Row Slice(const CandidateValues& candidate, const Node& node, size_t event);

// layers.cc
Row BatchNorm(const CandidateValues& candidate, const Node& node, size_t event);
Row ContextDense(const CandidateValues& candidate, const Node& node, size_t event);
Row Dense(const CandidateValues& candidate, const Node& node, size_t event);
Row FieldDense(const CandidateValues& candidate, const Node& node, size_t event);
Row MixFields(const CandidateValues& candidate, const Node& node, size_t event);

// lookups.cc
Row Embedding(const CandidateValues& candidate, const Node& node, size_t event);
Row EmbeddingBiInteraction(const CandidateValues& candidate, const Node& node, size_t event);
Row EmbeddingSum(const CandidateValues& candidate, const Node& node, size_t event);
Row Numeric(const CandidateValues& candidate, const Node& node, size_t event);

// normalizations.cc
Row LogSumExp(const CandidateValues& candidate, const Node& node, size_t event);
Row RowNormalize(const CandidateValues& candidate, const Node& node, size_t event);
Row RowSoftmax(const CandidateValues& candidate, const Node& node, size_t event);

// pairs.cc
Row AttentionalPairs(const CandidateValues& candidate, const Node& node, size_t event);
Row BiInteraction(const CandidateValues& candidate, const Node& node, size_t event);
Row BiInteractionOfAll(const CandidateValues& candidate, const Node& node, size_t event);
Row FieldAwarePairs(const CandidateValues& candidate, const Node& node, size_t event);
Row PairProducts(const CandidateValues& candidate, const Node& node, size_t event);
Row SquareOfSum(const CandidateValues& candidate, const Node& node, size_t event);

// trees.cc
Row Forest(const CandidateValues& candidate, const Node& node, size_t event);

// All rows together, where one depends on others or a history becomes one row.

// histories.cc
std::vector<Row> PoolHistory(const CandidateValues& candidate, const Node& node);
std::vector<Row> SoftmaxOverHistory(const CandidateValues& candidate, const Node& node);
std::vector<Row> WeightedPool(const CandidateValues& candidate, const Node& node);

// recurrences.cc
std::vector<Row> AttentionRecurrence(const CandidateValues& candidate, const Node& node);
std::vector<Row> Recurrence(const CandidateValues& candidate, const Node& node);

// The same, with the state's side of a cell computed by `from_state`.
using FromState = std::function<Row(const Row& state)>;
std::vector<Row> AttentionRecurrence(const CandidateValues& candidate, const Node& node,
                                     const FromState& from_state);
std::vector<Row> Recurrence(const CandidateValues& candidate, const Node& node,
                            const FromState& from_state);

// Rows as those of a node's value.
void Keep(const Node& node, const std::vector<Row>& rows, CandidateValues* candidate);

}  // namespace handpick::converter::reference

#endif  // HANDPICK_CONVERTER_REFERENCE_OPERATORS_LOOPS_H_
