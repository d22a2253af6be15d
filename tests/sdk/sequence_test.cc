// Sessions of sequence models through the C API: values by hand, histories that grow by one event,
// and what a bundle with these operators has to keep.
#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using schema::BundleT;
using schema::RecurrentCell;
using testing::Batch;
using testing::Bytes;
using testing::kSequenceEvent;
using testing::kSequenceItem;
using testing::kSequenceUser;
using testing::MakeSequenceBundle;
using testing::OpenModel;
using testing::OpenSession;
using testing::SequenceLogit;
using testing::Serialized;

Batch Events(const std::vector<int64_t>& events) {
  Batch batch(events.size());
  batch.Integers(kSequenceEvent, events);
  return batch;
}

const std::vector<int64_t> kItems = {0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0, 3, 1, 4, 1, 5, 2, 2, 3};

std::vector<float> Logits(hp_session* session, const std::vector<int64_t>& items = kItems) {
  Batch batch(items.size());
  batch.Integers(kSequenceItem, items);
  std::vector<float> logits(items.size(), -77);
  EXPECT_EQ(hp_session_score(session, batch.get(), nullptr, logits.data()), HP_OK)
      << hp_session_last_error(session)->message;
  return logits;
}

void SetUser(hp_session* session, int64_t user) {
  Batch batch(1);
  batch.Integers(kSequenceUser, {user});
  ASSERT_EQ(hp_session_set_context(session, batch.get()), HP_OK)
      << hp_session_last_error(session)->message;
}

class SequenceTest : public ::testing::TestWithParam<RecurrentCell> {
 protected:
  SequenceTest()
      : bundle_(MakeSequenceBundle(GetParam())),
        model_(Serialized(*bundle_)),
        session_(model_.get()) {}
  void SetUp() override {
    ASSERT_EQ(model_.status(), HP_OK) << model_.error().message;
    ASSERT_NE(session_.get(), nullptr) << session_.error().message;
  }

  std::unique_ptr<BundleT> bundle_;
  OpenModel model_;
  OpenSession session_;
};

TEST_P(SequenceTest, LogitsAreThoseOfTheFormulasForEveryHistoryLength) {
  for (const std::vector<int64_t>& events :
       std::vector<std::vector<int64_t>>{{}, {3}, {3, 1}, {5, 0, 2}, {4, 4, 1, 0}}) {
    SetUser(session_.get(), 2);
    ASSERT_EQ(hp_session_set_history(session_.get(), Events(events).get()), HP_OK)
        << session_.message();
    const std::vector<float> logits = Logits(session_.get());
    for (size_t i = 0; i < logits.size(); ++i) {
      ASSERT_NEAR(logits[i], SequenceLogit(*bundle_, 2, events, static_cast<uint32_t>(kItems[i])),
                  1e-5)
          << events.size() << " events, candidate " << i;
    }
  }
}

TEST_P(SequenceTest, ScoresHaveTheSameBitsForAnyTileAndOneAtATime) {
  for (const std::vector<int64_t>& events :
       std::vector<std::vector<int64_t>>{{}, {3}, {4, 4, 1, 0}}) {
    ASSERT_EQ(hp_session_set_history(session_.get(), Events(events).get()), HP_OK);
    const std::vector<float> expected = Logits(session_.get());
    for (const uint32_t tile : {1u, 2u, 3u, 7u, 8u}) {
      const OpenSession other(model_.get(), tile);
      ASSERT_EQ(hp_session_set_history(other.get(), Events(events).get()), HP_OK);
      ASSERT_EQ(Logits(other.get()), expected)
          << "tile " << tile << ", " << events.size() << " events";
    }
    for (size_t i = 0; i < kItems.size(); ++i)
      ASSERT_EQ(Logits(session_.get(), {kItems[i]})[0], expected[i]);
  }
}

TEST_P(SequenceTest, AppendingOneByOneEqualsSettingAtOnceAndBothEqualTheWindow) {
  const OpenSession whole(model_.get());
  std::mt19937_64 random(3);
  std::vector<int64_t> events;
  for (int e = 0; e < 200; ++e) {
    events.push_back(static_cast<int64_t>(random() % 6));
    ASSERT_EQ(hp_session_append_events(session_.get(), Events({events.back()}).get()), HP_OK);
    if (random() % 2 == 0) Logits(session_.get());
    if (e % 7 > 1) continue;
    ASSERT_EQ(hp_session_set_history(whole.get(), Events(events).get()), HP_OK);
    ASSERT_EQ(Logits(session_.get()), Logits(whole.get())) << "after " << e + 1;
    const std::vector<int64_t> window(
        events.end() - std::min<ptrdiff_t>(4, static_cast<ptrdiff_t>(events.size())), events.end());
    ASSERT_NEAR(Logits(session_.get(), {1})[0], SequenceLogit(*bundle_, 0, window, 1), 1e-5);
  }
}

