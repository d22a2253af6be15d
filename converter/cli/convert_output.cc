#include "converter/cli/convert_output.h"

#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/graph/cost.h"
#include "converter/graph/weights.h"
#include "converter/io/json_text.h"
#include "converter/io/with_commas.h"

namespace handpick::converter {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson Number(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson();
}

OrderedJson TrialJson(const PrecisionTrial& trial) {
  OrderedJson json = {
      {"weight_bytes", trial.weight_bytes},      {"bundle_bytes", trial.bundle_bytes},
      {"memory_bytes", trial.memory_bytes},      {"auc_drop", Number(trial.auc_drop)},
      {"top10_overlap", Number(trial.overlap)},  {"rms_logit_error", trial.rms_logit_error},
      {"max_logit_error", trial.max_logit_error}};
  if (!trial.instruction_set.empty()) json["worst_on"] = trial.instruction_set;
  return json;
}

// Each table and layer: its type, and what each type would cost alone.
OrderedJson PartsJson(const ConversionResult& result) {
  OrderedJson json = OrderedJson::array();
  for (size_t i = 0; i < result.parts.size(); ++i) {
    const PrecisionPart& part = result.parts[i];
    OrderedJson one = {{"name", part.name},
                       {"kind", part.is_table ? "table" : "layer"},
                       {"type", ElementTypeName(result.types[i])}};
    for (size_t t = 0; t < part.types.size(); ++t) {
      const char* type = ElementTypeName(part.types[t]);
      one["bytes"][type] = part.bytes[t];
      if (result.search.has_value()) one["alone"][type] = TrialJson(result.search->alone[i][t]);
    }
    if (const auto found = result.outliers.find(part.index);
        part.is_table && found != result.outliers.end()) {
      const OutlierRows& rows = found->second;
      one["outliers"] = {
          {"rows", rows.rows},
          {"row", rows.row},
          {"column", rows.column},
          {"value", rows.value},
          {"lost", rows.lost},
          {"numbers", rows.numbers},
          {"clipped_at", part.clip.has_value() ? Number(*part.clip) : OrderedJson()}};
    }
    json.push_back(std::move(one));
  }
  return json;
}

// "table 'movie_id' in int8"
std::string FurtherStep(const ConversionResult& result) {
  const PrecisionChoice& further = result.search->further->first;
  for (size_t i = 0; i < result.parts.size(); ++i) {
    if (further[i] <= result.search->choice[i]) continue;
    return absl::StrCat(result.parts[i].is_table ? "table '" : "layer '", result.parts[i].name,
                        "' in ", ElementTypeName(result.parts[i].types[further[i]]));
  }
  return "";
}

OrderedJson SearchJson(const ConversionResult& result) {
  OrderedJson json = {{"budget", absl::GetFlag(FLAGS_budget).value_or("")},
                      {"trials", result.search->trials},
                      {"exact", TrialJson(result.search->exact)},
                      {"chosen", TrialJson(result.search->chosen)}};
  if (result.search->further.has_value()) {
    json["further"] = TrialJson(result.search->further->second);
    json["further"]["part"] = FurtherStep(result);
  }
  return json;
}

OrderedJson RareRowsJson(const ConversionResult& result) {
  OrderedJson json = {{"min_count", result.min_count.value_or(0)},
                      {"removed_rows", result.removed_rows()},
                      {"tables", OrderedJson::array()}};
  for (const MergedGroup& group : result.merged) {
    json["tables"].push_back({{"features", group.features},
                              {"tables", group.tables},
                              {"rows", group.rows},
                              {"merged", group.merged},
                              {"count", group.count}});
  }
  if (!result.goldens.empty()) {
    json["goldens"] = {{"requests", result.merged_goldens},
                       {"max_error", result.merging_golden_error}};
  }
  for (const MergeTrial& trial : result.merge_trials) {
    OrderedJson one = {{"min_count", trial.min_count},
                       {"removed_rows", trial.removed_rows},
                       {"exact", TrialJson(trial.exact)}};
    one["chosen"] = trial.chosen.has_value() ? TrialJson(*trial.chosen) : OrderedJson();
    json["trials"].push_back(std::move(one));
  }
  return json;
}

void PrintRareRows(const ConversionResult& result) {
  for (const MergedGroup& group : result.merged) {
    printf(
        "rare rows       %s of %s rows of %s are one in %s: counted less than %s times, %s times "
        "together\n",
        WithCommas(group.merged).c_str(), WithCommas(group.rows).c_str(),
        absl::StrJoin(group.features, ", ").c_str(), absl::StrJoin(group.tables, ", ").c_str(),
        WithCommas(*result.min_count).c_str(), WithCommas(group.count).c_str());
  }
  if (result.merged_goldens > 0) {
    printf(
        "                moved %s golden requests, by %.3g at most: the bundle has the merged "
        "model's logits of them\n",
        WithCommas(result.merged_goldens).c_str(), result.merging_golden_error);
  }
  if (result.merge_trials.empty()) return;
  printf("\n%-10s %12s   AUC, top-10 overlap of merged rows alone   bytes within the budget\n",
         "min count", "rows fewer");
  for (const MergeTrial& trial : result.merge_trials) {
    const std::string drift =
        absl::StrFormat("%+.6f, %.2f %%", -trial.exact.auc_drop, 100 * trial.exact.overlap);
    printf("%-10s %12s   %-42s %s\n",
           trial.min_count == 0 ? "none" : WithCommas(trial.min_count).c_str(),
           WithCommas(trial.removed_rows).c_str(), drift.c_str(),
           trial.chosen.has_value() ? WithCommas(trial.chosen->bundle_bytes).c_str() : "out of it");
  }
}

// " on sse4"
std::string On(const std::string& set) { return set.empty() ? "" : " on " + set; }

void PrintSearch(const ConversionResult& result) {
  // Rows that were merged are bytes that were saved, too.
  const uint64_t float32 =
      result.merged.empty() ? result.search->exact.weight_bytes : result.float32_bytes();
  const PrecisionTrial& chosen = result.search->chosen;
  printf("\n%-28s %-5s %12s   RMS logit error alone: f16, int8, int4\n", "part", "type", "bytes");
  for (size_t i = 0; i < result.parts.size(); ++i) {
    const PrecisionPart& part = result.parts[i];
    const auto alone = [&](schema::ElementType type) {
      const auto found = std::find(part.types.begin(), part.types.end(), type);
      if (found == part.types.end() || part.types.size() == 1) return std::string("-");
      const size_t t = static_cast<size_t>(found - part.types.begin());
      return absl::StrFormat("%.2g", result.search->alone[i][t].rms_logit_error);
    };
    printf("%-28s %-5s %12s   %s, %s, %s\n", part.name.c_str(), ElementTypeName(result.types[i]),
           WithCommas(part.bytes[result.search->choice[i]]).c_str(),
           alone(schema::ElementType::Float16).c_str(),
           alone(schema::ElementType::Int8PerRow).c_str(),
           alone(schema::ElementType::Int4PerGroup).c_str());
    if (part.clip.has_value()) {
      printf("  %s; cut off at %g\n", Description(result.outliers.at(part.index)).c_str(),
             *part.clip);
    }
  }
  printf(
      "tables and layers  %s bytes, %.1f %% of float32's; AUC %+.6f, top-10 overlap %.2f %%, "
      "logits off by %.3g at most (%zu trials)\n",
      WithCommas(chosen.weight_bytes).c_str(),
      100 * static_cast<double>(chosen.weight_bytes) /
          static_cast<double>(std::max<uint64_t>(1, float32)),
      -chosen.auc_drop, 100 * chosen.overlap, chosen.max_logit_error, result.search->trials);
  if (result.search->further.has_value()) {
    const PrecisionTrial& further = result.search->further->second;
    printf(
        "further            %s would save %s bytes: AUC %+.6f, overlap %.2f %%, logits off by "
        "%.3g\n",
        FurtherStep(result).c_str(), WithCommas(chosen.weight_bytes - further.weight_bytes).c_str(),
        -further.auc_drop, 100 * further.overlap, further.max_logit_error);
  }
}

}  // namespace

