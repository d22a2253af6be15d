// Overlays: items that came after the bundle, and items that are to be left out.
#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "tests/sdk/recall/recall_session.h"

namespace handpick {
namespace {

using namespace testing;  // NOLINT
using schema::RecallMetric;

RecallBundleOptions Alone(Ids ids = Ids::kCatalog) {
  RecallBundleOptions options;
  options.model = false;
  options.ids = ids;
  return options;
}

hp_recall_options With(const OpenOverlay& overlay, hp_recall_options options) {
  options.overlay = overlay.get();
  return options;
}

// A new id between those of the index; strings live as long as the process.
hp_item_id NewId(Ids ids, int64_t number) {
  if (ids != Ids::kStrings && ids != Ids::kCatalogStrings) return IntegerId(number);
  static std::map<int64_t, std::string> texts;
  texts[number] = "item-" + std::to_string(number);
  return StringId(texts[number].c_str());
}

class OverlayTest : public ::testing::TestWithParam<std::tuple<Ids, RecallMetric>> {
 protected:
  OverlayTest() : session_(Options()), overlay_(session_.model(), 40) {
    EXPECT_NE(overlay_.get(), nullptr) << overlay_.error()->message;
  }

  static Ids ids() { return std::get<0>(GetParam()); }
  static RecallBundleOptions Options() {
    RecallBundleOptions options = Alone(ids());
    options.metric = std::get<1>(GetParam());
    return options;
  }