TEST_P(SequenceTest, SeveralEventsAtOnceEqualTheSameOneByOne) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 50; ++round) {
    const OpenSession at_once(model_.get());
    const OpenSession one_by_one(model_.get());
    for (int batch = 0; batch < 3; ++batch) {
      std::vector<int64_t> events(random() % 7);
      for (int64_t& event : events) event = static_cast<int64_t>(random() % 6);
      ASSERT_EQ(hp_session_append_events(at_once.get(), Events(events).get()), HP_OK);
      for (const int64_t event : events) {
        ASSERT_EQ(hp_session_append_events(one_by_one.get(), Events({event}).get()), HP_OK);
      }
      ASSERT_EQ(Logits(at_once.get()), Logits(one_by_one.get())) << "round " << round;
    }
  }
}

TEST_P(SequenceTest, StatesAreCarriedOnWhereTheBundleSaysSo) {
  bundle_->beyond_maximum = schema::BeyondMaximum::Carry;
  const OpenModel model(Serialized(*bundle_));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession appended(model.get());
  const OpenSession whole(model.get());
  std::vector<int64_t> events;
  std::vector<uint64_t> work;
  for (int e = 0; e < 12; ++e) {
    events.push_back((e * 5 + 1) % 6);
    hp_session_counters before;
    hp_session_get_counters(appended.get(), &before);
    ASSERT_EQ(hp_session_append_events(appended.get(), Events({events.back()}).get()), HP_OK);
    hp_session_counters after;
    hp_session_get_counters(appended.get(), &after);
    work.push_back(after.event_multiplications - before.event_multiplications);
    ASSERT_EQ(hp_session_set_history(whole.get(), Events(events).get()), HP_OK);
    ASSERT_EQ(Logits(appended.get()), Logits(whole.get())) << "after " << e + 1;
  }
  EXPECT_EQ(*std::min_element(work.begin(), work.end()),
            *std::max_element(work.begin(), work.end()))
      << "the work of an event does not depend on how many came before";
  // The window alone has other states.
  ASSERT_EQ(hp_session_set_history(whole.get(), Events({events.end() - 4, events.end()}).get()),
            HP_OK);
  EXPECT_NE(Logits(appended.get()), Logits(whole.get()));
}

TEST_P(SequenceTest, AnEventCostsOneEventUntilTheHistoryIsFull) {
  std::vector<uint64_t> work;
  for (int e = 0; e < 6; ++e) {
    hp_session_counters before;
    hp_session_get_counters(session_.get(), &before);
    ASSERT_EQ(hp_session_append_events(session_.get(), Events({e % 6}).get()), HP_OK);
    hp_session_counters after;
    hp_session_get_counters(session_.get(), &after);
    work.push_back(after.event_multiplications - before.event_multiplications);
  }
  const uint64_t per_event = 4 * 12 + 4 * 3;  // Gates and key.
  const uint64_t per_state = 4 * 12;
  EXPECT_EQ(work, (std::vector<uint64_t>{per_event + per_state, per_event + per_state,
                                         per_event + per_state, per_event + per_state,
                                         per_event + 4 * per_state, per_event + 4 * per_state}));
}

TEST_P(SequenceTest, ACandidateCostsItsOwnPartPerEvent) {
  ASSERT_EQ(hp_session_set_history(session_.get(), Events({1, 2, 3}).get()), HP_OK);
  hp_session_counters before;
  hp_session_get_counters(session_.get(), &before);
  Logits(session_.get());
  hp_session_counters after;
  hp_session_get_counters(session_.get(), &after);
  const uint64_t per_pair = 4 * 3 + 3 + 4 + 4 * 12;  // Product, score, pool, state.
  const uint64_t per_candidate = 4 * 3 + 12;         // Query, head.
  EXPECT_EQ(after.candidate_multiplications - before.candidate_multiplications,
            kItems.size() * (3 * per_pair + per_candidate));
}

INSTANTIATE_TEST_SUITE_P(Cells, SequenceTest,
                         ::testing::Values(RecurrentCell::AttentionInputGru,
                                           RecurrentCell::AttentionGru,
                                           RecurrentCell::AttentionUpdateGru));

struct Damage {
  const char* name;
  std::function<void(BundleT*)> apply;
  const char* message;
};

