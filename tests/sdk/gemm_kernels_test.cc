// XNNPACK's kernels as they are built for the SDK, each that runs here, against loops in double.
#include "sdk/kernels/gemm_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace handpick {
namespace {

constexpr size_t kReadBehind = 4;  // Numbers that may be read behind the input.
constexpr float kNothing = 1e30f;

struct Product {
  Product(uint32_t in, uint32_t out, uint32_t row_count, uint64_t seed)
      : inputs(in), outputs(out), rows(row_count) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < size_t{in} * out; ++i) weights.push_back(normal(random));
    for (uint32_t o = 0; o < out; ++o) bias.push_back(normal(random));
    for (size_t i = 0; i < size_t{in} * row_count; ++i) x.push_back(normal(random));
    x.resize(x.size() + kReadBehind, std::numeric_limits<float>::quiet_NaN());
  }

  std::vector<float> Run(const Gemm& gemm, bool with_bias) const {
    const size_t size = PackedGemmFloats(gemm, inputs, outputs);
    const std::unique_ptr<float[], decltype(&std::free)> packed(
        static_cast<float*>(std::aligned_alloc(64, (size + 1) * sizeof(float) / 64 * 64 + 64)),
        &std::free);
    std::fill_n(packed.get(), size + 1, kNothing);
    PackGemmWeights(gemm, weights.data(), with_bias ? bias.data() : nullptr, inputs, outputs,
                    packed.get());
    EXPECT_EQ(packed[size], kNothing) << "packed behind the end";
    for (size_t i = 0; i < size; ++i) EXPECT_NE(packed[i], kNothing) << i;
    std::vector<float> y(size_t{rows} * outputs + 1, kNothing);
    RunGemm(gemm, packed.get(), inputs, outputs, x.data(), y.data(), rows);
    EXPECT_EQ(y.back(), kNothing) << "written behind the output";
    y.pop_back();
    return y;
  }

  void ExpectEqualsALoop(const std::vector<float>& y, bool with_bias) const {
    for (uint32_t r = 0; r < rows; ++r) {
      for (uint32_t o = 0; o < outputs; ++o) {
        double sum = with_bias ? bias[o] : 0, size = std::abs(sum);
        for (uint32_t i = 0; i < inputs; ++i) {
          const double term = double{x[size_t{r} * inputs + i]} * weights[size_t{o} * inputs + i];
          sum += term;
          size += std::abs(term);
        }
        ASSERT_NEAR(y[size_t{r} * outputs + o], sum,
                    (inputs + 3.0) * std::numeric_limits<float>::epsilon() * size)
            << "row " << r << " output " << o;
      }
    }
  }

  uint32_t inputs, outputs, rows;
  std::vector<float> weights, bias, x;
};

TEST(GemmKernelsTest, EveryKernelEqualsALoop) {
  const Gemm* gemms[8];
  const size_t count = RunnableGemms(gemms);
  ASSERT_GT(count, 0u);
  for (size_t g = 0; g < count; ++g) {
    uint64_t seed = 1;
    for (const uint32_t inputs : {1u, 2u, 3u, 4u, 5u, 8u, 15u, 16u, 33u}) {
      for (const uint32_t outputs : {1u, 7u, 8u, 9u, 16u, 31u, 33u, 70u}) {
        for (const uint32_t rows : {1u, 2u, 3u, 5u, 6u, 7u, 8u, 20u}) {
          const bool with_bias = ++seed % 3 != 0;
          SCOPED_TRACE(std::string(gemms[g]->name) + " " + std::to_string(inputs) + "x" +
                       std::to_string(outputs) + ", rows " + std::to_string(rows));
          const Product product(inputs, outputs, rows, seed);
          ASSERT_NO_FATAL_FAILURE(
              product.ExpectEqualsALoop(product.Run(*gemms[g], with_bias), with_bias));
        }
      }
    }
  }
}

// On a phone with cores of two kinds, a model may be opened on either.
TEST(GemmKernelsTest, KernelsForKindsOfCoresGiveTheSameBits) {
#if defined(__aarch64__)
  const Gemm* gemms[8];
  const size_t count = RunnableGemms(gemms);
  ASSERT_EQ(count, 3u);
  for (const uint32_t rows : {1u, 2u, 6u, 13u}) {
    const Product product(67, 43, rows, rows);
    const std::vector<float> expected = product.Run(*gemms[0], true);
    for (size_t g = 1; g < count; ++g) {
      EXPECT_EQ(product.Run(*gemms[g], true), expected) << gemms[g]->name << " rows " << rows;
    }
  }
#else
  GTEST_SKIP() << "arm64 alone has kernels for kinds of cores";
#endif
}

TEST(GemmKernelsTest, TheChosenOneRunsHere) {
  const Gemm* gemms[8];
  const size_t count = RunnableGemms(gemms);
  size_t found = 0;
  for (size_t g = 0; g < count; ++g) found += gemms[g] == &ChooseGemm() ? 1 : 0;
  EXPECT_EQ(found, 1u);
}

}  // namespace
}  // namespace handpick
