// Models with several outputs: what ranks, and what is computed once for all candidates.
#include <cstdint>
#include <string>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/pipeline.h"
#include "converter/recipes/recipes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A model of a kind whose tasks are `click`, `buy` and `seconds`, a regression.
RandomModel WithThreeTasks(const std::string& kind) {
  for (uint64_t seed = 0;; ++seed) {
    RandomModel model = MakeRandomModel(seed, kind);
    if (model.spec.outputs.size() != 3) continue;
    model.spec.rank_by = {};
    return model;
  }
}

std::vector<std::string> NamesOf(const Graph& graph) {
  std::vector<std::string> names;
  for (const Output& output : graph.Outputs()) names.push_back(output.name);
  return names;
}

std::string FaultOf(const RandomModel& model) {
  return std::string(BuildGraph(model.spec, model.weights).status().message());
}

TEST(OutputsTest, TheFirstOneRanksUnlessTheSpecSaysOtherwise) {
  RandomModel model = WithThreeTasks("mmoe");
  auto graph = BuildGraph(model.spec, model.weights);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(NamesOf(*graph), ElementsAre("click", "buy", "seconds"));
  EXPECT_EQ(graph->task, schema::Task::Binary);
  model.spec.rank_by.output = "seconds";
  graph = BuildGraph(model.spec, model.weights);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(NamesOf(*graph), ElementsAre("seconds", "click", "buy"));
  EXPECT_EQ(graph->task, schema::Task::Regression);
  model.spec.rank_by = {"", {{"click", 1.5}, {"buy", 0.25}}};
  graph = BuildGraph(model.spec, model.weights);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(NamesOf(*graph), ElementsAre("ranking", "click", "buy", "seconds"));
  EXPECT_EQ(graph->task, schema::Task::LogProbability);
  ASSERT_EQ(graph->product.size(), 2u);
  EXPECT_EQ(graph->product[1].output, "buy");
  EXPECT_EQ(graph->product[1].exponent, 0.25);
}

TEST(OutputsTest, WhatCannotRankIsRefused) {
  RandomModel model = WithThreeTasks("shared_bottom");
  model.spec.rank_by.output = "watch";
  EXPECT_THAT(FaultOf(model), HasSubstr("model.rank_by: there is no output 'watch', the model has: "
                                        "click, buy, seconds"));
  model.spec.rank_by = {"", {{"click", 1}, {"seconds", 1}}};
  EXPECT_THAT(FaultOf(model), HasSubstr("model.rank_by has output 'seconds', which is a "
                                        "regression: it has no probability"));
  model.spec.rank_by = {"", {{"click", 1}, {"ctr", 1}}};
  EXPECT_THAT(FaultOf(model), HasSubstr("model.rank_by: there is no output 'ctr'"));
  model.spec.outputs[0].name = "ranking";
  model.spec.rank_by = {"", {{"buy", 1}}};
  EXPECT_THAT(FaultOf(model), HasSubstr("which becomes the output 'ranking'"));
  RandomModel pieces = MakeRandomModel(1, "mlr");
  pieces.spec.task = schema::Task::Binary;
  pieces.spec.rank_by = {"", {{"score", 2}}};
  EXPECT_THAT(FaultOf(pieces), HasSubstr("which is a sum of probabilities"));
}

TEST(OutputsTest, AModelWithOneOutputMayNameIt) {
  RandomModel model = MakeRandomModel(3, "deepfm");
  model.spec.outputs = {{"watch", schema::Task::Regression}};
  auto graph = BuildGraph(model.spec, model.weights);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(NamesOf(*graph), ElementsAre("watch"));
  EXPECT_EQ(graph->task, schema::Task::Regression);
}

TEST(OutputsTest, ABundleKeepsThemInTheirOrder) {
  RandomModel model = WithThreeTasks("mmoe");
  model.spec.rank_by = {"", {{"click", 1}, {"buy", 1}}};
  const auto conversion =
      Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  const auto bytes = Serialize(conversion->bundle);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto decoded = DecodeBundle(*bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const std::vector<Output> expected = conversion->source.Outputs();
  const std::vector<Output> found = decoded->Outputs();
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, expected[i].name);
    EXPECT_EQ(found[i].task, expected[i].task);
  }
}

// First layers over context and candidate are split for every expert, gate and network of a task:
// a candidate costs what its own columns cost.
TEST(OutputsTest, NothingOfTheContextIsComputedPerCandidate) {
  for (const char* kind : {"shared_bottom", "mmoe", "esmm"}) {
    WorkloadOptions options;
    options.kind = kind;
    options.context_fields = 3;
    options.candidate_fields = 2;
    options.dimension = 4;
    options.hidden_units = {10, 6};
    RandomModel model = TasksWorkload(options);
    const auto conversion =
        Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
    ASSERT_TRUE(conversion.ok()) << conversion.status();
    const uint64_t before = CountWork(conversion->source).candidate.multiply_accumulates;
    const uint64_t after = CountWork(conversion->program).candidate.multiply_accumulates;
    // First layers: 10 units each, and a gate of 3 experts for each of two tasks.
    const uint64_t networks = kind == std::string("mmoe") ? 3 : kind == std::string("esmm") ? 2 : 1;
    const uint64_t gates = kind == std::string("mmoe") ? 2 * 3 : 0;
    EXPECT_EQ(before - after, (networks * 10 + gates) * 3 * 4) << kind;
  }
}

}  // namespace
}  // namespace handpick::converter
