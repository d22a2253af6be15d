// The C++ header's functions that fill an array of the caller's allocate nothing.
#include <array>
#include <cstdint>
#include <handpick/handpick.hpp>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace {

using handpick::Batch;
using handpick::Model;
using handpick::Rows;
using handpick::Session;
using handpick::Side;
using handpick::Span;

TEST(CppNoAllocationTest, WhatFillsAnArrayAllocatesNothing) {
  const auto made = handpick::testing::MakeRecallBundle(handpick::testing::RecallBundleOptions{});
  const std::string bytes = handpick::testing::Serialized(*made.bundle);
  const Model model =
      Model::open_buffer(bytes.data(), bytes.size(), handpick::OpenOptions().copy());
  Session session(model);
  const Rows context = Rows().set(model.feature(Side::kContext, "user"), 2);
  Rows event;
  event.set(model.feature(Side::kHistory, "seen"), made.ids[3].integer);
  session.set_context(context);
  session.append_events(event);
  const std::vector<int64_t> ids = {made.ids[5].integer, made.ids[6].integer, made.ids[7].integer,
                                    made.ids[8].integer};
  const Batch batch(model.feature(Side::kCandidate, "item"), ids);
  std::array<hp_ranked, 3> ranked;
  std::array<hp_recommended, 3> recommended;
  std::array<hp_recalled, 3> recalled;
  std::vector<float> scores(ids.size());

  handpick::testing::StartCountingAllocations();
  session.set_context(context);  // It was used before.
  event.clear();
  session.set_history(event);
  event.set(model.feature(Side::kHistory, "seen"), made.ids[4].integer);
  const uint64_t of_names = handpick::testing::StopCountingAllocations();
  session.append_events(event);

  handpick::testing::StartCountingAllocations();
  const Span<hp_ranked> best = session.rank(batch, ranked);
  session.score(batch, scores);
  const Span<hp_recommended> items = session.recommend(recommended);
  const Span<hp_recalled> found = session.recall(recalled);
  EXPECT_EQ(handpick::testing::StopCountingAllocations(), 0u);
  EXPECT_EQ(of_names, 0u) << "rows keep their memory";
  EXPECT_EQ(best.size() + items.size() + found.size(), 9u);
  EXPECT_EQ(best.data(), ranked.data());
}

}  // namespace
