// The interpreter that shares what candidates share, where models of tests/goldens don't lead.
#include "converter/reference/shared_interpreter.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "converter/pipeline.h"
#include "converter/reference/double_kernels.h"
#include "converter/reference/interpreter.h"
#include "converter/request/resolve.h"
#include "gtest/gtest.h"
#include "tests/support/instruction_sets.h"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

constexpr double kOrderOfSums = 1e-12;

TEST(SharedInterpreterTest, SaysWhatTheReferenceSaysOfRandomModels) {
  for (const char* kind : EveryKind()) {
    for (uint64_t seed = 1000; seed < 1010; ++seed) {
      SCOPED_TRACE(std::string(kind) + ", seed " + std::to_string(seed));
      const RandomModel model = MakeRandomModel(seed, kind);
      const auto conversion =
          Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
      ASSERT_TRUE(conversion.ok()) << conversion.status();
      const SharedInterpreter shared(conversion->rewritten);
      for (const size_t candidates : {7, 0, 1}) {
        const auto resolved = ResolveRequest(MakeRandomRequest(model, seed, candidates),
                                             *conversion->source.features);
        ASSERT_TRUE(resolved.ok()) << resolved.status();
        const LogitsOfOutputs expected = EvaluateOutputs(conversion->rewritten, *resolved);
        const LogitsOfOutputs logits = shared.Evaluate(*resolved);
        ASSERT_EQ(logits.size(), expected.size());
        for (size_t output = 0; output < logits.size(); ++output) {
          ASSERT_EQ(logits[output].size(), candidates);
          for (size_t i = 0; i < candidates; ++i) {
            EXPECT_NEAR(logits[output][i], expected[output][i],
                        kOrderOfSums * std::max(1.0, std::abs(expected[output][i])));
          }
        }
      }
    }
  }
}

TEST(DoubleKernelsTest, SigmoidIsThatOfTheLibrary) {
  std::vector<double> x;
  for (double at = -40; at <= 40; at += 0.0037) x.push_back(at);
  for (const double edge : {-1e300, -709.0, -708.0, -0.0, 0.0, 708.0, 1e300}) x.push_back(edge);
  x.push_back(std::numeric_limits<double>::infinity());
  x.push_back(-std::numeric_limits<double>::infinity());
  x.resize(reference::PaddedColumns(x.size()), 0.5);
  testing::OnEveryInstructionSet([&] {
    std::vector<double> y = x;
    reference::SigmoidInPlace(y.data(), y.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = 1 / (1 + std::exp(-x[i]));
      ASSERT_NEAR(y[i], expected, 1e-15 * expected + 1e-307) << x[i];
    }
  });
}

TEST(DoubleKernelsTest, WhatIsNoNumberStaysNone) {
  testing::OnEveryInstructionSet([] {
    std::vector<double> x(reference::kColumnStep, 1.0);
    x[3] = std::numeric_limits<double>::quiet_NaN();
    reference::SigmoidInPlace(x.data(), x.size());
    EXPECT_TRUE(std::isnan(x[3]));
    EXPECT_FALSE(std::isnan(x[2]));
  });
}

}  // namespace
}  // namespace handpick::converter
