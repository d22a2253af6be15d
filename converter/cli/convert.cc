// handpick convert
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "converter/bench/instruction_set.h"
#include "converter/cli/commands.h"
#include "converter/cli/conversion_run.h"
#include "converter/cli/convert_flags.h"
#include "converter/cli/convert_gate.h"
#include "converter/cli/convert_goldens.h"
#include "converter/cli/convert_inputs.h"
#include "converter/cli/convert_output.h"
#include "converter/cli/convert_precision.h"
#include "converter/cli/convert_rare_rows.h"
#include "converter/cli/convert_scores.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/emit/part_formats.h"
#include "converter/evaluation/drift.h"
#include "converter/io/files.h"
#include "converter/io/status_macros.h"
#include "converter/pipeline.h"
#include "converter/runtime/bundle_session.h"
#include "converter/spec/spec.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"

namespace handpick::converter {
namespace {

absl::Status ReadOptions(ConversionRun* run) {
  ConvertOptions& options = run->options;
  run->result.precision = absl::GetFlag(FLAGS_precision).value_or("f32");
  options.precision = run->result.precision == "int8"  ? schema::Precision::Int8
                      : run->result.precision == "f16" ? schema::Precision::Float16
                                                       : schema::Precision::Float32;
  options.tile = absl::GetFlag(FLAGS_tile).value_or(0);
  HP_ASSIGN_OR_RETURN(run->result.sets,
                      ParseInstructionSets(absl::GetFlag(FLAGS_instruction_sets).value_or("all")));
  hp_build_info build = HP_BUILD_INFO_INIT;
  hp_get_build_info(&build);
  options.producer = absl::StrCat("handpick ", build.version);
  options.rows_in_bundle = false;
  return absl::OkStatus();
}

absl::Status CheckRuntime(const ConversionRun& run) {
  const std::optional<std::string> oldest = absl::GetFlag(FLAGS_min_runtime);
  if (!oldest.has_value()) return absl::OkStatus();
  const absl::Status status =
      CheckOpensIn(*ParseRuntimeFormat(*oldest), run.result.conversion.bundle);
  if (status.ok()) return status;
  return absl::Status(
      status.code(), absl::StrCat("min_runtime: ", status.message(), "\n  No bundle was written."));
}

// What the user should know of the model before anything is measured.
void NoteModel(const Spec& spec, const ConversionRun& run) {
  for (const std::string& notice : run.result.conversion.source.notices) Note("convert", notice);
  for (const size_t unused : UnusedFeatures(spec)) {
    Note("convert", absl::StrCat("no part of the model reads feature '", spec.features[unused].name,
                                 "', and requests need not give it"));
  }
  if (!absl::GetFlag(FLAGS_golden).has_value()) {
    Note("convert",
         "without --golden nothing tells a wrong kind or option from the right one where the "
         "shapes are the same (a DeepFM's tensors are those of a Wide & Deep)");
  }
  if (absl::GetFlag(FLAGS_evaluation).has_value()) return;
  if (!run.is_float32()) {
    Note("convert",
         "accuracy was not measured: give --evaluation, rows with labels, to see what fewer bits "
         "do to the ranking");
  } else if (absl::GetFlag(FLAGS_min_count).has_value()) {
    Note("convert",
         "accuracy was not measured: give --evaluation, rows with labels, to see what merged rows "
         "do to the ranking");
  }
}

// What --evaluation could not tell.
void NoteMeasured(const ConversionRun& run) {
  if (!run.result.has_evaluation) return;
  bool is_measured = false;
  for (size_t output = 0; output < run.result.drifts.size(); ++output) {
    const DriftReport& drift = run.result.drifts[output];
    const bool has_auc = !std::isnan(drift.auc_reference);
    is_measured = is_measured || has_auc || !std::isnan(drift.top10_overlap);
    if (has_auc || drift.labelled_rows == 0) continue;
    Note("convert", absl::StrCat("AUC of output '", run.result.names[output],
                                 "' was not measured: the labels of all ", drift.labelled_rows,
                                 " rows are of one kind; above 0.5, as a rating from 1 to 5 is, "
                                 "they are positive"));
  }
  if (is_measured) return;
  Note("convert", absl::StrCat("accuracy was not measured: --evaluation has neither labels of both "
                               "kinds nor a request with ",
                               kOverlapCandidates, " candidates or more"));
}

absl::Status Write(ConversionRun* run) {
  run->result.conversion.bundle.manifest->inputs = std::move(run->inputs);
  // What is kept was opened by the runtime once, as it is.
  HP_RETURN_IF_ERROR(WriteBundle(run));
  {
    HP_ASSIGN_OR_RETURN(MappedBytes mapped, run->file->Map());
    HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session,
                        BundleSession::OpenMapped(std::move(mapped)));
    run->result.session_bytes = session->session_bytes();
  }
  std::vector<AtomicFile*> files;
  std::optional<AtomicFile> report;
  if (const auto path = absl::GetFlag(FLAGS_report); path.has_value()) {
    HP_ASSIGN_OR_RETURN(report, AtomicFile::Create(*path));
    HP_RETURN_IF_ERROR(report->WriteAt(0, ConversionReport(run->result)));
    files.push_back(&*report);
  }
  files.push_back(run->file->file());
  PrintConversion(run->result);
  HP_RETURN_IF_ERROR(FlushOutput());
  return AtomicFile::CommitAll(files);
}

// One conversion from files to a file.
absl::Status RunConversion() {
  ConversionRun run;
  HP_RETURN_IF_ERROR(ReadOptions(&run));
  std::optional<ProgressLine> progress(std::in_place, "reading and converting");
  ConversionWeights weights;
  HP_ASSIGN_OR_RETURN(const Spec spec, ReadModel(&weights, &run));
  HP_ASSIGN_OR_RETURN(run.result.conversion, Convert(spec, weights.all(), run.options));
  progress.reset();
  run.outputs = run.result.conversion.source.Outputs();
  for (const Output& output : run.outputs) run.result.names.push_back(output.name);
  NoteModel(spec, run);
  HP_RETURN_IF_ERROR(AddCatalog(spec, &run));
  HP_RETURN_IF_ERROR(AddCounts(&run));
  HP_RETURN_IF_ERROR(ChoosePrecisions(&run));
  HP_RETURN_IF_ERROR(CheckRuntime(run));
  WarnOfOutliers(run);
  HP_RETURN_IF_ERROR(AddGoldens(&run));
  HP_RETURN_IF_ERROR(Measure(&run));
  HP_RETURN_IF_ERROR(CheckMeasured(weights.all(), &run));
  NoteMeasured(run);
  return Write(&run);
}

}  // namespace

int RunConvert(const std::vector<std::string>&) {
  if (const std::string fault = ConvertUsageFault(); !fault.empty()) {
    return FailUsage("convert", fault);
  }
  const absl::Status status = RunConversion();
  return status.ok() ? 0 : Fail("convert", status);
}

}  // namespace handpick::converter