schema::StepT* Session(BundleT* b, size_t i) { return b->session_program->steps[i].get(); }
schema::StepT* Candidate(BundleT* b, size_t i) { return b->candidate_program->steps[i].get(); }

const Damage kDamages[] = {
    {"TooManyPairs",
     [](BundleT* b) {
       b->tile = 1u << 16;
       b->max_history = 1u << 16;
     },
     "too many pairs"},
    {"BeyondMaximum", [](BundleT* b) { b->beyond_maximum = static_cast<schema::BeyondMaximum>(9); },
     "beyond_maximum"},
    {"MultiplyRange", [](BundleT* b) { Candidate(b, 2)->op.AsMultiply()->a = 99; },
     "operand does not exist"},
    {"MultiplyWidth", [](BundleT* b) { Candidate(b, 2)->op.AsMultiply()->a = 4; }, "wrong width"},
    {"EventOfTheContext", [](BundleT* b) { Session(b, 3)->op.AsDense()->input = 0; },
     "cannot read"},
    {"DiceScale", [](BundleT* b) { Candidate(b, 4)->op.AsAdd()->activation->scale.pop_back(); },
     "scales or shifts"},
    {"DiceAlpha", [](BundleT* b) { Candidate(b, 4)->op.AsAdd()->activation->alpha.pop_back(); },
     "slopes"},
    {"SoftmaxDomain", [](BundleT* b) { Candidate(b, 6)->op.AsSoftmaxOverHistory()->input = 7; },
     "cannot read"},
    {"PoolWeights", [](BundleT* b) { Candidate(b, 7)->op.AsWeightedPool()->weights = 7; },
     "cannot read"},
    {"PoolValues", [](BundleT* b) { Candidate(b, 7)->op.AsWeightedPool()->values = 0; },
     "cannot read"},
    {"PoolEmptyValue",
     [](BundleT* b) { Candidate(b, 7)->op.AsWeightedPool()->empty_value.pop_back(); },
     "empty value"},
    {"Cell",
     [](BundleT* b) { Candidate(b, 8)->op.AsAttentionRecurrence()->cell = RecurrentCell::Gru; },
     "cell"},
    {"InputBias", [](BundleT* b) { Candidate(b, 8)->op.AsAttentionRecurrence()->input_bias = {1}; },
     "input bias"},
    {"RecurrenceWeights", [](BundleT* b) { Session(b, 4)->op.AsRecurrence()->weights = 2; },
     "state's width"},
    {"RecurrenceWeightsRange", [](BundleT* b) { Session(b, 4)->op.AsRecurrence()->weights = 99; },
     "do not exist"},
    {"RecurrenceScratchRange", [](BundleT* b) { Session(b, 4)->op.AsRecurrence()->scratch = 99; },
     "scratch does not"},
    {"RecurrenceScratch", [](BundleT* b) { Session(b, 4)->op.AsRecurrence()->scratch = 1; },
     "scratch is no value"},
    {"RecurrenceGates", [](BundleT* b) { Session(b, 4)->op.AsRecurrence()->gates = 3; },
     "wrong width"},
    {"RecurrenceDomain", [](BundleT* b) { Session(b, 4)->domain = schema::Domain::Context; },
     "another domain"},
    {"EvolutionScratch",
     [](BundleT* b) { Candidate(b, 8)->op.AsAttentionRecurrence()->scratch = 2; },
     "scratch is no value"},
    {"EvolutionAttention",
     [](BundleT* b) { Candidate(b, 8)->op.AsAttentionRecurrence()->attention = 7; }, "cannot read"},
    {"BiInteractionWidth", [](BundleT* b) { Candidate(b, 11)->op.AsBiInteraction()->sum = 8; },
     "wrong width"},
};

class SequenceDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(SequenceDamageTest, IsRefusedByName) {
  auto bundle = MakeSequenceBundle(RecurrentCell::AttentionUpdateGru);
  GetParam().apply(bundle.get());
  const Bytes bytes(Serialized(*bundle));
  hp_bundle_info info;
  hp_error error = {};
  EXPECT_EQ(hp_bundle_inspect(bytes.data(), bytes.size(), &info, &error), HP_BUNDLE_CORRUPT);
  EXPECT_NE(std::string(error.message).find(GetParam().message), std::string::npos)
      << "message: " << error.message << "\nexpected a part: " << GetParam().message;
}

INSTANTIATE_TEST_SUITE_P(OneRuleAtATime, SequenceDamageTest, ::testing::ValuesIn(kDamages),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace handpick
