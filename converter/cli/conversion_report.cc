#include "converter/cli/conversion_report.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/files.h"
#include "converter/io/json.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::StatusOr<ConversionReport> ReadConversionReport(const std::string& path) {
  HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  HP_RETURN_IF_ERROR(ParseJson(text, path).status());
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(text);
  const auto is_part = [](const nlohmann::ordered_json& part) {
    for (const char* key : {"name", "kind", "type"}) {
      if (!part.is_object() || !part.contains(key) || !part[key].is_string()) return false;
    }
    return part.contains("bytes") && part["bytes"].is_object() &&
           (!part.contains("alone") || part["alone"].is_object());
  };
  bool has_parts = json.is_object() && json.contains("parts") && json["parts"].is_array();
  if (has_parts) {
    for (const auto& part : json["parts"]) has_parts = has_parts && is_part(part);
  }
  if (!has_parts) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": has no 'parts', expected what convert --report writes with "
                     "--precision auto or --keep"));
  }
  ConversionReport report;
  report.parts = std::move(json["parts"]);
  const auto work = json.find("multiply_accumulates");
  if (work != json.end() && work->is_object() && work->contains("candidate_as_written") &&
      (*work)["candidate_as_written"].is_number_unsigned()) {
    report.candidate_as_written = (*work)["candidate_as_written"].get<uint64_t>();
  }
  return report;
}

}  // namespace handpick::converter
