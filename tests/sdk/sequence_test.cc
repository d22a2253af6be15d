// Sessions of sequence models through the C API: values by hand, histories that grow by one event,
// and what a bundle with these operators has to keep.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/bundle_parts.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using schema::BundleT;
using schema::Domain;
using schema::RecurrentCell;
using testing::AddBuffer;
using testing::AddDense;
using testing::AddValue;
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
using testing::StepNamed;

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
  bundle_->sequences[0]->beyond_maximum = schema::BeyondMaximum::Carry;
  const OpenModel model(Serialized(*bundle_));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession appended(model.get());
  const OpenSession whole(model.get());
  std::vector<int64_t> events;
  std::vector<uint64_t> work;
  for (int e = 0; e < 12; ++e) {
    events.push_back((e * 5 + 1) % 6);
    hp_session_counters before = HP_SESSION_COUNTERS_INIT;
    hp_session_get_counters(appended.get(), &before);
    ASSERT_EQ(hp_session_append_events(appended.get(), Events({events.back()}).get()), HP_OK);
    hp_session_counters after = HP_SESSION_COUNTERS_INIT;
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
    hp_session_counters before = HP_SESSION_COUNTERS_INIT;
    hp_session_get_counters(session_.get(), &before);
    ASSERT_EQ(hp_session_append_events(session_.get(), Events({e % 6}).get()), HP_OK);
    hp_session_counters after = HP_SESSION_COUNTERS_INIT;
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
  hp_session_counters before = HP_SESSION_COUNTERS_INIT;
  hp_session_get_counters(session_.get(), &before);
  Logits(session_.get());
  hp_session_counters after = HP_SESSION_COUNTERS_INIT;
  hp_session_get_counters(session_.get(), &after);
  const uint64_t per_pair = 4 * 3 + 3 + 4 + 4 * 12;  // Product, score, pool, state.
  const uint64_t per_candidate = 4 * 3 + 12;         // Query, head.
  EXPECT_EQ(after.candidate_multiplications - before.candidate_multiplications,
            kItems.size() * (3 * per_pair + per_candidate));
}

// The unit as one step: the same numbers by another way.
class FusedUnitTest : public ::testing::TestWithParam<bool> {
 protected:
  FusedUnitTest() : bundle_(MakeSequenceBundle(RecurrentCell::AttentionUpdateGru)) {
    testing::FuseSequenceUnit(GetParam(), bundle_.get());
  }
  std::unique_ptr<BundleT> bundle_;
};

TEST_P(FusedUnitTest, LogitsAreThoseOfTheFormulasForEveryHistoryLength) {
  const OpenModel model(Serialized(*bundle_));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  // Rounded to 127 levels, the scores of three units are off by a few of them.
  const double tolerance = GetParam() ? 0.02 : 1e-5;
  double worst = 0;
  for (const std::vector<int64_t>& events :
       std::vector<std::vector<int64_t>>{{}, {3}, {3, 1}, {5, 0, 2}, {4, 4, 1, 0}}) {
    SetUser(session.get(), 2);
    ASSERT_EQ(hp_session_set_history(session.get(), Events(events).get()), HP_OK);
    const std::vector<float> logits = Logits(session.get());
    for (size_t i = 0; i < logits.size(); ++i) {
      const double exact = SequenceLogit(*bundle_, 2, events, static_cast<uint32_t>(kItems[i]));
      ASSERT_NEAR(logits[i], exact, tolerance) << events.size() << " events, candidate " << i;
      worst = std::max(worst, std::abs(logits[i] - exact));
    }
  }
  if (GetParam()) {
    EXPECT_GT(worst, 1e-5) << "nothing was rounded";
  }
}

TEST_P(FusedUnitTest, ScoresHaveTheSameBitsForAnyTileOneAtATimeAndInAnyPartOfTheRing) {
  const OpenModel model(Serialized(*bundle_));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  // A ring that wraps holds the same events as one that was filled once.
  ASSERT_EQ(hp_session_set_history(session.get(), Events({1, 2, 4, 4, 1, 0}).get()), HP_OK);
  const std::vector<float> expected = Logits(session.get());
  for (const uint32_t tile : {1u, 2u, 3u, 7u, 8u}) {
    const OpenSession other(model.get(), tile);
    ASSERT_EQ(hp_session_set_history(other.get(), Events({4, 4, 1, 0}).get()), HP_OK);
    ASSERT_EQ(Logits(other.get()), expected) << "tile " << tile;
  }
  for (size_t i = 0; i < kItems.size(); ++i) {
    ASSERT_EQ(Logits(session.get(), {kItems[i]})[0], expected[i]);
  }
}

