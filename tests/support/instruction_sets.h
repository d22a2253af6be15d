// Runs a test once for each instruction set that the kernels over panels are compiled for and this
// machine has. (The engine of context and history rows chooses its own.)
#ifndef HANDPICK_TESTS_SUPPORT_INSTRUCTION_SETS_H_
#define HANDPICK_TESTS_SUPPORT_INSTRUCTION_SETS_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/targets.h"
#include "sdk/kernels/dot_product.h"

namespace handpick::testing {

struct InstructionSet {
  int64_t target;              // Of Highway.
  ByteProducts byte_products;  // Of arm64, where they are none of Highway's targets.

  std::string Name() const {
    constexpr const char* kSuffixes[] = {"", "_DOT", "_MATRIX"};
    return std::string(hwy::TargetName(target)) + kSuffixes[static_cast<int>(byte_products)];
  }
};

// Bits that the input of a layer of int8 weights and kLeastRoundedOutputs outputs or more is
// rounded to; 0: none, weights are widened.
inline int InputBits(const InstructionSet& set) {
#if HWY_ARCH_X86
  return set.target <= HWY_AVX3_DL ? 8 : 15;
#else
  static_cast<void>(set);
  return HWY_ARCH_ARM_A64 ? 8 : 0;
#endif
}

// Whether such an input is rounded to 7 bits where it has levels of its own (a sigmoid's, a
// state's) or meets weights that are folded (panel_seven_bits-inl.h).
inline bool TakesSevenBits(const InstructionSet& set) {
#if HWY_ARCH_X86
  return set.target == HWY_AVX2;
#else
  static_cast<void>(set);
  return false;
#endif
}

// Layers of fewer outputs take no rounded input.
inline constexpr uint32_t kLeastRoundedOutputs = 16;

inline std::ostream& operator<<(std::ostream& out, const InstructionSet& set) {
  return out << set.Name();
}

inline std::vector<InstructionSet> InstructionSets() {
  std::vector<InstructionSet> sets;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    for (const ByteProducts products :
         {ByteProducts::kLong, ByteProducts::kDot, ByteProducts::kMatrix}) {
      if (products <= MostByteProducts()) sets.push_back({target, products});
    }
  }
  return sets;
}

// Kernels take that one while this lives.
class InForce {
 public:
  explicit InForce(const InstructionSet& set) {
    hwy::SetSupportedTargetsForTest(set.target);
    LimitByteProductsForTest(set.byte_products);
  }
  InForce(const InForce&) = delete;
  InForce& operator=(const InForce&) = delete;
  ~InForce() {
    hwy::SetSupportedTargetsForTest(0);
    LimitByteProductsForTest(ByteProducts::kMatrix);
  }
};

// Calls run() with each in force; failures name it. Ends at the first that fails fatally.
template <typename F>
void OnEveryInstructionSet(F run) {
  for (const InstructionSet& set : InstructionSets()) {
    SCOPED_TRACE(set.Name());
    const InForce in_force(set);
    run();
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_INSTRUCTION_SETS_H_
