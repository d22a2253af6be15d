// handpick recall-index
#include <stdio.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/machine.h"
#include "converter/cli/output.h"
#include "converter/cli/recall_flags.h"
#include "converter/cli/svg_plot.h"
#include "converter/emit/emit.h"
#include "converter/graph/decode.h"
#include "converter/graph/tower_values.h"
#include "converter/io/files.h"
#include "converter/io/input_file.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/io/with_commas.h"
#include "converter/recall/builder.h"
#include "converter/recall/index_bundle.h"
#include "converter/recall/tuner.h"
#include "converter/vectors/read.h"
#include "converter/vectors/table.h"
#include "converter/vectors/value.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint32_t kDefaultK = 100;
constexpr uint32_t kDefaultHistory = 50;
constexpr double kDefaultBytes = 100;

struct Options {
  schema::RecallMetric metric = schema::RecallMetric::Cosine;
  bool metric_is_the_models = false;  // Of two towers, and nobody asked for another.
  std::string item_value;             // Of the model, that is an item's vector; "": none.
  VectorsSource vectors;
  RecallTarget target;
  uint32_t max_history = kDefaultHistory;
  RecallNames names;
};

// Flags that mean nothing, here.
absl::Status CheckFlagsOfBundle(bool has_bundle) {
  const std::pair<const char*, bool> with[] = {
      {"--table", absl::GetFlag(FLAGS_table).has_value()},
      {"--history-feature", absl::GetFlag(FLAGS_history_feature).has_value()},
      {"--candidate-feature", absl::GetFlag(FLAGS_candidate_feature).has_value()},
      {"--item-value", absl::GetFlag(FLAGS_item_value).has_value()},
      {"--towers", absl::GetFlag(FLAGS_towers)},
      {"--user-value", absl::GetFlag(FLAGS_user_value).has_value()}};
  for (const auto& [flag, given] : with) {
    if (given && !has_bundle) {
      return absl::InvalidArgumentError(
          absl::StrCat(flag, " names something of the model in --bundle, which is missing"));
    }
  }
  const std::pair<const char*, bool> without[] = {
      {"--max-history", absl::GetFlag(FLAGS_max_history).has_value()},
      {"--name", absl::GetFlag(FLAGS_name).has_value()}};
  for (const auto& [flag, given] : without) {
    if (given && has_bundle) {
      return absl::InvalidArgumentError(
          absl::StrCat(flag, " is of a bundle of an index alone; that of --bundle has its own"));
    }
  }
  if (absl::GetFlag(FLAGS_feature).has_value() && !absl::GetFlag(FLAGS_table).has_value()) {
    return absl::InvalidArgumentError("--feature leads to rows of --table, which is missing");
  }
  return absl::OkStatus();
}

