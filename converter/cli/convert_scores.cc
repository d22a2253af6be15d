#include "converter/cli/convert_scores.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/bench/instruction_set.h"
#include "converter/cli/output.h"
#include "converter/emit/bundle_image.h"
#include "converter/evaluation/ordered_workers.h"
#include "converter/io/status_macros.h"
#include "converter/reference/shared_interpreter.h"
#include "converter/request/resolve.h"

namespace handpick::converter {

absl::Status AtRequest(const std::string& path, size_t request, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(path, ": request ", request + 1, ": ", status.message()));
}

absl::StatusOr<LogitsOfOutputs> BundleLogits(const Request& request, BundleSession* session) {
  HP_ASSIGN_OR_RETURN(const std::vector<Scored> scored, session->ScoreOutputs(request));
  LogitsOfOutputs logits;
  for (const Scored& output : scored) {
    logits.emplace_back(output.logits.begin(), output.logits.end());
  }
  return logits;
}

absl::Status OnEachSet(const ConversionRun& run,
                       const std::function<absl::Status(size_t, BundleSession*)>& use) {
  for (size_t set = 0; set < run.result.sets.size(); ++set) {
    const OnInstructionSet held(run.result.sets[set]);
    HP_ASSIGN_OR_RETURN(MappedBytes mapped, run.file->Map());
    HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session,
                        BundleSession::OpenMapped(std::move(mapped)));
    if (absl::Status status = use(set, session.get()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ForEachInFloat64(const ConversionRun& run, const std::string& path,
                              const std::vector<Request>& requests,
                              const std::function<absl::Status(size_t, LogitsOfOutputs)>& take) {
  struct Item {
    size_t index = 0;
    LogitsOfOutputs logits;
    absl::Status status;
  };
  const SharedInterpreter reference(run.result.conversion.rewritten);
  size_t begun = 0;
  absl::Status status;
  RunInOrder<Item>(
      std::max(1u, std::thread::hardware_concurrency()),
      [&](Item* item) {
        item->index = begun++;
        return item->index < requests.size();
      },
      [&](size_t, Item* item) {
        const absl::StatusOr<ResolvedRequest> resolved =
            ResolveRequest(requests[item->index], run.features(), run.catalog());
        item->status = resolved.status();
        if (resolved.ok()) item->logits = reference.Evaluate(*resolved);
      },
      [&](Item* item) {
        status = item->status.ok() ? take(item->index, std::move(item->logits)) : item->status;
        status = AtRequest(path, item->index, status);
        return status.ok();
      });
  return status;
}

absl::Status WriteBundle(ConversionRun* run) {
  HP_ASSIGN_OR_RETURN(BundleImage image, BundleImage::Make(run->result.conversion.bundle,
                                                           run->result.conversion.program.tables));
  constexpr uint64_t kMegabyte = 1'000'000;
  ProgressLine progress("writing", "MB", image.size() / kMegabyte);
  uint64_t written = 0;
  HP_RETURN_IF_ERROR(run->file->Write(&image, [&](uint64_t bytes) {
    written += bytes;
    progress.MoveTo(written / kMegabyte);
  }));
  run->result.bundle_bytes = image.size();
  return absl::OkStatus();
}

}  // namespace handpick::converter