TEST_P(FusedUnitTest, AnEventsMatrixIsMadeOnce) {
  const OpenModel model(Serialized(*bundle_));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  for (const uint32_t tile : {1u, 8u}) {
    const OpenSession session(model.get(), tile);
    ASSERT_EQ(hp_session_set_history(session.get(), Events({1, 2, 3}).get()), HP_OK);
    hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
    hp_session_get_counters(session.get(), &counters);
    EXPECT_EQ(counters.tile_multiplications, 0u);
    Logits(session.get());
    hp_session_get_counters(session.get(), &counters);
    EXPECT_EQ(counters.tiles, (kItems.size() + tile - 1) / tile);
    EXPECT_EQ(counters.tile_multiplications, 3u * (4 * 3));
    const uint64_t per_pair = 4 * 3 + 3 + 4 + 4 * 12;  // Unit, pool, state.
    EXPECT_EQ(counters.candidate_multiplications, kItems.size() * (3 * per_pair + 12));
    // Of one more, the matrix of that one alone; of another history, those of all.
    ASSERT_EQ(hp_session_append_events(session.get(), Events({4}).get()), HP_OK);
    Logits(session.get());
    Logits(session.get());
    hp_session_get_counters(session.get(), &counters);
    EXPECT_EQ(counters.tile_multiplications, 4u * (4 * 3));
    ASSERT_EQ(hp_session_set_history(session.get(), Events({5, 5}).get()), HP_OK);
    Logits(session.get());
    hp_session_get_counters(session.get(), &counters);
    EXPECT_EQ(counters.tile_multiplications, 6u * (4 * 3));
  }
}

TEST_P(FusedUnitTest, AMatrixThatWasKeptGivesTheBitsOfOneThatIsMadeAnew) {
  for (const bool carry : {false, true}) {
    if (carry) bundle_->sequences[0]->beyond_maximum = schema::BeyondMaximum::Carry;
    const OpenModel model(Serialized(*bundle_));
    ASSERT_EQ(model.status(), HP_OK) << model.error().message;
    const OpenSession kept(model.get());
    std::mt19937_64 random(carry ? 7 : 6);
    std::vector<int64_t> events;
    for (int round = 0; round < 300; ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      std::vector<int64_t> more(random() % 7 == 0 ? random() % 7 : random() % 2);
      for (int64_t& event : more) event = static_cast<int64_t>(random() % 6);
      // A call that fails changes nothing, whatever it had looked at before.
      auto bad = more;
      bad.push_back(6);
      if (random() % 9 == 0) {
        const std::vector<int64_t> none;
        events = random() % 2 == 0 ? more : none;
        ASSERT_NE(hp_session_set_history(kept.get(), Events(bad).get()), HP_OK);
        ASSERT_EQ(hp_session_set_history(kept.get(), Events(events).get()), HP_OK);
      } else {
        events.insert(events.end(), more.begin(), more.end());
        ASSERT_NE(hp_session_append_events(kept.get(), Events(bad).get()), HP_OK);
        ASSERT_EQ(hp_session_append_events(kept.get(), Events(more).get()), HP_OK);
      }
      if (random() % 3 == 0) continue;
      std::vector<int64_t> items(1 + random() % 40);
      for (int64_t& item : items) item = static_cast<int64_t>(random() % 6);
      const OpenSession fresh(model.get());
      ASSERT_EQ(hp_session_set_history(fresh.get(), Events(events).get()), HP_OK);
      ASSERT_EQ(Logits(kept.get(), items), Logits(fresh.get(), items));
    }
  }
}

