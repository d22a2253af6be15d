// hp_session_recall against an oracle that looks at everything.
#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include "handpick/diagnostics.h"
#include "tests/sdk/recall/recall_session.h"

namespace handpick {
namespace {

using namespace testing;  // NOLINT
using schema::ElementType;
using schema::RecallMetric;

constexpr RecallMetric kMetrics[] = {RecallMetric::Cosine, RecallMetric::InnerProduct,
                                     RecallMetric::Euclidean};

RecallBundleOptions Alone() {
  RecallBundleOptions options;
  options.model = false;
  return options;
}

converter::HashParameters Hyperplanes(uint32_t functions, uint32_t tables) {
  converter::HashParameters hash;
  hash.family = schema::HashFamily::Hyperplane;
  hash.functions = functions;
  hash.tables = tables;
  return hash;
}

// ---- Users ----

TEST(RecallTest, AnAppsVectorFindsWhatTheOracleFinds) {
  uint64_t seed = 1;
  for (const RecallMetric metric : kMetrics) {
    for (const ElementType type : {ElementType::Float32, ElementType::Int8PerRow}) {
      for (const Ids ids :
           {Ids::kNumbers, Ids::kIntegers, Ids::kStrings, Ids::kCatalog, Ids::kCatalogStrings}) {
        for (const uint32_t tables : {0u, 1u, 3u}) {
          SCOPED_TRACE(seed);
          RecallBundleOptions options = Alone();
          options.items = 150;
          options.metric = metric;
          options.type = type;
          options.ids = ids;
          options.twin_every = 3;
          options.seed = ++seed;
          if (tables != 0) options.parameters.hash = Hyperplanes(4, tables);
          options.probes = 16;  // All buckets.
          const RecallSession session(options);
          const std::vector<float> user = RandomVector(options.dimension, seed);
          session.ExpectBest(session.Recall(VectorOptions(40, user)), 40, {user},
                             session.OracleItems());
        }
      }
    }
  }
}

TEST(RecallTest, TheMeanOfTheHistorysVectorsIsTheUser) {
  for (const RecallMetric metric : kMetrics) {
    RecallBundleOptions options = Alone();
    options.metric = metric;
    RecallSession session(options);
    // Item 7 counts twice.
    session.SetHistoryOfItems({3, 7, 7, 12});
    const std::vector<float> user =
        Mean({session.Stored(session.vector(3)), session.Stored(session.vector(7)),
              session.Stored(session.vector(7)), session.Stored(session.vector(12))});
    const auto found = session.Recall(RecallOptions(20));
    session.ExpectBest(
        found, 20, {user},
        session.OracleItems({Text(session.id(3)), Text(session.id(7)), Text(session.id(12))}));
    EXPECT_EQ(session.Report().outcome, HP_RECALL_FOUND);
    EXPECT_EQ(session.Report().events, 4u);
    EXPECT_EQ(session.Report().searches, 1u);
    EXPECT_EQ(session.Report().rows_scanned, 100u);
  }
}

TEST(RecallTest, RecentEventsWeighMore) {
  RecallSession session(Alone());
  session.SetHistory({session.id(3), IntegerId(5), session.id(9), session.id(20)});
  hp_recall_options options = RecallOptions(20, HP_USER_RECENT);
  options.half_life = 1.5f;
  options.keep_seen = 1;
  // The event of the unknown item has an age, too.
  const std::vector<float> user =
      Mean({session.Stored(session.vector(3)), session.Stored(session.vector(9)),
            session.Stored(session.vector(20))},
           {std::exp2(-3 / 1.5), std::exp2(-1 / 1.5), 1});
  session.ExpectBest(session.Recall(options), 20, {user}, session.OracleItems());

  // So short a half-life that every weight but the newest is 0.
  options.half_life = 1e-30f;
  session.SetHistory({session.id(3), session.id(20), IntegerId(5)});
  session.ExpectBest(session.Recall(options), 20, {session.vector(20)}, session.OracleItems());
}

// k-means as user_vector.h describes it, once more.
std::vector<std::vector<float>> OracleInterests(const std::vector<std::vector<float>>& vectors,
                                                size_t k) {
  const auto distance = [](const std::vector<float>& a, const std::vector<float>& b) {
    return -OracleScore(RecallMetric::Euclidean, a, b);
  };
  std::vector<std::vector<float>> centres = {vectors.back()};
  while (centres.size() < k) {
    double farthest = 0;
    size_t next = 0;
    for (size_t v = 0; v < vectors.size(); ++v) {
      double nearest = HUGE_VAL;
      for (const auto& centre : centres) nearest = std::min(nearest, distance(vectors[v], centre));
      if (nearest >= farthest && nearest > 0) {
        farthest = nearest;
        next = v;
      }
    }
    if (farthest == 0) break;
    centres.push_back(vectors[next]);
  }
  for (int round = 0; round < 10; ++round) {
    std::vector<std::vector<std::vector<float>>> members(centres.size());
    for (const auto& vector : vectors) {
      size_t nearest = 0;
      for (size_t c = 1; c < centres.size(); ++c) {
        if (distance(vector, centres[c]) < distance(vector, centres[nearest])) nearest = c;
      }
      members[nearest].push_back(vector);
    }
    for (size_t c = 0; c < centres.size(); ++c) {
      if (!members[c].empty()) centres[c] = Mean(members[c]);
    }
  }
  return centres;
}

TEST(RecallTest, SeveralInterestsAreMergedWithTheBestScoreOfEachItem) {
  for (const RecallMetric metric : kMetrics) {
    for (const uint32_t interests : {1u, 2u, 3u, 5u, 8u}) {
      SCOPED_TRACE(interests);
      RecallBundleOptions bundle = Alone();
      bundle.metric = metric;
      bundle.twin_every = 4;
      RecallSession session(bundle);
      const std::vector<uint32_t> events = {2, 41, 17, 2, 60, 33, 90};
      session.SetHistoryOfItems(events);
      std::vector<std::vector<float>> vectors;
      for (const uint32_t event : events) vectors.push_back(session.Stored(session.vector(event)));
      const auto users = OracleInterests(vectors, interests);
      hp_recall_options options = RecallOptions(30, HP_USER_INTERESTS);
      options.interests = interests;
      options.keep_seen = 1;
      const auto found = session.Recall(options);
      session.ExpectBest(found, 30, users, session.OracleItems());
      EXPECT_EQ(session.Report().searches, users.size());
      EXPECT_EQ(users.size(), std::min<size_t>(interests, 6)) << "different vectors";
    }
  }
}

TEST(RecallTest, EventsAreThoseThatTheSessionKeeps) {
  RecallSession session(Alone());
  session.SetHistoryOfItems({1, 2, 3, 4, 5, 6, 7, 8});
  Batch more(2);
  RecallSession::Fill(kSeen, {session.id(50), session.id(51)}, &more);
  ASSERT_EQ(hp_session_append_events(session.get(), more.get()), HP_OK);
  std::vector<std::vector<float>> vectors;
  for (const uint32_t event : {3u, 4u, 5u, 6u, 7u, 8u, 50u, 51u}) {
    vectors.push_back(session.Stored(session.vector(event)));
  }
  hp_recall_options options = RecallOptions(20);
  options.keep_seen = 1;
  session.ExpectBest(session.Recall(options), 20, {Mean(vectors)}, session.OracleItems());
  EXPECT_EQ(session.Report().events, 8u);
}

// ---- Edges ----

TEST(RecallTest, AnEmptyHistoryFindsNothingAndSaysSo) {
  RecallSession session(Alone());
  EXPECT_EQ(session.Report().outcome, HP_RECALL_NOT_DONE);
  for (const hp_user_vector user : {HP_USER_MEAN, HP_USER_RECENT, HP_USER_INTERESTS}) {
    hp_recall_options options = RecallOptions(10, user);
    options.half_life = 2;
    options.interests = 2;
    EXPECT_TRUE(session.Recall(options).empty());
    EXPECT_EQ(session.Report().outcome, HP_RECALL_NO_EVENTS);
  }
  session.SetHistory({IntegerId(1), IntegerId(2), IntegerId(-5)});  // Not in the index.
  EXPECT_TRUE(session.Recall(RecallOptions(10)).empty());
  EXPECT_EQ(session.Report().outcome, HP_RECALL_NO_EVENTS);
  EXPECT_EQ(session.Report().events, 0u);
}

TEST(RecallTest, UnknownItemsOfTheHistoryDoNotCount) {
  RecallSession session(Alone());
  session.SetHistory({session.id(4), IntegerId(1001), session.id(8), IntegerId(-1)});
  const auto with = Texts(session.Recall(RecallOptions(30)));
  EXPECT_EQ(session.Report().events, 2u);
  session.SetHistoryOfItems({4, 8});
  EXPECT_EQ(with, Texts(session.Recall(RecallOptions(30))));
}

TEST(RecallTest, AZeroVectorHasNoDirection) {
  for (const RecallMetric metric : kMetrics) {
    RecallBundleOptions options = Alone();
    options.metric = metric;
    const RecallSession session(options);
    const std::vector<float> zero(options.dimension);
    const auto found = session.Recall(VectorOptions(10, zero));
    if (metric == RecallMetric::Euclidean) {
      session.ExpectBest(found, 10, {zero}, session.OracleItems());
    } else {
      EXPECT_TRUE(found.empty());
      EXPECT_EQ(session.Report().outcome, HP_RECALL_NO_DIRECTION);
    }
  }
}

TEST(RecallTest, KBeyondTheCatalogFindsAllOfIt) {
  RecallBundleOptions options = Alone();
  options.items = 30;
  options.parameters.hash = Hyperplanes(3, 2);
  options.probes = 1;
  const RecallSession session(options);
  const std::vector<float> user = RandomVector(options.dimension, 5);
  session.ExpectBest(session.Recall(VectorOptions(200, user)), 200, {user}, session.OracleItems());
  EXPECT_TRUE(session.Recall(VectorOptions(0, user)).empty());
  EXPECT_EQ(session.Report().outcome, HP_RECALL_NONE_LEFT);
}

TEST(RecallTest, AnIndexOfNoItemOrOneItemWorks) {
  for (const uint32_t items : {0u, 1u}) {
    for (const Ids ids : {Ids::kNumbers, Ids::kStrings, Ids::kCatalog}) {
      RecallBundleOptions options = Alone();
      options.items = items;
      options.ids = ids;
      const RecallSession session(options);
      const auto found = session.Recall(VectorOptions(5, RandomVector(options.dimension, 3)));
      EXPECT_EQ(found.size(), items);
      EXPECT_EQ(session.Report().outcome, items == 0 ? HP_RECALL_NONE_LEFT : HP_RECALL_FOUND);
    }
  }
}

TEST(RecallTest, DimensionsFromOneToMany) {
  for (const uint32_t dimension : {1u, 3u, 64u, 2048u}) {
    for (const ElementType type : {ElementType::Float32, ElementType::Int8PerRow}) {
      SCOPED_TRACE(dimension);
      RecallBundleOptions options = Alone();
      options.items = 40;
      options.dimension = dimension;
      options.type = type;
      options.metric = RecallMetric::Euclidean;
      RecallSession session(options);
      session.SetHistoryOfItems({3, 17});
      const std::vector<float> user = Mean({session.vector(3), session.vector(17)});
      session.ExpectBest(session.Recall(RecallOptions(25)), 25, {user},
                         session.OracleItems({Text(session.id(3)), Text(session.id(17))}));
      hp_recall_options several = RecallOptions(25, HP_USER_INTERESTS);
      several.interests = 2;
      EXPECT_EQ(session.Recall(several).size(), 25u);
    }
  }
}

TEST(RecallTest, TheSameQueryGivesTheSameAnswer) {
  RecallBundleOptions options = Alone();
  options.items = 300;
  options.parameters.hash = Hyperplanes(5, 2);
  options.probes = 2;
  RecallSession session(options);
  session.SetHistoryOfItems({1, 50, 100, 150});
  hp_recall_options recall = RecallOptions(50, HP_USER_INTERESTS);
  recall.interests = 3;
  const auto first = session.Recall(recall);
  EXPECT_TRUE(session.Recall(VectorOptions(50, RandomVector(options.dimension, 9))).size() == 50);
  const auto second = session.Recall(recall);
  ASSERT_EQ(Texts(first), Texts(second));
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].score, second[i].score);
  hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
  hp_session_get_counters(session.get(), &counters);
  EXPECT_EQ(counters.recalls, 3u);
  EXPECT_GT(counters.recall_buckets, 0u);
  EXPECT_GT(counters.recall_rows, 150u);
}

