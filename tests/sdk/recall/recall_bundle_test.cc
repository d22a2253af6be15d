// Bundles with an index: alone, beside a model, damaged.
#include <functional>

#include "handpick/diagnostics.h"
#include "tests/sdk/recall/recall_session.h"
#include "tests/support/tiny/bundle_parts.h"

namespace handpick {
namespace {

using namespace testing;  // NOLINT
using schema::BundleT;

RecallBundleOptions Alone() {
  RecallBundleOptions options;
  options.model = false;
  options.items = 20;
  return options;
}

TEST(RecallBundleTest, AnIndexAloneOpensRecallsAndDoesNotScore) {
  RecallSession session(Alone());
  session.SetHistoryOfItems({1, 2});
  EXPECT_EQ(session.Recall(RecallOptions(5)).size(), 5u);
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(session.model(), &info), HP_OK);
  EXPECT_EQ(info.has_model, 0);
  EXPECT_EQ(info.recall_items, 20u);
  EXPECT_EQ(info.precision, HP_PRECISION_UNKNOWN);
  EXPECT_EQ(info.step_count, 0u);
  size_t bytes = 0;
  EXPECT_EQ(hp_session_memory_size(session.model(), nullptr, &bytes, nullptr), HP_OK);
  EXPECT_EQ(info.session_bytes, bytes);
  Batch batch(1);
  RecallSession::Fill(kItem, {session.id(3)}, &batch);
  float score = 0;
  EXPECT_EQ(hp_session_score(session.get(), batch.get(), &score, nullptr), HP_NO_MODEL);
  EXPECT_NE(std::string(session.message()).find("no model"), std::string::npos);
  hp_ranked ranked;
  size_t count = 0;
  EXPECT_EQ(hp_session_rank(session.get(), batch.get(), 1, &ranked, &count), HP_NO_MODEL);
  EXPECT_EQ(hp_session_check_goldens(session.get(), nullptr), HP_NO_MODEL);
  const hp_recall_options options = RecallOptions(5);
  hp_recommended items[5];
  EXPECT_EQ(hp_session_recommend(session.get(), &options, 5, items, &count), HP_NO_MODEL);
  // Nothing of this has changed the history.
  EXPECT_EQ(session.Recall(RecallOptions(5)).size(), 5u);
}

TEST(RecallBundleTest, AModelAloneSaysThatItHasNoIndex) {
  const OpenModel model(Serialized(*MakeTinyBundle()));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  const hp_recall_options options = RecallOptions(1);
  hp_recalled item;
  hp_recommended recommended;
  size_t count = 0;
  EXPECT_EQ(hp_session_recall(session.get(), &options, &item, &count), HP_NO_RECALL);
  EXPECT_EQ(hp_session_recommend(session.get(), &options, 1, &recommended, &count), HP_NO_RECALL);
  EXPECT_NE(std::string(session.message()).find("no recall index"), std::string::npos);
  hp_recall_info info = HP_RECALL_INFO_INIT;
  EXPECT_EQ(hp_model_get_recall_info(model.get(), &info), HP_NO_RECALL);
  size_t bytes = 0;
  hp_error error;
  EXPECT_EQ(hp_recall_overlay_memory_size(model.get(), 1, &bytes, &error), HP_NO_RECALL);
  hp_model_info model_info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model.get(), &model_info), HP_OK);
  EXPECT_EQ(model_info.has_model, 1);
  EXPECT_EQ(model_info.recall_items, 0u);
}

TEST(RecallBundleTest, TheIndexChangesNoBitOfTheModel) {
  RecallBundleOptions options;
  const RecallSession with(options);
  RecallBundle made = MakeRecallBundle(options);
  made.bundle->recall = nullptr;
  const OpenModel model(Serialized(*made.bundle));
  const OpenSession without(model.get());
  ASSERT_EQ(hp_session_set_context(without.get(), Batch(1).Integers(kUser, {2}).get()), HP_OK);
  std::vector<hp_item_id> ids(made.ids.begin() + 10, made.ids.begin() + 30);
  Batch batch(ids.size());
  RecallSession::Fill(kItem, ids, &batch);
  std::vector<float> a(ids.size());
  std::vector<float> b(ids.size());
  ASSERT_EQ(hp_session_score(with.get(), batch.get(), nullptr, a.data()), HP_OK);
  ASSERT_EQ(hp_session_score(without.get(), batch.get(), nullptr, b.data()), HP_OK);
  EXPECT_EQ(a, b);
}

