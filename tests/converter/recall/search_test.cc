// Searches against looking at everything.
#include "sdk/recall/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "converter/recall/builder.h"
#include "converter/recall/loaded_index.h"
#include "converter/recall/reference.h"
#include "gtest/gtest.h"
#include "tests/converter/recall/random_vectors.h"

namespace handpick::converter {
namespace {

using schema::ElementType;
using schema::HashFamily;
using schema::RecallMetric;

// Scores are floats; the reference's are doubles. Of the largest score.
constexpr double kScoreTolerance = 2e-6;

HashParameters CrossPolytope(uint32_t functions, uint32_t outputs, uint32_t tables) {
  HashParameters hash;
  hash.family = HashFamily::CrossPolytope;
  hash.functions = functions;
  hash.outputs = outputs;
  hash.tables = tables;
  return hash;
}

HashParameters Hyperplanes(uint32_t functions, uint32_t tables) {
  HashParameters hash;
  hash.family = HashFamily::Hyperplane;
  hash.functions = functions;
  hash.tables = tables;
  return hash;
}

HashParameters E2(uint32_t functions, uint32_t bins, uint32_t tables) {
  HashParameters hash;
  hash.family = HashFamily::E2;
  hash.functions = functions;
  hash.values = bins;
  hash.bin_deviations = 1;
  hash.tables = tables;
  return hash;
}

RecallParameters Cells(uint32_t cells, uint32_t plane_bits = 0, double deviations = 2) {
  RecallParameters parameters;
  parameters.cells = cells;
  parameters.plane_bits = plane_bits;
  parameters.deviations = deviations;
  return parameters;
}

// Estimates are never so wrong: what is found is what a scan finds.
constexpr double kSure = 50;

struct Case {
  schema::RecallIndexT index;
  LoadedRecallIndex loaded;
};

Case MakeCase(const OwnedVectors& items, RecallMetric metric, ElementType type,
              const RecallParameters& hash, uint32_t probes = 0) {
  auto builder = RecallBuilder::Create(items.view(), metric, type, nullptr);
  EXPECT_TRUE(builder.ok()) << builder.status();
  auto index = builder->Build(hash, probes, nullptr);
  EXPECT_TRUE(index.ok()) << index.status();
  auto loaded = LoadedRecallIndex::Load(*index);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return {std::move(*index), std::move(*loaded)};
}

RecallQuery Query(absl::Span<const float> vector, size_t k) {
  RecallQuery query;
  query.vector = vector;
  query.k = k;
  return query;
}

std::vector<RecallHit> Search(Case* c, const RecallQuery& query, RecallWork* work = nullptr) {
  auto hits = c->loaded.Search(query, work);
  EXPECT_TRUE(hits.ok()) << hits.status();
  return *hits;
}

void ExpectEqualHits(const std::vector<RecallHit>& a, const std::vector<RecallHit>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].item, b[i].item) << i;
    EXPECT_EQ(a[i].score, b[i].score) << i;
  }
}

// Hits are those of the reference, but for the order of items whose scores differ by rounding.
// `stored` are the vectors that the index holds: for cosine they have been normalised (and then
// rounded to 8 bits, which the cosine of its definition would normalise away).
void ExpectReference(const std::vector<RecallHit>& hits, const VectorSet& stored,
                     RecallMetric metric, absl::Span<const float> query, uint32_t k,
                     const std::function<bool(uint32_t)>& hides = nullptr) {
  std::vector<float> unit(query.begin(), query.end());
  if (metric == RecallMetric::Cosine) {
    double squares = 0;
    for (const float x : query) squares += double{x} * double{x};
    for (float& x : unit) x = static_cast<float>(double{x} / std::sqrt(squares));
    metric = RecallMetric::InnerProduct;
  }
  const std::vector<ReferenceHit> all =
      ReferenceSearch(stored, metric, unit, stored.count(), hides);
  ASSERT_EQ(hits.size(), std::min<size_t>(k, all.size()));
  std::vector<double> score_of(stored.count(), std::numeric_limits<double>::quiet_NaN());
  double largest = 0;
  for (const ReferenceHit& hit : all) {
    score_of[hit.item] = hit.score;
    largest = std::max(largest, std::fabs(hit.score));
  }
  std::set<uint32_t> items;
  for (size_t i = 0; i < hits.size(); ++i) {
    EXPECT_TRUE(items.insert(hits[i].item).second) << "twice: " << hits[i].item;
    EXPECT_NEAR(double{hits[i].score}, score_of[hits[i].item], kScoreTolerance * largest);
    EXPECT_NEAR(score_of[hits[i].item], all[i].score, kScoreTolerance * largest) << i;
    if (i > 0 && hits[i].score == hits[i - 1].score) {
      EXPECT_LT(hits[i - 1].item, hits[i].item);
    }
  }
}

