#include "converter/cli/convert_goldens.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/convert_scores.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/evaluation/goldens.h"
#include "converter/evaluation/metrics.h"
#include "converter/io/input_file.h"
#include "converter/io/status_macros.h"
#include "converter/request/request.h"
#include "converter/request/resolve.h"

namespace handpick::converter {
namespace {

// The same request with other logits.
Request WithLogits(const Request& request, const LogitsOfOutputs& logits,
                   const std::vector<Output>& outputs) {
  Request changed = request;
  changed.logits.clear();
  changed.output_logits.clear();
  for (size_t i = 0; i < outputs.size(); ++i) changed.output_logits[outputs[i].name] = logits[i];
  return changed;
}

// What a golden request is expected to come to: what the trainer says, or the merged model where
// that is another one for it.
absl::StatusOr<LogitsOfOutputs> ExpectedLogits(const Request& request, ConversionRun* run) {
  HP_ASSIGN_OR_RETURN(LogitsOfOutputs trainers, TrainersLogits(request, run->outputs));
  if (run->result.merged.empty()) return trainers;
  const Conversion& conversion = run->result.conversion;
  HP_ASSIGN_OR_RETURN(const ResolvedRequest before,
                      ResolveRequest(request, run->features(), run->catalog()));
  HP_ASSIGN_OR_RETURN(
      const ResolvedRequest after,
      ResolveRequest(request, *conversion.merged.features, conversion.bundle.catalog.get()));
  LogitsOfOutputs merged = EvaluateOutputs(conversion.merged, after);
  // The same steps over the same numbers: without a merged row nothing differs in a single bit.
  if (merged == EvaluateOutputs(conversion.rewritten, before)) return trainers;
  double* const error = &run->result.merging_golden_error;
  for (size_t output = 0; output < merged.size(); ++output) {
    *error = std::max(*error, LargestError(merged[output], trainers[output]));
  }
  ++run->result.merged_goldens;
  return merged;
}

// "golden.jsonl:3: candidate 0: the trainer's logit is 0.31, the bundle's is 0.39"
std::string WorstGolden(size_t request, size_t output, const LogitsOfOutputs& bundle,
                        const LogitsOfOutputs& expected, const ConversionRun& run) {
  size_t worst = 0;
  double error = -1;
  for (size_t i = 0; i < expected[output].size(); ++i) {
    const double own = LargestError({bundle[output][i]}, {expected[output][i]});
    if (!(own > error)) continue;
    worst = i;
    error = own;
  }
  return absl::StrFormat(
      "%s: candidate %d%s: the %s logit is %.9g, the bundle's is %.9g", run.golden_places[request],
      worst,
      run.result.names.size() == 1 ? "" : absl::StrCat(", output ", run.result.names[output]),
      run.result.merged.empty() ? "trainer's" : "expected", expected[output][worst],
      bundle[output][worst]);
}

}  // namespace

absl::Status AddGoldens(ConversionRun* run) {
  const std::optional<std::string> path = absl::GetFlag(FLAGS_golden);
  if (!path.has_value()) return absl::OkStatus();
  HP_ASSIGN_OR_RETURN(
      run->result.goldens,
      ReadRequests(*path, run->features(), UnknownFeatures::kRefuse, &run->golden_places));
  HP_RETURN_IF_ERROR(AddInputFile("goldens", *path, &run->inputs));
  if (run->result.goldens.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(*path, ": has no request"));
  }
  for (size_t i = 0; i < run->result.goldens.size(); ++i) {
    const Request& request = run->result.goldens[i];
    absl::StatusOr<LogitsOfOutputs> expected = ExpectedLogits(request, run);
    HP_RETURN_IF_ERROR(AtRequest(*path, i, expected.status()));
    auto golden =
        BuildGolden(WithLogits(request, *expected, run->outputs), run->features(), run->outputs);
    HP_RETURN_IF_ERROR(AtRequest(*path, i, golden.status()));
    run->result.conversion.bundle.goldens.push_back(*std::move(golden));
    run->golden_logits.push_back(*std::move(expected));
  }
  return absl::OkStatus();
}

absl::Status MeasureGoldens(ConversionRun* run) {
  const std::string path = *absl::GetFlag(FLAGS_golden);
  const std::vector<Request>& goldens = run->result.goldens;
  GoldenErrors errors;
  errors.merging = run->result.merging_golden_error;
  for (size_t i = 0; i < goldens.size(); ++i) {
    const absl::StatusOr<ResolvedRequest> resolved =
        ResolveRequest(goldens[i], run->features(), run->catalog());
    HP_RETURN_IF_ERROR(AtRequest(path, i, resolved.status()));
    const LogitsOfOutputs reference = EvaluateOutputs(run->result.conversion.source, *resolved);
    HP_ASSIGN_OR_RETURN(const LogitsOfOutputs own, TrainersLogits(goldens[i], run->outputs));
    for (size_t output = 0; output < own.size(); ++output) {
      errors.reference = std::max(errors.reference, LargestError(reference[output], own[output]));
    }
  }
  ProgressLine progress("replaying", "golden requests", run->result.sets.size() * goldens.size());
  HP_RETURN_IF_ERROR(OnEachSet(*run, [&](size_t set, BundleSession* session) -> absl::Status {
    for (size_t i = 0; i < goldens.size(); ++i) {
      const LogitsOfOutputs& expected = run->golden_logits[i];
      const absl::StatusOr<LogitsOfOutputs> bundle = BundleLogits(goldens[i], session);
      HP_RETURN_IF_ERROR(AtRequest(path, i, bundle.status()));
      for (size_t output = 0; output < expected.size(); ++output) {
        const double own = LargestError((*bundle)[output], expected[output]);
        if (!(own > errors.bundle)) continue;
        errors.bundle = own;
        if (run->result.sets.size() > 1) errors.set = run->result.sets[set];
        run->worst_golden = WorstGolden(i, output, *bundle, expected, *run);
      }
      progress.Advance();
    }
    return absl::OkStatus();
  }));
  run->result.golden_errors = errors;
  return absl::OkStatus();
}

}  // namespace handpick::converter
