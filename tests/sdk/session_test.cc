// Sessions through the C API, on the tiny bundle: values by hand, the same bits however candidates
// and events come, and every error with its message and without a trace in the session.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/tiny/worker_threads.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::Bytes;
using testing::kAge;
using testing::kCross;
using testing::kItem;
using testing::kName;
using testing::kPrice;
using testing::kSeen;
using testing::kTags;
using testing::kUser;
using testing::MakeTinyBundle;
using testing::OpenModel;
using testing::OpenSession;
using testing::Serialized;

Batch User(int64_t id, float age) {
  Batch batch(1);
  batch.Integers(kUser, {id}).Numbers(kAge, {age});
  return batch;
}

Batch Events(std::vector<int64_t> seen) {
  Batch batch(seen.size());
  batch.Integers(kSeen, std::move(seen));
  return batch;
}

struct Candidates {
  std::vector<int64_t> item;
  std::vector<std::vector<int64_t>> tags;
  std::vector<std::string> name;
  std::vector<float> price;

  static Candidates Random(size_t count, uint64_t seed) {
    std::mt19937_64 random(seed);
    Candidates candidates;
    for (size_t i = 0; i < count; ++i) {
      candidates.item.push_back(static_cast<int64_t>(random() % 5) * 10);
      candidates.tags.emplace_back(random() % 4);
      for (int64_t& tag : candidates.tags.back()) tag = static_cast<int64_t>(random() % 6);
      candidates.name.push_back(std::string(1, static_cast<char>('a' + random() % 3)));
      for (int n = 0; n < 2; ++n)
        candidates.price.push_back(static_cast<float>(random() % 1000) / 10);
    }
    return candidates;
  }

  Candidates Select(const std::vector<size_t>& rows) const {
    Candidates selected;
    for (const size_t row : rows) {
      selected.item.push_back(item[row]);
      selected.tags.push_back(tags[row]);
      selected.name.push_back(name[row]);
      selected.price.push_back(price[2 * row]);
      selected.price.push_back(price[2 * row + 1]);
    }
    return selected;
  }

  Batch ToBatch() const {
    std::vector<int64_t> flat;
    std::vector<uint32_t> splits = {0};
    for (const std::vector<int64_t>& row : tags) {
      flat.insert(flat.end(), row.begin(), row.end());
      splits.push_back(static_cast<uint32_t>(flat.size()));
    }
    Batch batch(item.size());
    batch.Integers(kItem, item)
        .Integers(kTags, flat, splits)
        .Strings(kName, name)
        .Numbers(kPrice, price);
    return batch;
  }
};

std::vector<float> Logits(hp_session* session, const Candidates& candidates) {
  std::vector<float> logits(candidates.item.size(), -77);
  EXPECT_EQ(hp_session_score(session, candidates.ToBatch().get(), nullptr, logits.data()), HP_OK)
      << hp_session_last_error(session)->message;
  return logits;
}

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() : model_(Serialized(*MakeTinyBundle())), session_(model_.get()) {}

  hp_session* session() { return session_.get(); }
  void SetUp() override {
    ASSERT_EQ(model_.status(), HP_OK) << model_.error().message;
    ASSERT_NE(session(), nullptr) << session_.error().message;
  }
  void SetUser(int64_t id = 2, float age = 0.25f) {
    ASSERT_EQ(hp_session_set_context(session(), User(id, age).get()), HP_OK) << session_.message();
  }

  OpenModel model_;
  OpenSession session_;
};

// The whole model in double, from the bundle's arrays: slow, obvious, and independent of the
// runtime.
double Expected(const schema::BundleT& bundle, int64_t user, double age,
                const std::vector<int64_t>& seen, const Candidates& c, size_t row) {
  const auto embedding = [&](size_t table, size_t at, size_t d) {
    const schema::EmbeddingTableT& t = *bundle.tables[table];
    float value;
    if (t.type == schema::ElementType::Int8PerRow) {
      // A row is its scale and its numbers, whole floats long.
      const uint8_t* stored = t.data.data() + at * (4 + (t.dimension + 3) / 4 * 4);
      std::memcpy(&value, stored, 4);
      return static_cast<double>(value) * static_cast<int8_t>(stored[4 + d]);
    }
    std::memcpy(&value, t.data.data() + 4 * (at * t.dimension + d), 4);
    return static_cast<double>(value);
  };
  const auto weight = [&](size_t layer, size_t output, size_t input) {
    const schema::DenseWeightsT& w = *bundle.dense_weights[layer];
    const size_t position = output * w.input_width + input;
    if (w.type == schema::ElementType::Int8PerRow) {
      return static_cast<double>(w.scales[output]) * static_cast<int8_t>(w.data[position]);
    }
    float value;
    std::memcpy(&value, w.data.data() + 4 * position, 4);
    return static_cast<double>(value);
  };
  std::vector<double> context;
  for (size_t d = 0; d < 4; ++d) context.push_back(embedding(0, static_cast<size_t>(user), d));
  context.push_back(age);
  std::vector<int64_t> counted;
  for (const int64_t event : seen)
    if (event != 0) counted.push_back(event);
  for (size_t d = 0; d < 3; ++d) {
    double sum = 0;
    for (const int64_t event : counted) sum += embedding(1, static_cast<size_t>(event), d);
    context.push_back(counted.empty() ? 0 : sum / static_cast<double>(counted.size()));
  }
  std::vector<double> input;
  const size_t item_row = c.item[row] == 10 ? 1 : c.item[row] == 20 ? 2 : c.item[row] == 30 ? 3 : 0;
  for (size_t d = 0; d < 4; ++d) input.push_back(embedding(2, item_row, d));
  for (size_t d = 0; d < 2; ++d) {
    double sum = 0;
    for (const int64_t tag : c.tags[row]) sum += embedding(3, static_cast<size_t>(tag), d);
    input.push_back(c.tags[row].empty() ? 0 : sum / static_cast<double>(c.tags[row].size()));
  }
  for (size_t d = 0; d < 2; ++d)
    input.push_back(embedding(4, static_cast<size_t>(c.name[row][0] - 'a'), d));
  for (size_t d = 0; d < 2; ++d) {
    const double price = std::min(std::max(static_cast<double>(c.price[2 * row + d]), -2.0), 100.0);
    input.push_back((std::log1p(price) - 1.0) * 0.5);
  }
  double logit = bundle.dense_weights[2]->bias[0];
  for (size_t o = 0; o < 6; ++o) {
    double hidden = bundle.dense_weights[0]->bias[o];
    for (size_t i = 0; i < 8; ++i) hidden += weight(0, o, i) * context[i];
    for (size_t i = 0; i < 10; ++i) hidden += weight(1, o, i) * input[i];
    logit += weight(2, 0, o) * std::max(hidden, 0.0);
  }
  for (const int64_t tag : c.tags[row])
    logit += embedding(5, static_cast<size_t>(user * 6 + tag), 0);
  return logit;
}

