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
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "converter/bench/instruction_set.h"
#include "converter/cli/commands.h"
#include "converter/cli/conversion_report.h"
#include "converter/cli/evaluate_output.h"
#include "converter/cli/flags.h"
#include "converter/cli/inspect_parts.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/cli/write_verdict.h"
#include "converter/emit/bundle_file.h"
#include "converter/evaluation/evaluation.h"
#include "converter/evaluation/gate.h"
#include "converter/evaluation/ordered_workers.h"
#include "converter/evaluation/row_scorer.h"
#include "converter/graph/decode.h"
#include "converter/io/files.h"
#include "converter/io/input_file.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/io/with_commas.h"
#include "converter/reference/shared_interpreter.h"
#include "converter/report/report.h"
#include "converter/rows/source.h"

namespace handpick::converter {
namespace {

constexpr int kFailed = 3;
constexpr int kUndecided = 4;
constexpr uint32_t kMostReplicates = 10000;
constexpr uint64_t kMostDepth = 10000;
constexpr uint32_t kMostThreads = 256;
constexpr size_t kLinesAtOnce = 16;
constexpr size_t kMostBlockRows = 1024;
constexpr size_t kMostBlockBytes = size_t{1} << 20;
constexpr char kReference[] = "reference";

std::vector<std::string> ListOf(const std::optional<std::string>& flag) {
  return flag.has_value() ? absl::StrSplit(*flag, ',', absl::SkipEmpty())
                          : std::vector<std::string>();
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
  // On each instruction set that is asked for, this machine's best one first.
  absl::StatusOr<std::vector<Evaluation>> Run() {
    HP_ASSIGN_OR_RETURN(bundle_, LoadModelBundle(*absl::GetFlag(FLAGS_bundle)));
    HP_ASSIGN_OR_RETURN(const uint32_t output, OutputOfFlag(bundle_.outputs));
    model_ = RowModelOf(bundle_, output);
    HP_RETURN_IF_ERROR(ReadSubject(output));
    HP_RETURN_IF_ERROR(LoadAgainst());
    const bool decides = absl::GetFlag(FLAGS_require).has_value();
    HP_ASSIGN_OR_RETURN(
        sets_, ParseInstructionSets(
                   absl::GetFlag(FLAGS_instruction_sets).value_or(decides ? "all" : "own")));
    std::vector<Evaluation> evaluations(sets_.size(), Evaluation(subject_));
    HP_RETURN_IF_ERROR(Measure(&evaluations));
    const SliceSummary& all = evaluations[0].slices().at("");
    if (all.requests() == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(*absl::GetFlag(FLAGS_rows), ": has no request"));
    }
    if (all.rows() == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(*absl::GetFlag(FLAGS_rows), ": no request has a candidate"));
    }
    return evaluations;
  }

  const std::vector<std::string>& sets() const { return sets_; }

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
    subject_.bundle_hash = HashOfBundle(bundle_.bytes.view());
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
    fields_.unknown = UnknownOfFlag();
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
    subject_.against = HashOfBundle(other_.bytes.view());
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

  // Some rows on their way through the threads.
  struct Lines {
    std::vector<std::string> texts;
    std::vector<std::string> where;
    std::vector<PreparedLine> prepared;
    std::vector<MeasuredLine> measured;
    absl::Status status;
  };

