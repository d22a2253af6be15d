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
#include "converter/cli/convert_output.h"
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
    result_.precision = absl::GetFlag(FLAGS_precision).value_or("f32");
    options_.precision = result_.precision == "int8"  ? schema::Precision::Int8
                         : result_.precision == "f16" ? schema::Precision::Float16
                                                      : schema::Precision::Float32;
    options_.tile = absl::GetFlag(FLAGS_tile).value_or(0);
    HP_ASSIGN_OR_RETURN(
        result_.sets, ParseInstructionSets(absl::GetFlag(FLAGS_instruction_sets).value_or("all")));
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
    HP_ASSIGN_OR_RETURN(result_.conversion, Convert(spec, archive, options_));
    progress.reset();
    if (const auto oldest = absl::GetFlag(FLAGS_min_runtime)) {
      HP_RETURN_IF_ERROR(CheckMinRuntime(result_.conversion.bundle, *ParseRuntimeFormat(*oldest)));
    }
    outputs_ = result_.conversion.source.Outputs();
    for (const Output& output : outputs_) result_.names.push_back(output.name);
    for (const std::string& notice : result_.conversion.source.notices) {
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
    if (!is_float32() && !absl::GetFlag(FLAGS_evaluation).has_value()) {
      Note("convert",
           "accuracy was not measured: give --evaluation, rows with labels, to see what fewer bits "
           "do to the ranking");
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
  const FeatureSet& features() const { return *result_.conversion.source.features; }
  const schema::CatalogT* catalog() const { return result_.conversion.bundle.catalog.get(); }
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
    result_.conversion.bundle.catalog = *std::move(built);
    return absl::OkStatus();
  }

  absl::Status AddGoldens() {
    const std::optional<std::string> path = absl::GetFlag(FLAGS_golden);
    if (!path.has_value()) return absl::OkStatus();
    HP_ASSIGN_OR_RETURN(result_.goldens, ReadRequests(*path, features()));
    HP_RETURN_IF_ERROR(AddInputFile("goldens", *path, &inputs_));
    if (result_.goldens.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(*path, ": has no request"));
    }
    for (size_t i = 0; i < result_.goldens.size(); ++i) {
      auto golden = BuildGolden(result_.goldens[i], features(), outputs_);
      if (!golden.ok()) {
        return absl::Status(golden.status().code(), absl::StrCat(*path, ": request ", i + 1, ": ",
                                                                 golden.status().message()));
      }
      result_.conversion.bundle.goldens.push_back(*std::move(golden));
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
    for (size_t set = 0; set < result_.sets.size(); ++set) {
      const OnInstructionSet held(result_.sets[set]);
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
    const SharedInterpreter reference(result_.conversion.rewritten);
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
      if (std::find(result_.names.begin(), result_.names.end(), name) != result_.names.end())
        continue;
      return absl::InvalidArgumentError(absl::StrCat("labels: there is no output '", name,
                                                     "'; the model has ",
                                                     absl::StrJoin(result_.names, ", ")));
    }
    HP_ASSIGN_OR_RETURN(const LogitsOfOutputs bundle, BundleLogits(request, session));
    for (size_t output = 0; output < result_.names.size(); ++output) {
      const auto own = request.output_labels.find(result_.names[output]);
      std::vector<float> labels =
          own == request.output_labels.end() ? std::vector<float>() : own->second;
      if (output == 0 && !request.labels.empty()) labels = request.labels;
      (*meters)[output].Add(reference[output], bundle[output], labels);
    }
    return absl::OkStatus();
  }

  // Tables that 8 bits would spoil, by the number of the table.
  void FindOutlierRows() {
    for (size_t i = 0; i < result_.conversion.rewritten.tables.size(); ++i) {
      const auto found = FindOutliers(*result_.conversion.rewritten.tables[i]);
      if (found.has_value()) result_.outliers.emplace(i, *found);
    }
  }

  // Nobody should ship such rows without knowing: said even if --quiet.
  void WarnOfOutliers() const {
    for (const auto& [table, rows] : result_.outliers) {
      const std::string& name = result_.conversion.rewritten.tables[table]->name;
      const auto& kept = result_.conversion.program.tables;
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
    return std::any_of(result_.parts.begin(), result_.parts.end(),
                       [table](const PrecisionPart& part) {
                         return part.is_table && part.index == table && part.clip.has_value();
                       });
  }

  // A type for each table and layer, where --keep or --precision auto says so.
  absl::Status ChoosePrecisions() {
    const std::optional<std::string> keep = absl::GetFlag(FLAGS_keep);
    const bool clips = absl::GetFlag(FLAGS_clip_outliers);
    if (is_int8() || result_.precision == "auto" || keep.has_value()) FindOutlierRows();
    if (!keep.has_value() && result_.precision != "auto" && !clips) return absl::OkStatus();
    result_.parts = PrecisionParts(result_.conversion.rewritten);
    if (clips) {
      for (PrecisionPart& part : result_.parts) Clip(&part);
    }
    if (keep.has_value()) HP_RETURN_IF_ERROR(KeepParts(*keep, &result_.parts));
    PrecisionChoice choice(result_.parts.size(), 0);
    if (result_.precision == "auto") {
      HP_RETURN_IF_ERROR(Search());
      choice = result_.search->choice;
    } else {
      const schema::ElementType wanted = is_int8()      ? schema::ElementType::Int8PerRow
                                         : is_float32() ? schema::ElementType::Float32
                                                        : schema::ElementType::Float16;
      for (size_t i = 0; i < result_.parts.size(); ++i) {
        const auto& types = result_.parts[i].types;
        const auto found = std::find(types.begin(), types.end(), wanted);
        if (found != types.end()) choice[i] = static_cast<size_t>(found - types.begin());
      }
    }
    for (size_t i = 0; i < result_.parts.size(); ++i)
      result_.types.push_back(result_.parts[i].types[choice[i]]);
    options_.precision = PrecisionOf(result_.types);
    return Quantize(result_.types, options_, &result_.conversion);
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
    HP_RETURN_IF_ERROR(Requantize(result_.parts, types, options, conversion));
    conversion->bundle.catalog = std::move(catalog);
    return absl::OkStatus();
  }

  // What the search measures on: each request with the float64 logits of the output that ranks.
  struct Measured {
    Request request;
    std::vector<double> reference;
  };

  void Clip(PrecisionPart* part) const {
    const auto found = part->is_table ? result_.outliers.find(part->index) : result_.outliers.end();
    if (found != result_.outliers.end() && found->second.level > 0)
      part->clip = found->second.level;
  }

  // Of each table with outliers: whether they are cut off, by what is nearer to float64 where that
  // table alone is in its smallest type.
  absl::Status ChooseClips(const ConvertOptions& options, const std::vector<Measured>& rows) {
    for (size_t i = 0; i < result_.parts.size(); ++i) {
      PrecisionPart& part = result_.parts[i];
      if (part.types.size() < 2 || part.clip.has_value()) continue;
      Clip(&part);
      if (!part.clip.has_value()) continue;
      PrecisionChoice choice(result_.parts.size(), 0);
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
    ProgressLine progress("measuring", "choices", 3 * result_.parts.size());
    absl::StatusOr<PrecisionSearch> found =
        SearchPrecision(result_.parts, budget, [&](const PrecisionChoice& choice) {
          progress.MoveTo(++trials);
          return Try(choice, options, rows);
        });
    if (!found.ok()) return found.status();
    result_.search = *std::move(found);
    return absl::OkStatus();
  }

  absl::StatusOr<PrecisionTrial> Try(const PrecisionChoice& choice, ConvertOptions options,
                                     const std::vector<Measured>& rows) {
    std::vector<schema::ElementType> types;
    for (size_t i = 0; i < result_.parts.size(); ++i)
      types.push_back(result_.parts[i].types[choice[i]]);
    options.precision = PrecisionOf(types);
    HP_RETURN_IF_ERROR(Quantize(types, options, &result_.conversion));
    HP_ASSIGN_OR_RETURN(const std::string bytes, Serialize(result_.conversion.bundle));
    PrecisionTrial trial;
    for (size_t set = 0; set < result_.sets.size(); ++set) {
      const OnInstructionSet held(result_.sets[set]);
      HP_ASSIGN_OR_RETURN(PrecisionTrial own, TryHere(bytes, rows));
      if (result_.sets.size() > 1) own.instruction_set = result_.sets[set];
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
      const auto own = row.request.output_labels.find(result_.names[0]);
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
    HP_ASSIGN_OR_RETURN(BundleImage image, BundleImage::Make(result_.conversion.bundle,
                                                             result_.conversion.program.tables));
    constexpr uint64_t kMegabyte = 1'000'000;
    ProgressLine progress("writing", "MB", image.size() / kMegabyte);
    uint64_t written = 0;
    HP_RETURN_IF_ERROR(file_->Write(&image, [&](uint64_t bytes) {
      written += bytes;
      progress.MoveTo(written / kMegabyte);
    }));
    result_.bundle_bytes = image.size();
    return absl::OkStatus();
  }

  absl::Status Measure() {
    const std::string paths = absl::GetFlag(FLAGS_evaluation).value_or("");
    HP_ASSIGN_OR_RETURN(file_, BundleFile::Create(*absl::GetFlag(FLAGS_out)));
    if (!result_.goldens.empty() || !paths.empty()) {
      // Any tolerance will do until the errors are known. One that takes as many bytes as the last
      // (none, if it is the default) leaves the rows of tables where they are.
      if (!result_.goldens.empty()) {
        const double bound =
            is_float32() ? absl::GetFlag(FLAGS_max_golden_error).value_or(kDefaultMaxGoldenError)
                         : kLeastInt8GoldenTolerance;
        if (std::isnormal(bound) && bound > 0 && bound <= double{schema::kMaxGoldenTolerance}) {
          result_.conversion.bundle.golden_tolerance = static_cast<float>(bound);
        }
      }
      HP_RETURN_IF_ERROR(WriteFile());
    }
    if (!result_.goldens.empty()) HP_RETURN_IF_ERROR(MeasureGoldens());
    std::vector<std::vector<DriftMeter>> meters(result_.sets.size());  // By set and output.
    for (auto& of_set : meters) of_set.resize(result_.names.size());
    for (const absl::string_view name : absl::StrSplit(paths, ',', absl::SkipEmpty())) {
      const std::string path(name);
      HP_ASSIGN_OR_RETURN(const std::vector<Request> requests, ReadRequests(path, features()));
      HP_RETURN_IF_ERROR(AddInputFile("evaluation", path, &inputs_));
      HP_RETURN_IF_ERROR(MeasureRequests(path, requests, &meters));
      result_.has_evaluation = true;
    }
    for (size_t output = 0; output < result_.names.size(); ++output) {
      std::vector<DriftReport> reports;
      for (const auto& of_set : meters) reports.push_back(of_set[output].Report());
      result_.drifts.push_back(WorstOf(reports, result_.sets));
    }
    return absl::OkStatus();
  }

  absl::Status MeasureGoldens() {
    const std::string path = *absl::GetFlag(FLAGS_golden);
    GoldenErrors errors;
    std::vector<LogitsOfOutputs> expected;
    for (size_t i = 0; i < result_.goldens.size(); ++i) {
      const absl::StatusOr<ResolvedRequest> resolved =
          ResolveRequest(result_.goldens[i], features(), catalog());
      HP_RETURN_IF_ERROR(At(path, i, resolved.status()));
      const LogitsOfOutputs reference = EvaluateOutputs(result_.conversion.source, *resolved);
      HP_ASSIGN_OR_RETURN(LogitsOfOutputs own, TrainersLogits(result_.goldens[i], outputs_));
      for (size_t output = 0; output < own.size(); ++output) {
        errors.reference = std::max(errors.reference, LargestError(reference[output], own[output]));
      }
      expected.push_back(std::move(own));
    }
    ProgressLine progress("replaying", "golden requests",
                          result_.sets.size() * result_.goldens.size());
    HP_RETURN_IF_ERROR(OnEachSet([&](size_t set, BundleSession* session) -> absl::Status {
      for (size_t i = 0; i < result_.goldens.size(); ++i) {
        const absl::StatusOr<LogitsOfOutputs> bundle = BundleLogits(result_.goldens[i], session);
        HP_RETURN_IF_ERROR(At(path, i, bundle.status()));
        for (size_t output = 0; output < expected[i].size(); ++output) {
          const double own = LargestError((*bundle)[output], expected[i][output]);
          if (!(own > errors.bundle)) continue;
          errors.bundle = own;
          if (result_.sets.size() > 1) errors.set = result_.sets[set];
          worst_golden_ = WorstGolden(i, output, *bundle, expected[i]);
        }
        progress.Advance();
      }
      return absl::OkStatus();
    }));
    result_.golden_errors = errors;
    return absl::OkStatus();
  }

  absl::Status MeasureRequests(const std::string& path, const std::vector<Request>& requests,
                               std::vector<std::vector<DriftMeter>>* meters) {
    std::vector<LogitsOfOutputs> references;
    ProgressLine progress("measuring", absl::StrCat("requests of ", path),
                          (1 + result_.sets.size()) * requests.size());
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
        result_.names.size() == 1 ? "" : absl::StrCat(", output ", result_.names[output]),
        expected[output][worst], bundle[output][worst]);
  }

  // What can be told about goldens that the float64 reference is off.
  std::string Explanation(const Archive& archive) const {
    if (!result_.golden_errors.has_value() ||
        result_.golden_errors->reference <= kDefaultMaxGoldenError)
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
        std::any_of(result_.drifts.begin(), result_.drifts.end(),
                    [](const DriftReport& drift) { return !std::isnan(drift.auc_reference); });
    if (result_.has_evaluation && !bounds.max_auc_drift.has_value() && has_labels) {
      bounds.max_auc_drift = kDefaultMaxAucDrift;
    }
    if (result_.drifts[0].ranked_requests > 0 && !bounds.min_top10_overlap.has_value()) {
      bounds.min_top10_overlap = kDefaultMinTop10Overlap;
    }
    if (result_.golden_errors.has_value() || golden.has_value()) {
      bounds.max_bundle_golden_error = golden;
      bounds.max_reference_golden_error = std::max(golden.value_or(0), kDefaultMaxGoldenError);
      if (is_float32()) bounds.max_bundle_golden_error = golden.value_or(kDefaultMaxGoldenError);
    }
    result_.checked = CheckBounds(bounds, result_.drifts, result_.names, result_.golden_errors);
    const std::vector<CheckedBound> broken = Broken(result_.checked);
    if (!broken.empty()) {
      std::vector<std::string> messages;
      for (const CheckedBound& bound : broken) {
        messages.push_back(absl::StrCat(bound.name, ": ", bound.message));
        if (result_.golden_errors.has_value() && bound.of == "bundle" &&
            result_.golden_errors->reference <= kDefaultMaxGoldenError) {
          messages.push_back(worst_golden_);
        }
      }
      return absl::FailedPreconditionError(absl::StrCat(
          absl::StrJoin(messages, "\n  "), Explanation(weights), "\n  No bundle was written."));
    }
    if (result_.golden_errors.has_value()) {
      // A device rounds a little differently from this machine. In fewer bits the distance from the
      // trainer is the rounding's, so what was measured is what can be demanded.
      double tolerance = bounds.max_bundle_golden_error.value_or(
          std::max(is_int8() ? kLeastInt8GoldenTolerance : kDefaultMaxGoldenError,
                   2 * result_.golden_errors->bundle));
      if (!(tolerance <= double{schema::kMaxGoldenTolerance})) {
        return absl::FailedPreconditionError(
            absl::StrCat("goldens: a tolerance of ", tolerance,
                         " would let any difference pass, expected at most ",
                         schema::kMaxGoldenTolerance, ".\n  No bundle was written."));
      }
      result_.conversion.bundle.golden_tolerance = static_cast<float>(tolerance);
    }
    if (result_.has_evaluation)
      result_.conversion.bundle.manifest->drift = WholeDrift(result_).ToSchema();
    if (result_.has_evaluation || result_.golden_errors.has_value()) {
      result_.conversion.bundle.manifest->gate = GateJson(result_).dump();
    }
    return absl::OkStatus();
  }

  absl::Status Write() {
    result_.conversion.bundle.manifest->inputs = std::move(inputs_);
    // What is kept was opened by the runtime once, as it is.
    HP_RETURN_IF_ERROR(WriteFile());
    {
      HP_ASSIGN_OR_RETURN(MappedBytes mapped, file_->Map());
      HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session,
                          BundleSession::OpenMapped(std::move(mapped)));
      result_.session_bytes = session->session_bytes();
    }
    std::vector<AtomicFile*> files;
    std::optional<AtomicFile> report;
    if (const auto path = absl::GetFlag(FLAGS_report); path.has_value()) {
      HP_ASSIGN_OR_RETURN(report, AtomicFile::Create(*path));
      HP_RETURN_IF_ERROR(report->WriteAt(0, ConversionReport(result_)));
      files.push_back(&*report);
    }
    files.push_back(file_->file());
    PrintConversion(result_);
    HP_RETURN_IF_ERROR(FlushOutput());
    return AtomicFile::CommitAll(files);
  }

  ConvertOptions options_;
  InputFiles inputs_;
  std::string worst_golden_;     // Where the bundle is farthest off.
  std::vector<Output> outputs_;  // Of the source.
  std::optional<BundleFile> file_;
  ConversionResult result_;
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
