// Walks down trees, many at a time, against one at a time.
#include "sdk/kernels/forest.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "schema/forest.h"
#include "sdk/kernels/panel.h"

namespace handpick {
namespace {

using schema::ForestNode;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Trees of up to `most` inner nodes, with tests of every form unless `plain`.
struct RandomForest {
  std::vector<uint32_t> tree_begins = {0};
  std::vector<ForestNode> nodes;
  std::vector<uint32_t> set_begins = {0};
  std::vector<uint32_t> set_words;
  uint32_t width;
  bool plain;

  RandomForest(uint64_t seed, uint32_t columns, uint32_t trees, uint32_t most, bool is_plain)
      : width(columns), plain(is_plain) {
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t limit) { return static_cast<uint32_t>(random() % limit); };
    for (uint32_t t = 0; t < trees; ++t) {
      const auto begin = static_cast<uint32_t>(nodes.size());
      uint32_t inner = below(most + 1);
      nodes.push_back({});
      for (uint32_t n = begin; n < nodes.size(); ++n) {
        // Some are leaves although there could be more: trees are not balanced.
        const bool is_leaf = inner == 0 || (n + 1 < nodes.size() && below(3) == 0);
        if (is_leaf) {
          nodes[n] = {static_cast<float>(below(2000)) / 1024 - 1, n, 0, 0};
          continue;
        }
        --inner;
        uint32_t flags = schema::kInnerNode | (below(2) != 0 ? schema::kMissingLeft : 0u);
        ForestNode node = {static_cast<float>(below(9)) / 2 - 2,
                           static_cast<uint32_t>(nodes.size()), static_cast<uint16_t>(below(width)),
                           0};
        if (!plain && below(4) == 0) flags |= schema::kZeroIsMissing;
        if (!plain && below(3) == 0) {
          flags |= schema::kCategories | (below(2) != 0 ? schema::kTruncates : 0u);
          const auto set = static_cast<uint32_t>(set_begins.size() - 1);
          std::memcpy(&node.number, &set, sizeof(set));
          for (uint32_t words = below(3); words > 0; --words) set_words.push_back(below(1u << 31));
          set_begins.push_back(static_cast<uint32_t>(set_words.size()));
        }
        node.flags = static_cast<uint16_t>(flags);
        nodes[n] = node;
        nodes.resize(nodes.size() + 2);
      }
      tree_begins.push_back(static_cast<uint32_t>(nodes.size()));
    }
  }

  Forest Get() const {
    Forest forest = {};
    forest.view = {width,           tree_begins.data(), tree_begins.size(), nodes.data(),
                   nodes.size(),    set_begins.data(),  set_begins.size(),  set_words.data(),
                   set_words.size()};
    forest.base = 0.25f;
    forest.plain = plain;
    return forest;
  }
};

// Of numbers that are often exactly a threshold, whole, about 0, or missing.
float RandomNumber(std::mt19937_64* random) {
  switch ((*random)() % 8) {
    case 0:
      return kNan;
    case 1:
      return (*random)() % 2 == 0 ? 0.0f : 1e-36f;
    case 2:
      return static_cast<float>((*random)() % 70);
    case 3:
      return 3e38f;
    case 4:
      return -0.5f;
    default:
      return static_cast<float>((*random)() % 17) / 4 - 2;
  }
}

double OneByOne(const Forest& forest, const std::vector<float>& x) {
  double sum = static_cast<double>(forest.base);
  for (size_t t = 0; t + 1 < forest.view.tree_begin_count; ++t) {
    sum +=
        static_cast<double>(forest.view.nodes[schema::LeafOf(forest.view, t, x.data(), 1)].number);
  }
  return sum;
}

TEST(ForestTest, PanelsAndRowsAreWhatOneWalkAtATimeGives) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const RandomForest random_forest(
        seed, 1 + static_cast<uint32_t>(seed % 7), 1 + static_cast<uint32_t>(seed * 7 % 90),
        static_cast<uint32_t>(seed % 5 == 0 ? 700 : seed % 40), seed % 2 == 0);
    const Forest forest = random_forest.Get();
    ASSERT_EQ(schema::CheckForest(forest.view).problem, nullptr);
    std::mt19937_64 random(seed);
    const uint32_t stride = seed % 3 == 0 ? 48 : 16;
    const PanelShape shape = {stride, seed % 3 == 0 ? 32u : 16u};
    std::vector<float> panel(size_t{forest.view.input_width} * stride);
    for (float& x : panel) x = RandomNumber(&random);
    std::vector<float> out(stride, -77.0f);
    for (TreeRange trees = FirstTrees(forest); !trees.empty(); trees = NextTrees(forest, trees)) {
      AddTreesPanel(forest, trees, panel.data(), out.data(), shape);
    }
    for (uint32_t lane = 0; lane < stride; ++lane) {
      if (lane >= shape.lanes) {
        EXPECT_EQ(out[lane], -77.0f) << "lanes that are not computed are left alone";
        continue;
      }
      std::vector<float> x;
      for (uint32_t c = 0; c < forest.view.input_width; ++c) x.push_back(panel[c * stride + lane]);
      EXPECT_NEAR(static_cast<double>(out[lane]), OneByOne(forest, x), 1e-5) << lane;
      EXPECT_EQ(ForestOfRow(forest, x.data()), out[lane]) << lane;
    }
  }
}

