// handpick sign
#include <stdio.h>

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/io/files.h"
#include "converter/io/status_macros.h"
#include "converter/sign/signature.h"

namespace handpick::converter {
namespace {

absl::Status Sign() {
  HP_ASSIGN_OR_RETURN(const SecretKey key, ReadSecretKey(*absl::GetFlag(FLAGS_key)));
  // A signature says that the bytes are right: damaged ones get none.
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle, LoadUndamagedBundle(*absl::GetFlag(FLAGS_bundle)));
  HP_ASSIGN_OR_RETURN(const std::string file, Signed(*bundle.view, key));
  const std::string out = *absl::GetFlag(FLAGS_out);
  HP_RETURN_IF_ERROR(WriteFileAtomically(out, file));
  const absl::string_view public_key(reinterpret_cast<const char*>(key.public_key.data()),
                                     key.public_key.size());
  printf("%s: signed with key %016llx; its public key: %s\n", out.c_str(),
         static_cast<unsigned long long>(KeyId(key.public_key)),
         absl::BytesToHexString(public_key).c_str());
  return absl::OkStatus();
}

}  // namespace

int RunSign(const std::vector<std::string>&) {
  const absl::Status status = Sign();
  return status.ok() ? 0 : Fail("sign", status);
}

}  // namespace handpick::converter
