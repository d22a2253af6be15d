// The activation unit and the recurrences with attention against plain loops in double, over random
// shapes, once for each instruction set.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sdk/kernels/attention_recurrence.h"
#include "sdk/kernels/attention_unit.h"
#include "tests/sdk/approximate.h"
#include "tests/sdk/panel_testing.h"
#include "tests/support/made_up_cases.h"

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
using testing::OwnedMatrix;
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

// Of a sigmoid that becomes as many bits as an input of `bits` has there (0: none).
double SigmoidErrorOf(const testing::InstructionSet& set, int bits) {
  if (bits == 0) return testing::kSigmoidError;
  if (testing::TakesSevenBits(set)) return testing::kRoughSigmoidError;
  return bits == 8 ? testing::kCoarseSigmoidError : testing::kSigmoidError;
}

// A storage of each kind in turn.
schema::ElementType SomeStorage(Engine& random) { return testing::kStorages[random() % 3]; }

// An activation unit with weights of its own.
struct Unit {
  Unit(Engine& random, uint32_t query_width, const std::vector<uint32_t>& widths, bool fold_int8,
       const std::vector<ActivationKind>& kinds)
      : query(SomeStorage(random), query_width, widths[0], false, random),
        product(SomeStorage(random), query_width, widths[0], false, random) {
    weights.query = query.get();
    weights.product = product.get();
    weights.fold_int8 = fold_int8;
    activations.emplace_back(kinds[0], widths[0], random);
    weights.first_activation = &activations.back().activation;
    uint32_t in = widths[0];
    for (size_t i = 1; i < widths.size(); ++i) {
      matrices.emplace_back(SomeStorage(random), in, widths[i], random() % 4 != 0, random);
      activations.emplace_back(kinds[i], widths[i], random);
      layers.push_back({matrices.back().get(), &activations.back().activation});
      in = widths[i];
    }
    weights.layers = layers.data();
    weights.layer_count = static_cast<uint32_t>(layers.size());
  }

  // The score of one candidate and event, straight from the schema's description and what the
  // instruction set rounds.
  Approx Score(const std::vector<float>& of_query, const float* key, const float* key_row,
               const testing::InstructionSet& set) const {
    const int bits = testing::InputBits(set);
    const bool seven_bits = testing::TakesSevenBits(set);
    const bool fold_int8 = weights.fold_int8 && (seven_bits || bits == 8);
    std::vector<Approx> q = Exactly(of_query);
    if (fold_int8) q = testing::RoundedSymmetrically(q, seven_bits ? 63 : 127);
    std::vector<Approx> x(query.out);
    for (uint32_t j = 0; j < query.out; ++j) {
      const std::vector<Approx> direct = query.Row(j);
      const std::vector<Approx> scaled = product.Row(j);
      std::vector<Approx> folded(query.in);
      for (uint32_t k = 0; k < query.in; ++k) {
        const double part = scaled[k].value * double{key[k]};
        folded[k] = {direct[k].value + part,
                     3 * kRounding * (std::abs(direct[k].value) + std::abs(part))};
      }
      if (fold_int8) {
        folded = seven_bits ? testing::RoundedToSevenBitRow(folded)
                            : testing::RoundedSymmetrically(folded);
      }
      x[j] = Dot(folded, q, {key_row[j], 0});
    }
    const Activation* activation = weights.first_activation;
    const auto activate = [&] {
      for (size_t j = 0; j < x.size(); ++j) x[j] = Activated(*activation, j, x[j]);
    };
    for (size_t i = 0; i < layers.size(); ++i) {
      const OwnedMatrix& matrix = matrices[i];
      const int input_bits = matrix.InputBitsOn(set);
      double largest = 0;
      const bool sigmoid = input_bits != 0 && activation->kind == ActivationKind::Sigmoid;
      const bool fitted = sigmoid && seven_bits;
      if (sigmoid) {
        const double levels = seven_bits        ? 126
                              : input_bits == 8 ? 254
                                                : testing::WordLevels(matrix.in);
        for (Approx& v : x) {
          v = testing::SigmoidOf(v, SigmoidErrorOf(set, input_bits));
          v = testing::RoundedToLevels(v, levels);
        }
        largest = 1;
      } else {
        activate();
        x = testing::RoundedInput(x, input_bits, &largest);
      }
      std::vector<Approx> y(matrix.out);
      for (uint32_t j = 0; j < matrix.out; ++j) {
        const double bias = matrix.bias.empty() ? 0 : matrix.bias[j];
        y[j] = Dot(fitted ? matrix.SevenBitRow(j) : matrix.Row(j), x, {bias, 0}, largest);
      }
      x = y;
      activation = layers[i].activation;
    }
    activate();
    return x[0];
  }