uint64_t ConversionResult::removed_rows() const {
  uint64_t rows = 0;
  for (const MergedGroup& group : merged) rows += group.merged - 1;
  return rows;
}

uint64_t ConversionResult::float32_bytes() const {
  uint64_t numbers = 0;
  for (const auto& table : conversion.rewritten.tables) {
    numbers += uint64_t{table->rows} * table->dimension;
  }
  for (const auto& dense : conversion.rewritten.dense) numbers += dense->weights.size();
  return numbers * sizeof(float);
}

DriftReport WholeDrift(const ConversionResult& result) {
  DriftReport whole = result.drifts[0];
  for (const DriftReport& own : result.drifts) {
    if (!(own.max_logit_error > whole.max_logit_error)) continue;
    whole.max_logit_error = own.max_logit_error;
    whole.error_set = own.error_set;
  }
  return whole;
}

OrderedJson GateJson(const ConversionResult& result) {
  const bool undecided = std::any_of(result.checked.begin(), result.checked.end(),
                                     [](const CheckedBound& bound) { return bound.undecided; });
  OrderedJson gate = {{"verdict", result.checked.empty() ? "none"
                                  : undecided            ? "undecided"
                                                         : "pass"},
                      {"instruction_sets", result.sets},
                      {"bounds", OrderedJson::array()}};
  for (const CheckedBound& bound : result.checked) {
    OrderedJson one = {{"name", bound.name}};
    if (!bound.of.empty()) one["of"] = bound.of;
    one["measured"] = Number(bound.measured);
    one[bound.at_least ? "at_least" : "at_most"] = Number(bound.bound);
    if (!bound.set.empty()) one["instruction_set"] = bound.set;
    if (bound.undecided) {
      one["verdict"] = "undecided";
      one["rows_needed"] = bound.rows_needed == 0 ? OrderedJson() : OrderedJson(bound.rows_needed);
    }
    gate["bounds"].push_back(std::move(one));
  }
  if (!result.merged.empty()) {
    gate["rare_rows"] = {{"min_count", *result.min_count}, {"removed_rows", result.removed_rows()}};
  }
  if (result.search.has_value()) gate["budget"] = absl::GetFlag(FLAGS_budget).value_or("");
  return gate;
}

