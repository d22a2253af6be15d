#include "converter/cli/evaluate_output.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/machine.h"
#include "converter/cli/output.h"
#include "converter/io/with_commas.h"

namespace handpick::converter {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson JsonOf(const Estimate& estimate) {
  return {{"value", FiniteJson(estimate.value)},
          {"low", FiniteJson(estimate.low)},
          {"high", FiniteJson(estimate.high)}};
}

OrderedJson CalibrationJson(const SliceSummary& summary, int model) {
  OrderedJson bins = OrderedJson::array();
  for (int i = 0; i < kCalibrationBins; ++i) {
    const CalibrationBin& bin = summary.calibration(model, i);
    if (bin.rows == 0) continue;
    const auto rows = static_cast<double>(bin.rows);
    bins.push_back({{"rows", bin.rows},
                    {"expected", bin.predicted.value() / rows},
                    {"observed", static_cast<double>(bin.positives) / rows}});
  }
  return bins;
}

std::string Text(const Estimate& estimate) {
  if (std::isnan(estimate.value)) return "-";
  return absl::StrFormat("%.6g [%.6g, %.6g]", estimate.value, estimate.low, estimate.high);
}

const char* NameOf(const std::string& slice) { return slice.empty() ? "all rows" : slice.c_str(); }

}  // namespace

OrderedJson EvaluationJson(const Evaluation& evaluation, const std::vector<Decision>& decisions) {
  const EvaluationSubject& subject = evaluation.subject();
  OrderedJson json = {{"bundle", subject.bundle_hash},
                      {"output", subject.output},
                      {"k", subject.settings.k},
                      {"replicates", subject.settings.replicates},
                      {"confidence", 0.95},
                      {"verdict", VerdictName(Worst(decisions))}};
  if (subject.settings.has_against) json["against"] = subject.against;
  if (!subject.group_by.empty()) json["group_by"] = subject.group_by;
  json["slices"] = OrderedJson::array();
  for (const auto& [name, summary] : evaluation.slices()) {
    OrderedJson slice = {{"name", name},
                         {"users", summary.users()},
                         {"requests", summary.requests()},
                         {"rows", summary.rows()},
                         {"labelled_rows", summary.labelled_rows()},
                         {"positives", summary.scores(0).positives()},
                         {"auc_error", summary.scores(0).AreaError()}};
    for (const MetricResult& result : ResultsOf(summary, subject.settings)) {
      if (std::isnan(result.bundle.value)) continue;
      OrderedJson metric = JsonOf(result.bundle);
      if (!std::isnan(result.against.value)) {
        metric["against"] = JsonOf(result.against);
        metric["change"] = JsonOf(result.change);
        metric["relative"] = JsonOf(result.relative);
      }
      slice["metrics"][result.name] = std::move(metric);
    }
    slice["calibration"] = CalibrationJson(summary, 0);
    if (subject.settings.has_against) {
      slice["calibration_against"] = CalibrationJson(summary, 1);
    }
    const LargestLogitError& largest = summary.largest_error();
    if (largest.error >= 0) {
      OrderedJson scatter = OrderedJson::array();
      for (int i = 0; i < kScatterCells * kScatterCells; ++i) {
        const uint64_t rows = summary.differences().scatter[static_cast<size_t>(i)];
        if (rows > 0) {
          scatter.push_back(OrderedJson::array({i / kScatterCells, i % kScatterCells, rows}));
        }
      }
      slice["scatter"] = {{"cells", kScatterCells}, {"rows", std::move(scatter)}};
      slice["error_histogram"] = summary.differences().errors;
      slice["largest_logit_error"] = {{"at", largest.where},
                                      {"candidate", largest.candidate},
                                      {"logit", largest.logit},
                                      {"expected", largest.expected},
                                      {"error", largest.error}};
    }
    json["slices"].push_back(std::move(slice));
  }
  json["decisions"] = OrderedJson::array();
  for (const Decision& decision : decisions) {
    OrderedJson one = {{"require", decision.demand.text},
                       {"slice", decision.slice},
                       {"verdict", VerdictName(decision.verdict)},
                       {"message", decision.message}};
    one["estimate"] = JsonOf(decision.estimate);
    if (!decision.instruction_set.empty()) one["instruction_set"] = decision.instruction_set;
    if (decision.rows_needed > 0) one["rows_needed"] = decision.rows_needed;
    json["decisions"].push_back(std::move(one));
  }
  return json;
}

std::string EvaluationText(const Evaluation& evaluation, const std::vector<Decision>& decisions) {
  const EvaluationSubject& subject = evaluation.subject();
  std::string text;
  for (const auto& [name, summary] : evaluation.slices()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", NameOf(name), ": ", WithCommas(summary.rows()),
                    " rows, ", WithCommas(summary.labelled_rows()), " with labels (",
                    WithCommas(summary.scores(0).positives()), " positive), ",
                    WithCommas(summary.requests()), " requests, ", WithCommas(summary.users()),
                    " users\n");
    absl::StrAppendFormat(&text, "  %-18s  %-34s", "", "this bundle [95 % interval]");
    if (subject.settings.has_against) absl::StrAppendFormat(&text, "  %-12s  change", "against");
    text += '\n';
    for (const MetricResult& result : ResultsOf(summary, subject.settings)) {
      if (std::isnan(result.bundle.value)) continue;
      const bool compared = !std::isnan(result.against.value);
      absl::StrAppendFormat(&text, compared ? "  %-18s  %-34s" : "  %-18s  %s", result.name,
                            Text(result.bundle));
      if (compared) {
        absl::StrAppendFormat(&text, "  %-12.6g  %s", result.against.value, Text(result.change));
      }
      text += '\n';
    }
    const LargestLogitError& largest = summary.largest_error();
    if (largest.error > 0) {
      absl::StrAppendFormat(&text, "  largest difference: %s, candidate %d: %.9g, expected %.9g\n",
                            largest.where, largest.candidate, largest.logit, largest.expected);
    }
    if (const double error = summary.scores(0).AreaError(); error > 0) {
      absl::StrAppendFormat(&text, "  auc is exact within %.1g: scores are counted by cells\n",
                            error);
    }
  }
  if (!decisions.empty()) text += '\n';
  for (const Decision& decision : decisions) {
    absl::StrAppendFormat(&text, "%-9s  %s\n", VerdictName(decision.verdict), decision.message);
  }
  return text;
}

}  // namespace handpick::converter
