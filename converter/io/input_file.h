// What a bundle's manifest says of the files that the bundle was made from.
#ifndef HANDPICK_CONVERTER_IO_INPUT_FILE_H_
#define HANDPICK_CONVERTER_IO_INPUT_FILE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

using InputFiles = std::vector<std::unique_ptr<schema::InputFileT>>;

// Appends the file's role, name without folders, size and hash. The file is read block by block,
// never held whole. What can be read only once or has no name of its own (the standard input "-",
// pipes, devices) is left out, and so are folders.
absl::Status AddInputFile(absl::string_view role, const std::string& path, InputFiles* inputs);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_INPUT_FILE_H_