TEST(ForestTest, PortionsAreAllTreesInOrder) {
  const RandomForest random_forest(5, 3, 300, 60, true);
  const Forest forest = random_forest.Get();
  uint32_t next = 0;
  uint32_t portions = 0;
  for (TreeRange trees = FirstTrees(forest); !trees.empty(); trees = NextTrees(forest, trees)) {
    EXPECT_EQ(trees.begin, next);
    EXPECT_GT(trees.end, trees.begin);
    next = trees.end;
    ++portions;
  }
  EXPECT_EQ(next, 300u);
  EXPECT_GT(portions, 1u);
}

struct Fault {
  const char* problem;
  void (*damage)(RandomForest* forest);
};

TEST(ForestTest, WhatCannotBeWalkedIsRefused) {
  // Inner nodes 0, 1 and leaves 2, 3, 4: the first tree; and a leaf.
  const auto make = [] {
    RandomForest forest(0, 2, 1, 0, false);
    forest.tree_begins = {0, 5, 6};
    forest.nodes = {{0.5f, 1, 0, schema::kInnerNode},
                    {0.25f, 3, 1, schema::kInnerNode},
                    {1.0f, 2, 0, 0},
                    {2.0f, 3, 0, 0},
                    {3.0f, 4, 0, 0},
                    {4.0f, 5, 0, 0}};
    forest.set_begins = {0, 1};
    forest.set_words = {3};
    return forest;
  };
  ASSERT_EQ(schema::CheckForest(make().Get().view).problem, nullptr);
  EXPECT_EQ(schema::MeanNodesVisited(make().Get().view), (2 + 3 + 3) / 3.0 + 1);
  const Fault faults[] = {
      {"its input is too wide, or has no column", [](RandomForest* f) { f->width = 0; }},
      {"its input is too wide, or has no column", [](RandomForest* f) { f->width = 65537; }},
      {"it has no tree", [](RandomForest* f) { f->tree_begins = {0}; }},
      {"it has no tree", [](RandomForest* f) { f->tree_begins = {}; }},
      {"its trees do not begin at node 0", [](RandomForest* f) { f->tree_begins[0] = 1; }},
      {"its trees do not end at its last node", [](RandomForest* f) { f->tree_begins[2] = 7; }},
      {"its trees do not end at its last node", [](RandomForest* f) { f->tree_begins[2] = 5; }},
      {"has no node", [](RandomForest* f) { f->tree_begins[1] = 0; }},
      {"has no node", [](RandomForest* f) { f->tree_begins[1] = 9; }},
      {"has children out of their place", [](RandomForest* f) { f->tree_begins[1] = 4; }},
      {"is nobody's child",
       [](RandomForest* f) { f->tree_begins[1] = 6, f->tree_begins.pop_back(); }},
      {"its sets do not begin at word 0", [](RandomForest* f) { f->set_begins[0] = 1; }},
      {"a set is not within its words", [](RandomForest* f) { f->set_begins[1] = 2; }},
      {"a set is not within its words",
       [](RandomForest* f) {
         f->set_begins = {0, 1, 0};
       }},
      {"has unknown flags", [](RandomForest* f) { f->nodes[0].flags |= 32; }},
      {"tests a column that there is not", [](RandomForest* f) { f->nodes[1].column = 2; }},
      {"tests a column that there is not", [](RandomForest* f) { f->nodes[2].column = 2; }},
      {"is no leaf and no inner node", [](RandomForest* f) { f->nodes[2].flags = 2; }},
      {"is no leaf and no inner node", [](RandomForest* f) { f->nodes[2].left = 3; }},
      {"has children out of their place", [](RandomForest* f) { f->nodes[1].left = 0; }},
      {"has children out of their place", [](RandomForest* f) { f->nodes[1].left = 1; }},
      {"has children out of their place", [](RandomForest* f) { f->nodes[1].left = 4; }},
      {"has children out of their place", [](RandomForest* f) { f->nodes[0].left = UINT32_MAX; }},
      {"is nobody's child",
       [](RandomForest* f) {
         f->nodes[1] = {1.0f, 1, 0, 0};
       }},
      {"asks for a set that there is not",
       [](RandomForest* f) {
         const uint32_t set = 1;
         std::memcpy(&f->nodes[0].number, &set, sizeof(set));
         f->nodes[0].flags |= schema::kCategories;
       }},
      {"asks for a set that there is not",
       [](RandomForest* f) {
         f->set_begins.clear();
         f->nodes[0].number = 0;
         f->nodes[0].flags |= schema::kCategories;
       }},
  };
  for (const Fault& fault : faults) {
    RandomForest forest = make();
    fault.damage(&forest);
    const schema::ForestFault found = schema::CheckForest(forest.Get().view);
    ASSERT_NE(found.problem, nullptr) << fault.problem;
    EXPECT_STREQ(found.problem, fault.problem);
  }
}