TEST(RecallTest, ExactComparesAllItems) {
  RecallBundleOptions options = Alone();
  options.items = 300;
  options.parameters.hash = Hyperplanes(6, 1);
  options.probes = 1;
  const RecallSession session(options);
  const std::vector<float> user = RandomVector(options.dimension, 5);
  hp_recall_options recall = VectorOptions(3, user);
  session.Recall(recall);
  EXPECT_LT(session.Report().rows_scanned, 300u);
  EXPECT_EQ(session.Report().exact, 0);
  recall.exact = 1;
  session.ExpectBest(session.Recall(recall), 3, {user}, session.OracleItems());
  EXPECT_EQ(session.Report().rows_scanned, 300u);
  EXPECT_EQ(session.Report().exact, 1);
}

// ---- What is left out ----

class LeftOutTest : public ::testing::TestWithParam<Ids> {
 protected:
  LeftOutTest() : session_(Options()), user_(RandomVector(16, 77)) {}

  static RecallBundleOptions Options() {
    RecallBundleOptions options = Alone();
    options.ids = GetParam();
    options.parameters.hash = Hyperplanes(3, 2);
    options.probes = 8;
    options.twin_every = 5;
    return options;
  }

  RecallSession session_;
  std::vector<float> user_;
};

TEST_P(LeftOutTest, ItemsThatWereSeen) {
  session_.SetHistoryOfItems({1, 2, 99});
  session_.ExpectBest(
      session_.Recall(VectorOptions(100, user_)), 100, {user_},
      session_.OracleItems({Text(session_.id(1)), Text(session_.id(2)), Text(session_.id(99))}));
  hp_recall_options options = VectorOptions(100, user_);
  options.keep_seen = 1;
  session_.ExpectBest(session_.Recall(options), 100, {user_}, session_.OracleItems());
}

