// XGBoost's JSON: what a tree does with a number, and what is refused.
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/io/files.h"
#include "converter/trees/read.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "schema/forest.h"
#include "tests/converter/trees/sum_of_leaves.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Three columns, two trees: a test of column 0 with one of column 2's categories behind it, and a
// leaf.
Json Model() {
  return Json::parse(R"({
    "learner": {
      "attributes": {},
      "feature_names": ["age", "price", "city"],
      "feature_types": ["float", "float", "c"],
      "gradient_booster": {
        "model": {
          "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "2", "size_leaf_vector": "0"},
          "tree_info": [0, 0],
          "trees": [
            {"tree_param": {"num_feature": "3", "num_nodes": "5", "size_leaf_vector": "0"},
             "left_children": [1, -1, 3, -1, -1], "right_children": [2, -1, 4, -1, -1],
             "split_indices": [0, 0, 2, 0, 0], "split_conditions": [0.5, 1.0, 0.0, 2.0, 3.0],
             "default_left": [1, 0, 0, 0, 0], "split_type": [0, 0, 1, 0, 0],
             "categories": [1, 33], "categories_nodes": [2], "categories_segments": [0],
             "categories_sizes": [2]},
            {"tree_param": {"num_feature": "3", "num_nodes": "1", "size_leaf_vector": "0"},
             "left_children": [-1], "right_children": [-1], "split_indices": [0],
             "split_conditions": [0.25], "default_left": [0], "split_type": [0],
             "categories": [], "categories_nodes": [], "categories_segments": [],
             "categories_sizes": []}]},
        "name": "gbtree"},
      "learner_model_param": {"base_score": "2E-1", "num_class": "0", "num_feature": "3"},
      "objective": {"name": "binary:logistic"}},
    "version": [1, 7, 4]})");
}

Json& Tree0(Json* model) { return (*model)["learner"]["gradient_booster"]["model"]["trees"][0]; }
Json& Learner(Json* model) { return (*model)["learner"]; }

absl::StatusOr<TreeModel> Parse(const Json& model) { return ParseTrees(model.dump(), "m.json"); }

TEST(XgboostTest, ReadsTestsLeavesAndTheBase) {
  const auto model = Parse(Model());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->library, "XGBoost");
  EXPECT_EQ(model->column_count, 3u);
  EXPECT_EQ(model->column_names, (std::vector<std::string>{"age", "price", "city"}));
  EXPECT_EQ(model->objective, "binary:logistic");
  EXPECT_TRUE(model->is_logit);
  EXPECT_NEAR(model->base, std::log(0.2 / 0.8), 1e-6);
  ASSERT_EQ(model->trees.size(), 2u);
  EXPECT_EQ(model->trees[0].leaf_count, 3u);
  EXPECT_TRUE(model->notices.empty());
}

TEST(XgboostTest, BelowTheThresholdIsLeftAndAtItIsRight) {
  const auto model = Parse(Model());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(SumOfLeaves(model, {std::nextafter(0.5f, 0.0f), 0, 0}), 1.25);
  EXPECT_EQ(SumOfLeaves(model, {0.5f, 0, 0}), 2.25);
  EXPECT_EQ(SumOfLeaves(model, {kNan, 0, 0}), 1.25);
}

TEST(XgboostTest, CategoriesOfTheListAreRightAndAllElseIsLeft) {
  const auto model = Parse(Model());
  ASSERT_TRUE(model.ok()) << model.status();
  for (const float right : {1.0f, 33.0f, 1.75f}) EXPECT_EQ(SumOfLeaves(model, {1, 0, right}), 3.25);
  for (const float left : {0.0f, 2.0f, 32.0f, 64.0f, 65.0f, 1e9f, 3e38f, -1.0f, -0.5f}) {
    EXPECT_EQ(SumOfLeaves(model, {1, 0, left}), 2.25) << left;
  }
  // Missing: default_left of that node is 0.
  EXPECT_EQ(SumOfLeaves(model, {1, 0, kNan}), 3.25);
}

TEST(XgboostTest, NanIsReadWhereThereIsNoThreshold) {
  const auto with_nan = [](const char* place, const char* what) {
    std::string text = Model().dump();
    return text.replace(text.find(place), std::string(place).size(), what);
  };
  const char* numbers = "\"split_conditions\":[0.5,1.0,0.0,2.0,3.0]";
  const auto model =
      ParseTrees(with_nan(numbers, "\"split_conditions\":[0.5,1.0,NaN,2.0,3.0]"), "m.json");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(SumOfLeaves(model, {1, 0, 33}), 3.25);
  for (const char* bad : {"\"split_conditions\":[NaN,1.0,0.0,2.0,3.0]",
                          "\"split_conditions\":[0.5,-Infinity,0.0,2.0,3.0]"}) {
    const auto refused = ParseTrees(with_nan(numbers, bad), "m.json");
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("expected a number of float32"));
  }
  // Not within names.
  Json json = Model();
  Learner(&json)["feature_names"][0] = "NaN \"Infinity\"";
  EXPECT_EQ(Parse(json)->column_names[0], "NaN \"Infinity\"");
}

