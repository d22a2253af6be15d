#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "converter/cli/inspect_parts.h"
#include "converter/cli/machine.h"
#include "converter/cli/recall_flags.h"

namespace handpick::converter {

Json CatalogJson(const LoadedBundle& loaded) {
  Json json = {{"items", loaded.info.catalog_items}};
  if (loaded.catalog != nullptr) {
    json["key"] = loaded.features.features[loaded.catalog->key_feature]->name;
    Json columns = Json::array();
    for (const auto& column : loaded.catalog->columns) {
      columns.push_back(loaded.features.features[column->feature]->name);
    }
    json["features"] = std::move(columns);
  }
  return json;
}

std::string CatalogText(const Json& catalog) {
  if (!catalog.contains("key")) return "";
  return absl::StrFormat("\nCatalog of %s items by '%s': %s\n", Commas(catalog["items"]),
                         catalog["key"].get<std::string>(),
                         absl::StrJoin(catalog["features"].get<std::vector<std::string>>(), ", "));
}

uint64_t RecallBytes(const schema::RecallIndex* r) {
  if (r == nullptr) return 0;
  uint64_t bytes = BytesOf(r->rows()) + BytesOf(r->scale_codes()) + BytesOf(r->squared_norms()) +
                   BytesOf(r->items()) + BytesOf(r->positions());
  if (const auto* cells = r->cells()) {
    bytes += BytesOf(cells->begins()) + BytesOf(cells->rows()) + BytesOf(cells->scale_codes()) +
             BytesOf(cells->squared_norms());
  }
  if (const auto* plane = r->plane()) {
    bytes += BytesOf(plane->signs()) + BytesOf(plane->codes()) + BytesOf(plane->factors());
  }
  if (r->tables() == nullptr) return bytes;
  for (const auto* t : *r->tables()) {
    bytes += BytesOf(t->signs()) + BytesOf(t->offsets()) + BytesOf(t->bucket_begins()) +
             BytesOf(t->positions());
  }
  return bytes;
}

uint64_t RecallIdBytes(const schema::RecallIndex* r) {
  return r == nullptr ? 0
                      : BytesOf(r->item_ids()) + BytesOf(r->item_string_offsets()) +
                            BytesOf(r->item_string_bytes());
}

Json RecallJson(const LoadedBundle& loaded) {
  const schema::Bundle& bundle = *loaded.view;
  const schema::RecallIndex* r = bundle.recall();
  if (r == nullptr) return nullptr;
  const auto feature = [&](int32_t number) {
    return number < 0 ? Json() : Json(loaded.features.features[static_cast<size_t>(number)]->name);
  };
  const bool strings = BytesOf(r->item_string_offsets()) != 0 ||
                       (r->items_of_catalog() && !loaded.catalog->string_offsets.empty());
  const uint32_t tables = r->tables() == nullptr ? 0 : r->tables()->size();
  uint64_t buckets = 0;
  if (tables != 0) buckets = r->tables()->Get(0)->bucket_begins()->size() - 1;
  const double items = std::max(1u, r->item_count());
  const auto* user = r->user_value() < 0
                         ? nullptr
                         : bundle.values()->Get(static_cast<uint32_t>(r->user_value()))->name();
  Json json;
  json["items"] = r->item_count();
  json["dimension"] = r->dimension();
  json["metric"] = MetricName(r->metric());
  json["rows"] = RowsName(r->type());
  json["ids"] = {{"type", strings ? "strings" : "integers"},
                 {"of_catalog", r->items_of_catalog()},
                 {"bytes", RecallIdBytes(r)}};
  json["family"] = tables == 0 ? "none" : FamilyName(r->family());
  json["tables"] = tables;
  json["functions"] = r->functions();
  json["outputs"] = r->outputs();
  json["values"] = r->values();
  json["bin_width"] = r->bin_width();
  json["buckets"] = buckets;
  const uint32_t cells = r->cells() == nullptr ? 0 : r->cells()->begins()->size() - 1;
  json["probes"] = cells == 0 ? r->probes() : r->cells()->probes();
  json["cells"] = cells;
  json["plane_bits"] = r->plane() == nullptr ? 0 : int{r->plane()->bits()};
  json["plane_deviations"] = r->plane() == nullptr ? Json() : FiniteJson(r->plane()->deviations());
  json["bytes"] = RecallBytes(r);
  json["bytes_per_item"] = static_cast<double>(RecallBytes(r)) / items;
  json["history_feature"] = feature(r->history_feature());
  json["candidate_feature"] = feature(r->candidate_feature());
  json["user_value"] = r->user_value() < 0 ? Json() : Json(user == nullptr ? "" : user->str());
  json["measured_k"] = r->measured_k();
  json["measured_recall"] = FiniteJson(r->measured_recall());
  return json;
}

std::string RecallText(const Json& r) {
  if (r.is_null()) return "";
  const auto quoted = [](const Json& name) {
    return name.is_null() ? std::string("none") : absl::StrCat("'", name.get<std::string>(), "'");
  };
  std::string out = absl::StrFormat(
      "\nRecall index of %s items: %s vectors of %s numbers, %s; %.1f bytes an item\n",
      Commas(r["items"]), r["rows"].get<std::string>(), Commas(r["dimension"]),
      r["metric"].get<std::string>(), r["bytes_per_item"].get<double>());
  absl::StrAppendFormat(&out, "  ids                %s, %s\n", r["ids"]["type"].get<std::string>(),
                        r["ids"]["of_catalog"].get<bool>()
                            ? std::string("the catalog's")
                            : absl::StrCat(Commas(r["ids"]["bytes"]), " bytes"));
  if (r["tables"] == 0) {
    std::string search = r["cells"] == 0 ? "" : absl::StrCat(Commas(r["cells"]), " cells");
    if (r["plane_bits"] != 0) {
      absl::StrAppendFormat(&search, "%sa plane of %d bits, %g deviations",
                            search.empty() ? "" : ", ", r["plane_bits"].get<int>(),
                            r["plane_deviations"].get<double>());
    }
    if (search.empty()) search = "exact scan";
    absl::StrAppend(&out, "  search             ", search, "\n");
    if (r["cells"] != 0) {
      absl::StrAppendFormat(&out, "  probes             %s of the cells\n", Commas(r["probes"]));
    }
  } else {
    absl::StrAppendFormat(
        &out,
        "  search             %s, tables %s, functions %s, outputs %s, values %s%s\n"
        "  probes             %s of the %s buckets of a table\n",
        r["family"].get<std::string>(), Commas(r["tables"]), Commas(r["functions"]),
        Commas(r["outputs"]), Commas(r["values"]),
        r["bin_width"] == 0.0 ? std::string()
                              : absl::StrFormat(", w %g", r["bin_width"].get<double>()),
        Commas(r["probes"]), Commas(r["buckets"]));
  }
  if (r["measured_k"] != 0 && !r["measured_recall"].is_null()) {
    absl::StrAppendFormat(&out, "  measured           recall@%s %.4f\n", Commas(r["measured_k"]),
                          r["measured_recall"].get<double>());
  }
  absl::StrAppend(&out, "  an event's item    ", quoted(r["history_feature"]), "\n");
  absl::StrAppend(&out, "  a candidate's id   ", quoted(r["candidate_feature"]), "\n");
  absl::StrAppend(&out, "  the user's vector  ", quoted(r["user_value"]), "\n");
  return out;
}

}  // namespace handpick::converter