TEST_P(LeftOutTest, ItemsThatTheCallerExcludes) {
  std::vector<int64_t> integers = {-3, 5};  // Not in an index but for kNumbers.
  std::vector<hp_string> strings = {{"?", 1}, {nullptr, 0}};
  std::set<std::string> left_out = {"-3", "5"};
  for (uint32_t i = 10; i < 80; ++i) {
    integers.push_back(session_.id(i).integer);
    strings.push_back(session_.id(i).string);
    left_out.insert(Text(session_.id(i)));
  }
  hp_recall_options options = VectorOptions(100, user_);
  options.excluded_integers = integers.data();
  options.excluded_strings = strings.data();
  options.excluded_count = integers.size();
  session_.ExpectBest(session_.Recall(options), 100, {user_}, session_.OracleItems(left_out));
  // Of one call alone.
  options.excluded_count = 0;
  session_.ExpectBest(session_.Recall(options), 100, {user_}, session_.OracleItems());
}

TEST_P(LeftOutTest, AllItems) {
  std::vector<int64_t> integers;
  std::vector<hp_string> strings;
  for (const hp_item_id& id : session_.made().ids) {
    integers.push_back(id.integer);
    strings.push_back(id.string);
  }
  hp_recall_options options = VectorOptions(10, user_);
  options.excluded_integers = integers.data();
  options.excluded_strings = strings.data();
  options.excluded_count = integers.size();
  EXPECT_TRUE(session_.Recall(options).empty());
  EXPECT_EQ(session_.Report().outcome, HP_RECALL_NONE_LEFT);
}

