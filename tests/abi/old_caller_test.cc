// An app of version 1 with the library of this tree.
#include "tests/abi/old_caller.h"

#include "gtest/gtest.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick {
namespace {

TEST(OldCallerTest, AnAppOfVersion1Works) {
  const testing::RecallBundle made = testing::MakeRecallBundle(testing::RecallBundleOptions{});
  const testing::Bytes bytes(testing::Serialized(*made.bundle));
  EXPECT_EQ(old_caller_run(bytes.data(), bytes.size(), made.ids[3].integer), 0);
}

}  // namespace
}  // namespace handpick
