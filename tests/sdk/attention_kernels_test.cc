// The activation unit and the recurrences with attention against plain loops in double, over random
// shapes, once for each instruction set.
#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sdk/kernels/attention_recurrence.h"
#include "sdk/kernels/attention_unit.h"
#include "tests/sdk/approximate.h"
#include "tests/sdk/panel_testing.h"

namespace handpick {
namespace {

using schema::ActivationKind;
using schema::RecurrentCell;
using testing::Activated;
using testing::Aligned;
using testing::Approx;
using testing::Between;
using testing::Dot;
using testing::Engine;
using testing::Exactly;
using testing::kActivations;
using testing::kRounding;
using testing::OwnedActivation;
using testing::OwnedInt8;
using testing::SameBits;
using testing::SomeNumber;
using testing::SomeNumbers;
using testing::SomeWidth;

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

class AttentionKernelsTest : public testing::TargetTest {};
HANDPICK_FOR_EVERY_TARGET(AttentionKernelsTest);

// Positions of a ring from the oldest event on.
std::vector<uint32_t> Positions(const EventRing& ring) {
  std::vector<uint32_t> positions(ring.count);
  for (uint32_t e = 0; e < ring.count; ++e) positions[e] = (ring.oldest + e) % ring.capacity;
  return positions;
}

EventRing SomeRing(Engine& random, uint32_t events, uint32_t most) {
  const uint32_t capacity = Between(random, std::max(events, 1u), most);
  return {Between(random, 0, capacity - 1), events, capacity};
}

// Rows of the ring's events; all else is no number.
std::vector<float> RingRows(Engine& random, const EventRing& ring, size_t stride, uint32_t width,
                            float scale) {
  std::vector<float> rows(stride * ring.capacity, kNone);
  for (const uint32_t position : Positions(ring)) {
    for (uint32_t c = 0; c < width; ++c) rows[position * stride + c] = SomeNumber(random, scale);
  }
  rows.resize(stride * (ring.capacity - 1) + width);  // Nothing behind the last row.
  return rows;
}

// An activation unit with weights of its own.
struct Unit {
  // `int8` bits: of the first matrix, then of each layer.
  Unit(Engine& random, uint32_t query_width, const std::vector<uint32_t>& widths, uint32_t int8,
       const std::vector<ActivationKind>& kinds) {
    weights.query_width = query_width;
    weights.first_width = widths[0];
    query_weights = SomeNumbers(random, size_t{widths[0]} * query_width, Scale(query_width));
    product_weights = SomeNumbers(random, size_t{widths[0]} * query_width, Scale(query_width));
    weights.query_weights = query_weights.data();
    weights.product_weights = product_weights.data();
    weights.fold_int8 = (int8 & 1) != 0;
    activations.emplace_back(kinds[0], widths[0], random);
    weights.first_activation = &activations.back().activation;
    uint32_t in = widths[0];
    for (size_t i = 1; i < widths.size(); ++i) {
      AttentionUnitLayer layer = {};
      layer.in = in;
      layer.out = widths[i];
      if ((int8 >> i & 1) != 0) {
        bytes.emplace_back(in, widths[i], random);
        layer.int8 = bytes.back().get();
        int8_of.push_back(&bytes.back());
      } else {
        floats.push_back(SomeNumbers(random, size_t{in} * widths[i], Scale(in)));
        layer.floats = floats.back().data();
        int8_of.push_back(nullptr);
      }
      if (random() % 4 != 0) {
        floats.push_back(SomeNumbers(random, widths[i]));
        layer.bias = floats.back().data();
      }
      activations.emplace_back(kinds[i], widths[i], random);
      layer.activation = &activations.back().activation;
      layers.push_back(layer);
      in = widths[i];
    }
    weights.layers = layers.data();
    weights.layer_count = static_cast<uint32_t>(layers.size());
  }

  static float Scale(uint32_t width) { return 2 / std::sqrt(static_cast<float>(width)); }

