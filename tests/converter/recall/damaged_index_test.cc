// Damaged indexes are refused, and never read outside of.
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "converter/recall/builder.h"
#include "converter/recall/loaded_index.h"
#include "flatbuffers/flatbuffers.h"
#include "gtest/gtest.h"
#include "sdk/recall/search.h"
#include "tests/converter/recall/random_vectors.h"

namespace handpick::converter {
namespace {

using schema::ElementType;
using schema::HashFamily;
using schema::RecallMetric;

constexpr uint32_t kItems = 300;
constexpr uint32_t kDimension = 12;

schema::RecallIndexT MakeIndex(HashFamily family, RecallMetric metric, ElementType type) {
  HashParameters hash;
  hash.family = family;
  hash.tables = 2;
  hash.functions = 2;
  hash.outputs = 5;
  hash.values = 4;
  hash.bin_deviations = 1;
  const OwnedVectors items = RandomClusters(kItems, kDimension, 10, 0.5, 1);
  auto builder = RecallBuilder::Create(items.view(), metric, type, nullptr);
  EXPECT_TRUE(builder.ok()) << builder.status();
  auto index = builder->Build(hash, 4, nullptr);
  EXPECT_TRUE(index.ok()) << index.status();
  return std::move(*index);
}

schema::RecallIndexT MakePlaneIndex(uint32_t bits, RecallMetric metric, ElementType type) {
  RecallParameters parameters;
  parameters.cells = 9;
  parameters.plane_bits = bits;
  const OwnedVectors items = RandomClusters(kItems, kDimension, 10, 0.5, 1);
  auto builder = RecallBuilder::Create(items.view(), metric, type, nullptr);
  EXPECT_TRUE(builder.ok()) << builder.status();
  auto index = builder->Build(parameters, 4, nullptr);
  EXPECT_TRUE(index.ok()) << index.status();
  return std::move(*index);
}

std::string OpenMessage(const schema::RecallIndexT& index) {
  return std::string(LoadedRecallIndex::Load(index).status().message());
}

using Index = schema::RecallIndexT;

struct Damage {
  const char* message;
  std::function<void(Index*)> apply;
  // Of the index that it is done to, where a test has several.
  HashFamily family = HashFamily::CrossPolytope;
  RecallMetric metric = RecallMetric::Cosine;
};

void ExpectRefused(const Damage& damage, Index* index) {
  ASSERT_EQ(OpenMessage(*index), "");
  damage.apply(index);
  const std::string message = OpenMessage(*index);
  EXPECT_EQ(message.rfind("recall index: ", 0), 0u) << message;
  EXPECT_NE(message.find(damage.message), std::string::npos)
      << "expected '" << damage.message << "', got '" << message << "'";
}

TEST(DamagedIndexTest, EachRuleRefusesByName) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Damage damages[] = {
      {"metric is 0", [](Index* i) { i->metric = RecallMetric::Unknown; }},
      {"metric is 4", [](Index* i) { i->metric = static_cast<RecallMetric>(4); }},
      {"type is 9", [](Index* i) { i->type = static_cast<ElementType>(9); }},
      {"dimension is 0", [](Index* i) { i->dimension = 0; }},
      {"dimension is 16385", [](Index* i) { i->dimension = 16385; }},
      {"item_count is", [](Index* i) { i->item_count = (1u << 30) + 1; }},
      {"rows has", [](Index* i) { i->item_count += 1; }},
      {"rows has", [](Index* i) { i->rows.pop_back(); }},
      {"scale is nan", [&](Index* i) { i->scale = nan; }},
      {"scale is 0", [](Index* i) { i->scale = 0; }},
      {"scale_codes has", [](Index* i) { i->scale_codes.pop_back(); }},
      {"squared_norms has", [](Index* i) { i->squared_norms.push_back(1); }},
      {"squared_norms has", [](Index* i) { i->squared_norms.pop_back(); }, HashFamily::E2,
       RecallMetric::Euclidean},
      {"items has", [](Index* i) { i->items.pop_back(); }},
      {"items has", [](Index* i) { i->items.clear(); }},
      {"positions has", [](Index* i) { i->positions.clear(); }},
      {"the number of tables is 17",
       [](Index* i) {
         while (i->tables.size() < 17) {
           i->tables.push_back(std::make_unique<schema::RecallTableT>(*i->tables[1]));
         }
       }},
      {"probes without tables", [](Index* i) { i->tables.clear(); }},
      {"family is 0", [](Index* i) { i->family = HashFamily::Unknown; }},
      {"functions is 0", [](Index* i) { i->functions = 0; }},
      {"functions is 33", [](Index* i) { i->functions = 33; }},
      {"outputs is 0", [](Index* i) { i->outputs = 0; }},
      {"outputs is 2", [](Index* i) { i->outputs = 2; }, HashFamily::Hyperplane},
      {"values is 9", [](Index* i) { i->values = 9; }},
      {"values is 3", [](Index* i) { i->values = 3; }, HashFamily::Hyperplane},
      {"values is 1", [](Index* i) { i->values = 1; }, HashFamily::E2},
      {"bin_width is nan", [&](Index* i) { i->bin_width = nan; }, HashFamily::E2},
      {"bin_width is 0", [](Index* i) { i->bin_width = 0; }, HashFamily::E2},
      {"rotation_width is 32", [](Index* i) { i->rotation_width = 32; }},
      {"rotation_width is 65", [](Index* i) { i->rotation_width = 65; }},
      {"rotation_width is 131072", [](Index* i) { i->rotation_width = 131072; }},
      {"buckets or", [](Index* i) { i->functions = 32; }},
      {"probes is 0", [](Index* i) { i->probes = 0; }},
      {"probes is 101", [](Index* i) { i->probes = 101; }},
      {"signs has", [](Index* i) { i->tables[1]->signs.pop_back(); }},
      {"offsets has", [](Index* i) { i->tables[1]->offsets.push_back(0); }},
      {"an offset is nan", [&](Index* i) { i->tables[0]->offsets[1] = nan; }, HashFamily::E2},
      {"an offset is 1e+16", [](Index* i) { i->tables[0]->offsets[1] = 1e16f; }, HashFamily::E2},
      {"bucket_begins has", [](Index* i) { i->tables[0]->bucket_begins.pop_back(); }},
      {"positions of the first table has",
       [](Index* i) { i->tables[0]->positions = i->tables[1]->positions; }},
      {"positions of a table has", [](Index* i) { i->tables[1]->positions.clear(); }},
  };
  for (const Damage& damage : damages) {
    schema::RecallIndexT index = MakeIndex(damage.family, damage.metric, ElementType::Int8PerRow);
    ExpectRefused(damage, &index);
  }
}

TEST(DamagedIndexTest, EachRuleOfCellsAndPlanesRefusesByName) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Damage damages[] = {
      {"it has hash tables, and cells or a plane too",
       [](Index* i) {
         Index other =
             MakeIndex(HashFamily::Hyperplane, RecallMetric::Cosine, ElementType::Int8PerRow);
         other.cells = std::move(i->cells);
         *i = std::move(other);
       }},
      {"the number of cells' begins is 1", [](Index* i) { i->cells->begins.resize(1); }},
      {"the number of cells' begins is 0", [](Index* i) { i->cells->begins.clear(); }},
      {"cells' rows has", [](Index* i) { i->cells->begins.push_back(kItems); }},
      {"cells' rows has", [](Index* i) { i->cells->rows.pop_back(); }},
      {"scale is nan", [&](Index* i) { i->cells->scale = nan; }},
      {"scale_codes has", [](Index* i) { i->cells->scale_codes.pop_back(); }},
      {"cells' squared_norms has", [](Index* i) { i->cells->squared_norms.push_back(1); }},
      {"a cell's squared norm is nan", [&](Index* i) { i->cells->squared_norms[3] = nan; }},
      {"a cell's squared norm is -1", [](Index* i) { i->cells->squared_norms[3] = -1; }},
      {"a cell's squared norm is inf",
       [](Index* i) { i->cells->squared_norms[3] = std::numeric_limits<float>::infinity(); }},
      {"the first cell's begin is 1", [](Index* i) { i->cells->begins[0] = 1; }},
      {"the last cell's end is 299", [](Index* i) { i->cells->begins.back() = kItems - 1; }},
      {"a cell's end is", [](Index* i) { i->cells->begins[4] = i->cells->begins[3] - 1; }},
      {"a cell's end is 301", [](Index* i) { i->cells->begins[4] = kItems + 1; }},
      {"cells' probes is 0", [](Index* i) { i->cells->probes = 0; }},
      {"cells' probes is 10", [](Index* i) { i->cells->probes = 10; }},
      {"a plane of 2 bits", [](Index* i) { i->plane->bits = 2; }},
      {"the plane's width is 0", [](Index* i) { i->plane->width = 0; }},
      {"the rest of the plane's width is 1", [](Index* i) { i->plane->width = 33; }},
      {"the plane's signs has", [](Index* i) { i->plane->width = 64; }},
      {"the plane's signs has", [](Index* i) { i->plane->signs.pop_back(); }},
      {"the plane's codes has", [](Index* i) { i->plane->codes.pop_back(); }},
      {"the plane's factors has", [](Index* i) { i->plane->factors.resize(kItems); }},
      {"the plane's error is nan", [&](Index* i) { i->plane->error = nan; }},
      {"the plane's error is -1", [](Index* i) { i->plane->error = -1; }},
      {"its deviations 101", [](Index* i) { i->plane->deviations = 101; }},
  };
  for (const Damage& damage : damages) {
    schema::RecallIndexT index = MakePlaneIndex(1, RecallMetric::Cosine, ElementType::Int8PerRow);
    ExpectRefused(damage, &index);
  }
}

