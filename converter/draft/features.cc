#include "converter/draft/features.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/json_text.h"
#include "converter/spec/questions.h"

namespace handpick::converter {
namespace {

class Builder {
 public:
  Builder(const GoldenText* goldens, const std::map<std::string, int64_t>& rows,
          const std::vector<std::string>& tables, bool pads, bool is_history_pooled)
      : goldens_(goldens),
        rows_(rows),
        tables_(tables),
        pads_(pads),
        is_history_pooled_(is_history_pooled) {}

  DraftFeatures Build(const Json& given) {
    result_.has_given_order = given.is_array() && !given.empty();
    if (given.is_array()) {
      for (const Json& feature : given) Add(feature);
    }
    if (goldens_ != nullptr) {
      for (const ObservedFeature& observed : goldens_->features) {
        if (!IsThere(observed)) Add({{"name", observed.name}, {"side", observed.side}});
      }
    }
    // Without either, a table is a feature.
    if (result_.features.empty()) {
      for (const std::string& table : tables_) Add({{"name", table}});
    }
    return std::move(result_);
  }

 private:
  bool IsThere(const ObservedFeature& observed) const {
    return std::any_of(result_.features.begin(), result_.features.end(),
                       [&](const DraftFeature& feature) {
                         return TextAt(feature.json, "name") == observed.name &&
                                (feature.side.empty() || feature.side == observed.side);
                       });
  }

  const ObservedFeature* Observed(const std::string& name, const std::string& side) const {
    if (goldens_ == nullptr) return nullptr;
    const ObservedFeature* found = nullptr;
    for (const ObservedFeature& observed : goldens_->features) {
      if (observed.name != name || (!side.empty() && observed.side != side)) continue;
      if (found != nullptr) return nullptr;  // Of two sides.
      found = &observed;
    }
    return found;
  }

  std::string Here(const char* key) const {
    return absl::StrCat("/features/", result_.features.size(), "/", key);
  }

  void Ask(const char* key, const std::vector<std::string>& choices, DraftFeature* feature) {
    feature->json[key] = Question(choices);
    result_.is_complete = false;
  }

  void Add(Json json) {
    DraftFeature feature;
    feature.json = std::move(json);
    const std::string name = TextAt(feature.json, "name");
    feature.side = TextAt(feature.json, "side");
    feature.type = TextAt(feature.json, "type");
    const ObservedFeature* const observed = Observed(name, feature.side);
    if (feature.type != "crossed" && feature.side.empty()) {
      if (observed != nullptr) {
        feature.side = observed->side;
        feature.json["side"] = feature.side;
      } else {
        Ask("side", {"context", "history", "candidate"}, &feature);
      }
    }
    feature.table = name;
    if (const auto embedding = feature.json.find("embedding");
        embedding != feature.json.end() && embedding->is_object()) {
      feature.table = TextAt(*embedding, "table", name);
    }
    if (feature.type.empty()) FindType(observed, &feature);
    if (feature.type == "numeric") {
      AddNumbers(observed, &feature);
    } else if (feature.type == "categorical" || feature.type == "multi_categorical") {
      AddIds(observed, &feature);
    }
    feature.is_pooled = feature.type == "multi_categorical" || feature.side == "history";
    if (feature.type == "crossed") feature.is_pooled = CrossesSeveral(feature.json);
    result_.features.push_back(std::move(feature));
  }

  // Crossed features come after those that they cross, or their order does not matter here.
  bool CrossesSeveral(const Json& crossed) const {
    const auto of = crossed.find("of");
    if (of == crossed.end() || !of->is_array()) return false;
    return std::any_of(of->begin(), of->end(), [this](const Json& operand) {
      return std::any_of(result_.features.begin(), result_.features.end(),
                         [&](const DraftFeature& feature) {
                           return feature.type == "multi_categorical" && operand.is_string() &&
                                  operand == TextAt(feature.json, "name");
                         });
    });
  }

  void FindType(const ObservedFeature* observed, DraftFeature* feature) {
    const bool has_table = rows_.count(feature->table) != 0;
    if (observed == nullptr) {
      if (has_table) {
        Ask("type", {"categorical", "multi_categorical"}, feature);
      } else {
        Ask("type", {"categorical", "multi_categorical", "numeric", "length"}, feature);
      }
      return;
    }
    if (observed->has_floats || observed->has_nulls) {
      feature->type = "numeric";
    } else if (observed->has_arrays) {
      feature->type = "multi_categorical";
    } else if (has_table || observed->has_strings) {
      feature->type = "categorical";
    } else {
      // Whole numbers without a table of that name: ids of another table, or numbers.
      Ask("type", {"numeric", "length", "categorical (with \"embedding\": {\"table\": ...})"},
          feature);
      return;
    }
    feature->json["type"] = feature->type;
  }

