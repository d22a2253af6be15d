// LightGBM's text: what a tree does with a number, and what is refused.
#include <stdio.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "converter/trees/read.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/converter/trees/sum_of_leaves.h"

namespace handpick::converter {
namespace {

using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// A tree over a number and a category, and a tree of one leaf.
constexpr char kModel[] = R"(tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=age city
feature_infos=[-1:1] 0:1:2
tree_sizes=0 0

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
split_gain=1 1
threshold=0.5 0
decision_type=2 1
left_child=-1 -2
right_child=1 -3
leaf_value=1 2 3
leaf_weight=1 1 1
leaf_count=1 1 1
internal_value=0 0
internal_weight=0 0
internal_count=3 2
cat_boundaries=0 2
cat_threshold=2 2
is_linear=0
shrinkage=0.1


Tree=1
num_leaves=1
num_cat=0
leaf_value=0.25
is_linear=0
shrinkage=1


end of trees

feature_importances:
age=1
)";

absl::StatusOr<TreeModel> Parse(
    std::vector<std::pair<absl::string_view, absl::string_view>> changes = {}) {
  return ParseTrees(absl::StrReplaceAll(kModel, changes), "m.txt");
}

TEST(LightGbmTest, ReadsTestsAndLeaves) {
  const auto model = Parse();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->library, "LightGBM");
  EXPECT_EQ(model->column_count, 2u);
  EXPECT_EQ(model->column_names, (std::vector<std::string>{"age", "city"}));
  EXPECT_TRUE(model->is_logit);
  EXPECT_EQ(model->base, 0);
  ASSERT_EQ(model->trees.size(), 2u);
  EXPECT_EQ(model->trees[0].leaf_count, 3u);
  EXPECT_EQ(model->trees[1].leaf_count, 1u);
}

TEST(LightGbmTest, UpToTheThresholdIsLeft) {
  const auto model = Parse();
  EXPECT_EQ(SumOfLeaves(model, {0.5f, 0}), 1.25);
  EXPECT_EQ(SumOfLeaves(model, {std::nextafter(0.5f, 1.0f), 0}), 3.25);
}

// Thresholds are double, numbers float32: what is between two of these.
TEST(LightGbmTest, ThresholdsBetweenTwoFloatsDecideAsInDouble) {
  for (const double threshold :
       {0.1, 0.3, 1.0 / 3, 1e-40, -0.1, 0.0, 1.0000000180025095e-35, 16777217.0, 1e300, -1e300,
        3.4028234663852886e38, 0.5000000000000001, 0.49999999999999994}) {
    char digits[40];
    snprintf(digits, sizeof(digits), "threshold=%.17g 0", threshold);
    const auto model = Parse({{"threshold=0.5 0", digits}});
    const auto near = static_cast<float>(std::fmin(std::fmax(threshold, -3e38), 3e38));
    for (const float x : {near, std::nextafter(near, -3.4e38f), std::nextafter(near, 3.4e38f), 0.0f,
                          -0.0f, 1.0f, -1.0f, 3.4028234e38f, -3.4028234e38f}) {
      const bool left = static_cast<double>(x) <= threshold;
      EXPECT_EQ(SumOfLeaves(model, {x, 0}), left ? 1.25 : 3.25) << x << " <= " << threshold;
    }
  }
}

TEST(LightGbmTest, MissingNumbersGoWhereTheNodeSays) {
  // None: NaN is 0, whatever the default.
  EXPECT_EQ(SumOfLeaves(Parse(), {kNan, 0}), 1.25);
  EXPECT_EQ(SumOfLeaves(Parse({{"decision_type=2 1", "decision_type=0 1"}}), {kNan, 0}), 1.25);
  EXPECT_EQ(SumOfLeaves(Parse({{"threshold=0.5 0", "threshold=-0.5 0"}}), {kNan, 0}), 3.25);
  // NaN: the default; and 0 is a number.
  const auto nan_left = Parse({{"decision_type=2 1", "decision_type=10 1"}});
  const auto nan_right = Parse({{"decision_type=2 1", "decision_type=8 1"}});
  EXPECT_EQ(SumOfLeaves(nan_left, {kNan, 0}), 1.25);
  EXPECT_EQ(SumOfLeaves(nan_right, {kNan, 0}), 3.25);
  EXPECT_EQ(SumOfLeaves(nan_right, {0, 0}), 1.25);
  // Zero: NaN and what is about 0.
  const auto zero_left =
      Parse({{"decision_type=2 1", "decision_type=6 1"}, {"threshold=0.5 0", "threshold=-0.5 0"}});
  const auto zero_right = Parse({{"decision_type=2 1", "decision_type=4 1"}});
  for (const float zero : {kNan, 0.0f, -0.0f, 1e-35f, -1e-35f, 1e-40f}) {
    EXPECT_EQ(SumOfLeaves(zero_left, {zero, 0}), 1.25) << zero;
    EXPECT_EQ(SumOfLeaves(zero_right, {zero, 0}), 3.25) << zero;
  }
  EXPECT_EQ(SumOfLeaves(zero_left, {1.1e-35f, 0}), 3.25);
  EXPECT_EQ(SumOfLeaves(zero_right, {1.1e-35f, 0}), 1.25);
}