  OwnedMatrix query;
  OwnedMatrix product;
  std::deque<OwnedMatrix> matrices;
  std::deque<OwnedActivation> activations;
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
  const uint32_t width = unit.query.in;
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
  AttentionUnitInput input = {
      query.as<float>(), query_panel, events.keys.data(), events.key_stride, events.rows.data(),
      events.row_stride, nullptr};
  AttentionUnit(unit.weights, input, events.ring, candidates, stride, scores.as<float>(),
                score_panel, scratch.as<void>());
  // Matrices that are kept, of the oldest events from an earlier call, give the same bits.
  const Aligned folds(events.ring.capacity * AttentionFoldBytes(unit.weights));
  const Aligned again(panels * score_panel * sizeof(float));
  EventRing oldest = events.ring;
  oldest.count = Between(random, 0, events.ring.count);
  const EventRing newest = {(oldest.oldest + oldest.count) % oldest.capacity,
                            events.ring.count - oldest.count, oldest.capacity};
  for (const EventRing& ring : {oldest, newest}) {
    FoldAttentionEvents(unit.weights, input.key, input.key_stride, ring, folds.as<char>(),
                        scratch.as<void>());
  }
  input.key = nullptr;
  input.folds = folds.as<char>();
  AttentionUnit(unit.weights, input, events.ring, candidates, stride, again.as<float>(),
                score_panel, scratch.as<void>());
  EXPECT_EQ(0,
            std::memcmp(scores.as<void>(), again.as<void>(), panels * score_panel * sizeof(float)));
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
  events.key_stride = unit.query.in + random() % 4;
  events.row_stride = unit.query.out + random() % 4;
  events.keys = RingRows(random, events.ring, events.key_stride, unit.query.in, 1.5f);
  events.rows = RingRows(random, events.ring, events.row_stride, unit.query.out, 1);
  return events;
}

// Judging each is slow: every ninth candidate. `scores`: [candidate][event].
void ExpectScores(const Unit& unit, const UnitEvents& events,
                  const std::vector<std::vector<float>>& queries,
                  const std::vector<std::vector<float>>& scores,
                  const testing::InstructionSet& set) {
  const std::vector<uint32_t> positions = Positions(events.ring);
  for (size_t i = 0; i < queries.size(); i += 9) {
    ASSERT_EQ(scores[i].size(), positions.size());
    for (size_t e = 0; e < positions.size(); ++e) {
      const Approx score = unit.Score(queries[i], &events.keys[positions[e] * events.key_stride],
                                      &events.rows[positions[e] * events.row_stride], set);
      ASSERT_LE(std::abs(scores[i][e] - score.value), score.error)
          << "candidate " << i << ", event " << e << ": " << scores[i][e] << ", expected "
          << score.value;
    }
  }
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
    const Unit unit(random, SomeWidth(random), widths, seed % 2 == 1, kinds);
    const uint32_t count = seed % 8 == 0 ? 0 : seed % 8 == 1 ? 1 : Between(random, 2, 7);
    const UnitEvents events = SomeEvents(random, unit, count);
    std::vector<std::vector<float>> queries(Between(random, 1, 70));
    for (auto& query : queries) query = SomeNumbers(random, unit.query.in, 1.5f);

    const auto expected = RunUnit(unit, events, queries, kMaxPanelLanes, random);
    ExpectScores(unit, events, queries, expected, GetParam());
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

// DIN's: two layers of sigmoids, which may be made of sums in registers, before one output.
TEST_P(AttentionKernelsTest, AUnitOfSigmoidsScoresEveryCandidateBesideEveryEvent) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Engine random(seed);
    const std::vector<uint32_t> widths = {4 * Between(random, 1, 20), Between(random, 16, 50), 1};
    const Unit unit(random, SomeWidth(random), widths, true,
                    {ActivationKind::Sigmoid, ActivationKind::Sigmoid, kActivations[seed % 6]});
    const UnitEvents events = SomeEvents(random, unit, 4);
    std::vector<std::vector<float>> queries(Between(random, 1, 70));
    for (auto& query : queries) query = SomeNumbers(random, unit.query.in, 1.5f);
    const auto scores = RunUnit(unit, events, queries, kMaxPanelLanes, random);
    ExpectScores(unit, events, queries, scores, GetParam());
    ASSERT_FALSE(HasFailure());
    // What is no number stays none: a candidate's, or an event's.
    queries[0][0] = kNone;
    UnitEvents changed = events;
    changed.rows[Positions(events.ring)[1] * events.row_stride] = kNone;
    const auto none = RunUnit(unit, changed, queries, kMaxPanelLanes, random);
    for (size_t i = 0; i < queries.size(); ++i) {
      for (uint32_t e = 0; e < 4; ++e) {
        const bool is_none = i == 0 || e == 1;
        ASSERT_EQ(std::isnan(none[i][e]), is_none) << "candidate " << i << ", event " << e;
        if (!is_none) {
          ASSERT_EQ(none[i][e], scores[i][e]);
        }
      }
    }
  }
}

