#include "converter/cli/convert_flags.h"

#include <cstdint>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "converter/cli/flags.h"
#include "schema/format.h"

namespace handpick::converter {

std::string ConvertUsageFault() {
  const std::string precision = absl::GetFlag(FLAGS_precision).value_or("f32");
  if (precision != "f32" && precision != "f16" && precision != "int8" && precision != "auto") {
    return absl::StrCat("--precision ", precision, " is neither f32, f16, int8 nor auto");
  }
  if (precision == "auto") {
    if (!absl::GetFlag(FLAGS_evaluation).has_value()) return "--precision auto needs --evaluation";
    if (!absl::GetFlag(FLAGS_budget).has_value()) return "--precision auto needs --budget";
  } else if (absl::GetFlag(FLAGS_budget).has_value()) {
    return "--budget is of --precision auto";
  }
  if (absl::GetFlag(FLAGS_counts).has_value()) {
    if (!absl::GetFlag(FLAGS_min_count).has_value() && precision != "auto") {
      return "--counts needs --min-count, or --precision auto, which tries some";
    }
  } else if (absl::GetFlag(FLAGS_min_count).has_value()) {
    return "--min-count needs --counts";
  }
  if (const auto least = absl::GetFlag(FLAGS_min_count); least == uint64_t{0}) {
    return "--min-count is 0, expected at least 1";
  }
  if (absl::GetFlag(FLAGS_clip_outliers) && precision != "int8" && precision != "auto") {
    return "--clip-outliers is of --precision int8 and auto";
  }
  // Boosted trees alone have no other weights.
  if (!absl::GetFlag(FLAGS_weights).has_value() && !absl::GetFlag(FLAGS_trees).has_value()) {
    return "--weights is missing";
  }
  // A bound on what nothing measures would hold always.
  if (!absl::GetFlag(FLAGS_evaluation).has_value()) {
    if (absl::GetFlag(FLAGS_max_auc_drift).has_value()) return "--max-auc-drift needs --evaluation";
    if (absl::GetFlag(FLAGS_min_top10_overlap).has_value()) {
      return "--min-top10-overlap needs --evaluation";
    }
  }
  if (const auto oldest = absl::GetFlag(FLAGS_min_runtime);
      oldest.has_value() && !ParseRuntimeFormat(*oldest).has_value()) {
    return absl::StrCat("--min-runtime is '", *oldest,
                        "', expected the format of a runtime: ", schema::kFormatMajor, ".",
                        schema::kFormatMinor);
  }
  if (absl::GetFlag(FLAGS_max_golden_error).has_value() &&
      !absl::GetFlag(FLAGS_golden).has_value()) {
    return "--max-golden-error needs --golden";
  }
  return "";
}

std::optional<FormatOfPart> ParseRuntimeFormat(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  FormatOfPart format;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &format.major_version) ||
      !absl::SimpleAtoi(parts[1], &format.minor_version)) {
    return std::nullopt;
  }
  return format;
}

}  // namespace handpick::converter
