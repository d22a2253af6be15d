// What `convert --report` wrote, read back for the page of `evaluate --report`.
#ifndef HANDPICK_CONVERTER_CLI_CONVERSION_REPORT_H_
#define HANDPICK_CONVERTER_CLI_CONVERSION_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {

struct ConversionReport {
  // Tables and layers, each with its name, kind, type and bytes by type.
  nlohmann::ordered_json parts;
  // Multiply-adds a candidate before anything was folded; nothing in reports that do not say it.
  std::optional<uint64_t> candidate_as_written;
};

// Errors: the file is no such report, or has no parts.
absl::StatusOr<ConversionReport> ReadConversionReport(const std::string& path);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERSION_REPORT_H_
