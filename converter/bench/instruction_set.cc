#include "converter/bench/instruction_set.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "hwy/targets.h"
#include "sdk/kernels/dot_product.h"
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

// Instructions that a processor may have beside its target, the best first.
struct Extra {
  const char* suffix;
  ByteProducts products;
};
constexpr Extra kExtras[] = {
    {"+i8mm", ByteProducts::kMatrix}, {"+dotprod", ByteProducts::kDot}, {"", ByteProducts::kLong}};

std::vector<Extra> Extras() {
  std::vector<Extra> extras;
  for (const Extra& extra : kExtras) {
    if (extra.products <= MostByteProducts()) extras.push_back(extra);
  }
  return extras;
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
  for (const int64_t target : Targets()) {
    for (const Extra& extra : Extras()) names.push_back(NameOf(target) + extra.suffix);
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> ParseInstructionSets(absl::string_view text) {
  const std::vector<std::string> all = InstructionSets();
  if (text == "all") return all;
  if (text == "own") return std::vector<std::string>{all.front()};
  const std::vector<std::string> names = absl::StrSplit(text, ',', absl::SkipEmpty());
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(all.begin(), all.end(), *name) == all.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--instruction-sets: '", *name,
                       "' is no instruction set of this machine: ", absl::StrJoin(all, ", ")));
    }
    if (std::find(names.begin(), name, *name) != name) {
      return absl::InvalidArgumentError(
          absl::StrCat("--instruction-sets: '", *name, "' comes twice"));
    }
  }
  if (names.empty()) return absl::InvalidArgumentError("--instruction-sets names none");
  return names;
}

absl::Status HoldToInstructionSet(const std::string& name) {
  const std::string wanted = absl::AsciiStrToLower(name);
  const std::vector<int64_t> targets = Targets();
  for (const int64_t target : targets) {
    const std::vector<Extra> extras = Extras();
    const auto extra = std::find_if(extras.begin(), extras.end(), [&](const Extra& e) {
      return wanted == NameOf(target) + e.suffix;
    });
    if (extra == extras.end() && !(wanted == "avx512" && IsAvx512(target))) continue;
    // The better a target, the lower its bit. Above the kernels' best may be one that the loops of
    // the peak are compiled for, and predictions go by: it stays.
    if (target != targets.front()) hwy::DisableTargets(target - 1);
    LimitGemms(LimitOf(target));
    LimitByteProductsForTest(extra == extras.end() ? ByteProducts::kLong : extra->products);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the instruction set is '", name,
                   "', expected one of this machine's: ", absl::StrJoin(InstructionSets(), ", ")));
}

namespace {

void LetGo() {
  hwy::DisableTargets(0);
  hwy::GetChosenTarget().DeInit();
  LimitGemms(GemmLimit::kNone);
  LimitByteProductsForTest(ByteProducts::kMatrix);
}

}  // namespace

OnInstructionSet::OnInstructionSet(const std::string& name) {
  LetGo();
  HoldToInstructionSet(name).IgnoreError();  // The name is right.
}

OnInstructionSet::~OnInstructionSet() { LetGo(); }

}  // namespace handpick::converter