TEST_P(LeftOutTest, ItemsThatTheCallersPredicateRefuses) {
  struct Asked {
    const RecallSession* session;
    int wrong = 0;
  } asked = {&session_};
  hp_recall_options options = VectorOptions(100, user_);
  options.accepts = [](void* opaque, uint32_t item, const hp_item_id* id) {
    auto* of = static_cast<Asked*>(opaque);
    of->wrong += Text(*id) != Text(of->session->id(item)) ? 1 : 0;
    return item % 3 == 0 ? 1 : 0;
  };
  options.accepts_opaque = &asked;
  std::set<std::string> left_out;
  for (uint32_t i = 0; i < 100; ++i) {
    if (i % 3 != 0) left_out.insert(Text(session_.id(i)));
  }
  session_.ExpectBest(session_.Recall(options), 100, {user_}, session_.OracleItems(left_out));
  EXPECT_EQ(asked.wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Ids, LeftOutTest,
                         ::testing::Values(Ids::kNumbers, Ids::kIntegers, Ids::kStrings,
                                           Ids::kCatalog, Ids::kCatalogStrings));

class FilterTest : public ::testing::TestWithParam<Ids> {
 protected:
  FilterTest() : session_(Options()), user_(RandomVector(16, 78)) {}

  static RecallBundleOptions Options() {
    RecallBundleOptions options = Alone();
    options.ids = GetParam();
    return options;
  }

  // That just the items of the catalog for which `passes` are recalled.
  template <typename Passes>
  void ExpectPasses(const std::vector<hp_filter>& filters, Passes passes) {
    hp_recall_options options = VectorOptions(100, user_);
    options.filters = filters.data();
    options.filter_count = filters.size();
    const bool half = GetParam() == Ids::kIntegers || GetParam() == Ids::kStrings;
    std::set<std::string> left_out;
    for (uint32_t i = 0; i < 100; ++i) {
      if ((half && i % 2 != 0) || !passes(i)) left_out.insert(Text(session_.id(i)));
    }
    ASSERT_LT(left_out.size(), 100u) << "the test shows nothing";
    session_.ExpectBest(session_.Recall(options), 100, {user_}, session_.OracleItems(left_out));
  }

  static hp_filter Range(float low, float high, uint32_t element = 0) {
    hp_filter filter = HP_FILTER_INIT;
    filter.kind = HP_FILTER_RANGE;
    filter.feature = kPrice;
    filter.element = element;
    filter.low = low;
    filter.high = high;
    return filter;
  }
  static hp_filter Tags(hp_filter_kind kind, const std::vector<int64_t>& tags) {
    hp_filter filter = HP_FILTER_INIT;
    filter.kind = kind;
    filter.feature = kTags;
    filter.type = HP_INT64;
    filter.integers = tags.data();
    filter.count = tags.size();
    return filter;
  }
  static bool HasTag(uint32_t i, uint32_t tag) {
    return i % 5 != 0 && (i % 6 == tag || (i * i + 1) % 6 == tag);
  }

  RecallSession session_;
  std::vector<float> user_;
};

TEST_P(FilterTest, RangesOfNumbersAreGivenBeforeTheTransform) {
  ExpectPasses({Range(10, 20)}, [](uint32_t i) { return i % 50 >= 10 && i % 50 <= 20; });
  ExpectPasses({Range(-INFINITY, 7)}, [](uint32_t i) { return i % 50 <= 7; });
  ExpectPasses({Range(30, INFINITY)}, [](uint32_t i) { return i % 50 >= 30; });
  ExpectPasses({Range(3, 3, 1)}, [](uint32_t i) { return i % 7 == 3; });
}

TEST_P(FilterTest, AnEmptyRangeHasNothing) {
  hp_recall_options options = VectorOptions(10, user_);
  for (const hp_filter& filter : {Range(20, 10), Range(300, 200), Range(1.5f, 1.75f)}) {
    options.filters = &filter;
    options.filter_count = 1;
    EXPECT_TRUE(session_.Recall(options).empty());
    EXPECT_EQ(session_.Report().outcome, HP_RECALL_NONE_LEFT);
  }
}

TEST_P(FilterTest, IdsOfCategories) {
  const std::vector<int64_t> one = {2};
  const std::vector<int64_t> two = {5, 0};
  ExpectPasses({Tags(HP_FILTER_ANY_OF, one)}, [](uint32_t i) { return HasTag(i, 2); });
  ExpectPasses({Tags(HP_FILTER_ANY_OF, two)},
               [](uint32_t i) { return HasTag(i, 5) || HasTag(i, 0); });
  ExpectPasses({Tags(HP_FILTER_NONE_OF, two)},
               [](uint32_t i) { return !HasTag(i, 5) && !HasTag(i, 0); });
  const std::vector<hp_string> names = {{"b", 1}, {"c", 1}};
  hp_filter name = HP_FILTER_INIT;
  name.kind = HP_FILTER_ANY_OF;
  name.feature = kName;
  name.type = HP_STRING;
  name.strings = names.data();
  name.count = names.size();
  ExpectPasses({name}, [](uint32_t i) { return i % 3 != 0; });
  ExpectPasses({name, Tags(HP_FILTER_NONE_OF, one), Range(10, 40)}, [](uint32_t i) {
    return i % 3 != 0 && !HasTag(i, 2) && i % 50 >= 10 && i % 50 <= 40;
  });
  // An id that no item can have.
  const std::vector<int64_t> unknown = {700};
  ExpectPasses({Tags(HP_FILTER_NONE_OF, unknown)}, [](uint32_t) { return true; });
  const hp_filter none = Tags(HP_FILTER_ANY_OF, unknown);
  hp_recall_options options = VectorOptions(10, user_);
  options.filters = &none;
  options.filter_count = 1;
  EXPECT_TRUE(session_.Recall(options).empty());
}

TEST(SelectiveFilterTest, LooksAtTheItemsThatPassAlone) {
  for (const uint32_t cells : {0u, 30u}) {
    for (const uint32_t plane_bits : {0u, 1u, 4u}) {
      RecallBundleOptions made;
      made.items = 1000;
      made.ids = Ids::kCatalog;
      made.parameters.cells = cells;
      made.parameters.plane_bits = plane_bits;
      RecallSession session(made);
      session.SetHistoryOfItems({104});
      const std::vector<float> user = RandomVector(16, 79);
      hp_recall_options options = VectorOptions(100, user);
      hp_filter filter = HP_FILTER_INIT;
      filter.kind = HP_FILTER_RANGE;
      filter.feature = kPrice;
      filter.low = filter.high = 4;
      options.filters = &filter;
      options.filter_count = 1;
      std::set<std::string> left_out = {Text(session.id(104))};
      for (uint32_t i = 0; i < 1000; ++i) {
        if (i % 50 != 4) left_out.insert(Text(session.id(i)));
      }
      session.ExpectBest(session.Recall(options), 100, {user}, session.OracleItems(left_out));
      // Of twenty, without the one that was seen.
      EXPECT_EQ(session.Report().rows_scanned, 19u);
      EXPECT_EQ(session.Report().exact, 1);
      // More than a few pass: as without a filter.
      filter.high = 40;
      session.Recall(options);
      EXPECT_GT(session.Report().rows_scanned, 100u);
    }
  }
}

TEST(CellsTest, OverlayAndExclusionsHaveTheirSayBesideCellsAndPlanes) {
  for (const uint32_t plane_bits : {0u, 1u, 4u}) {
    RecallBundleOptions made;
    made.items = 500;
    made.ids = Ids::kIntegers;
    made.parameters.cells = 12;
    made.parameters.plane_bits = plane_bits;
    made.parameters.deviations = 50;
    made.probes = 12;
    RecallSession session(made);
    const std::vector<float> user = RandomVector(16, 80);
    hp_recall_options options = VectorOptions(60, user);
    const std::vector<int64_t> excluded = {session.id(7).integer, session.id(300).integer};
    options.excluded_integers = excluded.data();
    options.excluded_count = excluded.size();
    OpenOverlay overlay(session.model(), 10);
    ASSERT_NE(overlay.get(), nullptr) << overlay.error()->message;
    ASSERT_EQ(overlay.Hide(session.id(31)), HP_OK);
    hp_item_id added = {};
    added.integer = 1001;
    ASSERT_EQ(overlay.Add(added, user), HP_OK);  // The best that there can be.
    options.overlay = overlay.get();
    std::vector<OracleItem> items =
        session.OracleItems({Text(session.id(7)), Text(session.id(300)), Text(session.id(31))});
    items.push_back({added, user});
    session.ExpectBest(session.Recall(options), 60, {user}, items);
    EXPECT_EQ(session.Report().buckets, 12u);
  }
}

INSTANTIATE_TEST_SUITE_P(Ids, FilterTest,
                         ::testing::Values(Ids::kIntegers, Ids::kStrings, Ids::kCatalog,
                                           Ids::kCatalogStrings));

// ---- Errors ----

TEST(RecallErrorTest, BadOptionsAreNamed) {
  RecallSession session(Alone());
  session.SetHistoryOfItems({1, 2});
  const std::vector<float> user = RandomVector(16, 1);
  const auto expect = [&](auto change, hp_status status, const char* words) {
    hp_recall_options options = VectorOptions(5, user);
    std::vector<hp_recalled> items(300);
    size_t count = 77;
    change(&options);
    EXPECT_EQ(hp_session_recall(session.get(), &options, items.data(), &count), status) << words;
    EXPECT_NE(std::string(session.message()).find(words), std::string::npos) << session.message();
    EXPECT_EQ(session.Report().outcome, HP_RECALL_NOT_DONE);
  };
  using Options = hp_recall_options;
  expect([](Options* o) { o->k = 257; }, HP_INVALID_ARGUMENT, "k is 257");
  expect([](Options* o) { o->vector_size = 15; }, HP_INVALID_ARGUMENT, "15 numbers");
  expect([](Options* o) { o->vector = nullptr; }, HP_INVALID_ARGUMENT, "vector is null");
  expect([](Options* o) { o->user = static_cast<hp_user_vector>(6); }, HP_INVALID_ARGUMENT,
         "user is 6");
  expect([](Options* o) { o->user = HP_USER_MODEL; }, HP_INVALID_ARGUMENT, "no value of a model");
  expect([](Options* o) { o->user = HP_USER_RECENT; }, HP_INVALID_ARGUMENT, "half_life is 0");
  expect(
      [](Options* o) {
        o->user = HP_USER_RECENT;
        o->half_life = std::numeric_limits<float>::quiet_NaN();
      },
      HP_INVALID_ARGUMENT, "half_life is nan");
  expect([](Options* o) { o->user = HP_USER_INTERESTS; }, HP_INVALID_ARGUMENT, "interests is 0");
  expect(
      [](Options* o) {
        o->user = HP_USER_INTERESTS;
        o->interests = 9;
      },
      HP_INVALID_ARGUMENT, "interests is 9");
  expect([](Options* o) { o->excluded_count = 1; }, HP_INVALID_ARGUMENT, "excluded_integers");
  expect([](Options* o) { o->filter_count = 1; }, HP_INVALID_ARGUMENT, "filters is null");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), INFINITY, 2e15f}) {
    std::vector<float> vector = user;
    vector[3] = bad;
    expect([&](Options* o) { o->vector = vector.data(); }, HP_NOT_FINITE, "number 3");
  }
  hp_filter filter = HP_FILTER_INIT;
  const auto with_filter = [&](Options* o) {
    o->filters = &filter;
    o->filter_count = 1;
  };
  filter.kind = HP_FILTER_RANGE;
  filter.feature = 99;
  expect(with_filter, HP_UNKNOWN_FEATURE, "feature 99");
  filter.feature = kItem;
  expect(with_filter, HP_UNKNOWN_FEATURE, "'item'");
  filter.feature = kTags;
  expect(with_filter, HP_WRONG_TYPE, "'tags'");
  filter.feature = kPrice;
  filter.element = 2;
  expect(with_filter, HP_INVALID_ARGUMENT, "element 2");
  filter.element = 0;
  filter.low = std::numeric_limits<float>::quiet_NaN();
  expect(with_filter, HP_NOT_FINITE, "'price'");
  filter.kind = static_cast<hp_filter_kind>(9);
  expect(with_filter, HP_INVALID_ARGUMENT, "kind 9");
  filter.kind = HP_FILTER_ANY_OF;
  filter.feature = kTags;
  filter.type = HP_STRING;
  expect(with_filter, HP_WRONG_TYPE, "type 4");
  filter.type = HP_INT64;
  filter.count = 1;
  expect(with_filter, HP_INVALID_ARGUMENT, "null ids");
  const std::vector<int64_t> many(257);
  filter.integers = many.data();
  filter.count = many.size();
  expect(with_filter, HP_INVALID_ARGUMENT, "257 ids");
  const std::vector<hp_filter> filters(17, filter);
  expect(
      [&](Options* o) {
        o->filters = filters.data();
        o->filter_count = 17;
      },
      HP_INVALID_ARGUMENT, "17 filters");
  // After all of this it recalls as ever.
  session.ExpectBest(session.Recall(VectorOptions(5, user)), 5, {user},
                     session.OracleItems({Text(session.id(1)), Text(session.id(2))}));
}

