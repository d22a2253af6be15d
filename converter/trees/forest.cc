#include "converter/trees/forest.h"

#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace handpick::converter {
namespace {

schema::ForestNode InnerNode(const TreeNode& node, uint32_t begin, ForestData* forest) {
  unsigned flags = schema::kInnerNode;
  if (node.missing_left) flags |= schema::kMissingLeft;
  if (node.zero_is_missing) flags |= schema::kZeroIsMissing;
  if (node.truncates) flags |= schema::kTruncates;
  schema::ForestNode out = {node.threshold, begin + node.left, static_cast<uint16_t>(node.column),
                            0};
  if (node.has_categories) {
    flags |= schema::kCategories;
    if (forest->set_begins.empty()) forest->set_begins.push_back(0);
    const auto set = static_cast<uint32_t>(forest->set_begins.size() - 1);
    forest->set_words.insert(forest->set_words.end(), node.categories.begin(),
                             node.categories.end());
    forest->set_begins.push_back(static_cast<uint32_t>(forest->set_words.size()));
    std::memcpy(&out.number, &set, sizeof(set));
  }
  out.flags = static_cast<uint16_t>(flags);
  return out;
}

}  // namespace

absl::StatusOr<ForestData> MakeForest(
    std::string name, const TreeModel& model,
    absl::FunctionRef<double(size_t tree, const TreeNode& leaf)> value) {
  constexpr uint64_t kMostNodes = uint64_t{1} << 27;  // Of 12 bytes each, in a file of 2 GiB.
  uint64_t nodes = 0;
  uint64_t words = 0;
  for (const Tree& tree : model.trees) {
    nodes += tree.nodes.size();
    for (const TreeNode& node : tree.nodes) words += node.categories.size();
  }
  if (model.trees.empty() || nodes > kMostNodes || words > kMostNodes) {
    return absl::InvalidArgumentError(
        absl::StrCat("trees: ", model.trees.size(), " trees with ", nodes, " nodes and ", words,
                     " words of categories; at least 1 tree and at most ", kMostNodes,
                     " nodes and words are possible"));
  }
  if (model.column_count == 0 || model.column_count > schema::kMaxForestWidth) {
    return absl::InvalidArgumentError(absl::StrCat("trees: they have ", model.column_count,
                                                   " columns, expected 1 to ",
                                                   schema::kMaxForestWidth));
  }
  ForestData forest;
  forest.name = std::move(name);
  forest.input_width = model.column_count;
  for (size_t t = 0; t < model.trees.size(); ++t) {
    const auto begin = static_cast<uint32_t>(forest.nodes.size());
    for (const TreeNode& node : model.trees[t].nodes) {
      const auto at = static_cast<uint32_t>(forest.nodes.size());
      forest.nodes.push_back(node.is_leaf
                                 ? schema::ForestNode{static_cast<float>(value(t, node)), at, 0, 0}
                                 : InnerNode(node, begin, &forest));
    }
    forest.tree_begins.push_back(static_cast<uint32_t>(forest.nodes.size()));
  }
  return forest;
}

}  // namespace handpick::converter
