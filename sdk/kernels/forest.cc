#include "sdk/kernels/forest.h"

#include <algorithm>
#include <cmath>

namespace handpick {
namespace {

using schema::ForestNode;
using schema::ForestView;

// Walks that go on at the same time: a node is known when the one before it was compared, so that a
// single walk waits most of the time.
constexpr uint32_t kWalks = 8;
static_assert(kLaneGroup % kWalks == 0, "lanes are whole groups of walks");

// Nodes of a portion: 12 KB.
constexpr uint32_t kPortionNodes = 1024;

// From the nodes at[w] on, each walk w goes down to its leaf; it reads column c at x(w, c). No
// branch depends on a number: a leaf is its own next node, until all walks are at one.
template <bool kPlain, typename X>
void WalkDown(const ForestView& forest, uint32_t (&at)[kWalks], const X& x) {
  const ForestNode* const nodes = forest.nodes;
  uint32_t inner = 0;
  do {
    inner = 0;
    for (uint32_t w = 0; w < kWalks; ++w) {
      const ForestNode node = nodes[at[w]];
      const float number = x(w, node.column);
      const uint32_t is_inner = node.flags & schema::kInnerNode;
      uint32_t left = 0;
      if (kPlain) {
        static_assert(schema::kMissingLeft == 2, "bit 1");
        left = (number < node.number ? 1u : 0u) |
               ((std::isnan(number) ? 1u : 0u) & (uint32_t{node.flags} >> 1));
      } else {
        left = is_inner != 0 && schema::GoesLeft(forest, node, number) ? 1u : 0u;
      }
      at[w] = node.left + (is_inner & ~left);
      inner |= is_inner;
    }
  } while (inner != 0);
}

template <bool kPlain>
void AddTrees(const ForestView& forest, TreeRange trees, const float* panel, float* out,
              PanelShape shape) {
  for (uint32_t lane = 0; lane < shape.lanes; lane += kWalks) {
    const float* const lanes = panel + lane;
    double sums[kWalks] = {};
    for (uint32_t tree = trees.begin; tree < trees.end; ++tree) {
      uint32_t at[kWalks];
      std::fill_n(at, kWalks, forest.tree_begins[tree]);
      WalkDown<kPlain>(forest, at, [&](uint32_t w, uint32_t column) {
        return lanes[size_t{column} * shape.stride + w];
      });
      for (uint32_t w = 0; w < kWalks; ++w) sums[w] += double{forest.nodes[at[w]].number};
    }
    for (uint32_t w = 0; w < kWalks; ++w) out[lane + w] += static_cast<float>(sums[w]);
  }
}

// The sum over a portion of the trees, several of which are walked at a time.
template <bool kPlain>
double SumOfRow(const ForestView& forest, TreeRange trees, const float* x) {
  double sum = 0;
  for (uint32_t tree = trees.begin; tree < trees.end; tree += kWalks) {
    const uint32_t count = std::min(kWalks, trees.end - tree);
    uint32_t at[kWalks];
    // Walks that are too many go down the last tree once more.
    for (uint32_t w = 0; w < kWalks; ++w) {
      at[w] = forest.tree_begins[tree + std::min(w, count - 1)];
    }
    WalkDown<kPlain>(forest, at, [&](uint32_t, uint32_t column) { return x[column]; });
    for (uint32_t w = 0; w < count; ++w) sum += double{forest.nodes[at[w]].number};
  }
  return sum;
}

TreeRange TreesFrom(const Forest& forest, uint32_t begin) {
  const uint32_t* begins = forest.view.tree_begins;
  const auto count = static_cast<uint32_t>(forest.view.tree_begin_count - 1);
  uint32_t end = begin;
  while (end < count && (end == begin || begins[end + 1] - begins[begin] <= kPortionNodes)) ++end;
  return {begin, end};
}

}  // namespace

TreeRange FirstTrees(const Forest& forest) { return TreesFrom(forest, 0); }

TreeRange NextTrees(const Forest& forest, TreeRange trees) { return TreesFrom(forest, trees.end); }

void AddTreesPanel(const Forest& forest, TreeRange trees, const float* x, float* out,
                   PanelShape shape) {
  if (trees.begin == 0) std::fill_n(out, shape.lanes, forest.base);
  if (forest.plain) {
    AddTrees<true>(forest.view, trees, x, out, shape);
  } else {
    AddTrees<false>(forest.view, trees, x, out, shape);
  }
}

float ForestOfRow(const Forest& forest, const float* x) {
  float sum = forest.base;
  for (TreeRange trees = FirstTrees(forest); !trees.empty(); trees = NextTrees(forest, trees)) {
    sum += static_cast<float>(forest.plain ? SumOfRow<true>(forest.view, trees, x)
                                           : SumOfRow<false>(forest.view, trees, x));
  }
  return sum;
}

}  // namespace handpick