TEST(XgboostTest, LeavesAreNumberedByTheirIds) {
  const auto model = Parse(Model());
  ASSERT_TRUE(model.ok()) << model.status();
  // Nodes 1, 3 and 4 of the file.
  std::vector<double> values(3);
  for (const TreeNode& node : model->trees[0].nodes) {
    if (node.is_leaf) values[node.leaf] = node.value;
  }
  EXPECT_EQ(values, (std::vector<double>{1, 2, 3}));
}

TEST(XgboostTest, NodesThatWerePrunedAreLeftOut) {
  Json json = Model();
  Json& tree = Tree0(&json);
  for (const char* key : {"left_children", "right_children"}) tree[key] = {1, -1, -1, -1, -1};
  tree["right_children"][0] = 2;
  tree["split_indices"] = {0, 0, 0, 2147483647, 2147483647};
  const auto model = Parse(json);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->trees[0].nodes.size(), 3u);
}

TEST(XgboostTest, RegressionsHaveTheirBaseAsItIs) {
  Json json = Model();
  Learner(&json)["objective"]["name"] = "reg:squarederror";
  Learner(&json)["learner_model_param"]["base_score"] = "[-3.5E0]";
  const auto model = Parse(json);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_FALSE(model->is_logit);
  EXPECT_EQ(model->base, -3.5);
}

TEST(XgboostTest, TrainingBeyondTheBestIterationIsANotice) {
  Json json = Model();
  Learner(&json)["attributes"]["best_iteration"] = "1";
  EXPECT_TRUE(Parse(json)->notices.empty());  // The last one.
  Learner(&json)["attributes"]["best_iteration"] = "0";
  const auto model = Parse(json);
  ASSERT_TRUE(model.ok()) << model.status();
  ASSERT_EQ(model->notices.size(), 1u);
  EXPECT_THAT(model->notices[0], HasSubstr("best iteration, 0"));
}

TEST(XgboostTest, FaultsAreNamed) {
  struct Case {
    std::function<void(Json*)> damage;
    const char* message;
  };
  const auto booster = [](Json* json) -> Json& { return Learner(json)["gradient_booster"]; };
  const std::vector<Case> cases = {
      {[](Json* j) { *j = Json::object(); }, "'learner' is missing"},
      {[&](Json* j) { booster(j)["name"] = "dart"; }, "dart weighs its trees"},
      {[&](Json* j) { booster(j)["name"] = "gblinear"; }, "expected 'gbtree'"},
      {[&](Json* j) { booster(j)["model"]["trees"] = Json::array(); }, "it has no trees"},
      {[](Json* j) { Learner(j)["objective"]["name"] = "multi:softprob"; }, "'multi:softprob'"},
      {[](Json* j) { Learner(j)["objective"]["name"] = "count:poisson"; }, "'count:poisson'"},
      {[](Json* j) { Learner(j)["learner_model_param"]["num_class"] = "3"; }, "3 classes"},
      {[](Json* j) { Learner(j)["learner_model_param"]["num_target"] = "2"; }, "2 targets"},
      {[](Json* j) { Learner(j)["learner_model_param"]["num_feature"] = "0"; },
       "'num_feature' is 0"},
      {[](Json* j) { Learner(j)["learner_model_param"]["num_feature"] = "x"; }, "whole number"},
      {[](Json* j) { Learner(j)["learner_model_param"]["base_score"] = "1"; }, "probability"},
      {[](Json* j) { Learner(j)["learner_model_param"]["base_score"] = "[1,2]"; }, "'base_score'"},
      {[](Json* j) { Tree0(j)["tree_param"]["size_leaf_vector"] = "3"; }, "several values"},
      {[](Json* j) { Tree0(j).erase("left_children"); }, "tree 0: 'left_children' is missing"},
      {[](Json* j) { Tree0(j)["right_children"].push_back(1); }, "has 6 numbers, expected 5"},
      {[](Json* j) { Tree0(j)["left_children"][0] = 5; }, "node 0: 'left_children' is 5"},
      {[](Json* j) { Tree0(j)["left_children"][0] = -1; }, "node 0 has one child"},
      {[](Json* j) { Tree0(j)["left_children"][0] = 1.5; }, "expected an integer"},
      {[](Json* j) { Tree0(j)["left_children"][2] = 0; },
       "node 2 has node 0 as a child, which is the root"},
      {[](Json* j) { Tree0(j)["left_children"][2] = 2; }, "node 2 has node 2 as a child"},
      {[](Json* j) { Tree0(j)["left_children"][2] = 4; }, "another parent"},
      {[](Json* j) { Tree0(j)["split_indices"][0] = 3; }, "node 0 tests column 3 of 3"},
      {[](Json* j) { Tree0(j)["split_conditions"][0] = "x"; }, "node 0: 'split_conditions'"},
      {[](Json* j) { Tree0(j)["split_conditions"][0] = 1e39; }, "expected a number of float32"},
      {[](Json* j) { Tree0(j)["default_left"][0] = 2; }, "'default_left' is 2"},
      {[](Json* j) { Tree0(j)["split_type"][0] = 1; },
       "node 0 tests categories, of which it has no"},
      {[](Json* j) { Tree0(j)["categories_sizes"][0] = 3; }, "'categories_sizes' is 3"},
      {[](Json* j) { Tree0(j)["categories_segments"][0] = -1; }, "'categories_segments' is -1"},
      {[](Json* j) { Tree0(j)["categories"][0] = 16777216; }, "'categories' is 16777216"},
      {[](Json* j) { Tree0(j)["categories_nodes"][0] = 5; }, "'categories_nodes' is 5"},
      {[](Json* j) { Tree0(j).erase("categories"); }, "of which there is no list"},
  };
  for (const Case& fault : cases) {
    Json json = Model();
    fault.damage(&json);
    const auto model = Parse(json);
    ASSERT_FALSE(model.ok()) << fault.message;
    EXPECT_THAT(std::string(model.status().message()), HasSubstr("m.json: "));
    EXPECT_THAT(std::string(model.status().message()), HasSubstr(fault.message));
  }
}