absl::StatusOr<Options> OptionsOfFlags() {
  Options options;
  HP_ASSIGN_OR_RETURN(options.vectors, VectorsOfFlags());
  const bool towers = absl::GetFlag(FLAGS_towers);
  const int sources = (absl::GetFlag(FLAGS_table).has_value() ? 1 : 0) +
                      (absl::GetFlag(FLAGS_vectors).has_value() ? 1 : 0) +
                      (absl::GetFlag(FLAGS_item_value).has_value() ? 1 : 0) + (towers ? 1 : 0);
  if (sources != 1) {
    return absl::InvalidArgumentError(
        "one of --vectors, --table, --item-value and --towers says where the vectors are");
  }
  if (towers && absl::GetFlag(FLAGS_user_value).has_value()) {
    return absl::InvalidArgumentError(
        "--towers says which value is the user's; so does --user-value");
  }
  options.item_value = towers ? kItemVector : absl::GetFlag(FLAGS_item_value).value_or("");
  options.metric_is_the_models = towers && !absl::GetFlag(FLAGS_metric).has_value();
  HP_RETURN_IF_ERROR(CheckFlagsOfBundle(absl::GetFlag(FLAGS_bundle).has_value()));
  const std::string metric = absl::GetFlag(FLAGS_metric).value_or("cosine");
  options.metric = schema::RecallMetric::Unknown;
  for (const auto known : schema::EnumValuesRecallMetric()) {
    if (metric == MetricName(known)) options.metric = known;
  }
  if (options.metric == schema::RecallMetric::Unknown) {
    return absl::InvalidArgumentError(
        absl::StrCat("--metric is '", metric, "', expected cosine, inner-product or euclidean"));
  }
  RecallTarget& target = options.target;
  HP_ASSIGN_OR_RETURN(target.k, KOfFlags(kDefaultK));
  HP_ASSIGN_OR_RETURN(target.held_out, HeldOutOfFlags(target.held_out));
  target.recall = absl::GetFlag(FLAGS_recall).value_or(target.recall);
  if (!(target.recall > 0 && target.recall <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--recall is ", target.recall, ", expected more than 0, 1 at most"));
  }
  const std::string rows = absl::GetFlag(FLAGS_rows).value_or("");
  if (rows == "int8" || rows == "f32") {
    target.type = rows == "int8" ? schema::ElementType::Int8PerRow : schema::ElementType::Float32;
  } else if (!rows.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--rows is '", rows, "', expected int8 or f32"));
  }
  if (const auto family = absl::GetFlag(FLAGS_family)) {
    target.try_cells = *family == "cells";
    target.try_planes = *family == "cells" || *family == "plane";
    target.try_tables = !target.try_cells && !target.try_planes;
    for (const auto known : schema::EnumValuesHashFamily()) {
      if (known != schema::HashFamily::Unknown && *family == FamilyName(known)) {
        target.families = {known};
      }
    }
    if (target.families.empty() && target.try_tables) {
      return absl::InvalidArgumentError(
          absl::StrCat("--family is '", *family,
                       "', expected cells, plane, cross-polytope, hyperplane or e2lsh"));
    }
    if (*family == FamilyName(schema::HashFamily::CrossPolytope) &&
        options.metric == schema::RecallMetric::Euclidean) {
      return absl::InvalidArgumentError(
          "--family cross-polytope is for directions, not for --metric euclidean");
    }
    target.must_index = true;
  }
  const auto bytes = absl::GetFlag(FLAGS_bytes_per_item);
  if (bytes.has_value() && !(*bytes > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--bytes-per-item is ", *bytes, ", expected more than 0"));
  }
  target.bytes_per_item = bytes.value_or(0);
  options.max_history = absl::GetFlag(FLAGS_max_history).value_or(kDefaultHistory);
  if (options.max_history == 0) {
    return absl::InvalidArgumentError("--max-history is 0, expected 1 or more");
  }
  options.names.history = absl::GetFlag(FLAGS_history_feature).value_or("");
  options.names.candidate = absl::GetFlag(FLAGS_candidate_feature).value_or("");
  options.names.user_value = towers ? kUserVector : absl::GetFlag(FLAGS_user_value).value_or("");
  return options;
}

// The feature of the bundle that --feature names, or the catalog's key.
absl::StatusOr<size_t> FeatureOfTable(const LoadedBundle& bundle) {
  const auto name = absl::GetFlag(FLAGS_feature);
  if (name.has_value()) return FindFeature(bundle.features, schema::Side::Candidate, *name);
  if (bundle.catalog != nullptr) return size_t{bundle.catalog->key_feature};
  return absl::InvalidArgumentError(
      "the bundle has no catalog whose key would name the items: say which --feature does");
}

// The value of the model in --bundle for every item of its catalog.
absl::StatusOr<ItemVectors> ComputeVectors(const LoadedBundle& bundle, Options* options) {
  const std::string path = *absl::GetFlag(FLAGS_bundle);
  if (bundle.catalog == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": has no catalog whose items' vectors would be computed: convert with --catalog"));
  }
  HP_ASSIGN_OR_RETURN(const Graph graph, DecodeBundleInPlace(bundle.bytes.view()));
  if (options->metric_is_the_models) {
    options->metric = IsNormalized(graph, options->item_value) ? schema::RecallMetric::Cosine
                                                               : schema::RecallMetric::InnerProduct;
  }
  return VectorsOfValue(graph, *bundle.catalog, options->item_value, path);
}

