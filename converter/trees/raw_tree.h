// A tree as it stands in a file, not trusted yet.
#ifndef HANDPICK_CONVERTER_TREES_RAW_TREE_H_
#define HANDPICK_CONVERTER_TREES_RAW_TREE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/trees/tree_model.h"

namespace handpick::converter {

// As TreeNode, in the library's numbers: children may be anything, leaves have the library's ids in
// `leaf`.
struct RawTree {
  std::vector<TreeNode> nodes;
  uint32_t root = 0;
};

// Words of categories of all tests together: nodes may share a list in a file, and a single
// category takes as many words as are before it.
inline constexpr uint64_t kMostCategoryWords = uint64_t{1} << 25;

// The tree below the root, level by level. An error says which node (of `nodes`) has a child that
// does not exist or has two parents, tests a column that there is not, or lies too deep. Nodes that
// are not below the root are left out.
absl::StatusOr<Tree> OrderTree(RawTree raw, uint32_t column_count);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_TREES_RAW_TREE_H_
