// hp_session_recommend against recall and rank, done by hand.
#include <algorithm>

#include "tests/sdk/recall/recall_session.h"

namespace handpick {
namespace {

using namespace testing;  // NOLINT

std::vector<hp_recommended> Recommend(const RecallSession& session,
                                      const hp_recall_options& options, size_t k,
                                      hp_status expected = HP_OK) {
  std::vector<hp_recommended> items(k);
  size_t count = 0;
  EXPECT_EQ(hp_session_recommend(session.get(), &options, k, items.data(), &count), expected)
      << session.message();
  items.resize(expected == HP_OK ? count : 0);
  return items;
}

class RecommendTest : public ::testing::TestWithParam<std::tuple<Ids, uint32_t>> {
 protected:
  RecommendTest() : session_(Options(), SessionOptions()) {
    session_.SetHistoryOfItems({4, 10, 10, 42});
  }

  static RecallBundleOptions Options() {
    RecallBundleOptions options;
    options.ids = std::get<0>(GetParam());
    options.type = schema::ElementType::Int8PerRow;
    options.parameters.hash.family = schema::HashFamily::CrossPolytope;
    options.parameters.hash.tables = 2;
    options.parameters.hash.functions = 1;
    options.parameters.hash.outputs = 4;
    options.probes = 3;
    return options;
  }
  static hp_session_options SessionOptions() {
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.tile = std::get<1>(GetParam());
    return options;
  }
  static bool InCatalog(uint32_t item) {
    const Ids ids = std::get<0>(GetParam());
    return ids == Ids::kCatalog || ids == Ids::kCatalogStrings || item % 2 == 0;
  }

  // Recall, a batch of ids, and rank.
  void ExpectAsByHand(hp_recall_options options, size_t k) {
    const auto found = Recommend(session_, options, k);
    // The catalog has no tags of the others, and tags have no default.
    if (options.accepts == nullptr) {
      options.accepts = [](void*, uint32_t item, const hp_item_id*) {
        return item != HP_OVERLAY_ITEM && InCatalog(item) ? 1 : 0;
      };
    }
    const auto recalled = session_.Recall(options);
    std::vector<hp_item_id> ids;
    for (const hp_recalled& item : recalled) ids.push_back(item.id);
    if (ids.empty()) {
      EXPECT_TRUE(found.empty());
      return;
    }
    Batch batch(ids.size());
    RecallSession::Fill(kItem, ids, &batch);
    std::vector<hp_ranked> ranked(k);
    size_t count = 0;
    ASSERT_EQ(hp_session_rank(session_.get(), batch.get(), k, ranked.data(), &count), HP_OK)
        << session_.message();
    ASSERT_EQ(found.size(), count);
    for (size_t i = 0; i < count; ++i) {
      const hp_recalled& item = recalled[ranked[i].index];
      EXPECT_EQ(Text(found[i].id), Text(item.id));
      EXPECT_EQ(found[i].item, item.item);
      EXPECT_EQ(found[i].recall_score, item.score);
      EXPECT_EQ(found[i].score, ranked[i].score);
      EXPECT_EQ(found[i].logit, ranked[i].logit);
    }
  }

