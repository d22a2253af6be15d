// handpick evaluate
#include <stdio.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "converter/cli/commands.h"
#include "converter/cli/conversion_report.h"
#include "converter/cli/evaluate_output.h"
#include "converter/cli/flags.h"
#include "converter/cli/inspect_parts.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/evaluation/evaluation.h"
#include "converter/evaluation/gate.h"
#include "converter/evaluation/ordered_workers.h"
#include "converter/evaluation/row_scorer.h"
#include "converter/graph/decode.h"
#include "converter/io/files.h"
#include "converter/io/line_reader.h"
#include "converter/io/status_macros.h"
#include "converter/reference/shared_interpreter.h"
#include "converter/report/report.h"
#include "schema/integrity.h"

namespace handpick::converter {
namespace {

constexpr int kFailed = 3;
constexpr int kUndecided = 4;
constexpr uint32_t kMostReplicates = 10000;
constexpr uint64_t kMostDepth = 10000;
constexpr uint32_t kMostThreads = 256;
constexpr size_t kLinesAtOnce = 16;
constexpr char kReference[] = "reference";

std::vector<std::string> ListOf(const std::optional<std::string>& flag) {
  return flag.has_value() ? absl::StrSplit(*flag, ',', absl::SkipEmpty())
                          : std::vector<std::string>();
}

std::string HashOf(const MappedBytes& bytes) {
  return absl::StrFormat("%016x", schema::HashOfBytes(bytes.data(), bytes.size()));
}

RowModel RowModelOf(const LoadedBundle& bundle, uint32_t output) {
  RowModel model;
  model.bytes = bundle.bytes;
  model.features = &bundle.features;
  model.catalog = bundle.catalog.get();
  model.output = output;
  model.output_name = bundle.outputs[output];
  model.output_count = bundle.outputs.size();
  return model;
}

// The rows of --rows, measured.
class RowsEvaluation {
 public:
  absl::StatusOr<Evaluation> Run() {
    HP_ASSIGN_OR_RETURN(bundle_, LoadModelBundle(*absl::GetFlag(FLAGS_bundle)));
    HP_ASSIGN_OR_RETURN(const uint32_t output, OutputOfFlag(bundle_.outputs));
    model_ = RowModelOf(bundle_, output);
    HP_RETURN_IF_ERROR(ReadSubject(output));
    HP_RETURN_IF_ERROR(LoadAgainst());
    Evaluation evaluation(subject_);
    HP_RETURN_IF_ERROR(Measure(&evaluation));
    const SliceSummary& all = evaluation.slices().at("");
    if (all.requests() == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(*absl::GetFlag(FLAGS_rows), ": has no request"));
    }
    if (all.rows() == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(*absl::GetFlag(FLAGS_rows), ": no request has a candidate"));
    }
    return evaluation;
  }

