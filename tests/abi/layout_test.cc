// What an app that was built with an older header counts on: fields stay where they are, values
// stay what they are, structs may grow where the header says so.
#include "tests/abi/layout.h"

#include "gtest/gtest.h"

namespace handpick {
namespace {

TEST(LayoutTest, WhatTheFirstVersionSaysHolds) {
  ASSERT_EQ(kCurrentCount, kFrozen1Count);
  for (size_t i = 0; i < kFrozen1Count; ++i) {
    const fact& old = kFrozen1[i];
    const fact& now = kCurrent[i];
    SCOPED_TRACE(old.name);
    EXPECT_STREQ(old.name, now.name);
    EXPECT_EQ(old.size, now.size);
    if (old.kind == FACT_GROWS) {
      EXPECT_GE(now.number, old.number);
    } else {
      EXPECT_EQ(now.number, old.number);
    }
  }
}

}  // namespace
}  // namespace handpick