TEST(RecallErrorTest, StringsWithoutBytesAreNamed) {
  RecallBundleOptions bundle;
  bundle.ids = Ids::kCatalogStrings;
  const RecallSession session(bundle);
  const std::vector<float> user = RandomVector(16, 1);
  const hp_string strings[] = {{"b", 1}, {nullptr, 0}, {nullptr, 5}};
  const auto expect = [&](const hp_recall_options& options, const char* words) {
    hp_recalled items[5];
    size_t count = 0;
    EXPECT_EQ(hp_session_recall(session.get(), &options, items, &count), HP_INVALID_ARGUMENT);
    EXPECT_NE(std::string(session.message()).find(words), std::string::npos) << session.message();
  };
  hp_recall_options options = VectorOptions(5, user);
  options.excluded_strings = strings;
  options.excluded_count = 3;
  expect(options, "excluded id 2 is a null string of size 5");
  options = VectorOptions(5, user);
  hp_filter filter = HP_FILTER_INIT;
  filter.kind = HP_FILTER_ANY_OF;
  filter.feature = testing::kName;
  filter.type = HP_STRING;
  filter.strings = strings;
  filter.count = 3;
  options.filters = &filter;
  options.filter_count = 1;
  expect(options, "filter 0 of 'name': id 2 is a null string of size 5");
  // Nothing of no size is a string.
  filter.count = 2;
  EXPECT_FALSE(session.Recall(options).empty());
}

