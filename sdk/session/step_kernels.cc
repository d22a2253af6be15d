#include "sdk/session/step_kernels.h"

#include <iterator>

#include "sdk/kernels/panel.h"
#include "sdk/kernels/rows.h"
#include "sdk/session/row_runner.h"
#include "sdk/session/step_weights.h"
#include "sdk/session/tile_runner.h"

namespace handpick {
namespace {

using schema::OperatorKind;

// A panel's columns are rows of its memory, as events are.
void SoftmaxOfColumns(const PanelOperand& in, uint32_t width, float* out, PanelShape shape) {
  SoftmaxPanel(in.data, width, out, shape);
}

constexpr StepKernel kKernels[] = {
    {OperatorKind::Embedding, &RowRunner::Embedding, &TileRunner::Embedding, nullptr, nullptr},
    {OperatorKind::EmbeddingSum, &RowRunner::EmbeddingSum, &TileRunner::EmbeddingSum, nullptr,
     nullptr},
    {OperatorKind::Numeric, &RowRunner::Numeric, &TileRunner::Numeric, nullptr, nullptr},
    {OperatorKind::Dense, &RowRunner::Dense, &TileRunner::Dense, nullptr, &DenseScratch},
    {OperatorKind::Add, &RowRunner::Add, &TileRunner::Add, nullptr, nullptr},
    {OperatorKind::Copy, &RowRunner::Unary<&CopyRow>, &TileRunner::Unary<&CopyPanel>, nullptr,
     nullptr},
    {OperatorKind::PoolHistory, &RowRunner::PoolHistory, nullptr, nullptr, nullptr},
    {OperatorKind::Multiply, &RowRunner::Binary<&MultiplyRows>,
     &TileRunner::Binary<&MultiplyPanels>, nullptr, nullptr},
    {OperatorKind::BiInteraction, &RowRunner::Binary<&BiInteractionRow>,
     &TileRunner::Binary<&BiInteractionPanel>, nullptr, nullptr},
    {OperatorKind::SoftmaxOverHistory, nullptr, &TileRunner::SoftmaxOverHistory, nullptr, nullptr},
    {OperatorKind::WeightedPool, nullptr, &TileRunner::WeightedPool, nullptr, nullptr},
    {OperatorKind::Recurrence, &RowRunner::Recurrence, nullptr, &RecurrenceScratch, nullptr},
    {OperatorKind::AttentionRecurrence, nullptr, &TileRunner::AttentionRecurrence, nullptr,
     &AttentionRecurrenceStepScratch},
    {OperatorKind::AttentionUnit, nullptr, &TileRunner::AttentionUnit, nullptr,
     &AttentionUnitStepScratch},
    {OperatorKind::EmbeddingBiInteraction, nullptr, &TileRunner::EmbeddingBiInteraction, nullptr,
     nullptr},
    {OperatorKind::RowSoftmax, &RowRunner::Unary<&SoftmaxRow>,
     &TileRunner::Unary<&SoftmaxOfColumns>, nullptr, nullptr},
    {OperatorKind::InnerProduct, &RowRunner::Reduction<&InnerProductRow>,
     &TileRunner::Reduction<&InnerProductPanels>, nullptr, nullptr},
    {OperatorKind::WeightedSum, &RowRunner::Reduction<&WeightedSumRow>,
     &TileRunner::Reduction<&WeightedSumPanels>, nullptr, nullptr},
    {OperatorKind::Forest, &RowRunner::Forest, &TileRunner::Forest, nullptr, nullptr},
    {OperatorKind::ContextDense, nullptr, &TileRunner::ContextDense, nullptr, nullptr},
    {OperatorKind::MixFields, &RowRunner::MixFields, nullptr, &MixFieldsScratch, nullptr},
    {OperatorKind::FieldDense, &RowRunner::FieldDense, &TileRunner::FieldDense, nullptr,
     &FieldDenseScratch},
    {OperatorKind::LogSumExp, &RowRunner::LogSumExp, nullptr, nullptr, nullptr},
    {OperatorKind::Constant, &RowRunner::Constant, nullptr, nullptr, nullptr},
    {OperatorKind::RowNormalize, &RowRunner::Unary<&NormalizeRow>,
     &TileRunner::Unary<&NormalizePanel>, nullptr, nullptr},
};
static_assert(std::size(kKernels) == schema::kOperatorCount, "every operator has its kernels");

// Whether each operator's line stands in its place, and has a kernel for each of its domains.
constexpr bool KernelsFitOperators() {
  for (size_t i = 0; i < schema::kOperatorCount; ++i) {
    const schema::OperatorRow& row = schema::kOperators[i];
    const bool in_rows = (row.domains & (schema::kInContext | schema::kInHistory)) != 0;
    const bool in_panels = (row.domains & (schema::kInCandidate | schema::kInPair)) != 0;
    if (kKernels[i].kind != row.kind || (kKernels[i].rows != nullptr) != in_rows ||
        (kKernels[i].panels != nullptr) != in_panels) {
      return false;
    }
  }
  return true;
}
static_assert(KernelsFitOperators(), "kernels for the domains in schema/operators.h, in its order");

}  // namespace

const StepKernel& KernelOf(schema::OperatorKind kind) {
  return kKernels[static_cast<size_t>(kind) - 1];
}

size_t RowScratchOf(const Plan& plan, const Step& step) {
  const auto scratch = KernelOf(step.kind).row_scratch;
  return scratch == nullptr ? 0 : scratch(plan, step);
}

size_t PanelScratchOf(const Plan& plan, const Step& step, uint32_t stride, uint32_t panels) {
  const auto scratch = KernelOf(step.kind).panel_scratch;
  return scratch == nullptr ? 0 : scratch(plan, step, stride, panels);
}

}  // namespace handpick