  static absl::StatusOr<RowHeader> HeaderOfFlag() {
    const std::optional<std::string> path = absl::GetFlag(FLAGS_header);
    if (!path.has_value()) return RowHeader();
    HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(*path));
    return ParseRowHeader(text, *path);
  }

  // What one instruction set has measured so far.
  struct OfSet {
    Evaluation* evaluation;
    std::optional<MeasuredUser> user;  // Whose rows may go on.
  };

  absl::Status Measure(std::vector<Evaluation>* evaluations) {
    const uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
    const uint32_t threads = absl::GetFlag(FLAGS_threads).value_or(std::min(cores, kMostThreads));
    if (threads == 0 || threads > kMostThreads) {
      return absl::InvalidArgumentError(
          absl::StrCat("--threads is ", threads, ", expected 1 to ", kMostThreads));
    }
    for (uint32_t i = 0; i < threads; ++i) {
      HP_ASSIGN_OR_RETURN(
          std::unique_ptr<RowScorer> scorer,
          RowScorer::Make(model_, other_model_.has_value() ? &*other_model_ : nullptr,
                          interpreter_.has_value() ? &*interpreter_ : nullptr, fields_, sets_));
      scorers_.push_back(std::move(scorer));
    }
    HP_ASSIGN_OR_RETURN(const RowHeader header, HeaderOfFlag());
    RowFeatures features;
    features.sets = {&bundle_.features};
    if (other_model_.has_value()) features.sets.push_back(&other_.features);
    features.has_catalog = bundle_.catalog != nullptr;
    std::vector<OfSet> of_sets;
    for (Evaluation& evaluation : *evaluations) of_sets.push_back({&evaluation, std::nullopt});
    Input input(ListOf(absl::GetFlag(FLAGS_rows)), header, features);
    CountLine progress;
    while (!input.ended()) {
      HP_RETURN_IF_ERROR(MeasureBlock(&input, &of_sets, &progress));
    }
    for (OfSet& of_set : of_sets) HP_RETURN_IF_ERROR(FinishUser(&of_set));
    return absl::OkStatus();
  }

  // All rows on one instruction set; on several, so many that they can be kept, on one after the
  // other: a change of the set waits until no kernel runs.
  class Input;
  class CountLine;
  absl::Status MeasureBlock(Input* input, std::vector<OfSet>* of_sets, CountLine* progress) {
    absl::Status status;
    std::vector<Lines> block;
    size_t rows = 0, bytes = 0;
    const auto read = [&](Lines* lines) {
      if (sets_.size() > 1 && (rows >= kMostBlockRows || bytes >= kMostBlockBytes)) return false;
      status = input->Next(kLinesAtOnce, &lines->texts, &lines->where);
      rows += lines->texts.size();
      for (const std::string& text : lines->texts) bytes += text.size();
      return status.ok() && !lines->texts.empty();
    };
    size_t set = 0;
    const auto work = [&](size_t thread, Lines* lines) {
      RowScorer& scorer = *scorers_[thread];
      const auto fails = [lines](const absl::Status& why) {
        if (!why.ok()) lines->status = why;
        return !why.ok();
      };
      for (size_t i = 0; i < lines->texts.size(); ++i) {
        if (set == 0) {
          absl::StatusOr<PreparedLine> line = scorer.Prepare(lines->texts[i], lines->where[i]);
          if (fails(line.status())) return;
          lines->prepared.push_back(*std::move(line));
        }
        absl::StatusOr<MeasuredLine> measured = scorer.Score(lines->prepared[i], set);
        if (fails(measured.status())) return;
        lines->measured.push_back(*std::move(measured));
      }
    };
    const auto take = [&](Lines* lines) {
      status = AddLines(&lines->measured, &(*of_sets)[set]);
      if (status.ok()) status = lines->status;
      if (set == 0) {
        for (size_t i = 0; i < lines->texts.size(); ++i) progress->Advance();
        if (sets_.size() > 1) block.push_back(std::move(*lines));
      }
      return status.ok();
    };
    {
      const OnInstructionSet held(sets_[0]);
      RunInOrder<Lines>(scorers_.size(), read, work, take);
    }
    for (set = 1; set < sets_.size() && status.ok(); ++set) {
      const OnInstructionSet held(sets_[set]);
      size_t begun = 0;
      const auto again = [&](Lines* lines) {
        if (begun == block.size()) return false;
        Lines& kept = block[begun++];
        lines->texts.resize(kept.prepared.size());
        lines->prepared = set + 1 == sets_.size() ? std::move(kept.prepared) : kept.prepared;
        return true;
      };
      RunInOrder<Lines>(scorers_.size(), again, work, take);
    }
    return status;
  }

  absl::Status AddLines(std::vector<MeasuredLine>* lines, OfSet* of_set) const {
    for (MeasuredLine& line : *lines) {
      std::optional<MeasuredUser>& user = of_set->user;
      const bool same = user.has_value() && !subject_.group_by.empty() && user->key == line.user &&
                        user->slices == line.slices;
      if (!same) {
        HP_RETURN_IF_ERROR(FinishUser(of_set));
        user.emplace();
        user->key = line.user;
        user->slices = std::move(line.slices);
      }
      user->requests.push_back(std::move(line.request));
    }
    lines->clear();
    return absl::OkStatus();
  }

  static absl::Status FinishUser(OfSet* of_set) {
    if (!of_set->user.has_value()) return absl::OkStatus();
    const absl::Status added = of_set->evaluation->Add(*of_set->user);
    of_set->user.reset();
    return added;
  }

  // The rows of several files, one after another.
  class Input {
   public:
    Input(std::vector<std::string> paths, RowHeader header, RowFeatures features)
        : paths_(std::move(paths)), header_(std::move(header)), features_(std::move(features)) {}
    bool ended() const { return at_ == paths_.size(); }

    // Adds up to `most` rows; none at the end.
    absl::Status Next(size_t most, std::vector<std::string>* texts,
                      std::vector<std::string>* where) {
      while (!ended() && texts->size() < most) {
        if (source_ == nullptr) {
          HP_ASSIGN_OR_RETURN(
              source_, OpenRows(paths_[at_], absl::GetFlag(FLAGS_rows_format).value_or(""), header_,
                                features_));
        }
        std::string text, place;
        HP_ASSIGN_OR_RETURN(const bool more, source_->Next(&text, &place));
        if (more) {
          texts->push_back(std::move(text));
          where->push_back(std::move(place));
        } else {
          source_ = nullptr;
          ++at_;
        }
      }
      return absl::OkStatus();
    }

   private:
    const std::vector<std::string> paths_;
    size_t at_ = 0;
    const RowHeader header_;
    const RowFeatures features_;
    std::unique_ptr<RowSource> source_;
  };

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
  std::vector<std::string> sets_;
  std::vector<std::unique_ptr<RowScorer>> scorers_;  // By thread.
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