std::vector<RecallParameters> SomeTables() {
  return {CrossPolytope(2, 5, 1),
          CrossPolytope(1, 64, 3),
          Hyperplanes(6, 1),
          Hyperplanes(5, 4),
          E2(3, 4, 1),
          E2(2, 5, 2),
          Cells(20)};
}

std::vector<RecallParameters> SomePlanes(double deviations) {
  return {Cells(0, 1, deviations), Cells(0, 4, deviations), Cells(20, 1, deviations),
          Cells(20, 4, deviations)};
}

TEST(SearchTest, LookingIntoAllBucketsFindsWhatTheReferenceFinds) {
  for (const RecallMetric metric :
       {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    for (const ElementType type : {ElementType::Int8PerRow, ElementType::Float32}) {
      const OwnedVectors items = RandomClusters(700, 19, 20, 0.5, 3);
      const OwnedVectors queries = RandomIntegers(5, 19, 4);
      std::vector<RecallParameters> all = SomeTables();
      all.emplace_back();
      for (const RecallParameters& hash : all) {
        Case c = MakeCase(items, metric, type, hash);
        const OwnedVectors stored = {StoredVectors(c.index), 19};
        for (uint32_t q = 0; q < 5; ++q) {
          SCOPED_TRACE(hash.ToString());
          RecallWork work;
          const std::vector<RecallHit> hits = Search(&c, Query(queries.Row(q), 50), &work);
          EXPECT_EQ(work.rows_scanned, 700u);
          EXPECT_EQ(work.exact, hash.is_exact());
          ExpectReference(hits, stored.view(), metric, queries.Row(q), 50);
          RecallQuery exact = Query(queries.Row(q), 50);
          exact.exact = true;
          ExpectEqualHits(hits, Search(&c, exact));
        }
      }
    }
  }
}

// What hides() is asked about are the rows that are good enough when their turn comes.
size_t RowsThatEnter(Case* c, absl::Span<const float> vector, size_t k) {
  size_t asked = 0;
  RecallQuery query = Query(vector, k);
  query.exact = true;
  query.hidden.context = &asked;
  query.hidden.hides = [](void* context, uint32_t) {
    ++*static_cast<size_t*>(context);
    return false;
  };
  EXPECT_EQ(Search(c, query).size(), k);
  return asked;
}

TEST(SearchTest, ScansOfAllRowsBeginWithTheBestCells) {
  const OwnedVectors items = RandomClusters(6000, 24, 60, 0.5, 34);
  const OwnedVectors queries = RandomClusters(20, 24, 60, 0.5, 34, 1);
  Case with = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, Cells(60));
  Case without = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, {});
  size_t entered_with = 0;
  size_t entered_without = 0;
  for (uint32_t q = 0; q < 20; ++q) {
    entered_with += RowsThatEnter(&with, queries.Row(q), 40);
    entered_without += RowsThatEnter(&without, queries.Row(q), 40);
  }
  EXPECT_LE(entered_with, entered_without / 2);
}

