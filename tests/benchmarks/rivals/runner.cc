// Measures Handpick against another runtime on the standard workloads. run.sh makes what it needs
// and calls it.
//
//     runner --library=librival.so --models=DIRECTORY [--workloads=w1_wide_deep,w3_din]
//         [--bundles=DIRECTORY] [--json=results.json] [--markdown=README.md,...] [--simd=avx2]
//         [--seconds=20] [--samples=30]
//
// DIRECTORY holds, by workload: WORKLOAD.json and the files that it lists (make_onnx.py,
// make_tflite.py), WORKLOAD.f32.hpk and WORKLOAD.int8.hpk (or --bundles has those), and for w3_din
// w3_din.tables10.{f32,int8}.hpk.
//
// A request is ids in, scores out: 16 of them are cycled, each with another context, history and
// candidates. Before each sample a request is run that is not timed, of the same model.
//
// Exit status: 0 measured (whether bars were met or not), 1 failed: scores of float32 models that
// differ, or something that cannot be opened; 2 wrong usage.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "converter/bench/calibrator.h"
#include "converter/bench/instruction_set.h"
#include "converter/bench/measure.h"
#include "converter/io/files.h"
#include "converter/io/json.h"
#include "converter/io/status_macros.h"
#include "tests/benchmarks/rivals/bundle_file.h"
#include "tests/benchmarks/rivals/markdown.h"
#include "tests/benchmarks/rivals/opening.h"
#include "tests/benchmarks/rivals/packed_request.h"
#include "tests/benchmarks/rivals/report.h"
#include "tests/benchmarks/rivals/rival_library.h"
#include "tests/benchmarks/rivals/timing.h"
#include "tests/benchmarks/workloads/workloads.h"

ABSL_FLAG(std::string, library, "", "The rival's library, with the entry point of rival.h");
ABSL_FLAG(std::string, models, "", "Folder of the models");
ABSL_FLAG(std::vector<std::string>, workloads, {}, "Which workloads; all by default");
ABSL_FLAG(std::string, bundles, "", "Folder of the bundles; default: --models");
ABSL_FLAG(std::string, json, "", "Writes the results to this file, too");
ABSL_FLAG(std::vector<std::string>, markdown, {},
          "Files whose tables are replaced, between lines <!-- rivals RIVAL SET --> (or front) and "
          "<!-- end -->; see markdown.h");
ABSL_FLAG(std::string, command, "", "What was called, for --markdown");
ABSL_FLAG(std::string, note, "", "What else is to be said of the rival, for --markdown");
ABSL_FLAG(std::string, simd, "", "Holds Handpick's kernels to avx512, avx2, sse4, ...");
ABSL_FLAG(bool, opening, true, "Measures opening and memory, too, when w3_din is measured");
ABSL_FLAG(double, seconds, 20, "Time for the samples of a workload, at most");
ABSL_FLAG(double, seconds_per_choice, 10, "Time for choosing a category's fastest form, at most");
ABSL_FLAG(size_t, samples, 30, "Accepted samples of each, if there is time");

namespace handpick::rivals {
namespace {

using converter::Json;
using converter::Measurement;
using converter::MeasureOptions;
using converter::Subject;
using workloads::Workload;

constexpr size_t kRequests = 16;
constexpr size_t kEvents = 50;
constexpr size_t kSamplesPerChoice = 5;
// A sample is a few requests at least, and short beside the seconds for which the machine keeps its
// speed.
constexpr double kSampleSeconds = 3e-3;
// Of a score, which is between 0 and 1. Both compute in float32, in different orders.
constexpr double kFloat32Tolerance = 1e-4;

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "runner: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}

double LargestDifference(const std::vector<std::vector<float>>& a,
                         const std::vector<std::vector<float>>& b) {
  double largest = 0;
  for (size_t r = 0; r < a.size(); ++r) {
    for (size_t i = 0; i < a[r].size(); ++i) {
      const double difference = std::abs(static_cast<double>(a[r][i]) - b[r][i]);
      // A score that is none is as wrong as can be.
      largest = std::isnan(difference) ? 1 : std::max(largest, difference);
    }
  }
  return largest;
}

// Runs the requests one after the other, round and round.
template <typename Session>
Subject Cycle(const std::string& name, Session* session) {
  Subject subject;
  subject.name = name;
  subject.calls = 0;
  subject.run = [session, next = size_t{0}]() mutable {
    Check(session->Run(next));
    next = (next + 1) % kRequests;
  };
  // Its weights back into the caches, which another subject had.
  subject.prepare = subject.run;
  return subject;
}

struct Form {
  std::string category;
  std::string form;
  std::string path;
};

absl::StatusOr<std::vector<Form>> ReadForms(const std::string& directory,
                                            const std::string& workload) {
  const std::string path = absl::StrCat(directory, "/", workload, ".json");
  HP_ASSIGN_OR_RETURN(const std::string text, converter::ReadFile(path));
  HP_ASSIGN_OR_RETURN(const Json json, converter::ParseJson(text, path));
  std::vector<Form> forms;
  for (const Json& model : json.at("models")) {
    forms.push_back({model.at("category").get<std::string>(), model.at("form").get<std::string>(),
                     absl::StrCat(directory, "/", model.at("file").get<std::string>())});
  }
  return forms;
}

class WorkloadRunner {
 public:
  WorkloadRunner(const rival_api* api, converter::Calibrator* calibrator, const Workload& workload)
      : api_(api), calibrator_(calibrator), workload_(workload) {
    report_.workload = workload.name;
    report_.candidates = workloads::StandardCandidates(workload);
    for (size_t i = 0; i < kRequests; ++i) {
      requests_.push_back(workloads::MakeRequest(workload, i + 1, report_.candidates, kEvents));
      packed_.emplace_back(workload.spec, requests_.back());
    }
  }

