// handpick recall-eval
#include <stdio.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/machine.h"
#include "converter/cli/output.h"
#include "converter/cli/recall_flags.h"
#include "converter/cli/svg_plot.h"
#include "converter/io/files.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/io/with_commas.h"
#include "converter/recall/index_bundle.h"
#include "converter/recall/loaded_index.h"
#include "converter/recall/measure_recall.h"
#include "converter/recall/neighbours.h"
#include "converter/recall/reference.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint32_t kDefaultK = 100;
constexpr uint32_t kDefaultHeldOut = 400;

// Vectors of the index's items, as they were before, or as they are stored.
absl::StatusOr<ItemVectors> VectorsOf(const BundledIndex& bundled) {
  if (absl::GetFlag(FLAGS_vectors).has_value()) {
    HP_ASSIGN_OR_RETURN(const VectorsSource source, VectorsOfFlags());
    HP_ASSIGN_OR_RETURN(ItemVectors items, ReadItemVectors(source));
    if (items.ids.size() != bundled.ids.size() || items.dimension != bundled.index.dimension) {
      return absl::InvalidArgumentError(
          absl::StrCat(source.path, ": ", items.ids.size(), " items of ", items.dimension,
                       " numbers are not those of the index, which has ", bundled.ids.size(),
                       " of ", bundled.index.dimension));
    }
    for (size_t i = 0; i < items.ids.size(); ++i) {
      if (items.ids.Shown(i) == bundled.ids.Shown(i)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(source.path, ": item ", items.ids.Shown(i), " where the index has item ",
                       bundled.ids.Shown(i), ": its items are others"));
    }
    return items;
  }
  ItemVectors items;
  items.ids = bundled.ids;
  items.dimension = bundled.index.dimension;
  items.numbers = StoredVectors(bundled.index);
  return items;
}

struct Options {
  uint32_t k = 0;
  uint32_t held_out = 0;
  uint32_t max_probes = UINT32_MAX;
};

absl::StatusOr<Options> OptionsOfFlags() {
  Options options;
  HP_ASSIGN_OR_RETURN(options.k, KOfFlags(kDefaultK));
  HP_ASSIGN_OR_RETURN(options.held_out, HeldOutOfFlags(kDefaultHeldOut));
  options.max_probes = absl::GetFlag(FLAGS_max_probes).value_or(UINT32_MAX);
  if (options.max_probes == 0) {
    return absl::InvalidArgumentError("--max-probes is 0, expected 1 or more");
  }
  return options;
}

Json PointJson(const char* kind, uint32_t probes, const RecallMeasurement& m) {
  return {{"kind", kind},
          {"probes", probes},
          {"recall", m.recall},
          {"recall_error", m.recall_error},
          {"queries_per_second", FiniteJson(1 / m.seconds)},
          {"rows_scanned", m.rows_scanned},
          {"scans", m.scans}};
}

uint64_t BytesOfIds(const ItemIdList& ids) {
  uint64_t bytes = ids.integers.size() * sizeof(int64_t);
  for (const std::string& id : ids.strings) bytes += id.size() + sizeof(uint32_t);
  return bytes;
}

// The same rows, with nothing but an exact scan over them.
void LeaveScans(schema::RecallIndexT* index) {
  index->cells = nullptr;
  index->plane = nullptr;
  index->tables.clear();
  index->family = schema::HashFamily::Unknown;
  index->functions = index->outputs = index->values = index->rotation_width = index->probes = 0;
  index->bin_width = 0;
}

absl::StatusOr<Json> Measure(const Options& options) {
  HP_ASSIGN_OR_RETURN(BundledIndex bundled, LoadBundledIndex(*absl::GetFlag(FLAGS_bundle)));
  HP_ASSIGN_OR_RETURN(const ItemVectors items, VectorsOf(bundled));
  if (items.ids.size() == 0) {
    return absl::FailedPreconditionError("the index has no items: there is nothing to measure");
  }
  ItemVectors storage;
  HeldOutItems taken;
  HP_ASSIGN_OR_RETURN(const RecallQueries queries,
                      QueriesOfFlags(items.view(), options.held_out, &storage, &taken));
  const Progress progress = ShowProgress();
  auto neighbours =
      ExactNeighbours(items.view(), bundled.index.metric, queries, options.k, progress);
  EndProgress();
  if (!neighbours.ok()) return neighbours.status();
  // Ids are the same bytes for every index, and none when the catalog has them.
  const bool of_catalog = bundled.index.items_of_catalog;
  SetItemIds({}, &bundled.index);
  HP_ASSIGN_OR_RETURN(LoadedRecallIndex index, LoadedRecallIndex::Load(bundled.index));
  const auto count = static_cast<double>(items.ids.size());
  Json json;
  json["model"] = bundled.model;
  json["items"] = items.ids.size();
  json["dimension"] = items.dimension;
  json["metric"] = MetricName(bundled.index.metric);
  json["rows"] = RowsName(bundled.index.type);
  json["k"] = options.k;
  json["queries"] = queries.vectors.count();
  json["exact_answers_from"] = absl::GetFlag(FLAGS_vectors).value_or("the index's own rows");
  json["bytes_per_item"] = static_cast<double>(index.bytes().size()) / count;
  json["id_bytes_per_item"] = of_catalog ? 0 : static_cast<double>(BytesOfIds(bundled.ids)) / count;
  Json points = Json::array();
  const auto measure = [&](const char* kind, uint32_t probes) -> absl::Status {
    HP_ASSIGN_OR_RETURN(const RecallMeasurement m,
                        MeasureRecall(&index, queries, *neighbours, options.k, probes));
    points.push_back(PointJson(kind, probes, m));
    return absl::OkStatus();
  };
  const uint32_t own = index.index().probes;
  const uint32_t most = std::min(index.index().max_probes, options.max_probes);
  const bool is_scan = index.index().max_probes == 0 && index.index().plane.bits == 0;
  if (is_scan) {
    HP_RETURN_IF_ERROR(measure("index, a scan", 0));
  } else {
    // A plane alone has no probes.
    std::set<uint32_t> probes = {own};
    for (uint64_t p = 1; p <= most; p *= 2) probes.insert(static_cast<uint32_t>(p));
    size_t done = 0;
    for (const uint32_t p : probes) {
      progress(absl::StrCat("measuring with ", p, " probes"),
               static_cast<double>(done++) / static_cast<double>(probes.size() + 1));
      HP_RETURN_IF_ERROR(measure(p == own ? "index" : "other probes", p));
    }
    LeaveScans(&bundled.index);
    HP_ASSIGN_OR_RETURN(index, LoadedRecallIndex::Load(bundled.index));
    progress("measuring the exact scan", 1);
    HP_RETURN_IF_ERROR(measure("exact scan", 0));
    EndProgress();
  }
  json["points"] = std::move(points);
  return json;
}

