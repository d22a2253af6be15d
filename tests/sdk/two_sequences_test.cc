// Sessions of a model with two histories and two outputs through the C API: values by hand, each
// history on its own, and what a bundle with several sequences has to keep.
#include "tests/support/tiny/two_sequences.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/bundle_parts.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/tiny/worker_threads.h"

namespace handpick {
namespace {

using schema::BundleT;
using schema::Domain;
using schema::OperatorKind;
using testing::AddBuffer;
using testing::AddStep;
using testing::AddValue;
using testing::Batch;
using testing::Click;
using testing::MakeTwoSequencesBundle;
using testing::OpenModel;
using testing::OpenSession;
using testing::Purchase;
using testing::Serialized;
using testing::StepNamed;
using testing::TwoSequencesLogits;

using Clicks = std::vector<Click>;
using Purchases = std::vector<Purchase>;

Batch ToBatch(const Clicks& clicks) {
  std::vector<int64_t> items;
  std::vector<float> dwells;
  for (const Click& click : clicks) {
    items.push_back(click.item);
    dwells.push_back(click.dwell);
  }
  Batch batch(clicks.size());
  batch.Integers(testing::kClickedItem, items).Numbers(testing::kClickDwell, dwells);
  return batch;
}

Batch ToBatch(const Purchases& purchases) {
  std::vector<int64_t> products;
  std::vector<float> prices;
  for (const Purchase& purchase : purchases) {
    products.push_back(purchase.product);
    prices.insert(prices.end(), purchase.price.begin(), purchase.price.end());
  }
  Batch batch(purchases.size());
  batch.Numbers(testing::kBoughtPrice, prices).Integers(testing::kBoughtProduct, products);
  return batch;
}

template <typename Events>
void Append(hp_session* session, const Events& events) {
  ASSERT_EQ(hp_session_append_events(session, ToBatch(events).get()), HP_OK)
      << hp_session_last_error(session)->message;
}

template <typename Events>
void Set(hp_session* session, const Events& events) {
  ASSERT_EQ(hp_session_set_history(session, ToBatch(events).get()), HP_OK)
      << hp_session_last_error(session)->message;
}

// Those that a history keeps.
template <typename Events>
Events Last(const Events& events, size_t most) {
  return Events(events.end() - static_cast<ptrdiff_t>(std::min(most, events.size())), events.end());
}

const std::vector<int64_t> kItems = {0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0, 3, 1, 4, 1, 5, 2, 2, 3};

std::vector<float> Logits(hp_session* session) {
  Batch batch(kItems.size());
  batch.Integers(testing::kOfferedItem, kItems);
  std::vector<float> logits(kItems.size(), -77);
  EXPECT_EQ(hp_session_score(session, batch.get(), nullptr, logits.data()), HP_OK)
      << hp_session_last_error(session)->message;
  return logits;
}

hp_session_counters Counters(hp_session* session) {
  hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
  hp_session_get_counters(session, &counters);
  return counters;
}

const struct {
  Clicks clicks;
  Purchases purchases;
} kHistories[] = {
    {{}, {}},
    {{{3, 0.5f}}, {}},
    {{}, {{2, {1, 4}}}},
    {{{0, 1}}, {{4, {0, 0}}, {1, {0.5f, 3}}}},
    {{{5, 2}, {0, 9}, {1, -1}}, {{1, {2, 2}}, {1, {7, 0}}, {3, {0, 1}}, {0, {10, 20}}}},
};

class TwoSequencesTest : public ::testing::Test {
 protected:
  TwoSequencesTest()
      : bundle_(MakeTwoSequencesBundle()), model_(Serialized(*bundle_)), session_(model_.get()) {}
  void SetUp() override {
    ASSERT_EQ(model_.status(), HP_OK) << model_.error().message;
    ASSERT_NE(session_.get(), nullptr) << session_.error().message;
  }
  void ExpectLogits(const Clicks& clicks, const Purchases& purchases) {
    const std::vector<float> logits = Logits(session_.get());
    for (size_t i = 0; i < logits.size(); ++i) {
      ASSERT_NEAR(
          logits[i],
          TwoSequencesLogits(*bundle_, 0, clicks, purchases, static_cast<uint32_t>(kItems[i]))[0],
          1e-5)
          << clicks.size() << " clicks, " << purchases.size() << " purchases, candidate " << i;
    }
  }

