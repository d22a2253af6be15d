// Kernels over panels against plain loops in double, over random shapes, once for each instruction
// set: values, the same bits wherever a candidate stands, and nothing written beside the panel.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "sdk/kernels/dense_panels.h"
#include "sdk/kernels/panel.h"
#include "tests/sdk/approximate.h"
#include "tests/sdk/panel_testing.h"

namespace handpick {
namespace {

using schema::ActivationKind;
using testing::Activated;
using testing::Aligned;
using testing::Approx;
using testing::Between;
using testing::Columns;
using testing::Dot;
using testing::Engine;
using testing::Exactly;
using testing::ExpectPanelKernel;
using testing::kActivations;
using testing::kRounding;
using testing::OwnedActivation;
using testing::OwnedMatrix;
using testing::PanelKernel;
using testing::SomeNumber;
using testing::SomeNumbers;
using testing::SomeWidth;

constexpr Activation kLinear = {ActivationKind::Linear, {}, {}, {}};
constexpr int kShapes = 12;  // Random shapes of each kernel.

class PanelKernelsTest : public testing::TargetTest {};
HANDPICK_FOR_EVERY_TARGET(PanelKernelsTest);

void ExpectNear(float actual, const Approx& expected, size_t feature) {
  ASSERT_LE(std::abs(actual - expected.value), expected.error)
      << "feature " << feature << ": " << actual << ", expected " << expected.value;
}

// What a layer makes of one candidate, by a plain loop.
void ExpectDense(const OwnedMatrix& matrix, const float* row, const Activation& activation,
                 const testing::InstructionSet& set, const std::vector<float>& input,
                 const std::vector<float>& output) {
  double largest = 0;
  const std::vector<Approx> x =
      testing::RoundedInput(Exactly(input), matrix.InputBitsOn(set), &largest);
  for (uint32_t j = 0; j < matrix.out; ++j) {
    const double begin =
        (matrix.bias.empty() ? 0.0 : matrix.bias[j]) + (row == nullptr ? 0.0 : double{row[j]});
    const Approx sum = Dot(matrix.Row(j), x, {begin, 2 * kRounding * std::abs(begin)}, largest);
    ASSERT_NO_FATAL_FAILURE(ExpectNear(output[j], Activated(activation, j, sum), j));
  }
}

// Scratch of a call, which ends where it should: sanitizers watch what is behind it.
Aligned ScratchOf(const Matrix& matrix, const PanelGrid& grid) {
  const uint64_t panels = uint64_t{grid.panels()} * grid.events;
  return Aligned(DensePanelsScratch(matrix, grid.stride, panels));
}

TEST_P(PanelKernelsTest, DenseLayersSumUpWeightsOfEveryStorageBiasAndRow) {
  for (const schema::ElementType type : testing::kStorages) {
    for (uint64_t seed = 0; seed < kShapes; ++seed) {
      Engine random(seed);
      const uint32_t in = SomeWidth(random);
      const uint32_t out = SomeWidth(random);
      const OwnedMatrix matrix(type, in, out, seed % 2 == 0, random);
      const std::vector<float> row = SomeNumbers(random, out);
      const float* added = seed % 3 == 0 ? row.data() : nullptr;
      for (uint64_t k = 0; k < 3; ++k) {
        const OwnedActivation activation(kActivations[(3 * seed + k) % 6], out, random);
        PanelKernel kernel;
        kernel.name = "dense " + std::to_string(in) + " to " + std::to_string(out) + ", storage " +
                      std::to_string(static_cast<int>(type)) + ", activation " +
                      std::to_string(static_cast<int>(activation.activation.kind));
        kernel.input_widths = {in};
        kernel.output_width = out;
        kernel.in_place = false;
        kernel.run = [&](const std::vector<const float*>& inputs, float* y, PanelShape shape) {
          const PanelGrid grid = {shape.lanes, shape.stride, 1};
          const Aligned scratch = ScratchOf(matrix.get(), grid);
          DensePanels(matrix.get(), added, activation.activation, {inputs[0], 0, 0}, {y, 0, 0},
                      grid, scratch.as<void>());
        };
        kernel.judge = [&](const Columns& inputs, const std::vector<float>&,
                           const std::vector<float>& after) {
          ExpectDense(matrix, added, activation.activation, GetParam(), inputs[0], after);
        };
        ExpectPanelKernel(kernel, random, [&] { return SomeNumber(random, 2); });
        ASSERT_FALSE(HasFailure()) << "seed " << seed;
      }
    }
  }
}

// Candidates times events in panels, each with numbers of its own.
struct ManyPanels {
  ManyPanels(const PanelGrid& of, uint32_t wide, Engine& random)
      : grid(of),
        width(wide),
        // Rows of other values are between the panels, and events that are not there.
        event((size_t{width} + random() % 3) * grid.stride),
        panel(event * (grid.events + random() % 2)),
        numbers(panel * grid.panels() * sizeof(float)) {
    for (size_t i = 0; i < panel * grid.panels(); ++i) numbers.as<float>()[i] = SomeNumber(random);
  }
  float* At(uint32_t candidate, uint32_t e) const {
    return numbers.as<float>() + candidate / grid.stride * panel + e * event +
           candidate % grid.stride;
  }
  std::vector<float> Of(uint32_t candidate, uint32_t e) const {
    std::vector<float> column(width);
    for (uint32_t c = 0; c < width; ++c) column[c] = At(candidate, e)[size_t{c} * grid.stride];
    return column;
  }

