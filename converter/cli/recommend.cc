// handpick recommend
#include <stdio.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/cli/recall_flags.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/request/request.h"
#include "converter/runtime/bundle_session.h"

namespace handpick::converter {
namespace {

constexpr uint32_t kDefaultRecalled = 200;
constexpr uint64_t kDefaultTopK = 10;

std::string Line(const std::vector<hp_recommended>& items, const hp_recall_report& report,
                 bool strings) {
  auto list = nlohmann::ordered_json::array();
  for (const hp_recommended& item : items) {
    list.push_back({{"id", IdJson(item.id, strings)},
                    {"score", item.score},
                    {"logit", item.logit},
                    {"recall_score", item.recall_score}});
  }
  const nlohmann::ordered_json line = {{"outcome", OutcomeText(report.outcome)},
                                       {"recommended", std::move(list)}};
  return JsonText(line) + "\n";
}

absl::Status Recommend(hp_recall_options options, size_t k) {
  const std::string path = *absl::GetFlag(FLAGS_bundle);
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle, LoadModelBundle(path));
  if (bundle.view->recall() == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": has no recall index; 'handpick recall-index' adds one"));
  }
  HP_ASSIGN_OR_RETURN(
      const std::vector<Request> requests,
      ReadRequests(*absl::GetFlag(FLAGS_requests), bundle.features, UnknownOfFlag()));
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session,
                      BundleSession::OpenMapped(bundle.bytes, SessionFor(options)));
  HP_ASSIGN_OR_RETURN(options.rank_output, OutputOfFlag(session->outputs()));
  ProgressLine progress("recommending for", "requests", requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto items = session->Recommend(requests[i], options, k);
    if (!items.ok()) {
      return absl::Status(items.status().code(),
                          absl::StrCat("request ", i + 1, ": ", items.status().message()));
    }
    const std::string text = Line(*items, session->recall_report(), session->ids_are_strings());
    if (fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      return FlushOutput();
    }
    progress.Advance();
  }
  return FlushOutput();
}

}  // namespace

int RunRecommend(const std::vector<std::string>&) {
  const auto options = RecallOptionsOfFlags(kDefaultRecalled);
  if (!options.ok()) return FailUsage("recommend", std::string(options.status().message()));
  const uint64_t k = absl::GetFlag(FLAGS_top_k).value_or(kDefaultTopK);
  if (k == 0 || k > HP_MAX_RECALL_K) {
    return FailUsage("recommend",
                     absl::StrCat("--top-k is ", k, ", expected 1 to ", HP_MAX_RECALL_K));
  }
  const absl::Status status = Recommend(*options, static_cast<size_t>(k));
  return status.ok() ? 0 : Fail("recommend", status);
}

}  // namespace handpick::converter