TEST(DamagedIndexTest, SearchRefusesFactorsThatAreNotFinite) {
  for (const uint32_t factor : {0x7f800000u, 0x00007fc0u, 0xffffffffu}) {
    schema::RecallIndexT index = MakePlaneIndex(4, RecallMetric::Cosine, ElementType::Int8PerRow);
    for (uint32_t& each : index.plane->factors) each = factor;
    auto loaded = LoadedRecallIndex::Load(index);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const OwnedVectors queries = RandomIntegers(1, kDimension, 2);
    RecallQuery query;
    query.vector = queries.Row(0);
    query.k = 1;
    query.probes = 9;
    EXPECT_EQ(loaded->Search(query).status().message(),
              "recall index: a factor of the plane is out of its bounds");
    query.exact = true;
    EXPECT_TRUE(loaded->Search(query).ok());
  }
}

TEST(DamagedIndexTest, RotationWidthHasRoomForTheCoordinateOfInnerProducts) {
  schema::RecallIndexT index =
      MakeIndex(HashFamily::CrossPolytope, RecallMetric::InnerProduct, ElementType::Int8PerRow);
  index.dimension = 64;
  index.rows.assign(size_t{kItems} * 64 + 64, 0);
  EXPECT_EQ(OpenMessage(index),
            "recall index: rotation_width is 64, expected a power of two of at least 65");
}

