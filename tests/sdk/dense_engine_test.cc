// The engine's dense layers against loops in double, and what the runtime relies on: the same bits
// for any number of rows from two on, concurrent use, memory from the caller's allocator.
#include "sdk/kernels/dense_engine.h"

#include <cmath>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "sdk/base/model_memory.h"

namespace handpick {
namespace {

constexpr size_t kPadding = 64;  // The engine reads behind its input.

struct Layer {
  Layer(uint32_t inputs, uint32_t outputs, bool int8, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    for (uint32_t i = 0; i < inputs * outputs; ++i) floats.push_back(normal(random));
    for (uint32_t i = 0; i < outputs; ++i) bias.push_back(normal(random));
    for (uint32_t o = 0; o < outputs && int8; ++o) {
      float largest = 0;
      for (uint32_t i = 0; i < inputs; ++i)
        largest = std::max(largest, std::fabs(floats[o * inputs + i]));
      scales.push_back(largest / 127);
      for (uint32_t i = 0; i < inputs; ++i) {
        bytes.push_back(static_cast<int8_t>(std::lround(floats[o * inputs + i] / scales[o])));
        floats[o * inputs + i] = scales[o] * bytes.back();
      }
    }
    weights = DenseWeights{"layer",
                           inputs,
                           outputs,
                           int8,
                           int8 ? static_cast<const void*>(bytes.data()) : floats.data(),
                           int8 ? scales.data() : nullptr,
                           bias.data(),
                           nullptr};
  }

  double Output(const double* input, uint32_t output) const {
    double sum = bias[output];
    for (uint32_t i = 0; i < weights.input_width; ++i)
      sum += input[i] * floats[output * weights.input_width + i];
    return sum;
  }

  std::vector<float> floats;
  std::vector<int8_t> bytes;
  std::vector<float> scales;
  std::vector<float> bias;
  DenseWeights weights;
};

std::vector<float> RandomRows(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> rows(count + kPadding);
  for (size_t i = 0; i < count; ++i) rows[i] = normal(random);
  return rows;
}

DenseOperator Create(const DenseWeights& weights, size_t input_stride, size_t output_stride) {
  DenseOperator dense = {};
  uint64_t bytes = 0;
  hp_error error = {};
  EXPECT_EQ(
      CreateDense(weights, input_stride, output_stride, DefaultAllocator(), &bytes, &dense, &error),
      HP_OK)
      << error.message;
  EXPECT_GE(bytes, size_t{weights.input_width} * weights.output_width);
  return dense;
}

TEST(DenseEngineTest, Float32EqualsALoopForRandomShapesAndStrides) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 60; ++round) {
    const uint32_t inputs = 1 + static_cast<uint32_t>(random() % 90);
    const uint32_t outputs = 1 + static_cast<uint32_t>(random() % 90);
    const uint32_t rows = 1 + static_cast<uint32_t>(random() % 40);
    const size_t input_stride = inputs + random() % 7;
    const size_t output_stride = outputs + random() % 7;
    const Layer layer(inputs, outputs, false, random());
    const DenseOperator dense = Create(layer.weights, input_stride, output_stride);
    const std::vector<float> in = RandomRows(rows * input_stride, random());
    std::vector<float> out(rows * output_stride, 1e30f);
    ASSERT_EQ(RunDense(dense, in.data(), rows, out.data()), HP_OK);
    for (uint32_t r = 0; r < rows; ++r) {
      const std::vector<double> row(in.begin() + static_cast<ptrdiff_t>(r * input_stride),
                                    in.begin() + static_cast<ptrdiff_t>(r * input_stride + inputs));
      for (uint32_t o = 0; o < outputs; ++o) {
        ASSERT_NEAR(out[r * output_stride + o], layer.Output(row.data(), o), 1e-4)
            << inputs << "x" << outputs;
      }
      for (size_t o = outputs; o < output_stride && r + 1 < rows; ++o)
        ASSERT_EQ(out[r * output_stride + o], 1e30f);
    }
    DestroyDense(dense);
  }
}

