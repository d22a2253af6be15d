// handpick convert
#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "converter/bench/instruction_set.h"
#include "converter/catalog/catalog.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/draft/complete.h"
#include "converter/draft/explain.h"
#include "converter/draft/golden_text.h"
#include "converter/emit/bundle_file.h"
#include "converter/emit/bundle_image.h"
#include "converter/emit/bundle_size.h"
#include "converter/evaluation/drift.h"
#include "converter/evaluation/goldens.h"
#include "converter/evaluation/metrics.h"
#include "converter/evaluation/ordered_workers.h"
#include "converter/graph/cost.h"
#include "converter/io/files.h"
#include "converter/io/input_file.h"
#include "converter/io/json.h"
#include "converter/io/status_macros.h"
#include "converter/pipeline.h"
#include "converter/quantize/outliers.h"
#include "converter/recipes/join_embeddings.h"
#include "converter/recipes/table_bytes.h"
#include "converter/reference/interpreter.h"
#include "converter/reference/shared_interpreter.h"
#include "converter/request/request.h"
#include "converter/request/resolve.h"
#include "converter/runtime/bundle_session.h"
#include "converter/search/precision_search.h"
#include "converter/spec/kinds.h"
#include "converter/spec/spec.h"
#include "converter/trees/read.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "nlohmann/json.hpp"
#include "schema/format.h"
#include "schema/limits.h"

namespace handpick::converter {
namespace {

constexpr double kDefaultMaxAucDrift = 0.001;
constexpr double kDefaultMinTop10Overlap = 0.95;
constexpr double kDefaultMaxGoldenError = 1e-4;
// Processors that round what a layer of 8 bits reads, and those that do not, were seen to differ by
// 0.047: what one of them measures does not bound the others.
constexpr double kLeastInt8GoldenTolerance = 0.05;

// The oldest runtime that must open the bundle, by its format.
struct RuntimeFormat {
  uint32_t major_version = 0;
  uint32_t minor_version = 0;
};

std::optional<RuntimeFormat> ParseRuntimeFormat(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  RuntimeFormat format;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &format.major_version) ||
      !absl::SimpleAtoi(parts[1], &format.minor_version)) {
    return std::nullopt;
  }
  return format;
}

// A part of a bundle that runtimes before some minor of the format do not know. None came after
// 2.0 so far, which is therefore needed by the steps of every bundle.
absl::Status CheckMinRuntime(const schema::BundleT& bundle, const RuntimeFormat& oldest) {
  std::string part;
  if (oldest.major_version != bundle.format_major || oldest.minor_version < bundle.format_minor) {
    part = absl::StrCat("its steps are of format ", bundle.format_major, ".", bundle.format_minor);
  } else if (!bundle.needs.empty()) {
    part = absl::StrCat("it needs '", bundle.needs[0]->name, "'");
  } else {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "min_runtime: a runtime of format ", oldest.major_version, ".", oldest.minor_version,
      " does not open the bundle: ", part, ".\n  No bundle was written."));
}

// One conversion from files to a file.
class Converter {
 public:
  absl::Status Run() {
    precision_ = absl::GetFlag(FLAGS_precision).value_or("f32");
    options_.precision = precision_ == "int8"  ? schema::Precision::Int8
                         : precision_ == "f16" ? schema::Precision::Float16
                                               : schema::Precision::Float32;
    options_.tile = absl::GetFlag(FLAGS_tile).value_or(0);
    HP_ASSIGN_OR_RETURN(
        sets_, ParseInstructionSets(absl::GetFlag(FLAGS_instruction_sets).value_or("all")));
    hp_build_info build = HP_BUILD_INFO_INIT;
    hp_get_build_info(&build);
    options_.producer = absl::StrCat("handpick ", build.version);
    options_.rows_in_bundle = false;
    std::optional<ProgressLine> progress(std::in_place, "reading and converting");
    const std::string spec_path = *absl::GetFlag(FLAGS_spec);
    const Weights none;
    std::unique_ptr<Archive> weights = ArchiveOf(none);
    if (const auto path = absl::GetFlag(FLAGS_weights); path.has_value()) {
      HP_ASSIGN_OR_RETURN(weights, OpenWithNotices(*path));
    }
    std::vector<std::string> added;
    HP_ASSIGN_OR_RETURN(Spec spec, ReadSpecOf(*weights, spec_path, &added));
    if (!added.empty()) {
      Note("convert", absl::StrCat("from the weights: ", absl::StrJoin(added, ", ")));
    }
    HP_RETURN_IF_ERROR(CheckTables(spec, *weights));
    HP_RETURN_IF_ERROR(AddInputFile("spec", spec_path, &inputs_));
    HP_RETURN_IF_ERROR(AddVocabularies(spec));
    HP_RETURN_IF_ERROR(AddTrees(&spec));
    if (const auto path = absl::GetFlag(FLAGS_weights); path.has_value()) {
      HP_RETURN_IF_ERROR(AddArchive("weights", *weights));
    }
    JoinedEmbeddings joined;
    std::unique_ptr<Archive> embeddings;
    if (const auto path = absl::GetFlag(FLAGS_embeddings); path.has_value()) {
      HP_ASSIGN_OR_RETURN(embeddings, OpenWithNotices(*path));
      HP_RETURN_IF_ERROR(CheckTables(spec, *embeddings));
      HP_ASSIGN_OR_RETURN(joined, JoinTables(spec, *weights, *embeddings));
      HP_RETURN_IF_ERROR(AddArchive("embeddings", *embeddings));
    }
    const Archive& archive = joined.archive == nullptr ? *weights : *joined.archive;
    HP_ASSIGN_OR_RETURN(conversion_, Convert(spec, archive, options_));
    progress.reset();
    if (const auto oldest = absl::GetFlag(FLAGS_min_runtime)) {
      HP_RETURN_IF_ERROR(CheckMinRuntime(conversion_.bundle, *ParseRuntimeFormat(*oldest)));
    }
    outputs_ = conversion_.source.Outputs();
    for (const Output& output : outputs_) names_.push_back(output.name);
    for (const std::string& notice : conversion_.source.notices) {
      Note("convert", notice);
    }
    for (const size_t unused : UnusedFeatures(spec)) {
      Note("convert",
           absl::StrCat("no part of the model reads feature '", spec.features[unused].name,
                        "', and requests must give it all the same, unless it has a "
                        "default"));
    }
    if (!absl::GetFlag(FLAGS_golden).has_value()) {
      Note("convert",
           "without --golden nothing tells a wrong kind or option from the right one where the "
           "shapes are the same (a DeepFM's tensors are those of a Wide & Deep)");
    }
    HP_RETURN_IF_ERROR(AddCatalog(spec));
    HP_RETURN_IF_ERROR(ChoosePrecisions());
    WarnOfOutliers();
    HP_RETURN_IF_ERROR(AddGoldens());
    HP_RETURN_IF_ERROR(Measure());
    HP_RETURN_IF_ERROR(CheckMeasured(archive));
    return Write();
  }