absl::StatusOr<ItemVectors> ReadVectors(const LoadedBundle* bundle, Options* options) {
  if (!options->item_value.empty()) return ComputeVectors(*bundle, options);
  const auto table = absl::GetFlag(FLAGS_table);
  if (!table.has_value()) return ReadItemVectors(options->vectors);
  HP_ASSIGN_OR_RETURN(const size_t feature, FeatureOfTable(*bundle));
  return VectorsOfTable(*bundle->view, bundle->features, *table, feature,
                        *absl::GetFlag(FLAGS_bundle));
}

Json PointJson(const RecallPoint& point) {
  return {{"search", point.parameters.ToString()},
          {"rows", RowsName(point.type)},
          {"probes", point.probes},
          {"recall", point.recall},
          {"recall_error", point.recall_error},
          {"queries_per_second", FiniteJson(1 / point.seconds)},
          {"rows_scanned", point.rows_scanned},
          {"rows_estimated", point.rows_estimated},
          {"bytes_per_item", point.bytes_per_item},
          {"build_seconds", point.build_seconds}};
}

Json ReportJson(const ItemVectors& items, const Options& options, const TunedRecall& tuned) {
  Json curve = Json::array();
  for (const RecallPoint& point : tuned.curve) curve.push_back(PointJson(point));
  return {{"items", items.ids.size()},
          {"dimension", items.dimension},
          {"metric", MetricName(options.metric)},
          {"target",
           {{"k", options.target.k},
            {"recall", options.target.recall},
            {"bytes_per_item", options.target.bytes_per_item}}},
          {"chosen", PointJson(tuned.chosen)},
          {"curve", std::move(curve)}};
}

std::string CurveSvg(const Options& options, const TunedRecall& tuned) {
  Plot plot;
  plot.title = "What the tuner measured";
  plot.x_label = "queries a second, one thread";
  plot.y_label = absl::StrCat("recall@", options.target.k);
  plot.series = {{"measured", false, {}}, {"exact scan", false, {}}, {"chosen", false, {}}};
  const auto add = [&](size_t series, const RecallPoint& point) {
    plot.series[series].points.push_back({1 / point.seconds, point.recall, point.ToString()});
  };
  for (const RecallPoint& point : tuned.curve) add(point.parameters.is_exact() ? 1 : 0, point);
  add(2, tuned.chosen);
  return PlotSvg(plot);
}

// --bundle, if it is one that an index can be put into.
absl::StatusOr<LoadedBundle> LoadModel(const std::string& path) {
  // New hashes over damaged bytes would hide the damage for ever.
  HP_ASSIGN_OR_RETURN(LoadedBundle bundle, LoadUndamagedBundle(path));
  if (bundle.info.has_model == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": has no model to put an index beside; without --bundle an index stands "
                     "alone"));
  }
  if (bundle.info.format_minor > kFormatMinor) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": its format is ", bundle.info.format_major, ".",
                     bundle.info.format_minor, ", this handpick writes ", kFormatMajor, ".",
                     kFormatMinor, ": what it does not know of would be lost"));
  }
  return bundle;
}

double DefaultBytes(const ItemVectors& items, schema::ElementType type) {
  const double row = (type == schema::ElementType::Float32 ? 4.0 : 1.0) * items.dimension;
  // Of a small catalog, what an index has once counts, too.
  return std::max(kDefaultBytes, 1.5 * row) + 4096.0 / static_cast<double>(items.ids.size());
}