TEST(SearchTest, ScansOfAllRowsFindEachOnce) {
  const OwnedVectors queries = RandomClusters(3, 8, 5, 0.5, 35, 1);
  for (const bool alike : {false, true}) {
    OwnedVectors items = RandomClusters(300, 8, 5, 0.5, 35);
    // Fewer different items than cells: some of these are empty.
    for (uint32_t i = 6; alike && i < 300; ++i) {
      std::copy_n(items.numbers.begin() + i % 6 * 8, 8, items.numbers.begin() + i * 8);
    }
    for (const uint32_t cells : {1u, 3u, 4u, 5u, 6u, 20u}) {
      for (const uint32_t probes : {1u, 20u}) {
        Case c = MakeCase(items, RecallMetric::Euclidean, ElementType::Int8PerRow, Cells(cells),
                          std::min(probes, cells));
        for (uint32_t q = 0; q < 3; ++q) {
          RecallQuery query = Query(queries.Row(q), 300);
          query.exact = true;
          RecallWork work;
          std::set<uint32_t> found;
          for (const RecallHit& hit : Search(&c, query, &work)) found.insert(hit.item);
          EXPECT_EQ(found.size(), 300u) << cells << " cells";
          EXPECT_EQ(work.rows_scanned, 300u);
        }
      }
    }
  }
}

TEST(SearchTest, FloatRowsGiveTheExactAnswerOnTheVectorsThemselves) {
  const OwnedVectors items = RandomClusters(500, 33, 20, 0.5, 5);
  const OwnedVectors queries = RandomClusters(10, 33, 20, 0.5, 5, 1);
  for (const RecallMetric metric :
       {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    Case c = MakeCase(items, metric, ElementType::Float32, {});
    for (uint32_t q = 0; q < 10; ++q) {
      const std::vector<RecallHit> hits = Search(&c, Query(queries.Row(q), 20));
      const std::vector<ReferenceHit> expected =
          ReferenceSearch(items.view(), metric, queries.Row(q), 20);
      ASSERT_EQ(hits.size(), expected.size());
      for (size_t i = 0; i < hits.size(); ++i) {
        EXPECT_EQ(hits[i].item, expected[i].item);
        EXPECT_NEAR(double{hits[i].score}, expected[i].score,
                    kScoreTolerance * std::max(1.0, std::fabs(expected[i].score)));
      }
    }
  }
}

// Share of the reference's best k among the hits.
double Recall(Case* c, const OwnedVectors& items, const OwnedVectors& queries, RecallMetric metric,
              uint32_t k, uint32_t probes) {
  size_t found = 0;
  const uint32_t count = queries.view().count();
  for (uint32_t q = 0; q < count; ++q) {
    RecallQuery query = Query(queries.Row(q), k);
    query.probes = probes;
    std::set<uint32_t> hits;
    for (const RecallHit& hit : Search(c, query)) hits.insert(hit.item);
    for (const ReferenceHit& hit : ReferenceSearch(items.view(), metric, queries.Row(q), k)) {
      found += hits.count(hit.item);
    }
  }
  return static_cast<double>(found) / static_cast<double>(k) / count;
}

TEST(SearchTest, EightBitsKeepMostOfTheExactAnswer) {
  const OwnedVectors items = RandomClusters(3000, 64, 30, 0.5, 6);
  const OwnedVectors queries = RandomClusters(20, 64, 30, 0.5, 6, 1);
  for (const RecallMetric metric :
       {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    Case c = MakeCase(items, metric, ElementType::Int8PerRow, {});
    EXPECT_GE(Recall(&c, items, queries, metric, 50, 0), 0.95) << static_cast<int>(metric);
  }
}

TEST(SearchTest, EachFamilyFindsNeighboursInFewRows) {
  const OwnedVectors items = RandomClusters(5000, 64, 100, 0.3, 7);
  const OwnedVectors queries = RandomClusters(20, 64, 100, 0.3, 7, 1);
  struct Expectation {
    RecallMetric metric;
    HashParameters hash;
    uint32_t probes;
  };
  for (const Expectation& e : {Expectation{RecallMetric::Cosine, CrossPolytope(2, 16, 1), 60},
                               {RecallMetric::Cosine, Hyperplanes(9, 1), 40},
                               {RecallMetric::InnerProduct, CrossPolytope(2, 16, 1), 100},
                               {RecallMetric::Euclidean, E2(5, 4, 1), 100}}) {
    SCOPED_TRACE(e.hash.ToString());
    Case c = MakeCase(items, e.metric, ElementType::Int8PerRow, e.hash);
    // Ten neighbours of a cluster of fifty; a fifth of the buckets at most.
    EXPECT_LE(e.probes * 5, c.loaded.index().hash.buckets + 100);
    EXPECT_GE(Recall(&c, items, queries, e.metric, 10, e.probes), 0.8);
    RecallQuery query = Query(queries.Row(0), 10);
    query.probes = e.probes;
    RecallWork work;
    Search(&c, query, &work);
    EXPECT_FALSE(work.exact);
    EXPECT_LT(work.rows_scanned, 2500u);
  }
}

TEST(SearchTest, RecallDoesNotFallWhenProbesRise) {
  const OwnedVectors items = RandomClusters(2000, 24, 40, 0.6, 8);
  const OwnedVectors queries = RandomClusters(8, 24, 40, 0.6, 8, 1);
  for (const RecallParameters& hash : SomeTables()) {
    for (const uint32_t own_probes : {1u, 5u, 20u}) {
      Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, hash, own_probes);
      for (uint32_t q = 0; q < 8; ++q) {
        for (const size_t k : {size_t{10}, size_t{100}}) {
          RecallQuery query = Query(queries.Row(q), k);
          query.exact = true;
          std::set<uint32_t> exact;
          for (const RecallHit& hit : Search(&c, query)) exact.insert(hit.item);
          query.exact = false;
          std::set<uint32_t> before;
          for (query.probes = 1; query.probes <= c.loaded.index().max_probes; ++query.probes) {
            const std::vector<RecallHit> hits = Search(&c, query);
            EXPECT_EQ(hits.size(), k);
            std::set<uint32_t> now;
            for (const RecallHit& hit : hits) {
              if (exact.count(hit.item) != 0) now.insert(hit.item);
            }
            EXPECT_TRUE(std::includes(now.begin(), now.end(), before.begin(), before.end()))
                << hash.ToString() << " probes " << query.probes;
            before = now;
          }
          EXPECT_EQ(before, exact);
        }
      }
    }
  }
}

TEST(SearchTest, SameQueryGivesSameAnswerAfterOthers) {
  const OwnedVectors items = RandomClusters(2000, 24, 40, 0.6, 9);
  for (const RecallParameters& hash : SomeTables()) {
    Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, hash, 3);
    const std::vector<RecallHit> first = Search(&c, Query(items.Row(7), 30));
    for (uint32_t i = 0; i < 20; ++i) Search(&c, Query(items.Row(i), 100));
    ExpectEqualHits(Search(&c, Query(items.Row(7), 30)), first);
  }
}