TEST(XgboostTest, AChainDeeperThanTheLimitIsRefused) {
  Json json = Model();
  Json& tree = Tree0(&json);
  const int deep = schema::kMaxForestLevels;
  for (const char* key : {"left_children", "right_children", "split_indices", "split_conditions",
                          "default_left", "split_type"}) {
    tree[key] = Json::array();
    for (int n = 0; n < 2 * deep + 1; ++n) {
      const bool is_inner = n < deep;
      int number = 0;
      if (std::string(key) == "left_children") number = is_inner ? n + 1 : -1;
      if (std::string(key) == "right_children") number = is_inner ? deep + 1 + n : -1;
      tree[key].push_back(number);
    }
  }
  EXPECT_THAT(std::string(Parse(json).status().message()), HasSubstr("deeper than 1024 levels"));
}

TEST(TreesTest, OtherFilesAreRefused) {
  for (const char* text : {"", "hello", "binf", "tree", "[1]"}) {
    EXPECT_THAT(std::string(ParseTrees(text, "m").status().message()), HasSubstr("begins neither"));
  }
  EXPECT_FALSE(ParseTrees("{", "m").ok());
}

// Bytes of a real model changed at random: an error, or trees that can be walked.
TEST(TreesTest, DamagedFilesAreRefusedOrSound) {
  size_t refused = 0, read = 0;
  for (const char* path :
       {"tests/goldens/gbdt/partitioned_categories.trees.json",
        "tests/goldens/gbdt/one_stump.trees.json", "tests/goldens/gbdt/lightgbm_no_split.trees.txt",
        "tests/goldens/gbdt/lightgbm_categories.trees.txt"}) {
    const auto text = ReadFile(path);
    ASSERT_TRUE(text.ok()) << text.status();
    uint64_t state = 88172645463325252u;
    const auto next = [&](size_t below) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      return static_cast<size_t>(state % below);
    };
    constexpr char kBytes[] = "0123456789-.,[]{}\" =\ne";
    for (int i = 0; i < 300; ++i) {
      std::string damaged = *text;
      for (size_t edits = 1 + next(3); edits > 0; --edits) {
        damaged[next(damaged.size())] = kBytes[next(sizeof(kBytes) - 1)];
      }
      if (next(8) == 0) damaged.resize(next(damaged.size()));
      const auto model = ParseTrees(damaged, "m");
      if (!model.ok()) {
        ++refused;
        continue;
      }
      ++read;
      SumOfLeaves(model, std::vector<float>(model->column_count, 1.5f));
    }
  }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(read, 100u);
}

}  // namespace
}  // namespace handpick::converter