  // The score of one candidate and event, straight from the schema's description.
  Approx Score(const std::vector<float>& query, const float* key, const float* key_row) const {
    std::vector<Approx> q = Exactly(query);
    if (weights.fold_int8) q = testing::RoundedSymmetrically(q);
    std::vector<Approx> x(weights.first_width);
    for (uint32_t j = 0; j < weights.first_width; ++j) {
      std::vector<Approx> folded(weights.query_width);
      for (uint32_t k = 0; k < weights.query_width; ++k) {
        const double direct = query_weights[size_t{j} * weights.query_width + k];
        const double product =
            product_weights[size_t{j} * weights.query_width + k] * double{key[k]};
        folded[k] = {direct + product, 2 * kRounding * (std::abs(direct) + std::abs(product))};
      }
      if (weights.fold_int8) folded = testing::RoundedSymmetrically(folded);
      x[j] = Dot(folded, q, {key_row[j], 0});
    }
    const Activation* activation = weights.first_activation;
    const auto activate = [&] {
      for (size_t j = 0; j < x.size(); ++j) x[j] = Activated(*activation, j, x[j]);
    };
    for (size_t i = 0; i < layers.size(); ++i) {
      const AttentionUnitLayer& layer = layers[i];
      double largest = 0;
      if (int8_of[i] != nullptr && activation->kind == ActivationKind::Sigmoid) {
        for (Approx& v : x) {
          v = testing::RoundedToLevels(testing::SigmoidOf(v, testing::kCoarseSigmoidError), 254);
        }
        largest = 1;
      } else {
        activate();
        if (int8_of[i] != nullptr) x = testing::RoundedBetweenExtremes(x, &largest);
      }
      std::vector<Approx> y(layer.out);
      for (uint32_t j = 0; j < layer.out; ++j) {
        std::vector<Approx> row(layer.in);
        for (uint32_t k = 0; k < layer.in; ++k) {
          row[k].value =
              int8_of[i] != nullptr ? int8_of[i]->At(j, k) : layer.floats[size_t{j} * layer.in + k];
        }
        const double bias = layer.bias == nullptr ? 0 : layer.bias[j];
        y[j] = Dot(row, x, {bias, 0}, largest);
      }
      x = y;
      activation = layer.activation;
    }
    activate();
    return x[0];
  }

