// Reads the model files of libraries that boost trees.
//
//   XGBoost   JSON (Booster.save_model("model.json")), boosters gbtree
//   LightGBM  text (Booster.save_model("model.txt")), boosters gbdt, dart, goss and rf
//
// Everything in a file is distrusted; errors name the tree and the node. What the trees cannot say
// alone is refused: several classes or outputs, linear leaves, objectives whose values are neither
// a logit nor the value itself.
#ifndef HANDPICK_CONVERTER_TREES_READ_H_
#define HANDPICK_CONVERTER_TREES_READ_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/trees/tree_model.h"

namespace handpick::converter {

// Either form, by its first character.
absl::StatusOr<TreeModel> ReadTrees(const std::string& path);
absl::StatusOr<TreeModel> ParseTrees(absl::string_view text, const std::string& origin);

absl::StatusOr<TreeModel> ParseXgboost(absl::string_view text, const std::string& origin);
absl::StatusOr<TreeModel> ParseLightGbm(absl::string_view text, const std::string& origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_TREES_READ_H_