// What --report, --junit and --markdown ask for.
absl::Status AddReports(const nlohmann::ordered_json& evaluation, std::vector<AtomicFile>* files) {
  for (const auto& [path, make] :
       {std::make_pair(absl::GetFlag(FLAGS_report), &HtmlReport),
        std::make_pair(absl::GetFlag(FLAGS_junit), &JUnitReport),
        std::make_pair(absl::GetFlag(FLAGS_markdown), &MarkdownReport)}) {
    if (!path.has_value()) continue;
    HP_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(*path));
    HP_RETURN_IF_ERROR(file.WriteAt(0, make(evaluation)));
    files->push_back(std::move(file));
  }
  return absl::OkStatus();
}

// What --write-verdict asks for; nothing where the bundle may not ship.
absl::StatusOr<std::optional<BundleFile>> VerdictOfFlag(const Evaluation& evaluation,
                                                        const std::vector<Decision>& decisions,
                                                        const std::vector<std::string>& sets) {
  const std::optional<std::string> out = absl::GetFlag(FLAGS_write_verdict);
  if (!out.has_value()) return std::optional<BundleFile>();
  const Verdict verdict = Worst(decisions);
  if (verdict != Verdict::kPass && !absl::GetFlag(FLAGS_even_if_failed)) {
    Note("evaluate", absl::StrCat(*out, " was not written: the verdict is ", VerdictName(verdict)));
    return std::optional<BundleFile>();
  }
  InputFiles inputs;
  const bool merges = absl::GetFlag(FLAGS_merge).has_value();
  const std::vector<std::string> paths = ListOf(absl::GetFlag(merges ? FLAGS_merge : FLAGS_rows));
  for (const std::string& path : paths) {
    HP_RETURN_IF_ERROR(AddInputFile(merges ? "summary" : "rows", path, &inputs));
  }
  if (inputs.size() != paths.size()) {
    return absl::InvalidArgumentError(
        "--write-verdict names the rows by their hash: give them in files");
  }
  const nlohmann::ordered_json json = VerdictJson(evaluation, decisions, sets, inputs);
  HP_ASSIGN_OR_RETURN(BundleFile file,
                      BundleWithVerdict(*absl::GetFlag(FLAGS_bundle),
                                        evaluation.subject().bundle_hash, json, *out));
  return std::optional<BundleFile>(std::move(file));
}