  std::vector<float> query_weights;
  std::vector<float> product_weights;
  std::deque<std::vector<float>> floats;
  std::deque<OwnedInt8> bytes;
  std::deque<OwnedActivation> activations;
  std::vector<const OwnedInt8*> int8_of;
  std::vector<AttentionUnitLayer> layers;
  AttentionUnitWeights weights = {};
};

struct UnitEvents {
  EventRing ring;
  size_t key_stride;
  size_t row_stride;
  std::vector<float> keys;
  std::vector<float> rows;
};

// Scores [candidate][event] of candidates in panels of `stride` lanes.
std::vector<std::vector<float>> RunUnit(const Unit& unit, const UnitEvents& events,
                                        const std::vector<std::vector<float>>& queries,
                                        uint32_t stride, Engine& random) {
  const auto candidates = static_cast<uint32_t>(queries.size());
  const uint32_t panels = (candidates + stride - 1) / stride;
  const uint32_t width = unit.weights.query_width;
  // Panels of more than the query, and scores for more events than there are.
  const size_t query_panel = size_t{width + Between(random, 0, 3)} * stride;
  const size_t score_panel = size_t{events.ring.capacity} * stride;
  const Aligned query(panels * query_panel * sizeof(float));
  std::fill_n(query.as<float>(), panels * query_panel, kNone);
  for (uint32_t i = 0; i < candidates; ++i) {
    for (uint32_t c = 0; c < width; ++c) {
      query.as<float>()[i / stride * query_panel + size_t{c} * stride + i % stride] = queries[i][c];
    }
  }
  const Aligned scores(panels * score_panel * sizeof(float));
  const Aligned scratch(AttentionUnitScratch(unit.weights, stride, panels));
  AttentionUnit(unit.weights,
                {query.as<float>(), query_panel, events.keys.data(), events.key_stride,
                 events.rows.data(), events.row_stride},
                events.ring, candidates, stride, scores.as<float>(), score_panel,
                scratch.as<void>());
  const Aligned untouched(sizeof(float));
  std::vector<std::vector<float>> result(candidates);
  for (uint32_t p = 0; p < panels; ++p) {
    const PanelShape shape = ShapeOfPanel(candidates, p, stride);
    for (uint32_t e = 0; e < events.ring.capacity; ++e) {
      const float* row = scores.as<float>() + p * score_panel + size_t{e} * stride;
      for (uint32_t lane = 0; lane < stride; ++lane) {
        if (lane >= shape.lanes || e >= events.ring.count) {
          EXPECT_TRUE(SameBits(row[lane], *untouched.as<float>()))
              << "wrote event " << e << ", lane " << lane << " of " << shape.lanes;
        } else if (p * stride + lane < candidates) {
          result[p * stride + lane].push_back(row[lane]);
        }
      }
    }
  }
  return result;
}

UnitEvents SomeEvents(Engine& random, const Unit& unit, uint32_t count) {
  UnitEvents events;
  events.ring = SomeRing(random, count, 12);
  events.key_stride = unit.weights.query_width + random() % 4;
  events.row_stride = unit.weights.first_width + random() % 4;
  events.keys = RingRows(random, events.ring, events.key_stride, unit.weights.query_width, 1.5f);
  events.rows = RingRows(random, events.ring, events.row_stride, unit.weights.first_width, 1);
  return events;
}

TEST_P(AttentionKernelsTest, AUnitScoresEveryCandidateBesideEveryEvent) {
  for (uint64_t seed = 0; seed < 36; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Engine random(seed);
    std::vector<uint32_t> widths = {SomeWidth(random)};
    for (uint32_t more = Between(random, 0, 2); more > 0; --more) {
      widths.push_back(Between(random, 1, 60));
    }
    widths.push_back(1);
    std::vector<ActivationKind> kinds;
    for (size_t i = 0; i < widths.size(); ++i) kinds.push_back(kActivations[(seed + i) % 6]);
    // Float, int8 everywhere, and any mixture.
    const uint32_t int8 = seed % 3 == 0 ? 0 : seed % 3 == 1 ? ~0u : static_cast<uint32_t>(random());
    const Unit unit(random, SomeWidth(random), widths, int8, kinds);
    const uint32_t count = seed % 8 == 0 ? 0 : seed % 8 == 1 ? 1 : Between(random, 2, 7);
    const UnitEvents events = SomeEvents(random, unit, count);
    std::vector<std::vector<float>> queries(Between(random, 1, 70));
    for (auto& query : queries) query = SomeNumbers(random, unit.weights.query_width, 1.5f);

    const auto expected = RunUnit(unit, events, queries, kMaxPanelLanes, random);
    const std::vector<uint32_t> positions = Positions(events.ring);
    // Judging each is slow: every candidate is equal to itself below.
    for (size_t i = 0; i < queries.size(); i += 9) {
      ASSERT_EQ(expected[i].size(), count);
      for (uint32_t e = 0; e < count; ++e) {
        const Approx score = unit.Score(queries[i], &events.keys[positions[e] * events.key_stride],
                                        &events.rows[positions[e] * events.row_stride]);
        ASSERT_LE(std::abs(expected[i][e] - score.value), score.error)
            << "candidate " << i << ", event " << e << ": " << expected[i][e] << ", expected "
            << score.value;
      }
    }
    for (const uint32_t stride : {16u, 32u, 48u}) {
      auto shuffled = queries;
      std::vector<size_t> order(queries.size());
      std::iota(order.begin(), order.end(), size_t{0});
      std::shuffle(order.begin(), order.end(), random);
      for (size_t i = 0; i < order.size(); ++i) shuffled[i] = queries[order[i]];
      const auto together = RunUnit(unit, events, shuffled, stride, random);
      for (size_t i = 0; i < order.size(); ++i) {
        ASSERT_EQ(together[i], expected[order[i]]) << "stride " << stride << ", candidate " << i;
      }
      const auto alone = RunUnit(unit, events, {queries.back()}, stride, random);
      ASSERT_EQ(alone[0], expected.back()) << "stride " << stride << ", alone";
    }
    ASSERT_FALSE(HasFailure());
  }
}

// A recurrence with weights of its own.
struct Recurrence {
  Recurrence(Engine& random, RecurrentCell cell, uint32_t width, bool int8, bool has_bias)
      : floats(SomeNumbers(random, size_t{3} * width * width,
                           2 / std::sqrt(static_cast<float>(width)))),
        bytes(width, 3 * width, random),
        bias(SomeNumbers(random, size_t{3} * width)),
        input_bias(SomeNumbers(random, size_t{3} * width)) {
    weights.cell = cell;
    weights.width = width;
    if (int8) {
      weights.int8 = bytes.get();
    } else {
      weights.floats = floats.data();
    }
    weights.bias = has_bias ? bias.data() : nullptr;
    weights.input_bias = cell == RecurrentCell::AttentionInputGru ? input_bias.data() : nullptr;
  }