// The candidate's part of the first layer goes through int8: half a step of its row's range times
// the weights.
constexpr double kInt8Tolerance = 0.08;

TEST_F(SessionTest, LogitsAreThoseOfThePlainDefinition) {
  const auto bundle = MakeTinyBundle();
  const Candidates candidates = Candidates::Random(100, 1);
  for (const std::vector<int64_t>& seen :
       std::vector<std::vector<int64_t>>{{}, {1}, {3, 0, 2}, {0, 0}}) {
    SetUser(3, 0.75f);
    ASSERT_EQ(hp_session_set_history(session(), Events(seen).get()), HP_OK) << session_.message();
    const std::vector<float> logits = Logits(session(), candidates);
    for (size_t i = 0; i < logits.size(); ++i) {
      ASSERT_NEAR(logits[i], Expected(*bundle, 3, 0.75, seen, candidates, i), kInt8Tolerance)
          << "candidate " << i;
    }
  }
}

TEST_F(SessionTest, ScoresAreTheSigmoidOfTheLogitsAndEitherMayBeLeftOut) {
  SetUser();
  const Candidates candidates = Candidates::Random(50, 2);
  std::vector<float> scores(50);
  std::vector<float> logits(50);
  ASSERT_EQ(hp_session_score(session(), candidates.ToBatch().get(), scores.data(), logits.data()),
            HP_OK);
  for (size_t i = 0; i < 50; ++i) {
    ASSERT_NEAR(scores[i], 1 / (1 + std::exp(-static_cast<double>(logits[i]))), 3e-7);
  }
  EXPECT_EQ(hp_session_score(session(), candidates.ToBatch().get(), nullptr, nullptr), HP_OK);
}

TEST_F(SessionTest, ARegressionsScoreIsItsLogit) {
  auto bundle = MakeTinyBundle();
  bundle->outputs[0]->task = schema::Task::Regression;
  const OpenModel model(Serialized(*bundle));
  const OpenSession session(model.get());
  ASSERT_EQ(hp_session_set_context(session.get(), User(1, 0).get()), HP_OK);
  std::vector<float> scores(9);
  std::vector<float> logits(9);
  ASSERT_EQ(hp_session_score(session.get(), Candidates::Random(9, 3).ToBatch().get(), scores.data(),
                             logits.data()),
            HP_OK);
  EXPECT_EQ(scores, logits);
}

TEST_F(SessionTest, ScoresHaveTheSameBitsForAnyTileOrderAndOneAtATime) {
  SetUser();
  ASSERT_EQ(hp_session_set_history(session(), Events({1, 2, 3}).get()), HP_OK);
  const Candidates candidates = Candidates::Random(97, 4);
  const std::vector<float> expected = Logits(session(), candidates);
  for (const uint32_t tile : {1u, 2u, 3u, 7u, 16u, 31u, 32u}) {
    const OpenSession other(model_.get(), tile);
    ASSERT_NE(other.get(), nullptr) << other.error().message;
    ASSERT_EQ(hp_session_set_context(other.get(), User(2, 0.25f).get()), HP_OK);
    ASSERT_EQ(hp_session_set_history(other.get(), Events({1, 2, 3}).get()), HP_OK);
    ASSERT_EQ(Logits(other.get(), candidates), expected) << "tile " << tile;
  }
  std::vector<size_t> order(97);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(5));
  const std::vector<float> shuffled = Logits(session(), candidates.Select(order));
  for (size_t i = 0; i < order.size(); ++i) {
    ASSERT_EQ(shuffled[i], expected[order[i]]);
    ASSERT_EQ(Logits(session(), candidates.Select({i}))[0], expected[i]) << "alone";
  }
}

TEST_F(SessionTest, AppendedEventsEqualAHistorySetAtOnceAndTheOldestMakePlace) {
  SetUser();
  const Candidates candidates = Candidates::Random(20, 6);
  const OpenSession whole(model_.get());
  ASSERT_EQ(hp_session_set_context(whole.get(), User(2, 0.25f).get()), HP_OK);
  std::mt19937_64 random(7);
  std::vector<int64_t> events;
  for (int e = 0; e < 200; ++e) {
    events.push_back(static_cast<int64_t>(random() % 4));
    ASSERT_EQ(hp_session_append_events(session(), Events({events.back()}).get()), HP_OK);
    if (random() % 2 == 0) Logits(session(), candidates);  // With and without scoring in between.
    if (e % 10 > 2) continue;
    ASSERT_EQ(hp_session_set_history(whole.get(), Events(events).get()), HP_OK);
    ASSERT_EQ(Logits(session(), candidates), Logits(whole.get(), candidates)) << "after " << e + 1;
    const std::vector<int64_t> last(
        events.end() - std::min<ptrdiff_t>(3, static_cast<ptrdiff_t>(events.size())), events.end());
    ASSERT_EQ(hp_session_set_history(whole.get(), Events(last).get()), HP_OK);
    ASSERT_EQ(Logits(session(), candidates), Logits(whole.get(), candidates))
        << "only the last three";
  }
  ASSERT_EQ(hp_session_set_history(session(), Events({}).get()), HP_OK);
  const OpenSession fresh(model_.get());
  ASSERT_EQ(hp_session_set_context(fresh.get(), User(2, 0.25f).get()), HP_OK);
  EXPECT_EQ(Logits(session(), candidates), Logits(fresh.get(), candidates)) << "emptied";
}