TEST(SearchTest, MoreThanTheCatalogHoldsGivesAllOfIt) {
  const OwnedVectors items = RandomClusters(30, 8, 5, 0.5, 10);
  for (const HashParameters& hash : {HashParameters(), CrossPolytope(1, 8, 1), Hyperplanes(4, 2)}) {
    Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, hash, 1);
    std::set<uint32_t> found;
    for (const RecallHit& hit : Search(&c, Query(items.Row(0), 1000))) found.insert(hit.item);
    EXPECT_EQ(found.size(), 30u);
    EXPECT_TRUE(Search(&c, Query(items.Row(0), 0)).empty());
  }
}

TEST(SearchTest, EmptyCatalogHasNoItems) {
  const OwnedVectors query = RandomIntegers(1, 8, 1);
  for (const HashParameters& hash : {HashParameters(), CrossPolytope(1, 8, 1)}) {
    Case c = MakeCase(OwnedVectors{{}, 8}, RecallMetric::Cosine, ElementType::Int8PerRow, hash);
    EXPECT_TRUE(Search(&c, Query(query.Row(0), 10)).empty());
  }
}

TEST(SearchTest, HiddenItemsAreLeftOutBeforeTheBestAreTaken) {
  const OwnedVectors items = RandomClusters(1000, 16, 20, 0.5, 11);
  const OwnedVectors queries = RandomIntegers(3, 16, 12);
  const auto odd = [](uint32_t item) { return item % 2 == 1; };
  std::vector<uint64_t> bits((1000 + 63) / 64, 0xAAAAAAAAAAAAAAAAu);
  for (const RecallParameters& hash :
       {RecallParameters(), RecallParameters(CrossPolytope(2, 8, 1)),
        RecallParameters(Hyperplanes(5, 2)), Cells(20), Cells(20, 1, kSure), Cells(0, 4, kSure)}) {
    Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, hash);
    const OwnedVectors stored = {StoredVectors(c.index), 16};
    for (uint32_t q = 0; q < 3; ++q) {
      RecallQuery by_bits = Query(queries.Row(q), 40);
      by_bits.hidden.bits = bits.data();
      const std::vector<RecallHit> hits = Search(&c, by_bits);
      ExpectReference(hits, stored.view(), RecallMetric::Cosine, queries.Row(q), 40, odd);
      RecallQuery by_call = Query(queries.Row(q), 40);
      by_call.hidden.hides = [](void*, uint32_t item) { return item % 2 == 1; };
      ExpectEqualHits(Search(&c, by_call), hits);
    }
  }
}

