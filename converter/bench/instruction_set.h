// Holds what is measured to an older instruction set than this machine's best; or measures on each.
#ifndef HANDPICK_CONVERTER_BENCH_INSTRUCTION_SET_H_
#define HANDPICK_CONVERTER_BENCH_INSTRUCTION_SET_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {

// Those that kernels are compiled for and this machine has, the best one first: "avx3_dl", "avx2",
// "sse4", ...; on arm64 with "+i8mm" or "+dotprod" behind, where the processor has SMMLA or SDOT,
// and "neon_without_aes". Once held, the better ones are not among them.
std::vector<std::string> InstructionSets();

// Those of --instruction-sets: "own" is this machine's best, "all" are all, the best one first;
// otherwise names, separated by ','. Errors: none, one that is not among InstructionSets() or comes
// twice.
absl::StatusOr<std::vector<std::string>> ParseInstructionSets(absl::string_view text);

// From now on the kernels of the runtime, of Calibrator and of MeasurePeak() take `name` at most;
// "avx512" is the best of AVX-512. Before any of them ran and any model was opened. Errors: a name
// that is not among InstructionSets().
absl::Status HoldToInstructionSet(const std::string& name);

// While it lives, kernels take this one of InstructionSets(). A session belongs to the set on which
// its model was opened: it may be kept meanwhile, and runs on that one alone. No kernel may run
// while one begins or ends, in any thread.
class OnInstructionSet {
 public:
  explicit OnInstructionSet(const std::string& name);
  OnInstructionSet(const OnInstructionSet&) = delete;
  OnInstructionSet& operator=(const OnInstructionSet&) = delete;
  ~OnInstructionSet();
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_INSTRUCTION_SET_H_
