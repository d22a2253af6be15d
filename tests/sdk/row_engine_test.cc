// Dense layers over rows against loops in double, and what the runtime relies on: the same bits for
// a row whatever ran before, concurrent use, memory from the caller's allocator. Built once with
// each engine: ENGINE_PACKS_FLOATS says that it packs the weights of float32 layers.
#include "sdk/kernels/row_engine.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/base.h"
#include "sdk/base/model_memory.h"
#include "sdk/kernels/row_kernel.h"
#include "tests/support/instruction_sets.h"

namespace handpick {
namespace {

using schema::ElementType;

#ifdef ENGINE_PACKS_FLOATS
constexpr bool kPacksFloats = true;
#else
constexpr bool kPacksFloats = false;
#endif

constexpr size_t kPadding = 16;  // Numbers that may be read behind an input, and more.
constexpr float kNothing = 1e30f;
constexpr ElementType kTypes[] = {ElementType::Float32, ElementType::Float16,
                                  ElementType::Int8PerRow};

// Weights of any type, with the numbers that they stand for.
struct Layer {
  Layer(uint32_t inputs, uint32_t outputs, ElementType type, uint64_t seed, bool has_bias = true) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    const size_t count = size_t{inputs} * outputs;
    for (size_t i = 0; i < count; ++i) floats.push_back(normal(random));
    for (uint32_t o = 0; o < outputs; ++o) bias.push_back(normal(random));
    const void* data = floats.data();
    if (type == ElementType::Int8PerRow) {
      for (uint32_t o = 0; o < outputs; ++o) scales.push_back(0.001f * static_cast<float>(o + 1));
      for (size_t i = 0; i < count; ++i) {
        bytes.push_back(static_cast<int8_t>(random() % 255 - 127));
        floats[i] = scales[i / inputs] * bytes[i];
      }
      data = bytes.data();
    } else if (type == ElementType::Float16) {
      for (float& x : floats) {
        halves.push_back(hwy::F16FromF32(x));
        x = hwy::F32FromF16(halves.back());
      }
      data = halves.data();
    }
    weights = DenseWeights{"layer",
                           inputs,
                           outputs,
                           type,
                           data,
                           type == ElementType::Int8PerRow ? scales.data() : nullptr,
                           has_bias ? bias.data() : nullptr,
                           nullptr};
  }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // Of one output, and the greatest rounding error that it may have.
  double Output(const float* x, uint32_t output, double* error) const {
    double sum = weights.bias == nullptr ? 0 : bias[output];
    double size = std::abs(sum);
    double weight = 0;
    float largest = 0;
    for (uint32_t i = 0; i < weights.input_width; ++i) {
      const double product = double{x[i]} * floats[size_t{output} * weights.input_width + i];
      sum += product;
      size += std::abs(product);
      weight += std::abs(double{floats[size_t{output} * weights.input_width + i]});
      largest = std::max(largest, std::abs(x[i]));
    }
    *error = (weights.input_width + 3.0) * std::numeric_limits<float>::epsilon() * size;
    // The row is rounded to 16 bits.
    if (weights.int8()) *error += weight * static_cast<double>(largest) / 65000;
    return sum;
  }

  void ExpectOutputs(const float* x, const float* y) const {
    for (uint32_t o = 0; o < weights.output_width; ++o) {
      double error;
      const double expected = Output(x, o, &error);
      ASSERT_NEAR(y[o], expected, error) << "output " << o;
    }
  }

