// How the trees of a forest lie in a bundle, how a row walks down one, and whether a forest can be
// walked at all: said once for those who write, check and read one.
//
//   | number, float32 | left, uint32 | column, uint16 | flags, uint16 |     12 bytes a node
//
// An inner node tests the number x in column `column` of the row: where the test says yes, its left
// child comes next, node `left` of the forest; otherwise the right one, node `left` + 1. A leaf is
// its own `left`, its column is 0, and `number` is what it is worth.
//
//   a threshold  x < number; NaN: yes where kMissingLeft. Where kZeroIsMissing, an x of at most
//                1e-35 in magnitude is taken for a NaN.
//   kCategories  whether category floor(x) is in set `number` (the bits of a uint32), which
//   negative
//                numbers and those beyond its words are not; NaN: yes where kMissingLeft. Where
//                kTruncates, numbers above -1 are category 0 too.
#ifndef HANDPICK_SCHEMA_FOREST_H_
#define HANDPICK_SCHEMA_FOREST_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace handpick::schema {

struct ForestNode {
  float number;
  uint32_t left;
  uint16_t column;
  uint16_t flags;
};
static_assert(sizeof(ForestNode) == 12, "nodes are used in place");

// Bits of ForestNode::flags.
inline constexpr uint16_t kInnerNode = 1;
inline constexpr uint16_t kMissingLeft = 2;
inline constexpr uint16_t kCategories = 4;
inline constexpr uint16_t kZeroIsMissing = 8;
inline constexpr uint16_t kTruncates = 16;
inline constexpr uint16_t kForestFlags = 31;

inline constexpr uint32_t kMaxForestLevels = 1024;
// Columns are numbers of 16 bits.
inline constexpr uint32_t kMaxForestWidth = 1u << 16;
// As float32 tells them apart.
inline constexpr uint32_t kMaxCategories = 1u << 24;
// LightGBM's kZeroThreshold.
inline constexpr float kZeroMagnitude = 1e-35f;

struct ForestView {
  uint32_t input_width;
  const uint32_t* tree_begins;
  size_t tree_begin_count;
  const ForestNode* nodes;
  size_t node_count;
  const uint32_t* set_begins;
  size_t set_begin_count;
  const uint32_t* set_words;
  size_t set_word_count;
};

inline uint32_t SetOfNode(const ForestNode& node) {
  uint32_t set;
  std::memcpy(&set, &node.number, sizeof(set));
  return set;
}

// Whether x goes left at an inner node of a sound forest.
inline bool GoesLeft(const ForestView& forest, const ForestNode& node, float x) {
  const bool missing_left = (node.flags & kMissingLeft) != 0;
  if ((node.flags & kZeroIsMissing) != 0 && x >= -kZeroMagnitude && x <= kZeroMagnitude) {
    return missing_left;
  }
  if (std::isnan(x)) return missing_left;
  if ((node.flags & kCategories) == 0) return x < node.number;
  if (x < 0) {
    if ((node.flags & kTruncates) == 0 || x <= -1) return false;
    x = 0;
  }
  if (x >= static_cast<float>(kMaxCategories)) return false;
  const auto category = static_cast<uint32_t>(x);
  const uint32_t* begin = forest.set_begins + SetOfNode(node);
  const uint32_t word = category / 32;
  return word < begin[1] - begin[0] &&
         (forest.set_words[begin[0] + word] >> category % 32 & 1) != 0;
}

// The leaf of a sound forest that a row falls into. `x`: column c stands at x[c * stride].
inline uint32_t LeafOf(const ForestView& forest, size_t tree, const float* x, size_t stride) {
  uint32_t at = forest.tree_begins[tree];
  for (;;) {
    const ForestNode& node = forest.nodes[at];
    if ((node.flags & kInnerNode) == 0) return at;
    at = node.left + (GoesLeft(forest, node, x[node.column * stride]) ? 0 : 1);
  }
}