TEST_P(FusedUnitTest, MatricesThatWouldTakeTooMuchMemoryAreMadeForEachTile) {
  const OpenModel small(Serialized(*bundle_));
  bundle_->sequences[0]->max_events = 50000;  // Of 64 bytes or more: above 2 MiB.
  const OpenModel large(Serialized(*bundle_));
  ASSERT_EQ(large.status(), HP_OK) << large.error().message;
  const OpenSession kept(small.get());
  const OpenSession made(large.get());
  for (hp_session* each : {kept.get(), made.get()}) {
    ASSERT_EQ(hp_session_set_history(each, Events({1, 2, 5, 0}).get()), HP_OK);
  }
  ASSERT_EQ(Logits(made.get()), Logits(kept.get()));
  hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
  hp_session_get_counters(made.get(), &counters);
  EXPECT_GT(counters.tiles, 1u);
  EXPECT_EQ(counters.tile_multiplications, counters.tiles * 4 * (4 * 3));
}

INSTANTIATE_TEST_SUITE_P(Precisions, FusedUnitTest, ::testing::Bool());

INSTANTIATE_TEST_SUITE_P(Cells, SequenceTest,
                         ::testing::Values(RecurrentCell::AttentionInputGru,
                                           RecurrentCell::AttentionGru,
                                           RecurrentCell::AttentionUpdateGru));

struct Damage {
  const char* name;
  std::function<void(BundleT*)> apply;
  const char* message;
};

// Of the candidates, behind all others.
uint32_t NewBuffer(BundleT* b) { return AddBuffer(b, Domain::Candidate, 4, 1024); }
schema::StepT& Step(BundleT* b, const char* name) { return StepNamed(b, name); }
uint32_t ValueOf(BundleT* b, const char* name) {
  for (size_t v = 0; v < b->values.size(); ++v) {
    if (b->values[v]->name == name) return static_cast<uint32_t>(v);
  }
  std::abort();
}
schema::DenseWeightsT& Weights(BundleT* b, const char* name) {
  for (const auto& weights : b->dense_weights) {
    if (weights->name == name) return *weights;
  }
  std::abort();
}

