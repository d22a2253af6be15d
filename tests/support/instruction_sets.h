// Runs a test once for each instruction set that the kernels over panels are compiled for and this
// machine has. (The engine of context and history rows chooses its own.)
#ifndef HANDPICK_TESTS_SUPPORT_INSTRUCTION_SETS_H_
#define HANDPICK_TESTS_SUPPORT_INSTRUCTION_SETS_H_

#include <cstdint>

#include "gtest/gtest.h"
#include "hwy/targets.h"

namespace handpick::testing {

// Calls run() with each in force; failures name it. Ends at the first that fails fatally.
template <typename F>
void OnEveryInstructionSet(F run) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    run();
    hwy::SetSupportedTargetsForTest(0);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_INSTRUCTION_SETS_H_
