// What tests of panel kernels share: a run for every instruction set, panels whose unused lanes are
// watched, and the properties that every kernel has.
#ifndef HANDPICK_TESTS_SDK_PANEL_TESTING_H_
#define HANDPICK_TESTS_SDK_PANEL_TESTING_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sdk/kernels/matrix.h"
#include "sdk/kernels/panel.h"
#include "tests/sdk/approximate.h"
#include "tests/support/instruction_sets.h"

namespace handpick::testing {

using Engine = std::mt19937_64;

// From least to most.
inline uint32_t Between(Engine& random, uint32_t least, uint32_t most) {
  return least + static_cast<uint32_t>(random() % (most - least + 1));
}

// Widths at and beside the sizes of blocks and vectors, and others.
inline uint32_t SomeWidth(Engine& random) {
  constexpr uint32_t kEdges[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 80, 129, 200};
  if (random() % 2 == 0) return Between(random, 1, 200);
  return kEdges[random() % std::size(kEdges)];
}

// In [-1, 1), times `scale`.
inline float SomeNumber(Engine& random, float scale = 1) {
  return scale * (static_cast<float>(random() >> 40) * 0x1p-23f - 1);
}

inline std::vector<float> SomeNumbers(Engine& random, size_t count, float scale = 1) {
  std::vector<float> numbers(count);
  for (float& number : numbers) number = SomeNumber(random, scale);
  return numbers;
}

// Memory aligned to 64 bytes that ends where it ends, filled with 0xA8.
class Aligned {
 public:
  explicit Aligned(size_t bytes) : memory_(nullptr, &std::free) {
    void* memory = nullptr;
    if (posix_memalign(&memory, 64, std::max<size_t>(bytes, 1)) != 0) std::abort();
    std::memset(memory, 0xA8, bytes);
    memory_.reset(memory);
  }
  template <typename T>
  T* as() const {
    return static_cast<T*>(memory_.get());
  }