TEST(RecallBundleTest, TheInfoSaysWhatIsInside) {
  RecallBundleOptions options = Alone();
  options.ids = Ids::kStrings;
  options.metric = schema::RecallMetric::Euclidean;
  const RecallSession session(options);
  hp_recall_info info = HP_RECALL_INFO_INIT;
  ASSERT_EQ(hp_model_get_recall_info(session.model(), &info), HP_OK);
  EXPECT_EQ(info.metric, HP_RECALL_EUCLIDEAN);
  EXPECT_EQ(info.dimension, 16u);
  EXPECT_EQ(info.item_count, 20u);
  EXPECT_EQ(info.id_type, HP_STRING);
  EXPECT_EQ(info.history_feature, static_cast<uint32_t>(kSeen));
  EXPECT_EQ(info.candidate_feature, static_cast<uint32_t>(kItem));
  EXPECT_EQ(info.probes, 0u);
}

TEST(RecallBundleTest, WithoutAHistoryFeatureAnAppsVectorsAreAllThatThereIs) {
  RecallBundle made = MakeRecallBundle(Alone());
  made.bundle->recall->history_feature = -1;
  const OpenModel model(Serialized(*made.bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  hp_recalled items[5];
  size_t count = 0;
  hp_recall_options options = RecallOptions(5);
  EXPECT_EQ(hp_session_recall(session.get(), &options, items, &count), HP_INVALID_ARGUMENT);
  EXPECT_NE(std::string(session.message()).find("history_feature"), std::string::npos);
  const std::vector<float> user = RandomVector(16, 1);
  options = VectorOptions(5, user);
  EXPECT_EQ(hp_session_recall(session.get(), &options, items, &count), HP_OK);
  EXPECT_EQ(count, 5u);
}

// ---- Damage ----

struct Damage {
  Ids ids;
  std::function<void(BundleT*)> change;
  const char* words;
};

TEST(DamagedRecallBundleTest, FieldsThatContradictTheBundleAreRefusedByName) {
  const std::vector<Damage> damages = {
      {Ids::kIntegers, [](BundleT* b) { b->recall->item_ids.pop_back(); }, "item_ids has 19"},
      {Ids::kIntegers, [](BundleT* b) { b->recall->items_of_catalog = true; }, "more than one"},
      {Ids::kStrings, [](BundleT* b) { b->recall->item_ids.assign(20, 1); }, "more than one"},
      {Ids::kStrings, [](BundleT* b) { b->recall->item_string_offsets.pop_back(); },
       "item_string_offsets has 20"},
      {Ids::kStrings, [](BundleT* b) { b->recall->item_string_offsets.clear(); },
       "item_string_bytes has"},
      {Ids::kCatalog, [](BundleT* b) { b->catalog = nullptr; }, "those of the catalog"},
      {Ids::kCatalog,
       [](BundleT* b) {
         b->catalog->columns.clear();
         b->catalog->ids.pop_back();
         b->catalog->item_count = 19;
       },
       "item_count is 20"},
      {Ids::kCatalog, [](BundleT* b) { b->recall->history_feature = 8; }, "history_feature is 8"},
      {Ids::kCatalog, [](BundleT* b) { b->recall->history_feature = -2; }, "history_feature is -2"},
      {Ids::kCatalog, [](BundleT* b) { b->recall->history_feature = kItem; },
       "history_feature 'item'"},
      {Ids::kCatalog, [](BundleT* b) { b->recall->candidate_feature = kTags; },
       "candidate_feature 'tags'"},
      {Ids::kCatalog, [](BundleT* b) { b->recall->candidate_feature = kSeen; },
       "candidate_feature 'seen'"},
      {Ids::kCatalog, [](BundleT* b) { b->recall->candidate_feature = 1 << 20; },
       "candidate_feature is 1048576"},
      {Ids::kStrings, [](BundleT* b) { b->recall->candidate_feature = kName; },
       "expected the catalog's key"},
      {Ids::kCatalog, [](BundleT* b) { b->recall->candidate_feature = kName; }, "ids are integers"},
      {Ids::kIntegers,
       [](BundleT* b) {
         b->recall->item_ids.clear();
         b->recall->item_string_offsets.assign(21, 0);
       },
       "ids are strings"},
      {Ids::kCatalog, [](BundleT* b) { b->sequences.clear(); },
       "feature 'seen': belongs to a sequence that there is not"},
      {Ids::kCatalog,
       [](BundleT* b) {
         b->outputs.push_back(std::make_unique<schema::OutputT>());
         b->outputs[0]->name = "score";
       },
       "1 outputs"},
      {Ids::kCatalog, [](BundleT* b) { b->precision = static_cast<schema::Precision>(9); },
       "precision is 9"},
      {Ids::kCatalog,
       [](BundleT* b) { b->goldens.push_back(std::make_unique<schema::GoldenRequestT>()); },
       "1 golden requests"},
      {Ids::kCatalog, [](BundleT* b) { b->recall = nullptr; }, "precision is 0"},
      {Ids::kCatalog, [](BundleT* b) { b->recall->user_value = 0; },
       "user_value is 0, the bundle has 0 values"},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.words);
    RecallBundleOptions options = Alone();
    options.ids = damage.ids;
    const RecallBundle made = MakeRecallBundle(options);
    damage.change(made.bundle.get());
    const OpenModel model(Serialized(*made.bundle));
    EXPECT_EQ(model.status(), HP_BUNDLE_CORRUPT);
    EXPECT_NE(std::string(model.error().message).find(damage.words), std::string::npos)
        << model.error().message;
  }
}

TEST(DamagedRecallBundleTest, StepsWithoutValuesAreRefused) {
  RecallBundle made = MakeRecallBundle(RecallBundleOptions());
  made.bundle->values.clear();
  const OpenModel model(Serialized(*made.bundle));
  EXPECT_EQ(model.status(), HP_BUNDLE_CORRUPT);
}

// What is not looked at when a bundle is opened: met later, it is an error or a wrong answer, and
// never a read beyond the bundle (the address sanitizer sees those).
TEST(DamagedRecallBundleTest, IdsOutOfOrderOrOutOfBoundsAreMetSafely) {
  for (const Ids ids : {Ids::kIntegers, Ids::kStrings, Ids::kCatalogStrings}) {
    for (int damage = 0; damage < 4; ++damage) {
      SCOPED_TRACE(damage);
      RecallBundleOptions options = Alone();
      options.ids = ids;
      const RecallBundle made = MakeRecallBundle(options);
      BundleT* b = made.bundle.get();
      std::vector<uint32_t>& offsets =
          ids == Ids::kStrings ? b->recall->item_string_offsets : b->catalog->string_offsets;
      if (ids == Ids::kIntegers) {
        std::reverse(b->recall->item_ids.begin() + damage, b->recall->item_ids.end());
      } else if (damage == 0) {
        std::reverse(offsets.begin(), offsets.end());
      } else {
        offsets[static_cast<size_t>(damage * 5)] = 1u << 31;
      }
      const OpenModel model(Serialized(*b));
      ASSERT_EQ(model.status(), HP_OK) << model.error().message;
      const OpenSession session(model.get());
      Batch batch(3);
      RecallSession::Fill(kSeen, {made.ids[1], made.ids[10], made.ids[19]}, &batch);
      ASSERT_EQ(hp_session_set_history(session.get(), batch.get()), HP_OK);
      OpenOverlay overlay(model.get(), 30);
      const std::vector<float> zero(16);
      for (int64_t i = 0; i < 30; ++i) {
        const std::string text = "item-" + std::to_string(1000 + 5 * i);
        overlay.Add(ids == Ids::kIntegers ? IntegerId(1000 + 5 * i) : StringId(text.c_str()), zero);
      }
      const std::vector<float> user = RandomVector(16, 1);
      for (const bool mean : {false, true}) {
        hp_recall_options recall = mean ? RecallOptions(50) : VectorOptions(50, user);
        recall.overlay = overlay.get();
        hp_recalled items[50];
        size_t count = 0;
        const hp_status status = hp_session_recall(session.get(), &recall, items, &count);
        EXPECT_TRUE(status == HP_OK || status == HP_BUNDLE_CORRUPT) << session.message();
        if (ids != Ids::kIntegers && !mean) {
          EXPECT_EQ(status, HP_BUNDLE_CORRUPT) << "an id of every item is read";
          EXPECT_NE(std::string(session.message()).find("id"), std::string::npos);
        }
      }
    }
  }
}

TEST(DamagedRecallBundleTest, VectorsThatAreNoNumbersAreMetSafely) {
  RecallBundle made = MakeRecallBundle(Alone());
  for (size_t i = 0; i < 16 * 20 * 4; i += 4) made.bundle->recall->rows[i + 3] = 0xFF;
  for (size_t i = 0; i < 16 * 20 * 4; i += 4) made.bundle->recall->rows[i + 2] = 0xFF;
  const OpenModel model(Serialized(*made.bundle));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  Batch batch(1);
  RecallSession::Fill(kSeen, {made.ids[1]}, &batch);
  ASSERT_EQ(hp_session_set_history(session.get(), batch.get()), HP_OK);
  const hp_recall_options options = RecallOptions(5);
  hp_recalled items[5];
  size_t count = 0;
  EXPECT_EQ(hp_session_recall(session.get(), &options, items, &count), HP_BUNDLE_CORRUPT);
  EXPECT_NE(std::string(session.message()).find("vector"), std::string::npos);
}

// Tables of a file may share their arrays: few bytes can stand for many tables.
std::string WithFurtherTablesLikeTheSecond(std::string bytes) {
  const auto* tables = schema::GetBundle(bytes.data())->recall()->tables();
  const auto* second = reinterpret_cast<const uint8_t*>(tables->Get(1));
  // Entries are distances from where they stand.
  for (uint32_t i = 2; i < tables->size(); ++i) {
    auto* entry = const_cast<uint8_t*>(tables->Data()) + i * sizeof(flatbuffers::uoffset_t);
    flatbuffers::WriteScalar(entry, static_cast<flatbuffers::uoffset_t>(second - entry));
  }
  return bytes;
}

TEST(DamagedRecallBundleTest, HashFunctionsThatWouldNeedGigabytesAreRefused) {
  RecallBundleOptions options = Alone();
  options.parameters.hash.family = schema::HashFamily::E2;
  options.parameters.hash.tables = 2;
  options.parameters.hash.functions = 1;
  options.parameters.hash.values = 1 << 21;
  options.parameters.hash.bin_deviations = 1;
  options.probes = 1 << 21;
  const RecallBundle made = MakeRecallBundle(options);
  // 80 MB for the two tables' scores and queues: much, but so it was asked.
  const OpenModel two(Serialized(*made.bundle));
  ASSERT_EQ(two.status(), HP_OK) << two.error().message;
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(two.get(), &info), HP_OK);
  EXPECT_GT(info.session_bytes, uint64_t{100} << 20);
  EXPECT_LT(info.session_bytes, uint64_t{300} << 20);
  while (made.bundle->recall->tables.size() < 16) {
    made.bundle->recall->tables.push_back(std::make_unique<schema::RecallTableT>());
  }
  const OpenModel many(WithFurtherTablesLikeTheSecond(Serialized(*made.bundle)));
  EXPECT_EQ(many.status(), HP_BUNDLE_CORRUPT);
  EXPECT_NE(std::string(many.error().message).find("share their bytes"), std::string::npos)
      << many.error().message;
}

