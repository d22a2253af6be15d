// Trees as a bundle has them.
#ifndef HANDPICK_CONVERTER_TREES_FOREST_H_
#define HANDPICK_CONVERTER_TREES_FOREST_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "converter/graph/weights.h"
#include "converter/trees/tree_model.h"

namespace handpick::converter {

// The forest of a model's trees, of which `value` says what a leaf is worth. Without a base. An
// error: there are too many nodes or columns.
absl::StatusOr<ForestData> MakeForest(
    std::string name, const TreeModel& model,
    absl::FunctionRef<double(size_t tree, const TreeNode& leaf)> value);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_TREES_FOREST_H_
