// The work of a bundle's steps against that of its graph, and times predicted from it.
#include "converter/bench/step_work.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "converter/bench/predict.h"
#include "converter/emit/emit.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/io/files.h"
#include "converter/pipeline.h"
#include "sdk/session/step_weights.h"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

std::string MakeBundle(const RandomModel& model, schema::Precision precision) {
  auto conversion = Convert(model.spec, model.weights, {precision, 0, "test"});
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  auto bytes = Serialize(conversion->bundle);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return *bytes;
}

void ExpectWork(const Amount& amount, const Work& work) {
  EXPECT_EQ(amount.all_multiply_accumulates(), static_cast<double>(work.multiply_accumulates));
  EXPECT_EQ(amount.rows_gathered, static_cast<double>(work.rows_gathered));
}

using KindAndSeed = std::tuple<const char*, uint64_t>;

class StepWorkTest : public ::testing::TestWithParam<KindAndSeed> {};

TEST_P(StepWorkTest, StepsDoTheWorkOfTheGraph) {
  const auto [kind, seed] = GetParam();
  const bool int8 = seed % 2 == 1;
  const std::string bytes = MakeBundle(MakeRandomModel(seed, kind),
                                       int8 ? schema::Precision::Int8 : schema::Precision::Float32);
  const AlignedBytes aligned(bytes);
  const auto graph = DecodeBundle(aligned.view());
  ASSERT_TRUE(graph.ok()) << graph.status();
  const Cost cost = CountWork(*graph);
  Amount context, event, candidate, pair;
  for (const StepWork& step : WorkOfSteps(*schema::GetBundle(aligned.data()))) {
    EXPECT_NE(step.kind, schema::OperatorKind::Unknown);
    if (!int8) {
      EXPECT_EQ(step.With(1).int8_multiply_accumulates, 0);
    }
    switch (step.runs_per) {
      case RunsPer::kContext:
        context += step.once;
        EXPECT_EQ(step.per_event.all_multiply_accumulates(), 0);
        break;
      case RunsPer::kEvent:
        event += step.once;
        EXPECT_EQ(step.per_event.all_multiply_accumulates(), 0);
        break;
      case RunsPer::kCandidate:
        candidate += step.once;
        pair += step.per_event;
        break;
    }
  }
  ExpectWork(context, cost.context);
  ExpectWork(event, cost.event);
  ExpectWork(candidate, cost.candidate);
  ExpectWork(pair, cost.pair);
}

INSTANTIATE_TEST_SUITE_P(Seeds, StepWorkTest,
                         ::testing::Combine(::testing::ValuesIn(EveryKind()),
                                            ::testing::Range(uint64_t{0}, uint64_t{10})));

MachinePeak Machine() {
  MachinePeak machine;
  machine.f32_gflops = 100;
  machine.int8_gops = 300;
  machine.read_gigabytes = 10;
  machine.random_rows = 1e8;
  return machine;
}

bool IsUnit(const StepWork& step) { return step.kind == schema::OperatorKind::AttentionUnit; }

class PredictTest : public ::testing::TestWithParam<const char*> {
 protected:
  PredictTest()
      : bytes_(MakeBundle(AttentionWorkload(GetParam()), schema::Precision::Float32)),
        steps_(WorkOfSteps(*schema::GetBundle(bytes_.data()))) {}

  AlignedBytes bytes_;
  std::vector<StepWork> steps_;
};

TEST_P(PredictTest, ScoringIsLinearInTheNumberOfCandidatesAndInTheHistory) {
  const auto score = [&](double candidates, double events) {
    return Predict(steps_, 6, CostsOf(Machine()), events, 8).Score(candidates);
  };
  EXPECT_GT(score(320, 50) - score(160, 50), 0);
  EXPECT_NEAR(score(480, 50) - score(320, 50), score(320, 50) - score(160, 50),
              1e-9 * score(480, 50));
  EXPECT_EQ(score(177, 50), score(184, 50)) << "lanes go through in groups, tiles as a whole";
  EXPECT_GT(score(100, 20) - score(100, 10), 0);
  EXPECT_NEAR(score(100, 30) - score(100, 20), score(100, 20) - score(100, 10),
              1e-9 * score(100, 30));
}

