// handpick draft, and what convert makes of its specs, as a user types it.
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/converter/cli/run_handpick.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr char kModel[] = "tests/goldens/dien/augru_dice_softmax";

class DraftCliTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = EmptyTestFolder();
    spec_ = folder_ + "/spec.json";
    const Json whole = Json::parse(ReadText(absl::StrCat(kModel, ".spec.json")));
    std::ofstream(folder_ + "/columns.json")
        << Json{{"features", whole["features"]}, {"history", whole["history"]}};
  }

  static std::string Weights() {
    const std::string safetensors = absl::StrCat(kModel, ".safetensors");
    return std::filesystem::exists(safetensors) ? safetensors : absl::StrCat(kModel, ".npz");
  }
  static std::string Goldens() { return absl::StrCat(" --golden ", kModel, ".requests.jsonl"); }
  std::string Draft(const std::string& more) const {
    return absl::StrCat("draft --weights ", Weights(), " --columns ", folder_, "/columns.json ",
                        more, " --out ", spec_);
  }
  std::string Convert(const std::string& more) const {
    return absl::StrCat("convert --spec ", spec_, " --weights ", Weights(), more, " --out ",
                        folder_, "/b.hpk");
  }
  bool HasBundle() const { return std::filesystem::exists(folder_ + "/b.hpk"); }

  std::string folder_;
  std::string spec_;
};

TEST_F(DraftCliTest, WithGoldensTheSpecConvertsAsItIs) {
  const Outcome drafted = Handpick(Draft(Goldens()));
  ASSERT_EQ(drafted.status, 0) << drafted.err;
  EXPECT_THAT(drafted.out, HasSubstr("model.kind dien: certain: from names and shapes"));
  EXPECT_THAT(drafted.out, HasSubstr("attention.softmax true: found: 1 of "));
  EXPECT_THAT(drafted.out, HasSubstr("no question is open"));
  const Outcome converted = Handpick(Convert(Goldens()));
  EXPECT_EQ(converted.status, 0) << converted.err;
  EXPECT_TRUE(HasBundle());
}

TEST_F(DraftCliTest, WithoutGoldensConvertRefusesTheQuestionsAndListsTheirChoices) {
  const Outcome drafted = Handpick(Draft(""));
  ASSERT_EQ(drafted.status, 0) << drafted.err;
  EXPECT_THAT(drafted.out, HasSubstr("attention.softmax: in question: there are no goldens"));
  const Outcome refused = Handpick(Convert(""));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("attention.softmax: one of: false, true"));
  EXPECT_THAT(refused.err, HasSubstr("evolution.cell: one of: "));
  EXPECT_FALSE(HasBundle());
}

TEST_F(DraftCliTest, ConvertNamesTheOptionByWhichTheGoldensFit) {
  ASSERT_EQ(Handpick(Draft(Goldens())).status, 0);
  Json spec = Json::parse(ReadText(spec_));
  spec["attention"]["softmax"] = false;
  std::ofstream(spec_) << spec;
  const Outcome refused = Handpick(Convert(Goldens()));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("golden_logit_error"));
  EXPECT_THAT(refused.err, HasSubstr("it fits with attention.softmax: true"));
  EXPECT_FALSE(HasBundle());
}

TEST_F(DraftCliTest, WhatTheWeightsKnowMayBeLeftOutAndMayNotBeContradicted) {
  ASSERT_EQ(Handpick(Draft(Goldens())).status, 0);
  Json spec = Json::parse(ReadText(spec_));
  spec["deep"].erase("hidden_units");
  spec["attention"].erase("activation");
  std::ofstream(spec_) << spec;
  const Outcome converted = Handpick(Convert(Goldens()));
  EXPECT_EQ(converted.status, 0) << converted.err;
  EXPECT_THAT(converted.err, HasSubstr("note: from the weights: "));
  spec["deep"]["hidden_units"] = {11, 6};
  std::ofstream(spec_) << spec;
  const Outcome refused = Handpick(Convert(Goldens()));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("deep.hidden_units"));
}

TEST_F(DraftCliTest, FaultsLeaveNoSpec) {
  std::ofstream(folder_ + "/columns.json") << R"({"features": [{"name": "a", "sied": "context"}]})";
  const Outcome misspelt = Handpick(Draft(""));
  EXPECT_EQ(misspelt.status, 1);
  EXPECT_THAT(misspelt.err, HasSubstr("sied"));
  EXPECT_FALSE(std::filesystem::exists(spec_));
  const Outcome nothing = Handpick("draft --weights nowhere.npz --out " + spec_);
  EXPECT_EQ(nothing.status, 1);
  EXPECT_THAT(nothing.err, HasSubstr("nowhere.npz"));
  EXPECT_EQ(Handpick("draft --weights nowhere.npz").status, 2);
}

}  // namespace
}  // namespace handpick::converter
