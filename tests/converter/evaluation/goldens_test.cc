#include "converter/evaluation/goldens.h"

#include <cmath>
#include <string>
#include <vector>

#include "converter/request/request.h"
#include "converter/spec/feature_set.h"
#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

FeatureSet Features() {
  const auto spec = ParseSpec(R"({
    "model":{"name":"m","kind":"wide_deep"},"history":{"max_events":4},"features":[
      {"name":"user","side":"context","type":"categorical","vocabulary":{"kind":"list","values":["ann","bob"]}},
      {"name":"seen","side":"history","type":"categorical","vocabulary":{"kind":"identity","size":9}},
      {"name":"tags","side":"candidate","type":"multi_categorical","max_values":3,"length":"count",
       "vocabulary":{"kind":"identity","size":9}},
      {"name":"count","side":"candidate","type":"length"},
      {"name":"place","side":"candidate","type":"numeric","dimension":2},
      {"name":"word","side":"candidate","type":"categorical","vocabulary":{"kind":"hash","buckets":9}}],
    "wide":{"features":["user"]}})",
                              "s.json");
  EXPECT_TRUE(spec.ok()) << spec.status();
  return *BuildFeatureSet(*spec);
}

TEST(GoldensTest, KeepWhatARequestSays) {
  const FeatureSet features = Features();
  const auto request = ParseRequest(
      R"({"context":{"user":"bob"},"history":{"seen":[5,9]},"candidates":{"tags":[[],[7,8]],)"
      R"("count":[0,3],"place":[[1,2.5],[-4,0]],"word":["a",""]},"logits":[0.5,-2]})",
      features, "r");
  ASSERT_TRUE(request.ok()) << request.status();
  const auto golden = BuildGolden(*request, features);
  ASSERT_TRUE(golden.ok()) << golden.status();
  ASSERT_EQ((*golden)->histories.size(), 1u);
  EXPECT_EQ((*golden)->histories[0]->event_count, 2u);
  EXPECT_EQ((*golden)->histories[0]->columns.size(), 1u);
  EXPECT_EQ((*golden)->candidate_count, 2u);
  EXPECT_THAT((*golden)->logits, ElementsAre(0.5f, -2.f));
  ASSERT_EQ((*golden)->context.size(), 1u);
  EXPECT_THAT((*golden)->context[0]->strings, ElementsAre("bob"));
  for (const auto& column : (*golden)->candidates) {
    const std::string& name = features.features[column->feature]->name;
    if (name == "tags") {
      EXPECT_THAT(column->integers, ElementsAre(7, 8));
      EXPECT_THAT(column->row_splits, ElementsAre(0, 0, 2));
    } else if (name == "place") {
      EXPECT_THAT(column->numbers, ElementsAre(1, 2.5, -4, 0));
      EXPECT_TRUE(column->row_splits.empty());
    }
  }

  const Request back = RequestOfGolden(**golden, features);
  EXPECT_EQ(back.candidate_count, 2u);
  EXPECT_EQ(back.Events(), 2u);
  EXPECT_THAT(back.logits, ElementsAre(0.5, -2));
  ASSERT_EQ(back.candidates.size(), request->candidates.size());
  for (size_t i = 0; i < back.candidates.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(back.candidates[i].feature, request->candidates[i].feature);
    // Numbers come back as float32, whatever they were.
    const bool numeric = features.features[back.candidates[i].feature]->name == "place";
    EXPECT_EQ(back.candidates[i].rows, numeric ? (std::vector<RawCell>{{1.0, 2.5}, {-4.0, 0.0}})
                                               : request->candidates[i].rows);
  }
  EXPECT_EQ(back.history[0].rows, request->history[0].rows);
  EXPECT_EQ(back.context[0].rows, request->context[0].rows);
}