  std::vector<float> floats;
  std::vector<hwy::float16_t> halves;
  std::vector<int8_t> bytes;
  std::vector<float> scales;
  std::vector<float> bias;
  DenseWeights weights;
};

std::vector<float> RandomRow(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> row(count + kPadding);
  for (size_t i = 0; i < count; ++i) row[i] = normal(random);
  return row;
}

// A layer that goes when this does.
class Made {
 public:
  explicit Made(const DenseWeights& weights) {
    hp_error error = {};
    EXPECT_EQ(MakeRowLayer(weights, DefaultAllocator(), UINT64_MAX, &bytes_, &layer_, &error),
              HP_OK)
        << error.message;
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  ~Made() { DestroyRowLayer(layer_); }

  std::vector<float> Run(const std::vector<float>& x) const {
    std::vector<float> y(layer_.weights->output_width + 1, kNothing);
    EXPECT_EQ(RunRowLayer(layer_, x.data(), y.data()), HP_OK);
    EXPECT_EQ(y.back(), kNothing) << "written behind the output";
    y.pop_back();
    return y;
  }

  // x, y: rows one after the other.
  std::vector<float> RunRows(const std::vector<float>& x, uint32_t rows) const {
    std::vector<float> y(size_t{rows} * layer_.weights->output_width + 1, kNothing);
    EXPECT_EQ(RunRowLayer(layer_, x.data(), y.data(), rows), HP_OK);
    EXPECT_EQ(y.back(), kNothing) << "written behind the output";
    return y;
  }

  uint64_t bytes() const { return bytes_; }

 private:
  RowLayer layer_ = {};
  uint64_t bytes_ = 0;
};

TEST(RowEngineTest, EveryTypeEqualsALoopForRandomShapes) {
  testing::OnEveryInstructionSet([] {
    std::mt19937_64 random(1);
    for (int round = 0; round < 150; ++round) {
      const auto inputs = static_cast<uint32_t>(1 + random() % 90);
      const auto outputs = static_cast<uint32_t>(1 + random() % 40);
      const ElementType type = kTypes[random() % 3];
      SCOPED_TRACE(::testing::Message()
                   << schema::EnumNameElementType(type) << " " << inputs << "x" << outputs);
      const Layer layer(inputs, outputs, type, random(), random() % 3 != 0);
      const Made made(layer.weights);
      const std::vector<float> x = RandomRow(inputs, random());
      const std::vector<float> y = made.Run(x);
      ASSERT_NO_FATAL_FAILURE(layer.ExpectOutputs(x.data(), y.data()));
    }
  });
}

TEST(RowEngineTest, EveryWidthUpToSomeVectorsAndEveryRestOfOutputs) {
  testing::OnEveryInstructionSet([] {
    for (const ElementType type : kTypes) {
      for (uint32_t inputs = 1; inputs <= 35; ++inputs) {
        for (uint32_t outputs = 1; outputs <= 13; ++outputs) {
          SCOPED_TRACE(::testing::Message()
                       << schema::EnumNameElementType(type) << " " << inputs << "x" << outputs);
          const Layer layer(inputs, outputs, type, inputs * 100 + outputs);
          const Made made(layer.weights);
          const std::vector<float> x = RandomRow(inputs, outputs);
          ASSERT_NO_FATAL_FAILURE(layer.ExpectOutputs(x.data(), made.Run(x).data()));
        }
      }
    }
  });
}

TEST(RowEngineTest, ManyRowsAtOnce) {
  testing::OnEveryInstructionSet([] {
    std::mt19937_64 random(3);
    for (const ElementType type : kTypes) {
      for (const uint32_t rows : {1u, 2u, 7u, 40u}) {
        const auto inputs = static_cast<uint32_t>(1 + random() % 40);
        const auto outputs = static_cast<uint32_t>(1 + random() % 40);
        const Layer layer(inputs, outputs, type, random());
        const Made made(layer.weights);
        const std::vector<float> x = RandomRow(size_t{rows} * inputs, random());
        const std::vector<float> y = made.RunRows(x, rows);
        for (uint32_t r = 0; r < rows; ++r) {
          ASSERT_NO_FATAL_FAILURE(
              layer.ExpectOutputs(x.data() + size_t{r} * inputs, y.data() + size_t{r} * outputs));
        }
        EXPECT_EQ(made.RunRows(x, rows), y);
      }
    }
  });
}

// The kernel is not allowed what the engine is: a read behind its operands.
TEST(RowKernelTest, ReadsAndWritesNothingBehindItsOperands) {
  testing::OnEveryInstructionSet([] {
    for (const ElementType type : kTypes) {
      for (const uint32_t inputs : {1u, 3u, 16u, 17u, 64u}) {
        for (const uint32_t outputs : {1u, 5u, 8u, 11u}) {
          const Layer layer(inputs, outputs, type, 9);
          // Of exactly that size, so that a sanitizer sees more; and a NaN behind would show.
          const auto x = std::make_unique<float[]>(inputs);
          const auto y = std::make_unique<float[]>(outputs);
          const std::vector<float> row = RandomRow(inputs, 10);
          std::copy_n(row.begin(), inputs, x.get());
          MultiplyRow(layer.weights, x.get(), y.get());
          ASSERT_NO_FATAL_FAILURE(layer.ExpectOutputs(x.get(), y.get()));
        }
      }
    }
  });
}

TEST(RowKernelTest, LongRowsOfTheLargestNumbersDoNotOverflow) {
  testing::OnEveryInstructionSet([] {
    for (const uint32_t inputs : {1023u, 1024u, 1025u, 5000u, 65536u}) {
      SCOPED_TRACE(inputs);
      const std::vector<int8_t> bytes(2 * inputs, -128);
      const float scales[] = {1, 2}, bias[] = {1, -1};
      const DenseWeights weights = {"long",       inputs, 2,    ElementType::Int8PerRow,
                                    bytes.data(), scales, bias, nullptr};
      const std::vector<float> x(inputs, -3);
      float y[2];
      MultiplyRow(weights, x.data(), y);
      const double sum = 3.0 * 128 * inputs;
      EXPECT_NEAR(y[0], sum + 1, 1e-5 * sum);
      EXPECT_NEAR(y[1], 2 * sum - 1, 2e-5 * sum);
    }
  });
}

TEST(RowKernelTest, WhatIsNotFiniteShowsInEveryOutput) {
  testing::OnEveryInstructionSet([] {
    for (const ElementType type : kTypes) {
      const Layer layer(20, 5, type, 11);
      for (const float bad :
           {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        for (const size_t at : {0u, 7u, 19u}) {
          std::vector<float> x = RandomRow(20, 12), y(5);
          x[at] = bad;
          MultiplyRow(layer.weights, x.data(), y.data());
          for (const float out : y) ASSERT_FALSE(std::isfinite(out)) << at;
        }
      }
    }
  });
}

TEST(RowKernelTest, ARowOfZerosGivesTheBias) {
  testing::OnEveryInstructionSet([] {
    for (const ElementType type : kTypes) {
      const Layer layer(37, 6, type, 13);
      for (const float number : {0.0f, 1e-38f}) {
        const std::vector<float> x(37, number);
        std::vector<float> y(6);
        MultiplyRow(layer.weights, x.data(), y.data());
        for (size_t o = 0; o < 6; ++o) ASSERT_EQ(y[o], layer.bias[o]);
      }
    }
  });
}

TEST(RowEngineTest, ARowHasTheSameBitsWhateverRanBefore) {
  for (const ElementType type : kTypes) {
    const Layer layer(67, 33, type, 3);
    const Made made(layer.weights);
    std::vector<std::vector<float>> rows, first;
    for (uint64_t r = 0; r < 20; ++r) {
      rows.push_back(RandomRow(67, r));
      first.push_back(made.Run(rows.back()));
    }
    const Made again(layer.weights);
    for (size_t r = rows.size(); r-- > 0;) {
      EXPECT_EQ(made.Run(rows[r]), first[r]);
      EXPECT_EQ(again.Run(rows[r]), first[r]);
    }
  }
}

TEST(RowEngineTest, ThreadsShareALayer) {
  for (const ElementType type : kTypes) {
    constexpr uint32_t kWidth = 48;
    const Layer layer(kWidth, kWidth, type, 5);
    const Made made(layer.weights);
    std::vector<std::vector<float>> inputs, expected;
    for (uint64_t t = 0; t < 4; ++t) {
      inputs.push_back(RandomRow(kWidth, t));
      expected.push_back(made.Run(inputs[t]));
    }
    std::vector<std::thread> threads;
    std::vector<int> wrong(4);
    for (size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int round = 0; round < 5000; ++round) wrong[t] += made.Run(inputs[t]) != expected[t];
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const int count : wrong) EXPECT_EQ(count, 0);
  }
}

TEST(RowEngineTest, OnlyWhatIsPackedTakesMemory) {
  for (const ElementType type : kTypes) {
    const Layer layer(64, 32, type, 6);
    const Made made(layer.weights);
    if (kPacksFloats && type == ElementType::Float32) {
      EXPECT_GE(made.bytes(), 64u * 32 * sizeof(float));
    } else {
      EXPECT_EQ(made.bytes(), 0u);
    }
  }
}

struct Counts {
  int64_t blocks = 0;
  int64_t bytes = 0;
};

TEST(RowEngineTest, PackedWeightsComeFromTheCallersAllocatorAndGoBack) {
  Counts counts;
  const hp_allocator allocator = {sizeof(hp_allocator),
                                  [](void* opaque, size_t bytes, size_t alignment) -> void* {
                                    auto* to = static_cast<Counts*>(opaque);
                                    ++to->blocks;
                                    to->bytes += static_cast<int64_t>(bytes);
                                    return std::aligned_alloc(
                                        alignment, (bytes + alignment - 1) / alignment * alignment);
                                  },
                                  [](void* opaque, void* memory, size_t bytes) {
                                    auto* to = static_cast<Counts*>(opaque);
                                    --to->blocks;
                                    to->bytes -= static_cast<int64_t>(bytes);
                                    std::free(memory);
                                  },
                                  &counts};
  const Layer float_layer(64, 32, ElementType::Float32, 6);
  RowLayer layer = {};
  uint64_t engine_bytes = 0;
  hp_error error = {};
  ASSERT_EQ(MakeRowLayer(float_layer.weights, allocator, UINT64_MAX, &engine_bytes, &layer, &error),
            HP_OK)
      << error.message;
  EXPECT_EQ(counts.blocks > 0, kPacksFloats);
  EXPECT_EQ(static_cast<uint64_t>(counts.bytes), engine_bytes);
  DestroyRowLayer(layer);
  EXPECT_EQ(counts.blocks, 0);
  EXPECT_EQ(counts.bytes, 0);
}

TEST(RowEngineTest, WhatWouldTakeMoreThanItMayIsUsedInPlace) {
  const Layer float_layer(64, 3, ElementType::Float32, 8);
  const std::vector<float> x = RandomRow(64, 1);
  RowLayer layer = {};
  uint64_t bytes = 0;
  hp_error error = {};
  ASSERT_EQ(MakeRowLayer(float_layer.weights, DefaultAllocator(), 64 * 3 * sizeof(float), &bytes,
                         &layer, &error),
            HP_OK);
  EXPECT_EQ(bytes, 0u);
  EXPECT_EQ(layer.packed, nullptr);
  std::vector<float> y(3), expected(3);
  ASSERT_EQ(RunRowLayer(layer, x.data(), y.data()), HP_OK);
  MultiplyRow(float_layer.weights, x.data(), expected.data());
  EXPECT_EQ(y, expected);
  DestroyRowLayer(layer);
}

TEST(RowEngineTest, AnAllocatorThatFailsIsAnErrorAtEveryAllocation) {
  const Layer float_layer(16, 8, ElementType::Float32, 7);
  for (int allowed = 0; allowed < 20; ++allowed) {
    int left = allowed;
    const hp_allocator allocator = {sizeof(hp_allocator),
                                    [](void* opaque, size_t bytes, size_t alignment) -> void* {
                                      int* remaining = static_cast<int*>(opaque);
                                      if (*remaining == 0) return nullptr;
                                      --*remaining;
                                      return DefaultAllocator().allocate(nullptr, bytes, alignment);
                                    },
                                    [](void*, void* memory, size_t bytes) {
                                      DefaultAllocator().release(nullptr, memory, bytes);
                                    },
                                    &left};
    RowLayer layer = {};
    uint64_t bytes = 0;
    hp_error error = {};
    const hp_status status =
        MakeRowLayer(float_layer.weights, allocator, UINT64_MAX, &bytes, &layer, &error);
    if (status == HP_OK) {
      EXPECT_EQ(allowed > 0, kPacksFloats);
      DestroyRowLayer(layer);
      return;
    }
    EXPECT_EQ(status, HP_OUT_OF_MEMORY) << error.message;
    EXPECT_EQ(layer.weights, nullptr);
    EXPECT_EQ(layer.packed, nullptr);
    EXPECT_EQ(bytes, 0u) << "what was allocated went back";
  }
  FAIL() << "20 allocations are not enough to make one layer";
}

}  // namespace
}  // namespace handpick
