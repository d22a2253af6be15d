// handpick delta, handpick patch
#include <stdio.h>

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/io/files.h"
#include "converter/io/status_macros.h"
#include "converter/io/with_commas.h"
#include "converter/update/make_delta.h"
#include "handpick/update.h"

namespace handpick::converter {
namespace {

absl::Status Delta(const std::string& old_path, const std::string& new_path) {
  // Both are bundles, and whole: a delta of damaged bytes would be trusted.
  HP_ASSIGN_OR_RETURN(const LoadedBundle old_bundle, LoadUndamagedBundle(old_path));
  HP_ASSIGN_OR_RETURN(const LoadedBundle new_bundle, LoadUndamagedBundle(new_path));
  HP_ASSIGN_OR_RETURN(const std::string delta,
                      MakeDelta(old_bundle.bytes.view(), new_bundle.bytes.view()));
  const std::string out = *absl::GetFlag(FLAGS_out);
  HP_RETURN_IF_ERROR(WriteFileAtomically(out, delta));
  printf("%s: %s bytes, %.2f %% of the new bundle's %s\n", out.c_str(),
         WithCommas(delta.size()).c_str(),
         100 * static_cast<double>(delta.size()) / static_cast<double>(new_bundle.bytes.size()),
         WithCommas(new_bundle.bytes.size()).c_str());
  return absl::OkStatus();
}

absl::Status Patch(const std::string& old_path, const std::string& delta_path) {
  const std::string out = *absl::GetFlag(FLAGS_out);
  hp_error error = {};
  if (hp_update_apply(old_path.c_str(), delta_path.c_str(), out.c_str(), nullptr, &error) !=
      HP_OK) {
    return absl::InvalidArgumentError(error.message);
  }
  return absl::OkStatus();
}

}  // namespace

int RunDelta(const std::vector<std::string>& positional) {
  const absl::Status status = Delta(positional[0], positional[1]);
  return status.ok() ? 0 : Fail("delta", status);
}

int RunPatch(const std::vector<std::string>& positional) {
  const absl::Status status = Patch(positional[0], positional[1]);
  return status.ok() ? 0 : Fail("patch", status);
}

}  // namespace handpick::converter
