// Recall with the vector of the user that the bundle's own model makes.
#include <cmath>
#include <cstring>

#include "tests/sdk/recall/recall_session.h"

namespace handpick {
namespace {

using namespace testing;  // NOLINT
using schema::RecallMetric;

constexpr uint32_t kItems = 100;
constexpr int64_t kSomeUser = 3;
constexpr float kSomeAge = 0.25f;

RecallBundleOptions Options(const char* value, uint32_t dimension) {
  RecallBundleOptions options;
  options.items = kItems;
  options.user_value = value;
  options.dimension = dimension;
  return options;
}

// A row of a table of the bundle, read by hand.
std::vector<float> Row(const schema::BundleT& bundle, size_t table, uint32_t row) {
  const schema::EmbeddingTableT& from = *bundle.tables[table];
  std::vector<float> out(from.dimension);
  if (from.type == schema::ElementType::Float32) {
    const size_t begin = size_t{row} * from.dimension * sizeof(float);
    std::memcpy(out.data(), from.data.data() + begin, out.size() * sizeof(float));
    return out;
  }
  const uint8_t* stored = from.data.data() + row * (4 + (from.dimension + 3) / 4 * 4);
  float scale;
  std::memcpy(&scale, stored, sizeof(scale));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = scale * static_cast<float>(static_cast<int8_t>(stored[4 + i]));
  }
  return out;
}

std::vector<float> UserRow(const RecallSession& session) {
  return Row(*session.made().bundle, 0, kSomeUser);
}

// What the model makes of events: the mean of their rows; row 0 is padding and does not count.
std::vector<float> SeenMean(const RecallSession& session, const std::vector<uint32_t>& items) {
  std::vector<std::vector<float>> rows;
  for (const uint32_t item : items) {
    if (item % 4 != 0) rows.push_back(Row(*session.made().bundle, 1, item % 4));
  }
  return Mean(rows);
}

void SetContext(const RecallSession& session) {
  Batch batch(1);
  batch.Integers(kUser, {kSomeUser}).Numbers(kAge, {kSomeAge});
  ASSERT_EQ(hp_session_set_context(session.get(), batch.get()), HP_OK) << session.message();
}

hp_recall_options ModelOptions(size_t k) {
  hp_recall_options options = RecallOptions(k, HP_USER_MODEL);
  options.keep_seen = 1;
  return options;
}

TEST(ModelUserTest, AValueOfTheContextIsTheUser) {
  for (const RecallMetric metric :
       {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    SCOPED_TRACE(schema::EnumNameRecallMetric(metric));
    RecallBundleOptions options = Options("user", 4);
    options.metric = metric;
    const RecallSession session(options);
    SetContext(session);
    session.ExpectBest(session.Recall(ModelOptions(20)), 20, {UserRow(session)},
                       session.OracleItems());
    // Without a history: the vector does not need one.
    EXPECT_EQ(session.Report().outcome, HP_RECALL_FOUND);
    EXPECT_EQ(session.Report().events, 0u);
  }
}

TEST(ModelUserTest, FollowsTheHistory) {
  RecallSession session(Options("seen", 3));
  std::vector<std::string> before;
  for (const std::vector<uint32_t>& items :
       {std::vector<uint32_t>{1, 2, 5}, std::vector<uint32_t>{3, 7, 2}}) {
    session.SetHistoryOfItems(items);
    const auto found = session.Recall(ModelOptions(kItems));
    session.ExpectBest(found, kItems, {SeenMean(session, items)}, session.OracleItems());
    EXPECT_NE(Texts(found), before);
    before = Texts(found);
  }
}

TEST(ModelUserTest, AConcatenationIsTheUserToo) {
  RecallSession session(Options("context", 8));
  SetContext(session);
  const std::vector<uint32_t> items = {1, 2, 3, 3};
  session.SetHistoryOfItems(items);
  std::vector<float> user = UserRow(session);
  user.push_back(kSomeAge);
  const std::vector<float> seen = SeenMean(session, items);
  user.insert(user.end(), seen.begin(), seen.end());
  session.ExpectBest(session.Recall(ModelOptions(30)), 30, {user}, session.OracleItems());
  // What the history has is left out, as ever.
  hp_recall_options options = ModelOptions(30);
  options.keep_seen = 0;
  session.ExpectBest(
      session.Recall(options), 30, {user},
      session.OracleItems({Text(session.id(1)), Text(session.id(2)), Text(session.id(3))}));
}

TEST(ModelUserTest, RecommendsAsRecallThenRank) {
  RecallSession session(Options("user", 4));
  SetContext(session);
  const auto recalled = session.Recall(ModelOptions(10));
  ASSERT_EQ(recalled.size(), 10u);
  const hp_recall_options options = ModelOptions(10);
  std::vector<hp_recommended> items(10);
  size_t count = 0;
  ASSERT_EQ(hp_session_recommend(session.get(), &options, 10, items.data(), &count), HP_OK)
      << session.message();
  ASSERT_EQ(count, 10u);
  for (const hp_recommended& item : items) {
    bool was_recalled = false;
    for (const hp_recalled& other : recalled) {
      was_recalled |= other.item == item.item && other.score == item.recall_score;
    }
    EXPECT_TRUE(was_recalled) << Text(item.id);
  }
}

TEST(ModelUserTest, TheContextIsNeeded) {
  const RecallBundle made = MakeRecallBundle(Options("user", 4));
  const OpenModel model(Serialized(*made.bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  const hp_recall_options options = ModelOptions(5);
  hp_recalled items[5];
  size_t count = 0;
  EXPECT_EQ(hp_session_recall(session.get(), &options, items, &count), HP_CONTEXT_NOT_SET);
  EXPECT_NE(std::string(session.message()).find("vector of the user"), std::string::npos);
  ASSERT_EQ(hp_session_set_context(session.get(), Batch(1).Integers(kUser, {2}).get()), HP_OK);
  EXPECT_EQ(hp_session_recall(session.get(), &options, items, &count), HP_OK);
  EXPECT_EQ(count, 5u);
}

TEST(ModelUserTest, NumbersThatAreNoneAreNamed) {
  RecallBundle made = MakeRecallBundle(Options("user", 4));
  // The user's row of the model's table.
  const float nan = std::nanf("");
  std::memcpy(made.bundle->tables[0]->data.data() + (4 * 2 + 1) * sizeof(float), &nan, sizeof(nan));
  const OpenModel model(Serialized(*made.bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  ASSERT_EQ(hp_session_set_context(session.get(), Batch(1).Integers(kUser, {2}).get()), HP_OK);
  const hp_recall_options options = ModelOptions(5);
  hp_recalled items[5];
  size_t count = 0;
  EXPECT_EQ(hp_session_recall(session.get(), &options, items, &count), HP_NOT_FINITE);
  EXPECT_NE(std::string(session.message()).find("the model's vector of the user: number 1"),
            std::string::npos)
      << session.message();
}

TEST(ModelUserTest, TheInfoSaysWhetherThereIsOne) {
  for (const char* value : {static_cast<const char*>(nullptr), "user"}) {
    const RecallSession session(Options(value, 4));
    hp_recall_info info = HP_RECALL_INFO_INIT;
    ASSERT_EQ(hp_model_get_recall_info(session.model(), &info), HP_OK);
    EXPECT_EQ(info.has_user_vector, value == nullptr ? 0 : 1);
    if (value != nullptr) continue;
    session.Recall(ModelOptions(5), HP_INVALID_ARGUMENT);
    EXPECT_NE(std::string(session.message()).find("no value of a model"), std::string::npos);
  }
}

}  // namespace
}  // namespace handpick
