// Recall, recommendation and overlays allocate nothing, on any path.
#include <deque>

#include "tests/sdk/recall/recall_session.h"
#include "tests/support/allocation_counter.h"

namespace handpick {
namespace {

using namespace testing;  // NOLINT

void ExpectNoAllocations(Ids ids, schema::RecallMetric metric, uint32_t tables) {
  RecallBundleOptions bundle;
  bundle.items = 2000;
  bundle.dimension = 8;
  bundle.user_value = "context";
  bundle.ids = ids;
  bundle.metric = metric;
  bundle.type = schema::ElementType::Int8PerRow;
  if (tables != 0) {
    bundle.parameters.hash.family = schema::HashFamily::CrossPolytope;
    bundle.parameters.hash.tables = tables;
    bundle.parameters.hash.functions = 2;
    bundle.parameters.hash.outputs = 4;
    bundle.probes = 5;
  }
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.recall_k = 500;
  options.recall_probes = 64;
  const RecallSession session(bundle, options);
  OpenOverlay overlay(session.model(), 50);
  ASSERT_NE(overlay.get(), nullptr);

  std::deque<Batch> events;
  for (uint32_t i = 0; i < 10; ++i) {
    events.emplace_back(2);
    RecallSession::Fill(kSeen, {session.id(i * 7), session.id(i * 101)}, &events.back());
    events.back().get();
  }
  Batch none(0);
  const hp_batch* no_events = none.get();
  const std::vector<float> vector = RandomVector(8, 3);
  std::vector<hp_recalled> recalled(500);
  std::vector<hp_recommended> recommended(500);
  hp_filter filters[2] = {};
  const int64_t tags[] = {1, 2, 3};
  filters[0].kind = HP_FILTER_ANY_OF;
  filters[0].feature = kTags;
  filters[0].type = HP_INT64;
  filters[0].integers = tags;
  filters[0].count = 3;
  filters[1].kind = HP_FILTER_RANGE;
  filters[1].feature = kPrice;
  filters[1].low = 3;
  filters[1].high = 40;
  std::vector<int64_t> integers;
  std::vector<hp_string> strings;
  for (uint32_t i = 0; i < 300; ++i) {
    integers.push_back(session.id(i * 3).integer);
    strings.push_back(session.id(i * 3).string);
  }

  int failed = 0;
  size_t found = 0;
  StartCountingAllocations();
  for (uint32_t call = 0; call < 300; ++call) {
    const auto expect = [&](hp_status status) { failed += status == HP_OK ? 0 : 1; };
    hp_recall_options recall = HP_RECALL_OPTIONS_INIT;
    recall.user = static_cast<hp_user_vector>(1 + call % 5);
    recall.k = call % 11 == 0 ? 500 : call % 60;
    recall.half_life = 3;
    recall.interests = 1 + call % 5;
    recall.vector = vector.data();
    recall.vector_size = vector.size();
    recall.probes = tables == 0 ? 0 : call % 3 * 30;
    recall.exact = call % 7 == 0 ? 1 : 0;
    recall.keep_seen = static_cast<int>(call % 2);
    recall.overlay = call % 3 == 0 ? nullptr : overlay.get();
    if (call % 5 == 0) {
      recall.filters = filters;
      recall.filter_count = 2;
    }
    if (call % 4 == 0) {
      recall.excluded_integers = integers.data();
      recall.excluded_strings = strings.data();
      recall.excluded_count = integers.size();
    }
    if (call % 6 == 0) {
      recall.accepts = [](void*, uint32_t item, const hp_item_id*) {
        return item % 3 == 0 ? 1 : 0;
      };
    }
    if (call % 10 == 0) {
      expect(hp_session_append_events(session.get(), events[call / 10 % 10].get()));
    }
    if (call % 95 == 94) expect(hp_session_set_history(session.get(), no_events));
    if (call % 8 == 0) {
      const hp_item_id& id = session.id(call);
      expect(overlay.Hide(id));
      expect(overlay.Add(id, vector));
    }
    if (call % 8 == 6 && call % 16 == 6) {
      expect(overlay.Remove(session.id(call - 6)));
      expect(overlay.Show(session.id(call - 6)));
    }
    size_t count = 0;
    expect(hp_session_recall(session.get(), &recall, recalled.data(), &count));
    found += count;
    expect(hp_session_recommend(session.get(), &recall, 20, recommended.data(), &count));
    found += count;
    recall.k = 501;
    failed +=
        hp_session_recall(session.get(), &recall, recalled.data(), &count) == HP_INVALID_ARGUMENT
            ? 0
            : 1;
  }
  const uint64_t allocations = StopCountingAllocations();
  EXPECT_EQ(allocations, 0u);
  EXPECT_EQ(failed, 0) << session.message() << overlay.error()->message;
  EXPECT_GT(found, 5000u);
}

TEST(RecallNoAllocationTest, ExactScan) {
  ExpectNoAllocations(Ids::kCatalog, schema::RecallMetric::Cosine, 0);
}

TEST(RecallNoAllocationTest, OneTableAndStrings) {
  ExpectNoAllocations(Ids::kCatalogStrings, schema::RecallMetric::InnerProduct, 1);
}

TEST(RecallNoAllocationTest, ThreeTablesAndIdsOfTheIndex) {
  ExpectNoAllocations(Ids::kIntegers, schema::RecallMetric::Euclidean, 3);
}

}  // namespace
}  // namespace handpick
