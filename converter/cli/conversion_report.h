// What `convert --report` wrote, read back for the page of `evaluate --report`.
#ifndef HANDPICK_CONVERTER_CLI_CONVERSION_REPORT_H_
#define HANDPICK_CONVERTER_CLI_CONVERSION_REPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {

// The tables and layers of a conversion ("parts"), each with its name, kind, type and bytes by
// type. Errors: the file is no such report, or has no parts.
absl::StatusOr<nlohmann::ordered_json> ReadConversionReport(const std::string& path);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERSION_REPORT_H_
