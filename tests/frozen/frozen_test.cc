// Yesterday's bundles still open, and compute what their trainer did.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/handpick.h"

namespace handpick {
namespace {

std::vector<std::string> bundles;

TEST(FrozenTest, EveryBundleOfThePastOpensAndItsGoldensHold) {
  ASSERT_FALSE(bundles.empty()) << "the paths of the bundles are the arguments";
  for (const std::string& path : bundles) {
    SCOPED_TRACE(path);
    hp_model* model = nullptr;
    hp_error error;
    ASSERT_EQ(hp_model_open_file(path.c_str(), nullptr, &model, &error), HP_OK) << error.message;
    hp_model_info info;
    ASSERT_EQ(hp_model_get_info(model, &info), HP_OK);
    EXPECT_GT(info.bundle.golden_count, 0u);
    size_t bytes = 0;
    ASSERT_EQ(hp_session_memory_size(model, nullptr, &bytes, &error), HP_OK) << error.message;
    void* memory = nullptr;
    ASSERT_EQ(posix_memalign(&memory, HP_ALIGNMENT, bytes), 0);
    hp_session* session = nullptr;
    ASSERT_EQ(hp_session_create(model, nullptr, memory, bytes, &session, &error), HP_OK)
        << error.message;
    float worst = -1;
    EXPECT_EQ(hp_session_check_goldens(session, &worst), HP_OK)
        << hp_session_last_error(session)->message;
    EXPECT_GE(worst, 0);
    std::free(memory);
    hp_model_close(model);
  }
}

}  // namespace
}  // namespace handpick

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  handpick::bundles.assign(argv + 1, argv + argc);
  return RUN_ALL_TESTS();
}