  RecallSession session_;
  OpenOverlay overlay_;
  const std::vector<float> user_ = RandomVector(16, 5);
};

TEST_P(OverlayTest, AddedAndHiddenItemsAreThoseOfTheOracle) {
  std::map<std::string, OracleItem> added;
  std::set<std::string> hidden;
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(round);
    // Some ids are items of the index: 1000 + 7 i.
    const hp_item_id id = NewId(ids(), 990 + static_cast<int64_t>(random() % 120));
    const bool in_index = [&] {
      for (const hp_item_id& item : session_.made().ids) {
        if (Text(item) == Text(id)) return true;
      }
      return false;
    }();
    const std::vector<float> vector = RandomVector(16, random() % 30);  // Twins occur.
    const bool has = added.count(Text(id)) != 0;
    const bool is_hidden = hidden.count(Text(id)) != 0;
    switch (random() % 5) {
      case 0:
      case 1: {
        const hp_status expected = has || (in_index && !is_hidden) ? HP_DUPLICATE_ITEM
                                   : added.size() == 40            ? HP_OVERLAY_FULL
                                                                   : HP_OK;
        ASSERT_EQ(overlay_.Add(id, vector), expected) << overlay_.error()->message;
        if (expected == HP_OK) added[Text(id)] = {id, vector};
        break;
      }
      case 2:
        ASSERT_EQ(overlay_.Remove(id), has ? HP_OK : HP_UNKNOWN_ITEM);
        added.erase(Text(id));
        break;
      case 3:
        ASSERT_EQ(overlay_.Hide(id), in_index ? HP_OK : HP_UNKNOWN_ITEM);
        if (in_index) hidden.insert(Text(id));
        break;
      default: {
        const hp_status expected = !is_hidden ? HP_UNKNOWN_ITEM : has ? HP_DUPLICATE_ITEM : HP_OK;
        ASSERT_EQ(overlay_.Show(id), expected);
        if (expected == HP_OK) hidden.erase(Text(id));
        break;
      }
    }
    std::vector<OracleItem> items = session_.OracleItems(hidden);
    for (const auto& [text, item] : added) items.push_back(item);
    const size_t k = 1 + random() % 60;
    const auto found = session_.Recall(With(overlay_, VectorOptions(k, user_)));
    session_.ExpectBest(found, k, {user_}, items);
    for (const hp_recalled& item : found) {
      const bool of_overlay = added.count(Text(item.id)) != 0;
      ASSERT_EQ(item.item == HP_OVERLAY_ITEM, of_overlay);
    }
    if (HasFailure()) return;
  }
  EXPECT_FALSE(hidden.empty());
  EXPECT_GT(added.size(), 5u);
}

TEST_P(OverlayTest, ItemsOfTheHistoryMayBeOfTheOverlay) {
  const hp_item_id id = NewId(ids(), 1001);
  const std::vector<float> vector = RandomVector(16, 444);
  session_.SetHistory({session_.id(2), id});
  ASSERT_EQ(overlay_.Add(id, vector), HP_OK);
  const std::vector<float> user =
      Mean({session_.Stored(session_.vector(2)), session_.Stored(vector)});
  // Both were seen.
  session_.ExpectBest(session_.Recall(With(overlay_, RecallOptions(50))), 50, {user},
                      session_.OracleItems({Text(session_.id(2))}));
  EXPECT_EQ(session_.Report().events, 2u);
  hp_recall_options options = With(overlay_, RecallOptions(50));
  options.keep_seen = 1;
  std::vector<OracleItem> items = session_.OracleItems();
  items.push_back({id, vector});
  session_.ExpectBest(session_.Recall(options), 50, {user}, items);
  // Without the overlay the event is unknown.
  EXPECT_EQ(session_.Recall(RecallOptions(5)).size(), 5u);
  EXPECT_EQ(session_.Report().events, 1u);
}

TEST_P(OverlayTest, AHiddenItemsVectorStillCountsInTheHistory) {
  session_.SetHistoryOfItems({2, 3});
  ASSERT_EQ(overlay_.Hide(session_.id(3)), HP_OK);
  hp_recall_options options = With(overlay_, RecallOptions(50));
  options.keep_seen = 1;
  session_.ExpectBest(
      session_.Recall(options), 50,
      {Mean({session_.Stored(session_.vector(2)), session_.Stored(session_.vector(3))})},
      session_.OracleItems({Text(session_.id(3))}));
  // Replaced by one of the same id: that one's vector.
  const std::vector<float> vector = RandomVector(16, 445);
  ASSERT_EQ(overlay_.Add(session_.id(3), vector), HP_OK);
  std::vector<OracleItem> items = session_.OracleItems({Text(session_.id(3))});
  items.push_back({session_.id(3), vector});
  session_.ExpectBest(session_.Recall(options), 50,
                      {Mean({session_.Stored(session_.vector(2)), session_.Stored(vector)})},
                      items);
}

TEST_P(OverlayTest, ExcludedAndRefusedItemsAreLeftOut) {
  std::vector<OracleItem> items = session_.OracleItems();
  std::vector<int64_t> integers;
  std::vector<hp_string> strings;
  for (int64_t i = 0; i < 30; ++i) {
    const hp_item_id id = NewId(ids(), 1001 + 7 * i);
    ASSERT_EQ(overlay_.Add(id, RandomVector(16, 900 + static_cast<uint64_t>(i))), HP_OK);
    if (i % 3 == 0) {
      integers.push_back(id.integer);
      strings.push_back(id.string);
    } else if (i % 3 == 1) {
      items.push_back({id, RandomVector(16, 900 + static_cast<uint64_t>(i))});
    }
  }
  hp_recall_options options = With(overlay_, VectorOptions(200, user_));
  options.excluded_integers = integers.data();
  options.excluded_strings = strings.data();
  options.excluded_count = integers.size();
  options.accepts = [](void*, uint32_t item, const hp_item_id* id) {
    if (item != HP_OVERLAY_ITEM) return 1;
    const std::string text = Text(*id);
    const int number = std::stoi(text.substr(text.find('-') + 1));
    return (number - 1001) / 7 % 3 == 1 ? 1 : 0;
  };
  session_.ExpectBest(session_.Recall(options), 200, {user_}, items);
}

TEST_P(OverlayTest, SeveralInterestsFindItsItems) {
  std::vector<OracleItem> items = session_.OracleItems();
  for (int64_t i = 0; i < 20; ++i) {
    const hp_item_id id = NewId(ids(), 1001 + 7 * i);
    items.push_back({id, RandomVector(16, 900 + static_cast<uint64_t>(i))});
    ASSERT_EQ(overlay_.Add(id, items.back().vector), HP_OK);
  }
  // As many interests as events: each is an interest.
  session_.SetHistoryOfItems({5, 50, 90});
  hp_recall_options options = With(overlay_, RecallOptions(60, HP_USER_INTERESTS));
  options.interests = 3;
  options.keep_seen = 1;
  session_.ExpectBest(session_.Recall(options), 60,
                      {session_.Stored(session_.vector(5)), session_.Stored(session_.vector(50)),
                       session_.Stored(session_.vector(90))},
                      items);
}

INSTANTIATE_TEST_SUITE_P(IdsAndMetrics, OverlayTest,
                         ::testing::Combine(::testing::Values(Ids::kIntegers, Ids::kStrings,
                                                              Ids::kCatalog, Ids::kCatalogStrings),
                                            ::testing::Values(RecallMetric::Cosine,
                                                              RecallMetric::InnerProduct,
                                                              RecallMetric::Euclidean)));

TEST(OverlayOrderTest, EqualScoresComeInTheOrderOfIds) {
  RecallBundleOptions options = Alone();
  options.items = 10;
  const RecallSession session(options);
  OpenOverlay overlay(session.model(), 30);
  // A zero vector scores 0 with any user, in the index's arithmetic and in the overlay's.
  const std::vector<float> zero(16);
  for (const int64_t id : {5000, 3, 1001, 1010, 1064, 1050}) {
    ASSERT_EQ(overlay.Add(IntegerId(id), zero), HP_OK);
  }
  const std::vector<std::string> expected = {"3", "1001", "1010", "1050", "1064", "5000"};
  const std::vector<float> user = RandomVector(16, 3);
  for (size_t k = 1; k <= 16; ++k) {
    std::vector<std::string> zeros;
    for (const hp_recalled& item : session.Recall(With(overlay, VectorOptions(k, user)))) {
      if (item.score == 0) zeros.push_back(Text(item.id));
    }
    ASSERT_LE(zeros.size(), expected.size());
    EXPECT_TRUE(std::equal(zeros.begin(), zeros.end(), expected.begin()));
  }
}

TEST(OverlayOrderTest, ItemsOfIndexAndOverlayAreOrderedTogether) {
  RecallBundleOptions options = Alone();
  options.items = 6;
  options.dimension = 1;
  options.metric = RecallMetric::InnerProduct;
  const RecallSession session(options);
  OpenOverlay overlay(session.model(), 30);
  const std::vector<float> zero(1);
  for (const int64_t id : {1036, 999, 1008, 1001, 1020}) {
    ASSERT_EQ(overlay.Add(IntegerId(id), zero), HP_OK);
  }
  // The user's vector is 1e-45: every product is 0 in float.
  hp_recall_options recall = With(overlay, VectorOptions(20, {}));
  const std::vector<float> tiny = {std::numeric_limits<float>::denorm_min()};
  recall.vector = tiny.data();
  recall.vector_size = 1;
  std::vector<int64_t> ids;
  for (const hp_recalled& item : session.Recall(recall)) {
    if (std::fabs(item.score) == 0) ids.push_back(item.id.integer);
  }
  EXPECT_GE(ids.size(), 6u);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST(OverlayErrorTest, BadVectorsAndIdsAreNamed) {
  const RecallSession session(Alone());
  OpenOverlay overlay(session.model(), 2);
  const auto expect = [&](hp_status status, hp_status expected, const char* words) {
    EXPECT_EQ(status, expected) << words;
    EXPECT_NE(std::string(overlay.error()->message).find(words), std::string::npos)
        << overlay.error()->message;
  };
  std::vector<float> vector = RandomVector(16, 1);
  expect(overlay.Add(IntegerId(1), std::vector<float>(15)), HP_INVALID_ARGUMENT, "15 numbers");
  expect(overlay.Add(IntegerId(1), std::vector<float>(17)), HP_INVALID_ARGUMENT, "have 16");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -INFINITY, -2e15f}) {
    vector[5] = bad;
    expect(overlay.Add(IntegerId(1), vector), HP_NOT_FINITE, "number 5");
  }
  vector[5] = 0;
  expect(overlay.Add(session.id(3), vector), HP_DUPLICATE_ITEM, "1021 is in the index");
  EXPECT_EQ(overlay.Add(IntegerId(1), vector), HP_OK);
  EXPECT_STREQ(overlay.error()->message, "");
  expect(overlay.Add(IntegerId(1), vector), HP_DUPLICATE_ITEM, "1 is in it already");
  EXPECT_EQ(overlay.Add(IntegerId(2), vector), HP_OK);
  expect(overlay.Add(IntegerId(3), vector), HP_OVERLAY_FULL, "2 items");
  expect(overlay.Remove(IntegerId(3)), HP_UNKNOWN_ITEM, "item 3");
  expect(overlay.Remove(session.id(3)), HP_UNKNOWN_ITEM, "item 1021");
  expect(overlay.Hide(IntegerId(1)), HP_UNKNOWN_ITEM, "not in the index");
  EXPECT_EQ(overlay.Hide(session.id(0)), HP_OK);
  EXPECT_EQ(overlay.Hide(session.id(1)), HP_OK);
  EXPECT_EQ(overlay.Hide(session.id(1)), HP_OK);
  expect(overlay.Hide(session.id(2)), HP_OVERLAY_FULL, "hides 2");
  expect(overlay.Show(session.id(2)), HP_UNKNOWN_ITEM, "not hidden");
  // None of the failed calls left anything.
  std::vector<OracleItem> items = session.OracleItems({Text(session.id(0)), Text(session.id(1))});
  items.push_back({IntegerId(1), vector});
  items.push_back({IntegerId(2), vector});
  const std::vector<float> user = RandomVector(16, 2);
  session.ExpectBest(session.Recall(With(overlay, VectorOptions(200, user))), 200, {user}, items);
}