// Nodes that a row meets in the mean, if it falls into each leaf of a tree equally often: the work
// of a sound forest.
inline double MeanNodesVisited(const ForestView& forest) {
  double sum = 0;
  for (size_t tree = 0; tree + 1 < forest.tree_begin_count; ++tree) {
    const uint32_t begin = forest.tree_begins[tree];
    const uint32_t end = forest.tree_begins[tree + 1];
    // By level: where a level ends, and the children that were counted so far.
    uint32_t level_end = begin + 1;
    uint32_t next = begin + 1;
    uint32_t depth = 1;
    double visits = 0;
    uint32_t leaves = 0;
    for (uint32_t n = begin; n < end; ++n) {
      if (n == level_end) {
        level_end = next;
        ++depth;
      }
      if ((forest.nodes[n].flags & kInnerNode) != 0) {
        next += 2;
      } else {
        visits += depth;
        ++leaves;
      }
    }
    sum += leaves == 0 ? 0 : visits / leaves;
  }
  return sum;
}

// What is wrong with a forest; `problem` is null when nothing is. `tree` and `node` (which counts
// from the tree's root) are those that it is about, where `in_tree`.
struct ForestFault {
  const char* problem = nullptr;
  bool in_tree = false;
  uint64_t tree = 0;
  uint64_t node = 0;

  explicit operator bool() const { return problem != nullptr; }
};

// Whether every walk down every tree ends at a leaf, and reads nothing that is not there. Takes
// time in the size of the arrays, and no memory: nodes stand by level, so that the children of each
// inner node have to be the next two that nobody was the parent of.
inline ForestFault CheckForest(const ForestView& forest) {
  if (forest.input_width == 0 || forest.input_width > kMaxForestWidth) {
    return {"its input is too wide, or has no column"};
  }
  if (forest.tree_begin_count < 2) return {"it has no tree"};
  if (forest.set_begin_count != 0) {
    if (forest.set_begins[0] != 0) return {"its sets do not begin at word 0"};
    for (size_t s = 1; s < forest.set_begin_count; ++s) {
      if (forest.set_begins[s] < forest.set_begins[s - 1] ||
          forest.set_begins[s] > forest.set_word_count) {
        return {"a set is not within its words"};
      }
    }
  }
  const size_t sets = forest.set_begin_count == 0 ? 0 : forest.set_begin_count - 1;
  if (forest.tree_begins[0] != 0) return {"its trees do not begin at node 0"};
  if (forest.tree_begins[forest.tree_begin_count - 1] != forest.node_count) {
    return {"its trees do not end at its last node"};
  }
  for (size_t tree = 0; tree + 1 < forest.tree_begin_count; ++tree) {
    const uint32_t begin = forest.tree_begins[tree];
    const uint32_t end = forest.tree_begins[tree + 1];
    const auto fault = [&](const char* problem, uint32_t n) {
      return ForestFault{problem, true, tree, n - begin};
    };
    if (end <= begin || end > forest.node_count) return fault("has no node", begin);
    uint64_t next = uint64_t{begin} + 1;
    uint64_t level_end = next;
    uint32_t levels = 1;
    for (uint32_t n = begin; n < end; ++n) {
      if (n == level_end) {
        if (++levels > kMaxForestLevels) return fault("is deeper than 1024 levels", n);
        level_end = next;
      }
      if (n >= next) return fault("is nobody's child", n);
      const ForestNode& node = forest.nodes[n];
      if ((node.flags & ~kForestFlags) != 0) return fault("has unknown flags", n);
      if (node.column >= forest.input_width) return fault("tests a column that there is not", n);
      if ((node.flags & kInnerNode) == 0) {
        if (node.flags != 0 || node.left != n) return fault("is no leaf and no inner node", n);
        continue;
      }
      if (node.left != next || next + 2 > end) return fault("has children out of their place", n);
      next += 2;
      if ((node.flags & kCategories) != 0 && SetOfNode(node) >= sets) {
        return fault("asks for a set that there is not", n);
      }
    }
  }
  return {};
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_FOREST_H_
