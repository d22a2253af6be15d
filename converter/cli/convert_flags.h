// What `handpick convert` is asked for, beyond what one flag says alone.
#ifndef HANDPICK_CONVERTER_CLI_CONVERT_FLAGS_H_
#define HANDPICK_CONVERTER_CLI_CONVERT_FLAGS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "converter/emit/part_formats.h"

namespace handpick::converter {

// What is wrong with the flags together, or "".
std::string ConvertUsageFault();

// "2.0": the format of a runtime.
std::optional<FormatOfPart> ParseRuntimeFormat(absl::string_view text);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERT_FLAGS_H_