TEST(SearchTest, AllItemsHiddenGivesNone) {
  const OwnedVectors items = RandomClusters(300, 16, 20, 0.5, 13);
  for (const RecallParameters& hash :
       {RecallParameters(), RecallParameters(CrossPolytope(2, 8, 1)),
        RecallParameters(Hyperplanes(5, 2)), Cells(20), Cells(20, 1, kSure), Cells(0, 4, kSure)}) {
    Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, hash, 2);
    RecallQuery query = Query(items.Row(0), 10);
    query.hidden.hides = [](void*, uint32_t) { return true; };
    EXPECT_TRUE(Search(&c, query).empty());
  }
}

TEST(SearchTest, FewVisibleItemsAreFoundHoweverFewTheProbes) {
  const OwnedVectors items = RandomClusters(2000, 16, 20, 0.5, 14);
  for (const HashParameters& hash : {CrossPolytope(2, 16, 1), Hyperplanes(8, 2)}) {
    Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, hash, 4);
    const OwnedVectors stored = {StoredVectors(c.index), 16};
    const OwnedVectors query_vector = RandomIntegers(1, 16, 15);
    RecallQuery query = Query(query_vector.Row(0), 20);
    query.probes = 1;
    query.hidden.hides = [](void*, uint32_t item) { return item % 100 != 0; };
    RecallWork work;
    const std::vector<RecallHit> hits = Search(&c, query, &work);
    EXPECT_TRUE(work.exact);
    ExpectReference(hits, stored.view(), RecallMetric::Cosine, query_vector.Row(0), 20,
                    [](uint32_t item) { return item % 100 != 0; });
  }
}

TEST(SearchTest, VectorOfZerosHasNoDirectionButAPlace) {
  OwnedVectors items = RandomClusters(100, 8, 10, 0.5, 16);
  for (uint32_t d = 0; d < 8; ++d) items.numbers[40 * 8 + d] = 0;
  const std::vector<float> zeros(8);
  for (const HashParameters& hash : {HashParameters(), CrossPolytope(1, 8, 1), Hyperplanes(4, 2)}) {
    for (const RecallMetric metric : {RecallMetric::Cosine, RecallMetric::InnerProduct}) {
      Case c = MakeCase(items, metric, ElementType::Int8PerRow, hash);
      EXPECT_TRUE(Search(&c, Query(zeros, 10)).empty());
    }
    Case c = MakeCase(items, RecallMetric::Euclidean, ElementType::Int8PerRow, hash);
    const std::vector<RecallHit> hits = Search(&c, Query(zeros, 10));
    ASSERT_EQ(hits.size(), 10u);
    EXPECT_EQ(hits[0].item, 40u);
    EXPECT_EQ(hits[0].score, 0);
  }
  // As an item it is as near to everything.
  Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, {});
  for (const RecallHit& hit : Search(&c, Query(items.Row(0), 100))) {
    if (hit.item == 40) {
      EXPECT_EQ(hit.score, 0);
    }
  }
}

