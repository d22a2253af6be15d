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
#include "converter/io/json_text.h"
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

// Logits and scores, of several outputs by name: the logits as a golden request has them.
template <typename Number>
std::string ScoresLine(const std::vector<std::string>& names,
                       const std::vector<std::vector<Number>>& logits,
                       const std::vector<std::vector<Number>>& scores) {
  if (names.size() == 1) {
    return absl::StrCat("{\"logits\":", JsonNumbers(logits[0]),
                        ",\"scores\":", JsonNumbers(scores[0]), "}\n");
  }
  const auto by_name = [&](const std::vector<std::vector<Number>>& numbers) {
    std::string text = "{";
    for (size_t i = 0; i < names.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", JsonString(names[i]), ":", JsonNumbers(numbers[i]));
    }
    return text + "}";
  };
  return absl::StrCat("{\"outputs\":", by_name(logits), ",\"scores\":", by_name(scores), "}\n");
}

double ScoreOf(schema::Task task, double logit) {
  switch (task) {
    case schema::Task::Binary:
      return 1 / (1 + std::exp(-logit));
    case schema::Task::LogProbability:
      return std::exp(logit);
    case schema::Task::Regression:
    case schema::Task::Probability:
    case schema::Task::Unknown:
      break;
  }
  return logit;
}

// Reads the requests and writes a line for each; `line` makes it.
template <typename Line>
absl::Status ForEachRequest(const FeatureSet& features, Line line) {
  HP_ASSIGN_OR_RETURN(const std::vector<Request> requests,
                      ReadRequests(*absl::GetFlag(FLAGS_requests), features, UnknownOfFlag()));
  ProgressLine progress("scoring", "requests", requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const absl::StatusOr<std::string> text = line(requests[i]);
    if (!text.ok()) {
      return absl::Status(text.status().code(),
                          absl::StrCat("request ", i + 1, ": ", text.status().message()));
    }
    if (fwrite(text->data(), 1, text->size(), stdout) != text->size()) {
      return FlushOutput();
    }
    progress.Advance();
  }
  return FlushOutput();
}

absl::Status ScoreByReference(const LoadedBundle& bundle) {
  HP_ASSIGN_OR_RETURN(const Graph graph, DecodeBundleInPlace(bundle.bytes.view()));
  const std::vector<Output> outputs = graph.Outputs();
  std::vector<std::string> names;
  for (const Output& output : outputs) names.push_back(output.name);
  return ForEachRequest(
      bundle.features, [&](const Request& request) -> absl::StatusOr<std::string> {
        HP_ASSIGN_OR_RETURN(const ResolvedRequest resolved,
                            ResolveRequest(request, bundle.features, bundle.catalog.get()));
        const LogitsOfOutputs logits = EvaluateOutputs(graph, resolved);
        LogitsOfOutputs scores = logits;
        for (size_t output = 0; output < logits.size(); ++output) {
          for (size_t i = 0; i < logits[output].size(); ++i) {
            if (!std::isfinite(logits[output][i])) {
              return absl::InvalidArgumentError(
                  absl::StrCat("candidate ", i, ": the model's logit is not finite"));
            }
            scores[output][i] = ScoreOf(outputs[output].task, logits[output][i]);
          }
        }
        return ScoresLine(names, logits, scores);
      });
}

absl::Status ScoreByRuntime(const LoadedBundle& bundle) {
  HP_ASSIGN_OR_RETURN(
      const std::unique_ptr<BundleSession> session,
      BundleSession::OpenMapped(bundle.bytes, absl::GetFlag(FLAGS_tile).value_or(0)));
  return ForEachRequest(
      bundle.features, [&](const Request& request) -> absl::StatusOr<std::string> {
        HP_ASSIGN_OR_RETURN(const std::vector<Scored> scored, session->ScoreOutputs(request));
        std::vector<std::vector<float>> logits, scores;
        for (const Scored& output : scored) {
          logits.push_back(output.logits);
          scores.push_back(output.scores);
        }
        return ScoresLine(session->outputs(), logits, scores);
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
    return absl::StrCat(",\"id\":", JsonString(std::get<std::string>(id)));
  }
  return "";
}

// ",\"outputs\":{...}", a candidate's score by each output; or "" when there is one.
std::string OutputsOf(const std::vector<std::string>& names, const std::vector<float>& scores,
                      size_t candidate) {
  if (names.size() == 1) return "";
  std::string text = ",\"outputs\":{";
  for (size_t i = 0; i < names.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",", JsonString(names[i]), ":",
                    JsonNumber(scores[candidate * names.size() + i]));
  }
  return text + "}";
}

absl::Status Rank() {
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle, LoadModelBundle(*absl::GetFlag(FLAGS_bundle)));
  HP_ASSIGN_OR_RETURN(
      const std::unique_ptr<BundleSession> session,
      BundleSession::OpenMapped(bundle.bytes, absl::GetFlag(FLAGS_tile).value_or(0)));
  const uint64_t k = absl::GetFlag(FLAGS_top_k).value_or(kDefaultTopK);
  HP_ASSIGN_OR_RETURN(const uint32_t output, OutputOfFlag(session->outputs()));
  return ForEachRequest(
      bundle.features, [&](const Request& request) -> absl::StatusOr<std::string> {
        std::vector<float> scores;
        HP_ASSIGN_OR_RETURN(const std::vector<hp_ranked> ranked,
                            session->Rank(request, k, output, &scores));
        std::string line = "{\"ranked\":[";
        for (size_t i = 0; i < ranked.size(); ++i) {
          absl::StrAppend(&line, i == 0 ? "" : ",", "{\"index\":", ranked[i].index,
                          IdOf(bundle, request, ranked[i].index),
                          ",\"score\":", JsonNumber(ranked[i].score),
                          ",\"logit\":", JsonNumber(ranked[i].logit),
                          OutputsOf(session->outputs(), scores, ranked[i].index), "}");
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