TEST_F(SessionTest, ContextWorkIsDoneOncePerChangeAndEventWorkOncePerEvent) {
  SetUser();
  const Candidates candidates = Candidates::Random(70, 8);
  const auto counters = [&] {
    hp_session_counters values = HP_SESSION_COUNTERS_INIT;
    hp_session_get_counters(session(), &values);
    return values;
  };
  Logits(session(), candidates);
  const hp_session_counters first = counters();
  EXPECT_EQ(first.context_runs, 1u);
  EXPECT_EQ(first.context_multiplications, 8u * 6);
  EXPECT_EQ(first.candidate_multiplications, 70u * (10 * 6 + 6));
  EXPECT_EQ(first.candidates, 70u);
  EXPECT_EQ(first.tiles, 3u) << "tiles of 32";
  for (int i = 0; i < 5; ++i) Logits(session(), candidates);
  EXPECT_EQ(counters().context_multiplications, first.context_multiplications) << "nothing changed";
  ASSERT_EQ(hp_session_append_events(session(), Events({1}).get()), HP_OK);
  const uint64_t before = counters().rows_gathered;
  Logits(session(), candidates.Select({}));
  EXPECT_EQ(counters().rows_gathered, before)
      << "the user's own row is not read again for an event";
  EXPECT_EQ(counters().context_runs, 2u);
  EXPECT_EQ(counters().events, 1u);
}

TEST_F(SessionTest, TheCatalogFillsInWhatIsNotGiven) {
  SetUser();
  Batch ids(3);
  ids.Integers(kItem, {30, 10, 20});
  std::vector<float> logits(3);
  ASSERT_EQ(hp_session_score(session(), ids.get(), nullptr, logits.data()), HP_OK)
      << session_.message();
  // The catalog's numbers are kept after their transform; give those whose transform makes them.
  const auto raw = [](float y) {
    return static_cast<float>(std::expm1(static_cast<double>(y) / 0.5 + 1.0));
  };
  Candidates spelled;
  spelled.item = {30, 10, 20};
  spelled.tags = {{5}, {1, 2}, {}};
  spelled.name = {"a", "a", "a"};
  spelled.price = {raw(0.5f), raw(0.6f), raw(0.1f), raw(0.2f), raw(0.3f), raw(0.4f)};
  const std::vector<float> expected = Logits(session(), spelled);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(logits[i], expected[i], 1e-4);
  // What is given wins over the catalog.
  Batch with_tags(1);
  with_tags.Integers(kItem, {30}).Integers(kTags, {2, 3}, {0, 2});
  float with = 0;
  ASSERT_EQ(hp_session_score(session(), with_tags.get(), nullptr, &with), HP_OK);
  EXPECT_NE(with, logits[0]);
}

TEST_F(SessionTest, RankGivesTheBestOfTheScores) {
  SetUser();
  const Candidates candidates = Candidates::Random(500, 9);
  const std::vector<float> logits = Logits(session(), candidates);
  std::vector<size_t> order(500);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  for (const size_t k : {size_t{0}, size_t{1}, size_t{10}, size_t{500}, size_t{600}}) {
    std::vector<hp_ranked> ranked(k);
    size_t count = 99;
    ASSERT_EQ(hp_session_rank(session(), candidates.ToBatch().get(), k, ranked.data(), &count),
              HP_OK);
    ASSERT_EQ(count, std::min<size_t>(k, 500));
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(ranked[i].index, order[i]) << "duplicates are ranked in the order of their rows";
      ASSERT_EQ(ranked[i].logit, logits[order[i]]);
    }
  }
}

TEST_F(SessionTest, NoCandidatesAreFine) {
  SetUser();
  EXPECT_EQ(hp_session_score(session(), Batch(0).get(), nullptr, nullptr), HP_OK)
      << session_.message();
  size_t count = 99;
  hp_ranked best;
  EXPECT_EQ(hp_session_rank(session(), Batch(0).get(), 1, &best, &count), HP_OK);
  EXPECT_EQ(count, 0u);
}

