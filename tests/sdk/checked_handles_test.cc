// What debug builds say of handles that are used wrongly, with the library that has those checks.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::Bytes;
using testing::kItem;
using testing::kSeen;
using testing::kUser;
using testing::MakeRecallBundle;
using testing::OpenOverlay;
using testing::OpenSession;
using testing::RecallBundle;
using testing::RecallBundleOptions;
using testing::Serialized;

constexpr char kModelClosed[] = "the session's model was closed";
constexpr char kBusy[] =
    "another call on the session has not returned: of a second thread, or the one whose callback "
    "this is";

class CheckedHandlesTest : public ::testing::Test {
 protected:
  CheckedHandlesTest()
      : made_(MakeRecallBundle(RecallBundleOptions{})), bytes_(Serialized(*made_.bundle)) {}

  hp_model* Open() {
    hp_model* model = nullptr;
    hp_error error;
    EXPECT_EQ(hp_model_open_buffer(bytes_.data(), bytes_.size(), nullptr, &model, &error), HP_OK)
        << error.message;
    return model;
  }

  hp_status SetUser(hp_session* session) {
    Batch context(1);
    context.Integers(kUser, {2});
    return hp_session_set_context(session, context.get());
  }

  hp_status Score(hp_session* session, std::vector<float>* logits) {
    Batch batch(5);
    std::vector<int64_t> items;
    for (size_t i = 0; i < 5; ++i) items.push_back(made_.ids[i].integer);
    batch.Integers(kItem, items);
    logits->assign(5, -77);
    return hp_session_score(session, batch.get(), nullptr, logits->data());
  }

  RecallBundle made_;
  Bytes bytes_;
};

TEST_F(CheckedHandlesTest, ASessionInTheCallersMemoryKnowsThatItsModelIsClosed) {
  hp_model* model = Open();
  const OpenSession session(model);
  ASSERT_EQ(SetUser(session.get()), HP_OK);
  std::vector<float> logits;
  ASSERT_EQ(Score(session.get(), &logits), HP_OK);
  hp_model_close(model);
  EXPECT_EQ(Score(session.get(), &logits), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_session_last_error(session.get())->status, HP_INVALID_ARGUMENT);
  EXPECT_STREQ(session.message(), kModelClosed);
  EXPECT_EQ(SetUser(session.get()), HP_INVALID_ARGUMENT);
  hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
  EXPECT_EQ(hp_session_get_counters(session.get(), &counters), HP_INVALID_ARGUMENT);
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  options.k = 1;
  hp_recalled item;
  size_t count;
  EXPECT_EQ(hp_session_recall(session.get(), &options, &item, &count), HP_INVALID_ARGUMENT);
  float worst;
  EXPECT_EQ(hp_session_check_goldens(session.get(), &worst), HP_INVALID_ARGUMENT);
  // Another model, in the same memory perhaps, does not take its place.
  hp_model* other = Open();
  EXPECT_EQ(Score(session.get(), &logits), HP_INVALID_ARGUMENT);
  EXPECT_STREQ(session.message(), kModelClosed);
  hp_model_close(other);
}

TEST_F(CheckedHandlesTest, AModelThatIsClosed) {
  hp_model* model = Open();
  hp_model_close(model);
  hp_error error = {};
  hp_session* session = nullptr;
  EXPECT_EQ(hp_session_new(model, nullptr, &session, &error), HP_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "the model was closed");
  size_t bytes;
  EXPECT_EQ(hp_session_memory_size(model, nullptr, &bytes, &error), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_model_check(model, &error), HP_INVALID_ARGUMENT);
  hp_model_info info = HP_MODEL_INFO_INIT;
  EXPECT_EQ(hp_model_get_info(model, &info), HP_INVALID_ARGUMENT);
  uint32_t feature;
  EXPECT_EQ(hp_model_find_feature(model, HP_SIDE_CONTEXT, "user", &feature), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_recall_overlay_memory_size(model, 3, &bytes, &error), HP_INVALID_ARGUMENT);
  hp_model_retain(model);
  hp_model_close(model);
}

TEST_F(CheckedHandlesTest, AnOverlayOfAModelThatIsClosed) {
  hp_model* model = Open();
  OpenOverlay overlay(model, 4);
  ASSERT_EQ(overlay.Hide(made_.ids[3]), HP_OK);
  hp_model_close(model);
  EXPECT_EQ(overlay.Hide(made_.ids[4]), HP_INVALID_ARGUMENT);
  EXPECT_STREQ(overlay.error()->message, "the overlay's model was closed");
}

