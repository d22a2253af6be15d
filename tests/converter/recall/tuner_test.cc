// What the tuner promises. Which index is the fastest is the machine's to say: no test asks that.
#include "converter/recall/tuner.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "converter/recall/loaded_index.h"
#include "converter/recall/measure_recall.h"
#include "converter/recall/reference.h"
#include "gtest/gtest.h"
#include "tests/converter/recall/random_vectors.h"

namespace handpick::converter {
namespace {

using schema::ElementType;
using schema::HashFamily;
using schema::RecallMetric;

RecallTarget Target(uint32_t k, double recall, double bytes) {
  RecallTarget target;
  target.k = k;
  target.recall = recall;
  target.bytes_per_item = bytes;
  target.held_out = 100;
  return target;
}

TEST(NeighboursTest, AreThoseOfTheReferenceWithoutTheQueryItself) {
  const OwnedVectors items = RandomClusters(300, 20, 10, 0.5, 1);
  for (const RecallMetric metric :
       {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    const HeldOutItems held_out = TakeItemsAsQueries(items.view(), 20);
    ASSERT_EQ(held_out.queries.self.size(), 20u);
    const auto neighbours = ExactNeighbours(items.view(), metric, held_out.queries, 10, nullptr);
    ASSERT_TRUE(neighbours.ok()) << neighbours.status();
    for (uint32_t q = 0; q < 20; ++q) {
      const uint32_t self = held_out.queries.self[q];
      std::vector<uint32_t> expected;
      for (const ReferenceHit& hit : ReferenceSearch(items.view(), metric, items.Row(self), 10,
                                                     [&](uint32_t item) { return item == self; })) {
        expected.push_back(hit.item);
      }
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ((*neighbours)[q], expected);
    }
  }
}

TEST(TunerTest, ReachesItsTargetOnOtherQueries) {
  const OwnedVectors items = RandomClusters(6000, 32, 60, 0.3, 2);
  const OwnedVectors others = RandomClusters(100, 32, 60, 0.3, 2, 1);
  for (const RecallMetric metric :
       {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    const auto tuned = TuneRecallIndex(items.view(), metric, Target(10, 0.85, 60), {}, nullptr);
    ASSERT_TRUE(tuned.ok()) << tuned.status();
    EXPECT_GE(tuned->chosen.recall, 0.85);
    EXPECT_LE(tuned->chosen.bytes_per_item, 60);
    EXPECT_EQ(tuned->index.measured_k, 10u);
    EXPECT_EQ(tuned->index.measured_recall, static_cast<float>(tuned->chosen.recall));
    EXPECT_GT(tuned->curve.size(), 10u);
    auto loaded = LoadedRecallIndex::Load(tuned->index);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const RecallQueries queries = {others.view(), {}};
    const auto neighbours = ExactNeighbours(items.view(), metric, queries, 10, nullptr);
    ASSERT_TRUE(neighbours.ok());
    const auto measured = MeasureRecall(&*loaded, queries, *neighbours, 10);
    ASSERT_TRUE(measured.ok());
    // Two standard errors of this measurement; the tuner kept two of its own.
    EXPECT_GE(measured->recall + 2 * measured->recall_error, 0.85) << static_cast<int>(metric);
  }
}

TEST(TunerTest, TriesTheFamiliesThatItIsAskedFor) {
  const OwnedVectors items = RandomClusters(4000, 16, 60, 0.3, 3);
  RecallTarget target = Target(10, 0.8, 60);
  target.families = {HashFamily::Hyperplane};
  target.try_cells = target.try_planes = false;
  const auto tuned = TuneRecallIndex(items.view(), RecallMetric::Cosine, target, {}, nullptr);
  ASSERT_TRUE(tuned.ok()) << tuned.status();
  bool tried = false;
  for (const RecallPoint& point : tuned->curve) {
    EXPECT_TRUE(point.parameters.is_exact() ||
                point.parameters.hash.family == HashFamily::Hyperplane);
    tried |= point.parameters.hash.has_tables();
  }
  EXPECT_TRUE(tried);
}

TEST(TunerTest, TriesCellsAndPlanes) {
  const OwnedVectors items = RandomClusters(4000, 32, 60, 0.5, 3);
  RecallTarget target = Target(10, 0.9, 150);
  target.must_index = true;
  target.try_tables = false;
  for (const RecallMetric metric : {RecallMetric::Cosine, RecallMetric::InnerProduct}) {
    const auto tuned = TuneRecallIndex(items.view(), metric, target, {}, nullptr);
    ASSERT_TRUE(tuned.ok()) << tuned.status();
    EXPECT_TRUE(tuned->index.cells != nullptr || tuned->index.plane != nullptr);
    EXPECT_GE(tuned->chosen.recall, 0.9);
    EXPECT_LE(tuned->chosen.bytes_per_item, 150);
    int kinds[2][3] = {};
    for (const RecallPoint& point : tuned->curve) {
      EXPECT_FALSE(point.parameters.hash.has_tables());
      ++kinds[point.parameters.cells != 0 ? 1 : 0][(point.parameters.plane_bits + 1) / 2];
    }
    for (const auto& of_cells : kinds) {
      for (const int count : of_cells) EXPECT_GT(count, 0);
    }
    if (tuned->index.plane != nullptr) {
      EXPECT_EQ(tuned->index.plane->deviations,
                static_cast<float>(tuned->chosen.parameters.deviations));
    }
    if (tuned->index.cells != nullptr) {
      EXPECT_EQ(tuned->index.cells->probes, tuned->chosen.probes);
    }
  }
}

TEST(TunerTest, FewItemsAreScanned) {
  const OwnedVectors items = RandomClusters(500, 16, 20, 0.3, 4);
  const auto tuned =
      TuneRecallIndex(items.view(), RecallMetric::Cosine, Target(10, 0.9, 60), {}, nullptr);
  ASSERT_TRUE(tuned.ok()) << tuned.status();
  EXPECT_FALSE(tuned->chosen.parameters.hash.has_tables());
  EXPECT_TRUE(tuned->index.tables.empty());
}

TEST(TunerTest, TakesTablesWhereAScanIsFasterWhenItMust) {
  const OwnedVectors items = RandomClusters(500, 16, 20, 0.3, 4);
  RecallTarget target = Target(10, 0.8, 100);
  target.must_index = true;
  target.try_cells = target.try_planes = false;
  const auto tuned = TuneRecallIndex(items.view(), RecallMetric::Cosine, target, {}, nullptr);
  ASSERT_TRUE(tuned.ok()) << tuned.status();
  EXPECT_TRUE(tuned->chosen.parameters.hash.has_tables());
  EXPECT_FALSE(tuned->index.tables.empty());
  EXPECT_GE(tuned->chosen.recall, 0.8);
  // Refused, although a scan would do.
  const OwnedVectors few = RandomClusters(5, 16, 20, 0.3, 4);
  const auto refused = TuneRecallIndex(few.view(), RecallMetric::Cosine, target, {}, nullptr);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.status().message().find("with hash tables"), std::string::npos)
      << refused.status();
}

TEST(TunerTest, RefusesAnImpossibleTargetWithTheBestThatItFound) {
  const OwnedVectors items = RandomClusters(500, 16, 20, 0.3, 5);
  const auto message = [&](const RecallTarget& target) {
    const auto tuned = TuneRecallIndex(items.view(), RecallMetric::Cosine, target, {}, nullptr);
    EXPECT_EQ(tuned.status().code(), absl::StatusCode::kFailedPrecondition);
    return std::string(tuned.status().message());
  };
  const std::string few_bytes = message(Target(10, 0.9, 5));
  EXPECT_NE(few_bytes.find("recall@10 of 0.9000 within 5.0 bytes an item is out of reach"),
            std::string::npos)
      << few_bytes;
  EXPECT_NE(few_bytes.find("the fewest bytes found are 17."), std::string::npos) << few_bytes;
  // Eight bits change the order of near ones; 32 do not fit.
  const std::string all = message(Target(100, 1, 40));
  EXPECT_NE(all.find("the best recall found is 0.9"), std::string::npos) << all;
}

TEST(TunerTest, TakesFloatRowsWhereEightBitsAreTooFew) {
  const OwnedVectors items = RandomClusters(500, 16, 20, 0.3, 6);
  const auto tuned =
      TuneRecallIndex(items.view(), RecallMetric::Cosine, Target(100, 1, 80), {}, nullptr);
  ASSERT_TRUE(tuned.ok()) << tuned.status();
  EXPECT_EQ(tuned->index.type, ElementType::Float32);
  EXPECT_EQ(tuned->chosen.recall, 1);
}

// It is its own only neighbour.
TEST(TunerTest, IndexesASingleItem) {
  const OwnedVectors items = RandomClusters(1, 4, 1, 0.3, 9);
  const auto tuned =
      TuneRecallIndex(items.view(), RecallMetric::Cosine, Target(100, 0.95, 4096), {}, nullptr);
  ASSERT_TRUE(tuned.ok()) << tuned.status();
  EXPECT_EQ(tuned->chosen.recall, 1);
}

TEST(TunerTest, RefusesTargetsThatMeanNothing) {
  const OwnedVectors items = RandomClusters(50, 4, 2, 0.3, 7);
  for (const RecallTarget& target : {Target(0, 0.9, 60), Target(10, 0, 60), Target(10, 1.1, 60)}) {
    EXPECT_EQ(
        TuneRecallIndex(items.view(), RecallMetric::Cosine, target, {}, nullptr).status().code(),
        absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(TuneRecallIndex({{}, 4}, RecallMetric::Cosine, {}, {}, nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
  const OwnedVectors queries = RandomClusters(5, 3, 2, 0.3, 8);
  EXPECT_EQ(TuneRecallIndex(items.view(), RecallMetric::Cosine, {}, {queries.view(), {}}, nullptr)
                .status()
                .message(),
            "recall index: queries have dimension 3, items 4");
}

}  // namespace
}  // namespace handpick::converter