// What opening does not read is checked by the search that reads it.
TEST(DamagedIndexTest, SearchRefusesContentsOutOfTheirBounds) {
  const Damage damages[] = {
      {"an item", [](Index* i) { std::memset(i->items.data(), 0xff, i->items.size()); }},
      {"a bucket", [](Index* i) { i->tables[0]->bucket_begins.back() = kItems + 1; }},
      {"a bucket",
       [](Index* i) {
         for (uint32_t& begin : i->tables[1]->bucket_begins) begin = kItems - begin;
       }},
      {"a position",
       [](Index* i) {
         std::memset(i->tables[1]->positions.data(), 0xff, i->tables[1]->positions.size());
       }},
  };
  for (const Damage& damage : damages) {
    schema::RecallIndexT index =
        MakeIndex(HashFamily::CrossPolytope, RecallMetric::Cosine, ElementType::Int8PerRow);
    damage.apply(&index);
    auto loaded = LoadedRecallIndex::Load(index);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const OwnedVectors queries = RandomIntegers(1, kDimension, 2);
    RecallQuery query;
    query.vector = queries.Row(0);
    query.k = 10;
    query.probes = 100;
    const auto hits = loaded->Search(query);
    EXPECT_EQ(hits.status().message(),
              std::string("recall index: ") + damage.message + " is out of its bounds");
  }
}

