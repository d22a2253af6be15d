// Holds what is measured to an older instruction set than this machine's best.
#ifndef HANDPICK_CONVERTER_BENCH_INSTRUCTION_SET_H_
#define HANDPICK_CONVERTER_BENCH_INSTRUCTION_SET_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace handpick::converter {

// Those that kernels are compiled for and this machine has, the best one first: "avx3_dl", "avx2",
// "sse4", ... Once held, the better ones are not among them.
std::vector<std::string> InstructionSets();

// From now on the kernels of the runtime, of Calibrator and of MeasurePeak() take `name` at most;
// "avx512" is the best of AVX-512. Before any of them ran and any model was opened. Errors: a name
// that is not among InstructionSets().
absl::Status HoldToInstructionSet(const std::string& name);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_INSTRUCTION_SET_H_
