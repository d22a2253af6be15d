// Boosted trees as a library trained them: what its model file says, in one form for all libraries.
#ifndef HANDPICK_CONVERTER_TREES_TREE_MODEL_H_
#define HANDPICK_CONVERTER_TREES_TREE_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace handpick::converter {

// A test, or a leaf. The test is one of schema/forest.h, which says what its parts mean.
struct TreeNode {
  bool is_leaf = false;
  // Of a leaf: what it adds to the sum, and its number among its tree's leaves, in ascending order
  // of the ids that the library gives them.
  double value = 0;
  uint32_t leaf = 0;
  // Of a test: the column, the children (positions in Tree::nodes), and x < threshold, or whether a
  // category is among those whose bits `categories` has (words of 32).
  uint32_t column = 0;
  uint32_t left = 0;
  uint32_t right = 0;
  float threshold = 0;
  bool has_categories = false;
  std::vector<uint32_t> categories = {};
  bool missing_left = false;
  bool zero_is_missing = false;
  bool truncates = false;
};

// Nodes by level, the root first, the children of a node side by side, in the order of their
// parents.
struct Tree {
  std::vector<TreeNode> nodes;
  uint32_t leaf_count = 0;
};

struct TreeModel {
  std::string library;  // "XGBoost", "LightGBM"
  uint32_t column_count = 0;
  std::vector<std::string> column_names;  // As the model has them; empty: it has none.
  std::vector<Tree> trees;
  double base = 0;  // Added to the sum of the leaves: it is the logit (or the value) then.
  std::string objective;
  bool is_logit = false;  // The objective is one of probabilities, of which the sum is the logit.
  std::vector<std::string> notices;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_TREES_TREE_MODEL_H_