  absl::StatusOr<WorkloadReport> Run(const std::string& directory, const std::string& bundles) {
    for (const char* const precision : {"f32", "int8"}) {
      HP_RETURN_IF_ERROR(OpenBundle(bundles, precision));
    }
    HP_ASSIGN_OR_RETURN(const std::vector<Form> forms, ReadForms(directory, workload_.name));
    for (const char* const category : {"exported", "split", "folded", "int8"}) {
      HP_RETURN_IF_ERROR(ChooseForm(forms, category));
    }
    Measure();
    return std::move(report_);
  }

 private:
  absl::Status OpenBundle(const std::string& directory, const std::string& precision) {
    const std::string path = absl::StrCat(directory, "/", workload_.name, ".", precision, ".hpk");
    HP_ASSIGN_OR_RETURN(std::unique_ptr<BundleFile> bundle, BundleFile::Open(path));
    std::vector<std::vector<float>> scores;
    for (const converter::Request& request : requests_) {
      const size_t number = bundle->Add(workload_.spec, request);
      HP_RETURN_IF_ERROR(bundle->Run(number));
      scores.push_back(bundle->scores(number));
    }
    Timing& timing = report_.handpick[precision];
    if (precision == "f32") {
      expected_ = std::move(scores);
    } else {
      timing.error = LargestDifference(scores, expected_);
    }
    bundles_[precision] = std::move(bundle);
    return absl::OkStatus();
  }

  // Opens a form and compares its scores.
  absl::Status OpenForm(const Form& form, Timing* timing, std::unique_ptr<RivalSession>* session) {
    HP_ASSIGN_OR_RETURN(*session, RivalSession::Open(api_, form.path));
    std::vector<std::vector<float>> scores;
    for (const PackedRequest& request : packed_) {
      HP_ASSIGN_OR_RETURN(const size_t number, (*session)->Add(request, "scores"));
      HP_RETURN_IF_ERROR((*session)->Run(number));
      scores.push_back((*session)->output(number));
    }
    timing->form = form.form;
    timing->error = LargestDifference(scores, expected_);
    if (form.category != "int8" && *timing->error > kFloat32Tolerance) {
      return absl::InternalError(
          absl::StrFormat("%s: a score differs by %.3g from Handpick's, expected at most %.0e",
                          form.path, *timing->error, kFloat32Tolerance));
    }
    return absl::OkStatus();
  }

  // Keeps the fastest of the forms of a category.
  absl::Status ChooseForm(const std::vector<Form>& forms, const std::string& category) {
    std::vector<Subject> subjects;
    std::vector<std::unique_ptr<RivalSession>> sessions;
    std::vector<Timing> timings;
    for (const Form& form : forms) {
      if (form.category != category) continue;
      timings.emplace_back();
      sessions.emplace_back();
      HP_RETURN_IF_ERROR(OpenForm(form, &timings.back(), &sessions.back()));
      subjects.push_back(Cycle(form.form, sessions.back().get()));
    }
    if (sessions.empty()) return absl::OkStatus();
    MeasureOptions options;
    options.samples = kSamplesPerChoice;
    options.sample_seconds = kSampleSeconds;
    options.max_seconds = absl::GetFlag(FLAGS_seconds_per_choice);
    const Measurement measured = converter::MeasureInTurn(calibrator_, subjects, options);
    size_t best = 0;
    for (size_t i = 0; i < timings.size(); ++i) {
      Timed(measured.series[i], &timings[i]);
      if (timings[i].cpu < timings[best].cpu) best = i;
    }
    report_.rival[category] = timings[best];
    report_.forms[category] = std::move(timings);
    chosen_[category] = std::move(sessions[best]);
    return absl::OkStatus();
  }

