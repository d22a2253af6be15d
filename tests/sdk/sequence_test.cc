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

TEST_P(FusedUnitTest, AnEventsMatrixIsMadeOnceATile) {
  const OpenModel model(Serialized(*bundle_));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  for (const uint32_t tile : {1u, 8u}) {
    const OpenSession session(model.get(), tile);
    ASSERT_EQ(hp_session_set_history(session.get(), Events({1, 2, 3}).get()), HP_OK);
    hp_session_counters counters;
    hp_session_get_counters(session.get(), &counters);
    EXPECT_EQ(counters.tile_multiplications, 0u);
    Logits(session.get());
    hp_session_get_counters(session.get(), &counters);
    EXPECT_EQ(counters.tiles, (kItems.size() + tile - 1) / tile);
    EXPECT_EQ(counters.tile_multiplications, counters.tiles * 3 * (4 * 3));
    const uint64_t per_pair = 4 * 3 + 3 + 4 + 4 * 12;  // Unit, pool, state.
    EXPECT_EQ(counters.candidate_multiplications, kItems.size() * (3 * per_pair + 12));
  }
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
     "wrong shape"},
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
    {"EvolutionWeights",
     [](BundleT* b) { Candidate(b, 8)->op.AsAttentionRecurrence()->weights = 2; }, "wrong shape"},
    {"EvolutionWeightsRange",
     [](BundleT* b) { Candidate(b, 8)->op.AsAttentionRecurrence()->weights = 99; }, "do not exist"},
    {"EvolutionAttention",
     [](BundleT* b) { Candidate(b, 8)->op.AsAttentionRecurrence()->attention = 7; }, "cannot read"},
    {"BiInteractionWidth", [](BundleT* b) { Candidate(b, 11)->op.AsBiInteraction()->sum = 8; },
     "wrong width"},
};

schema::AttentionUnitT* Unit(BundleT* b) { return Candidate(b, 1)->op.AsAttentionUnit(); }

// Of FuseSequenceUnit's bundle: values by number as MakeSequenceBundle makes them.
enum Values : uint32_t {
  kEventGates = 4,
  kEventKey = 6,
  kItemValue = 7,
  kPart = 17,
  kScore = 19,
  kAttention = 20
};

// The value's buffer has a column more than the value.
void ShareBuffer(BundleT* b, uint32_t value) {
  b->buffers[b->values[value]->buffer]->width += 1;
  b->region_row_bytes[3] += 64;
  b->buffers[b->values[value]->buffer]->offset = b->region_row_bytes[3] - 64;
}