 private:
  const FeatureSet& features() const { return *conversion_.source.features; }
  const schema::CatalogT* catalog() const { return conversion_.bundle.catalog.get(); }
  // Of a full history.
  uint64_t events() const { return conversion_.source.max_history(); }
  bool is_int8() const { return options_.precision == schema::Precision::Int8; }
  bool is_float32() const { return options_.precision == schema::Precision::Float32; }

  // What was done to the archive is said.
  static absl::StatusOr<std::unique_ptr<Archive>> OpenWithNotices(const std::string& path) {
    HP_ASSIGN_OR_RETURN(std::unique_ptr<Archive> archive, OpenArchive(path));
    for (const std::string& notice : archive->notices()) {
      Note("convert", notice);
    }
    return archive;
  }

  // With the tables that --weights lacks.
  static absl::StatusOr<JoinedEmbeddings> JoinTables(const Spec& spec, const Archive& weights,
                                                     const Archive& embeddings) {
    HP_ASSIGN_OR_RETURN(JoinedEmbeddings joined, JoinEmbeddings(spec, weights, embeddings));
    const std::vector<std::string>& others = joined.others;
    if (!others.empty()) {
      Note("convert",
           absl::StrCat(
               embeddings.origin(), ": '", others[0], "'",
               others.size() == 1 ? " is" : absl::StrCat(" and ", others.size() - 1, " more are"),
               " no table of this model, and left out"));
    }
    return joined;
  }

  // Tables that no bundle has room for are refused before all of a file is read, if only for its
  // hash.
  absl::Status CheckTables(const Spec& spec, const Archive& archive) const {
    return CheckBundleSize(LeastTableBytes(spec, archive.tensors(), options_.precision));
  }

  absl::Status AddArchive(absl::string_view role, const Archive& archive) {
    for (const std::string& file : archive.files()) {
      HP_RETURN_IF_ERROR(AddInputFile(role, file, &inputs_));
    }
    return absl::OkStatus();
  }

  // Files that the spec names, each once.
  absl::Status AddVocabularies(const Spec& spec) {
    std::set<std::string> files;
    for (const FeatureSpec& feature : spec.features) {
      const std::string& file = feature.vocabulary.values_file;
      if (file.empty() || !files.insert(file).second) continue;
      HP_RETURN_IF_ERROR(AddInputFile("vocabulary", file, &inputs_));
    }
    return absl::OkStatus();
  }

  absl::Status AddTrees(Spec* spec) {
    const std::optional<std::string> path = absl::GetFlag(FLAGS_trees);
    if (!path.has_value()) return absl::OkStatus();
    if (!FindModelKind(spec->kind)->Has(kTrees)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--trees ", *path, ": models of kind '", spec->kind, "' have none"));
    }
    HP_ASSIGN_OR_RETURN(TreeModel trees, ReadTrees(*path));
    spec->trees.model = std::make_shared<const TreeModel>(std::move(trees));
    return AddInputFile("trees", *path, &inputs_);
  }