TEST_F(SessionTest, ThreadsWithSessionsOfTheirOwnShareTheModel) {
  SetUser();
  const Candidates candidates = Candidates::Random(64, 10);
  const std::vector<float> expected = Logits(session(), candidates);
  std::vector<std::thread> threads;
  std::vector<int> wrong(3);
  for (size_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const OpenSession own(model_.get());
      for (int round = 0; round < 100; ++round) {
        hp_session_set_context(own.get(), User(2, 0.25f).get());
        if (Logits(own.get(), candidates) != expected) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) EXPECT_EQ(count, 0);
}

// ---- Errors: each leaves the session as it was.
// -----------------------------------------------------------------------

class SessionErrorTest : public SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    SetUser();
    ASSERT_EQ(hp_session_set_history(session(), Events({1, 2}).get()), HP_OK);
    before_ = Logits(session(), probe_);
  }
  // Every error has its code, and the session scores as before.
  void Expect(hp_status actual, hp_status expected, const std::string& message) {
    EXPECT_EQ(actual, expected);
    EXPECT_EQ(session_.message(), message);
    EXPECT_EQ(hp_session_last_error(session())->status, expected);
    EXPECT_EQ(Logits(session(), probe_), before_) << "the session was changed";
  }
  void ExpectContext(Batch batch, hp_status status, const std::string& message) {
    Expect(hp_session_set_context(session(), batch.get()), status, message);
  }
  void ExpectEvents(Batch batch, hp_status status, const std::string& message) {
    Expect(hp_session_append_events(session(), batch.get()), status, message);
    Expect(hp_session_set_history(session(), batch.get()), status, message);
  }
  void ExpectCandidates(Batch batch, hp_status status, const std::string& message) {
    std::vector<float> scores(1000);
    std::vector<hp_ranked> ranked(10);
    size_t count = 0;
    Expect(hp_session_score(session(), batch.get(), scores.data(), nullptr), status, message);
    Expect(hp_session_rank(session(), batch.get(), 10, ranked.data(), &count), status, message);
  }

  const Candidates probe_ = Candidates::Random(40, 11);
  std::vector<float> before_;
};

TEST_F(SessionErrorTest, UnknownFeature) {
  ExpectContext(std::move(User(1, 0).Integers(99, {1})), HP_UNKNOWN_FEATURE,
                "context batch: column 2 names feature 99, the model has 8");
  ExpectContext(std::move(User(1, 0).Integers(kItem, {10})), HP_UNKNOWN_FEATURE,
                "context batch: feature 'item' is candidate, and is not given here");
  ExpectCandidates(
      std::move(Batch(1).Integers(kCross, {1})), HP_UNKNOWN_FEATURE,
      "candidate batch: feature 'user_x_tags' is made from others, and is not given here");
}

TEST_F(SessionErrorTest, WrongType) {
  ExpectContext(std::move(Batch(1).Strings(kUser, {"1"})), HP_WRONG_TYPE,
                "context feature 'user' takes HP_INT64, its column has type 4");
  ExpectCandidates(std::move(Batch(1).Integers(kItem, {10}).Integers(kName, {1})), HP_WRONG_TYPE,
                   "candidate feature 'name' takes HP_STRING, its column has type 1");
  ExpectContext(std::move(Batch(1).Integers(kUser, {1}).Strings(kAge, {"x"})), HP_WRONG_TYPE,
                "context feature 'age' takes HP_FLOAT32 or HP_INT64, its column has type 4");
}

TEST_F(SessionErrorTest, TypesThatAreNone) {
  for (const uint32_t type : {0u, 3u, 8u, 0xffffffffu}) {
    hp_column column = {};
    column.feature = kUser;
    std::memcpy(&column.type, &type, sizeof(type));  // As an app in C can.
    ExpectContext(
        std::move(Batch(1).Add(column, {})), HP_WRONG_TYPE,
        "context feature 'user' takes HP_INT64, its column has type " + std::to_string(type));
  }
}

TEST_F(SessionErrorTest, MissingFeature) {
  ExpectContext(std::move(Batch(1).Numbers(kAge, {1})), HP_MISSING_FEATURE,
                "context feature 'user' is missing; it has no default");
  ExpectEvents(Batch(2), HP_MISSING_FEATURE,
               "history feature 'seen' is missing; it has no default");
  ExpectCandidates(std::move(Batch(1).Strings(kName, {"a"})), HP_MISSING_FEATURE,
                   "candidate feature 'item' is missing; it has no default");
}

TEST_F(SessionErrorTest, DuplicateFeature) {
  ExpectContext(std::move(Batch(1).Integers(kUser, {1}).Integers(kUser, {2})), HP_DUPLICATE_FEATURE,
                "context batch: feature 'user' is given twice");
}

TEST_F(SessionErrorTest, UnknownId) {
  ExpectContext(User(5, 0), HP_UNKNOWN_ID,
                "context feature 'user', row 0: id 5 is not in its vocabulary of 5 rows, which has "
                "no out-of-vocabulary row");
  ExpectContext(User(-1, 0), HP_UNKNOWN_ID,
                "context feature 'user', row 0: id -1 is not in its vocabulary of 5 rows, which "
                "has no out-of-vocabulary "
                "row");
  ExpectEvents(Events({1, 2, 3, 1, 4}), HP_UNKNOWN_ID,
               "history feature 'seen', row 4: id 4 is not in its vocabulary of 4 rows, which has "
               "no out-of-vocabulary row");
  Candidates bad = Candidates::Random(100, 12);
  bad.name[77] = "zebra";
  ExpectCandidates(bad.ToBatch(), HP_UNKNOWN_ID,
                   "candidate feature 'name', row 77: id 'zebra' is not in its vocabulary, which "
                   "has no out-of-vocabulary "
                   "row");
}

// Whatever an id is, the message is UTF-8 of whole characters, which bindings count on.
TEST_F(SessionErrorTest, IdsAreShownAsUtf8) {
  const auto message_for = [&](const std::string& id) {
    Candidates bad = Candidates::Random(1, 12);
    bad.name[0] = id;
    float score = 0;
    EXPECT_EQ(hp_session_score(session(), bad.ToBatch().get(), &score, nullptr), HP_UNKNOWN_ID);
    return std::string(session_.message());
  };
  const std::string before = "candidate feature 'name', row 0: id '";
  const std::string after = "' is not in its vocabulary, which has no out-of-vocabulary row";
  // 300 characters of three bytes: 64 bytes end inside of one.
  std::string long_id;
  for (int i = 0; i < 300; ++i) long_id += "\xE6\xB0\xB4";
  EXPECT_EQ(message_for(long_id), before + long_id.substr(0, 63) + after);
  EXPECT_EQ(message_for("caf\xE9"), before + "caf\\xE9" + after);
  EXPECT_EQ(message_for("a\nb\x7F"), before + "a\\x0Ab\\x7F" + after);
  EXPECT_EQ(message_for("\xF0\x9F\x8D\x8E"), before + "\xF0\x9F\x8D\x8E" + after);
}