TEST(LightGbmTest, CategoriesOfTheSetAreLeft) {
  const auto model = Parse();
  // Bit 1 of the words 0 and 1. Numbers are truncated towards 0.
  for (const float left : {1.0f, 33.0f, 1.9f})
    EXPECT_EQ(SumOfLeaves(model, {1, left}), 2.25) << left;
  for (const float right : {0.0f, 2.0f, 64.0f, 65.0f, 1e9f, 3e38f, -1.0f, -5.0f, kNan}) {
    EXPECT_EQ(SumOfLeaves(model, {1, right}), 3.25) << right;
  }
  const auto zero = Parse({{"cat_threshold=2 2", "cat_threshold=1 0"}});
  EXPECT_EQ(SumOfLeaves(zero, {1, -0.5f}), 2.25);
  EXPECT_EQ(SumOfLeaves(zero, {1, -1.0f}), 3.25);
}

TEST(LightGbmTest, TheSigmoidsSlopeScalesTheLeaves) {
  EXPECT_EQ(SumOfLeaves(Parse({{"sigmoid:1", "sigmoid:2"}}), {0, 0}), 2.5);
}

TEST(LightGbmTest, ARandomForestIsAMean) {
  EXPECT_EQ(SumOfLeaves(Parse({{"feature_names", "average_output\nfeature_names"}}), {0, 0}),
            0.625);
}

TEST(LightGbmTest, ObjectivesSayWhatTheSumIs) {
  EXPECT_FALSE(Parse({{"binary sigmoid:1", "regression"}})->is_logit);
  EXPECT_FALSE(Parse({{"binary sigmoid:1", "lambdarank"}})->is_logit);
  EXPECT_TRUE(Parse({{"binary sigmoid:1", "cross_entropy"}})->is_logit);
  const auto custom = Parse({{"objective=binary sigmoid:1\n", ""}});
  ASSERT_TRUE(custom.ok()) << custom.status();
  EXPECT_EQ(custom->objective, "custom");
}

TEST(LightGbmTest, LinesMayEndAsOnWindows) {
  EXPECT_EQ(SumOfLeaves(Parse({{"\n", "\r\n"}}), {0, 0}), 1.25);
}

TEST(LightGbmTest, FaultsAreNamed) {
  struct Case {
    absl::string_view from, to, message;
  };
  const std::vector<Case> cases = {
      {"num_class=1", "num_class=3", "3 classes"},
      {"num_class=1\n", "", "'num_class' is missing"},
      {"num_tree_per_iteration=1", "num_tree_per_iteration=2", "2 trees an iteration"},
      {"max_feature_idx=1", "max_feature_idx=65536", "no integer from 0 to 65535"},
      {"max_feature_idx=1", "max_feature_idx=2", "'feature_names' has 2 names, expected 3"},
      {"binary sigmoid:1", "multiclass num_class:3", "the objective is 'multiclass"},
      {"binary sigmoid:1", "poisson", "the objective is 'poisson'"},
      {"binary sigmoid:1", "regression sqrt", "regression sqrt"},
      {"sigmoid:1", "sigmoid:-1", "sigmoid is '-1'"},
      {"end of trees", "", "it is cut off"},
      {"num_leaves=3", "num_leaves=0", "tree 0: 'num_leaves'"},
      {"num_leaves=3", "num_leaves=4", "'leaf_value' has 3 numbers, expected 4"},
      {"leaf_value=1 2 3", "leaf_value=1 2 x", "'leaf_value', number 2: 'x' is no number"},
      {"leaf_value=1 2 3", "leaf_value=1 2 nan", "is no number"},
      {"leaf_value=1 2 3", "leaf_value=1 2 1e99", "leaf 2 is worth"},
      {"split_feature=0 1", "split_feature=0 2", "'split_feature', number 1: '2'"},
      {"split_feature=0 1\n", "", "'split_feature' is missing"},
      {"left_child=-1 -2", "left_child=-4 -2", "'left_child', number 0: '-4'"},
      {"left_child=-1 -2", "left_child=0 -2", "node 0 has node 0 as a child, which is the root"},
      {"left_child=-1 -2", "left_child=-2 -2", "another parent"},
      {"decision_type=2 1", "decision_type=12 1", "node 0 treats missing numbers"},
      {"decision_type=2 1", "decision_type=16 1", "'decision_type', number 0: '16'"},
      {"threshold=0.5 0", "threshold=0.5 1", "node 1 asks for set 1 of 1"},
      {"threshold=0.5 0", "threshold=0.5 -1", "node 1 asks for set -1 of 1"},
      {"cat_boundaries=0 2", "cat_boundaries=2 1", "'cat_threshold' has 2 numbers, expected 1"},
      {"cat_boundaries=0 2", "cat_boundaries=0 3", "'cat_threshold' has 2 numbers, expected 3"},
      {"cat_threshold=2 2", "cat_threshold=2 -2", "'cat_threshold', number 1: '-2'"},
      {"is_linear=0", "is_linear=1", "linear_tree=false"},
  };
  for (const Case& fault : cases) {
    const auto model = Parse({{fault.from, fault.to}});
    ASSERT_FALSE(model.ok()) << fault.message;
    EXPECT_THAT(std::string(model.status().message()), HasSubstr("m.txt: "));
    EXPECT_THAT(std::string(model.status().message()), HasSubstr(std::string(fault.message)));
  }
}

}  // namespace
}  // namespace handpick::converter