  std::unique_ptr<BundleT> bundle_;
  OpenModel model_;
  OpenSession session_;
};

TEST_F(TwoSequencesTest, LogitsOfEitherOutputAreThoseOfTheFormulas) {
  auto swapped = MakeTwoSequencesBundle();
  std::swap(swapped->outputs[0], swapped->outputs[1]);
  const OpenModel spend_first(Serialized(*swapped));
  ASSERT_EQ(spend_first.status(), HP_OK) << spend_first.error().message;
  const OpenModel* models[] = {&model_, &spend_first};
  for (size_t o = 0; o < 2; ++o) {
    const OpenSession session(models[o]->get());
    for (const auto& histories : kHistories) {
      for (const uint32_t user : {0u, 2u}) {
        Batch context(1);
        context.Integers(testing::kBuyer, {user});
        ASSERT_EQ(hp_session_set_context(session.get(), context.get()), HP_OK);
        Set(session.get(), histories.clicks);
        Set(session.get(), histories.purchases);
        const std::vector<float> logits = Logits(session.get());
        for (size_t i = 0; i < logits.size(); ++i) {
          ASSERT_NEAR(logits[i],
                      TwoSequencesLogits(*bundle_, user, histories.clicks, histories.purchases,
                                         static_cast<uint32_t>(kItems[i]))[o],
                      1e-5)
              << "output " << o << ", " << histories.clicks.size() << " clicks, "
              << histories.purchases.size() << " purchases, candidate " << i;
        }
      }
    }
  }
}

TEST_F(TwoSequencesTest, EachHistoryGrowsAndForgetsOnItsOwn) {
  const OpenSession whole(model_.get());
  std::mt19937_64 random(1);
  Clicks clicks;
  Purchases purchases;
  for (int round = 0; round < 100; ++round) {
    if (random() % 3 != 0) {
      clicks.push_back({static_cast<int64_t>(random() % 6), static_cast<float>(random() % 10)});
      Append(session_.get(), Clicks{clicks.back()});
    } else {
      purchases.push_back({static_cast<int64_t>(random() % 5),
                           {static_cast<float>(random() % 9), static_cast<float>(random() % 9)}});
      Append(session_.get(), Purchases{purchases.back()});
    }
    if (random() % 2 == 0) Logits(session_.get());
    ExpectLogits(Last(clicks, testing::kMaxClicks), Last(purchases, testing::kMaxPurchases));
    // The order of the calls does not matter, nor how many events each brings.
    Set(whole.get(), purchases);
    Set(whole.get(), clicks);
    ASSERT_EQ(Logits(session_.get()), Logits(whole.get())) << "round " << round;
  }
}

TEST_F(TwoSequencesTest, SettingOrEmptyingOneLeavesTheOther) {
  const Clicks clicks = {{5, 2}, {4, 1}};
  const Purchases purchases = {{1, {2, 2}}, {3, {0, 1}}};
  Set(session_.get(), clicks);
  Set(session_.get(), purchases);
  ExpectLogits(clicks, purchases);
  Set(session_.get(), Clicks{{1, 1}});
  ExpectLogits({{1, 1}}, purchases);
  Set(session_.get(), Purchases{{4, {1, 1}}});
  ExpectLogits({{1, 1}}, {{4, {1, 1}}});
  // Columns without rows say which one is emptied.
  Set(session_.get(), Purchases{});
  ExpectLogits({{1, 1}}, {});
  Set(session_.get(), purchases);
  Set(session_.get(), Clicks{});
  ExpectLogits({}, purchases);
  // Without columns it is the first.
  Set(session_.get(), clicks);
  ASSERT_EQ(hp_session_set_history(session_.get(), Batch(0).get()), HP_OK);
  ExpectLogits({}, purchases);
}

TEST_F(TwoSequencesTest, WhatIsLeftOutTakesItsDefault) {
  Batch batch(2);
  batch.Integers(testing::kBoughtProduct, {1, 2});
  ASSERT_EQ(hp_session_append_events(session_.get(), batch.get()), HP_OK) << session_.message();
  ExpectLogits({}, {{1, {0, 0}}, {2, {0, 0}}});
}

TEST_F(TwoSequencesTest, ErrorsLeaveBothHistoriesAsTheyWere) {
  const Clicks clicks = {{5, 2}, {4, 1}};
  const Purchases purchases = {{1, {2, 2}}, {3, {0, 1}}};
  Set(session_.get(), clicks);
  Set(session_.get(), purchases);
  const auto expect = [&](Batch batch, hp_status status, const char* message) {
    for (const auto& take : {hp_session_append_events, hp_session_set_history}) {
      EXPECT_EQ(take(session_.get(), batch.get()), status);
      EXPECT_STREQ(session_.message(), message);
      ExpectLogits(clicks, purchases);
    }
  };
  expect(std::move(Batch(1)
                       .Integers(testing::kClickedItem, {1})
                       .Numbers(testing::kClickDwell, {1})
                       .Integers(testing::kBoughtProduct, {1})),
         HP_UNKNOWN_FEATURE,
         "history batch: feature 'product' is of sequence 'purchases', the first column of "
         "'clicks'");
  expect(std::move(
             Batch(1).Numbers(testing::kBoughtPrice, {1, 1}).Integers(testing::kClickedItem, {1})),
         HP_UNKNOWN_FEATURE,
         "history batch: feature 'item' is of sequence 'clicks', the first column of 'purchases'");
  expect(std::move(Batch(1).Numbers(testing::kBoughtPrice, {1, 1})), HP_MISSING_FEATURE,
         "history feature 'product' is missing; it has no default");
  expect(std::move(Batch(1).Numbers(testing::kClickDwell, {1})), HP_MISSING_FEATURE,
         "history feature 'item' is missing; it has no default");
  expect(std::move(Batch(1).Integers(testing::kOfferedItem, {1})), HP_UNKNOWN_FEATURE,
         "history batch: feature 'item' is candidate, and is not given here");
  expect(ToBatch(Purchases{{1, {1, 1}}, {5, {1, 1}}}), HP_UNKNOWN_ID,
         "history feature 'product', row 1: id 5 is not in its vocabulary of 5 rows, which has no "
         "out-of-vocabulary row");
  expect(ToBatch(Purchases{{1, {1, -1}}}), HP_NOT_FINITE,
         "history feature 'price', row 0: -1 is outside of what its transform takes: step 0 is "
         "log1p of -1");
}

TEST_F(TwoSequencesTest, AnEventCostsTheStepsOfItsOwnSequence) {
  Logits(session_.get());
  const hp_session_counters begin = Counters(session_.get());
  EXPECT_EQ(begin.context_multiplications, 9u * 5);
  Append(session_.get(), Clicks{{1, 1}});
  const hp_session_counters clicked = Counters(session_.get());
  EXPECT_EQ(clicked.event_multiplications, begin.event_multiplications);
  EXPECT_EQ(clicked.rows_gathered, begin.rows_gathered + 1);
  Append(session_.get(), Purchases{{1, {1, 1}}});
  const hp_session_counters bought = Counters(session_.get());
  EXPECT_EQ(bought.event_multiplications, clicked.event_multiplications + 6 * 4);
  EXPECT_EQ(bought.rows_gathered, clicked.rows_gathered + 1);
  EXPECT_EQ(bought.events, 2u);
  Logits(session_.get());
  EXPECT_EQ(Counters(session_.get()).context_multiplications, 2u * 9 * 5) << "a click was new";
  Append(session_.get(), Purchases{{2, {1, 1}}});
  Logits(session_.get());
  EXPECT_EQ(Counters(session_.get()).context_multiplications, 2u * 9 * 5)
      << "nothing of the context follows from purchases";
  // Per purchase: score, pool. Per candidate: hidden, two heads.
  EXPECT_EQ(Counters(session_.get()).candidate_multiplications,
            kItems.size() * (3 * (8 * 5 + 2 * 5) + (0 + 1 + 2) * (4 + 4)));
}

TEST_F(TwoSequencesTest, ScoresHaveTheSameBitsForAnyTileAndAnyNumberOfWorkers) {
  for (const auto& histories : kHistories) {
    Set(session_.get(), histories.clicks);
    Set(session_.get(), histories.purchases);
    const std::vector<float> expected = Logits(session_.get());
    for (const uint32_t tile : {1u, 3u, 7u, 8u}) {
      for (const uint32_t workers : {1u, 3u}) {
        testing::ParallelCalls calls;
        hp_session_options options = HP_SESSION_OPTIONS_INIT;
        options.tile = tile;
        options.workers = workers;
        options.parallel_for = testing::InThreads;
        options.parallel_opaque = &calls;
        const OpenSession other(model_.get(), options);
        ASSERT_NE(other.get(), nullptr) << other.error().message;
        Set(other.get(), histories.clicks);
        Set(other.get(), histories.purchases);
        ASSERT_EQ(Logits(other.get()), expected) << "tile " << tile << ", workers " << workers;
      }
    }
  }
}

size_t SessionBytes(const BundleT& bundle) {
  const OpenModel model(Serialized(bundle));
  EXPECT_EQ(model.status(), HP_OK) << model.error().message;
  size_t bytes = 0;
  EXPECT_EQ(hp_session_memory_size(model.get(), nullptr, &bytes, nullptr), HP_OK);
  hp_model_info info = HP_MODEL_INFO_INIT;
  EXPECT_EQ(hp_model_get_info(model.get(), &info), HP_OK);
  EXPECT_EQ(info.session_bytes, bytes);
  EXPECT_EQ(info.max_history,
            std::max(bundle.sequences[0]->max_events, bundle.sequences[1]->max_events));
  // One byte less is refused.
  void* memory = nullptr;
  EXPECT_EQ(posix_memalign(&memory, HP_ALIGNMENT, bytes), 0);
  hp_session* session = nullptr;
  EXPECT_EQ(hp_session_create(model.get(), nullptr, memory, bytes - 1, &session, nullptr),
            HP_MEMORY_TOO_SMALL);
  std::free(memory);
  return bytes;
}

TEST_F(TwoSequencesTest, ALongerHistoryTakesTheMemoryOfItsOwnRowsAndNoMore) {
  const size_t bytes = SessionBytes(*bundle_);
  // A tile of 8 is a panel of 16 lanes. Values are made for multiples of 16 events, regions are
  // multiples of 64 bytes.
  const auto region = [](size_t rows, size_t row_bytes) {
    return (rows * row_bytes + 63) / 64 * 64;
  };
  auto longer = MakeTwoSequencesBundle();
  longer->sequences[1]->max_events = 20;
  const size_t slots = 4 + 2 * 4;             // Product, price.
  const size_t values = (6 + 4) * 4;          // p, v.
  const size_t pairs = 16 * (4 + 1 + 1) * 4;  // Product, score, attention, of all lanes.
  EXPECT_EQ(SessionBytes(*longer) - bytes, region(21, slots) - region(5, slots) +
                                               region(32, values) - region(16, values) +
                                               region(20, pairs) - region(4, pairs));
  longer = MakeTwoSequencesBundle();
  longer->sequences[0]->max_events = 20;
  // Item, dwell; c. Nothing is computed for each candidate and click.
  EXPECT_EQ(SessionBytes(*longer) - bytes,
            region(21, 8) - region(4, 8) + region(32, 5 * 4) - region(16, 5 * 4));
}

// ---- Goldens

std::unique_ptr<schema::GoldenColumnT> Integers(uint32_t feature, std::vector<int64_t> values) {
  auto column = std::make_unique<schema::GoldenColumnT>();
  column->feature = feature;
  column->integers = std::move(values);
  return column;
}

std::unique_ptr<schema::GoldenColumnT> Numbers(uint32_t feature, std::vector<float> values) {
  auto column = std::make_unique<schema::GoldenColumnT>();
  column->feature = feature;
  column->numbers = std::move(values);
  return column;
}

// Histories without events have no columns. `histories`: how many are written down.
void AddGolden(const Clicks& clicks, const Purchases& purchases, size_t histories,
               BundleT* bundle) {
  auto golden = std::make_unique<schema::GoldenRequestT>();
  golden->context.push_back(Integers(testing::kBuyer, {1}));
  while (golden->histories.size() < histories) {
    golden->histories.push_back(std::make_unique<schema::GoldenEventsT>());
  }
  for (const Click& click : clicks) {
    schema::GoldenEventsT& events = *golden->histories[0];
    if (events.event_count++ == 0) {
      events.columns.push_back(Integers(testing::kClickedItem, {}));
      events.columns.push_back(Numbers(testing::kClickDwell, {}));
    }
    events.columns[0]->integers.push_back(click.item);
    events.columns[1]->numbers.push_back(click.dwell);
  }
  for (const Purchase& purchase : purchases) {
    schema::GoldenEventsT& events = *golden->histories[1];
    if (events.event_count++ == 0) {
      events.columns.push_back(Integers(testing::kBoughtProduct, {}));
      events.columns.push_back(Numbers(testing::kBoughtPrice, {}));
    }
    events.columns[0]->integers.push_back(purchase.product);
    for (const float price : purchase.price) events.columns[1]->numbers.push_back(price);
  }
  golden->candidates.push_back(Integers(testing::kOfferedItem, kItems));
  golden->candidate_count = static_cast<uint32_t>(kItems.size());
  for (const int64_t item : kItems) {
    for (const double logit :
         TwoSequencesLogits(*bundle, 1, clicks, purchases, static_cast<uint32_t>(item))) {
      golden->logits.push_back(static_cast<float>(logit));
    }
  }
  bundle->goldens.push_back(std::move(golden));
}

TEST(TwoSequencesGoldenTest, BothHistoriesAndBothOutputsAreReplayed) {
  auto bundle = MakeTwoSequencesBundle();
  for (const auto& histories : kHistories) {
    AddGolden(histories.clicks, histories.purchases, 2, bundle.get());
  }
  // Those at the end may be left out.
  AddGolden({{2, 3}}, {}, 1, bundle.get());
  AddGolden({}, {}, 0, bundle.get());
  const OpenModel model(Serialized(*bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  float worst = -1;
  EXPECT_EQ(hp_session_check_goldens(session.get(), &worst), HP_OK) << session.message();
  EXPECT_GE(worst, 0);
  EXPECT_LT(worst, 1e-5);
}

TEST(TwoSequencesGoldenTest, AWrongLogitOfTheSecondOutputIsFound) {
  auto bundle = MakeTwoSequencesBundle();
  AddGolden({{5, 2}}, {{1, {2, 2}}}, 2, bundle.get());
  AddGolden({{4, 2}}, {{1, {2, 2}}}, 2, bundle.get());
  bundle->goldens[1]->logits[2 * 17 + 1] += 0.5f;
  const OpenModel model(Serialized(*bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  float worst = -1;
  EXPECT_EQ(hp_session_check_goldens(session.get(), &worst), HP_GOLDEN_MISMATCH);
  EXPECT_GT(worst, 0.01) << "the logits are about 10";
  EXPECT_NE(std::string(session.message()).find("golden request 1, candidate 17"),
            std::string::npos)
      << session.message();
}

// ---- Damage

struct Damage {
  const char* name;
  std::function<void(BundleT*)> apply;
  const char* message;
};

uint32_t Result(BundleT* b, const char* step) { return StepNamed(b, step).output; }

const Damage kDamages[] = {
    {"BufferSequence", [](BundleT* b) { b->buffers[2]->sequence = 2; },
     "a buffer's sequence is 2, expected less than 2"},
    {"MaskOfTheOther",
     [](BundleT* b) { StepNamed(b, "taste").features = {testing::kBoughtProduct}; },
     "step 'taste': its mask is of another sequence"},
    {"EmbeddingOfTheOther",
     [](BundleT* b) {
       StepNamed(b, "bought").lookups[0]->feature = testing::kClickedItem;
       StepNamed(b, "bought").lookups[0]->table = 1;
     },
     "step 'bought': a feature is given on another side"},
    {"NumbersOfTheOther",
     [](BundleT* b) {
       StepNamed(b, "price").features = {testing::kClickDwell, testing::kClickDwell};
     },
     "step 'price': a feature is given on another side"},
    {"EventOfTheOther",
     [](BundleT* b) {
       const uint32_t buffer = AddBuffer(b, Domain::History, 5, 256, 1);
       AddStep(b, "other", OperatorKind::Copy, {StepNamed(b, "taste").operands[0]},
               AddValue(b, "other", buffer, 0, 5));
       std::rotate(b->steps.begin() + 5, b->steps.end() - 1, b->steps.end());
     },
     "step 'other': operand 'input' lies in a domain that the step cannot read"},
    {"PairWithAnEventOfTheOther",
     [](BundleT* b) { StepNamed(b, "product").operands[1] = Result(b, "clicked"); },
     "step 'product': operand 'b' lies in a domain that the step cannot read"},
    {"PoolOfTheOther",
     [](BundleT* b) { StepNamed(b, "interest").operands[1] = Result(b, "clicked"); },
     "step 'interest': operand 'value' lies in a domain that the step cannot read"},
    {"GoldenOfTheOther",
     [](BundleT* b) {
       AddGolden({}, {{1, {2, 2}}}, 2, b);
       std::swap(b->goldens[0]->histories[0], b->goldens[0]->histories[1]);
     },
     "wrong side"},
    {"GoldenLogitsOfOneOutput",
     [](BundleT* b) {
       AddGolden({}, {}, 0, b);
       b->goldens[0]->logits.resize(kItems.size());
     },
     "its logits are not as many as its candidates and outputs"},
    {"LengthOfTheOther",
     [](BundleT* b) {
       for (const uint32_t sequence : {0u, 1u}) {
         auto feature = testing::Feature(
             sequence == 0 ? "length" : "tags", schema::Side::History,
             sequence == 0 ? schema::FeatureType::Length : schema::FeatureType::MultiCategorical,
             1);
         feature->sequence = sequence;
         if (sequence == 1) feature->length_feature = static_cast<int32_t>(b->features.size() - 1);
         b->features.push_back(std::move(feature));
       }
     },
     "feature 'tags': length_feature is no length of its side"},
};

class TwoSequencesDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(TwoSequencesDamageTest, IsRefusedByName) {
  auto bundle = MakeTwoSequencesBundle();
  GetParam().apply(bundle.get());
  const OpenModel model(Serialized(*bundle));
  EXPECT_EQ(model.status(), HP_BUNDLE_CORRUPT);
  EXPECT_NE(std::string(model.error().message).find(GetParam().message), std::string::npos)
      << "message: " << model.error().message << "\nexpected a part: " << GetParam().message;
}

INSTANTIATE_TEST_SUITE_P(OneRuleAtATime, TwoSequencesDamageTest, ::testing::ValuesIn(kDamages),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace handpick