// Few candidates go through in another order than many: events beside one another in a panel, and
// blocks of outputs, of which one more must not be summed otherwise.
TEST_P(AttentionKernelsTest, AScoreDoesNotDependOnTheNumberOfCandidates) {
  for (const uint32_t width : {1u, 16u, 17u, 18u, 33u, 40u}) {
    for (const bool int8 : {false, true}) {
      SCOPED_TRACE("width " + std::to_string(width) + (int8 ? ", int8" : ""));
      Engine random(width);
      const Unit unit(random, 24, {width, 19, 1}, int8,
                      {ActivationKind::Sigmoid, ActivationKind::Sigmoid, ActivationKind::Linear});
      const UnitEvents events = SomeEvents(random, unit, 8);
      std::vector<std::vector<float>> queries(150);
      for (auto& query : queries) query = SomeNumbers(random, unit.query.in, 1.5f);
      const auto all = RunUnit(unit, events, queries, kMaxPanelLanes, random);
      for (const size_t few : {1u, 16u, 17u, 32u, 33u, 48u, 49u, 96u, 97u}) {
        const std::vector<std::vector<float>> first(queries.begin(), queries.begin() + few);
        const auto some = RunUnit(unit, events, first, kMaxPanelLanes, random);
        for (size_t i = 0; i < few; ++i) ASSERT_EQ(some[i], all[i]) << few << ", candidate " << i;
      }
    }
  }
}

// A recurrence with weights of its own.
struct Recurrence {
  Recurrence(Engine& random, RecurrentCell cell, uint32_t width, schema::ElementType type,
             bool has_bias)
      : matrix(type, width, 3 * width, has_bias, random),
        input_bias(SomeNumbers(random, size_t{3} * width)) {
    weights.cell = cell;
    weights.matrix = matrix.get();
    weights.input_bias = schema::ScalesInput(cell) ? input_bias.data() : nullptr;
  }