  // What is in the bundles, for the report.
  absl::Status AddInspections(nlohmann::ordered_json* json) const {
    if (bundle_.view != nullptr) {
      HP_ASSIGN_OR_RETURN((*json)["inspection"], InspectJson(bundle_));
    }
    if (other_.view != nullptr) {
      HP_ASSIGN_OR_RETURN((*json)["inspection_against"], InspectJson(other_));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status ReadSubject(uint32_t output) {
    subject_.bundle_hash = HashOf(bundle_.bytes);
    subject_.output = bundle_.outputs[output];
    subject_.settings.task = bundle_.view->outputs()->Get(output)->task();
    const uint64_t k = absl::GetFlag(FLAGS_k).value_or(subject_.settings.k);
    if (k == 0 || k > kMostDepth) {
      return absl::InvalidArgumentError(absl::StrCat("--k is ", k, ", expected 1 to ", kMostDepth));
    }
    subject_.settings.k = static_cast<uint32_t>(k);
    subject_.settings.replicates =
        absl::GetFlag(FLAGS_replicates).value_or(subject_.settings.replicates);
    if (subject_.settings.replicates < 10 || subject_.settings.replicates > kMostReplicates) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--replicates is ", subject_.settings.replicates, ", expected 10 to ", kMostReplicates));
    }
    subject_.group_by = absl::GetFlag(FLAGS_group_by).value_or("");
    fields_.group_by = subject_.group_by;
    const auto& features = bundle_.features.features;
    for (size_t f = 0; f < features.size(); ++f) {
      if (features[f]->name == subject_.group_by && features[f]->side == schema::Side::Context) {
        fields_.group_feature = f;
      }
    }
    subject_.slices = ListOf(absl::GetFlag(FLAGS_slice));
    for (const std::string& slice : subject_.slices) {
      HP_ASSIGN_OR_RETURN(Slicer slicer, Slicer::Parse(slice, bundle_.features));
      fields_.slicers.push_back(std::move(slicer));
    }
    return absl::OkStatus();
  }

  absl::Status LoadAgainst() {
    const std::optional<std::string> against = absl::GetFlag(FLAGS_against);
    if (!against.has_value()) return absl::OkStatus();
    subject_.settings.has_against = true;
    if (*against == kReference) {
      subject_.against = kReference;
      HP_ASSIGN_OR_RETURN(graph_, DecodeBundleInPlace(bundle_.bytes.view()));
      interpreter_.emplace(*graph_);
      return absl::OkStatus();
    }
    HP_ASSIGN_OR_RETURN(other_, LoadModelBundle(*against));
    subject_.against = HashOf(other_.bytes);
    // The output of the same name; two models of one output each need not agree on it.
    const auto same = std::find(other_.outputs.begin(), other_.outputs.end(), subject_.output);
    if (same == other_.outputs.end() && other_.outputs.size() > 1) {
      return absl::InvalidArgumentError(absl::StrCat("--against ", *against, ": has no output '",
                                                     subject_.output, "'; it has ",
                                                     absl::StrJoin(other_.outputs, ", ")));
    }
    other_model_ = RowModelOf(other_, same == other_.outputs.end()
                                          ? 0
                                          : static_cast<uint32_t>(same - other_.outputs.begin()));
    return absl::OkStatus();
  }

  struct Lines {
    std::vector<std::string> texts;
    std::vector<std::string> where;
    std::vector<MeasuredLine> measured;
    absl::Status status;
  };

  absl::Status Measure(Evaluation* evaluation) {
    const uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
    const uint32_t threads = absl::GetFlag(FLAGS_threads).value_or(std::min(cores, kMostThreads));
    if (threads == 0 || threads > kMostThreads) {
      return absl::InvalidArgumentError(
          absl::StrCat("--threads is ", threads, ", expected 1 to ", kMostThreads));
    }
    std::vector<std::unique_ptr<RowScorer>> scorers;
    for (uint32_t i = 0; i < threads; ++i) {
      HP_ASSIGN_OR_RETURN(
          std::unique_ptr<RowScorer> scorer,
          RowScorer::Make(model_, other_model_.has_value() ? &*other_model_ : nullptr,
                          interpreter_.has_value() ? &*interpreter_ : nullptr, fields_));
      scorers.push_back(std::move(scorer));
    }
    absl::Status status;
    std::vector<std::string> paths = ListOf(absl::GetFlag(FLAGS_rows));
    std::reverse(paths.begin(), paths.end());
    std::optional<LineReader> reader;
    const auto next = [&](Lines* lines) {
      while (status.ok() && lines->texts.size() < kLinesAtOnce) {
        if (!reader.has_value()) {
          if (paths.empty()) break;
          absl::StatusOr<LineReader> opened = LineReader::Open(paths.back());
          paths.pop_back();
          if (!opened.ok()) {
            status = opened.status();
            break;
          }
          reader.emplace(*std::move(opened));
        }
        std::string line;
        const absl::StatusOr<bool> more = reader->Next(&line);
        if (!more.ok()) {
          status = more.status();
        } else if (*more) {
          lines->texts.push_back(std::move(line));
          lines->where.push_back(reader->where());
        } else {
          reader.reset();
        }
      }
      return status.ok() && !lines->texts.empty();
    };
    const auto work = [&](size_t thread, Lines* lines) {
      for (size_t i = 0; i < lines->texts.size() && lines->status.ok(); ++i) {
        absl::StatusOr<MeasuredLine> measured =
            scorers[thread]->Measure(lines->texts[i], lines->where[i]);
        if (measured.ok()) {
          lines->measured.push_back(*std::move(measured));
        } else {
          lines->status = measured.status();
        }
      }
    };
    std::optional<MeasuredUser> user;
    const auto finish_user = [&] {
      if (!user.has_value()) return absl::OkStatus();
      const absl::Status added = evaluation->Add(*user);
      user.reset();
      return added;
    };
    CountLine progress;
    const auto take = [&](Lines* lines) {
      for (MeasuredLine& line : lines->measured) {
        const bool same = user.has_value() && !subject_.group_by.empty() &&
                          user->key == line.user && user->slices == line.slices;
        if (!same) {
          if (status.ok()) status = finish_user();
          if (!status.ok()) return false;
          user.emplace();
          user->key = line.user;
          user->slices = std::move(line.slices);
        }
        user->requests.push_back(std::move(line.request));
        progress.Advance();
      }
      if (status.ok()) status = lines->status;
      return status.ok();
    };
    RunInOrder<Lines>(threads, next, work, take);
    if (status.ok()) status = finish_user();
    return status;
  }

  // Requests, of which nobody knows how many there are.
  class CountLine {
   public:
    CountLine() : shown_(ShowsProgress()) {}
    ~CountLine() {
      if (shown_ && done_ >= kStep) fprintf(stderr, "\r\033[K");
    }
    void Advance() {
      if (++done_ % kStep == 0 && shown_) {
        fprintf(stderr, "\r%s requests measured", WithCommas(done_).c_str());
      }
    }

   private:
    static constexpr uint64_t kStep = 1000;
    const bool shown_;
    uint64_t done_ = 0;
  };

  LoadedBundle bundle_;
  LoadedBundle other_;
  RowModel model_;
  std::optional<RowModel> other_model_;
  std::optional<Graph> graph_;
  std::optional<SharedInterpreter> interpreter_;
  RowFields fields_;
  EvaluationSubject subject_;
};

absl::StatusOr<Evaluation> Merge() {
  std::optional<Evaluation> sum;
  for (const std::string& path : ListOf(absl::GetFlag(FLAGS_merge))) {
    HP_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
    HP_ASSIGN_OR_RETURN(Evaluation part, Evaluation::Parse(bytes, path));
    if (!sum.has_value()) {
      sum.emplace(std::move(part));
      continue;
    }
    if (absl::Status added = sum->Add(part); !added.ok()) {
      return absl::Status(added.code(), absl::StrCat(path, ": ", added.message()));
    }
  }
  if (!sum.has_value()) return absl::InvalidArgumentError("--merge names no file");
  return *std::move(sum);
}

// What --report, --junit and --markdown ask for. All or none: the first ones are removed when a
// later one can't be written.
absl::Status WriteReports(const nlohmann::ordered_json& evaluation) {
  std::vector<std::string> written;
  for (const auto& [path, make] :
       {std::make_pair(absl::GetFlag(FLAGS_report), &HtmlReport),
        std::make_pair(absl::GetFlag(FLAGS_junit), &JUnitReport),
        std::make_pair(absl::GetFlag(FLAGS_markdown), &MarkdownReport)}) {
    if (!path.has_value()) continue;
    if (absl::Status status = WriteFileAtomically(*path, make(evaluation)); !status.ok()) {
      for (const std::string& done : written) remove(done.c_str());
      return status;
    }
    written.push_back(*path);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Evaluate() {
  RowsEvaluation rows;
  absl::StatusOr<Evaluation> evaluation =
      absl::GetFlag(FLAGS_merge).has_value() ? Merge() : rows.Run();
  if (!evaluation.ok()) return evaluation.status();
  const MeasureSettings& settings = evaluation->subject().settings;
  if (const auto partial = absl::GetFlag(FLAGS_partial)) {
    const std::string bytes = evaluation->Serialize();
    if (*partial != "-") {
      HP_RETURN_IF_ERROR(WriteFileAtomically(*partial, bytes));
    } else if (fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() ||
               fflush(stdout) != 0) {
      return absl::UnavailableError("cannot write to the standard output");
    }
    return 0;
  }
  const SliceSummary& all = evaluation->slices().at("");
  const uint64_t positives = all.scores(0).positives();
  if (!settings.has_against && (positives == 0 || positives == all.labelled_rows())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "nothing was measured: of ", all.rows(), " rows ", all.labelled_rows(),
        " have labels, and ", positives,
        " of these are positive: there must be labels of both kinds, or something to compare with "
        "(--against)"));
  }
  std::vector<Decision> decisions;
  for (const std::string& text : ListOf(absl::GetFlag(FLAGS_require))) {
    HP_ASSIGN_OR_RETURN(const Demand demand, ParseDemand(text, settings));
    HP_ASSIGN_OR_RETURN(std::vector<Decision> own, Decide(demand, evaluation->slices(), settings));
    std::move(own.begin(), own.end(), std::back_inserter(decisions));
  }
  nlohmann::ordered_json json = EvaluationJson(*evaluation, decisions);
  if (absl::GetFlag(FLAGS_report).has_value()) HP_RETURN_IF_ERROR(rows.AddInspections(&json));
  if (const auto conversion = absl::GetFlag(FLAGS_conversion)) {
    HP_ASSIGN_OR_RETURN(json["parts"], ReadConversionReport(*conversion));
  }
  HP_RETURN_IF_ERROR(WriteReports(json));
  if (absl::GetFlag(FLAGS_json)) {
    printf("%s\n", json.dump(2).c_str());
  } else {
    printf("%s", EvaluationText(*evaluation, decisions).c_str());
  }
  if (fflush(stdout) != 0) return absl::UnavailableError("cannot write to the standard output");
  switch (Worst(decisions)) {
    case Verdict::kPass:
      return 0;
    case Verdict::kFail:
      return kFailed;
    case Verdict::kUndecided:
      break;
  }
  return kUndecided;
}

// What is wrong with the flags together; "" when nothing is.
std::string UsageError() {
  if (absl::GetFlag(FLAGS_conversion).has_value() && !absl::GetFlag(FLAGS_report).has_value()) {
    return "--conversion is for the page of --report";
  }
  if (absl::GetFlag(FLAGS_merge).has_value()) {
    if (absl::GetFlag(FLAGS_bundle).has_value() || absl::GetFlag(FLAGS_rows).has_value()) {
      return "--merge stands instead of --bundle and --rows";
    }
    return "";
  }
  if (!absl::GetFlag(FLAGS_bundle).has_value()) return "--bundle is missing";
  if (!absl::GetFlag(FLAGS_rows).has_value()) return "--rows is missing";
  if (absl::GetFlag(FLAGS_partial).has_value() && absl::GetFlag(FLAGS_require).has_value()) {
    return "--require is decided over all rows: give it with --merge";
  }
  return "";
}

}  // namespace

int RunEvaluate(const std::vector<std::string>&) {
  if (const std::string wrong = UsageError(); !wrong.empty()) return FailUsage("evaluate", wrong);
  const absl::StatusOr<int> status = Evaluate();
  return status.ok() ? *status : Fail("evaluate", status.status());
}

}  // namespace handpick::converter
