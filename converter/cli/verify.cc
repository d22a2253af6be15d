// handpick verify
#include <stdio.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/evaluation/goldens.h"
#include "converter/evaluation/metrics.h"
#include "converter/graph/decode.h"
#include "converter/io/status_macros.h"
#include "converter/reference/interpreter.h"
#include "converter/request/resolve.h"
#include "converter/runtime/bundle_session.h"
#include "converter/sign/signature.h"

namespace handpick::converter {
namespace {

absl::Status VerifySignature(const LoadedBundle& bundle, const std::string& path,
                             const std::string& key_path) {
  HP_ASSIGN_OR_RETURN(const PublicKey key, ReadPublicKey(key_path));
  if (const absl::Status status = CheckSignature(bundle.bytes.view(), key); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  }
  printf("%s: signed with key %016llx\n", path.c_str(),
         static_cast<unsigned long long>(KeyId(key)));
  return absl::OkStatus();
}

absl::Status Verify() {
  const std::string path = *absl::GetFlag(FLAGS_bundle);
  // Bytes first: goldens may hold in spite of a damaged row that none of them reads.
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle, LoadUndamagedBundle(path));
  if (bundle.view->integrity() == nullptr) {
    Note("verify", absl::StrCat(path, ": has no hashes: damaged bytes may go unnoticed"));
  }
  if (const std::optional<std::string> key = absl::GetFlag(FLAGS_key)) {
    HP_RETURN_IF_ERROR(VerifySignature(bundle, path, *key));
  }
  HP_RETURN_IF_ERROR(CheckHasModel(bundle, path));
  if (bundle.info.golden_count == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": has no golden requests: convert with --golden"));
  }
  HP_ASSIGN_OR_RETURN(const Graph graph, DecodeBundleInPlace(bundle.bytes.view()));
  double reference_worst = 0;
  ProgressLine progress("replaying", "golden requests", bundle.info.golden_count);
  for (const schema::GoldenRequest* golden : *bundle.view->goldens()) {
    const std::unique_ptr<schema::GoldenRequestT> unpacked(golden->UnPack());
    const Request request = RequestOfGolden(*unpacked, bundle.features, bundle.outputs);
    HP_ASSIGN_OR_RETURN(const ResolvedRequest resolved,
                        ResolveRequest(request, bundle.features, bundle.catalog.get()));
    HP_ASSIGN_OR_RETURN(const LogitsOfOutputs expected, TrainersLogits(request, graph.Outputs()));
    const LogitsOfOutputs logits = EvaluateOutputs(graph, resolved);
    for (size_t output = 0; output < logits.size(); ++output) {
      reference_worst = std::max(reference_worst, LargestError(logits[output], expected[output]));
    }
    progress.Advance();
  }
  HP_ASSIGN_OR_RETURN(
      const std::unique_ptr<BundleSession> session,
      BundleSession::OpenMapped(bundle.bytes, absl::GetFlag(FLAGS_tile).value_or(0)));
  const BundleSession::GoldenResult result = session->CheckGoldens();
  if (!result.status.ok()) {
    return absl::Status(result.status.code(), absl::StrCat(path, ": ", result.status.message()));
  }
  printf(
      "%s: %u golden requests hold: off by %.3g at most, %.3g allowed (%.3g in float64 over the "
      "same numbers)\n",
      path.c_str(), bundle.info.golden_count, static_cast<double>(result.worst),
      static_cast<double>(bundle.view->golden_tolerance()), reference_worst);
  return absl::OkStatus();
}

}  // namespace

int RunVerify(const std::vector<std::string>&) {
  const absl::Status status = Verify();
  return status.ok() ? 0 : Fail("verify", status);
}

}  // namespace handpick::converter