TEST(DenseEngineTest, Int8EqualsALoopOverTheQuantizedRows) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 60; ++round) {
    const uint32_t inputs = 1 + static_cast<uint32_t>(random() % 90);
    const uint32_t outputs = 1 + static_cast<uint32_t>(random() % 90);
    // Also more rows than the engine gets at a time.
    const uint32_t rows = round < 40 ? 1 + static_cast<uint32_t>(random() % 40)
                                     : 230 + static_cast<uint32_t>(random() % 300);
    const size_t stride = (inputs + 7) / 8 * 8;
    const Layer layer(inputs, outputs, true, random());
    const DenseOperator dense = Create(layer.weights, stride, outputs);
    const std::vector<float> in = RandomRows(rows * inputs, random());
    std::vector<int8_t> quantized(rows * stride + kPadding);
    std::vector<QuantizationParameters> parameters(rows);
    QuantizeRows({in.data(), inputs}, quantized.data(), stride, parameters.data(), rows, inputs);
    std::vector<float> out(rows * outputs);
    ASSERT_EQ(RunDenseInt8(dense, quantized.data(), parameters.data(), rows, out.data()), HP_OK);
    for (uint32_t r = 0; r < rows; ++r) {
      std::vector<double> row(inputs);
      for (uint32_t i = 0; i < inputs; ++i) {
        row[i] = static_cast<double>(parameters[r].scale) *
                 (quantized[r * stride + i] - parameters[r].zero_point);
      }
      for (uint32_t o = 0; o < outputs; ++o) {
        const double expected = layer.Output(row.data(), o);
        ASSERT_NEAR(out[r * outputs + o], expected, 1e-4 * std::max(1.0, std::fabs(expected)))
            << inputs << "x" << outputs << ", row " << r << " of " << rows;
      }
    }
    DestroyDense(dense);
  }
}

TEST(DenseEngineTest, ARowHasTheSameBitsForAnyNumberOfRowsFromTwoOn) {
  constexpr uint32_t kInputs = 67;
  constexpr uint32_t kOutputs = 33;
  constexpr uint32_t kRows = 41;
  const Layer layer(kInputs, kOutputs, false, 3);
  const DenseOperator dense = Create(layer.weights, kInputs, kOutputs);
  const std::vector<float> in = RandomRows(kRows * kInputs, 4);
  std::vector<float> all(kRows * kOutputs);
  ASSERT_EQ(RunDense(dense, in.data(), kRows, all.data()), HP_OK);
  for (uint32_t rows = 2; rows < kRows; ++rows) {
    for (uint32_t first = 0; first + rows <= kRows; first += rows) {
      std::vector<float> some(rows * kOutputs);
      ASSERT_EQ(RunDense(dense, in.data() + first * kInputs, rows, some.data()), HP_OK);
      for (size_t i = 0; i < some.size(); ++i)
        ASSERT_EQ(some[i], all[first * kOutputs + i]) << rows << " at " << first;
    }
  }
  DestroyDense(dense);
}

TEST(DenseEngineTest, ThreadsShareAnOperator) {
  constexpr uint32_t kWidth = 48;
  constexpr uint32_t kRows = 20;
  const Layer layer(kWidth, kWidth, false, 5);
  const DenseOperator dense = Create(layer.weights, kWidth, kWidth);
  std::vector<std::vector<float>> inputs;
  std::vector<std::vector<float>> expected;
  for (uint64_t t = 0; t < 4; ++t) {
    inputs.push_back(RandomRows(kRows * kWidth, t));
    expected.emplace_back(kRows * kWidth);
    ASSERT_EQ(RunDense(dense, inputs[t].data(), kRows, expected[t].data()), HP_OK);
  }
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::vector<float> out(kRows * kWidth);
      for (int round = 0; round < 500; ++round) {
        if (RunDense(dense, inputs[t].data(), kRows, out.data()) != HP_OK || out != expected[t])
          ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) EXPECT_EQ(count, 0);
  DestroyDense(dense);
}

