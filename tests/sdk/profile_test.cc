// The profile of a model's steps, by a clock that counts how often it was asked.
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::kSequenceEvent;
using testing::kSequenceItem;
using testing::kSequenceUser;
using testing::MakeSequenceBundle;
using testing::OpenModel;
using testing::OpenSession;
using testing::Serialized;

constexpr uint32_t kTile = 2;
constexpr uint64_t kTick = 3;  // Between two readings of the clock.

class ProfileTest : public ::testing::Test {
 protected:
  ProfileTest()
      : bundle_(MakeSequenceBundle(schema::RecurrentCell::AttentionUpdateGru)),
        model_(Serialized(*bundle_)),
        session_(model_.get(), kTile),
        steps_(bundle_->steps.size()) {
    profile_.clock = [](void* opaque) { return *static_cast<uint64_t*>(opaque) += kTick; };
    profile_.opaque = &time_;
    profile_.steps = steps_.data();
    profile_.step_count = static_cast<uint32_t>(steps_.size());
  }

  hp_session* session() { return session_.get(); }
  hp_status Start() { return hp_session_set_profile(session(), &profile_); }

  std::vector<float> Score(size_t candidates) {
    std::vector<int64_t> items(candidates);
    for (size_t i = 0; i < candidates; ++i) items[i] = static_cast<int64_t>(i % 6);
    std::vector<float> logits(candidates);
    EXPECT_EQ(hp_session_score(session(), Batch(candidates).Integers(kSequenceItem, items).get(),
                               nullptr, logits.data()),
              HP_OK)
        << session_.message();
    return logits;
  }

  void Append(std::vector<int64_t> events) {
    Batch batch(events.size());
    EXPECT_EQ(hp_session_append_events(session(), batch.Integers(kSequenceEvent, events).get()),
              HP_OK)
        << session_.message();
  }

  // Runs of each step of a domain.
  std::vector<uint64_t> Runs(schema::Domain domain) const {
    std::vector<uint64_t> runs;
    for (size_t i = 0; i < steps_.size(); ++i) {
      const schema::ValueT& output = *bundle_->values[bundle_->steps[i]->output];
      if (bundle_->buffers[output.buffer]->domain == domain) runs.push_back(steps_[i].runs);
    }
    EXPECT_FALSE(runs.empty());
    return runs;
  }

  static void ExpectAll(const std::vector<uint64_t>& runs, uint64_t expected) {
    for (const uint64_t r : runs) EXPECT_EQ(r, expected);
  }

  std::unique_ptr<schema::BundleT> bundle_;
  OpenModel model_;
  OpenSession session_;
  std::vector<hp_step_profile> steps_;
  uint64_t time_ = 0;
  hp_profile profile_ = HP_PROFILE_INIT;
};

TEST_F(ProfileTest, TheBundleSaysHowManyStepsThereAre) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model_.get(), &info), HP_OK);
  EXPECT_EQ(info.step_count, steps_.size());
}

TEST_F(ProfileTest, CountsEachStepWhenItRuns) {
  ASSERT_EQ(Start(), HP_OK);
  Append({1, 2, 3});
  ExpectAll(Runs(schema::Domain::History), 3);
  ExpectAll(Runs(schema::Domain::Context), 0);
  ExpectAll(Runs(schema::Domain::Candidate), 0);
  Score(5);  // Three tiles.
  ExpectAll(Runs(schema::Domain::Context), 1);
  ExpectAll(Runs(schema::Domain::Candidate), 3);
  ExpectAll(Runs(schema::Domain::Pair), 3);
  Score(1);
  ExpectAll(Runs(schema::Domain::Context), 1);
  ExpectAll(Runs(schema::Domain::Candidate), 4);
  ExpectAll(Runs(schema::Domain::History), 3);
}

TEST_F(ProfileTest, TicksAreBetweenTwoReadingsOfTheClock) {
  ASSERT_EQ(Start(), HP_OK);
  Append({1, 2});
  Score(3);
  for (const hp_step_profile& step : steps_) EXPECT_EQ(step.ticks, kTick * step.runs);
  uint64_t runs = 0;
  for (const hp_step_profile& step : steps_) runs += step.runs;
  EXPECT_EQ(time_, 2 * kTick * runs);
}

TEST_F(ProfileTest, GoesOnFromWhatTheArrayHolds) {
  for (hp_step_profile& step : steps_) step = {1000, 10};
  ASSERT_EQ(Start(), HP_OK);
  Score(2);
  ExpectAll(Runs(schema::Domain::Candidate), 11);
  ExpectAll(Runs(schema::Domain::History), 10);
}

TEST_F(ProfileTest, NullEndsIt) {
  ASSERT_EQ(Start(), HP_OK);
  Score(2);
  ASSERT_EQ(hp_session_set_profile(session(), nullptr), HP_OK);
  const uint64_t time = time_;
  Append({1});
  Score(2);
  EXPECT_EQ(time_, time);
  ExpectAll(Runs(schema::Domain::Candidate), 1);
}

TEST_F(ProfileTest, TheProfileIsCopiedAndTheScoresAreTheSame) {
  Append({4, 2});
  const std::vector<float> plain = Score(6);
  ASSERT_EQ(Start(), HP_OK);
  profile_ = HP_PROFILE_INIT;
  EXPECT_EQ(Score(6), plain);
  ExpectAll(Runs(schema::Domain::Candidate), 3);
}

TEST_F(ProfileTest, RefusesWhatIsNoProfileAndGoesOnAsBefore) {
  ASSERT_EQ(Start(), HP_OK);
  const hp_profile good = profile_;
  const auto expect_refused = [&](const std::string& message) {
    EXPECT_EQ(Start(), HP_INVALID_ARGUMENT);
    EXPECT_NE(std::string(session_.message()).find(message), std::string::npos)
        << session_.message();
    profile_ = good;
  };
  profile_.struct_size = 7;
  expect_refused("struct_size 7");
  profile_.clock = nullptr;
  expect_refused("clock is null");
  profile_.steps = nullptr;
  expect_refused("array of steps is null");
  --profile_.step_count;
  expect_refused("the profile has " + std::to_string(steps_.size() - 1) + " entries, the model " +
                 std::to_string(steps_.size()) + " steps");
  Score(1);
  ExpectAll(Runs(schema::Domain::Candidate), 1);
}

}  // namespace
}  // namespace handpick