TEST(RecallErrorTest, NullPointersAreRefused) {
  RecallSession session(Alone());
  hp_recall_options options = RecallOptions(3);
  hp_recalled items[3];
  size_t count = 0;
  EXPECT_EQ(hp_session_recall(nullptr, &options, items, &count), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_session_recall(session.get(), nullptr, items, &count), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_session_recall(session.get(), &options, nullptr, &count), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_session_recall(session.get(), &options, items, nullptr), HP_INVALID_ARGUMENT);
  options.struct_size = 7;
  EXPECT_EQ(hp_session_recall(session.get(), &options, items, &count), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_session_get_recall_report(session.get(), nullptr), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_model_get_recall_info(session.model(), nullptr), HP_INVALID_ARGUMENT);
}

TEST(RecallErrorTest, TheSessionsOptionsAreTheLimits) {
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.recall_k = 1000;
  options.recall_interests = 20;
  RecallSession session(Alone(), options);
  session.SetHistoryOfItems({1, 2, 3});
  hp_recall_options recall = RecallOptions(1000, HP_USER_INTERESTS);
  recall.interests = 20;
  EXPECT_EQ(session.Recall(recall).size(), 97u);
  size_t small = 0;
  size_t large = 0;
  EXPECT_EQ(hp_session_memory_size(session.model(), nullptr, &small, nullptr), HP_OK);
  EXPECT_EQ(hp_session_memory_size(session.model(), &options, &large, nullptr), HP_OK);
  EXPECT_LT(small, large);
  hp_error error;
  options.recall_k = HP_MAX_RECALL_K + 1;
  EXPECT_EQ(hp_session_memory_size(session.model(), &options, &large, &error), HP_INVALID_ARGUMENT);
  options.recall_k = 1;
  options.recall_interests = HP_MAX_INTERESTS + 1;
  EXPECT_EQ(hp_session_memory_size(session.model(), &options, &large, &error), HP_INVALID_ARGUMENT);
}