TEST(SearchTest, AllItemsZerosAreEquallyNear) {
  const OwnedVectors items = {std::vector<float>(50 * 8), 8};
  const OwnedVectors query = RandomIntegers(1, 8, 17);
  for (const RecallMetric metric :
       {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    for (const RecallParameters& hash :
         {RecallParameters(), RecallParameters(CrossPolytope(1, 8, 1)),
          RecallParameters(E2(2, 4, 1)), Cells(3, 1), Cells(0, 4)}) {
      Case c = MakeCase(items, metric, ElementType::Int8PerRow, hash);
      const std::vector<RecallHit> hits = Search(&c, Query(query.Row(0), 10));
      ASSERT_EQ(hits.size(), 10u);
      for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ(hits[i].item, i);
    }
  }
}

TEST(SearchTest, DuplicatesComeByTheirNumbers) {
  OwnedVectors items = RandomClusters(400, 16, 10, 0.5, 18);
  for (const uint32_t copy : {399u, 5u, 210u}) {
    std::copy_n(items.numbers.begin() + 100 * 16, 16, items.numbers.begin() + copy * 16);
  }
  for (const RecallParameters& hash : SomeTables()) {
    Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, hash);
    const std::vector<RecallHit> hits = Search(&c, Query(items.Row(100), 4));
    ASSERT_EQ(hits.size(), 4u);
    const uint32_t expected[] = {5, 100, 210, 399};
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(hits[i].item, expected[i]) << hash.ToString();
      EXPECT_EQ(hits[i].score, hits[0].score);
    }
  }
}

