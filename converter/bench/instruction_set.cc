#include "converter/bench/instruction_set.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hwy/targets.h"
#include "sdk/kernels/gemm_kernels.h"

namespace handpick::converter {
namespace {

// Highway's own list. Asking for it makes the best target the chosen one, held or not, and the next
// kernel that runs has to choose anew.
std::vector<int64_t> Targets() {
  std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
  hwy::GetChosenTarget().DeInit();
  return targets;
}

std::string NameOf(int64_t target) { return absl::AsciiStrToLower(hwy::TargetName(target)); }

bool IsAvx512(int64_t target) {
#if HWY_ARCH_X86
  return target < HWY_AVX2;
#else
  return target < 0;
#endif
}

// XNNPACK's products are chosen apart from Highway's targets.
GemmLimit LimitOf(int64_t target) {
#if HWY_ARCH_X86
  if (target > HWY_AVX2) return GemmLimit::kSse;
  if (target == HWY_AVX2) return GemmLimit::kAvx2;
#else
  static_cast<void>(target);
#endif
  return GemmLimit::kNone;
}

}  // namespace

std::vector<std::string> InstructionSets() {
  std::vector<std::string> names;
  for (const int64_t target : Targets()) names.push_back(NameOf(target));
  return names;
}

absl::Status HoldToInstructionSet(const std::string& name) {
  const std::string wanted = absl::AsciiStrToLower(name);
  const std::vector<int64_t> targets = Targets();
  for (const int64_t target : targets) {
    if (wanted != NameOf(target) && !(wanted == "avx512" && IsAvx512(target))) continue;
    // The better a target, the lower its bit. Above the kernels' best may be one that the loops of
    // the peak are compiled for, and predictions go by: it stays.
    if (target != targets.front()) hwy::DisableTargets(target - 1);
    LimitGemms(LimitOf(target));
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the instruction set is '", name,
                   "', expected one of this machine's: ", absl::StrJoin(InstructionSets(), ", ")));
}

}  // namespace handpick::converter
