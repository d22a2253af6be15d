// What a file is, by its first bytes and its last.
#ifndef HANDPICK_CONVERTER_WEIGHTS_FILE_KIND_H_
#define HANDPICK_CONVERTER_WEIGHTS_FILE_KIND_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {

enum class FileKind { kUnknown, kSafetensors, kZip, kTorchPlain, kHdf5, kTensorFlow };

// As many bytes as are looked at; fewer will do where a file has no more.
inline constexpr size_t kBeginningBytes = 512;
inline constexpr size_t kEndBytes = 8;

FileKind KindByBytes(absl::string_view beginning, absl::string_view end);
// kZip for ".npz", and so on; kUnknown when it is none of weights.
FileKind KindByExtension(absl::string_view path);

// An error when the file is something that people take for weights and that is not: the pointer of
// Git LFS, a page of the web, an archive of another kind.
absl::Status RefuseLookalikes(const std::string& path, absl::string_view beginning);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_FILE_KIND_H_
