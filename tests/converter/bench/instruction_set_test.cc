#include "converter/bench/instruction_set.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "converter/bench/peak_loops.h"
#include "hwy/targets.h"
#include "sdk/kernels/gemm_kernels.h"

namespace handpick::converter {
namespace {

class InstructionSetTest : public ::testing::Test {
 protected:
  ~InstructionSetTest() override {
    hwy::DisableTargets(0);
    LimitGemms(GemmLimit::kNone);
  }
};

TEST_F(InstructionSetTest, KernelsAreHeldToEachThatThereIs) {
  // From the best to the least: a set that is held to hides those above it.
  for (const std::string& name : InstructionSets()) {
    ASSERT_TRUE(HoldToInstructionSet(name).ok()) << name;
    EXPECT_EQ(InstructionSets().front(), name);
    // What runs, after that was asked. (That of the peak is compiled for another one of AVX-512.)
    const std::string running = absl::AsciiStrToLower(InstructionSet());
    EXPECT_EQ(running.substr(0, 4), name.substr(0, 4));
  }
}

#if HWY_ARCH_X86
TEST_F(InstructionSetTest, XnnpacksProductsAreHeldToo) {
  const std::string best = ChooseGemm().name;
  const std::vector<std::string> sets = InstructionSets();
  for (const std::string& name : sets) {
    ASSERT_TRUE(HoldToInstructionSet(name).ok());
    const std::string gemm = ChooseGemm().name;
    if (name.rfind("sse", 0) == 0) {
      EXPECT_EQ(gemm, "sse") << name;
    } else if (name == "avx2") {
      EXPECT_EQ(gemm, "fma3");
    } else {
      EXPECT_EQ(gemm, best) << name;
    }
  }
}

TEST_F(InstructionSetTest, Avx512IsTheBestOfItsKind) {
  const std::vector<std::string> sets = InstructionSets();
  const bool has = sets.front().rfind("avx3", 0) == 0;
  const std::string peak = InstructionSet();
  ASSERT_EQ(HoldToInstructionSet("avx512").ok(), has);
  EXPECT_EQ(InstructionSets(), sets);
  EXPECT_EQ(InstructionSet(), peak) << "which predictions go by";
}
#endif

TEST_F(InstructionSetTest, EachIsHeldForAWhileInAnyOrder) {
  const std::vector<std::string> sets = InstructionSets();
  const std::string gemm = ChooseGemm().name;
  for (size_t i = sets.size(); i-- > 0;) {
    {
      const OnInstructionSet held(sets[i]);
      EXPECT_EQ(InstructionSets().front(), sets[i]);
    }
    EXPECT_EQ(InstructionSets(), sets);
    EXPECT_EQ(ChooseGemm().name, gemm);
  }
}

TEST_F(InstructionSetTest, AllOwnOrNamedOnesAreParsed) {
  const std::vector<std::string> sets = InstructionSets();
  EXPECT_EQ(*ParseInstructionSets("all"), sets);
  EXPECT_EQ(*ParseInstructionSets("own"), std::vector<std::string>{sets[0]});
  EXPECT_EQ(*ParseInstructionSets(sets.back()), std::vector<std::string>{sets.back()});
  EXPECT_FALSE(ParseInstructionSets("").ok());
  EXPECT_FALSE(ParseInstructionSets(sets[0] + "," + sets[0]).ok());
  EXPECT_NE(std::string(ParseInstructionSets("abacus").status().message()).find(sets[0]),
            std::string::npos);
}

TEST_F(InstructionSetTest, OneThatThereIsNotIsRefusedWithTheNamesOfThoseThatThereAre) {
  const absl::Status status = HoldToInstructionSet("abacus");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  for (const std::string& name : InstructionSets()) {
    EXPECT_NE(std::string(status.message()).find(name), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace handpick::converter