  // One event, from a state that is known exactly.
  std::vector<Approx> Next(const std::vector<float>& state, const float* gates, float a) const {
    const uint32_t width = weights.width;
    const bool int8 = weights.floats == nullptr;
    std::vector<Approx> multiplied = Exactly(state);
    if (int8) {
      for (Approx& h : multiplied) h = testing::RoundedToLevels(h, 127);
    }
    const auto product = [&](uint32_t row, double start) {
      std::vector<Approx> w(width);
      for (uint32_t k = 0; k < width; ++k) {
        w[k].value = int8 ? bytes.At(row, k) : floats[size_t{row} * width + k];
      }
      return Dot(w, multiplied, {start, 2 * kRounding * std::abs(start)}, int8 ? 255.0 / 127 : 0);
    };
    const double sigmoid_error = int8 ? testing::kCoarseSigmoidError : testing::kSigmoidError;
    const bool scaled = weights.cell == RecurrentCell::AttentionInputGru;
    std::vector<Approx> next(width);
    for (uint32_t u = 0; u < width; ++u) {
      const auto side = [&](uint32_t gate) {
        const uint32_t i = gate * width + u;
        return scaled ? a * double{gates[i]} + input_bias[i] : double{gates[i]};
      };
      const auto own = [&](uint32_t gate) {
        return weights.bias == nullptr ? 0.0 : double{bias[gate * width + u]};
      };
      const auto gate = [&](uint32_t g) {
        Approx sum = product(g * width + u, own(g));
        sum.value += side(g);
        sum.error += 4 * kRounding * (std::abs(side(g)) + std::abs(sum.value) + std::abs(own(g)));
        return testing::SigmoidOf(sum, sigmoid_error);
      };
      const Approx r = gate(0);
      const Approx z = gate(1);
      const Approx n_product = product(2 * width + u, own(2));
      const Approx n = testing::TanhOf(
          {side(2) + r.value * n_product.value,
           r.error * (std::abs(n_product.value) + n_product.error) + n_product.error +
               4 * kRounding * (std::abs(side(2)) + std::abs(n_product.value))},
          2 * sigmoid_error);
      // Weight of the new part: of n.
      Approx part = {1 - z.value, z.error};
      if (weights.cell == RecurrentCell::AttentionGru) part = {a, 0};
      if (weights.cell == RecurrentCell::AttentionUpdateGru) {
        part = {a * z.value, a * z.error + kRounding};
      }
      const double h = state[u];
      next[u] = {(1 - part.value) * h + part.value * n.value,
                 part.error * (std::abs(h) + 1) + n.error + 4 * kRounding * (std::abs(h) + 1)};
    }
    return next;
  }