TEST(RecallErrorTest, ProbesBeyondTheSessionsAreRefused) {
  RecallBundleOptions bundle = Alone();
  bundle.parameters.hash = Hyperplanes(5, 2);
  bundle.probes = 2;
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.recall_probes = 4;
  const RecallSession session(bundle, options);
  const std::vector<float> user = RandomVector(16, 1);
  hp_recall_options recall = VectorOptions(3, user);
  recall.probes = 4;
  EXPECT_EQ(session.Recall(recall).size(), 3u);
  recall.probes = 5;
  session.Recall(recall, HP_INVALID_ARGUMENT);
}

// ---- Damage ----

// Recalls of `bundle` with many vectors: none finds an item twice, and some say that the index is
// damaged.
void ExpectNoItemTwice(const schema::BundleT& bundle, uint32_t dimension) {
  const OpenModel model(Serialized(bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  int damaged = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const std::vector<float> user = RandomVector(dimension, seed);
    hp_recall_options options = VectorOptions(40, user);
    std::vector<hp_recalled> items(options.k);
    size_t count = 0;
    const hp_status status = hp_session_recall(session.get(), &options, items.data(), &count);
    if (status != HP_OK) {
      EXPECT_EQ(status, HP_BUNDLE_CORRUPT) << session.message();
      ++damaged;
      continue;
    }
    std::set<uint32_t> found;
    for (size_t i = 0; i < count; ++i) EXPECT_TRUE(found.insert(items[i].item).second);
  }
  EXPECT_GT(damaged, 0);
}

TEST(RecallTest, BucketsThatOverlapAreDamage) {
  for (const uint32_t tables : {1u, 3u}) {
    SCOPED_TRACE(tables);
    RecallBundleOptions options = Alone();
    options.items = 150;
    options.parameters.hash = Hyperplanes(4, tables);
    options.probes = 3;
    const RecallBundle made = MakeRecallBundle(options);
    // Every second bucket has all rows; those between them begin behind their end.
    for (const auto& table : made.bundle->recall->tables) {
      for (size_t b = 0; b < table->bucket_begins.size(); ++b) {
        table->bucket_begins[b] = b % 2 == 0 ? 0 : options.items;
      }
    }
    ExpectNoItemTwice(*made.bundle, options.dimension);
  }
}

TEST(RecallTest, TwoRowsOfOneItemAreDamage) {
  RecallBundleOptions options = Alone();
  options.items = 128;
  options.parameters.hash = Hyperplanes(4, 1);
  options.probes = 16;
  const RecallBundle made = MakeRecallBundle(options);
  std::vector<uint8_t>& items = made.bundle->recall->items;
  ASSERT_FALSE(items.empty());
  std::fill(items.begin(), items.end(), uint8_t{0});
  ExpectNoItemTwice(*made.bundle, options.dimension);
}

}  // namespace
}  // namespace handpick
