#include "converter/cli/convert_trials.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "converter/bench/instruction_set.h"
#include "converter/cli/convert_scores.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/emit/emit.h"
#include "converter/evaluation/drift.h"
#include "converter/io/status_macros.h"
#include "converter/request/request.h"
#include "converter/runtime/bundle_session.h"

namespace handpick::converter {
namespace {

// On the instruction set that is held.
absl::StatusOr<PrecisionTrial> TryHere(const std::string& bytes, const TrialRows& rows,
                                       const std::string& output) {
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session, BundleSession::Open(bytes));
  DriftMeter meter;
  double squares = 0;
  size_t count = 0;
  for (const TrialRow& row : rows) {
    HP_ASSIGN_OR_RETURN(const std::vector<Scored> scored, session->ScoreOutputs(row.request));
    const std::vector<double> logits(scored[0].logits.begin(), scored[0].logits.end());
    const auto own = row.request.output_labels.find(output);
    meter.Add(row.reference, logits,
              own == row.request.output_labels.end() ? row.request.labels : own->second);
    for (size_t i = 0; i < logits.size(); ++i) {
      squares += (logits[i] - row.reference[i]) * (logits[i] - row.reference[i]);
      ++count;
    }
  }
  const DriftReport drift = meter.Report();
  PrecisionTrial trial;
  trial.bundle_bytes = bytes.size();
  trial.memory_bytes =
      session->session_bytes() + session->info().model_bytes + session->info().engine_bytes;
  trial.auc_drop = drift.auc_reference - drift.auc_bundle;
  trial.overlap = drift.top10_overlap;
  trial.max_logit_error = drift.max_logit_error;
  trial.rms_logit_error = count == 0 ? 0 : std::sqrt(squares / static_cast<double>(count));
  return trial;
}

}  // namespace

absl::StatusOr<TrialRows> ReadTrialRows(const ConversionRun& run) {
  TrialRows rows;
  for (const absl::string_view name :
       absl::StrSplit(absl::GetFlag(FLAGS_evaluation).value_or(""), ',', absl::SkipEmpty())) {
    const std::string path(name);
    HP_ASSIGN_OR_RETURN(std::vector<Request> requests, ReadRequests(path, run.features()));
    ProgressLine progress("computing in float64", absl::StrCat("requests of ", path),
                          requests.size());
    const size_t before = rows.size();
    HP_RETURN_IF_ERROR(ForEachInFloat64(run, path, requests, [&](size_t, LogitsOfOutputs logits) {
      rows.push_back({Request(), std::move(logits[0])});
      progress.Advance();
      return absl::OkStatus();
    }));
    for (size_t i = 0; i < requests.size(); ++i) rows[before + i].request = std::move(requests[i]);
  }
  if (rows.empty()) return absl::InvalidArgumentError("--evaluation: there is no request");
  return rows;
}

absl::StatusOr<PrecisionTrial> Try(const PrecisionChoice& choice, const TrialRows& rows,
                                   ConversionRun* run) {
  std::vector<schema::ElementType> types;
  for (size_t i = 0; i < run->result.parts.size(); ++i) {
    types.push_back(run->result.parts[i].types[choice[i]]);
  }
  ConvertOptions options = run->options;
  options.rows_in_bundle = true;
  options.precision = PrecisionOf(types);
  HP_RETURN_IF_ERROR(Quantize(types, options, run));
  HP_ASSIGN_OR_RETURN(const std::string bytes, Serialize(run->result.conversion.bundle));
  PrecisionTrial trial;
  for (size_t set = 0; set < run->result.sets.size(); ++set) {
    const OnInstructionSet held(run->result.sets[set]);
    HP_ASSIGN_OR_RETURN(PrecisionTrial own, TryHere(bytes, rows, run->result.names[0]));
    if (run->result.sets.size() > 1) own.instruction_set = run->result.sets[set];
    if (set == 0) {
      trial = own;
    } else {
      trial.TakeWorst(own);
    }
  }
  return trial;
}

absl::Status Quantize(const std::vector<schema::ElementType>& types, const ConvertOptions& options,
                      ConversionRun* run) {
  Conversion* const conversion = &run->result.conversion;
  std::unique_ptr<schema::CatalogT> catalog = std::move(conversion->bundle.catalog);
  HP_RETURN_IF_ERROR(Requantize(run->result.parts, types, options, conversion));
  conversion->bundle.catalog = std::move(catalog);
  return absl::OkStatus();
}

schema::Precision PrecisionOf(const std::vector<schema::ElementType>& types) {
  const auto any = [&types](schema::ElementType type) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  return any(schema::ElementType::Int8PerRow) || any(schema::ElementType::Int4PerGroup)
             ? schema::Precision::Int8
         : any(schema::ElementType::Float16) ? schema::Precision::Float16
                                             : schema::Precision::Float32;
}

}  // namespace handpick::converter