  PanelGrid grid;
  uint32_t width;
  size_t event;
  size_t panel;
  Aligned numbers;
};

TEST_P(PanelKernelsTest, LayersOverManyPanelsHaveTheBitsOfOneCandidateAlone) {
  for (const schema::ElementType type : testing::kStorages) {
    for (const uint32_t in : {1u, 3u, 5u, 40u, 80u, 600u}) {
      for (const uint32_t out : {1u, 3u, 5u, 40u, 80u, 131u}) {
        SCOPED_TRACE(::testing::Message()
                     << in << " to " << out << ", storage " << static_cast<int>(type));
        Engine random(1000 * in + out);
        const OwnedMatrix matrix(type, in, out, out % 2 == 1, random);
        const std::vector<float> row = SomeNumbers(random, out);
        const OwnedActivation activation(kActivations[(in + out) % 6], out, random);
        const uint32_t stride = kLaneGroup * Between(random, 1, 3);
        const PanelGrid grid = {Between(random, 1, 5 * stride), stride, Between(random, 1, 4)};
        const ManyPanels x(grid, in, random);
        const ManyPanels y(grid, out, random);
        const Aligned scratch = ScratchOf(matrix.get(), grid);
        DensePanels(matrix.get(), row.data(), activation.activation,
                    {x.numbers.as<float>(), x.panel, x.event},
                    {y.numbers.as<float>(), y.panel, y.event}, grid, scratch.as<void>());
        for (int sample = 0; sample < 4; ++sample) {
          const uint32_t candidate = Between(random, 0, grid.candidates - 1);
          const uint32_t e = Between(random, 0, grid.events - 1);
          const std::vector<float> input = x.Of(candidate, e);
          const std::vector<float> output = y.Of(candidate, e);
          ExpectDense(matrix, row.data(), activation.activation, GetParam(), input, output);
          const PanelGrid one = {1, kLaneGroup, 1};
          const ManyPanels alone_x(one, in, random);
          const ManyPanels alone_y(one, out, random);
          for (uint32_t c = 0; c < in; ++c) alone_x.At(0, 0)[size_t{c} * kLaneGroup] = input[c];
          const Aligned small = ScratchOf(matrix.get(), one);
          DensePanels(matrix.get(), row.data(), activation.activation,
                      {alone_x.numbers.as<float>(), 0, 0}, {alone_y.numbers.as<float>(), 0, 0}, one,
                      small.as<void>());
          ASSERT_EQ(alone_y.Of(0, 0), output);
        }
        ASSERT_FALSE(HasFailure());
      }
    }
  }
}

TEST_P(PanelKernelsTest, ComputedMatricesAreMultipliedAsStoredOnes) {
  for (uint64_t seed = 0; seed < kShapes; ++seed) {
    Engine random(seed);
    const uint32_t in = SomeWidth(random);
    const uint32_t out = SomeWidth(random);
    const OwnedMatrix matrix(schema::ElementType::Float32, in, out, false, random);
    std::vector<float> turned;
    for (uint32_t i = 0; i < in; ++i) {
      for (uint32_t j = 0; j < out; ++j) {
        turned.push_back(static_cast<const float*>(matrix.get().data)[size_t{j} * in + i]);
      }
    }
    const std::vector<float> row = SomeNumbers(random, out);
    const float* added = seed % 3 == 0 ? nullptr : row.data();
    const OwnedActivation activation(kActivations[seed % 6], out, random);
    const uint32_t stride = kLaneGroup * Between(random, 1, 3);
    const PanelGrid grid = {Between(random, 1, 5 * stride), stride, 1};
    const ManyPanels x(grid, in, random);
    const ManyPanels y(grid, out, random);
    ComputedDensePanels({turned.data(), in, out}, added, activation.activation,
                        {x.numbers.as<float>(), x.panel, 0}, {y.numbers.as<float>(), y.panel, 0},
                        grid);
    for (int sample = 0; sample < 6; ++sample) {
      const uint32_t candidate = Between(random, 0, grid.candidates - 1);
      ExpectDense(matrix, added, activation.activation, GetParam(), x.Of(candidate, 0),
                  y.Of(candidate, 0));
      // The bits do not depend on the panel.
      const PanelGrid one = {1, kLaneGroup, 1};
      const ManyPanels alone_x(one, in, random);
      const ManyPanels alone_y(one, out, random);
      const std::vector<float> input = x.Of(candidate, 0);
      for (uint32_t c = 0; c < in; ++c) alone_x.At(0, 0)[size_t{c} * kLaneGroup] = input[c];
      ComputedDensePanels({turned.data(), in, out}, added, activation.activation,
                          {alone_x.numbers.as<float>(), 0, 0}, {alone_y.numbers.as<float>(), 0, 0},
                          one);
      ASSERT_EQ(alone_y.Of(0, 0), y.Of(candidate, 0));
    }
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

// An event that reads the panels of candidates.
TEST_P(PanelKernelsTest, EveryEventMayReadOnePanel) {
  Engine random(5);
  const OwnedMatrix matrix(schema::ElementType::Int8PerRow, 20, 9, true, random);
  const PanelGrid grid = {20, kLaneGroup, 3};
  const ManyPanels x({20, kLaneGroup, 1}, 20, random);
  const ManyPanels y(grid, 9, random);
  const Aligned scratch = ScratchOf(matrix.get(), grid);
  DensePanels(matrix.get(), nullptr, kLinear, {x.numbers.as<float>(), x.panel, 0},
              {y.numbers.as<float>(), y.panel, y.event}, grid, scratch.as<void>());
  for (uint32_t candidate = 0; candidate < 20; ++candidate) {
    for (uint32_t e = 0; e < 3; ++e) {
      ExpectDense(matrix, nullptr, kLinear, GetParam(), x.Of(candidate, 0), y.Of(candidate, e));
    }
  }
}

// ---- numbers that are none ----

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Expects y to be NaN in lane `bad` and finite in the others.
void ExpectNanInOneLane(const float* y, uint32_t width, uint32_t bad) {
  for (uint32_t c = 0; c < width; ++c) {
    for (uint32_t lane = 0; lane < kLaneGroup; ++lane) {
      const float v = y[size_t{c} * kLaneGroup + lane];
      EXPECT_EQ(std::isnan(v), lane == bad) << v << ", feature " << c << ", lane " << lane;
      EXPECT_EQ(std::isfinite(v), lane != bad) << v << ", feature " << c << ", lane " << lane;
    }
  }
}

TEST_P(PanelKernelsTest, NanSurvivesActivations) {
  constexpr uint32_t kWidth = 3;
  Engine random(1);
  for (const ActivationKind kind : kActivations) {
    SCOPED_TRACE(static_cast<int>(kind));
    const OwnedActivation activation(kind, kWidth, random);
    for (const float nan : {kNan, -kNan}) {
      const Aligned y(kWidth * kLaneGroup * sizeof(float));
      for (uint32_t i = 0; i < kWidth * kLaneGroup; ++i) {
        y.as<float>()[i] = i % kLaneGroup == 5 ? nan : SomeNumber(random, 3);
      }
      ActivatePanel(activation.activation, kWidth, y.as<float>(), {kLaneGroup, kLaneGroup});
      ExpectNanInOneLane(y.as<float>(), kWidth, 5);
    }
  }
}

TEST_P(PanelKernelsTest, NanSurvivesASoftmax) {
  constexpr uint32_t kEvents = 4;
  Engine random(1);
  for (uint32_t event = 0; event < kEvents; ++event) {
    const Aligned x(kEvents * kLaneGroup * sizeof(float));
    for (uint32_t i = 0; i < kEvents * kLaneGroup; ++i) x.as<float>()[i] = SomeNumber(random, 3);
    x.as<float>()[event * kLaneGroup + 7] = kNan;
    SoftmaxPanel(x.as<float>(), kEvents, x.as<float>(), {kLaneGroup, kLaneGroup});
    ExpectNanInOneLane(x.as<float>(), kEvents, 7);
  }
}

TEST_P(PanelKernelsTest, WhatIsNotFiniteDoesNotBecomeANumberInALayer) {
  constexpr uint32_t kIn = 21;
  Engine random(1);
  for (const schema::ElementType type : testing::kStorages) {
    for (const uint32_t out : {1u, 40u}) {
      for (const ActivationKind kind : {ActivationKind::Linear, ActivationKind::Relu}) {
        for (const float bad : {kNan, kInfinity, -kInfinity}) {
          SCOPED_TRACE(::testing::Message() << "storage " << static_cast<int>(type) << ", " << bad);
          const OwnedMatrix matrix(type, kIn, out, false, random);
          const OwnedActivation activation(kind, out, random);
          const PanelGrid grid = {kLaneGroup, kLaneGroup, 1};
          const Aligned x(kIn * kLaneGroup * sizeof(float));
          for (uint32_t i = 0; i < kIn * kLaneGroup; ++i) x.as<float>()[i] = SomeNumber(random);
          const uint32_t feature = Between(random, 0, kIn - 1);
          x.as<float>()[feature * kLaneGroup + 3] = bad;
          // Infinity less infinity.
          x.as<float>()[(feature + 1) % kIn * kLaneGroup + 3] = kNan;
          const Aligned y(size_t{out} * kLaneGroup * sizeof(float));
          const Aligned scratch = ScratchOf(matrix.get(), grid);
          DensePanels(matrix.get(), nullptr, activation.activation, {x.as<float>(), 0, 0},
                      {y.as<float>(), 0, 0}, grid, scratch.as<void>());
          ExpectNanInOneLane(y.as<float>(), out, 3);
        }
      }
    }
  }
}

TEST_P(PanelKernelsTest, ActivationsAreWithinWhatTheyPromise) {
  for (uint64_t seed = 0; seed < kShapes; ++seed) {
    Engine random(seed);
    const uint32_t width = SomeWidth(random);
    for (const ActivationKind kind : kActivations) {
      const OwnedActivation activation(kind, width, random);
      PanelKernel kernel;
      kernel.name = "activation " + std::to_string(static_cast<int>(kind));
      kernel.output_width = width;
      kernel.in_place = true;
      kernel.run = [&](const std::vector<const float*>&, float* y, PanelShape shape) {
        ActivatePanel(activation.activation, width, y, shape);
      };
      kernel.judge = [&](const Columns&, const std::vector<float>& before,
                         const std::vector<float>& after) {
        for (uint32_t c = 0; c < width; ++c) {
          ExpectNear(after[c], Activated(activation.activation, c, {before[c], 0}), c);
        }
      };
      // Mostly where the functions bend, at times far out.
      ExpectPanelKernel(kernel, random,
                        [&] { return SomeNumber(random, random() % 8 == 0 ? 100.0f : 6.0f); });
      ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
  }
}

// y[0] = f(x) for all x, a panel at a time.
std::vector<float> Apply(ActivationKind kind, std::vector<float> x) {
  Activation activation = {};
  activation.kind = kind;
  const Aligned panel(kLaneGroup * sizeof(float));
  for (size_t i = 0; i < x.size(); i += kLaneGroup) {
    const size_t count = std::min<size_t>(kLaneGroup, x.size() - i);
    std::memcpy(panel.as<float>(), x.data() + i, count * sizeof(float));
    ActivatePanel(activation, 1, panel.as<float>(), {kLaneGroup, kLaneGroup});
    std::memcpy(x.data() + i, panel.as<float>(), count * sizeof(float));
  }
  return x;
}

std::vector<float> Grid(double from, double to, double step) {
  std::vector<float> grid;
  for (double x = from; x <= to; x += step) grid.push_back(static_cast<float>(x));
  return grid;
}

TEST_P(PanelKernelsTest, SigmoidIsWithinWhatItPromises) {
  const std::vector<float> x = Grid(-40, 40, 0.0003);
  const std::vector<float> y = Apply(ActivationKind::Sigmoid, x);
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(y[i], 1 / (1 + std::exp(-double{x[i]})), testing::kSigmoidError) << x[i];
    ASSERT_GE(y[i], 0) << x[i];
    ASSERT_LE(y[i], 1) << x[i];
  }
}

// Floats of every size: small ones, where the grid has none, and steps of a few units in the last
// place about where a function ends and where tables change segments.
TEST_P(PanelKernelsTest, SigmoidAndTanhAreWithinWhatTheyPromiseOfNumbersOfEverySize) {
  std::vector<float> x;
  const auto append = [&x](uint32_t bits) {
    float number;
    std::memcpy(&number, &bits, sizeof(number));
    x.push_back(number);
    x.push_back(-number);
  };
  for (uint32_t bits = 0; bits < 0x7F800000u; bits += 9973) append(bits);
  for (const float edge : {1.0f, 3.0f, 7.0f, 7.5f, 11.5f, 14.5f, 14.999999f, 15.0f}) {
    uint32_t bits;
    std::memcpy(&bits, &edge, sizeof(bits));
    for (uint32_t i = 0; i < 64; ++i) append(bits - 32 + i);
  }
  const std::vector<float> sigmoid = Apply(ActivationKind::Sigmoid, x);
  const std::vector<float> tanh = Apply(ActivationKind::Tanh, x);
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(sigmoid[i], 1 / (1 + std::exp(-double{x[i]})), testing::kSigmoidError) << x[i];
    ASSERT_GE(sigmoid[i], 0) << x[i];
    ASSERT_LE(sigmoid[i], 1) << x[i];
    ASSERT_NEAR(tanh[i], std::tanh(double{x[i]}), testing::kTanhError) << x[i];
    ASSERT_LE(std::abs(tanh[i]), 1) << x[i];
  }
}

TEST_P(PanelKernelsTest, TanhIsWithinWhatItPromises) {
  const std::vector<float> x = Grid(-20, 20, 0.00015);
  const std::vector<float> y = Apply(ActivationKind::Tanh, x);
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(y[i], std::tanh(double{x[i]}), testing::kTanhError) << x[i];
    ASSERT_LE(std::abs(y[i]), 1) << x[i];
  }
}

TEST_P(PanelKernelsTest, LogSigmoidIsWithinWhatItPromises) {
  const std::vector<float> x = Grid(-200, 87, 0.001);
  const std::vector<float> y = Apply(ActivationKind::LogSigmoid, x);
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact =
        std::min(double{x[i]}, 0.0) - std::log1p(std::exp(-std::abs(double{x[i]})));
    ASSERT_NEAR(y[i], exact, testing::kLogSigmoidError * std::abs(exact)) << x[i];
  }
}

TEST_P(PanelKernelsTest, LogSigmoidHoldsAtTheEndsOfTheNumbers) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> y =
      Apply(ActivationKind::LogSigmoid, {infinity, 3e38f, -3e38f, -infinity, nan});
  EXPECT_NEAR(y[0], 0, 1e-37);
  EXPECT_NEAR(y[1], 0, 1e-37);
  EXPECT_EQ(y[2], -3e38f);
  EXPECT_EQ(y[3], -infinity);
  EXPECT_TRUE(std::isnan(y[4]));
}