TEST_F(SessionErrorTest, NotFinite) {
  ExpectContext(User(1, std::numeric_limits<float>::quiet_NaN()), HP_NOT_FINITE,
                "context feature 'age', row 0: the number is NaN");
  ExpectContext(User(1, -std::numeric_limits<float>::infinity()), HP_NOT_FINITE,
                "context feature 'age', row 0: the number is infinite");
  Candidates bad = Candidates::Random(3, 13);
  bad.price[5] = -1.5f;  // log1p takes what is above -1.
  ExpectCandidates(bad.ToBatch(), HP_NOT_FINITE,
                   "candidate feature 'price', row 2: -1.5 is outside of what its transform takes: "
                   "step 1 is log1p of -1.5");
}

TEST_F(SessionErrorTest, TooManyValues) {
  ExpectCandidates(
      std::move(Batch(2).Integers(kItem, {10, 20}).Integers(kTags, {1, 2, 3, 4, 5}, {0, 1, 5})),
      HP_TOO_MANY_VALUES, "candidate feature 'tags', row 1: 4 values, the model keeps at most 3");
}

TEST_F(SessionErrorTest, UnknownItem) {
  ExpectCandidates(
      std::move(Batch(2).Integers(kItem, {10, 40})), HP_UNKNOWN_ITEM,
      "candidate 1: item 40 is not in the catalog of 3 items, and 'tags' was not given");
}

TEST_F(SessionErrorTest, WrongRows) {
  ExpectContext(Batch(2), HP_INVALID_ARGUMENT, "a context has 1 row, this batch has 2");
  ExpectCandidates(std::move(Batch(1).Integers(kItem, {10}).Integers(kTags, {1})),
                   HP_INVALID_ARGUMENT,
                   "candidate feature 'tags' is multi-valued, its row_splits are null");
  ExpectCandidates(std::move(Batch(2).Integers(kItem, {10, 20}).Integers(kTags, {1, 2}, {0, 2, 1})),
                   HP_INVALID_ARGUMENT,
                   "candidate feature 'tags': row_splits fall from 2 to 1 at row 1");
}

TEST_F(SessionErrorTest, RowSplitsBeginWithZero) {
  ExpectCandidates(
      std::move(Batch(2).Integers(kItem, {10, 20}).Integers(kTags, {1, 2, 3}, {1, 2, 3})),
      HP_INVALID_ARGUMENT, "candidate feature 'tags': row_splits begin with 1, not with 0");
  hp_column tags = {};
  tags.feature = kTags;
  tags.type = HP_INT64;
  ExpectCandidates(std::move(Batch(1).Integers(kItem, {10}).Add(tags, {0, 2})), HP_INVALID_ARGUMENT,
                   "candidate feature 'tags': its values of type 1 are null");
  // Of no row, nothing is looked at.
  EXPECT_EQ(hp_session_score(session(), Batch(0).Integers(kItem, {}).Integers(kTags, {}, {7}).get(),
                             nullptr, nullptr),
            HP_OK);
}

TEST_F(SessionErrorTest, AStringWithoutBytes) {
  const hp_string names[] = {{"a", 1}, {nullptr, 0}, {nullptr, 5}};
  hp_column column = {};
  column.feature = kName;
  column.type = HP_STRING;
  column.strings = names;
  ExpectCandidates(std::move(Batch(3).Integers(kItem, {10, 20, 30}).Add(column, {})),
                   HP_INVALID_ARGUMENT, "candidate feature 'name', row 2: null string of size 5");
}

// What a sigmoid would make 1, or no probability at all.
TEST_F(SessionErrorTest, ALogitThatIsNotFinite) {
  auto bundle = MakeTinyBundle();
  std::vector<uint8_t>& cross = bundle->tables[5]->data;
  const float large[2] = {3e38f, -3e38f};  // User 2 beside tags 0 and 1.
  std::memcpy(cross.data() + (2 * 6 + 0) * sizeof(float), large, sizeof(large));
  for (const uint32_t workers : {1u, 2u}) {
    const OpenModel model(Serialized(*bundle));
    ASSERT_EQ(model.status(), HP_OK) << model.error().message;
    testing::ParallelCalls calls;
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.workers = workers;
    options.parallel_for = testing::InReverse;
    options.parallel_opaque = &calls;
    const OpenSession other(model.get(), options);
    ASSERT_EQ(hp_session_set_context(other.get(), User(2, 0.25f).get()), HP_OK);
    Candidates candidates = Candidates::Random(100, 15);
    for (auto& tags : candidates.tags) tags = {2};
    const std::vector<float> before = Logits(other.get(), candidates);
    const auto expect = [&](const std::string& message) {
      std::vector<float> scores(100);
      std::vector<hp_ranked> ranked(10);
      size_t count = 77;
      EXPECT_EQ(hp_session_score(other.get(), candidates.ToBatch().get(), scores.data(), nullptr),
                HP_NOT_FINITE);
      EXPECT_EQ(other.message(), message);
      EXPECT_EQ(hp_session_rank(other.get(), candidates.ToBatch().get(), 10, ranked.data(), &count),
                HP_NOT_FINITE);
      EXPECT_EQ(other.message(), message);
      EXPECT_EQ(count, 77u);
      for (const size_t bad : {size_t{83}, size_t{90}}) candidates.tags[bad] = {2};
      EXPECT_EQ(Logits(other.get(), candidates), before) << "the session was changed";
    };
    candidates.tags[90] = candidates.tags[83] = {0, 0};
    expect(
        "candidate 83: the model's logit is infinite: a number of the request, or a weight, is too "
        "large for it");
    candidates.tags[83] = {1, 1, 1};
    expect(
        "candidate 83: the model's logit is infinite: a number of the request, or a weight, is too "
        "large for it");
    candidates.tags[83] = {0};  // Large, and a number.
    EXPECT_GT(Logits(other.get(), candidates)[83], 1e38f);
  }
}

