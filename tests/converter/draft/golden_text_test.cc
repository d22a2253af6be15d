#include "converter/draft/golden_text.h"

#include <string>

#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

TEST(GoldenTextTest, ShowsSidesAndTypes) {
  const auto goldens = ParseGoldenText(
      R"({"context":{"user":3,"age":0.5},"candidates":{"item":[1,2],"tags":[[4],[]]},"logits":[1,2]})"
      "\n\n"
      R"({"context":{"user":9,"age":1},"history":{"item":[5,6,7]},"candidates":{"item":[],"tags":[]},)"
      R"("outputs":{"b":[],"a":[]}})",
      "golden.jsonl");
  ASSERT_TRUE(goldens.ok()) << goldens.status();
  EXPECT_EQ(goldens->lines.size(), 2u);
  EXPECT_EQ(goldens->where[1], "golden.jsonl:3");
  EXPECT_EQ(goldens->most_events, 3u);
  EXPECT_EQ(goldens->outputs, (std::vector<std::string>{"b", "a"}));
  ASSERT_EQ(goldens->features.size(), 5u);
  EXPECT_EQ(goldens->features[0].name, "user");
  EXPECT_EQ(goldens->features[0].largest, 9);
  EXPECT_TRUE(goldens->features[1].has_floats);
  EXPECT_EQ(goldens->features[3].name, "tags");
  EXPECT_TRUE(goldens->features[3].has_arrays);
  EXPECT_EQ(goldens->features[3].longest, 1u);
  EXPECT_EQ(goldens->features[4].side, "history");
}

TEST(GoldenTextTest, NamesFaults) {
  const auto fault = [](const std::string& text) {
    const auto goldens = ParseGoldenText(text, "golden.jsonl");
    return goldens.ok() ? "" : std::string(goldens.status().message());
  };
  EXPECT_EQ(fault(" \n"), "golden.jsonl: has no request");
  EXPECT_NE(fault("{}\n{").find("golden.jsonl:2"), std::string::npos);
  EXPECT_NE(fault("[]").find("expected a request"), std::string::npos);
  EXPECT_NE(fault(R"({"candidates":{"item":3}})").find("candidates.item"), std::string::npos);
}

}  // namespace
}  // namespace handpick::converter