TEST(SearchTest, SmallestAndLargeDimensionsWork) {
  for (const uint32_t dimension : {1u, 2u, 2048u}) {
    const OwnedVectors items = RandomClusters(200, dimension, 10, 0.5, 19);
    const OwnedVectors queries = RandomIntegers(2, dimension, 20);
    for (const RecallMetric metric :
         {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
      for (const ElementType type : {ElementType::Int8PerRow, ElementType::Float32}) {
        for (const RecallParameters& hash :
             {RecallParameters(), RecallParameters(CrossPolytope(1, 64, 1)),
              RecallParameters(Hyperplanes(4, 2)), RecallParameters(E2(2, 4, 1)),
              Cells(10, 1, kSure), Cells(0, 4, kSure)}) {
          SCOPED_TRACE(hash.ToString());
          Case c = MakeCase(items, metric, type, hash);
          const OwnedVectors stored = {StoredVectors(c.index), dimension};
          for (uint32_t q = 0; q < 2; ++q) {
            ExpectReference(Search(&c, Query(queries.Row(q), 30)), stored.view(), metric,
                            queries.Row(q), 30);
          }
        }
      }
    }
  }
}

TEST(SearchTest, SurePlanesFindWhatScansFind) {
  for (const RecallMetric metric :
       {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    for (const ElementType type : {ElementType::Int8PerRow, ElementType::Float32}) {
      for (const uint32_t dimension : {1u, 19u, 64u, 100u}) {
        OwnedVectors items = RandomClusters(1500, dimension, 20, 0.5, 30);
        // Rows that are the same, zeros, and a few that are a thousand times as long.
        std::copy_n(items.numbers.begin(), 200 * dimension,
                    items.numbers.begin() + 300 * dimension);
        std::fill_n(items.numbers.begin() + 600 * dimension, 50 * dimension, 0.0f);
        for (uint32_t i = 0; i < 9 * dimension; ++i) items.numbers[i] *= 1000;
        const OwnedVectors queries = RandomClusters(5, dimension, 20, 0.5, 30, 1);
        for (const RecallParameters& parameters : SomePlanes(kSure)) {
          SCOPED_TRACE(parameters.ToString());
          Case c = MakeCase(items, metric, type, parameters);
          for (uint32_t q = 0; q < 5; ++q) {
            RecallQuery query = Query(queries.Row(q), 40);
            const std::vector<RecallHit> hits = Search(&c, query);
            query.exact = true;
            ExpectEqualHits(hits, Search(&c, query));
          }
        }
      }
    }
  }
}

TEST(SearchTest, PlanesFindNearlyAllInFewRows) {
  const OwnedVectors items = RandomClusters(6000, 64, 60, 1, 31);
  const OwnedVectors queries = RandomClusters(20, 64, 60, 1, 31, 1);
  for (const RecallMetric metric :
       {RecallMetric::Cosine, RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    for (const RecallParameters& parameters : SomePlanes(2)) {
      SCOPED_TRACE(parameters.ToString());
      Case c = MakeCase(items, metric, ElementType::Int8PerRow, parameters);
      size_t found = 0;
      uint64_t read = 0;
      for (uint32_t q = 0; q < 20; ++q) {
        RecallQuery query = Query(queries.Row(q), 20);
        RecallWork work;
        std::set<uint32_t> items_found;
        for (const RecallHit& hit : Search(&c, query, &work)) items_found.insert(hit.item);
        EXPECT_FALSE(work.exact);
        EXPECT_GT(work.rows_estimated, 5000u);
        read += work.rows_scanned;
        query.exact = true;
        for (const RecallHit& hit : Search(&c, query)) found += items_found.count(hit.item);
      }
      EXPECT_GE(found, 395u);  // Of 400.
      EXPECT_LE(read, 20 * 6000 / (parameters.plane_bits == 1 ? 3u : 6u));
    }
  }
}

TEST(SearchTest, RecallOfCellsDoesNotFallWhenProbesRise) {
  const OwnedVectors items = RandomClusters(2000, 24, 40, 0.8, 32);
  const OwnedVectors queries = RandomClusters(8, 24, 40, 0.8, 32, 1);
  for (const RecallParameters& parameters : SomePlanes(0.7)) {
    if (parameters.cells == 0) continue;
    Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, parameters, 5);
    for (uint32_t q = 0; q < 8; ++q) {
      RecallQuery query = Query(queries.Row(q), 100);
      query.exact = true;
      std::set<uint32_t> exact;
      for (const RecallHit& hit : Search(&c, query)) exact.insert(hit.item);
      query.exact = false;
      std::set<uint32_t> before;
      for (query.probes = 1; query.probes <= 20; ++query.probes) {
        std::set<uint32_t> now;
        const std::vector<RecallHit> hits = Search(&c, query);
        EXPECT_EQ(hits.size(), 100u);
        for (const RecallHit& hit : hits) {
          if (exact.count(hit.item) != 0) now.insert(hit.item);
        }
        EXPECT_TRUE(std::includes(now.begin(), now.end(), before.begin(), before.end()))
            << parameters.ToString() << " probes " << query.probes;
        before = now;
      }
    }
  }
}

TEST(SearchTest, FewPassingItemsAreLookedAtAlone) {
  const OwnedVectors items = RandomClusters(1000, 24, 20, 0.5, 33);
  const OwnedVectors queries = RandomClusters(4, 24, 20, 0.5, 33, 1);
  std::vector<uint64_t> passing((1000 + 63) / 64, 0);
  for (uint32_t i = 3; i < 1000; i += 90) passing[i / 64] |= uint64_t{1} << (i % 64);
  // Bits behind the last item mean nothing.
  passing.back() |= ~uint64_t{0} << (1000 % 64);
  std::vector<uint64_t> hidden((1000 + 63) / 64, 0);
  hidden[93 / 64] |= uint64_t{1} << (93 % 64);
  const auto hides = [](uint32_t item) { return item % 90 != 3 || item == 93 || item == 183; };
  std::vector<RecallParameters> all = SomePlanes(1);
  for (const RecallParameters& parameters : SomeTables()) all.push_back(parameters);
  for (const RecallParameters& parameters : all) {
    Case c = MakeCase(items, RecallMetric::Euclidean, ElementType::Int8PerRow, parameters, 1);
    for (uint32_t q = 0; q < 4; ++q) {
      for (const size_t k : {size_t{3}, size_t{100}}) {
        RecallQuery query = Query(queries.Row(q), k);
        query.passing = passing.data();
        query.hidden.bits = hidden.data();
        query.hidden.hides = [](void*, uint32_t item) { return item == 183; };
        RecallWork work;
        const std::vector<RecallHit> hits = Search(&c, query, &work);
        EXPECT_TRUE(work.exact);
        EXPECT_EQ(work.rows_scanned, 11u);  // Of 12, without the hidden bit.
        ASSERT_EQ(hits.size(), std::min<size_t>(k, 10));
        query.passing = nullptr;
        query.hidden.bits = nullptr;
        query.exact = true;
        query.hidden.hides = [](void*, uint32_t item) {
          return item % 90 != 3 || item == 93 || item == 183;
        };
        ExpectEqualHits(hits, Search(&c, query));
        for (const RecallHit& hit : hits) EXPECT_FALSE(hides(hit.item));
      }
    }
  }
}

TEST(SearchTest, RefusesBadQueriesByName) {
  const OwnedVectors items = RandomClusters(20, 4, 5, 0.5, 21);
  Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, {});
  const auto message = [&](std::vector<float> vector) {
    return std::string(c.loaded.Search(Query(vector, 3)).status().message());
  };
  EXPECT_EQ(message({1, 2, 3}), "a recall query has 3 numbers, expected 4");
  EXPECT_EQ(message({1, 2, std::nanf(""), 4}),
            "a recall query's number 2 is nan, expected at most 1e+15 in size");
  EXPECT_EQ(message({1, -std::numeric_limits<float>::infinity(), 3, 4}),
            "a recall query's number 1 is -inf, expected at most 1e+15 in size");
  EXPECT_EQ(message({2e15f, 1, 1, 1}),
            "a recall query's number 0 is 2e+15, expected at most 1e+15 in size");
}

TEST(SearchTest, OneByteOfScratchLessFails) {
  const OwnedVectors items = RandomClusters(200, 4, 5, 0.5, 22);
  Case c = MakeCase(items, RecallMetric::Cosine, ElementType::Int8PerRow, CrossPolytope(1, 4, 2));
  const RecallQuery query = Query(items.Row(0), 3);
  const size_t bytes = RecallScratchBytes(c.loaded.index(), 0);
  std::vector<uint8_t> memory(bytes + 2 * HP_ALIGNMENT, 0xA8);
  const size_t shift = HP_ALIGNMENT - reinterpret_cast<uintptr_t>(memory.data()) % HP_ALIGNMENT;
  uint8_t* scratch = memory.data() + shift;
  RecallHit hits[3];
  size_t count = 0;
  hp_error error;
  const auto search = [&](uint8_t* at, size_t size) {
    return SearchRecallIndex(c.loaded.index(), query, {at, size}, hits, &count, nullptr, &error);
  };
  EXPECT_EQ(search(scratch, bytes), HP_OK);
  EXPECT_EQ(count, 3u);
  for (size_t i = 0; i < shift; ++i) EXPECT_EQ(memory[i], 0xA8);
  for (size_t i = shift + bytes; i < memory.size(); ++i) EXPECT_EQ(memory[i], 0xA8);
  EXPECT_EQ(search(scratch, bytes - 1), HP_INVALID_ARGUMENT);
  EXPECT_EQ(search(scratch + 1, bytes), HP_INVALID_ARGUMENT);
}

TEST(SearchTest, LargestNumbersStayFinite) {
  OwnedVectors items = RandomClusters(100, 64, 10, 0.5, 23);
  for (float& x : items.numbers) x = x > 0 ? 1e15f : -1e15f;
  for (const RecallParameters& hash :
       {RecallParameters(CrossPolytope(1, 64, 1)), RecallParameters(Hyperplanes(4, 1)),
        RecallParameters(E2(2, 4, 1)), Cells(5, 1, 100), Cells(0, 4, 100)}) {
    for (const RecallMetric metric : {RecallMetric::Cosine, RecallMetric::Euclidean}) {
      Case c = MakeCase(items, metric, ElementType::Int8PerRow, hash, 2);
      for (const RecallHit& hit : Search(&c, Query(items.Row(3), 20))) {
        EXPECT_TRUE(std::isfinite(hit.score));
      }
    }
  }
}

}  // namespace
}  // namespace handpick::converter