TEST_P(PanelKernelsTest, SigmoidAndTanhHoldAtZeroAndAtTheEndsOfTheNumbers) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {0.0f, -0.0f, 1e-40f, 3e38f, -3e38f, infinity, -infinity};
  const std::vector<float> sigmoid = Apply(ActivationKind::Sigmoid, x);
  const std::vector<float> tanh = Apply(ActivationKind::Tanh, x);
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(sigmoid[i], 1 / (1 + std::exp(-double{x[i]})), testing::kSigmoidError) << x[i];
    EXPECT_NEAR(tanh[i], std::tanh(double{x[i]}), testing::kTanhError) << x[i];
  }
}

TEST_P(PanelKernelsTest, TheExponentialOfASoftmaxIsWithin2e7OfTheExactOne) {
  // Of [0, x] the first is 1 / sum, and the second exp(x) times it, rounded once.
  const std::vector<float> grid = Grid(-87, 0, 0.0005);
  const Aligned panel(2 * kLaneGroup * sizeof(float));
  float* rows = panel.as<float>();
  for (size_t i = 0; i + kLaneGroup <= grid.size(); i += kLaneGroup) {
    std::fill_n(rows, kLaneGroup, 0.0f);
    std::memcpy(rows + kLaneGroup, grid.data() + i, kLaneGroup * sizeof(float));
    SoftmaxPanel(rows, 2, rows, {kLaneGroup, kLaneGroup});
    for (uint32_t lane = 0; lane < kLaneGroup; ++lane) {
      const double exact = std::exp(double{grid[i + lane]});
      ASSERT_NEAR(double{rows[kLaneGroup + lane]} / rows[lane], exact,
                  (testing::kExpError + kRounding) * exact)
          << grid[i + lane];
    }
  }
}

