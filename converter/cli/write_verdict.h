// A bundle with what `evaluate` decided of it in its manifest (schema/README.md, Manifest).
#ifndef HANDPICK_CONVERTER_CLI_WRITE_VERDICT_H_
#define HANDPICK_CONVERTER_CLI_WRITE_VERDICT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/emit/bundle_file.h"
#include "converter/evaluation/evaluation.h"
#include "converter/evaluation/gate.h"
#include "converter/io/input_file.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {

// What the manifest has of an evaluation. `sets`: the instruction sets; `inputs`: the files of
// rows.
nlohmann::ordered_json VerdictJson(const Evaluation& evaluation,
                                   const std::vector<Decision>& decisions,
                                   const std::vector<std::string>& sets, const InputFiles& inputs);

// The hash of a bundle's bytes, as summaries of evaluations have it.
std::string HashOfBundle(absl::string_view bytes);

// The bundle at `path` with `verdict` in its manifest and new hashes, as a file that becomes `out`
// when it is committed. A signature is left out, with a note. Errors: a damaged bundle, for which
// new hashes would lie; bytes that do not have the hash `measured`.
absl::StatusOr<BundleFile> BundleWithVerdict(const std::string& path, const std::string& measured,
                                             const nlohmann::ordered_json& verdict,
                                             const std::string& out);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_WRITE_VERDICT_H_
