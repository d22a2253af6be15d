// How long a model is there: it has owners.
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::Bytes;
using testing::kAge;
using testing::kItem;
using testing::kUser;
using testing::MakeTinyBundle;
using testing::Serialized;

class OwnersTest : public ::testing::Test {
 protected:
  OwnersTest() : bytes_(Serialized(*MakeTinyBundle())) {
    allocator_.allocate = [](void* opaque, size_t bytes, size_t alignment) -> void* {
      ++*static_cast<std::atomic<int>*>(opaque);
      return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    };
    allocator_.release = [](void* opaque, void* memory, size_t) {
      --*static_cast<std::atomic<int>*>(opaque);
      std::free(memory);
    };
    allocator_.opaque = &blocks_;
    hp_open_options options = HP_OPEN_OPTIONS_INIT;
    options.allocator = &allocator_;
    EXPECT_EQ(hp_model_open_buffer(bytes_.data(), bytes_.size(), &options, &model_, nullptr),
              HP_OK);
  }

  static float Logit(hp_session* session) {
    Batch context(1), batch(1);
    context.Integers(kUser, {3}).Numbers(kAge, {0.25f});
    batch.Integers(kItem, {20});
    float logit = 0;
    EXPECT_EQ(hp_session_set_context(session, context.get()), HP_OK);
    EXPECT_EQ(hp_session_score(session, batch.get(), nullptr, &logit), HP_OK);
    return logit;
  }

  Bytes bytes_;
  std::atomic<int> blocks_{0};
  hp_allocator allocator_ = HP_ALLOCATOR_INIT;
  hp_model* model_ = nullptr;
};

TEST_F(OwnersTest, TheLastOneDestroysTheModel) {
  hp_model_retain(model_);
  hp_model_retain(model_);
  hp_model_close(model_);
  hp_model_close(model_);
  EXPECT_GT(blocks_, 0);
  hp_model_info info = HP_MODEL_INFO_INIT;
  EXPECT_EQ(hp_model_get_info(model_, &info), HP_OK);
  hp_model_close(model_);
  EXPECT_EQ(blocks_, 0);
}

TEST_F(OwnersTest, ASessionIsOne) {
  hp_session* first = nullptr;
  hp_session* second = nullptr;
  ASSERT_EQ(hp_session_new(model_, nullptr, &first, nullptr), HP_OK);
  ASSERT_EQ(hp_session_new(model_, nullptr, &second, nullptr), HP_OK);
  const float logit = Logit(first);
  hp_model_close(model_);
  EXPECT_EQ(Logit(second), logit);
  hp_session_free(first);
  EXPECT_EQ(Logit(second), logit);
  EXPECT_GT(blocks_, 0);
  hp_session_free(second);
  EXPECT_EQ(blocks_, 0);
}

TEST_F(OwnersTest, ASessionThatWasNotMadeIsNone) {
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.tile = 33;
  hp_session* session = nullptr;
  EXPECT_EQ(hp_session_new(model_, &options, &session, nullptr), HP_INVALID_ARGUMENT);
  hp_model_close(model_);
  EXPECT_EQ(blocks_, 0);
}

TEST_F(OwnersTest, ThreadsCountRight) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    hp_model_retain(model_);
    threads.emplace_back([this] {
      for (int i = 0; i < 200; ++i) {
        hp_session* session = nullptr;
        ASSERT_EQ(hp_session_new(model_, nullptr, &session, nullptr), HP_OK);
        hp_model_retain(model_);
        hp_model_close(model_);
        hp_session_free(session);
      }
      hp_model_close(model_);
    });
  }
  hp_model_close(model_);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(blocks_, 0);
}

}  // namespace
}  // namespace handpick