TEST_F(CheckedHandlesTest, ASessionOfItsOwnMemoryKeepsTheModelOpen) {
  hp_model* model = Open();
  hp_session* session = nullptr;
  ASSERT_EQ(hp_session_new(model, nullptr, &session, nullptr), HP_OK);
  hp_model_close(model);
  ASSERT_EQ(SetUser(session), HP_OK) << hp_session_last_error(session)->message;
  std::vector<float> logits;
  EXPECT_EQ(Score(session, &logits), HP_OK);
  hp_session_free(session);
}

// A callback that uses the session that called it.
TEST_F(CheckedHandlesTest, ACallbackIsRefused) {
  hp_model* model = Open();
  const OpenSession session(model);
  ASSERT_EQ(SetUser(session.get()), HP_OK);
  Batch events(1);
  events.Integers(kSeen, {made_.ids[3].integer});
  ASSERT_EQ(hp_session_set_history(session.get(), events.get()), HP_OK);
  struct Callback {
    hp_session* session;
    int calls = 0;
    hp_status status = HP_OK;
    std::string message;
  } callback = {session.get(), 0, HP_OK, ""};
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  options.k = 3;
  hp_recalled without[3], with[3];
  size_t count_without = 0, count = 0;
  ASSERT_EQ(hp_session_recall(session.get(), &options, without, &count_without), HP_OK);
  options.accepts = [](void* opaque, uint32_t, const hp_item_id*) {
    auto* to = static_cast<Callback*>(opaque);
    ++to->calls;
    Batch context(1);
    context.Integers(kUser, {1});
    to->status = hp_session_set_context(to->session, context.get());
    to->message = hp_session_last_error(to->session)->message;
    return 1;
  };
  options.accepts_opaque = &callback;
  ASSERT_EQ(hp_session_recall(session.get(), &options, with, &count), HP_OK);
  EXPECT_GT(callback.calls, 0);
  EXPECT_EQ(callback.status, HP_INVALID_ARGUMENT);
  EXPECT_EQ(callback.message, kBusy);
  ASSERT_EQ(count, count_without);
  for (size_t i = 0; i < count; ++i) EXPECT_EQ(with[i].item, without[i].item);
  EXPECT_EQ(SetUser(session.get()), HP_OK);
  EXPECT_STREQ(session.message(), "") << "what was refused is no error of the call that ran";
  hp_model_close(model);
}

TEST_F(CheckedHandlesTest, ASecondThreadIsRefused) {
  hp_model* model = Open();
  const OpenSession session(model);
  ASSERT_EQ(SetUser(session.get()), HP_OK);
  std::vector<float> right, logits, refused;
  ASSERT_EQ(Score(session.get(), &right), HP_OK);
  // The first thread waits inside of a call, in the clock.
  struct Gate {
    std::atomic<bool> inside{false};
    std::atomic<bool> open{false};
  } gate;
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model, &info), HP_OK);
  std::vector<hp_step_profile> steps(info.step_count);
  hp_profile profile = HP_PROFILE_INIT;
  profile.clock = [](void* opaque) {
    auto* of = static_cast<Gate*>(opaque);
    of->inside = true;
    while (!of->open) std::this_thread::yield();
    return uint64_t{0};
  };
  profile.opaque = &gate;
  profile.steps = steps.data();
  profile.step_count = info.step_count;
  ASSERT_EQ(hp_session_set_profile(session.get(), &profile), HP_OK);
  hp_status first_status = HP_INTERNAL;
  std::thread first([&] { first_status = Score(session.get(), &logits); });
  while (!gate.inside) std::this_thread::yield();
  EXPECT_EQ(Score(session.get(), &refused), HP_INVALID_ARGUMENT);
  EXPECT_STREQ(session.message(), kBusy);
  EXPECT_EQ(refused, std::vector<float>(refused.size(), -77));
  gate.open = true;
  first.join();
  EXPECT_EQ(first_status, HP_OK);
  EXPECT_EQ(logits, right);
  EXPECT_EQ(Score(session.get(), &logits), HP_OK);
  EXPECT_EQ(logits, right);
  hp_model_close(model);
}

TEST_F(CheckedHandlesTest, TheSizesThatAreToldHoldTheChecks) {
  hp_model* model = Open();
  size_t bytes = 0;
  ASSERT_EQ(hp_session_memory_size(model, nullptr, &bytes, nullptr), HP_OK);
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model, &info), HP_OK);
  EXPECT_EQ(info.session_bytes, bytes);
  ASSERT_EQ(hp_bundle_inspect(bytes_.data(), bytes_.size(), &info, nullptr), HP_OK);
  EXPECT_EQ(info.session_bytes, bytes);
  hp_model_close(model);
}

}  // namespace
}  // namespace handpick
