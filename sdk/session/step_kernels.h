// The kernels of the operators: how a step runs over one row of the context or of a history, how
// over the panels of a tile of candidates, and how much scratch that takes. One table, a line an
// operator.
#ifndef HANDPICK_SDK_SESSION_STEP_KERNELS_H_
#define HANDPICK_SDK_SESSION_STEP_KERNELS_H_

#include <cstddef>
#include <cstdint>

#include "handpick/handpick.h"
#include "sdk/program/plan.h"

namespace handpick {

class RowRunner;
class TileRunner;

struct StepKernel {
  schema::OperatorKind kind;
  // Null where the operator does not work in the domains of rows, or of panels.
  hp_status (RowRunner::*rows)(const Step& step);
  void (TileRunner::*panels)(const Step& step);
  // Bytes of scratch; null: none.
  size_t (*row_scratch)(const Plan& plan, const Step& step);
  size_t (*panel_scratch)(const Plan& plan, const Step& step, uint32_t stride, uint32_t panels);
};

// Of a kind that has a row in schema/operators.h.
const StepKernel& KernelOf(schema::OperatorKind kind);

// Bytes of scratch that a session step needs; that a candidate step needs for a tile of `panels`
// panels of `stride` lanes. They may depend on the processor.
size_t RowScratchOf(const Plan& plan, const Step& step);
size_t PanelScratchOf(const Plan& plan, const Step& step, uint32_t stride, uint32_t panels);

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_STEP_KERNELS_H_