TEST(OverlayErrorTest, StringsAreBounded) {
  const RecallSession session(Alone(Ids::kStrings));
  OpenOverlay overlay(session.model(), 3);
  const std::vector<float> vector = RandomVector(16, 1);
  const std::string longest(HP_MAX_OVERLAY_STRING, 'x');
  const std::string longer = longest + "x";
  EXPECT_EQ(overlay.Add(StringId(longer.c_str()), vector), HP_INVALID_ARGUMENT);
  EXPECT_EQ(overlay.Add(IntegerId(7), vector), HP_INVALID_ARGUMENT) << "null string";
  EXPECT_EQ(overlay.Add(StringId(longest.c_str()), vector), HP_OK);
  EXPECT_EQ(overlay.Add(StringId(""), vector), HP_OK);
  EXPECT_EQ(overlay.Add(StringId(""), vector), HP_DUPLICATE_ITEM);
  EXPECT_EQ(overlay.Remove(StringId("")), HP_OK);
  const auto found = session.Recall(With(overlay, VectorOptions(1, vector)));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(Text(found[0].id), longest);
}

TEST(OverlayErrorTest, MemoryAndModelsAreChecked) {
  const RecallSession session(Alone());
  const RecallSession other(Alone());
  size_t bytes = 0;
  hp_error error;
  EXPECT_EQ(hp_recall_overlay_memory_size(session.model(), 0, &bytes, &error), HP_INVALID_ARGUMENT);
  EXPECT_EQ(
      hp_recall_overlay_memory_size(session.model(), HP_MAX_OVERLAY_ITEMS + 1, &bytes, &error),
      HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_recall_overlay_memory_size(nullptr, 1, &bytes, &error), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_recall_overlay_memory_size(session.model(), 1, nullptr, &error),
            HP_INVALID_ARGUMENT);
  ASSERT_EQ(hp_recall_overlay_memory_size(session.model(), 10, &bytes, &error), HP_OK);
  EXPECT_LT(bytes, 10 * 16 * sizeof(float) + 2000);
  alignas(HP_ALIGNMENT) static char memory[4096];
  ASSERT_LT(bytes, sizeof(memory));
  hp_recall_overlay* overlay = nullptr;
  EXPECT_EQ(hp_recall_overlay_create(session.model(), 10, memory, bytes - 1, &overlay, &error),
            HP_MEMORY_TOO_SMALL);
  EXPECT_EQ(hp_recall_overlay_create(session.model(), 10, memory + 8, bytes, &overlay, &error),
            HP_MISALIGNED);
  EXPECT_EQ(hp_recall_overlay_create(session.model(), 10, nullptr, bytes, &overlay, &error),
            HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_recall_overlay_create(session.model(), 10, memory, bytes, nullptr, &error),
            HP_INVALID_ARGUMENT);
  EXPECT_EQ(overlay, nullptr);
  ASSERT_EQ(hp_recall_overlay_create(session.model(), 10, memory, bytes, &overlay, &error), HP_OK);
  const hp_item_id id = IntegerId(1);
  EXPECT_EQ(hp_recall_overlay_add(overlay, &id, nullptr, 16, &error), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_recall_overlay_add(overlay, nullptr, nullptr, 16, &error), HP_INVALID_ARGUMENT);
  EXPECT_EQ(hp_recall_overlay_remove(nullptr, &id, &error), HP_INVALID_ARGUMENT);
  const std::vector<float> user = RandomVector(16, 2);
  hp_recall_options options = VectorOptions(5, user);
  options.overlay = overlay;
  EXPECT_EQ(session.Recall(options).size(), 5u);
  other.Recall(options, HP_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace handpick