TEST_F(SessionErrorTest, NullPointers) {
  hp_column column = {};
  column.feature = kItem;
  column.type = HP_INT64;
  ExpectCandidates(std::move(Batch(1).Add(column, {})), HP_INVALID_ARGUMENT,
                   "candidate feature 'item': its values of type 1 are null");
  const hp_batch no_columns = HP_BATCH(nullptr, 3, 1);
  Expect(hp_session_set_context(session(), &no_columns), HP_INVALID_ARGUMENT,
         "context batch: columns is null, column_count is 3");
  Expect(hp_session_set_context(session(), nullptr), HP_INVALID_ARGUMENT, "context is null");
  size_t count;
  Expect(hp_session_rank(session(), probe_.ToBatch().get(), 3, nullptr, &count),
         HP_INVALID_ARGUMENT, "ranked is null");
}

TEST(SessionCreateTest, ScoringBeforeTheContextIsSetSaysSo) {
  const OpenModel model(Serialized(*MakeTinyBundle()));
  const OpenSession session(model.get());
  float score;
  EXPECT_EQ(
      hp_session_score(session.get(), Candidates::Random(1, 1).ToBatch().get(), &score, nullptr),
      HP_CONTEXT_NOT_SET);
}

TEST(SessionCreateTest, OneByteLessThanAskedForSaysBothNumbers) {
  const OpenModel model(Serialized(*MakeTinyBundle()));
  size_t bytes = 0;
  ASSERT_EQ(hp_session_memory_size(model.get(), nullptr, &bytes, nullptr), HP_OK);
  void* memory = std::aligned_alloc(HP_ALIGNMENT, (bytes / HP_ALIGNMENT + 1) * HP_ALIGNMENT);
  hp_session* session = nullptr;
  hp_error error;
  EXPECT_EQ(hp_session_create(model.get(), nullptr, memory, bytes - 1, &session, &error),
            HP_MEMORY_TOO_SMALL);
  EXPECT_EQ(std::string(error.message), "session memory has " + std::to_string(bytes - 1) +
                                            " bytes, " + std::to_string(bytes) + " are needed");
  EXPECT_EQ(session, nullptr);
  EXPECT_EQ(hp_session_create(model.get(), nullptr, static_cast<char*>(memory) + 1, bytes, &session,
                              &error),
            HP_MISALIGNED);
  EXPECT_EQ(hp_session_create(model.get(), nullptr, memory, bytes, &session, &error), HP_OK);
  std::free(memory);
}

TEST(SessionCreateTest, ATileAboveTheBundlesIsRefused) {
  const OpenModel model(Serialized(*MakeTinyBundle()));
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.tile = 33;
  size_t bytes = 0;
  hp_error error;
  EXPECT_EQ(hp_session_memory_size(model.get(), &options, &bytes, &error), HP_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "session tile is 33, expected at most the bundle's 32");
  options.struct_size = 0;
  EXPECT_EQ(hp_session_memory_size(model.get(), &options, &bytes, &error), HP_INVALID_ARGUMENT);
}

TEST(SessionCreateTest, AContextWithDefaultsAloneNeedsNotBeSet) {
  auto bundle = MakeTinyBundle();
  bundle->features[kUser]->optional = true;
  bundle->features[kUser]->default_rows = {4};
  const OpenModel model(Serialized(*bundle));
  const OpenSession session(model.get());
  const OpenSession set(model.get());
  ASSERT_EQ(hp_session_set_context(set.get(), User(4, 0.5f).get()), HP_OK);
  const Candidates candidates = Candidates::Random(5, 14);
  EXPECT_EQ(Logits(session.get(), candidates), Logits(set.get(), candidates));
}

TEST(SessionCreateTest, GoldensAreReplayedAndADifferenceIsNamed) {
  auto bundle = MakeTinyBundle();
  auto golden = std::make_unique<schema::GoldenRequestT>();
  auto user = std::make_unique<schema::GoldenColumnT>();
  user->feature = kUser;
  user->integers = {3};
  golden->context.push_back(std::move(user));
  auto events = std::make_unique<schema::GoldenColumnT>();
  events->feature = kSeen;
  events->integers = {1, 3};
  golden->histories.push_back(std::make_unique<schema::GoldenEventsT>());
  golden->histories[0]->columns.push_back(std::move(events));
  golden->histories[0]->event_count = 2;
  auto items = std::make_unique<schema::GoldenColumnT>();
  items->feature = kItem;
  items->integers = {10, 20};
  golden->candidates.push_back(std::move(items));
  auto names = std::make_unique<schema::GoldenColumnT>();
  names->feature = kName;
  names->strings = {"b", "c"};
  golden->candidates.push_back(std::move(names));
  golden->candidate_count = 2;
  // The plain definition's logits, at the numbers that the catalog keeps.
  const auto raw = [](float y) {
    return static_cast<float>(std::expm1(static_cast<double>(y) / 0.5 + 1.0));
  };
  Candidates spelled;
  spelled.item = {10, 20};
  spelled.tags = {{1, 2}, {}};
  spelled.name = {"b", "c"};
  spelled.price = {raw(0.1f), raw(0.2f), raw(0.3f), raw(0.4f)};
  for (size_t i = 0; i < 2; ++i) {
    golden->logits.push_back(static_cast<float>(Expected(*bundle, 3, 0.5, {1, 3}, spelled, i)));
  }
  bundle->goldens.push_back(std::move(golden));
  bundle->golden_tolerance = static_cast<float>(kInt8Tolerance);
  {
    const OpenModel model(Serialized(*bundle));
    ASSERT_EQ(model.status(), HP_OK) << model.error().message;
    const OpenSession session(model.get());
    float worst = -1;
    EXPECT_EQ(hp_session_check_goldens(session.get(), &worst), HP_OK) << session.message();
    EXPECT_GE(worst, 0);
    EXPECT_LT(worst, kInt8Tolerance);
  }
  bundle->goldens[0]->logits[1] += 1;
  const OpenModel model(Serialized(*bundle));
  const OpenSession session(model.get());
  float worst = 0;
  EXPECT_EQ(hp_session_check_goldens(session.get(), &worst), HP_GOLDEN_MISMATCH);
  EXPECT_GT(worst, 0.2);
  EXPECT_NE(std::string(session.message()).find("golden request 0, candidate 1"), std::string::npos)
      << session.message();
  bundle->goldens.clear();
  const OpenModel none(Serialized(*bundle));
  const OpenSession without(none.get());
  EXPECT_EQ(hp_session_check_goldens(without.get(), &worst), HP_NO_GOLDENS);
  EXPECT_STREQ(without.message(), "the bundle has no golden requests to check");
}

