// What opening takes is bounded by the file.
#include <algorithm>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "sdk/bundle/limits.h"
#include "tests/support/tiny/crafted_bundles.h"

namespace handpick {
namespace {

using testing::CostOfOpening;
using testing::CraftedBundle;
using testing::CraftedBundles;
using testing::OpeningCost;

// Whatever they are, they are opened or refused within moments: some took hours once. How many,
// //tests/runtime:opening_costs tells.
TEST(OpeningTest, MemoryIsBoundedByTheFile) {
  int refused = 0;
  for (const CraftedBundle& bundle : CraftedBundles()) {
    SCOPED_TRACE(bundle.name);
    const OpeningCost cost = CostOfOpening(bundle.bytes, 1);
    const auto size = static_cast<double>(bundle.bytes.size());
    // The model itself comes on top.
    EXPECT_LE(cost.bytes, std::max(double{kMaxMemoryPerByte} * size, double{kMinMemory}) + 4096);
    if (cost.error.status == HP_OK) continue;
    EXPECT_EQ(cost.error.status, HP_BUNDLE_CORRUPT) << cost.error.message;
    ++refused;
  }
  EXPECT_GT(refused, 10);
}

}  // namespace
}  // namespace handpick
