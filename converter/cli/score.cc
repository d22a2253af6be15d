// handpick score, handpick rank
#include <stdio.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/graph/decode.h"
#include "converter/io/json.h"
#include "converter/io/status_macros.h"
#include "converter/reference/interpreter.h"
#include "converter/request/request.h"
#include "converter/request/resolve.h"
#include "converter/runtime/bundle_session.h"

namespace handpick::converter {
namespace {

constexpr uint64_t kDefaultTopK = 10;

template <typename Number>
std::string JsonNumbers(const std::vector<Number>& numbers) {
  return absl::StrCat("[",
                      absl::StrJoin(numbers, ",",
                                    [](std::string* out, Number number) {
                                      absl::StrAppend(out, JsonNumber(number));
                                    }),
                      "]");
}

template <typename Number>
std::string ScoresLine(const std::vector<Number>& logits, const std::vector<Number>& scores) {
  return absl::StrCat("{\"logits\":", JsonNumbers(logits), ",\"scores\":", JsonNumbers(scores),
                      "}\n");
}

// Reads the requests and writes a line for each; `line` makes it.
template <typename Line>
absl::Status ForEachRequest(const FeatureSet& features, Line line) {
  HP_ASSIGN_OR_RETURN(const std::vector<Request> requests,
                      ReadRequests(*absl::GetFlag(FLAGS_requests), features));
  ProgressLine progress("scoring", "requests", requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const absl::StatusOr<std::string> text = line(requests[i]);
    if (!text.ok()) {
      return absl::Status(text.status().code(),
                          absl::StrCat("request ", i + 1, ": ", text.status().message()));
    }
    if (fwrite(text->data(), 1, text->size(), stdout) != text->size()) {
      return absl::UnavailableError("cannot write to the standard output");
    }
    progress.Advance();
  }
  if (fflush(stdout) != 0) return absl::UnavailableError("cannot write to the standard output");
  return absl::OkStatus();
}

absl::Status ScoreByReference(const LoadedBundle& bundle) {
  HP_ASSIGN_OR_RETURN(const Graph graph, DecodeBundle(bundle.bytes.view()));
  return ForEachRequest(
      bundle.features, [&](const Request& request) -> absl::StatusOr<std::string> {
        HP_ASSIGN_OR_RETURN(const ResolvedRequest resolved,
                            ResolveRequest(request, bundle.features, bundle.catalog.get()));
        const std::vector<double> logits = EvaluateReference(graph, resolved);
        for (size_t i = 0; i < logits.size(); ++i) {
          if (std::isfinite(logits[i])) continue;
          return absl::InvalidArgumentError(
              absl::StrCat("candidate ", i, ": the model's logit is not finite"));
        }
        std::vector<double> scores = logits;
        if (graph.task == schema::Task::Binary) {
          for (double& score : scores) score = 1 / (1 + std::exp(-score));
        }
        return ScoresLine(logits, scores);
      });
}

absl::Status ScoreByRuntime(const LoadedBundle& bundle) {
  HP_ASSIGN_OR_RETURN(
      const std::unique_ptr<BundleSession> session,
      BundleSession::Open(bundle.bytes.view(), absl::GetFlag(FLAGS_tile).value_or(0)));
  return ForEachRequest(bundle.features,
                        [&](const Request& request) -> absl::StatusOr<std::string> {
                          HP_ASSIGN_OR_RETURN(const Scored scored, session->Score(request));
                          return ScoresLine(scored.logits, scored.scores);
                        });
}

absl::Status Score() {
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle, LoadModelBundle(*absl::GetFlag(FLAGS_bundle)));
  return absl::GetFlag(FLAGS_reference) ? ScoreByReference(bundle) : ScoreByRuntime(bundle);
}

// ",\"id\":7", or "" when the request does not say.
std::string IdOf(const LoadedBundle& bundle, const Request& request, size_t candidate) {
  if (bundle.catalog == nullptr) return "";
  for (const RawColumn& column : request.candidates) {
    if (column.feature != bundle.catalog->key_feature) continue;
    const RawScalar& id = column.rows[candidate].front();
    if (const int64_t* integer = std::get_if<int64_t>(&id))
      return absl::StrCat(",\"id\":", *integer);
    return absl::StrCat(",\"id\":", Json(std::get<std::string>(id)).dump());
  }
  return "";
}

absl::Status Rank() {
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle, LoadModelBundle(*absl::GetFlag(FLAGS_bundle)));
  HP_ASSIGN_OR_RETURN(
      const std::unique_ptr<BundleSession> session,
      BundleSession::Open(bundle.bytes.view(), absl::GetFlag(FLAGS_tile).value_or(0)));
  const uint64_t k = absl::GetFlag(FLAGS_top_k).value_or(kDefaultTopK);
  return ForEachRequest(
      bundle.features, [&](const Request& request) -> absl::StatusOr<std::string> {
        HP_ASSIGN_OR_RETURN(const std::vector<hp_ranked> ranked, session->Rank(request, k));
        std::string line = "{\"ranked\":[";
        for (size_t i = 0; i < ranked.size(); ++i) {
          absl::StrAppend(&line, i == 0 ? "" : ",", "{\"index\":", ranked[i].index,
                          IdOf(bundle, request, ranked[i].index),
                          ",\"score\":", JsonNumber(ranked[i].score),
                          ",\"logit\":", JsonNumber(ranked[i].logit), "}");
        }
        return line + "]}\n";
      });
}

}  // namespace

int RunScore(const std::vector<std::string>&) {
  const absl::Status status = Score();
  return status.ok() ? 0 : Fail("score", status);
}

int RunRank(const std::vector<std::string>&) {
  const absl::Status status = Rank();
  return status.ok() ? 0 : Fail("rank", status);
}

}  // namespace handpick::converter
