// Which operator is computed by which loop.
#include "converter/reference/operators/loops.h"

#include <algorithm>
#include <iterator>

#include "schema/operators.h"

namespace handpick::converter::reference {
namespace {

// Row by row, or all rows together.
struct Loop {
  OperatorKind kind;
  Row (*row)(const CandidateValues&, const Node&, size_t event);
  std::vector<Row> (*all)(const CandidateValues&, const Node&);
};

const Loop& LoopOf(OperatorKind kind) {
  static constexpr Loop kLoops[] = {
      {OperatorKind::Embedding, Embedding, nullptr},
      {OperatorKind::EmbeddingSum, EmbeddingSum, nullptr},
      {OperatorKind::Numeric, Numeric, nullptr},
      {OperatorKind::Dense, Dense, nullptr},
      {OperatorKind::Add, Add, nullptr},
      {OperatorKind::Copy, Copy, nullptr},
      {OperatorKind::PoolHistory, nullptr, PoolHistory},
      {OperatorKind::Multiply, Multiply, nullptr},
      {OperatorKind::BiInteraction, BiInteraction, nullptr},
      {OperatorKind::SoftmaxOverHistory, nullptr, SoftmaxOverHistory},
      {OperatorKind::WeightedPool, nullptr, WeightedPool},
      {OperatorKind::Recurrence, nullptr, Recurrence},
      {OperatorKind::AttentionRecurrence, nullptr, AttentionRecurrence},
      {OperatorKind::AttentionUnit, AttentionUnit, nullptr},
      {OperatorKind::EmbeddingBiInteraction, EmbeddingBiInteraction, nullptr},
      {OperatorKind::RowSoftmax, RowSoftmax, nullptr},
      {OperatorKind::InnerProduct, InnerProduct, nullptr},
      {OperatorKind::WeightedSum, WeightedSum, nullptr},
      {OperatorKind::Forest, Forest, nullptr},
      {OperatorKind::ContextDense, ContextDense, nullptr},
      {OperatorKind::MixFields, MixFields, nullptr},
      {OperatorKind::FieldDense, FieldDense, nullptr},
      {OperatorKind::LogSumExp, LogSumExp, nullptr},
      {OperatorKind::Constant, Constant, nullptr},
      {OperatorKind::RowNormalize, RowNormalize, nullptr},
  };
  static_assert(std::size(kLoops) == schema::kOperatorCount, "every operator has a reference");
  constexpr auto in_order = [] {
    for (size_t i = 0; i < std::size(kLoops); ++i) {
      if (kLoops[i].kind != schema::kOperators[i].kind) return false;
    }
    return true;
  };
  static_assert(in_order(), "references stand in the order of the operators");
  static constexpr Loop kGraphLoops[] = {
      {kConstant, Constant, nullptr},
      {kConcat, Concat, nullptr},
      {kSlice, Slice, nullptr},
      {kBatchNormalization, BatchNorm, nullptr},
      {kActivation, Activation, nullptr},
      {kSubtract, Subtract, nullptr},
      {kBiInteractionOfAll, BiInteractionOfAll, nullptr},
      {kPairProducts, PairProducts, nullptr},
      {kSquareOfSum, SquareOfSum, nullptr},
      {kFieldAwarePairs, FieldAwarePairs, nullptr},
      {kAttentionalPairs, AttentionalPairs, nullptr},
  };
  for (const Loop& loop : kGraphLoops) {
    if (loop.kind == kind) return loop;
  }
  return kLoops[static_cast<size_t>(kind) - 1];
}

}  // namespace

void Keep(const Node& node, const std::vector<Row>& rows, CandidateValues* candidate) {
  ValueRows& kept = candidate->Rows(node.output);
  kept.Resize(rows.size(), candidate->WidthOf(node));
  for (size_t row = 0; row < rows.size(); ++row) {
    std::copy(rows[row].begin(), rows[row].end(), kept.numbers.data() + row * kept.stride);
  }
}

void Compute(const Node& node, CandidateValues* candidate) {
  const Loop& loop = LoopOf(node.op.kind);
  std::vector<Row> rows;
  if (loop.all != nullptr) {
    rows = loop.all(*candidate, node);
  } else if (candidate->HasEvents(node.output)) {
    const CandidateValues::Events& events = candidate->EventsOf(node);
    for (size_t event = events.computed; event < events.last; ++event) {
      rows.push_back(loop.row(*candidate, node, event));
    }
  } else {
    rows.push_back(loop.row(*candidate, node, 0));
  }
  Keep(node, rows, candidate);
}

}  // namespace handpick::converter::reference