std::string Text(const Json& j) {
  std::string out = absl::StrFormat(
      "%s: %s items of %d numbers, %s, %s rows, %.1f bytes an item and %.1f for its id\n"
      "%d queries, exact answers from %s\n\n  %-13s %8s %10s %16s %14s %8s\n",
      j["model"].get<std::string>(), WithCommas(j["items"].get<uint64_t>()),
      j["dimension"].get<int>(), j["metric"].get<std::string>(), j["rows"].get<std::string>(),
      j["bytes_per_item"].get<double>(), j["id_bytes_per_item"].get<double>(),
      j["queries"].get<int>(), j["exact_answers_from"].get<std::string>(), "", "probes",
      absl::StrCat("recall@", j["k"].get<uint32_t>()), "queries a second", "rows compared",
      "scans");
  for (const Json& p : j["points"]) {
    absl::StrAppendFormat(
        &out, "  %-13s %8d %10.4f %16.0f %14.0f %7.0f%%\n", p["kind"].get<std::string>(),
        p["probes"].get<uint32_t>(), p["recall"].get<double>(),
        p["queries_per_second"].is_null() ? 0.0 : p["queries_per_second"].get<double>(),
        p["rows_scanned"].get<double>(), 100 * p["scans"].get<double>());
  }
  return out;
}

std::string Svg(const Json& j) {
  Plot plot;
  plot.title = absl::StrCat(j["model"].get<std::string>(), ": recall against speed");
  plot.x_label = "queries a second, one thread";
  plot.y_label = absl::StrCat("recall@", j["k"].get<uint32_t>());
  plot.series = {{"by number of probes", true, {}},
                 {"exact scan", false, {}},
                 {"the index as it is", false, {}}};
  for (const Json& p : j["points"]) {
    if (p["queries_per_second"].is_null()) continue;
    const std::string kind = p["kind"].get<std::string>();
    const bool point_has_probes = p["probes"].get<uint32_t>() > 0;
    const PlotPoint point = {p["queries_per_second"].get<double>(), p["recall"].get<double>(),
                             absl::StrCat(kind, ", ", p["probes"].get<uint32_t>(), " probes")};
    if (point_has_probes) plot.series[0].points.push_back(point);
    if (kind == "exact scan") plot.series[1].points.push_back(point);
    if (kind == "index" || kind == "index, a scan") plot.series[2].points.push_back(point);
  }
  return PlotSvg(plot);
}

absl::Status Evaluate(const Options& options, bool as_json) {
  HP_ASSIGN_OR_RETURN(const Json json, Measure(options));
  const std::string text = as_json ? JsonText(json, 2) + "\n" : Text(json);
  fwrite(text.data(), 1, text.size(), stdout);
  HP_RETURN_IF_ERROR(FlushOutput());
  const auto plot = absl::GetFlag(FLAGS_plot);
  return plot.has_value() ? WriteFileAtomically(*plot, Svg(json)) : absl::OkStatus();
}

}  // namespace

int RunRecallEval(const std::vector<std::string>&) {
  const std::string format = absl::GetFlag(FLAGS_format).value_or("table");
  if (format != "table" && format != "json") {
    return FailUsage("recall-eval",
                     absl::StrCat("--format is '", format, "', expected table or json"));
  }
  const auto options = OptionsOfFlags();
  if (!options.ok()) return FailUsage("recall-eval", std::string(options.status().message()));
  const absl::Status status = Evaluate(*options, format == "json");
  return status.ok() ? 0 : Fail("recall-eval", status);
}

}  // namespace handpick::converter
