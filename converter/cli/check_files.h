// What is asked of the files of a run before it begins.
#ifndef HANDPICK_CONVERTER_CLI_CHECK_FILES_H_
#define HANDPICK_CONVERTER_CLI_CHECK_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace handpick::converter {

// By the flags, and the arguments that are none: no file that is to be written is one that is read,
// or another one to be written, by whatever name (links, ".."); each is in a folder that is there
// and can be written.
absl::Status CheckFiles(const std::vector<std::string>& arguments);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CHECK_FILES_H_