TEST(SessionCreateTest, AGoldenWhoseLogitIsNotFiniteIsAMismatch) {
  auto bundle = MakeTinyBundle();
  auto golden = std::make_unique<schema::GoldenRequestT>();
  const auto column = [](uint32_t feature) {
    auto made = std::make_unique<schema::GoldenColumnT>();
    made->feature = feature;
    return made;
  };
  golden->context.push_back(column(kUser));
  golden->context.back()->integers = {2};
  golden->candidates.push_back(column(kItem));
  golden->candidates.back()->integers = {10};
  golden->candidates.push_back(column(kTags));
  golden->candidates.back()->integers = {0, 0};
  golden->candidates.back()->row_splits = {0, 2};
  golden->candidate_count = 1;
  golden->logits = {1};
  bundle->goldens.push_back(std::move(golden));
  const float large = 3e38f;
  std::memcpy(bundle->tables[5]->data.data() + 2 * 6 * sizeof(float), &large, sizeof(large));
  const OpenModel model(Serialized(*bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  float worst = 0;
  EXPECT_EQ(hp_session_check_goldens(session.get(), &worst), HP_GOLDEN_MISMATCH);
  EXPECT_TRUE(std::isinf(worst));
  EXPECT_EQ(std::string(session.message()).rfind("golden request 0: candidate 0: ", 0), 0u)
      << session.message();
}

// ---- Sessions that the library allocates ----

struct Counts {
  int64_t bytes = 0;
  int64_t blocks = 0;
  int64_t allowed = 1000;  // Allocations.
  size_t shift = 0;        // Of what is returned.
};

hp_allocator Counting(Counts* counts) {
  hp_allocator allocator = HP_ALLOCATOR_INIT;
  allocator.allocate = [](void* opaque, size_t bytes, size_t alignment) -> void* {
    auto* to = static_cast<Counts*>(opaque);
    if (to->allowed == 0) return nullptr;
    --to->allowed;
    to->bytes += static_cast<int64_t>(bytes);
    ++to->blocks;
    const size_t size = bytes + to->shift;
    char* memory = static_cast<char*>(
        std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment));
    std::memset(memory, 0xA8, size);
    return memory + to->shift;
  };
  allocator.release = [](void* opaque, void* memory, size_t bytes) {
    auto* to = static_cast<Counts*>(opaque);
    to->bytes -= static_cast<int64_t>(bytes);
    --to->blocks;
    std::free(static_cast<char*>(memory) - to->shift);
  };
  allocator.opaque = counts;
  return allocator;
}

TEST(SessionNewTest, TakesExactlyWhatIsToldAndGivesItBack) {
  const Bytes bytes(Serialized(*MakeTinyBundle()));
  Counts counts;
  const hp_allocator allocator = Counting(&counts);
  hp_open_options opening = HP_OPEN_OPTIONS_INIT;
  opening.allocator = &allocator;
  hp_model* model = nullptr;
  hp_error error;
  ASSERT_EQ(hp_model_open_buffer(bytes.data(), bytes.size(), &opening, &model, &error), HP_OK);
  const Counts opened = counts;
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.tile = 7;
  size_t size = 0;
  ASSERT_EQ(hp_session_memory_size(model, &options, &size, &error), HP_OK);
  hp_session* session = nullptr;
  ASSERT_EQ(hp_session_new(model, &options, &session, &error), HP_OK) << error.message;
  EXPECT_EQ(counts.bytes, opened.bytes + static_cast<int64_t>(size));
  EXPECT_EQ(counts.blocks, opened.blocks + 1);
  // The same bits as in the caller's memory.
  const OpenSession own(model, options);
  ASSERT_EQ(hp_session_set_context(session, User(3, 0.5f).get()), HP_OK);
  ASSERT_EQ(hp_session_set_context(own.get(), User(3, 0.5f).get()), HP_OK);
  const Candidates candidates = Candidates::Random(50, 16);
  EXPECT_EQ(Logits(session, candidates), Logits(own.get(), candidates));
  // Not the library's: nothing happens.
  hp_session_free(own.get());
  EXPECT_EQ(Logits(session, candidates), Logits(own.get(), candidates));
  hp_session_free(session);
  EXPECT_EQ(counts.bytes, opened.bytes);
  EXPECT_EQ(counts.blocks, opened.blocks);
  hp_session_free(nullptr);
  hp_model_close(model);
  EXPECT_EQ(counts.bytes, 0);
}

TEST(SessionNewTest, WithoutAnAllocatorItIsMalloc) {
  const OpenModel model(Serialized(*MakeTinyBundle()));
  hp_session* session = nullptr;
  ASSERT_EQ(hp_session_new(model.get(), nullptr, &session, nullptr), HP_OK);
  ASSERT_EQ(hp_session_set_context(session, User(3, 0.5f).get()), HP_OK);
  hp_session_free(session);  // The leak checker would tell.
}

TEST(SessionNewTest, FailuresLeaveNothing) {
  const Bytes bytes(Serialized(*MakeTinyBundle()));
  Counts counts;
  const hp_allocator allocator = Counting(&counts);
  hp_open_options opening = HP_OPEN_OPTIONS_INIT;
  opening.allocator = &allocator;
  hp_model* model = nullptr;
  hp_error error;
  ASSERT_EQ(hp_model_open_buffer(bytes.data(), bytes.size(), &opening, &model, &error), HP_OK);
  const Counts opened = counts;
  hp_session* session = nullptr;
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.tile = 33;
  EXPECT_EQ(hp_session_new(model, &options, &session, &error), HP_INVALID_ARGUMENT);
  counts.allowed = 0;
  EXPECT_EQ(hp_session_new(model, nullptr, &session, &error), HP_OUT_OF_MEMORY);
  EXPECT_EQ(std::string(error.message).rfind("no memory for a session of ", 0), 0u);
  counts.allowed = 1;
  counts.shift = 8;
  EXPECT_EQ(hp_session_new(model, nullptr, &session, &error), HP_MISALIGNED);
  counts.shift = 0;
  EXPECT_EQ(session, nullptr);
  EXPECT_EQ(counts.bytes, opened.bytes);
  EXPECT_EQ(counts.blocks, opened.blocks);
  hp_model_close(model);
}

TEST(ModelTest, FeaturesAreFoundByNameAndSide) {
  const OpenModel model(Serialized(*MakeTinyBundle()));
  uint32_t feature = 99;
  EXPECT_EQ(hp_model_find_feature(model.get(), HP_SIDE_CANDIDATE, "tags", &feature), HP_OK);
  EXPECT_EQ(feature, static_cast<uint32_t>(kTags));
  EXPECT_EQ(hp_model_find_feature(model.get(), HP_SIDE_CONTEXT, "tags", &feature),
            HP_UNKNOWN_FEATURE);
  hp_feature_info info = HP_FEATURE_INFO_INIT;
  ASSERT_EQ(hp_model_get_feature(model.get(), kTags, &info), HP_OK);
  EXPECT_STREQ(info.name, "tags");
  EXPECT_EQ(info.side, HP_SIDE_CANDIDATE);
  EXPECT_EQ(info.type, HP_FEATURE_MULTI_CATEGORICAL);
  EXPECT_EQ(info.value_types, static_cast<uint32_t>(HP_INT64));
  EXPECT_EQ(info.max_values, 3u);
  EXPECT_EQ(info.optional, 1) << "the catalog has it";
  ASSERT_EQ(hp_model_get_feature(model.get(), kItem, &info), HP_OK);
  EXPECT_EQ(info.is_catalog_key, 1);
  EXPECT_EQ(hp_model_get_feature(model.get(), 8, &info), HP_UNKNOWN_FEATURE);
}

TEST(ModelTest, EveryByteComesFromTheAllocatorAndGoesBack) {
  Counts counts;
  const hp_allocator allocator = Counting(&counts);
  hp_open_options opening = HP_OPEN_OPTIONS_INIT;
  opening.allocator = &allocator;
  const Bytes bytes(Serialized(*MakeTinyBundle()));
  hp_model* model = nullptr;
  hp_error error;
  ASSERT_EQ(hp_model_open_buffer(bytes.data(), bytes.size(), &opening, &model, &error), HP_OK)
      << error.message;
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model, &info), HP_OK);
  EXPECT_EQ(static_cast<uint64_t>(counts.bytes), info.model_bytes + info.engine_bytes);
  EXPECT_GT(info.model_bytes, 0u);
  hp_model_close(model);
  EXPECT_EQ(counts.bytes, 0);
}