  void AddNumbers(const ObservedFeature* observed, DraftFeature* feature) {
    Json& json = feature->json;
    if (!json.contains("dimension") && observed != nullptr && observed->has_arrays) {
      json["dimension"] = observed->longest;
    }
    if (observed != nullptr && observed->has_nulls && !json.contains("missing")) {
      json["missing"] = true;
    }
    const auto dimension = json.find("dimension");
    if (dimension != json.end() && dimension->is_number_integer()) {
      feature->dimension = dimension->get<int64_t>();
    }
  }

  // Tables that a feature may share with others that have its name.
  void FindTable(const ObservedFeature* observed, DraftFeature* feature) {
    if (rows_.count(feature->table) != 0 || feature->json.contains("embedding")) return;
    std::vector<std::string> tables;
    for (const std::string& table : tables_) {
      if (observed == nullptr || observed->largest < rows_.at(table)) tables.push_back(table);
    }
    if (tables.size() == 1) {
      feature->table = tables[0];
      feature->json["embedding"] = {{"table", tables[0]}};
    } else if (!tables.empty()) {
      feature->json["embedding"] = {{"table", Question(tables)}};
      feature->has_open_table = true;
      result_.is_complete = false;
    }
  }

  void AddIds(const ObservedFeature* observed, DraftFeature* feature) {
    Json& json = feature->json;
    FindTable(observed, feature);
    const auto rows = rows_.find(feature->table);
    AddVocabulary(observed, rows == rows_.end() ? 0 : rows->second, feature);
    const bool is_multi = feature->type == "multi_categorical";
    if (is_multi && !json.contains("max_values")) {
      if (observed != nullptr) {
        json["max_values"] = std::max<size_t>(observed->longest, 1);
        result_.facts.push_back(absl::StrCat("features[", result_.features.size(), "].max_values ",
                                             JsonText(json["max_values"]),
                                             ": assumed: the most that the goldens have"));
      } else {
        Ask("max_values", {"the most ids of a row, an integer"}, feature);
      }
    }
    const bool is_pooled = is_multi || (feature->side == "history" && is_history_pooled_);
    if (is_pooled && !json.contains("combiner")) {
      result_.choices.push_back({Here("combiner"), {"mean", "sum", "max"}});
      json["combiner"] = "mean";
    }
    if (is_pooled && pads_ && !json.contains("padding_row") && !json.contains("length") &&
        feature->side == "history") {
      // A sequence that had a length, or one in which row 0 pads.
      result_.choices.push_back({Here("padding_row"), {nullptr, LeftOut()}, /*is_soft=*/true});
      json["padding_row"] = nullptr;
    }
  }

  void AddVocabulary(const ObservedFeature* observed, int64_t rows, DraftFeature* feature) {
    Json& json = feature->json;
    const std::string kind = json.contains("vocabulary") && json["vocabulary"].is_object()
                                 ? TextAt(json["vocabulary"], "kind")
                                 : "";
    if (kind == "identity" && !json["vocabulary"].contains("size") && rows > 0) {
      json["vocabulary"]["size"] = rows;
    }
    if (json.contains("vocabulary")) return;
    const bool is_identity =
        observed == nullptr ||
        (!observed->has_strings && observed->smallest >= 0 && observed->largest < rows);
    const bool has_values = observed == nullptr || observed->has_integers;
    if (rows > 0 && is_identity && has_values) {
      json["vocabulary"] = {{"kind", "identity"}, {"size", rows}};
      result_.facts.push_back(absl::StrCat("features[", result_.features.size(),
                                           "].vocabulary identity of ", rows,
                                           ": assumed: ids are rows of the table"));
      return;
    }
    Ask("vocabulary",
        {"{\"kind\": \"list\", \"values\": [...]} (ids in the order of their rows)",
         "{\"kind\": \"hash\", \"buckets\": N}", "{\"kind\": \"identity\", \"size\": N}"},
        feature);
  }

  const GoldenText* goldens_;
  const std::map<std::string, int64_t>& rows_;
  const std::vector<std::string>& tables_;
  const bool pads_;
  const bool is_history_pooled_;
  DraftFeatures result_;
};

}  // namespace

std::string DraftFeatures::Reference(size_t feature) const {
  const std::string name = TextAt(features[feature].json, "name");
  const auto same = std::count_if(features.begin(), features.end(), [&](const DraftFeature& other) {
    return TextAt(other.json, "name") == name;
  });
  const std::string& side = features[feature].side;
  return same > 1 && !side.empty() ? absl::StrCat(side, ".", name) : name;
}

DraftFeatures FeaturesOf(const Json& given, const GoldenText* goldens,
                         const std::map<std::string, int64_t>& rows,
                         const std::vector<std::string>& tables, bool pads,
                         bool is_history_pooled) {
  return Builder(goldens, rows, tables, pads, is_history_pooled).Build(given);
}

}  // namespace handpick::converter
