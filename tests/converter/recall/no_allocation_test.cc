// Searches allocate nothing.
#include <cstdlib>
#include <memory>
#include <vector>

#include "converter/recall/builder.h"
#include "converter/recall/loaded_index.h"
#include "gtest/gtest.h"
#include "sdk/recall/search.h"
#include "tests/converter/recall/random_vectors.h"
#include "tests/support/allocation_counter.h"

namespace handpick::converter {
namespace {

using schema::ElementType;
using schema::HashFamily;
using schema::RecallMetric;

TEST(RecallNoAllocationTest, OpeningAndSearchingDoNotAllocateOnAnyPath) {
  const OwnedVectors items = RandomClusters(3000, 24, 40, 0.5, 1);
  for (const HashFamily family :
       {HashFamily::Unknown, HashFamily::CrossPolytope, HashFamily::Hyperplane, HashFamily::E2}) {
    for (const uint32_t tables : {1u, 3u}) {
      HashParameters hash;
      hash.family = family;
      hash.tables = tables;
      hash.functions = 3;
      hash.outputs = 8;
      hash.values = 4;
      hash.bin_deviations = 1;
      auto builder = RecallBuilder::Create(items.view(), RecallMetric::InnerProduct,
                                           ElementType::Int8PerRow, nullptr);
      ASSERT_TRUE(builder.ok()) << builder.status();
      RecallParameters parameters(hash);
      if (family == HashFamily::Unknown) {
        parameters.cells = 50;
        parameters.plane_bits = tables == 1 ? 1 : 4;
      }
      const auto index = builder->Build(parameters, 20, nullptr);
      ASSERT_TRUE(index.ok()) << index.status();
      const auto loaded = LoadedRecallIndex::Load(*index);
      ASSERT_TRUE(loaded.ok()) << loaded.status();
      const uint32_t most = 4096;
      const size_t bytes = RecallScratchBytes(loaded->index(), most);
      const std::unique_ptr<uint8_t, decltype(&std::free)> scratch(
          static_cast<uint8_t*>(std::aligned_alloc(HP_ALIGNMENT, bytes)), &std::free);
      std::vector<RecallHit> hits(3000);
      hp_error error;
      RecallWork work;
      size_t found = 0;
      testing::StartCountingAllocations();
      for (uint32_t i = 0; i < 300; ++i) {
        RecallQuery query;
        query.vector = items.Row(i);
        query.k = i % 7 == 0 ? 2999 : 50;  // Also scans of everything for lack of items.
        query.probes = i % 3 == 0 ? 0 : i * 7;
        query.exact = i % 11 == 0;
        query.hidden.hides = [](void*, uint32_t item) { return item % 3 == 0; };
        size_t count = 0;
        if (SearchRecallIndex(loaded->index(), query, {scratch.get(), bytes}, hits.data(), &count,
                              &work, &error) == HP_OK) {
          found += count;
        }
      }
      EXPECT_EQ(testing::StopCountingAllocations(), 0u);
      EXPECT_GT(found, 300u * 40);
    }
  }
}

}  // namespace
}  // namespace handpick::converter