TEST(ForestTest, AChainOfAsManyLevelsAsThereMayBeIsWalkedAndOneMoreIsNot) {
  for (const uint32_t levels : {schema::kMaxForestLevels, schema::kMaxForestLevels + 1}) {
    RandomForest chain(0, 1, 1, 0, true);
    chain.nodes.clear();
    for (uint32_t n = 0; n < 2 * levels - 1; ++n) {
      const bool is_inner = n % 2 == 0 && n + 1 < 2 * levels - 1;
      chain.nodes.push_back(is_inner ? ForestNode{-1.0f, n == 0 ? 1 : n + 1, 0, schema::kInnerNode}
                                     : ForestNode{static_cast<float>(n), n, 0, 0});
    }
    // By level: 0, (1, 2), (3, 4), ...: of two children the right one goes on.
    chain.tree_begins = {0, static_cast<uint32_t>(chain.nodes.size())};
    const Forest forest = chain.Get();
    const schema::ForestFault fault = schema::CheckForest(forest.view);
    if (levels > schema::kMaxForestLevels) {
      EXPECT_STREQ(fault.problem, "is deeper than 1024 levels");
      continue;
    }
    ASSERT_EQ(fault.problem, nullptr) << fault.problem << " at " << fault.node;
    const float x = 0;
    EXPECT_EQ(ForestOfRow(forest, &x), 0.25f + static_cast<float>(2 * levels - 2));
  }
}

}  // namespace
}  // namespace handpick