  // Fills in the times alone.
  static void Timed(const converter::Series& series, Timing* timing) {
    Timing timed = TimingOf(series);
    timed.form = timing->form;
    timed.error = timing->error;
    *timing = std::move(timed);
  }

  void Measure() {
    std::vector<Subject> subjects;
    std::vector<Timing*> timings;
    for (const auto& [category, session] : chosen_) {
      subjects.push_back(Cycle(category, session.get()));
      timings.push_back(&report_.rival[category]);
    }
    for (const auto& [precision, bundle] : bundles_) {
      subjects.push_back(Cycle("handpick " + precision, bundle.get()));
      timings.push_back(&report_.handpick[precision]);
    }
    MeasureOptions options;
    options.samples = absl::GetFlag(FLAGS_samples);
    options.sample_seconds = kSampleSeconds;
    options.max_seconds = absl::GetFlag(FLAGS_seconds);
    const Measurement measured = converter::MeasureInTurn(calibrator_, subjects, options);
    if (!measured.status.ok()) {
      std::fprintf(stderr, "runner: %s: %s\n", workload_.name.c_str(),
                   std::string(measured.status.message()).c_str());
    }
    for (size_t i = 0; i < timings.size(); ++i) {
      Timed(measured.series[i], timings[i]);
    }
  }