std::string ConversionReport(const ConversionResult& result) {
  const auto number = &Number;
  OrderedJson report;
  report["bundle"] = *absl::GetFlag(FLAGS_out);
  report["model"] = {{"name", result.conversion.bundle.model_name},
                     {"version", result.conversion.bundle.model_version}};
  report["precision"] = result.precision;
  if (!result.parts.empty()) report["parts"] = PartsJson(result);
  if (result.search.has_value()) report["search"] = SearchJson(result);
  if (result.min_count.has_value() || !result.merge_trials.empty()) {
    report["rare_rows"] = RareRowsJson(result);
  }
  if (!result.checked.empty()) report["gate"] = GateJson(result);
  report["bundle_bytes"] = result.bundle_bytes;
  report["session_bytes"] = result.session_bytes;
  report["tile"] = result.conversion.bundle.tile;
  const Cost cost = CountWork(result.conversion.program);
  report["multiply_accumulates"] = {
      {"events", result.events()},
      {"context", cost.context.multiply_accumulates},
      {"event", cost.event.multiply_accumulates},
      {"candidate", cost.CandidateMultiplyAccumulates(result.events())},
      {"candidate_as_written",
       CountWork(result.conversion.source).RepeatedMultiplyAccumulates(result.events())}};
  const auto measured = [&number](const DriftReport& drift) {
    return OrderedJson{{"auc_reference", number(drift.auc_reference)},
                       {"auc_bundle", number(drift.auc_bundle)},
                       {"labelled_rows", drift.labelled_rows},
                       {"top10_overlap", number(drift.top10_overlap)},
                       {"ranked_requests", drift.ranked_requests},
                       {"max_logit_error", number(drift.max_logit_error)}};
  };
  const DriftReport whole = WholeDrift(result);
  report["drift"] = measured(whole);
  if (result.has_evaluation && result.sets.size() > 1) {
    report["worst_on"] = {{"auc", whole.auc_set},
                          {"top10_overlap", whole.overlap_set},
                          {"max_logit_error", whole.error_set}};
  }
  if (result.names.size() > 1) {
    for (size_t output = 0; output < result.names.size(); ++output) {
      report["drift"]["outputs"][result.names[output]] = measured(result.drifts[output]);
    }
  }
  const GoldenErrors errors = result.golden_errors.value_or(GoldenErrors());
  report["goldens"] = {
      {"requests", result.goldens.size()},
      {"max_error_reference", result.golden_errors ? OrderedJson(errors.reference) : OrderedJson()},
      {"max_error_bundle", result.golden_errors ? OrderedJson(errors.bundle) : OrderedJson()},
      {"worst_on", errors.set},
      {"tolerance", result.conversion.bundle.golden_tolerance}};
  return JsonText(report, 2) + "\n";
}