TEST(DenseEngineTest, AnInt8RowHasTheSameBitsForAnyNumberOfRowsFromTwoOn) {
  constexpr uint32_t kInputs = 64;
  constexpr uint32_t kOutputs = 33;
  constexpr uint32_t kRows = 500;
  const Layer layer(kInputs, kOutputs, true, 3);
  const DenseOperator dense = Create(layer.weights, kInputs, kOutputs);
  const std::vector<float> in = RandomRows(kRows * kInputs, 4);
  std::vector<int8_t> quantized(kRows * kInputs + kPadding);
  std::vector<QuantizationParameters> parameters(kRows);
  QuantizeRows({in.data(), kInputs}, quantized.data(), kInputs, parameters.data(), kRows, kInputs);
  std::vector<float> all(kRows * kOutputs);
  ASSERT_EQ(RunDenseInt8(dense, quantized.data(), parameters.data(), kRows, all.data()), HP_OK);
  for (const uint32_t rows : {2u, 3u, 10u, 17u, 239u, 240u, 241u, 242u, 481u}) {
    for (uint32_t first = 0; first + rows <= kRows; first += rows) {
      std::vector<float> some(rows * kOutputs);
      ASSERT_EQ(RunDenseInt8(dense, quantized.data() + first * kInputs, parameters.data() + first,
                             rows, some.data()),
                HP_OK);
      for (size_t i = 0; i < some.size(); ++i) {
        ASSERT_EQ(some[i], all[first * kOutputs + i]) << rows << " at " << first;
      }
    }
  }
  DestroyDense(dense);
}

struct Counts {
  int64_t blocks = 0;
  int64_t bytes = 0;
};

TEST(DenseEngineTest, PackedWeightsComeFromTheCallersAllocatorAndGoBack) {
  Counts counts;
  const hp_allocator allocator = {[](void* user, size_t bytes, size_t alignment) -> void* {
                                    auto* to = static_cast<Counts*>(user);
                                    ++to->blocks;
                                    to->bytes += static_cast<int64_t>(bytes);
                                    return std::aligned_alloc(
                                        alignment, (bytes + alignment - 1) / alignment * alignment);
                                  },
                                  [](void* user, void* memory, size_t bytes) {
                                    auto* to = static_cast<Counts*>(user);
                                    --to->blocks;
                                    to->bytes -= static_cast<int64_t>(bytes);
                                    std::free(memory);
                                  },
                                  &counts};
  const Layer layer(64, 32, false, 6);
  DenseOperator dense = {};
  uint64_t engine_bytes = 0;
  hp_error error = {};
  ASSERT_EQ(CreateDense(layer.weights, 64, 32, allocator, &engine_bytes, &dense, &error), HP_OK)
      << error.message;
  EXPECT_GT(counts.blocks, 0);
  EXPECT_GE(counts.bytes, 64 * 32 * 4);
  EXPECT_EQ(static_cast<uint64_t>(counts.bytes), engine_bytes);
  DestroyDense(dense);
  EXPECT_EQ(counts.blocks, 0);
  EXPECT_EQ(counts.bytes, 0);
}

TEST(DenseEngineTest, AnAllocatorThatFailsIsAnErrorAtEveryAllocation) {
  const Layer layer(16, 8, false, 7);
  for (int allowed = 0; allowed < 20; ++allowed) {
    int left = allowed;
    const hp_allocator allocator = {[](void* user, size_t bytes, size_t alignment) -> void* {
                                      int* remaining = static_cast<int*>(user);
                                      if (*remaining == 0) return nullptr;
                                      --*remaining;
                                      return DefaultAllocator().allocate(nullptr, bytes, alignment);
                                    },
                                    [](void*, void* memory, size_t bytes) {
                                      DefaultAllocator().release(nullptr, memory, bytes);
                                    },
                                    &left};
    DenseOperator dense = {};
    uint64_t bytes = 0;
    hp_error error = {};
    const hp_status status = CreateDense(layer.weights, 16, 8, allocator, &bytes, &dense, &error);
    if (status == HP_OK) {
      EXPECT_GT(allowed, 0);
      DestroyDense(dense);
      return;
    }
    EXPECT_EQ(status, HP_OUT_OF_MEMORY) << error.message;
    EXPECT_EQ(dense.engine, nullptr);
    EXPECT_EQ(bytes, 0u) << "what was allocated went back";
  }
  FAIL() << "20 allocations are not enough to make one operator";
}

}  // namespace
}  // namespace handpick
