#include "converter/trees/read.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "converter/io/files.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::StatusOr<TreeModel> ParseTrees(absl::string_view text, const std::string& origin) {
  const absl::string_view begin = absl::StripLeadingAsciiWhitespace(text);
  if (absl::StartsWith(begin, "{")) return ParseXgboost(text, origin);
  if (absl::StartsWith(begin, "tree\n") || absl::StartsWith(begin, "tree\r\n")) {
    return ParseLightGbm(text, origin);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      origin,
      ": it begins neither as XGBoost's JSON ('{') nor as LightGBM's text ('tree'): save "
      "the model with save_model(\"model.json\"), or in LightGBM save_model(\"model.txt\")"));
}

absl::StatusOr<TreeModel> ReadTrees(const std::string& path) {
  HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseTrees(text, path);
}

}  // namespace handpick::converter