// In memory of exactly its size, where the sanitizer sees each byte beyond.
TEST(DamagedIndexTest, FlippedBitsNeverLeadOutside) {
  std::mt19937_64 random(3);
  int opened = 0;
  for (const HashFamily family :
       {HashFamily::CrossPolytope, HashFamily::Hyperplane, HashFamily::E2, HashFamily::Unknown}) {
    for (const ElementType type : {ElementType::Int8PerRow, ElementType::Float32}) {
      flatbuffers::FlatBufferBuilder builder;
      const uint32_t bits = type == ElementType::Int8PerRow ? 1 : 4;
      const schema::RecallIndexT index = family == HashFamily::Unknown
                                             ? MakePlaneIndex(bits, RecallMetric::Euclidean, type)
                                             : MakeIndex(family, RecallMetric::Euclidean, type);
      builder.Finish(schema::RecallIndex::Pack(builder, &index));
      const size_t size = (builder.GetSize() + 63) / 64 * 64;
      const std::unique_ptr<uint8_t, decltype(&std::free)> memory(
          static_cast<uint8_t*>(std::aligned_alloc(64, size)), &std::free);
      const OwnedVectors queries = RandomIntegers(1, kDimension, 4);
      for (int repeat = 0; repeat < 400; ++repeat) {
        std::memset(memory.get(), 0, size);
        std::memcpy(memory.get(), builder.GetBufferPointer(), builder.GetSize());
        // Near the front are the numbers, elsewhere the arrays.
        const size_t reach = repeat % 2 == 0 ? size_t{400} : builder.GetSize();
        for (int flips = 0; flips < 1 + repeat % 5; ++flips) {
          memory.get()[random() % reach] ^= static_cast<uint8_t>(1u << random() % 8);
        }
        flatbuffers::Verifier verifier(memory.get(), builder.GetSize());
        if (!verifier.VerifyBuffer<schema::RecallIndex>(nullptr)) continue;
        const auto* root = flatbuffers::GetRoot<schema::RecallIndex>(memory.get());
        auto view = std::make_unique<RecallIndex>();
        hp_error error;
        if (OpenRecallIndex(*root, view.get(), &error) != HP_OK) continue;
        ++opened;
        RecallQuery query;
        const std::vector<float> vector(view->rows.dimension, 1.0f);
        query.vector = vector;
        query.k = 50;
        query.probes = 1 + static_cast<uint32_t>(random() % 100);
        const size_t bytes = RecallScratchBytes(*view, query.probes);
        const std::unique_ptr<uint8_t, decltype(&std::free)> scratch(
            static_cast<uint8_t*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64)), &std::free);
        std::vector<RecallHit> hits(query.k);
        size_t count = 0;
        for (const bool exact : {false, true}) {
          query.exact = exact;
          const hp_status status = SearchRecallIndex(*view, query, {scratch.get(), bytes},
                                                     hits.data(), &count, nullptr, &error);
          EXPECT_TRUE(status == HP_OK || status == HP_BUNDLE_CORRUPT);
        }
      }
    }
  }
  // Enough of them opened for the test to mean something.
  EXPECT_GT(opened, 200);
}

}  // namespace
}  // namespace handpick::converter
