// The interpreter that shares what candidates share, where models of tests/goldens don't lead.
#include "converter/reference/shared_interpreter.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "converter/graph/weights.h"
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

// Numbers that are the same each time, in (-1, 1).
std::vector<double> SomeNumbers(size_t count) {
  std::vector<double> numbers(count);
  for (size_t i = 0; i < count; ++i) numbers[i] = std::sin(static_cast<double>(7 * i + 1));
  return numbers;
}

// Blocks of rows and columns end in smaller ones, which have loops of their own.
TEST(DoubleKernelsTest, ProductsOfEveryShapeAreThoseOfAPlainLoop) {
  for (const uint32_t outputs : {1, 2, 8, 9, 17, 24, 25, 33, 40, 41, 80}) {
    for (const uint32_t inputs : {1, 3, 8, 19}) {
      DenseData dense;
      dense.input_width = inputs;
      dense.output_width = outputs;
      dense.weights = SomeNumbers(inputs * outputs);
      const reference::ColumnMatrix w(dense);
      for (size_t rows = 0; rows <= 9; ++rows) {
        const std::vector<double> x = SomeNumbers(rows * 24);
        testing::OnEveryInstructionSet([&] {
          std::vector<double> y(rows * w.stride, 0.5);
          reference::AddProduct(w, rows, x.data(), 24, y.data());
          for (size_t row = 0; row < rows; ++row) {
            for (uint32_t j = 0; j < outputs; ++j) {
              double expected = 0.5;
              for (uint32_t i = 0; i < inputs; ++i) expected += x[row * 24 + i] * dense.At(j, i);
              ASSERT_NEAR(y[row * w.stride + j], expected, 1e-14)
                  << inputs << " to " << outputs << ", row " << row << " of " << rows;
            }
          }
        });
      }
    }
  }
}

TEST(DoubleKernelsTest, ARowMayBeAllRows) {
  const std::vector<double> a = SomeNumbers(3 * 16), b = SomeNumbers(16);
  testing::OnEveryInstructionSet([&] {
    for (const size_t a_stride : {16, 0}) {
      std::vector<double> products(3 * 16), sums(3 * 16);
      reference::MultiplyRows(3, 16, a.data(), a_stride, b.data(), products.data());
      reference::AddToRows(3, 16, a.data(), a_stride, b.data(), sums.data());
      for (size_t row = 0; row < 3; ++row) {
        for (size_t i = 0; i < 16; ++i) {
          const double number = a[row * a_stride + i];
          ASSERT_EQ(products[row * 16 + i], number * b[i]);
          ASSERT_EQ(sums[row * 16 + i], number + b[i]);
        }
      }
    }
  });
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