TEST_P(PanelKernelsTest, SoftmaxTakesEventsFarApart) {
  const Aligned panel(3 * kLaneGroup * sizeof(float));
  float* rows = panel.as<float>();
  std::fill_n(rows, kLaneGroup, -3e38f);
  std::fill_n(rows + kLaneGroup, kLaneGroup, 1000.0f);
  std::fill_n(rows + 2 * kLaneGroup, kLaneGroup, -1000.0f);
  SoftmaxPanel(rows, 3, rows, {kLaneGroup, kLaneGroup});
  for (uint32_t lane = 0; lane < kLaneGroup; ++lane) {
    EXPECT_NEAR(rows[lane], 0, 1e-37);
    EXPECT_EQ(rows[kLaneGroup + lane], 1);
    EXPECT_NEAR(rows[2 * kLaneGroup + lane], 0, 1e-37);
  }
}

TEST_P(PanelKernelsTest, SoftmaxIsThatOfItsEvents) {
  for (uint64_t seed = 0; seed < kShapes; ++seed) {
    for (const bool same_place : {false, true}) {
      Engine random(seed);
      const uint32_t events = seed == 0 ? 1 : SomeWidth(random);
      PanelKernel kernel;
      kernel.name = "softmax over " + std::to_string(events);
      if (!same_place) kernel.input_widths = {events};
      kernel.output_width = events;
      kernel.in_place = same_place;
      kernel.run = [&](const std::vector<const float*>& inputs, float* out, PanelShape shape) {
        SoftmaxPanel(same_place ? out : inputs[0], events, out, shape);
      };
      kernel.judge = [&](const Columns& inputs, const std::vector<float>& before,
                         const std::vector<float>& after) {
        const std::vector<float>& x = same_place ? before : inputs[0];
        const double most = *std::max_element(x.begin(), x.end());
        double total = 0;
        for (const double v : x) total += std::exp(v - most);
        for (uint32_t e = 0; e < events; ++e) {
          const double exact = std::exp(x[e] - most) / total;
          // v - most is rounded, too, and the sum of all.
          const double relative =
              2 * testing::kExpError + kRounding * (2 * std::abs(x[e] - most) + events + 8);
          ExpectNear(after[e], {exact, relative * exact}, e);
        }
      };
      ExpectPanelKernel(kernel, random, [&] { return SomeNumber(random, 8); });
      ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
  }
}

TEST_P(PanelKernelsTest, SoftmaxOfNoEventsTouchesNothing) {
  SoftmaxPanel(nullptr, 0, nullptr, {kLaneGroup, kLaneGroup});
}

// ---- int8 ----

// The input of a layer of int8 weights, which a unit matrix gives back.
TEST_P(PanelKernelsTest, ARoundedInputKeepsEveryNumberWithinHalfALevel) {
  const int bits = testing::InputBits(GetParam());
  for (uint64_t seed = 0; seed < kShapes; ++seed) {
    Engine random(seed);
    const uint32_t width = std::max(SomeWidth(random), testing::kLeastRoundedOutputs);
    std::vector<int8_t> unit(size_t{width} * width);
    for (uint32_t c = 0; c < width; ++c) unit[size_t{c} * width + c] = 1;
    const std::vector<float> ones(width, 1.0f);
    const std::vector<int32_t> sums(width, 1);
    const Matrix matrix = {schema::ElementType::Int8PerRow,
                           width,
                           width,
                           unit.data(),
                           ones.data(),
                           sums.data(),
                           nullptr};
    PanelKernel kernel;
    kernel.name = "round " + std::to_string(width);
    kernel.input_widths = {width};
    kernel.output_width = width;
    kernel.in_place = false;
    kernel.run = [&](const std::vector<const float*>& inputs, float* out, PanelShape shape) {
      const PanelGrid grid = {shape.lanes, shape.stride, 1};
      const Aligned scratch = ScratchOf(matrix, grid);
      DensePanels(matrix, nullptr, kLinear, {inputs[0], 0, 0}, {out, 0, 0}, grid,
                  scratch.as<void>());
    };
    kernel.judge = [&](const Columns& inputs, const std::vector<float>&,
                       const std::vector<float>& after) {
      const std::vector<float>& x = inputs[0];
      if (bits == 0) {
        ASSERT_EQ(after, x);
        return;
      }
      const double low = std::min(0.0f, *std::min_element(x.begin(), x.end()));
      const double high = std::max(0.0f, *std::max_element(x.begin(), x.end()));
      const double levels = bits == 8 ? 254 : testing::WordLevels(width);
      const double range = bits == 8 ? high - low : std::max(high, -low);
      const double scale = range > 0 ? range / levels : 1;
      const double error = 8 * kRounding * levels * scale;
      for (uint32_t c = 0; c < width; ++c) {
        const double level = std::nearbyint(after[c] / scale);
        ASSERT_NEAR(after[c], level * scale, error) << "not a level";
        ASSERT_NEAR(after[c], x[c], (0.5 + testing::LevelError(levels)) * scale + error);
        if (x[c] == 0) {
          ASSERT_EQ(after[c], 0);
        }
      }
    };
    // Of one sign at times, as behind a relu, or nothing but zeros.
    const int sign = static_cast<int>(seed % 4);
    ExpectPanelKernel(kernel, random, [&] {
      const float x = SomeNumber(random, 3);
      return sign == 0 ? x : sign == 1 ? std::max(x, 0.0f) : sign == 2 ? std::min(x, 0.0f) : 0.0f;
    });
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

// Sums of products of whole numbers that would overflow 16 or 31 bits: of both signs, and of
// neighbours that are all alike.
TEST_P(PanelKernelsTest, LayersOfTheLargestNumbersDoNotSaturate) {
  for (const int8_t weight : {int8_t{-128}, int8_t{127}}) {
    for (const uint32_t in : {67u, 5000u, 70000u}) {
      const std::vector<int8_t> weights(size_t{kLaneGroup} * in, weight);
      const std::vector<float> scales(kLaneGroup, 1);
      const std::vector<int32_t> sums(kLaneGroup, weight * static_cast<int32_t>(in));
      const Matrix matrix = {schema::ElementType::Int8PerRow,
                             in,
                             kLaneGroup,
                             weights.data(),
                             scales.data(),
                             sums.data(),
                             nullptr};
      const PanelGrid grid = {kLaneGroup, kLaneGroup, 1};
      const Aligned x(size_t{in} * kLaneGroup * sizeof(float));
      const auto input = [](size_t lane) { return lane % 2 == 0 ? 255.0f : -255.0f; };
      for (size_t i = 0; i < size_t{in} * kLaneGroup; ++i) x.as<float>()[i] = input(i % kLaneGroup);
      const Aligned y(kLaneGroup * kLaneGroup * sizeof(float));
      const Aligned scratch = ScratchOf(matrix, grid);
      DensePanels(matrix, nullptr, kLinear, {x.as<float>(), 0, 0}, {y.as<float>(), 0, 0}, grid,
                  scratch.as<void>());
      for (uint32_t lane = 0; lane < kLaneGroup; ++lane) {
        const double sum = double{input(lane)} * weight * in;
        // Of a few inputs the sum is a whole number that a float holds: only the scales are
        // rounded.
        const double error = in == 67 ? 1 : 1e-6 * std::abs(sum) * std::sqrt(in);
        EXPECT_NEAR(y.as<float>()[lane], sum, error) << "weight " << int{weight} << ", in " << in;
      }
    }
  }
}

#if HWY_ARCH_ARM_A64
// Whatever multiplies bytes, of every number of inputs that a block takes by itself, and behind it.
TEST(ByteProductsTest, SumsAreTheSameBits) {
  const std::vector<testing::InstructionSet> sets = testing::InstructionSets();
  ASSERT_EQ(sets.front().byte_products, ByteProducts::kLong);
  for (uint32_t in = 1; in <= 100; ++in) {
    Engine random(in);
    const OwnedMatrix matrix(schema::ElementType::Int8PerRow, in, 16 + in % 16, true, random);
    const PanelGrid grid = {2 * kLaneGroup, 2 * kLaneGroup, 1};
    const std::vector<float> x = SomeNumbers(random, size_t{in} * grid.stride);
    const Aligned panel(x.size() * sizeof(float));
    std::copy(x.begin(), x.end(), panel.as<float>());
    const size_t size = size_t{matrix.out} * grid.stride;
    std::vector<float> first;
    for (const testing::InstructionSet& set : sets) {
      const testing::InForce in_force(set);
      const Aligned y(size * sizeof(float));
      const Aligned scratch = ScratchOf(matrix.get(), grid);
      DensePanels(matrix.get(), nullptr, kLinear, {panel.as<float>(), 0, 0}, {y.as<float>(), 0, 0},
                  grid, scratch.as<void>());
      const std::vector<float> now(y.as<float>(), y.as<float>() + size);
      if (first.empty()) first = now;
      ASSERT_EQ(std::memcmp(now.data(), first.data(), size * sizeof(float)), 0)
          << set.Name() << ", " << in << " inputs";
    }
  }
}
#endif

// ---- element by element ----

enum class Elements { kCopy, kAdd, kMultiply, kBiInteraction };

float Expected(Elements op, float a, float b, float before) {
  switch (op) {
    case Elements::kCopy:
      return a;
    case Elements::kAdd:
      return before + a;
    case Elements::kMultiply:
      return a * b;
    case Elements::kBiInteraction:
      break;
  }
  const float square = a * a;
  return 0.5f * (square - b);
}

TEST_P(PanelKernelsTest, ElementsAreTakenOneByOneOrBroadcast) {
  for (uint64_t seed = 0; seed < kShapes; ++seed) {
    for (const Elements op :
         {Elements::kCopy, Elements::kAdd, Elements::kMultiply, Elements::kBiInteraction}) {
      Engine random(seed);
      const uint32_t width = SomeWidth(random);
      const bool broadcast_a = seed % 2 == 1;
      const bool broadcast_b = seed % 4 >= 2;
      const std::vector<float> row_a = SomeNumbers(random, width);
      const std::vector<float> row_b = SomeNumbers(random, width);
      PanelKernel kernel;
      kernel.name = "elements " + std::to_string(static_cast<int>(op));
      kernel.input_widths = {width, width};
      kernel.output_width = width;
      kernel.in_place = op == Elements::kAdd;
      kernel.run = [&](const std::vector<const float*>& inputs, float* out, PanelShape shape) {
        const PanelOperand a = {broadcast_a ? row_a.data() : inputs[0], broadcast_a};
        const PanelOperand b = {broadcast_b ? row_b.data() : inputs[1], broadcast_b};
        switch (op) {
          case Elements::kCopy:
            return CopyPanel(a, width, out, shape);
          case Elements::kAdd:
            return AddPanel(a, width, out, shape);
          case Elements::kMultiply:
            return MultiplyPanels(a, b, width, out, shape);
          case Elements::kBiInteraction:
            return BiInteractionPanel(a, b, width, out, shape);
        }
      };
      kernel.judge = [&](const Columns& inputs, const std::vector<float>& before,
                         const std::vector<float>& after) {
        for (uint32_t c = 0; c < width; ++c) {
          const float a = broadcast_a ? row_a[c] : inputs[0][c];
          const float b = broadcast_b ? row_b[c] : inputs[1][c];
          ASSERT_EQ(after[c], Expected(op, a, b, before[c])) << "feature " << c;
        }
      };
      ExpectPanelKernel(kernel, random, [&] { return SomeNumber(random); });
      ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
  }
}

TEST_P(PanelKernelsTest, ReductionsAreSumsOfProducts) {
  for (uint64_t seed = 0; seed < kShapes; ++seed) {
    for (const bool weighted : {false, true}) {
      Engine random(seed);
      // Groups of an inner product, vectors of a weighted sum.
      const uint32_t count = Between(random, 1, 9);
      const uint32_t size = Between(random, 1, 40);
      const uint32_t width = count * size;
      const uint32_t first_width = weighted ? count : width;
      const bool broadcast_a = seed % 2 == 1;
      const bool broadcast_b = seed % 4 >= 2;
      const std::vector<float> row_a = SomeNumbers(random, first_width);
      const std::vector<float> row_b = SomeNumbers(random, width);
      PanelKernel kernel;
      kernel.name = weighted ? "weighted sum" : "inner product";
      kernel.input_widths = {first_width, width};
      kernel.output_width = weighted ? size : count;
      kernel.in_place = false;
      kernel.run = [&](const std::vector<const float*>& inputs, float* out, PanelShape shape) {
        const PanelOperand a = {broadcast_a ? row_a.data() : inputs[0], broadcast_a};
        const PanelOperand b = {broadcast_b ? row_b.data() : inputs[1], broadcast_b};
        if (weighted) return WeightedSumPanels(a, b, count, size, out, shape);
        InnerProductPanels(a, b, width, count, out, shape);
      };
      kernel.judge = [&](const Columns& inputs, const std::vector<float>&,
                         const std::vector<float>& after) {
        std::vector<double> sums(kernel.output_width, 0.0), sizes(kernel.output_width, 0.0);
        for (uint32_t c = 0; c < width; ++c) {
          const uint32_t i = weighted ? c / size : c;
          const double a = broadcast_a ? row_a[i] : inputs[0][i];
          const double b = broadcast_b ? row_b[c] : inputs[1][c];
          sums[weighted ? c % size : c / size] += a * b;
          sizes[weighted ? c % size : c / size] += std::abs(a * b);
        }
        for (uint32_t o = 0; o < kernel.output_width; ++o) {
          ASSERT_NEAR(after[o], sums[o], 1e-6 * sizes[o]) << "output " << o;
        }
      };
      ExpectPanelKernel(kernel, random, [&] { return SomeNumber(random); });
      ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
  }
}

TEST_P(PanelKernelsTest, OneEmbeddingInteractsWithNothing) {
  Engine random(1);
  const std::vector<float> numbers = SomeNumbers(random, kLaneGroup);
  const Aligned sum(kLaneGroup * sizeof(float));
  const Aligned squares(kLaneGroup * sizeof(float));
  const Aligned out(kLaneGroup * sizeof(float));
  for (uint32_t lane = 0; lane < kLaneGroup; ++lane) {
    sum.as<float>()[lane] = numbers[lane];
    squares.as<float>()[lane] = numbers[lane] * numbers[lane];
  }
  BiInteractionPanel({sum.as<float>(), false}, {squares.as<float>(), false}, 1, out.as<float>(),
                     {kLaneGroup, kLaneGroup});
  for (uint32_t lane = 0; lane < kLaneGroup; ++lane) EXPECT_EQ(out.as<float>()[lane], 0);
}

TEST_P(PanelKernelsTest, WeightedRowsAreAddedInTheOrderOfTheEvents) {
  for (uint64_t seed = 0; seed < kShapes; ++seed) {
    Engine random(seed);
    const uint32_t events = seed == 0 ? 0 : seed == 1 ? 1 : Between(random, 2, 60);
    const uint32_t width = SomeWidth(random);
    const size_t stride = width + random() % 5;
    std::vector<float> values = SomeNumbers(random, stride * events);
    if (events > 0) values.resize(stride * (events - 1) + width);  // Nothing behind the last row.
    PanelKernel kernel;
    kernel.name = "weighted rows " + std::to_string(events) + " times " + std::to_string(width);
    kernel.input_widths = {events};
    kernel.output_width = width;
    kernel.in_place = true;
    kernel.run = [&](const std::vector<const float*>& inputs, float* out, PanelShape shape) {
      AddWeightedRows(inputs[0], values.data(), stride, events, width, out, shape);
    };
    kernel.judge = [&](const Columns& inputs, const std::vector<float>& before,
                       const std::vector<float>& after) {
      for (uint32_t c = 0; c < width; ++c) {
        std::vector<Approx> column(events);
        for (uint32_t e = 0; e < events; ++e) column[e].value = values[e * stride + c];
        ExpectNear(after[c], Dot(column, Exactly(inputs[0]), {before[c], 0}), c);
      }
    };
    ExpectPanelKernel(kernel, random, [&] { return SomeNumber(random); });
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

// The weights of the events are split at the end of a ring: two calls give the bits of one.
TEST_P(PanelKernelsTest, WeightedRowsInTwoPartsHaveTheBitsOfOne) {
  Engine random(7);
  constexpr uint32_t kEvents = 9;
  constexpr uint32_t kWidth = 21;
  constexpr PanelShape kShape = {kMaxPanelLanes, kMaxPanelLanes};
  const std::vector<float> values = SomeNumbers(random, kEvents * kWidth);
  const Aligned weights(kEvents * kMaxPanelLanes * sizeof(float));
  for (uint32_t i = 0; i < kEvents * kMaxPanelLanes; ++i) {
    weights.as<float>()[i] = SomeNumber(random);
  }
  std::vector<Aligned> results;
  for (const uint32_t first : {kEvents, 0u, 1u, 4u, 8u}) {
    results.emplace_back(kWidth * kMaxPanelLanes * sizeof(float));
    float* out = results.back().as<float>();
    AddWeightedRows(weights.as<float>(), values.data(), kWidth, first, kWidth, out, kShape);
    AddWeightedRows(weights.as<float>() + size_t{first} * kMaxPanelLanes,
                    values.data() + size_t{first} * kWidth, kWidth, kEvents - first, kWidth, out,
                    kShape);
    EXPECT_EQ(std::memcmp(out, results[0].as<float>(), kWidth * kMaxPanelLanes * sizeof(float)), 0)
        << "split at " << first;
  }
}

// ---- from tables to panels ----

TEST_P(PanelKernelsTest, RowsAreTurnedIntoPanels) {
  for (uint64_t seed = 0; seed < 20 * kShapes; ++seed) {
    Engine random(seed);
    const uint32_t width = SomeWidth(random);
    const uint32_t stride = kLaneGroup * Between(random, 1, 3);
    const uint32_t lanes = kLaneGroup * Between(random, 1, stride / kLaneGroup);
    const uint32_t count = seed % 10 == 0 ? 0 : Between(random, 1, lanes);
    const size_t row_stride = width + random() % 4;
    const bool add = seed % 2 == 1;
    std::vector<float> rows = SomeNumbers(random, row_stride * count);
    if (count > 0) rows.resize(row_stride * (count - 1) + width);  // Nothing behind the last row.
    const std::vector<float> before = SomeNumbers(random, size_t{width} * stride);
    const Aligned out(before.size() * sizeof(float));
    std::copy(before.begin(), before.end(), out.as<float>());
    TransposeIntoPanel(rows.data(), row_stride, count, width, add, out.as<float>(),
                       {stride, lanes});
    for (uint32_t c = 0; c < width; ++c) {
      for (uint32_t lane = 0; lane < stride; ++lane) {
        const size_t at = size_t{c} * stride + lane;
        const float row = lane < count ? rows[lane * row_stride + c] : 0;
        const float expected = lane >= lanes ? before[at] : add ? row + before[at] : row;
        ASSERT_EQ(out.as<float>()[at], expected)
            << "seed " << seed << ", feature " << c << ", lane " << lane << " of " << count;
      }
    }
  }
}

class PanelShapeTest : public testing::TargetTest {};

TEST_P(PanelShapeTest, APanelComputesWholeGroupsOfLanesOfTheCandidatesThatAreLeft) {
  // Half a lane group where neither a vector nor what functions take together is more.
  const uint32_t group = ShapeOfPanel(kLaneGroup + 1, 0, kMaxPanelLanes).lanes - kLaneGroup;
  const std::string set = GetParam().Name();
  if (set == "AVX2" || set == "SSE4") {
    ASSERT_EQ(group, kLaneGroup / 2);
  } else {
    ASSERT_TRUE(group == kLaneGroup || group == kLaneGroup / 2) << group;
  }
  for (uint32_t stride = kLaneGroup; stride <= kMaxPanelLanes; stride += kLaneGroup) {
    for (uint32_t candidates = 1; candidates <= 300; ++candidates) {
      uint32_t covered = 0;
      for (uint32_t panel = 0; panel * stride < candidates; ++panel) {
        const PanelShape shape = ShapeOfPanel(candidates, panel, stride);
        ASSERT_EQ(shape.stride, stride);
        ASSERT_EQ(shape.lanes % group, 0u);
        ASSERT_GE(shape.lanes, kLaneGroup);
        ASSERT_LE(shape.lanes, stride);
        covered += shape.lanes;
      }
      ASSERT_GE(covered, candidates);
      ASSERT_LT(covered, candidates + kLaneGroup);
    }
  }
}
HANDPICK_FOR_EVERY_TARGET(PanelShapeTest);

}  // namespace
}  // namespace handpick