  // One event, from a state that is known exactly.
  std::vector<Approx> Next(const std::vector<float>& state, const float* gates, float a,
                           const testing::InstructionSet& set) const {
    const uint32_t width = matrix.in;
    const int bits = matrix.InputBitsOn(set);
    const bool seven_bits = bits != 0 && testing::TakesSevenBits(set);
    const bool bytes = seven_bits || bits == 8;
    const auto rounded = [&](std::vector<Approx> row) {
      const double levels = seven_bits ? 63 : bits == 8 ? 127 : testing::WordLevels(width);
      for (Approx& h : row) h = bits == 0 ? h : testing::RoundedToLevels(h, levels);
      return row;
    };
    std::vector<Approx> multiplied = rounded(Exactly(state));
    const auto product = [&](uint32_t row, double start) {
      return Dot(seven_bits ? matrix.SevenBitRow(row) : matrix.Row(row), multiplied,
                 {start, 2 * kRounding * std::abs(start)}, bytes ? 255.0 / 127 : 0);
    };
    const double sigmoid_error = SigmoidErrorOf(set, bits);
    const bool scaled = schema::ScalesInput(weights.cell);
    const bool resets_first = schema::ResetsFirst(weights.cell);
    std::vector<Approx> next(width), reset(width), update(width);
    const auto side_of = [&](uint32_t gate, uint32_t u) {
      const uint32_t i = gate * width + u;
      return scaled ? a * double{gates[i]} + input_bias[i] : double{gates[i]};
    };
    const auto own_of = [&](uint32_t gate, uint32_t u) {
      return matrix.bias.empty() ? 0.0 : double{matrix.bias[gate * width + u]};
    };
    const auto gate_of = [&](uint32_t g, uint32_t u) {
      const double side = side_of(g, u), own = own_of(g, u);
      Approx sum = product(g * width + u, own);
      sum.value += side;
      sum.error += 4 * kRounding * (std::abs(side) + std::abs(sum.value) + std::abs(own));
      return testing::SigmoidOf(sum, sigmoid_error);
    };
    for (uint32_t u = 0; u < width; ++u) {
      reset[u] = gate_of(0, u);
      update[u] = gate_of(1, u);
    }
    if (resets_first) {
      std::vector<Approx> of_state(width);
      for (uint32_t u = 0; u < width; ++u) {
        const double h = std::abs(state[u]);
        of_state[u] = {reset[u].value * state[u], (reset[u].error + 2 * kRounding) * h};
      }
      multiplied = rounded(std::move(of_state));
      std::fill(reset.begin(), reset.end(), Approx{1, 0});
    }
    for (uint32_t u = 0; u < width; ++u) {
      const Approx r = reset[u];
      const Approx z = update[u];
      const double n_side = side_of(2, u);
      const Approx n_product = product(2 * width + u, own_of(2, u));
      const Approx n = testing::TanhOf(
          {n_side + r.value * n_product.value,
           r.error * (std::abs(n_product.value) + n_product.error) + n_product.error +
               4 * kRounding * (std::abs(n_side) + std::abs(n_product.value))},
          2 * sigmoid_error);
      // Weight of the new part: of n.
      Approx part = {1 - z.value, z.error};
      if (weights.cell == RecurrentCell::AttentionGru ||
          weights.cell == RecurrentCell::ResetFirstAttentionGru) {
        part = {a, 0};
      }
      if (weights.cell == RecurrentCell::ResetFirstAttentionKeepGru) {
        part = {1 - (1 - a) * z.value, std::abs(1 - a) * z.error + 4 * kRounding};
      }
      if (weights.cell == RecurrentCell::AttentionUpdateGru) {
        part = {a * z.value, a * z.error + kRounding};
      }
      const double h = state[u];
      next[u] = {(1 - part.value) * h + part.value * n.value,
                 part.error * (std::abs(h) + 1) + n.error + 4 * kRounding * (std::abs(h) + 1)};
    }
    return next;
  }