  RecallSession session_;
};

TEST_P(RecommendTest, IsRecallThenRank) {
  for (const size_t recalled : {0u, 1u, 7u, 40u, 100u, 200u}) {
    for (const size_t k : {0u, 1u, 10u, 300u}) {
      SCOPED_TRACE(recalled);
      ExpectAsByHand(RecallOptions(recalled), k);
    }
  }
  hp_recall_options interests = RecallOptions(60, HP_USER_INTERESTS);
  interests.interests = 3;
  ExpectAsByHand(interests, 10);
}

TEST_P(RecommendTest, LeavesOutWhatRecallLeavesOut) {
  hp_recall_options options = RecallOptions(60);
  const std::vector<int64_t> tags = {1, 2, 3};
  hp_filter filter = HP_FILTER_INIT;
  filter.kind = HP_FILTER_ANY_OF;
  filter.feature = kTags;
  filter.type = HP_INT64;
  filter.integers = tags.data();
  filter.count = tags.size();
  options.filters = &filter;
  options.filter_count = 1;
  std::vector<int64_t> integers;
  std::vector<hp_string> strings;
  for (uint32_t i = 30; i < 50; ++i) {
    integers.push_back(session_.id(i).integer);
    strings.push_back(session_.id(i).string);
  }
  options.excluded_integers = integers.data();
  options.excluded_strings = strings.data();
  options.excluded_count = integers.size();
  ExpectAsByHand(options, 20);
  EXPECT_FALSE(Recommend(session_, options, 20).empty());
}

TEST_P(RecommendTest, ItemsOfAnOverlayNeedTheCatalog) {
  OpenOverlay overlay(session_.model(), 10);
  const bool strings = session_.id(0).string.data != nullptr;
  const hp_item_id fresh = strings ? StringId("item-x") : IntegerId(5);
  // The very vector of the user: first of all in recall.
  const std::vector<float> vector = session_.vector(10);
  ASSERT_EQ(overlay.Add(fresh, vector), HP_OK);
  // An item of the catalog whose vector is a new one.
  ASSERT_EQ(overlay.Hide(session_.id(60)), HP_OK);
  ASSERT_EQ(overlay.Add(session_.id(60), vector), HP_OK);
  session_.SetHistoryOfItems({10});
  hp_recall_options options = RecallOptions(5);
  options.overlay = overlay.get();
  const auto recalled = Texts(session_.Recall(options));
  EXPECT_NE(std::find(recalled.begin(), recalled.end(), Text(fresh)), recalled.end());
  EXPECT_NE(std::find(recalled.begin(), recalled.end(), Text(session_.id(60))), recalled.end());
  const auto found = Recommend(session_, options, 5);
  // Its place goes to another.
  EXPECT_EQ(found.size(), 5u);
  bool has_replaced = false;
  for (const hp_recommended& item : found) {
    EXPECT_NE(Text(item.id), Text(fresh));
    if (Text(item.id) != Text(session_.id(60))) continue;
    has_replaced = true;
    EXPECT_EQ(item.item, HP_OVERLAY_ITEM);
    // Ranked with the catalog's features.
    Batch batch(1);
    RecallSession::Fill(kItem, {session_.id(60)}, &batch);
    float logit = 0;
    ASSERT_EQ(hp_session_score(session_.get(), batch.get(), nullptr, &logit), HP_OK);
    EXPECT_EQ(item.logit, logit);
  }
  EXPECT_TRUE(has_replaced);
}

TEST_P(RecommendTest, AnEmptyHistoryRecommendsNothing) {
  session_.SetHistory({});
  EXPECT_TRUE(Recommend(session_, RecallOptions(20), 10).empty());
  EXPECT_EQ(session_.Report().outcome, HP_RECALL_NO_EVENTS);
}

INSTANTIATE_TEST_SUITE_P(IdsAndTiles, RecommendTest,
                         ::testing::Combine(::testing::Values(Ids::kIntegers, Ids::kStrings,
                                                              Ids::kCatalog, Ids::kCatalogStrings),
                                            ::testing::Values(0u, 5u)));

TEST(RecommendRulesTest, ItemsWithoutARowInTheModelsVocabularyAreLeftOut) {
  RecallBundleOptions options;
  options.candidates_out_of_vocabulary = false;
  options.items = 20;
  RecallBundle made = MakeRecallBundle(options);
  // The model knows the first ten alone.
  made.bundle->vocabularies[2]->ids.resize(10);
  made.bundle->vocabularies[2]->rows.resize(10);
  const OpenModel model(Serialized(*made.bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  ASSERT_EQ(hp_session_set_context(session.get(), Batch(1).Integers(kUser, {2}).get()), HP_OK);
  const std::vector<float> user = RandomVector(16, 3);
  const hp_recall_options recall = VectorOptions(20, user);
  hp_recommended items[20];
  size_t count = 0;
  ASSERT_EQ(hp_session_recommend(session.get(), &recall, 20, items, &count), HP_OK)
      << session.message();
  EXPECT_EQ(count, 10u);
  for (size_t i = 0; i < count; ++i) EXPECT_LT(items[i].item, 10u);
}

TEST(RecommendRulesTest, AFeatureThatNothingFillsIsNamed) {
  RecallBundleOptions options;
  options.ids = Ids::kNumbers;  // No catalog: nothing has the tags.
  const RecallSession session(options);
  const std::vector<float> user = RandomVector(16, 3);
  Recommend(session, VectorOptions(20, user), 10, HP_MISSING_FEATURE);
  EXPECT_NE(std::string(session.message()).find("'tags'"), std::string::npos) << session.message();
}

TEST(RecommendRulesTest, TheModelAndTheContextAreNeeded) {
  RecallBundleOptions options;
  RecallBundle made = MakeRecallBundle(options);
  const OpenModel model(Serialized(*made.bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  const std::vector<float> user = RandomVector(16, 3);
  const hp_recall_options recall = VectorOptions(20, user);
  hp_recommended items[5];
  size_t count = 0;
  EXPECT_EQ(hp_session_recommend(session.get(), &recall, 5, items, &count), HP_CONTEXT_NOT_SET);
  EXPECT_EQ(hp_session_recommend(nullptr, &recall, 5, items, &count), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_session_recommend(session.get(), nullptr, 5, items, &count), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_session_recommend(session.get(), &recall, 5, nullptr, &count), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_session_recommend(session.get(), &recall, 5, items, nullptr), HP_INVALID_ARGUMENT);
  made.bundle->recall->candidate_feature = -1;
  const OpenModel nameless(Serialized(*made.bundle));
  const OpenSession other(nameless.get());
  ASSERT_EQ(hp_session_set_context(other.get(), Batch(1).Integers(kUser, {2}).get()), HP_OK);
  EXPECT_EQ(hp_session_recommend(other.get(), &recall, 5, items, &count), HP_INVALID_ARGUMENT);
  EXPECT_NE(std::string(other.message()).find("candidate_feature"), std::string::npos);
}

// ---- Faults of requests ----

TEST(RecommendErrorTest, ACatalogKeyWithoutBytesIsRefused) {
  RecallBundleOptions options;
  options.ids = Ids::kCatalogStrings;
  const RecallSession session(options);
  const hp_string ids[] = {session.id(3).string, {nullptr, 5}};
  hp_column column = {};
  column.feature = kItem;
  column.type = HP_STRING;
  column.strings = ids;
  float scores[2];
  EXPECT_EQ(hp_session_score(session.get(), Batch(2).Add(column, {}).get(), scores, nullptr),
            HP_INVALID_ARGUMENT);
  EXPECT_STREQ(session.message(), "candidate feature 'item', row 1: null string of size 5");
  // An event's id is looked up in the index as well.
  column.feature = kSeen;
  EXPECT_EQ(hp_session_append_events(session.get(), Batch(2).Add(column, {}).get()),
            HP_INVALID_ARGUMENT);
  EXPECT_STREQ(session.message(), "history feature 'seen', row 1: null string of size 5");
  EXPECT_EQ(hp_session_set_history(session.get(), Batch(2).Add(column, {}).get()),
            HP_INVALID_ARGUMENT);
}

TEST(RecommendErrorTest, ALogitThatIsNotFiniteNamesTheItem) {
  for (const Ids ids : {Ids::kCatalog, Ids::kCatalogStrings}) {
    RecallBundleOptions options;
    options.ids = ids;
    RecallBundle made = MakeRecallBundle(options);
    // User 2 beside tag 4: item 10 has tags {10 % 6, 101 % 6}, none, for it is a multiple of 5;
    // item 4 has 4 and 17 % 6.
    const float large[2] = {3e38f, 3e38f};
    std::memcpy(made.bundle->tables[5]->data.data() + (2 * 6 + 4) * sizeof(float), large,
                sizeof(large));
    const OpenModel model(Serialized(*made.bundle));
    ASSERT_EQ(model.status(), HP_OK) << model.error().message;
    const OpenSession session(model.get());
    ASSERT_EQ(hp_session_set_context(session.get(), Batch(1).Integers(kUser, {2}).get()), HP_OK);
    const hp_recall_options recall = VectorOptions(1, made.vectors[4]);
    hp_recommended item;
    size_t count = 77;
    EXPECT_EQ(hp_session_recommend(session.get(), &recall, 1, &item, &count), HP_NOT_FINITE);
    EXPECT_EQ(session.message(),
              "recommend: item " +
                  (ids == Ids::kCatalog ? Text(made.ids[4]) : "'" + Text(made.ids[4]) + "'") +
                  ": the model's logit is infinite");
    EXPECT_EQ(count, 77u);
    const hp_recall_options sound = VectorOptions(1, made.vectors[10]);
    EXPECT_EQ(hp_session_recommend(session.get(), &sound, 1, &item, &count), HP_OK)
        << session.message();
  }
}

}  // namespace
}  // namespace handpick