  absl::Status AddCatalog(const Spec& spec) {
    const std::optional<std::string> path = absl::GetFlag(FLAGS_catalog);
    if (!path.has_value()) return absl::OkStatus();
    if (spec.catalog_key.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--catalog ", *path,
                       ": the spec does not say which feature names an item: "
                       "give 'catalog': {'key': NAME}"));
    }
    std::map<std::string, std::string> unknown;
    HP_ASSIGN_OR_RETURN(
        const Request items,
        ReadCatalog(*path, features(), absl::GetFlag(FLAGS_ignore_unknown) ? &unknown : nullptr));
    for (const auto& [name, where] : unknown) {
      fprintf(stderr, "handpick convert: note: %s: '%s' is no feature of the model, and left out\n",
              where.c_str(), name.c_str());
    }
    HP_RETURN_IF_ERROR(AddInputFile("catalog", *path, &inputs_));
    HP_ASSIGN_OR_RETURN(const size_t key,
                        FindFeature(features(), schema::Side::Candidate, spec.catalog_key));
    absl::StatusOr<std::unique_ptr<schema::CatalogT>> built = BuildCatalog(items, features(), key);
    if (!built.ok()) {
      return absl::Status(built.status().code(),
                          absl::StrCat(*path, ": ", built.status().message()));
    }
    conversion_.bundle.catalog = *std::move(built);
    return absl::OkStatus();
  }

  absl::Status AddGoldens() {
    const std::optional<std::string> path = absl::GetFlag(FLAGS_golden);
    if (!path.has_value()) return absl::OkStatus();
    HP_ASSIGN_OR_RETURN(goldens_, ReadRequests(*path, features()));
    HP_RETURN_IF_ERROR(AddInputFile("goldens", *path, &inputs_));
    if (goldens_.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(*path, ": has no request"));
    }
    for (size_t i = 0; i < goldens_.size(); ++i) {
      auto golden = BuildGolden(goldens_[i], features(), outputs_);
      if (!golden.ok()) {
        return absl::Status(golden.status().code(), absl::StrCat(*path, ": request ", i + 1, ": ",
                                                                 golden.status().message()));
      }
      conversion_.bundle.goldens.push_back(*std::move(golden));
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<LogitsOfOutputs> BundleLogits(const Request& request,
                                                      BundleSession* session) {
    HP_ASSIGN_OR_RETURN(const std::vector<Scored> scored, session->ScoreOutputs(request));
    LogitsOfOutputs logits;
    for (const Scored& output : scored) {
      logits.emplace_back(output.logits.begin(), output.logits.end());
    }
    return logits;
  }

  // Calls `run(set, session)` on each instruction set, with the file as it is now.
  absl::Status OnEachSet(const std::function<absl::Status(size_t, BundleSession*)>& run) {
    for (size_t set = 0; set < sets_.size(); ++set) {
      const OnInstructionSet held(sets_[set]);
      HP_ASSIGN_OR_RETURN(MappedBytes mapped, file_->Map());
      HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session,
                          BundleSession::OpenMapped(std::move(mapped)));
      if (absl::Status status = run(set, session.get()); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Calls `take(i, logits)` for each request in turn, with its logits in float64 by output. They
  // are computed by all cores: by the rewritten graph, which has less to do and which goldens hold
  // to the recipe's.
  absl::Status ForEachInFloat64(const std::string& path, const std::vector<Request>& requests,
                                const std::function<absl::Status(size_t, LogitsOfOutputs)>& take) {
    struct Item {
      size_t index = 0;
      LogitsOfOutputs logits;
      absl::Status status;
    };
    const SharedInterpreter reference(conversion_.rewritten);
    size_t begun = 0;
    absl::Status status;
    RunInOrder<Item>(
        std::max(1u, std::thread::hardware_concurrency()),
        [&](Item* item) {
          item->index = begun++;
          return item->index < requests.size();
        },
        [&](size_t, Item* item) {
          const absl::StatusOr<ResolvedRequest> resolved =
              ResolveRequest(requests[item->index], features(), catalog());
          item->status = resolved.status();
          if (resolved.ok()) item->logits = reference.Evaluate(*resolved);
        },
        [&](Item* item) {
          status = item->status.ok() ? take(item->index, std::move(item->logits)) : item->status;
          status = At(path, item->index, status);
          return status.ok();
        });
    return status;
  }

  // Adds a request to what is measured of each output.
  absl::Status Meter(const Request& request, const LogitsOfOutputs& reference,
                     BundleSession* session, std::vector<DriftMeter>* meters) {
    for (const auto& [name, unused] : request.output_labels) {
      if (std::find(names_.begin(), names_.end(), name) != names_.end()) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "labels: there is no output '", name, "'; the model has ", absl::StrJoin(names_, ", ")));
    }
    HP_ASSIGN_OR_RETURN(const LogitsOfOutputs bundle, BundleLogits(request, session));
    for (size_t output = 0; output < names_.size(); ++output) {
      const auto own = request.output_labels.find(names_[output]);
      std::vector<float> labels =
          own == request.output_labels.end() ? std::vector<float>() : own->second;
      if (output == 0 && !request.labels.empty()) labels = request.labels;
      (*meters)[output].Add(reference[output], bundle[output], labels);
    }
    return absl::OkStatus();
  }

  // Tables that 8 bits would spoil, by the number of the table.
  void FindOutlierRows() {
    for (size_t i = 0; i < conversion_.rewritten.tables.size(); ++i) {
      const auto found = FindOutliers(*conversion_.rewritten.tables[i]);
      if (found.has_value()) outliers_.emplace(i, *found);
    }
  }

  // Nobody should ship such rows without knowing: said even if --quiet.
  void WarnOfOutliers() const {
    for (const auto& [table, rows] : outliers_) {
      const std::string& name = conversion_.rewritten.tables[table]->name;
      const auto& kept = conversion_.program.tables;
      const auto found = std::find_if(kept.begin(), kept.end(),
                                      [&name](const auto& own) { return own->name == name; });
      if (found == kept.end() || IsClipped(table)) continue;
      const schema::ElementType type = (*found)->type;
      if (type != schema::ElementType::Int8PerRow && type != schema::ElementType::Int4PerGroup) {
        continue;
      }
      fprintf(stderr,
              "handpick convert: warning: table '%s' in %s: %s; --keep '%s=f16' keeps them, "
              "--clip-outliers cuts off at %g\n",
              name.c_str(), ElementTypeName(type), Description(rows).c_str(), name.c_str(),
              rows.level);
    }
  }

  bool IsClipped(size_t table) const {
    return std::any_of(parts_.begin(), parts_.end(), [table](const PrecisionPart& part) {
      return part.is_table && part.index == table && part.clip.has_value();
    });
  }

  // A type for each table and layer, where --keep or --precision auto says so.
  absl::Status ChoosePrecisions() {
    const std::optional<std::string> keep = absl::GetFlag(FLAGS_keep);
    const bool clips = absl::GetFlag(FLAGS_clip_outliers);
    if (is_int8() || precision_ == "auto" || keep.has_value()) FindOutlierRows();
    if (!keep.has_value() && precision_ != "auto" && !clips) return absl::OkStatus();
    parts_ = PrecisionParts(conversion_.rewritten);
    if (clips) {
      for (PrecisionPart& part : parts_) Clip(&part);
    }
    if (keep.has_value()) HP_RETURN_IF_ERROR(KeepParts(*keep, &parts_));
    PrecisionChoice choice(parts_.size(), 0);
    if (precision_ == "auto") {
      HP_RETURN_IF_ERROR(Search());
      choice = search_->choice;
    } else {
      const schema::ElementType wanted = is_int8()      ? schema::ElementType::Int8PerRow
                                         : is_float32() ? schema::ElementType::Float32
                                                        : schema::ElementType::Float16;
      for (size_t i = 0; i < parts_.size(); ++i) {
        const auto& types = parts_[i].types;
        const auto found = std::find(types.begin(), types.end(), wanted);
        if (found != types.end()) choice[i] = static_cast<size_t>(found - types.begin());
      }
    }
    for (size_t i = 0; i < parts_.size(); ++i) types_.push_back(parts_[i].types[choice[i]]);
    options_.precision = PrecisionOf(types_);
    return Quantize(types_, options_, &conversion_);
  }

  // What a bundle of several types is called: the roughest one.
  static schema::Precision PrecisionOf(const std::vector<schema::ElementType>& types) {
    const auto any = [&types](schema::ElementType type) {
      return std::find(types.begin(), types.end(), type) != types.end();
    };
    return any(schema::ElementType::Int8PerRow) || any(schema::ElementType::Int4PerGroup)
               ? schema::Precision::Int8
           : any(schema::ElementType::Float16) ? schema::Precision::Float16
                                               : schema::Precision::Float32;
  }

  // Requantize, with the catalog of the conversion.
  absl::Status Quantize(const std::vector<schema::ElementType>& types,
                        const ConvertOptions& options, Conversion* conversion) {
    std::unique_ptr<schema::CatalogT> catalog = std::move(conversion->bundle.catalog);
    HP_RETURN_IF_ERROR(Requantize(parts_, types, options, conversion));
    conversion->bundle.catalog = std::move(catalog);
    return absl::OkStatus();
  }

  // What the search measures on: each request with the float64 logits of the output that ranks.
  struct Measured {
    Request request;
    std::vector<double> reference;
  };

  void Clip(PrecisionPart* part) const {
    const auto found = part->is_table ? outliers_.find(part->index) : outliers_.end();
    if (found != outliers_.end() && found->second.level > 0) part->clip = found->second.level;
  }

  // Of each table with outliers: whether they are cut off, by what is nearer to float64 where that
  // table alone is in its smallest type.
  absl::Status ChooseClips(const ConvertOptions& options, const std::vector<Measured>& rows) {
    for (size_t i = 0; i < parts_.size(); ++i) {
      PrecisionPart& part = parts_[i];
      if (part.types.size() < 2 || part.clip.has_value()) continue;
      Clip(&part);
      if (!part.clip.has_value()) continue;
      PrecisionChoice choice(parts_.size(), 0);
      choice[i] = part.types.size() - 1;
      HP_ASSIGN_OR_RETURN(const PrecisionTrial clipped, Try(choice, options, rows));
      const std::optional<double> clip = std::exchange(part.clip, std::nullopt);
      HP_ASSIGN_OR_RETURN(const PrecisionTrial whole, Try(choice, options, rows));
      if (clipped.rms_logit_error < whole.rms_logit_error) part.clip = clip;
    }
    return absl::OkStatus();
  }

  absl::Status Search() {
    HP_ASSIGN_OR_RETURN(const PrecisionBudget budget,
                        ParseBudget(absl::GetFlag(FLAGS_budget).value_or("")));
    std::vector<Measured> rows;
    for (const absl::string_view name :
         absl::StrSplit(absl::GetFlag(FLAGS_evaluation).value_or(""), ',', absl::SkipEmpty())) {
      const std::string path(name);
      HP_ASSIGN_OR_RETURN(std::vector<Request> requests, ReadRequests(path, features()));
      ProgressLine progress("computing in float64", absl::StrCat("requests of ", path),
                            requests.size());
      const size_t before = rows.size();
      HP_RETURN_IF_ERROR(ForEachInFloat64(path, requests, [&](size_t, LogitsOfOutputs logits) {
        rows.push_back({Request(), std::move(logits[0])});
        progress.Advance();
        return absl::OkStatus();
      }));
      for (size_t i = 0; i < requests.size(); ++i) {
        rows[before + i].request = std::move(requests[i]);
      }
    }
    if (rows.empty()) return absl::InvalidArgumentError("--evaluation: there is no request");
    ConvertOptions options = options_;
    options.rows_in_bundle = true;
    HP_RETURN_IF_ERROR(ChooseClips(options, rows));
    size_t trials = 0;
    ProgressLine progress("measuring", "choices", 3 * parts_.size());
    absl::StatusOr<PrecisionSearch> found =
        SearchPrecision(parts_, budget, [&](const PrecisionChoice& choice) {
          progress.MoveTo(++trials);
          return Try(choice, options, rows);
        });
    if (!found.ok()) return found.status();
    search_ = *std::move(found);
    return absl::OkStatus();
  }

  absl::StatusOr<PrecisionTrial> Try(const PrecisionChoice& choice, ConvertOptions options,
                                     const std::vector<Measured>& rows) {
    std::vector<schema::ElementType> types;
    for (size_t i = 0; i < parts_.size(); ++i) types.push_back(parts_[i].types[choice[i]]);
    options.precision = PrecisionOf(types);
    HP_RETURN_IF_ERROR(Quantize(types, options, &conversion_));
    HP_ASSIGN_OR_RETURN(const std::string bytes, Serialize(conversion_.bundle));
    PrecisionTrial trial;
    for (size_t set = 0; set < sets_.size(); ++set) {
      const OnInstructionSet held(sets_[set]);
      HP_ASSIGN_OR_RETURN(PrecisionTrial own, TryHere(bytes, rows));
      if (sets_.size() > 1) own.instruction_set = sets_[set];
      if (set == 0) {
        trial = own;
      } else {
        trial.TakeWorst(own);
      }
    }
    return trial;
  }

  // On the instruction set that is held.
  absl::StatusOr<PrecisionTrial> TryHere(const std::string& bytes,
                                         const std::vector<Measured>& rows) const {
    HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session, BundleSession::Open(bytes));
    DriftMeter meter;
    double squares = 0;
    size_t count = 0;
    for (const Measured& row : rows) {
      HP_ASSIGN_OR_RETURN(const std::vector<Scored> scored, session->ScoreOutputs(row.request));
      const std::vector<double> logits(scored[0].logits.begin(), scored[0].logits.end());
      const auto own = row.request.output_labels.find(names_[0]);
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

  // Brings the file up to the bundle.
  absl::Status WriteFile() {
    HP_ASSIGN_OR_RETURN(BundleImage image,
                        BundleImage::Make(conversion_.bundle, conversion_.program.tables));
    constexpr uint64_t kMegabyte = 1'000'000;
    ProgressLine progress("writing", "MB", image.size() / kMegabyte);
    uint64_t written = 0;
    HP_RETURN_IF_ERROR(file_->Write(&image, [&](uint64_t bytes) {
      written += bytes;
      progress.MoveTo(written / kMegabyte);
    }));
    bundle_bytes_ = image.size();
    return absl::OkStatus();
  }

  absl::Status Measure() {
    const std::string paths = absl::GetFlag(FLAGS_evaluation).value_or("");
    HP_ASSIGN_OR_RETURN(file_, BundleFile::Create(*absl::GetFlag(FLAGS_out)));
    if (!goldens_.empty() || !paths.empty()) {
      // Any tolerance will do until the errors are known. One that takes as many bytes as the last
      // (none, if it is the default) leaves the rows of tables where they are.
      if (!goldens_.empty()) {
        const double bound =
            is_float32() ? absl::GetFlag(FLAGS_max_golden_error).value_or(kDefaultMaxGoldenError)
                         : kLeastInt8GoldenTolerance;
        if (std::isnormal(bound) && bound > 0 && bound <= double{schema::kMaxGoldenTolerance}) {
          conversion_.bundle.golden_tolerance = static_cast<float>(bound);
        }
      }
      HP_RETURN_IF_ERROR(WriteFile());
    }
    if (!goldens_.empty()) HP_RETURN_IF_ERROR(MeasureGoldens());
    std::vector<std::vector<DriftMeter>> meters(sets_.size());  // By set and output.
    for (auto& of_set : meters) of_set.resize(names_.size());
    for (const absl::string_view name : absl::StrSplit(paths, ',', absl::SkipEmpty())) {
      const std::string path(name);
      HP_ASSIGN_OR_RETURN(const std::vector<Request> requests, ReadRequests(path, features()));
      HP_RETURN_IF_ERROR(AddInputFile("evaluation", path, &inputs_));
      HP_RETURN_IF_ERROR(MeasureRequests(path, requests, &meters));
      has_evaluation_ = true;
    }
    for (size_t output = 0; output < names_.size(); ++output) {
      std::vector<DriftReport> reports;
      for (const auto& of_set : meters) reports.push_back(of_set[output].Report());
      drifts_.push_back(WorstOf(reports, sets_));
    }
    return absl::OkStatus();
  }

  absl::Status MeasureGoldens() {
    const std::string path = *absl::GetFlag(FLAGS_golden);
    GoldenErrors errors;
    std::vector<LogitsOfOutputs> expected;
    for (size_t i = 0; i < goldens_.size(); ++i) {
      const absl::StatusOr<ResolvedRequest> resolved =
          ResolveRequest(goldens_[i], features(), catalog());
      HP_RETURN_IF_ERROR(At(path, i, resolved.status()));
      const LogitsOfOutputs reference = EvaluateOutputs(conversion_.source, *resolved);
      HP_ASSIGN_OR_RETURN(LogitsOfOutputs own, TrainersLogits(goldens_[i], outputs_));
      for (size_t output = 0; output < own.size(); ++output) {
        errors.reference = std::max(errors.reference, LargestError(reference[output], own[output]));
      }
      expected.push_back(std::move(own));
    }
    ProgressLine progress("replaying", "golden requests", sets_.size() * goldens_.size());
    HP_RETURN_IF_ERROR(OnEachSet([&](size_t set, BundleSession* session) -> absl::Status {
      for (size_t i = 0; i < goldens_.size(); ++i) {
        const absl::StatusOr<LogitsOfOutputs> bundle = BundleLogits(goldens_[i], session);
        HP_RETURN_IF_ERROR(At(path, i, bundle.status()));
        for (size_t output = 0; output < expected[i].size(); ++output) {
          const double own = LargestError((*bundle)[output], expected[i][output]);
          if (!(own > errors.bundle)) continue;
          errors.bundle = own;
          if (sets_.size() > 1) errors.set = sets_[set];
          worst_golden_ = WorstGolden(i, output, *bundle, expected[i]);
        }
        progress.Advance();
      }
      return absl::OkStatus();
    }));
    golden_errors_ = errors;
    return absl::OkStatus();
  }

  absl::Status MeasureRequests(const std::string& path, const std::vector<Request>& requests,
                               std::vector<std::vector<DriftMeter>>* meters) {
    std::vector<LogitsOfOutputs> references;
    ProgressLine progress("measuring", absl::StrCat("requests of ", path),
                          (1 + sets_.size()) * requests.size());
    HP_RETURN_IF_ERROR(ForEachInFloat64(path, requests, [&](size_t, LogitsOfOutputs logits) {
      progress.Advance();
      references.push_back(std::move(logits));
      return absl::OkStatus();
    }));
    return OnEachSet([&](size_t set, BundleSession* session) -> absl::Status {
      for (size_t i = 0; i < requests.size(); ++i) {
        progress.Advance();
        HP_RETURN_IF_ERROR(
            At(path, i, Meter(requests[i], references[i], session, &(*meters)[set])));
      }
      return absl::OkStatus();
    });
  }

  static absl::Status At(const std::string& path, size_t request, const absl::Status& status) {
    if (status.ok()) return status;
    return absl::Status(status.code(),
                        absl::StrCat(path, ": request ", request + 1, ": ", status.message()));
  }

  // "request 3 of golden.jsonl, candidate 0: the trainer's logit is 0.31, the bundle's is 0.39"
  std::string WorstGolden(size_t request, size_t output, const LogitsOfOutputs& bundle,
                          const LogitsOfOutputs& expected) const {
    size_t worst = 0;
    double error = -1;
    for (size_t i = 0; i < expected[output].size(); ++i) {
      const double own = LargestError({bundle[output][i]}, {expected[output][i]});
      if (!(own > error)) continue;
      worst = i;
      error = own;
    }
    return absl::StrFormat(
        "request %d of %s, candidate %d%s: the trainer's logit is %.9g, the "
        "bundle's is %.9g",
        request + 1, *absl::GetFlag(FLAGS_golden), worst,
        names_.size() == 1 ? "" : absl::StrCat(", output ", names_[output]),
        expected[output][worst], bundle[output][worst]);
  }

  // What can be told about goldens that the float64 reference is off.
  std::string Explanation(const Archive& archive) const {
    if (!golden_errors_.has_value() || golden_errors_->reference <= kDefaultMaxGoldenError)
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
    for (const std::string& line : ExplainGoldens(*spec, weights, *goldens, catalog())) {
      absl::StrAppend(&text, "\n  ", line);
    }
    return text;
  }

  absl::Status CheckMeasured(const Archive& weights) {
    Bounds bounds;
    bounds.max_auc_drift = absl::GetFlag(FLAGS_max_auc_drift);
    bounds.min_top10_overlap = absl::GetFlag(FLAGS_min_top10_overlap);
    const std::optional<double> golden = absl::GetFlag(FLAGS_max_golden_error);
    // Defaults hold for what could be measured; a bound that was asked for must be measured.
    const bool has_labels =
        std::any_of(drifts_.begin(), drifts_.end(),
                    [](const DriftReport& drift) { return !std::isnan(drift.auc_reference); });
    if (has_evaluation_ && !bounds.max_auc_drift.has_value() && has_labels) {
      bounds.max_auc_drift = kDefaultMaxAucDrift;
    }
    if (drifts_[0].ranked_requests > 0 && !bounds.min_top10_overlap.has_value()) {
      bounds.min_top10_overlap = kDefaultMinTop10Overlap;
    }
    if (golden_errors_.has_value() || golden.has_value()) {
      bounds.max_bundle_golden_error = golden;
      bounds.max_reference_golden_error = std::max(golden.value_or(0), kDefaultMaxGoldenError);
      if (is_float32()) bounds.max_bundle_golden_error = golden.value_or(kDefaultMaxGoldenError);
    }
    checked_ = CheckBounds(bounds, drifts_, names_, golden_errors_);
    const std::vector<CheckedBound> broken = Broken(checked_);
    if (!broken.empty()) {
      std::vector<std::string> messages;
      for (const CheckedBound& bound : broken) {
        messages.push_back(absl::StrCat(bound.name, ": ", bound.message));
        if (golden_errors_.has_value() && bound.of == "bundle" &&
            golden_errors_->reference <= kDefaultMaxGoldenError) {
          messages.push_back(worst_golden_);
        }
      }
      return absl::FailedPreconditionError(absl::StrCat(
          absl::StrJoin(messages, "\n  "), Explanation(weights), "\n  No bundle was written."));
    }
    if (golden_errors_.has_value()) {
      // A device rounds a little differently from this machine. In fewer bits the distance from the
      // trainer is the rounding's, so what was measured is what can be demanded.
      double tolerance = bounds.max_bundle_golden_error.value_or(
          std::max(is_int8() ? kLeastInt8GoldenTolerance : kDefaultMaxGoldenError,
                   2 * golden_errors_->bundle));
      if (!(tolerance <= double{schema::kMaxGoldenTolerance})) {
        return absl::FailedPreconditionError(
            absl::StrCat("goldens: a tolerance of ", tolerance,
                         " would let any difference pass, expected at most ",
                         schema::kMaxGoldenTolerance, ".\n  No bundle was written."));
      }
      conversion_.bundle.golden_tolerance = static_cast<float>(tolerance);
    }
    if (has_evaluation_) conversion_.bundle.manifest->drift = WholeDrift().ToSchema();
    if (has_evaluation_ || golden_errors_.has_value()) {
      conversion_.bundle.manifest->gate = GateJson().dump();
    }
    return absl::OkStatus();
  }

  absl::Status Write() {
    conversion_.bundle.manifest->inputs = std::move(inputs_);
    // What is kept was opened by the runtime once, as it is.
    HP_RETURN_IF_ERROR(WriteFile());
    {
      HP_ASSIGN_OR_RETURN(MappedBytes mapped, file_->Map());
      HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session,
                          BundleSession::OpenMapped(std::move(mapped)));
      session_bytes_ = session->session_bytes();
    }
    std::vector<AtomicFile*> files;
    std::optional<AtomicFile> report;
    if (const auto path = absl::GetFlag(FLAGS_report); path.has_value()) {
      HP_ASSIGN_OR_RETURN(report, AtomicFile::Create(*path));
      HP_RETURN_IF_ERROR(report->WriteAt(0, Report()));
      files.push_back(&*report);
    }
    files.push_back(file_->file());
    Print();
    HP_RETURN_IF_ERROR(FlushOutput());
    return AtomicFile::CommitAll(files);
  }

  static nlohmann::ordered_json Number(double value) {
    return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
  }

  // What was demanded, measured and decided: a bundle is kept only if all of it holds.
  nlohmann::ordered_json GateJson() const {
    using Json = nlohmann::ordered_json;
    Json gate = {{"verdict", checked_.empty() ? "none" : "pass"},
                 {"instruction_sets", sets_},
                 {"bounds", Json::array()}};
    for (const CheckedBound& bound : checked_) {
      Json one = {{"name", bound.name}};
      if (!bound.of.empty()) one["of"] = bound.of;
      one["measured"] = Number(bound.measured);
      one[bound.at_least ? "at_least" : "at_most"] = Number(bound.bound);
      if (!bound.set.empty()) one["instruction_set"] = bound.set;
      gate["bounds"].push_back(std::move(one));
    }
    if (search_.has_value()) gate["budget"] = absl::GetFlag(FLAGS_budget).value_or("");
    return gate;
  }

  std::string Report() const {
    using Json = nlohmann::ordered_json;
    const auto number = &Number;
    Json report;
    report["bundle"] = *absl::GetFlag(FLAGS_out);
    report["model"] = {{"name", conversion_.bundle.model_name},
                       {"version", conversion_.bundle.model_version}};
    report["precision"] = precision_;
    if (!parts_.empty()) report["parts"] = PartsJson();
    if (search_.has_value()) report["search"] = SearchJson();
    if (!checked_.empty()) report["gate"] = GateJson();
    report["bundle_bytes"] = bundle_bytes_;
    report["session_bytes"] = session_bytes_;
    report["tile"] = conversion_.bundle.tile;
    const Cost cost = CountWork(conversion_.program);
    report["multiply_accumulates"] = {
        {"events", events()},
        {"context", cost.context.multiply_accumulates},
        {"event", cost.event.multiply_accumulates},
        {"candidate", cost.CandidateMultiplyAccumulates(events())},
        {"candidate_as_written",
         CountWork(conversion_.source).RepeatedMultiplyAccumulates(events())}};
    const auto measured = [&number](const DriftReport& drift) {
      return Json{{"auc_reference", number(drift.auc_reference)},
                  {"auc_bundle", number(drift.auc_bundle)},
                  {"labelled_rows", drift.labelled_rows},
                  {"top10_overlap", number(drift.top10_overlap)},
                  {"ranked_requests", drift.ranked_requests},
                  {"max_logit_error", number(drift.max_logit_error)}};
    };
    const DriftReport whole = WholeDrift();
    report["drift"] = measured(whole);
    if (has_evaluation_ && sets_.size() > 1) {
      report["worst_on"] = {{"auc", whole.auc_set},
                            {"top10_overlap", whole.overlap_set},
                            {"max_logit_error", whole.error_set}};
    }
    if (names_.size() > 1) {
      for (size_t output = 0; output < names_.size(); ++output) {
        report["drift"]["outputs"][names_[output]] = measured(drifts_[output]);
      }
    }
    const GoldenErrors errors = golden_errors_.value_or(GoldenErrors());
    report["goldens"] = {{"requests", goldens_.size()},
                         {"max_error_reference", golden_errors_ ? Json(errors.reference) : Json()},
                         {"max_error_bundle", golden_errors_ ? Json(errors.bundle) : Json()},
                         {"worst_on", errors.set},
                         {"tolerance", conversion_.bundle.golden_tolerance}};
    return report.dump(2) + "\n";
  }

  static nlohmann::ordered_json TrialJson(const PrecisionTrial& trial) {
    nlohmann::ordered_json json = {
        {"weight_bytes", trial.weight_bytes},      {"bundle_bytes", trial.bundle_bytes},
        {"memory_bytes", trial.memory_bytes},      {"auc_drop", Number(trial.auc_drop)},
        {"top10_overlap", Number(trial.overlap)},  {"rms_logit_error", trial.rms_logit_error},
        {"max_logit_error", trial.max_logit_error}};
    if (!trial.instruction_set.empty()) json["worst_on"] = trial.instruction_set;
    return json;
  }

  // Each table and layer: its type, and what each type would cost alone.
  nlohmann::ordered_json PartsJson() const {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (size_t i = 0; i < parts_.size(); ++i) {
      const PrecisionPart& part = parts_[i];
      nlohmann::ordered_json one = {{"name", part.name},
                                    {"kind", part.is_table ? "table" : "layer"},
                                    {"type", ElementTypeName(types_[i])}};
      for (size_t t = 0; t < part.types.size(); ++t) {
        const char* type = ElementTypeName(part.types[t]);
        one["bytes"][type] = part.bytes[t];
        if (search_.has_value()) one["alone"][type] = TrialJson(search_->alone[i][t]);
      }
      if (const auto found = outliers_.find(part.index);
          part.is_table && found != outliers_.end()) {
        const OutlierRows& rows = found->second;
        one["outliers"] = {
            {"rows", rows.rows},
            {"row", rows.row},
            {"column", rows.column},
            {"value", rows.value},
            {"lost", rows.lost},
            {"numbers", rows.numbers},
            {"clipped_at", part.clip.has_value() ? Number(*part.clip) : nlohmann::ordered_json()}};
      }
      json.push_back(std::move(one));
    }
    return json;
  }

  nlohmann::ordered_json SearchJson() const {
    nlohmann::ordered_json json = {{"budget", absl::GetFlag(FLAGS_budget).value_or("")},
                                   {"trials", search_->trials},
                                   {"exact", TrialJson(search_->exact)},
                                   {"chosen", TrialJson(search_->chosen)}};
    if (search_->further.has_value()) {
      json["further"] = TrialJson(search_->further->second);
      json["further"]["part"] = FurtherStep();
    }
    return json;
  }

  // "table 'movie_id' in int8"
  std::string FurtherStep() const {
    const PrecisionChoice& further = search_->further->first;
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (further[i] <= search_->choice[i]) continue;
      return absl::StrCat(parts_[i].is_table ? "table '" : "layer '", parts_[i].name, "' in ",
                          ElementTypeName(parts_[i].types[further[i]]));
    }
    return "";
  }

  void PrintSearch() const {
    const PrecisionTrial& exact = search_->exact;
    const PrecisionTrial& chosen = search_->chosen;
    printf("\n%-28s %-5s %12s   RMS logit error alone: f16, int8, int4\n", "part", "type", "bytes");
    for (size_t i = 0; i < parts_.size(); ++i) {
      const PrecisionPart& part = parts_[i];
      const auto alone = [&](schema::ElementType type) {
        const auto found = std::find(part.types.begin(), part.types.end(), type);
        if (found == part.types.end() || part.types.size() == 1) return std::string("-");
        const size_t t = static_cast<size_t>(found - part.types.begin());
        return absl::StrFormat("%.2g", search_->alone[i][t].rms_logit_error);
      };
      printf("%-28s %-5s %12s   %s, %s, %s\n", part.name.c_str(), ElementTypeName(types_[i]),
             WithCommas(part.bytes[search_->choice[i]]).c_str(),
             alone(schema::ElementType::Float16).c_str(),
             alone(schema::ElementType::Int8PerRow).c_str(),
             alone(schema::ElementType::Int4PerGroup).c_str());
      if (part.clip.has_value()) {
        printf("  %s; cut off at %g\n", Description(outliers_.at(part.index)).c_str(), *part.clip);
      }
    }
    printf(
        "tables and layers  %s bytes, %.1f %% of float32's; AUC %+.6f, top-10 overlap %.2f %%, "
        "logits off by %.3g at most (%zu trials)\n",
        WithCommas(chosen.weight_bytes).c_str(),
        100 * static_cast<double>(chosen.weight_bytes) /
            static_cast<double>(std::max<uint64_t>(1, exact.weight_bytes)),
        -chosen.auc_drop, 100 * chosen.overlap, chosen.max_logit_error, search_->trials);
    if (search_->further.has_value()) {
      const PrecisionTrial& further = search_->further->second;
      printf(
          "further            %s would save %s bytes: AUC %+.6f, overlap %.2f %%, logits off by "
          "%.3g\n",
          FurtherStep().c_str(), WithCommas(chosen.weight_bytes - further.weight_bytes).c_str(),
          -further.auc_drop, 100 * further.overlap, further.max_logit_error);
    }
  }

  // " on sse4"
  static std::string On(const std::string& set) { return set.empty() ? "" : " on " + set; }

  void Print() const {
    printf("%s: %s bytes, %s, tile %u; a session needs %s bytes\n",
           absl::GetFlag(FLAGS_out)->c_str(), WithCommas(bundle_bytes_).c_str(), precision_.c_str(),
           conversion_.bundle.tile, WithCommas(session_bytes_).c_str());
    const Cost cost = CountWork(conversion_.program);
    printf("multiply-adds   %s a candidate, %s a context, %s an event; %s a candidate as written\n",
           WithCommas(cost.CandidateMultiplyAccumulates(events())).c_str(),
           WithCommas(cost.context.multiply_accumulates).c_str(),
           WithCommas(cost.event.multiply_accumulates).c_str(),
           WithCommas(CountWork(conversion_.source).RepeatedMultiplyAccumulates(events())).c_str());
    for (size_t output = 0; output < drifts_.size(); ++output) {
      const DriftReport& own = drifts_[output];
      if (std::isnan(own.auc_reference)) continue;
      const std::string of = names_.size() == 1 ? "" : absl::StrCat(" of ", names_[output]);
      printf("%-15s %.6f in the bundle%s, %.6f in float64 (%s rows)\n",
             absl::StrCat("AUC", of).c_str(), own.auc_bundle, On(own.auc_set).c_str(),
             own.auc_reference, WithCommas(own.labelled_rows).c_str());
    }
    const DriftReport drift = WholeDrift();
    if (drift.ranked_requests > 0) {
      printf("top-10 overlap  %.2f %%%s (%s requests)\n", 100 * drift.top10_overlap,
             On(drift.overlap_set).c_str(), WithCommas(drift.ranked_requests).c_str());
    }
    if (!std::isnan(drift.max_logit_error)) {
      printf("logit error     %.3g at most%s, against float64\n", drift.max_logit_error,
             On(drift.error_set).c_str());
    }
    if (golden_errors_.has_value()) {
      printf("goldens         %.3g off at most in the bundle%s, %.3g in float64 (%s requests)\n",
             golden_errors_->bundle, On(golden_errors_->set).c_str(), golden_errors_->reference,
             WithCommas(goldens_.size()).c_str());
    }
    const bool measured = has_evaluation_ || golden_errors_.has_value();
    if (measured && sets_.size() > 1) {
      printf("measured on     %s: the worst counts\n", absl::StrJoin(sets_, ", ").c_str());
    }
    if (search_.has_value()) PrintSearch();
  }

  // That of the ranking output, but for the largest error, which is that of all.
  DriftReport WholeDrift() const {
    DriftReport whole = drifts_[0];
    for (const DriftReport& own : drifts_) {
      if (!(own.max_logit_error > whole.max_logit_error)) continue;
      whole.max_logit_error = own.max_logit_error;
      whole.error_set = own.error_set;
    }
    return whole;
  }

  std::string precision_;
  std::vector<PrecisionPart> parts_;  // With --keep or --precision auto.
  std::vector<schema::ElementType> types_;
  std::map<size_t, OutlierRows> outliers_;  // By the number of the table.
  std::optional<PrecisionSearch> search_;
  ConvertOptions options_;
  Conversion conversion_;
  InputFiles inputs_;
  std::vector<Request> goldens_;
  std::optional<GoldenErrors> golden_errors_;
  std::string worst_golden_;     // Where the bundle is farthest off.
  std::vector<Output> outputs_;  // Of the source.
  std::vector<std::string> names_;
  std::vector<std::string> sets_;    // Instruction sets, this machine's best one first.
  std::vector<DriftReport> drifts_;  // By output, the worst of all sets.
  std::vector<CheckedBound> checked_;
  std::optional<BundleFile> file_;
  bool has_evaluation_ = false;
  uint64_t bundle_bytes_ = 0;
  size_t session_bytes_ = 0;
};