const Damage kDamages[] = {
    {"TooManyPairs",
     [](BundleT* b) {
       b->tile = 1u << 16;
       b->sequences[0]->max_events = 1u << 16;
     },
     "a tile of 65536 candidates and 65536 events has too many pairs"},
    {"BeyondMaximum",
     [](BundleT* b) { b->sequences[0]->beyond_maximum = static_cast<schema::BeyondMaximum>(9); },
     "beyond_maximum is 9"},
    {"MultiplyRange", [](BundleT* b) { Step(b, "product").operands[0] = 99; },
     "step 'product': an operand does not exist"},
    {"MultiplyWidth", [](BundleT* b) { Step(b, "product").operands[0] = ValueOf(b, "query"); },
     "step 'product' (multiply): the width of operand 'a' is 3, expected 4"},
    {"MultiplyOfOne", [](BundleT* b) { Step(b, "product").operands.pop_back(); },
     "step 'product' (multiply): the number of operands is 1, expected 2"},
    {"EventOfTheContext", [](BundleT* b) { Step(b, "gates").operands = {ValueOf(b, "u")}; },
     "step 'gates': operand 'input' lies in a domain that the step cannot read"},
    {"EventRowOfTheContext",
     [](BundleT* b) {
       const uint32_t row = AddValue(b, "row", AddBuffer(b, Domain::Context, 12, 128), 0, 12);
       AddDense(b, "row", {ValueOf(b, "u")}, 0, row);
       std::swap(b->steps[1], b->steps.back());
       std::swap(b->steps[1], b->steps[2]);
       Step(b, "gates").operands.push_back(row);
     },
     "step 'gates': operand 'row' lies in a domain that the step cannot read"},
    {"CandidateOfAnEvent", [](BundleT* b) { Step(b, "query").operands = {ValueOf(b, "k")}; },
     "step 'query': operand 'input' lies in a domain that the step cannot read"},
    {"DiceScale", [](BundleT* b) { Step(b, "unit").activations[0]->scale.pop_back(); },
     "step 'unit' (add): the number of an activation's scales is 2, expected 3"},
    {"DiceShift", [](BundleT* b) { Step(b, "unit").activations[0]->shift.push_back(1); },
     "step 'unit' (add): the number of an activation's shifts is 4, expected 3"},
    {"DiceAlpha", [](BundleT* b) { Step(b, "unit").activations[0]->alpha.pop_back(); },
     "step 'unit' (add): the number of an activation's slopes is 2, expected 3"},
    {"SoftmaxDomain",
     [](BundleT* b) { Step(b, "attention").operands = {AddValue(b, "first", 6, 0, 1)}; },
     "step 'attention': operand 'score' lies in a domain that the step cannot read"},
    {"SoftmaxWidth", [](BundleT* b) { Step(b, "attention").operands = {ValueOf(b, "part")}; },
     "step 'attention' (softmax over history): the width of operand 'score' is 3, expected 1"},
    {"PoolWeights",
     [](BundleT* b) { Step(b, "interest").operands[0] = AddValue(b, "first", 6, 0, 1); },
     "step 'interest': operand 'weight' lies in a domain that the step cannot read"},
    {"PoolValues", [](BundleT* b) { Step(b, "interest").operands[1] = ValueOf(b, "u"); },
     "step 'interest': operand 'value' lies in a domain that the step cannot read"},
    {"PoolValuesWidth", [](BundleT* b) { Step(b, "interest").operands[1] = ValueOf(b, "key"); },
     "step 'interest' (weighted pool): the width of operand 'value' is 3, expected 4"},
    {"PoolEmptyValue", [](BundleT* b) { Step(b, "interest").numbers.pop_back(); },
     "step 'interest' (weighted pool): the number of its numbers is 3, expected 4"},
    {"Cell", [](BundleT* b) { Step(b, "evolved").cell = RecurrentCell::Gru; },
     "step 'evolved' (attention recurrence): its recurrent cell is not one that it takes"},
    {"LaterCell", [](BundleT* b) { Step(b, "evolved").cell = static_cast<RecurrentCell>(9); },
     "step 'evolved' (attention recurrence): its recurrent cell is not one that it takes"},
    {"InputBias", [](BundleT* b) { Step(b, "evolved").numbers = {1}; },
     "step 'evolved' (attention recurrence): the number of its numbers is 1, expected 0"},
    {"NoInputBias", [](BundleT* b) { Step(b, "evolved").cell = RecurrentCell::AttentionInputGru; },
     "step 'evolved' (attention recurrence): the number of its numbers is 0, expected 12"},
    {"RecurrenceCell", [](BundleT* b) { Step(b, "s").cell = RecurrentCell::AttentionGru; },
     "step 's' (recurrence): its recurrent cell is not one that it takes"},
    {"RecurrenceWeights", [](BundleT* b) { Step(b, "s").weights = {2}; },
     "step 's' (recurrence): the output width of 'state weights' is 3, expected 12"},
    {"RecurrenceWeightsRange", [](BundleT* b) { Step(b, "s").weights = {99}; },
     "step 's': its weights do not exist"},
    {"RecurrenceGates", [](BundleT* b) { Step(b, "s").operands = {ValueOf(b, "key")}; },
     "step 's' (recurrence): the width of operand 'gates' is 3, expected 12"},
    {"RecurrenceDomain",
     [](BundleT* b) { Step(b, "s").output = AddValue(b, "s2", NewBuffer(b), 0, 4); },
     "step 's': its result lies in a domain that its kind is not for"},
    {"EvolutionWeights", [](BundleT* b) { Step(b, "evolved").weights = {2}; },
     "step 'evolved' (attention recurrence): the output width of 'state weights' is 3, expected "
     "12"},
    {"EvolutionWeightsRange", [](BundleT* b) { Step(b, "evolved").weights = {99}; },
     "step 'evolved': its weights do not exist"},
    {"EvolutionAttention",
     [](BundleT* b) { Step(b, "evolved").operands[1] = AddValue(b, "first", 6, 0, 1); },
     "step 'evolved': operand 'attention' lies in a domain that the step cannot read"},
    {"BiInteractionWidth", [](BundleT* b) { Step(b, "pairs").operands[0] = ValueOf(b, "query"); },
     "step 'pairs' (bi-interaction of sums): the width of operand 'sum' is 3, expected 4"},
};

schema::StepT& Unit(BundleT* b) { return Step(b, "score"); }

// The value's buffer has a column more than the value.
void ShareBuffer(BundleT* b, const char* value) {
  schema::BufferT& buffer = *b->buffers[b->values[ValueOf(b, value)]->buffer];
  buffer.width += 1;
  buffer.offset = 256;
}

