// A plan whose layers over candidates are rounded to int8: what ranks first where a margin allows.
#ifndef HANDPICK_SDK_SESSION_ROUNDED_PLAN_H_
#define HANDPICK_SDK_SESSION_ROUNDED_PLAN_H_

#include "sdk/base/model_memory.h"
#include "sdk/program/plan.h"

namespace handpick {

// Makes a copy of `plan`, in `memory`, whose float32 layers over candidates and pairs have int8
// weights: the largest weight of each output is 127 levels. Layers of few outputs, and those with a
// weight that is not finite, stay, and those that are not multiplied as bytes here. Null if all
// would. The plan must outlive the copy. HP_OUT_OF_MEMORY.
hp_status MakeRoundedPlan(const Plan& plan, ModelMemory* memory, const Plan** rounded,
                          hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_ROUNDED_PLAN_H_
