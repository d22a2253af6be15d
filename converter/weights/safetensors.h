// safetensors: 8 bytes with the header's length, a JSON header, the tensors' bytes.
// https://github.com/huggingface/safetensors (README, "Format")
#ifndef HANDPICK_CONVERTER_WEIGHTS_SAFETENSORS_H_
#define HANDPICK_CONVERTER_WEIGHTS_SAFETENSORS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "converter/io/byte_source.h"
#include "converter/weights/stored_archive.h"

namespace handpick::converter {

absl::StatusOr<std::unique_ptr<StoredArchive>> OpenSafetensors(std::unique_ptr<ByteSource> source,
                                                               const std::string& origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_SAFETENSORS_H_