void PrintConversion(const ConversionResult& result) {
  printf("%s: %s bytes, %s, tile %u; a session needs %s bytes\n", absl::GetFlag(FLAGS_out)->c_str(),
         WithCommas(result.bundle_bytes).c_str(), result.precision.c_str(),
         result.conversion.bundle.tile, WithCommas(result.session_bytes).c_str());
  const Cost cost = CountWork(result.conversion.program);
  printf(
      "multiply-adds   %s a candidate, %s a context, %s an event; %s a candidate as written\n",
      WithCommas(cost.CandidateMultiplyAccumulates(result.events())).c_str(),
      WithCommas(cost.context.multiply_accumulates).c_str(),
      WithCommas(cost.event.multiply_accumulates).c_str(),
      WithCommas(CountWork(result.conversion.source).RepeatedMultiplyAccumulates(result.events()))
          .c_str());
  for (size_t output = 0; output < result.drifts.size(); ++output) {
    const DriftReport& own = result.drifts[output];
    if (std::isnan(own.auc_reference)) continue;
    const std::string of =
        result.names.size() == 1 ? "" : absl::StrCat(" of ", result.names[output]);
    printf("%-15s %.6f in the bundle%s, %.6f in float64 (%s rows)\n",
           absl::StrCat("AUC", of).c_str(), own.auc_bundle, On(own.auc_set).c_str(),
           own.auc_reference, WithCommas(own.labelled_rows).c_str());
  }
  const DriftReport drift = WholeDrift(result);
  if (drift.ranked_requests > 0) {
    printf("top-10 overlap  %.2f %%%s (%s requests)\n", 100 * drift.top10_overlap,
           On(drift.overlap_set).c_str(), WithCommas(drift.ranked_requests).c_str());
  }
  if (!std::isnan(drift.max_logit_error)) {
    printf("logit error     %.3g at most%s, against float64\n", drift.max_logit_error,
           On(drift.error_set).c_str());
  }
  if (result.golden_errors.has_value()) {
    printf("goldens         %.3g off at most in the bundle%s, %.3g in float64 (%s requests)\n",
           result.golden_errors->bundle, On(result.golden_errors->set).c_str(),
           result.golden_errors->reference, WithCommas(result.goldens.size()).c_str());
  }
  const bool measured = result.has_evaluation || result.golden_errors.has_value();
  if (measured && result.sets.size() > 1) {
    printf("measured on     %s: the worst counts\n", absl::StrJoin(result.sets, ", ").c_str());
  }
  PrintRareRows(result);
  if (result.search.has_value()) PrintSearch(result);
}

}  // namespace handpick::converter
