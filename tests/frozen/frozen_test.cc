// Yesterday's bundles still open, and compute what their trainer did; those of the formats before
// are refused for what they are.
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"

namespace handpick {
namespace {

std::vector<std::string> bundles;  // Paths, of every format.

bool IsTooOld(const std::string& path) { return path.find("/1.") != std::string::npos; }

// Of the recall indexes: item 10 i + 3 has the vector v(i) = sin(0.37 (i + 1)^2 (j + 1)), i below
// 40, j below 8. The nearest to v(14) + 0.5 v(7) by cosine, in float64 by NumPy.
constexpr uint64_t kItems = 40;
constexpr int64_t kNearest[] = {183, 143, 13, 313};
constexpr double kScores[] = {0.978137, 0.889801, 0.592003, 0.450300};
constexpr double kInt8Tolerance = 0.02;  // Half a step of 127 in the row and in the query.

void ExpectRecall(const hp_model* model, hp_session* session) {
  hp_recall_info info = HP_RECALL_INFO_INIT;
  ASSERT_EQ(hp_model_get_recall_info(model, &info), HP_OK);
  EXPECT_EQ(info.item_count, kItems);
  ASSERT_EQ(info.dimension, 8u);
  float vector[8];
  const auto v = [](int i, int j) { return std::sin(0.37 * (i + 1) * (i + 1) * (j + 1)); };
  for (int j = 0; j < 8; ++j) {
    vector[j] = static_cast<float>(v(14, j) + 0.5 * v(7, j));
  }
  for (const int exact : {0, 1}) {
    hp_recall_options options = HP_RECALL_OPTIONS_INIT;
    options.user = HP_USER_VECTOR;
    options.vector = vector;
    options.vector_size = 8;
    options.k = 4;
    options.probes = 1u << 20;  // All buckets.
    options.exact = exact;
    hp_recalled items[4];
    size_t count = 0;
    ASSERT_EQ(hp_session_recall(session, &options, items, &count), HP_OK)
        << hp_session_last_error(session)->message;
    ASSERT_EQ(count, 4u);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(items[i].id.integer, kNearest[i]);
      EXPECT_NEAR(double{items[i].score}, kScores[i], kInt8Tolerance);
    }
  }
}

TEST(FrozenTest, EveryBundleOfThePastOpensAndItsGoldensHold) {
  size_t opened = 0, of_precision[4] = {};
  for (const std::string& path : bundles) {
    if (IsTooOld(path)) continue;
    SCOPED_TRACE(path);
    ++opened;
    hp_model* model = nullptr;
    hp_error error;
    ASSERT_EQ(hp_model_open_file(path.c_str(), nullptr, &model, &error), HP_OK) << error.message;
    hp_model_info info = HP_MODEL_INFO_INIT;
    ASSERT_EQ(hp_model_get_info(model, &info), HP_OK);
    // Something has to be checked.
    EXPECT_GT(info.golden_count + info.recall_items, 0u);
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.recall_probes = 1u << 20;
    size_t bytes = 0;
    ASSERT_EQ(hp_session_memory_size(model, &options, &bytes, &error), HP_OK) << error.message;
    void* memory = nullptr;
    ASSERT_EQ(posix_memalign(&memory, HP_ALIGNMENT, bytes), 0);
    hp_session* session = nullptr;
    ASSERT_EQ(hp_session_create(model, &options, memory, bytes, &session, &error), HP_OK)
        << error.message;
    if (info.recall_items > 0) ExpectRecall(model, session);
    if (info.has_model != 0) {
      EXPECT_GT(info.golden_count, 0u);
      float worst = -1;
      EXPECT_EQ(hp_session_check_goldens(session, &worst), HP_OK)
          << hp_session_last_error(session)->message;
      EXPECT_GE(worst, 0);
    }
    std::free(memory);
    hp_model_close(model);
    of_precision[info.precision] += 1;
  }
  EXPECT_GE(opened, 23u) << "the paths of the bundles are the arguments";
  for (const hp_precision precision : {HP_PRECISION_F32, HP_PRECISION_INT8, HP_PRECISION_F16}) {
    EXPECT_GE(of_precision[precision], 7u) << precision;
  }
}

TEST(FrozenTest, BundlesOfFormat1AreTooOldAndTheMessageSaysWhatToDo) {
  size_t refused = 0;
  for (const std::string& path : bundles) {
    if (!IsTooOld(path)) continue;
    SCOPED_TRACE(path);
    ++refused;
    hp_model* model = nullptr;
    hp_error error;
    ASSERT_EQ(hp_model_open_file(path.c_str(), nullptr, &model, &error), HP_BUNDLE_TOO_OLD)
        << error.message;
    EXPECT_EQ(model, nullptr);
    const std::string message = error.message;
    EXPECT_NE(message.find("bundle has format 1."), std::string::npos) << message;
    EXPECT_NE(message.find("convert the model again"), std::string::npos) << message;
  }
  EXPECT_EQ(refused, 18u);
}

}  // namespace
}  // namespace handpick

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  handpick::bundles.assign(argv + 1, argv + argc);
  return RUN_ALL_TESTS();
}
