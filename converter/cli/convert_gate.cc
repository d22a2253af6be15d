#include "converter/cli/convert_gate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "converter/cli/convert_goldens.h"
#include "converter/cli/convert_scores.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/draft/complete.h"
#include "converter/draft/explain.h"
#include "converter/draft/golden_text.h"
#include "converter/evaluation/drift.h"
#include "converter/io/input_file.h"
#include "converter/io/json.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/request/request.h"
#include "schema/limits.h"

namespace handpick::converter {
namespace {

constexpr double kDefaultMaxAucDrift = 0.001;
constexpr double kDefaultMinTop10Overlap = 0.95;
constexpr double kDefaultMaxGoldenError = 1e-4;
// Processors that round what a layer of 8 bits reads, and those that do not, were seen to differ by
// 0.047: what one of them measures does not bound the others.
constexpr double kLeastInt8GoldenTolerance = 0.05;

// Adds a request to what is measured of each output.
absl::Status Meter(const ConversionRun& run, const Request& request,
                   const LogitsOfOutputs& reference, BundleSession* session,
                   std::vector<DriftMeter>* meters) {
  for (const auto& [name, unused] : request.output_labels) {
    if (std::find(run.result.names.begin(), run.result.names.end(), name) != run.result.names.end())
      continue;
    return absl::InvalidArgumentError(absl::StrCat("labels: there is no output '", name,
                                                   "'; the model has ",
                                                   absl::StrJoin(run.result.names, ", ")));
  }
  HP_ASSIGN_OR_RETURN(const LogitsOfOutputs bundle, BundleLogits(request, session));
  for (size_t output = 0; output < run.result.names.size(); ++output) {
    const auto own = request.output_labels.find(run.result.names[output]);
    std::vector<float> labels =
        own == request.output_labels.end() ? std::vector<float>() : own->second;
    if (output == 0 && !request.labels.empty()) labels = request.labels;
    (*meters)[output].Add(reference[output], bundle[output], labels);
  }
  return absl::OkStatus();
}

absl::Status MeasureRequests(const ConversionRun& run, const std::string& path,
                             const std::vector<Request>& requests,
                             std::vector<std::vector<DriftMeter>>* meters) {
  std::vector<LogitsOfOutputs> references;
  ProgressLine progress("measuring", absl::StrCat("requests of ", path),
                        (1 + run.result.sets.size()) * requests.size());
  HP_RETURN_IF_ERROR(ForEachInFloat64(run, path, requests, [&](size_t, LogitsOfOutputs logits) {
    progress.Advance();
    references.push_back(std::move(logits));
    return absl::OkStatus();
  }));
  return OnEachSet(run, [&](size_t set, BundleSession* session) -> absl::Status {
    for (size_t i = 0; i < requests.size(); ++i) {
      progress.Advance();
      HP_RETURN_IF_ERROR(
          AtRequest(path, i, Meter(run, requests[i], references[i], session, &(*meters)[set])));
    }
    return absl::OkStatus();
  });
}

// What can be told about goldens that the float64 reference is off.
std::string Explanation(const Archive& archive, const ConversionRun& run) {
  if (!run.result.golden_errors.has_value() ||
      run.result.golden_errors->reference <= kDefaultMaxGoldenError)
    return "";
  // Read again: nothing else has a use for them as text.
  const absl::StatusOr<GoldenText> goldens = ReadGoldenText(*absl::GetFlag(FLAGS_golden));
  const absl::StatusOr<Json> spec = ReadSpecJson(archive, *absl::GetFlag(FLAGS_spec));
  if (!goldens.ok() || !spec.ok()) return "";
  Weights weights;
  for (const auto& [name, info] : archive.tensors()) {
    absl::StatusOr<Tensor> tensor = archive.Read(name);
    if (tensor.ok()) weights.emplace(name, *std::move(tensor));
  }
  std::string text;
  for (const std::string& line : ExplainGoldens(*spec, weights, *goldens, run.catalog())) {
    absl::StrAppend(&text, "\n  ", line);
  }
  return text;
}

}  // namespace

absl::Status Measure(ConversionRun* run) {
  const std::string paths = absl::GetFlag(FLAGS_evaluation).value_or("");
  HP_ASSIGN_OR_RETURN(run->file, BundleFile::Create(*absl::GetFlag(FLAGS_out)));
  if (!run->result.goldens.empty() || !paths.empty()) {
    // Any tolerance will do until the errors are known. One that takes as many bytes as the last
    // (none, if it is the default) leaves the rows of tables where they are.
    if (!run->result.goldens.empty()) {
      const double bound =
          run->is_float32() ? absl::GetFlag(FLAGS_max_golden_error).value_or(kDefaultMaxGoldenError)
                            : kLeastInt8GoldenTolerance;
      if (std::isnormal(bound) && bound > 0 && bound <= double{schema::kMaxGoldenTolerance}) {
        run->result.conversion.bundle.golden_tolerance = static_cast<float>(bound);
      }
    }
    HP_RETURN_IF_ERROR(WriteBundle(run));
  }
  if (!run->result.goldens.empty()) HP_RETURN_IF_ERROR(MeasureGoldens(run));
  std::vector<std::vector<DriftMeter>> meters(run->result.sets.size());  // By set and output.
  for (auto& of_set : meters) of_set.resize(run->result.names.size());
  for (const absl::string_view name : absl::StrSplit(paths, ',', absl::SkipEmpty())) {
    const std::string path(name);
    HP_ASSIGN_OR_RETURN(const std::vector<Request> requests, ReadRequests(path, run->features()));
    HP_RETURN_IF_ERROR(AddInputFile("evaluation", path, &run->inputs));
    HP_RETURN_IF_ERROR(MeasureRequests(*run, path, requests, &meters));
    run->result.has_evaluation = true;
  }
  for (size_t output = 0; output < run->result.names.size(); ++output) {
    std::vector<DriftReport> reports;
    for (const auto& of_set : meters) reports.push_back(of_set[output].Report());
    run->result.drifts.push_back(WorstOf(reports, run->result.sets));
  }
  return absl::OkStatus();
}

absl::Status CheckMeasured(const Archive& weights, ConversionRun* run) {
  Bounds bounds;
  bounds.max_auc_drift = absl::GetFlag(FLAGS_max_auc_drift);
  bounds.min_top10_overlap = absl::GetFlag(FLAGS_min_top10_overlap);
  const std::optional<double> golden = absl::GetFlag(FLAGS_max_golden_error);
  // Defaults hold for what could be measured; a bound that was asked for must be measured.
  const bool has_labels =
      std::any_of(run->result.drifts.begin(), run->result.drifts.end(),
                  [](const DriftReport& drift) { return !std::isnan(drift.auc_reference); });
  if (run->result.has_evaluation && !bounds.max_auc_drift.has_value() && has_labels) {
    bounds.max_auc_drift = kDefaultMaxAucDrift;
  }
  if (run->result.drifts[0].ranked_requests > 0 && !bounds.min_top10_overlap.has_value()) {
    bounds.min_top10_overlap = kDefaultMinTop10Overlap;
  }
  if (run->result.golden_errors.has_value() || golden.has_value()) {
    bounds.max_bundle_golden_error = golden;
    // What merging rows did to them is what --max-golden-error says of it, or nothing.
    if (!run->result.merged.empty()) bounds.max_merging_golden_error = golden;
    bounds.max_reference_golden_error = std::max(golden.value_or(0), kDefaultMaxGoldenError);
    if (run->is_float32()) bounds.max_bundle_golden_error = golden.value_or(kDefaultMaxGoldenError);
  }
  bounds.auc_drift_is_asked = absl::GetFlag(FLAGS_max_auc_drift).has_value();
  run->result.checked =
      CheckBounds(bounds, run->result.drifts, run->result.names, run->result.golden_errors);
  const std::vector<CheckedBound> broken = Broken(run->result.checked);
  if (!broken.empty()) {
    std::vector<std::string> messages;
    for (const CheckedBound& bound : broken) {
      messages.push_back(absl::StrCat(bound.name, ": ", bound.message));
      if (run->result.golden_errors.has_value() && bound.of == "bundle" &&
          run->result.golden_errors->reference <= kDefaultMaxGoldenError) {
        messages.push_back(run->worst_golden);
      }
    }
    return absl::FailedPreconditionError(absl::StrCat(
        absl::StrJoin(messages, "\n  "), Explanation(weights, *run), "\n  No bundle was written."));
  }
  for (const CheckedBound& bound : run->result.checked) {
    if (bound.undecided) {
      Note("convert", absl::StrCat(bound.name, " is undecided: ", bound.message));
    }
  }
  if (run->result.golden_errors.has_value()) {
    // A device rounds a little differently from this machine. In fewer bits the distance from the
    // trainer is the rounding's, so what was measured is what can be demanded.
    double tolerance = bounds.max_bundle_golden_error.value_or(
        std::max(run->is_int8() ? kLeastInt8GoldenTolerance : kDefaultMaxGoldenError,
                 2 * run->result.golden_errors->bundle));
    if (!(tolerance <= double{schema::kMaxGoldenTolerance})) {
      return absl::FailedPreconditionError(
          absl::StrCat("goldens: a tolerance of ", tolerance,
                       " would let any difference pass, expected at most ",
                       schema::kMaxGoldenTolerance, ".\n  No bundle was written."));
    }
    run->result.conversion.bundle.golden_tolerance = static_cast<float>(tolerance);
  }
  if (run->result.has_evaluation)
    run->result.conversion.bundle.manifest->drift = WholeDrift(run->result).ToSchema();
  if (run->result.has_evaluation || run->result.golden_errors.has_value()) {
    run->result.conversion.bundle.manifest->gate = JsonText(GateJson(run->result));
  }
  return absl::OkStatus();
}

}  // namespace handpick::converter