// What is wrong with the flags together, or "".
std::string UsageFault() {
  const std::string precision = absl::GetFlag(FLAGS_precision).value_or("f32");
  if (precision != "f32" && precision != "f16" && precision != "int8" && precision != "auto") {
    return absl::StrCat("--precision ", precision, " is neither f32, f16, int8 nor auto");
  }
  if (precision == "auto") {
    if (!absl::GetFlag(FLAGS_evaluation).has_value()) return "--precision auto needs --evaluation";
    if (!absl::GetFlag(FLAGS_budget).has_value()) return "--precision auto needs --budget";
  } else if (absl::GetFlag(FLAGS_budget).has_value()) {
    return "--budget is of --precision auto";
  }
  if (absl::GetFlag(FLAGS_clip_outliers) && precision != "int8" && precision != "auto") {
    return "--clip-outliers is of --precision int8 and auto";
  }
  // Boosted trees alone have no other weights.
  if (!absl::GetFlag(FLAGS_weights).has_value() && !absl::GetFlag(FLAGS_trees).has_value()) {
    return "--weights is missing";
  }
  // A bound on what nothing measures would hold always.
  if (!absl::GetFlag(FLAGS_evaluation).has_value()) {
    if (absl::GetFlag(FLAGS_max_auc_drift).has_value()) return "--max-auc-drift needs --evaluation";
    if (absl::GetFlag(FLAGS_min_top10_overlap).has_value()) {
      return "--min-top10-overlap needs --evaluation";
    }
  }
  if (const auto oldest = absl::GetFlag(FLAGS_min_runtime);
      oldest.has_value() && !ParseRuntimeFormat(*oldest).has_value()) {
    return absl::StrCat("--min-runtime is '", *oldest,
                        "', expected the format of a runtime: ", schema::kFormatMajor, ".",
                        schema::kFormatMinor);
  }
  if (absl::GetFlag(FLAGS_max_golden_error).has_value() &&
      !absl::GetFlag(FLAGS_golden).has_value()) {
    return "--max-golden-error needs --golden";
  }
  return "";
}

}  // namespace

int RunConvert(const std::vector<std::string>&) {
  if (const std::string fault = UsageFault(); !fault.empty()) return FailUsage("convert", fault);
  const absl::Status status = Converter().Run();
  return status.ok() ? 0 : Fail("convert", status);
}

}  // namespace handpick::converter