  OwnedMatrix matrix;
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
  const uint32_t width = recurrence.matrix.in;
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
  constexpr RecurrentCell kCells[] = {
      RecurrentCell::AttentionInputGru,      RecurrentCell::AttentionGru,
      RecurrentCell::AttentionUpdateGru,     RecurrentCell::ResetFirstAttentionInputGru,
      RecurrentCell::ResetFirstAttentionGru, RecurrentCell::ResetFirstAttentionKeepGru};
  for (uint64_t seed = 0; seed < testing::SomeOf(72); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Engine random(seed);
    const uint32_t width = SomeWidth(random);
    const Recurrence recurrence(random, kCells[seed % 6], width, testing::kStorages[seed / 6 % 3],
                                seed % 4 != 0);
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
        const auto expected = recurrence.Next(states[lane], &gates[positions[e] * gate_stride],
                                              attention[lane][e], GetParam());
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

// Sums of 16 bits hold them only because rows of weights are scaled for it.
TEST_P(AttentionKernelsTest, SumsOfTheLargestWeightsAndInputsDoNotOverflow) {
  const auto sign = [](uint32_t row, uint32_t k) {
    return row % 3 == 0 ? 1 : row % 3 == 1 || k % 4 < 2 ? -1 : 1;
  };
  int units = 0;
  for (uint64_t seed = 0; seed < 200 && units < 3; ++seed) {
    Engine random(seed);
    Unit unit(random, 48 + 5, {40, 32, 1}, true,
              {ActivationKind::Sigmoid, ActivationKind::Sigmoid, ActivationKind::Linear});
    OwnedMatrix& layer = unit.matrices[0];
    if (unit.query.type != schema::ElementType::Float32 ||
        unit.product.type != schema::ElementType::Float32 ||
        layer.type != schema::ElementType::Int8PerRow) {
      continue;
    }
    ++units;
    for (OwnedMatrix* folded : {&unit.query, &unit.product}) {
      for (uint32_t j = 0; j < folded->out; ++j) {
        for (uint32_t k = 0; k < folded->in; ++k) {
          folded->floats[1 + j * folded->in + k] = static_cast<float>(sign(j, k));
        }
      }
    }
    for (uint32_t j = 0; j < layer.out; ++j) {
      layer.sums[j] = 0;
      for (uint32_t k = 0; k < layer.in; ++k) {
        const int weight = 127 * sign(j, k);
        layer.bytes[1 + j * layer.in + k] = static_cast<int8_t>(weight);
        layer.sums[j] += weight;
      }
    }
    UnitEvents events = SomeEvents(random, unit, 1);
    const uint32_t position = Positions(events.ring)[0];
    float* key = &events.keys[position * events.key_stride];
    std::fill_n(key, unit.query.in, 1.0f);
    float* key_row = &events.rows[position * events.row_stride];
    for (const float row : {0.0f, 300.0f}) {
      std::fill_n(key_row, unit.query.out, row);
      for (const float size : {1.0f, -1.0f}) {
        const std::vector<float> query(unit.query.in, size);
        const float score = RunUnit(unit, events, {query}, kLaneGroup, random)[0][0];
        const Approx expected = unit.Score(query, key, key_row, GetParam());
        ASSERT_LE(std::abs(score - expected.value), expected.error)
            << score << ", expected " << expected.value << "; seed " << seed;
      }
    }
  }
  ASSERT_EQ(units, 3);
}

TEST_P(AttentionKernelsTest, AttentionOfZeroKeepsTheStateAndOfOneTakesTheNew) {
  Engine random(3);
  const Recurrence recurrence(random, RecurrentCell::AttentionGru, 5, schema::ElementType::Float32,
                              true);
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

TEST_P(AttentionKernelsTest, NanSurvivesAUnitOfEveryKind) {
  Engine random(4);
  for (int kind = 0; kind < 24; ++kind) {
    SCOPED_TRACE(kind);
    const ActivationKind activation = kActivations[kind % 6];
    const Unit unit(random, 20, {12, 9, 1}, kind % 2 == 1,
                    {activation, activation, ActivationKind::Linear});
    const UnitEvents events = SomeEvents(random, unit, 2);
    std::vector<std::vector<float>> queries(3, SomeNumbers(random, unit.query.in));
    queries[1][kind % 20] = kNone;
    const auto scores = RunUnit(unit, events, queries, kLaneGroup, random);
    for (uint32_t e = 0; e < 2; ++e) {
      EXPECT_TRUE(std::isfinite(scores[0][e]));
      EXPECT_TRUE(std::isnan(scores[1][e])) << scores[1][e];
      EXPECT_TRUE(std::isfinite(scores[2][e]));
    }
  }
}

TEST_P(AttentionKernelsTest, NanSurvivesARecurrence) {
  Engine random(4);
  for (const schema::ElementType type : testing::kStorages) {
    for (const RecurrentCell cell : {RecurrentCell::AttentionInputGru, RecurrentCell::AttentionGru,
                                     RecurrentCell::AttentionUpdateGru}) {
      const Recurrence recurrence(random, cell, 10, type, true);
      const EventRing ring = {0, 3, 3};
      const std::vector<float> gates = RingRows(random, ring, 30, 30, 1);
      const auto states =
          RunRecurrence(recurrence, gates, 30, ring, 3, {{0.3f, 0.3f, 0.4f}, {0.3f, kNone, 0.4f}},
                        {kLaneGroup, kLaneGroup});
      for (uint32_t u = 0; u < 10; ++u) {
        EXPECT_TRUE(std::isfinite(states[0][u]));
        EXPECT_TRUE(std::isnan(states[1][u])) << states[1][u];
      }
    }
  }
}

}  // namespace
}  // namespace handpick