 private:
  std::unique_ptr<void, decltype(&std::free)> memory_;
};

inline bool SameBits(float a, float b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

// Every test runs once for each instruction set that this machine has and the kernels are compiled
// for; failures name it.
class TargetTest : public ::testing::TestWithParam<InstructionSet> {
 protected:
  TargetTest() : trace_(__FILE__, __LINE__, GetParam().Name()), in_force_(GetParam()) {}

 private:
  ::testing::ScopedTrace trace_;
  InForce in_force_;
};

#define HANDPICK_FOR_EVERY_TARGET(Suite)                                                \
  INSTANTIATE_TEST_SUITE_P(Targets, Suite,                                              \
                           ::testing::ValuesIn(::handpick::testing::InstructionSets()), \
                           [](const auto& test) { return test.param.Name(); })

using Columns = std::vector<std::vector<float>>;  // A candidate's inputs.

// A kernel over panels, and what it makes of one candidate.
struct PanelKernel {
  std::string name;
  std::vector<uint32_t> input_widths;
  uint32_t output_width;
  bool in_place;  // What stood in the output is an input too.
  std::function<void(const std::vector<const float*>& inputs, float* out, PanelShape shape)> run;
  // Expects `after` to be right; `before` is meaningful in place alone.
  std::function<void(const Columns& inputs, const std::vector<float>& before,
                     const std::vector<float>& after)>
      judge;
};

// Runs a kernel with some candidates in some lanes (the others, up to the stride, hold numbers that
// are none) and returns what became of each.
inline Columns RunInLanes(const PanelKernel& kernel, const std::vector<Columns>& inputs,
                          const Columns& before, const std::vector<uint32_t>& candidates,
                          PanelShape shape) {
  constexpr float kOdd[] = {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(), -3e38f, 1e-40f};
  std::vector<Aligned> panels;
  std::vector<const float*> pointers;
  for (size_t i = 0; i < kernel.input_widths.size(); ++i) {
    const uint32_t width = kernel.input_widths[i];
    panels.emplace_back(size_t{width} * shape.stride * sizeof(float));
    float* panel = panels.back().as<float>();
    for (uint32_t c = 0; c < width; ++c) {
      for (uint32_t lane = 0; lane < shape.stride; ++lane) {
        panel[size_t{c} * shape.stride + lane] =
            lane < candidates.size() ? inputs[candidates[lane]][i][c] : kOdd[(c + lane) % 4];
      }
    }
    pointers.push_back(panel);
  }
  const size_t size = size_t{kernel.output_width} * shape.stride;
  Aligned out(size * sizeof(float));
  if (kernel.in_place) {
    for (uint32_t c = 0; c < kernel.output_width; ++c) {
      for (uint32_t lane = 0; lane < candidates.size(); ++lane) {
        out.as<float>()[size_t{c} * shape.stride + lane] = before[candidates[lane]][c];
      }
    }
  }
  const Aligned untouched(sizeof(float));
  kernel.run(pointers, out.as<float>(), shape);
  Columns results(candidates.size(), std::vector<float>(kernel.output_width));
  for (uint32_t c = 0; c < kernel.output_width; ++c) {
    const float* row = out.as<float>() + size_t{c} * shape.stride;
    for (uint32_t lane = 0; lane < candidates.size(); ++lane) results[lane][c] = row[lane];
    for (uint32_t lane = shape.lanes; lane < shape.stride; ++lane) {
      EXPECT_TRUE(SameBits(row[lane], *untouched.as<float>()))
          << kernel.name << ": wrote lane " << lane << " of " << shape.lanes;
    }
  }
  return results;
}

// A kernel's values, and that a candidate has the same bits wherever it stands and whatever stands
// beside it.
inline void ExpectPanelKernel(const PanelKernel& kernel, Engine& random,
                              const std::function<float()>& number) {
  SCOPED_TRACE(kernel.name);
  std::vector<Columns> inputs(kMaxPanelLanes);
  Columns before(kMaxPanelLanes);
  for (uint32_t candidate = 0; candidate < kMaxPanelLanes; ++candidate) {
    for (const uint32_t width : kernel.input_widths) {
      inputs[candidate].emplace_back(width);
      for (float& x : inputs[candidate].back()) x = number();
    }
    before[candidate].resize(kernel.output_width);
    for (float& x : before[candidate]) x = number();
  }
  std::vector<uint32_t> order(kMaxPanelLanes);
  std::iota(order.begin(), order.end(), 0u);
  const Columns expected =
      RunInLanes(kernel, inputs, before, order, {kMaxPanelLanes, kMaxPanelLanes});
  for (uint32_t candidate = 0; candidate < kMaxPanelLanes; ++candidate) {
    kernel.judge(inputs[candidate], before[candidate], expected[candidate]);
    if (::testing::Test::HasFailure()) return;
  }
  for (uint32_t stride = kLaneGroup; stride <= kMaxPanelLanes; stride += kLaneGroup) {
    for (uint32_t lanes = kLaneGroup; lanes <= stride;
         lanes = ShapeOfPanel(lanes + 1, 0, stride + kMaxPanelLanes).lanes) {
      std::shuffle(order.begin(), order.end(), random);
      // A panel that is full, one that lacks a few, and a candidate alone.
      for (const uint32_t count : {lanes, lanes - Between(random, 1, kLaneGroup - 1), 1u}) {
        const std::vector<uint32_t> some(order.begin(), order.begin() + count);
        const Columns results = RunInLanes(kernel, inputs, before, some, {stride, lanes});
        for (uint32_t lane = 0; lane < count; ++lane) {
          for (uint32_t c = 0; c < kernel.output_width; ++c) {
            ASSERT_TRUE(SameBits(results[lane][c], expected[some[lane]][c]))
                << "output " << c << ", lane " << lane << " of " << count << " in " << lanes
                << ", stride " << stride << ": " << results[lane][c] << ", expected "
                << expected[some[lane]][c];
          }
        }
      }
    }
  }
}

// An activation with parameters of its own, for `width` features.
struct OwnedActivation {
  OwnedActivation(schema::ActivationKind kind, uint32_t width, Engine& random) {
    using schema::ActivationKind;
    activation.kind = kind;
    if (kind == ActivationKind::Prelu) {
      alpha = SomeNumbers(random, random() % 2 == 0 ? 1 : width, 1.5f);
    } else if (kind == ActivationKind::Dice) {
      alpha = SomeNumbers(random, width, 1.5f);
      scale = SomeNumbers(random, width, 3);
      shift = SomeNumbers(random, width, 2);
    }
    activation.alpha = alpha;
    activation.scale = scale;
    activation.shift = shift;
  }
  OwnedActivation(const OwnedActivation&) = delete;
  OwnedActivation& operator=(const OwnedActivation&) = delete;

  std::vector<float> alpha;
  std::vector<float> scale;
  std::vector<float> shift;
  Activation activation = {};
};

constexpr schema::ActivationKind kActivations[] = {
    schema::ActivationKind::Linear,     schema::ActivationKind::Relu,
    schema::ActivationKind::Sigmoid,    schema::ActivationKind::Tanh,
    schema::ActivationKind::Prelu,      schema::ActivationKind::Dice,
    schema::ActivationKind::LogSigmoid,
};

constexpr schema::ElementType kStorages[] = {
    schema::ElementType::Float32, schema::ElementType::Float16, schema::ElementType::Int8PerRow};

// A half as a number, straight from its definition.
inline double HalfValue(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const double fraction = (half & 1023) / 1024.0;
  const double size =
      exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
  return half >> 15 != 0 ? -size : size;
}

// Weights of any storage, about within 1 / sqrt(in), with a bias if it is wanted.
struct OwnedMatrix {
  OwnedMatrix(schema::ElementType storage, uint32_t in_width, uint32_t out_width, bool has_bias,
              Engine& random)
      : type(storage), in(in_width), out(out_width) {
    using schema::ElementType;
    const size_t size = size_t{in} * out;
    const float size_of_weight = 2 / std::sqrt(static_cast<float>(in));
    if (type == ElementType::Float32) {
      // Of any alignment.
      floats = SomeNumbers(random, size + 1, size_of_weight);
    } else if (type == ElementType::Float16) {
      halves.resize(size + 1);
      // Up to 1/2, those below the normal ones too.
      for (uint16_t& half : halves) {
        half =
            static_cast<uint16_t>((random() % 2) << 15 | (random() % 14) << 10 | random() % 1024);
      }
    } else {
      bytes.resize(size + 1);
      for (int8_t& w : bytes) {
        w = static_cast<int8_t>(static_cast<int>(Between(random, 0, 254)) - 127);
      }
      for (uint32_t j = 0; j < out; ++j) {
        scales.push_back((1.1f + SomeNumber(random)) * size_of_weight / 127);
        const auto row = bytes.begin() + 1 + ptrdiff_t{j} * in;
        sums.push_back(std::accumulate(row, row + in, 0));
      }
    }
    if (has_bias) bias = SomeNumbers(random, out);
  }
  OwnedMatrix(const OwnedMatrix&) = delete;
  OwnedMatrix& operator=(const OwnedMatrix&) = delete;

  Matrix get() const {
    using schema::ElementType;
    const void* data = bytes.data() + 1;
    if (type == ElementType::Float32) data = floats.data() + 1;
    if (type == ElementType::Float16) data = halves.data() + 1;
    const bool int8 = type == ElementType::Int8PerRow;
    return {type,
            in,
            out,
            data,
            int8 ? scales.data() : nullptr,
            int8 ? sums.data() : nullptr,
            bias.empty() ? nullptr : bias.data()};
  }

  double At(size_t j, size_t k) const {
    const size_t at = 1 + j * in + k;
    if (type == schema::ElementType::Float32) return floats[at];
    if (type == schema::ElementType::Float16) return HalfValue(halves[at]);
    return double{scales[j]} * bytes[at];
  }

  // Row j; int8 weights that are widened are rounded once more.
  std::vector<Approx> Row(size_t j) const {
    const bool int8 = type == schema::ElementType::Int8PerRow;
    std::vector<Approx> row(in);
    for (size_t k = 0; k < in; ++k) {
      row[k].value = At(j, k);
      row[k].error = int8 ? kRounding * std::abs(row[k].value) : 0;
    }
    return row;
  }

  // Row j of int8 weights as it meets an input of 7 bits.
  std::vector<Approx> SevenBitRow(size_t j) const {
    std::vector<Approx> row(in);
    for (size_t k = 0; k < in; ++k) row[k].value = bytes[1 + j * in + k];
    row = FittedSevenBitRow(row);
    for (Approx& x : row) {
      x.value *= scales[j];
      x.error = x.error * scales[j] + 2 * kRounding * std::abs(x.value);
    }
    return row;
  }

  // Bits that its input is rounded to.
  int InputBitsOn(const InstructionSet& set) const {
    const bool int8 = type == schema::ElementType::Int8PerRow;
    return int8 && out >= kLeastRoundedOutputs ? InputBits(set) : 0;
  }

  schema::ElementType type;
  uint32_t in;
  uint32_t out;
  std::vector<float> floats;
  std::vector<uint16_t> halves;
  std::vector<int8_t> bytes;
  std::vector<float> scales;
  std::vector<int32_t> sums;
  std::vector<float> bias;
};

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SDK_PANEL_TESTING_H_