  std::vector<float> floats;
  OwnedInt8 bytes;
  std::vector<float> bias;
  std::vector<float> input_bias;
  AttentionRecurrenceWeights weights = {};
};

// States [candidate][unit] after the first `count` events of the ring.
std::vector<std::vector<float>> RunRecurrence(const Recurrence& recurrence,
                                              const std::vector<float>& gates, size_t gate_stride,
                                              EventRing ring, uint32_t count,
                                              const std::vector<std::vector<float>>& attention,
                                              PanelShape shape) {
  ring.count = count;
  const uint32_t width = recurrence.weights.width;
  const Aligned panel(size_t{std::max(count, 1u)} * shape.stride * sizeof(float));
  std::fill_n(panel.as<float>(), size_t{std::max(count, 1u)} * shape.stride, kNone);
  for (uint32_t lane = 0; lane < attention.size(); ++lane) {
    for (uint32_t e = 0; e < count; ++e) {
      panel.as<float>()[size_t{e} * shape.stride + lane] = attention[lane][e];
    }
  }
  const Aligned state(size_t{width} * shape.stride * sizeof(float));
  const Aligned scratch(AttentionRecurrenceScratch(recurrence.weights, shape.stride));
  AttentionRecurrence(recurrence.weights, gates.data(), gate_stride, ring, panel.as<float>(),
                      state.as<float>(), shape, scratch.as<void>());
  std::vector<std::vector<float>> result(attention.size(), std::vector<float>(width));
  for (uint32_t c = 0; c < width; ++c) {
    for (uint32_t lane = 0; lane < attention.size(); ++lane) {
      result[lane][c] = state.as<float>()[size_t{c} * shape.stride + lane];
    }
  }
  return result;
}

TEST_P(AttentionKernelsTest, ARecurrenceTakesOneStepAnEvent) {
  constexpr RecurrentCell kCells[] = {RecurrentCell::AttentionInputGru, RecurrentCell::AttentionGru,
                                      RecurrentCell::AttentionUpdateGru};
  for (uint64_t seed = 0; seed < 36; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Engine random(seed);
    const uint32_t width = SomeWidth(random);
    const bool int8 = seed / 3 % 2 == 1;
    const Recurrence recurrence(random, kCells[seed % 3], width, int8, seed % 4 != 0);
    const EventRing ring = SomeRing(random, seed % 9 == 0 ? 0 : Between(random, 1, 6), 9);
    const size_t gate_stride = size_t{3} * width + random() % 5;
    const std::vector<float> gates = RingRows(random, ring, gate_stride, 3 * width, 2);
    const std::vector<uint32_t> positions = Positions(ring);
    std::vector<std::vector<float>> attention(kMaxPanelLanes, std::vector<float>(ring.count));
    for (auto& of : attention) {
      for (float& a : of) a = (1 + SomeNumber(random)) / 2;
      if (!of.empty() && random() % 4 == 0) of[0] = random() % 2 == 0 ? 0.0f : 1.0f;
    }
    constexpr PanelShape kFull = {kMaxPanelLanes, kMaxPanelLanes};
    const auto run = [&](uint32_t count, PanelShape shape, const auto& of) {
      return RunRecurrence(recurrence, gates, gate_stride, ring, count, of, shape);
    };
    // Step by step: each from the state that the kernel itself was in.
    std::vector<std::vector<float>> states = run(0, kFull, attention);
    for (const auto& state : states) ASSERT_EQ(state, std::vector<float>(width, 0.0f));
    for (uint32_t e = 0; e < ring.count; ++e) {
      const auto next = run(e + 1, kFull, attention);
      for (size_t lane = 0; lane < attention.size(); lane += 7) {
        const auto expected =
            recurrence.Next(states[lane], &gates[positions[e] * gate_stride], attention[lane][e]);
        for (uint32_t u = 0; u < width; ++u) {
          ASSERT_LE(std::abs(next[lane][u] - expected[u].value), expected[u].error)
              << "event " << e << ", lane " << lane << ", unit " << u << ": " << next[lane][u]
              << ", expected " << expected[u].value;
          ASSERT_LE(std::abs(next[lane][u]), 1 + 2 * testing::kCoarseSigmoidError)
              << "a mean of numbers within 1";
        }
      }
      states = next;
    }
    std::vector<uint32_t> order(kMaxPanelLanes);
    std::iota(order.begin(), order.end(), 0u);
    for (const PanelShape shape : {PanelShape{16, 16}, PanelShape{32, 16}, PanelShape{32, 32},
                                   PanelShape{48, 16}, PanelShape{48, 32}, PanelShape{48, 48}}) {
      std::shuffle(order.begin(), order.end(), random);
      for (const uint32_t count : {shape.lanes, shape.lanes - 5, 1u}) {
        std::vector<std::vector<float>> some;
        for (uint32_t i = 0; i < count; ++i) some.push_back(attention[order[i]]);
        const auto results = run(ring.count, shape, some);
        for (uint32_t i = 0; i < count; ++i) {
          ASSERT_EQ(results[i], states[order[i]]) << "lane " << i << " of " << count << " in "
                                                  << shape.lanes << ", stride " << shape.stride;
        }
      }
    }
  }
}

TEST_P(AttentionKernelsTest, AttentionOfZeroKeepsTheStateAndOfOneTakesTheNew) {
  Engine random(3);
  const Recurrence recurrence(random, RecurrentCell::AttentionGru, 5, false, true);
  const EventRing ring = {0, 2, 2};
  const std::vector<float> gates = RingRows(random, ring, 15, 15, 2);
  const auto state = [&](uint32_t events, float first, float second) {
    return RunRecurrence(recurrence, gates, 15, ring, events, {{first, second}},
                         {kLaneGroup, kLaneGroup})[0];
  };
  EXPECT_EQ(state(2, 1, 0), state(1, 1, 0));
  EXPECT_EQ(state(1, 0, 0), std::vector<float>(5, 0.0f));
  EXPECT_NE(state(2, 1, 1), state(1, 1, 1));
}

}  // namespace
}  // namespace handpick