// What the index has to do with the model, for people.
std::string ModelText(const schema::BundleT& bundle, const ItemIdList& ids) {
  const schema::RecallIndexT& index = *bundle.recall;
  const auto name = [&](int32_t feature) {
    return feature < 0
               ? std::string("none")
               : absl::StrCat("'", bundle.features[static_cast<size_t>(feature)]->name, "'");
  };
  std::string text = absl::StrCat(
      "an event's item: ", name(index.history_feature),
      "; a candidate's id: ", name(index.candidate_feature), "; the model's vector of the user: ",
      index.user_value < 0
          ? std::string("none")
          : absl::StrCat("'", bundle.values[static_cast<size_t>(index.user_value)]->name, "'"));
  if (bundle.catalog != nullptr) {
    absl::StrAppend(&text, "\n", WithCommas(CountInCatalog(ids, *bundle.catalog)), " of ",
                    WithCommas(ids.size()), " items are in the catalog, which has ",
                    WithCommas(bundle.catalog->item_count));
  }
  return text;
}

// The files of the flags join those that the model was made from. Files of an index that was there
// before are forgotten with it.
absl::Status AddInputs(const Options& options, schema::ManifestT* manifest) {
  const auto files_of =
      [](const VectorsSource& source) -> absl::StatusOr<std::vector<std::string>> {
    if (source.path.empty()) return std::vector<std::string>();
    return FilesOfVectors(source);
  };
  VectorsSource asked;
  asked.path = absl::GetFlag(FLAGS_queries).value_or("");
  HP_ASSIGN_OR_RETURN(const std::vector<std::string> vectors, files_of(options.vectors));
  HP_ASSIGN_OR_RETURN(const std::vector<std::string> queries, files_of(asked));
  const std::pair<const char*, std::vector<std::string>> files[] = {
      {"bundle", {absl::GetFlag(FLAGS_bundle).value_or("")}},
      {"vectors", vectors},
      {"ids", {options.vectors.ids_path}},
      {"queries", queries}};
  InputFiles& inputs = manifest->inputs;
  for (const auto& [role, paths] : files) {
    inputs.erase(std::remove_if(inputs.begin(), inputs.end(),
                                [role = role](const auto& input) { return input->role == role; }),
                 inputs.end());
    for (const std::string& path : paths) {
      if (path.empty()) continue;
      HP_RETURN_IF_ERROR(AddInputFile(role, path, &inputs));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BytesOf(const schema::BundleT& bundle) {
  HP_ASSIGN_OR_RETURN(std::string bytes, Serialize(bundle));
  const AlignedBytes aligned(bytes);
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_error error = {};
  if (hp_bundle_inspect(aligned.data(), aligned.size(), &info, &error) != HP_OK) {
    return absl::InternalError(absl::StrCat("the runtime refuses the result: ", error.message));
  }
  return bytes;
}

std::string SearchText(const RecallPoint& point) {
  if (point.parameters.is_exact()) return "exact scan";
  if (point.parameters.plane_bits != 0 && point.parameters.cells == 0) {
    return point.parameters.ToString();
  }
  return absl::StrCat(point.parameters.ToString(), ", ", point.probes, " probes");
}

absl::Status MakeIndex(Options options) {
  const std::string out = *absl::GetFlag(FLAGS_out);
  const auto bundle_path = absl::GetFlag(FLAGS_bundle);
  LoadedBundle loaded;
  if (bundle_path.has_value()) {
    HP_ASSIGN_OR_RETURN(loaded, LoadModel(*bundle_path));
  }
  HP_ASSIGN_OR_RETURN(const ItemVectors items, ReadVectors(&loaded, &options));
  const std::string why = WhyStrings(items.ids);
  if (!why.empty() && options.vectors.ids != IdType::kString) Note("recall-index", why);
  schema::BundleT bundle;
  if (bundle_path.has_value()) {
    loaded.view->UnPackTo(&bundle);
    bundle.signature = nullptr;  // It is of other bytes.
    // Names are checked before the long work.
    schema::RecallIndexT blank;
    blank.dimension = items.dimension;
    HP_RETURN_IF_ERROR(PutRecallIndex(std::move(blank), items.ids, options.names, &bundle));
  }
  if (options.target.bytes_per_item == 0) {
    options.target.bytes_per_item = DefaultBytes(items, options.target.type);
  }
  ItemVectors storage;
  RecallQueries queries;
  if (absl::GetFlag(FLAGS_queries).has_value()) {
    HeldOutItems none;
    HP_ASSIGN_OR_RETURN(queries, QueriesOfFlags(items.view(), 0, &storage, &none));
  }
  auto tuned =
      TuneRecallIndex(items.view(), options.metric, options.target, queries, ShowProgress());
  EndProgress();
  if (!tuned.ok()) return tuned.status();

  if (bundle_path.has_value()) {
    HP_RETURN_IF_ERROR(PutRecallIndex(std::move(tuned->index), items.ids, options.names, &bundle));
  } else {
    hp_build_info build = HP_BUILD_INFO_INIT;
    hp_get_build_info(&build);
    bundle = BundleOfIndex(std::move(tuned->index), items.ids,
                           absl::GetFlag(FLAGS_name).value_or("recall"), options.max_history);
    bundle.manifest = std::make_unique<schema::ManifestT>();
    bundle.manifest->producer = absl::StrCat("handpick ", build.version);
  }
  // A model may come without either.
  if (bundle.manifest == nullptr) bundle.manifest = std::make_unique<schema::ManifestT>();
  if (bundle.integrity == nullptr) bundle.integrity = std::make_unique<schema::IntegrityT>();
  HP_RETURN_IF_ERROR(AddInputs(options, bundle.manifest.get()));
  HP_ASSIGN_OR_RETURN(const std::string bytes, BytesOf(bundle));
  std::vector<AtomicFile> files;
  const auto write = [&](const std::string& path, absl::string_view text) {
    HP_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
    files.push_back(std::move(file));
    return files.back().WriteAt(0, text);
  };
  if (const auto report = absl::GetFlag(FLAGS_report)) {
    HP_RETURN_IF_ERROR(write(*report, JsonText(ReportJson(items, options, *tuned), 2) + "\n"));
  }
  if (const auto plot = absl::GetFlag(FLAGS_plot)) {
    HP_RETURN_IF_ERROR(write(*plot, CurveSvg(options, *tuned)));
  }
  HP_RETURN_IF_ERROR(write(out, bytes));
  const RecallPoint& chosen = tuned->chosen;
  printf("%s: %s bytes; %s items of %u numbers, %s, %s rows\n", out.c_str(),
         WithCommas(bytes.size()).c_str(), WithCommas(items.ids.size()).c_str(), items.dimension,
         MetricName(options.metric), RowsName(chosen.type));
  printf("%s: recall@%u %.4f, %.0f queries a second, %.1f bytes an item\n",
         SearchText(chosen).c_str(), options.target.k, chosen.recall, 1 / chosen.seconds,
         chosen.bytes_per_item);
  if (bundle_path.has_value()) printf("%s\n", ModelText(bundle, items.ids).c_str());
  HP_RETURN_IF_ERROR(FlushOutput());
  std::vector<AtomicFile*> committed;
  for (AtomicFile& file : files) committed.push_back(&file);
  return AtomicFile::CommitAll(committed);
}

}  // namespace

int RunRecallIndex(const std::vector<std::string>&) {
  const absl::StatusOr<Options> options = OptionsOfFlags();
  if (!options.ok()) return FailUsage("recall-index", std::string(options.status().message()));
  const absl::Status status = MakeIndex(*options);
  return status.ok() ? 0 : Fail("recall-index", status);
}

}  // namespace handpick::converter