TEST_P(PredictTest, LanesGoThroughInGroupsOfTheInstructionSet) {
  for (const auto& [set, group] : {std::pair("AVX2", 8), {"SSE4", 8}, {"AVX3_DL", 16}}) {
    MachinePeak machine = Machine();
    machine.instruction_set = set;
    const Prediction prediction = Predict(steps_, 6, CostsOf(machine), 50, 96);
    const auto score = [&](int candidates) { return prediction.Score(candidates); };
    EXPECT_EQ(score(1), score(16)) << set;
    EXPECT_GT(score(17), score(16)) << set;
    EXPECT_EQ(score(17), score(16 + group)) << set;
    EXPECT_GT(score(17 + group), score(16 + group)) << set;
    EXPECT_EQ(score(49), score(64)) << set << ": of another panel";
  }
}

TEST_P(PredictTest, AnEventTakesAsLongWhateverTheHistory) {
  const Prediction none = Predict(steps_, 6, CostsOf(Machine()), 0, 8);
  const Prediction many = Predict(steps_, 6, CostsOf(Machine()), 50, 8);
  EXPECT_GT(none.event, 0);
  EXPECT_EQ(many.event, none.event);
  EXPECT_GE(many.context_change, none.context_change);
}

TEST_P(PredictTest, EachFeatureOfTheContextTakesAsLong) {
  const auto change = [&](double features) {
    return Predict(steps_, features, CostsOf(Machine()), 50, 8).context_change;
  };
  EXPECT_NEAR(change(30) - change(0), 30 * CostsOf(Machine()).feature, 1e-15);
}

TEST_P(PredictTest, AFasterMachineTakesLessTime) {
  const double now = Predict(steps_, 6, CostsOf(Machine()), 50, 8).candidate;
  MachinePeak faster = Machine();
  faster.f32_gflops *= 2;
  EXPECT_LT(Predict(steps_, 6, CostsOf(faster), 50, 8).candidate, now);
  faster.random_rows *= 10;
  faster.read_gigabytes *= 10;
  EXPECT_LT(Predict(steps_, 6, CostsOf(faster), 50, 8).candidate, now / 1.5);
}

TEST_P(PredictTest, LargerTilesTakeNoMoreTime) {
  EXPECT_LE(Predict(steps_, 6, CostsOf(Machine()), 50, 64).candidate,
            Predict(steps_, 6, CostsOf(Machine()), 50, 8).candidate);
}

// What a session does not keep is made for each tile, whatever events come.
TEST_P(PredictTest, MatricesThatAreNotKeptAreMadeForEachTile) {
  const auto unit = std::find_if(steps_.begin(), steps_.end(), IsUnit);
  ASSERT_NE(unit, steps_.end());
  ASSERT_GT(unit->per_new_event.elements, 0);
  EXPECT_EQ(unit->per_tile_event.elements, 0);
  const Prediction kept = Predict(steps_, 6, CostsOf(Machine()), 10, 8);
  unit->per_tile_event = unit->per_new_event;
  unit->per_new_event = {};
  const Prediction made = Predict(steps_, 6, CostsOf(Machine()), 10, 8);
  EXPECT_GT(kept.event, made.event);
  EXPECT_NEAR(made.each_tile - kept.each_tile, 10 * (kept.event - made.event), 1e-15);
}

// 50 matrices of 80 x 64 numbers take 1 MB in float32 and a quarter in int8.
TEST_P(PredictTest, MatricesAreKeptUpToTheRuntimesBound) {
  static_assert(kMostKeptFoldBytes == handpick::kMostKeptFolds, "as the runtime keeps them");
  const auto keeps = [](int64_t max_history, schema::Precision precision) {
    AttentionWorkloadOptions options;
    options.max_history = max_history;
    const AlignedBytes bytes(MakeBundle(AttentionWorkload(GetParam(), options), precision));
    const std::vector<StepWork> steps = WorkOfSteps(*schema::GetBundle(bytes.data()));
    const auto unit = std::find_if(steps.begin(), steps.end(), IsUnit);
    EXPECT_NE(unit->per_new_event.elements, unit->per_tile_event.elements);
    return unit->per_new_event.elements > 0;
  };
  EXPECT_TRUE(keeps(102, schema::Precision::Float32));
  EXPECT_FALSE(keeps(103, schema::Precision::Float32));
  EXPECT_TRUE(keeps(360, schema::Precision::Int8));
  EXPECT_FALSE(keeps(370, schema::Precision::Int8));
}

INSTANTIATE_TEST_SUITE_P(Kinds, PredictTest, ::testing::Values("din", "dien"));

}  // namespace
}  // namespace handpick::converter
