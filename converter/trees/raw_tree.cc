#include "converter/trees/raw_tree.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "schema/forest.h"

namespace handpick::converter {
namespace {

absl::Status Fault(uint64_t node, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("node ", node, " ", what));
}

// Leaves get their numbers in the order of their ids.
void NumberLeaves(Tree* tree) {
  std::vector<TreeNode*> leaves;
  for (TreeNode& node : tree->nodes) {
    if (node.is_leaf) leaves.push_back(&node);
  }
  std::sort(leaves.begin(), leaves.end(),
            [](const TreeNode* a, const TreeNode* b) { return a->leaf < b->leaf; });
  for (size_t i = 0; i < leaves.size(); ++i) leaves[i]->leaf = static_cast<uint32_t>(i);
  tree->leaf_count = static_cast<uint32_t>(leaves.size());
}

}  // namespace

absl::StatusOr<Tree> OrderTree(RawTree raw, uint32_t column_count) {
  const size_t count = raw.nodes.size();
  if (raw.root >= count) return Fault(raw.root, absl::StrCat("is the root of ", count, " nodes"));
  Tree tree;
  std::vector<bool> seen(count, false);
  std::vector<uint32_t> level = {raw.root};
  seen[raw.root] = true;
  // Where the children of the level that is added stand once they are there.
  size_t next = 1;
  for (uint32_t levels = 1; !level.empty(); ++levels) {
    if (levels > schema::kMaxForestLevels) {
      return Fault(level[0], absl::StrCat("lies deeper than ", schema::kMaxForestLevels,
                                          " levels, which are the most"));
    }
    std::vector<uint32_t> below;
    for (const uint32_t at : level) {
      TreeNode node = std::move(raw.nodes[at]);
      if (!node.is_leaf) {
        if (node.column >= column_count) {
          return Fault(at, absl::StrCat("tests column ", node.column, " of ", column_count));
        }
        for (const uint32_t child : {node.left, node.right}) {
          if (child >= count) {
            return Fault(at, absl::StrCat("has node ", child, " of ", count, " as a child"));
          }
          if (seen[child]) {
            return Fault(at, absl::StrCat("has node ", child,
                                          " as a child, which is the root or has another parent"));
          }
          seen[child] = true;
          below.push_back(child);
        }
        node.left = static_cast<uint32_t>(next);
        node.right = static_cast<uint32_t>(next + 1);
        next += 2;
      }
      tree.nodes.push_back(std::move(node));
    }
    level = std::move(below);
  }
  NumberLeaves(&tree);
  return tree;
}

}  // namespace handpick::converter