const Damage kUnitDamages[] = {
    {"UnitOfTheCandidates",
     [](BundleT* b) { Unit(b).output = AddValue(b, "s2", NewBuffer(b), 0, 1); },
     "step 'score': its result lies in a domain that its kind is not for"},
    {"ResultOfSeveralNumbers", [](BundleT* b) { Unit(b).output = ValueOf(b, "part"); },
     "step 'score' (attention unit): the output width of the last layer is 1, expected 3"},
    {"ResultRange", [](BundleT* b) { Unit(b).output = 99; }, "its result does not exist"},
    {"ResultSharesABuffer", [](BundleT* b) { ShareBuffer(b, "score"); },
     "step 'score': its numbers per candidate and event share a buffer"},
    {"QueryRange", [](BundleT* b) { Unit(b).operands[0] = 99; }, "operand does not exist"},
    {"KeyRange", [](BundleT* b) { Unit(b).operands[1] = 99; }, "operand does not exist"},
    {"KeyRowRange", [](BundleT* b) { Unit(b).operands[2] = 99; }, "operand does not exist"},
    {"NoKeyRow", [](BundleT* b) { Unit(b).operands.pop_back(); },
     "step 'score' (attention unit): the number of operands is 2, expected 3"},
    {"QueryOfAnEvent", [](BundleT* b) { Unit(b).operands[0] = Unit(b).operands[1]; },
     "step 'score': operand 'query' lies in a domain that the step cannot read"},
    {"KeyOfACandidate", [](BundleT* b) { Unit(b).operands[1] = Unit(b).operands[0]; },
     "step 'score': operand 'key' lies in a domain that the step cannot read"},
    {"KeyRowOfACandidate", [](BundleT* b) { Unit(b).operands[2] = ValueOf(b, "query"); },
     "step 'score': operand 'key row' lies in a domain that the step cannot read"},
    {"KeyWidth", [](BundleT* b) { Unit(b).operands[1] = ValueOf(b, "gates"); },
     "step 'score' (attention unit): the width of operand 'key' is 12, expected 4"},
    {"KeyRowWidth", [](BundleT* b) { Unit(b).operands[2] = ValueOf(b, "gates"); },
     "step 'score' (attention unit): the output width of 'query weights' is 3, expected 12"},
    {"QueryNotYetWritten", [](BundleT* b) { std::swap(Step(b, "q"), Unit(b)); },
     "step 'score': operand 'query' is read before it is written"},
    {"QueryWeightsRange", [](BundleT* b) { Unit(b).weights[0] = 99; }, "do not exist"},
    {"ProductWeightsRange", [](BundleT* b) { Unit(b).weights[1] = 99; }, "do not exist"},
    {"QueryWeights", [](BundleT* b) { Unit(b).weights[0] = 0; },
     "step 'score' (attention unit): the output width of 'query weights' is 12, expected 3"},
    {"ProductWeights", [](BundleT* b) { Unit(b).weights[1] = 0; },
     "step 'score' (attention unit): the output width of 'product weights' is 12, expected 3"},
    {"BiasOfTheFirstLayer",
     [](BundleT* b) {
       Weights(b, "query").bias = {1, 2, 3};
     },
     "step 'score' (attention unit): weights 'query weights' have a bias"},
    {"BiasOfTheProduct",
     [](BundleT* b) {
       Weights(b, "product").bias = {1, 2, 3};
     },
     "step 'score' (attention unit): weights 'product weights' have a bias"},
    {"FirstActivation", [](BundleT* b) { Unit(b).activations[0]->scale.pop_back(); },
     "step 'score' (attention unit): the number of an activation's scales is 2, expected 3"},
    {"Activations", [](BundleT* b) { Unit(b).activations.pop_back(); },
     "step 'score' (attention unit): the number of activations is 1, expected 2"},
    {"NoSecondLayer",
     [](BundleT* b) {
       Unit(b).weights.pop_back();
       Unit(b).activations.pop_back();
     },
     "step 'score' (attention unit): the number of weights is 2, expected 3"},
    {"TooManyLayers", [](BundleT* b) { Unit(b).weights.resize(2 + 17, Unit(b).weights[2]); },
     "step 'score': has too many layers"},
    {"LayerRange", [](BundleT* b) { Unit(b).weights[2] = 99; }, "do not exist"},
    {"LayerShape", [](BundleT* b) { Unit(b).weights[2] = Unit(b).weights[0]; },
     "step 'score' (attention unit): the input width of a layer is 4, expected 3"},
    {"LayerActivation",
     [](BundleT* b) { Unit(b).activations[1]->kind = schema::ActivationKind::Prelu; },
     "step 'score' (attention unit): the number of an activation's slopes is 0, expected 1"},
    {"LastLayerOfSeveralOutputs",
     [](BundleT* b) {
       b->dense_weights.push_back(testing::Dense("square", 3, 3, false, false, 1));
       Unit(b).weights[2] = static_cast<uint32_t>(b->dense_weights.size() - 1);
     },
     "step 'score' (attention unit): the output width of the last layer is 3, expected 1"},
    {"SoftmaxSharesABuffer", [](BundleT* b) { ShareBuffer(b, "attention"); },
     "step 'attention': its numbers per candidate and event share a buffer"},
    {"Int8LayerTooWide",
     [](BundleT* b) {
       auto wide = std::make_unique<schema::DenseWeightsT>();
       wide->name = "wide";
       wide->input_width = 65537;
       wide->output_width = 1;
       wide->type = schema::ElementType::Int8PerRow;
       wide->data.resize(65537);
       wide->scales = {1};
       b->dense_weights.push_back(std::move(wide));
     },
     "dense layer 'wide': it is int8 and too wide"},
};