  const rival_api* api_;
  converter::Calibrator* calibrator_;
  const Workload& workload_;
  WorkloadReport report_;
  std::vector<converter::Request> requests_;
  std::vector<PackedRequest> packed_;
  std::vector<std::vector<float>> expected_;  // Scores of Handpick in float32, by request.
  std::map<std::string, std::unique_ptr<BundleFile>> bundles_;   // By precision.
  std::map<std::string, std::unique_ptr<RivalSession>> chosen_;  // By category.
};

absl::StatusOr<OpeningFiles> FindOpeningFiles(const std::string& library,
                                              const std::string& directory,
                                              const std::string& bundles) {
  OpeningFiles files;
  files.library = library;
  HP_ASSIGN_OR_RETURN(const std::vector<Form> forms, ReadForms(directory, "w3_din"));
  for (const Form& form : forms) {
    // The other forms have the same weights and about as many nodes.
    if (form.category == "exported") files.rival["as exported"] = form.path;
    if (form.category == "folded" && form.form == "products") files.rival["folded"] = form.path;
    if (form.category == "external") files.rival["folded, weights mapped"] = form.path;
  }
  for (const char* const precision : {"f32", "int8"}) {
    files.bundles[precision] = absl::StrCat(bundles, "/w3_din.", precision, ".hpk");
    files.bundles[absl::StrCat(precision, kLargeTables)] =
        absl::StrCat(bundles, "/w3_din.tables10.", precision, ".hpk");
  }
  return files;
}

// "avx512", whichever of them it is.
std::string InstructionSetInUse() {
  const std::string best = converter::InstructionSets().front();
  return absl::StartsWith(best, "avx3") ? "avx512" : best;
}

// Into the tables of the files that --markdown names.
absl::Status WriteMarkdown(const std::vector<WorkloadReport>& reports, const OpeningReport& opening,
                           const Comparison& comparison) {
  const std::string note = absl::GetFlag(FLAGS_note);
  const std::string description = absl::StrCat(
      ProcessorName(), ", one thread; Handpick's kernels: ", comparison.instruction_set, ", ",
      CompilerName(), "; ", comparison.rival, " ", comparison.version,
      note.empty() ? "" : absl::StrCat(", ", note), "; `", absl::GetFlag(FLAGS_command), "`:");
  std::map<std::string, std::string> blocks;
  blocks[absl::AsciiStrToLower(absl::StrCat(absl::StrReplaceAll(comparison.rival, {{" ", ""}}), " ",
                                            comparison.instruction_set))] =
      TimesBlock(reports, comparison, description);
  for (const WorkloadReport& report : reports) {
    const bool is_front = report.workload == "w3_din" && comparison.rival == "ONNX Runtime" &&
                          absl::GetFlag(FLAGS_simd).empty();
    if (is_front) blocks["front"] = FrontBlock(report, opening, comparison);
  }
  for (const std::string& path : absl::GetFlag(FLAGS_markdown)) {
    HP_ASSIGN_OR_RETURN(std::string text, converter::ReadFile(path));
    size_t replaced = 0;
    absl::Status missing;
    for (const auto& [name, block] : blocks) {
      const absl::StatusOr<std::string> changed = ReplaceBlock(text, name, block);
      if (changed.ok()) {
        ++replaced;
        text = *changed;
      } else {
        missing = changed.status();
      }
    }
    if (replaced == 0) return absl::NotFoundError(absl::StrCat(path, ": ", missing.message()));
    HP_RETURN_IF_ERROR(converter::WriteFileAtomically(path, text));
  }
  return absl::OkStatus();
}

absl::Status Main() {
  const std::string library = absl::GetFlag(FLAGS_library), models = absl::GetFlag(FLAGS_models);
  const std::string bundles =
      absl::GetFlag(FLAGS_bundles).empty() ? models : absl::GetFlag(FLAGS_bundles);
  if (const std::string simd = absl::GetFlag(FLAGS_simd); !simd.empty()) {
    HP_RETURN_IF_ERROR(converter::HoldToInstructionSet(simd));
  }
  std::vector<std::string> names = absl::GetFlag(FLAGS_workloads);
  if (names.empty()) names = workloads::WorkloadNames();

  Json json = {{"workloads", Json::array()}};
  std::vector<Cell> cells;
  OpeningReport opening;
  OpeningFiles files;
  const bool measures_opening =
      absl::GetFlag(FLAGS_opening) && std::count(names.begin(), names.end(), "w3_din") > 0;
  if (measures_opening) {
    HP_ASSIGN_OR_RETURN(files, FindOpeningFiles(library, models, bundles));
    HP_ASSIGN_OR_RETURN(Workload workload, workloads::MakeWorkload("w3_din"));
    workload.weights.clear();
    HP_RETURN_IF_ERROR(MeasureMemory(files, workload, &opening));
  }

  HP_ASSIGN_OR_RETURN(const rival_api* const api, LoadRival(library));
  const Comparison comparison = {api->name, api->version, InstructionSetInUse()};
  const std::string rival = absl::StrCat(api->name, " ", api->version);
  converter::Calibrator calibrator;
  std::vector<WorkloadReport> reports;
  for (const std::string& name : names) {
    HP_ASSIGN_OR_RETURN(const Workload workload, workloads::MakeWorkload(name));
    std::fprintf(stderr, "runner: %s\n", name.c_str());
    HP_ASSIGN_OR_RETURN(WorkloadReport report,
                        WorkloadRunner(api, &calibrator, workload).Run(models, bundles));
    for (Cell& cell : SpeedCells(report, comparison)) cells.push_back(std::move(cell));
    json["workloads"].push_back(ToJson(report));
    reports.push_back(std::move(report));
  }
  std::printf("%s\n", TimesTable(reports, rival).c_str());

  if (measures_opening) {
    MeasureOptions options;
    options.samples = absl::GetFlag(FLAGS_samples);
    options.max_seconds = absl::GetFlag(FLAGS_seconds);
    const absl::Status status = MeasureOpening(files, api, &calibrator, options, &opening);
    if (!status.ok()) {
      std::fprintf(stderr, "runner: opening: %s\n", std::string(status.message()).c_str());
    }
    for (Cell& cell : OpeningCells(opening)) cells.push_back(std::move(cell));
    json["opening"] = ToJson(opening);
    std::printf("%s\n", OpeningTable(opening, rival).c_str());
  }
  std::printf("%s\n", CellsTable(cells).c_str());
  std::printf("%s, kernels: %s; full speed: %.1f GFLOP/s\n", ProcessorName().c_str(),
              comparison.instruction_set.c_str(), calibrator.gflops());
  const std::string busy = BusyNote(reports);
  const std::string gate = GateNote(reports, opening);
  std::printf("%s%s", busy.c_str(), gate.c_str());

  HP_RETURN_IF_ERROR(WriteMarkdown(reports, opening, comparison));

  json["rival"] = rival;
  json["processor"] = ProcessorName();
  json["compiler"] = CompilerName();
  json["instruction_set"] = comparison.instruction_set;
  json["cells"] = ToJson(cells);
  json["machine_was_busy"] = !busy.empty();
  json["gates_were_widened"] = !gate.empty();
  json["full_speed_gflops"] = calibrator.gflops();
  const std::string path = absl::GetFlag(FLAGS_json);
  if (path.empty()) return absl::OkStatus();
  return converter::WriteFileAtomically(path, json.dump(1) + "\n");
}

}  // namespace
}  // namespace handpick::rivals

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Measures Handpick against another runtime; see run.sh.");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1 || absl::GetFlag(FLAGS_library).empty() ||
      absl::GetFlag(FLAGS_models).empty()) {
    std::fprintf(stderr, "usage: runner --library=LIBRARY --models=DIRECTORY [options]; --help\n");
    return 2;
  }
  const absl::Status status = handpick::rivals::Main();
  if (status.ok()) return 0;
  std::fprintf(stderr, "runner: %s\n", std::string(status.message()).c_str());
  return 1;
}