const Damage kUnitDamages[] = {
    {"UnitOfTheCandidates", [](BundleT* b) { Candidate(b, 1)->domain = schema::Domain::Candidate; },
     "another domain"},
    {"ResultOfSeveralNumbers", [](BundleT* b) { Unit(b)->output = kPart; },
     "step 'score': its result is no number per candidate and event"},
    {"ResultRange", [](BundleT* b) { Unit(b)->output = 99; }, "its result does not exist"},
    {"ResultSharesABuffer", [](BundleT* b) { ShareBuffer(b, kScore); },
     "step 'score': its numbers per candidate and event share a buffer"},
    {"QueryRange", [](BundleT* b) { Unit(b)->query = 99; }, "operand does not exist"},
    {"KeyRange", [](BundleT* b) { Unit(b)->key = 99; }, "operand does not exist"},
    {"KeyRowRange", [](BundleT* b) { Unit(b)->key_row = 99; }, "operand does not exist"},
    {"QueryOfAnEvent", [](BundleT* b) { Unit(b)->query = Unit(b)->key; }, "cannot read"},
    {"KeyOfACandidate", [](BundleT* b) { Unit(b)->key = Unit(b)->query; }, "cannot read"},
    {"KeyRowOfACandidate", [](BundleT* b) { Unit(b)->key_row = kItemValue; }, "cannot read"},
    {"KeyWidth", [](BundleT* b) { Unit(b)->key = kEventGates; }, "wrong width"},
    {"KeyRowWidth", [](BundleT* b) { Unit(b)->key_row = kEventGates; },
     "step 'score': its weights have the wrong shape"},
    {"QueryNotYetWritten",
     [](BundleT* b) { std::swap(b->candidate_program->steps[0], b->candidate_program->steps[1]); },
     "read before it is written"},
    {"QueryWeightsRange", [](BundleT* b) { Unit(b)->query_weights = 99; }, "do not exist"},
    {"ProductWeightsRange", [](BundleT* b) { Unit(b)->product_weights = 99; }, "do not exist"},
    {"QueryWeights", [](BundleT* b) { Unit(b)->query_weights = 0; }, "wrong shape"},
    {"ProductWeights", [](BundleT* b) { Unit(b)->product_weights = 0; }, "wrong shape"},
    {"Int8FirstLayer",
     [](BundleT* b) {
       schema::DenseWeightsT* weights = b->dense_weights[Unit(b)->product_weights].get();
       weights->type = schema::ElementType::Int8PerRow;
       weights->data.resize(weights->data.size() / 4);
       weights->scales.assign(weights->output_width, 1);
     },
     "first layer's weights are int8, expected float32"},
    {"BiasOfTheFirstLayer",
     [](BundleT* b) {
       b->dense_weights[Unit(b)->query_weights]->bias = {1, 2, 3};
     },
     "bias beside its key row"},
    {"FoldedType", [](BundleT* b) { Unit(b)->folded_type = static_cast<schema::ElementType>(9); },
     "folded_type"},
    {"FirstActivation", [](BundleT* b) { Unit(b)->activation->scale.pop_back(); },
     "scales or shifts"},
    {"NoSecondLayer", [](BundleT* b) { Unit(b)->layers.clear(); }, "expected two at least"},
    {"TooManyLayers",
     [](BundleT* b) {
       while (Unit(b)->layers.size() <= 16) {
         Unit(b)->layers.push_back(std::make_unique<schema::AttentionLayerT>());
       }
     },
     "too many layers"},
    {"LayerRange", [](BundleT* b) { Unit(b)->layers[0]->weights = 99; }, "do not exist"},
    {"LayerShape", [](BundleT* b) { Unit(b)->layers[0]->weights = Unit(b)->query_weights; },
     "wrong shape"},
    {"LayerActivation",
     [](BundleT* b) {
       Unit(b)->layers[0]->activation = std::make_unique<schema::ActivationT>();
       Unit(b)->layers[0]->activation->kind = schema::ActivationKind::Prelu;
     },
     "slopes"},
    {"LastLayerOfSeveralOutputs",
     [](BundleT* b) {
       auto square = std::make_unique<schema::DenseWeightsT>();
       square->name = "square";
       square->input_width = square->output_width = 3;
       square->type = schema::ElementType::Float32;
       square->data.resize(9 * 4);
       b->dense_weights.push_back(std::move(square));
       Unit(b)->layers[0]->weights = static_cast<uint32_t>(b->dense_weights.size() - 1);
     },
     "last layer has more than one output"},
    {"TriggersOutsideOfTheContext", [](BundleT* b) { Candidate(b, 1)->triggers = 1; }, "triggers"},
    {"SoftmaxSharesABuffer", [](BundleT* b) { ShareBuffer(b, kAttention); },
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
  hp_bundle_info info;
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
  auto value = std::make_unique<schema::ValueT>();
  value->name = "first of part";
  value->buffer = b->values[kPart]->buffer;
  value->column = 0;
  value->width = 1;
  b->values.push_back(std::move(value));
  return static_cast<uint32_t>(b->values.size() - 1);
}

const Damage kPairDamages[] = {
    {"SoftmaxInputSharesABuffer",
     [](BundleT* b) { Candidate(b, 6)->op.AsSoftmaxOverHistory()->input = FirstOfPart(b); },
     "step 'attention': its numbers per candidate and event share a buffer"},
    {"PoolWeightsShareABuffer",
     [](BundleT* b) { Candidate(b, 7)->op.AsWeightedPool()->weights = FirstOfPart(b); },
     "step 'interest': its numbers per candidate and event share a buffer"},
    {"EvolutionAttentionSharesABuffer",
     [](BundleT* b) { Candidate(b, 8)->op.AsAttentionRecurrence()->attention = FirstOfPart(b); },
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