// A sound bundle, which is refused by name once it is damaged.
void ExpectRefused(const Damage& damage, BundleT* bundle) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_error error = {};
  const Bytes sound(Serialized(*bundle));
  EXPECT_EQ(hp_bundle_inspect(sound.data(), sound.size(), &info, &error), HP_OK) << error.message;
  damage.apply(bundle);
  const Bytes bytes(Serialized(*bundle));
  EXPECT_EQ(hp_bundle_inspect(bytes.data(), bytes.size(), &info, &error), HP_BUNDLE_CORRUPT);
  EXPECT_NE(std::string(error.message).find(damage.message), std::string::npos)
      << "message: " << error.message << "\nexpected a part: " << damage.message;
}

class SequenceDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(SequenceDamageTest, IsRefusedByName) {
  auto bundle = MakeSequenceBundle(RecurrentCell::AttentionUpdateGru);
  ExpectRefused(GetParam(), bundle.get());
}

// Weights of several numbers per candidate and event, of which the first is read.
uint32_t FirstOfPart(BundleT* b) {
  return AddValue(b, "first of part", b->values[ValueOf(b, "part")]->buffer, 0, 1);
}

const Damage kPairDamages[] = {
    {"SoftmaxInputSharesABuffer",
     [](BundleT* b) { Step(b, "attention").operands = {FirstOfPart(b)}; },
     "step 'attention': its numbers per candidate and event share a buffer"},
    {"PoolWeightsShareABuffer",
     [](BundleT* b) { Step(b, "interest").operands[0] = FirstOfPart(b); },
     "step 'interest': its numbers per candidate and event share a buffer"},
    {"EvolutionAttentionSharesABuffer",
     [](BundleT* b) { Step(b, "evolved").operands[1] = FirstOfPart(b); },
     "step 'evolved': its numbers per candidate and event share a buffer"},
};

class UnitDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(UnitDamageTest, IsRefusedByName) {
  auto bundle = MakeSequenceBundle(RecurrentCell::AttentionUpdateGru);
  testing::FuseSequenceUnit(false, bundle.get());
  ExpectRefused(GetParam(), bundle.get());
}

INSTANTIATE_TEST_SUITE_P(OneRuleAtATime, UnitDamageTest, ::testing::ValuesIn(kUnitDamages),
                         [](const auto& test) { return std::string(test.param.name); });
INSTANTIATE_TEST_SUITE_P(Pairs, SequenceDamageTest, ::testing::ValuesIn(kPairDamages),
                         [](const auto& test) { return std::string(test.param.name); });
INSTANTIATE_TEST_SUITE_P(OneRuleAtATime, SequenceDamageTest, ::testing::ValuesIn(kDamages),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace handpick