TEST(GoldensTest, NeedLogitsAndOneTypePerColumn) {
  const FeatureSet features = Features();
  const auto bare = ParseRequest(R"({"candidates":{"word":["a"]}})", features, "r");
  EXPECT_THAT(std::string(BuildGolden(*bare, features).status().message()),
              HasSubstr("has no logits"));
  const auto mixed =
      ParseRequest(R"({"candidates":{"word":["a",1]},"logits":[1,2]})", features, "r");
  EXPECT_THAT(std::string(BuildGolden(*mixed, features).status().message()),
              HasSubstr("'word' has integers and strings in one column"));
}

TEST(GoldensTest, LogitsOfSeveralOutputsStandByCandidateAndOutput) {
  const FeatureSet features = Features();
  const std::vector<Output> outputs = {
      {"ranking", 0, schema::Task::LogProbability, {{"both", 0.5}, {"ctr", 2}}},
      {"ctr", 1, schema::Task::Binary},
      {"both", 2, schema::Task::LogProbability, {{"ctr"}, {"cvr"}}},
      {"cvr", 3, schema::Task::Binary}};
  const auto parse = [&](const std::string& rest) {
    const auto request = ParseRequest(
        R"({"context":{"user":"bob"},"candidates":{"count":[0,3]})" + rest + "}", features, "r");
    EXPECT_TRUE(request.ok()) << request.status();
    return *request;
  };
  const Request request = parse(R"(,"outputs":{"ctr":[0.5,-2],"cvr":[1,30]})");
  const auto golden = BuildGolden(request, features, outputs);
  ASSERT_TRUE(golden.ok()) << golden.status();
  ASSERT_EQ((*golden)->logits.size(), 8u);
  for (size_t i = 0; i < 2; ++i) {
    const auto log_sigmoid = [](double x) { return -std::log1p(std::exp(-x)); };
    const double ctr = i == 0 ? 0.5 : -2;
    const double cvr = i == 0 ? 1 : 30;
    const double both = log_sigmoid(ctr) + log_sigmoid(cvr);
    EXPECT_FLOAT_EQ((*golden)->logits[4 * i], 0.5 * both + 2 * log_sigmoid(ctr));
    EXPECT_FLOAT_EQ((*golden)->logits[4 * i + 1], ctr);
    EXPECT_FLOAT_EQ((*golden)->logits[4 * i + 2], both);
    EXPECT_FLOAT_EQ((*golden)->logits[4 * i + 3], cvr);
  }
  const Request back = RequestOfGolden(**golden, features, {"ranking", "ctr", "both", "cvr"});
  EXPECT_TRUE(back.logits.empty());
  EXPECT_THAT(back.output_logits.at("ctr"), ElementsAre(0.5, -2));
  // What the trainer says of a product counts, where it says it.
  const Request said = parse(R"(,"outputs":{"ctr":[0.5,-2],"cvr":[1,30],"both":[-9,-8]})");
  EXPECT_THAT((*TrainersLogits(said, outputs))[2], ElementsAre(-9, -8));

  const auto message = [&](const std::string& rest) {
    return std::string(BuildGolden(parse(rest), features, outputs).status().message());
  };
  EXPECT_THAT(message(""), HasSubstr("a golden request has no logits of output 'ctr'"));
  EXPECT_THAT(message(R"(,"outputs":{"ctr":[0.5,-2]})"),
              HasSubstr("a golden request has no logits of output 'cvr'"));
  EXPECT_THAT(message(R"(,"outputs":{"ctr":[0.5,-2],"cvr":[1,2],"buy":[1,2]})"),
              HasSubstr("there is no output 'buy'; the model has 'ranking', 'ctr', 'both', 'cvr'"));
  EXPECT_THAT(message(R"(,"logits":[1,2])"),
              HasSubstr("'logits' are of one output, and the model has 4: give 'outputs'"));
  const auto wrong =
      ParseRequest(R"({"candidates":{"count":[0,3]},"outputs":{"ctr":[1]}})", features, "r");
  EXPECT_THAT(std::string(wrong.status().message()),
              HasSubstr("outputs.ctr: has 1 values for 2 candidates"));
}

}  // namespace
}  // namespace handpick::converter