TEST(ModelTest, EveryAllocationThatFailsIsAnErrorWithoutALeak) {
  const Bytes bytes(Serialized(*MakeTinyBundle()));
  for (int allowed = 0; allowed < 1000; ++allowed) {
    Counts counts;
    counts.allowed = allowed;
    const hp_allocator allocator = Counting(&counts);
    hp_open_options opening = HP_OPEN_OPTIONS_INIT;
    opening.allocator = &allocator;
    hp_model* model = nullptr;
    hp_error error;
    const hp_status status =
        hp_model_open_buffer(bytes.data(), bytes.size(), &opening, &model, &error);
    if (status == HP_OK) {
      EXPECT_GT(allowed, 3);
      hp_model_close(model);
      EXPECT_EQ(counts.blocks, 0);
      return;
    }
    ASSERT_EQ(status, HP_OUT_OF_MEMORY) << "allocation " << allowed << ": " << error.message;
    ASSERT_EQ(model, nullptr);
    ASSERT_EQ(counts.blocks, 0) << "allocation " << allowed;
  }
  FAIL() << "the bundle never opened";
}

TEST(StatusTest, EveryStatusHasATextOfItsOwn) {
  std::vector<std::string> texts;
  for (int status = 0; status < 0x60; ++status) {
    const std::string text = hp_status_text(static_cast<hp_status>(status));
    if (text == "unknown status") continue;
    EXPECT_EQ(std::count(texts.begin(), texts.end(), text), 0) << text;
    texts.push_back(text);
  }
  EXPECT_EQ(texts.size(), 35u);
}

}  // namespace
}  // namespace handpick
