// What the trees of a model file make of a row.
#ifndef HANDPICK_TESTS_CONVERTER_TREES_SUM_OF_LEAVES_H_
#define HANDPICK_TESTS_CONVERTER_TREES_SUM_OF_LEAVES_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/trees/forest.h"
#include "converter/trees/tree_model.h"
#include "gtest/gtest.h"
#include "schema/forest.h"

namespace handpick::converter {

// The sum of the leaves that x leads to. A failure is a test failure.
inline double SumOfLeaves(const absl::StatusOr<TreeModel>& model, const std::vector<float>& x) {
  EXPECT_TRUE(model.ok()) << model.status();
  if (!model.ok()) return 0;
  const auto forest =
      MakeForest("f", *model, [](size_t, const TreeNode& leaf) { return leaf.value; });
  EXPECT_TRUE(forest.ok()) << forest.status();
  if (!forest.ok()) return 0;
  EXPECT_EQ(schema::CheckForest(forest->View()).problem, nullptr);
  double sum = 0;
  for (size_t t = 0; t < forest->tree_count(); ++t) {
    sum += forest->nodes[schema::LeafOf(forest->View(), t, x.data(), 1)].number;
  }
  return sum;
}

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_CONVERTER_TREES_SUM_OF_LEAVES_H_