TEST(DamagedRecallBundleTest, AUserVectorThatTheModelDoesNotComputeIsRefused) {
  using schema::Domain;
  const auto value = [](BundleT* b, const char* name) {
    for (size_t v = 0; v < b->values.size(); ++v) {
      if (b->values[v]->name == name) b->recall->user_value = static_cast<int32_t>(v);
    }
  };
  const std::vector<std::function<void(BundleT*)>> damages = {
      [](BundleT* b) { b->recall->user_value = -2; },
      [](BundleT* b) { b->recall->user_value = static_cast<int32_t>(b->values.size()); },
      // Of a candidate, and as wide as the index.
      [&](BundleT* b) { value(b, "item"); },
      // Of an event.
      [&](BundleT* b) { value(b, "event"); },
      // Of another width.
      [&](BundleT* b) { value(b, "context"); },
      // Computed by no step.
      [&](BundleT* b) {
        AddValue(b, "nothing", AddBuffer(b, Domain::Context, 4, 128), 0, 4);
        value(b, "nothing");
      },
  };
  for (size_t d = 0; d < damages.size(); ++d) {
    SCOPED_TRACE(d);
    RecallBundleOptions options;
    options.items = 20;
    options.dimension = 4;
    const RecallBundle made = MakeRecallBundle(options);
    damages[d](made.bundle.get());
    const OpenModel model(Serialized(*made.bundle));
    EXPECT_EQ(model.status(), HP_BUNDLE_CORRUPT);
    EXPECT_NE(std::string(model.error().message).find("user_value"), std::string::npos)
        << model.error().message;
  }
}

}  // namespace
}  // namespace handpick
