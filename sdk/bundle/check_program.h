// The rules that a bundle's steps keep, beyond the range of each index.
#ifndef HANDPICK_SDK_BUNDLE_CHECK_PROGRAM_H_
#define HANDPICK_SDK_BUNDLE_CHECK_PROGRAM_H_

#include "sdk/base/model_memory.h"
#include "sdk/program/plan.h"

namespace handpick {

// Checks every step of a loaded plan:
//   * operands exist, have the operator's widths and types, and lie in domains that the step may
//   read;
//   * a step's triggers are those of its operands;
//   * every column is written by one step only, and before it is read;
//   * no two buffers whose lifetimes meet share memory.
// `memory` gives scratch. HP_BUNDLE_CORRUPT names the step.
hp_status CheckProgram(const Plan& plan, ModelMemory* memory, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_CHECK_PROGRAM_H_
