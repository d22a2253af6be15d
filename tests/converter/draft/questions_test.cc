#include "converter/spec/questions.h"

#include <string>

#include "converter/io/json.h"
#include "converter/spec/spec.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

TEST(QuestionsTest, AreRefusedByPathWithTheirChoices) {
  const Json spec = {{"model", {{"kind", Question({"din", "dien"})}}},
                     {"attention", {{"softmax", Question({"true", "false"})}}}};
  EXPECT_EQ(spec["attention"]["softmax"], "? true, false");
  const auto parsed = SpecOfJson(spec, "model.spec.json");
  ASSERT_FALSE(parsed.ok());
  const std::string message(parsed.status().message());
  EXPECT_NE(message.find("questions of the draft"), message.npos) << message;
  EXPECT_NE(message.find("attention.softmax: one of: true, false"), message.npos) << message;
  EXPECT_NE(message.find("model.kind: one of: din, dien"), message.npos) << message;
}

TEST(QuestionsTest, AreNotWhatUsersCallThings) {
  const Json spec = {{"model", {{"name", "?"}, {"description", "? what is it"}}},
                     {"features",
                      {{{"name", "? colour"},
                        {"default", "?"},
                        {"vocabulary", {{"kind", "list"}, {"values", {"?", "red"}}}}}}}};
  EXPECT_TRUE(OpenQuestions(spec).empty());
}

TEST(QuestionsTest, MayStandForALoneValueOrAList) {
  const Json spec = {{"features",
                      {{{"name", "colour"},
                        {"side", "?"},
                        {"vocabulary", {{"kind", "list"}, {"values", "? the colours"}}}}}}};
  const auto questions = OpenQuestions(spec);
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0].path, "features[0].side");
  EXPECT_EQ(questions[0].choices, "");
  EXPECT_EQ(questions[1].path, "features[0].vocabulary.values");
  EXPECT_EQ(questions[1].choices, "the colours");
}

}  // namespace
}  // namespace handpick::converter