absl::StatusOr<int> Evaluate() {
  RowsEvaluation rows;
  std::vector<Evaluation> evaluations;
  if (absl::GetFlag(FLAGS_merge).has_value()) {
    HP_ASSIGN_OR_RETURN(Evaluation merged, Merge());
    evaluations.push_back(std::move(merged));
  } else {
    HP_ASSIGN_OR_RETURN(evaluations, rows.Run());
  }
  const Evaluation* const evaluation = &evaluations[0];
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
  std::vector<std::vector<Decision>> by_set(evaluations.size());
  for (const std::string& text : ListOf(absl::GetFlag(FLAGS_require))) {
    HP_ASSIGN_OR_RETURN(const Demand demand, ParseDemand(text, settings));
    for (size_t set = 0; set < evaluations.size(); ++set) {
      HP_ASSIGN_OR_RETURN(std::vector<Decision> own,
                          Decide(demand, evaluations[set].slices(), settings));
      std::move(own.begin(), own.end(), std::back_inserter(by_set[set]));
    }
  }
  const std::vector<Decision> decisions = WorstOfSets(by_set, rows.sets());
  nlohmann::ordered_json json = EvaluationJson(*evaluation, decisions);
  if (evaluations.size() > 1) json["instruction_sets"] = rows.sets();
  if (absl::GetFlag(FLAGS_report).has_value()) HP_RETURN_IF_ERROR(rows.AddInspections(&json));
  if (const auto conversion = absl::GetFlag(FLAGS_conversion)) {
    HP_ASSIGN_OR_RETURN(ConversionReport report, ReadConversionReport(*conversion));
    json["parts"] = std::move(report.parts);
    if (report.candidate_as_written.has_value()) {
      json["candidate_as_written"] = *report.candidate_as_written;
    }
  }
  std::vector<AtomicFile> reports;
  HP_RETURN_IF_ERROR(AddReports(json, &reports));
  HP_ASSIGN_OR_RETURN(std::optional<BundleFile> decided,
                      VerdictOfFlag(*evaluation, decisions, rows.sets()));
  if (absl::GetFlag(FLAGS_json)) {
    printf("%s\n", JsonText(json, 2).c_str());
  } else {
    printf("%s", EvaluationText(*evaluation, decisions).c_str());
    if (evaluations.size() > 1) {
      printf("measured on %s: above is the first, and of each requirement the worst counts\n",
             absl::StrJoin(rows.sets(), ", ").c_str());
    }
  }
  HP_RETURN_IF_ERROR(FlushOutput());
  std::vector<AtomicFile*> files;
  for (AtomicFile& report : reports) files.push_back(&report);
  if (decided.has_value()) files.push_back(decided->file());
  HP_RETURN_IF_ERROR(AtomicFile::CommitAll(files));
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
  const bool writes = absl::GetFlag(FLAGS_write_verdict).has_value();
  if (writes && !absl::GetFlag(FLAGS_require).has_value()) return "--write-verdict needs --require";
  if (writes && !absl::GetFlag(FLAGS_bundle).has_value()) return "--write-verdict needs --bundle";
  if (!writes && absl::GetFlag(FLAGS_even_if_failed))
    return "--even-if-failed is of --write-verdict";
  for (const std::string& path : ListOf(absl::GetFlag(FLAGS_rows))) {
    if (writes && path == "-") {
      return "--write-verdict names the rows by their hash: give them in files";
    }
  }
  if (absl::GetFlag(FLAGS_merge).has_value()) {
    if ((absl::GetFlag(FLAGS_bundle).has_value() && !writes) ||
        absl::GetFlag(FLAGS_rows).has_value()) {
      return "--merge stands instead of --bundle and --rows";
    }
    if (absl::GetFlag(FLAGS_instruction_sets).has_value()) {
      return "--instruction-sets is for rows: what --merge adds up was measured";
    }
    return "";
  }
  if (!absl::GetFlag(FLAGS_bundle).has_value()) return "--bundle is missing";
  if (!absl::GetFlag(FLAGS_rows).has_value()) return "--rows is missing";
  if (absl::GetFlag(FLAGS_partial).has_value() && absl::GetFlag(FLAGS_require).has_value()) {
    return "--require is decided over all rows: give it with --merge";
  }
  if (absl::GetFlag(FLAGS_partial).has_value()) {
    const auto sets = ParseInstructionSets(absl::GetFlag(FLAGS_instruction_sets).value_or("own"));
    if (sets.ok() && sets->size() > 1) return "--partial is of one instruction set";
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
