// The rules that a bundle's steps keep, beyond the range of each index.
#ifndef HANDPICK_SDK_BUNDLE_CHECK_PROGRAM_H_
#define HANDPICK_SDK_BUNDLE_CHECK_PROGRAM_H_

#include "sdk/base/model_memory.h"
#include "sdk/program/plan.h"

namespace handpick {

// Checks every step of a loaded plan:
//   * it keeps its operator's contract (schema/operators.h): operands, widths, weights, attributes;
//   * its operands lie in domains that it may read;
//   * every column is written by one step only, and before it is read;
//   * no two buffers whose lifetimes meet share memory;
// and fills in what follows: each step's place, sequence, triggers and whether it is recurrent, and
// which steps are the session's. `steps` are plan->steps. Takes n log n time of what the steps
// refer to. `memory` gives scratch. HP_BUNDLE_CORRUPT names the step.
hp_status CompleteProgram(Plan* plan, absl::Span<Step> steps, ModelMemory* memory, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_CHECK_PROGRAM_H_
