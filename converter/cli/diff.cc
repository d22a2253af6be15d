// handpick diff
#include <stdio.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/inspect_parts.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/io/with_commas.h"
#include "converter/request/features.h"

namespace handpick::converter {
namespace {

constexpr int kBreaks = 3;

// What is different, in the order in which it is said.
class BundleDiff {
 public:
  BundleDiff(const LoadedBundle& before, const LoadedBundle& after, Json before_json,
             Json after_json)
      : before_(before), after_(after), old_(std::move(before_json)), new_(std::move(after_json)) {}

  Json Run() {
    CompareFormats();
    CompareFeatures();
    CompareSequences();
    CompareOutputs();
    CompareCatalogs();
    CompareRecall();
    CompareWeights(before_.view->tables(), after_.view->tables(), "table");
    CompareWeights(before_.view->dense_weights(), after_.view->dense_weights(), "layer");
    CompareSteps();
    CompareInputs();
    CompareGates();
    CompareNumbers();
    return {{"compatible", breaking_.empty()},
            {"breaking", breaking_},
            {"changes", changes_},
            {"numbers", numbers_}};
  }

 private:
  template <typename... Parts>
  void Breaks(const Parts&... parts) {
    breaking_.push_back(absl::StrCat(parts...));
  }
  template <typename... Parts>
  void Changes(const Parts&... parts) {
    changes_.push_back(absl::StrCat(parts...));
  }
  // What the app feels when `is_breaking`, and what it does not otherwise.
  void Says(bool is_breaking, std::string text) {
    (is_breaking ? breaking_ : changes_).push_back(std::move(text));
  }

  void CompareFormats() {
    const hp_model_info& before = before_.info;
    const hp_model_info& after = after_.info;
    const bool is_newer =
        after.format_major > before.format_major ||
        (after.format_major == before.format_major && after.format_minor > before.format_minor);
    if (old_["format"] != new_["format"]) {
      Says(is_newer, absl::StrCat("format: ", old_["format"].get<std::string>(), ", now ",
                                  new_["format"].get<std::string>(),
                                  is_newer ? ": the app needs a runtime of that format" : ""));
    }
    std::set<std::string> known;
    if (before_.view->needs() != nullptr) {
      for (const auto* need : *before_.view->needs()) known.insert(need->name()->str());
    }
    if (after_.view->needs() != nullptr) {
      for (const auto* need : *after_.view->needs()) {
        if (known.count(need->name()->str()) == 0) {
          Breaks("needs '", need->name()->str(), "' of the runtime");
        }
      }
    }
    for (const char* key : {"name", "version"}) {
      Differs(absl::StrCat("model ", key), old_["model"][key], new_["model"][key]);
    }
    Differs("precision", old_["precision"], new_["precision"]);
  }

  // "precision: f32, now int8"
  void Differs(const std::string& what, const Json& before, const Json& after) {
    if (before == after) return;
    const auto text = [](const Json& json) {
      return json.is_string() ? json.get<std::string>() : JsonText(json);
    };
    Changes(what, ": ", text(before), ", now ", text(after));
  }

  using FeatureKey = std::pair<schema::Side, std::string>;

  static std::map<FeatureKey, const schema::FeatureT*> ByName(const FeatureSet& features) {
    std::map<FeatureKey, const schema::FeatureT*> named;
    for (const auto& feature : features.features) {
      // Crossed features are made of others: no request has them.
      if (feature->type == schema::FeatureType::Crossed) continue;
      named[{feature->side, feature->name}] = feature.get();
    }
    return named;
  }

  // Whether a request may leave it out.
  static bool IsOptional(const schema::FeatureT& feature, const Json& catalog) {
    if (feature.optional || feature.may_be_missing) return true;
    if (feature.side != schema::Side::Candidate || !catalog.contains("key")) return false;
    const Json& supplied = catalog["features"];
    return std::find(supplied.begin(), supplied.end(), feature.name) != supplied.end();
  }

  static std::string TextOf(const FeatureKey& key) {
    return absl::StrCat(SideName(key.first), " feature '", key.second, "'");
  }

  void CompareFeatures() {
    const auto before = ByName(before_.features);
    const auto after = ByName(after_.features);
    for (const auto& [key, feature] : before) {
      const auto found = after.find(key);
      if (found == after.end()) {
        Breaks(TextOf(key), " is gone: requests may not name it");
      } else {
        CompareFeature(TextOf(key), *feature, *found->second);
      }
    }
    for (const auto& [key, feature] : after) {
      if (before.count(key) != 0) continue;
      const bool optional = IsOptional(*feature, new_["catalog"]);
      Says(!optional, absl::StrCat(TextOf(key), " is new",
                                   optional ? "; requests may leave it out"
                                            : ", and has no default: requests must give it"));
    }
  }

  void CompareFeature(const std::string& what, const schema::FeatureT& before,
                      const schema::FeatureT& after) {
    if (before.type != after.type) {
      Breaks(what, ": its type was ", FeatureTypeName(before.type), ", and is ",
             FeatureTypeName(after.type));
      return;
    }
    if (IsOptional(before, old_["catalog"]) && !IsOptional(after, new_["catalog"])) {
      Breaks(what, " has no default any more: requests must give it");
    }
    if (before.may_be_missing && !after.may_be_missing) {
      Breaks(what, ": numbers may not be missing any more");
    }
    if (before.type == schema::FeatureType::Numeric && before.dimension != after.dimension) {
      Breaks(what, ": it had ", before.dimension, " numbers, and has ", after.dimension);
    }
    if (before.side == schema::Side::History &&
        SequenceName(before_, before) != SequenceName(after_, after)) {
      Breaks(what, ": it was of the events '", SequenceName(before_, before), "', and is of '",
             SequenceName(after_, after), "'");
    }
    if (before.max_values != after.max_values) {
      Changes(what, ": ", before.max_values, " values are kept, now ", after.max_values);
    }
    if (before.padding_row != after.padding_row) {
      Changes(what, ": row ", before.padding_row, " pads, now ", after.padding_row);
    }
    if (before.default_rows != after.default_rows ||
        before.default_numbers != after.default_numbers) {
      Changes(what, ": another default");
    }
    const auto transform = [](const auto& a, const auto& b) {
      return a->kind == b->kind && a->a == b->a && a->b == b->b;
    };
    if (!std::equal(before.transforms.begin(), before.transforms.end(), after.transforms.begin(),
                    after.transforms.end(), transform)) {
      Changes(what, ": its numbers are transformed otherwise");
    }
    if (TakesIds(before)) {
      CompareVocabularies(what, *before_.features.vocabularies[before.vocabulary],
                          *after_.features.vocabularies[after.vocabulary]);
    }
  }

  static std::string SequenceName(const LoadedBundle& bundle, const schema::FeatureT& feature) {
    return bundle.view->sequences()->Get(feature.sequence)->name()->str();
  }

  void CompareVocabularies(const std::string& what, const schema::VocabularyT& before,
                           const schema::VocabularyT& after) {
    if (SameVocabulary(before, after)) return;
    using Kind = schema::VocabularyKind;
    const auto takes_strings = [](const schema::VocabularyT& of) {
      return of.kind == Kind::StringList || of.kind == Kind::Hash;
    };
    const auto takes_integers = [](const schema::VocabularyT& of) {
      return of.kind != Kind::StringList;
    };
    if ((takes_strings(before) && !takes_strings(after)) ||
        (takes_integers(before) && !takes_integers(after))) {
      Breaks(what, ": its ids are ", takes_strings(after) ? "strings" : "integers", " now");
      return;
    }
    // A hash has a row for each id.
    if (before.out_of_vocabulary_row >= 0 && after.out_of_vocabulary_row < 0 &&
        after.kind != Kind::Hash) {
      Breaks(what, ": an id that is not in the vocabulary is an error now");
      return;
    }
    if (before.kind == after.kind && before.kind == Kind::IntegerList) {
      std::vector<int64_t> gone;
      std::set_difference(before.ids.begin(), before.ids.end(), after.ids.begin(), after.ids.end(),
                          std::back_inserter(gone));
      const size_t added = after.ids.size() - (before.ids.size() - gone.size());
      Says(!gone.empty() && after.out_of_vocabulary_row < 0,
           absl::StrCat(what, ": ", WithCommas(added), " ids are new, ", WithCommas(gone.size()),
                        " are gone",
                        gone.empty() ? "" : absl::StrCat(" (", gone.front(), " is the first)"),
                        added + gone.size() == 0 ? ", others have another row" : ""));
      return;
    }
    Changes(what, ": another vocabulary, of ", WithCommas(before.row_count), " rows, now ",
            WithCommas(after.row_count));
  }

  void CompareSequences() {
    std::map<std::string, Json> before;
    for (const Json& sequence : old_["sequences"]) {
      before[sequence["name"].get<std::string>()] = sequence["max_events"];
    }
    for (const Json& sequence : new_["sequences"]) {
      const auto found = before.find(sequence["name"].get<std::string>());
      if (found == before.end()) continue;  // Its features are new, and said to be.
      Differs(absl::StrCat("events '", found->first, "' kept"), found->second,
              sequence["max_events"]);
    }
  }

  void CompareOutputs() {
    std::map<std::string, std::string> after;
    for (const Json& output : new_["outputs"]) {
      after[output["name"].get<std::string>()] = output["task"].get<std::string>();
    }
    const Json& outputs = old_["outputs"];
    for (const Json& output : outputs) {
      const std::string name = output["name"].get<std::string>();
      const auto found = after.find(name);
      if (found == after.end()) {
        Breaks("output '", name, "' is gone");
        continue;
      }
      const std::string task = output["task"].get<std::string>();
      if (found->second != task) {
        Breaks("output '", name, "': its task was ", task, ", and is ", found->second,
               ": scores mean something else");
      }
      after.erase(found);
    }
    for (const auto& [name, task] : after) Changes("output '", name, "' is new");
    if (!outputs.empty() && !new_["outputs"].empty() &&
        outputs[0]["name"] != new_["outputs"][0]["name"]) {
      Breaks("candidates are ranked by '", new_["outputs"][0]["name"].get<std::string>(),
             "', before by '", outputs[0]["name"].get<std::string>(), "'");
    }
  }

  void CompareCatalogs() {
    const Json& before = old_["catalog"];
    const Json& after = new_["catalog"];
    const bool had = before.contains("key");
    const bool has = after.contains("key");
    if (had != has) {
      Says(had, absl::StrCat("the catalog is ", had ? "gone" : "new"));
    } else if (had) {
      if (before["key"] != after["key"]) {
        Breaks("the catalog's key was '", before["key"].get<std::string>(), "', and is '",
               after["key"].get<std::string>(), "'");
      }
      Differs("items of the catalog", before["items"], after["items"]);
    }
  }

  void CompareRecall() {
    const bool had = !old_["recall"].is_null();
    const bool has = !new_["recall"].is_null();
    if (had && !has) Breaks("the index of recall is gone");
    if (!had && has) Changes("an index of recall is new");
    if (had && has && old_["recall"] != new_["recall"]) Changes("another index of recall");
  }

  static uint64_t RowsOf(const schema::EmbeddingTable& table) { return table.row_count(); }
  static uint64_t RowsOf(const schema::DenseWeights& layer) { return layer.output_width(); }
  static uint64_t WidthOf(const schema::EmbeddingTable& table) { return table.dimension(); }
  static uint64_t WidthOf(const schema::DenseWeights& layer) { return layer.input_width(); }

  static bool SameBytes(const schema::EmbeddingTable& a, const schema::EmbeddingTable& b) {
    return Same(a.data(), b.data());
  }
  static bool SameBytes(const schema::DenseWeights& a, const schema::DenseWeights& b) {
    return Same(a.data(), b.data()) && Same(a.scales(), b.scales()) && Same(a.bias(), b.bias());
  }
  template <typename Vector>
  static bool Same(const Vector* a, const Vector* b) {
    return BytesOf(a) == BytesOf(b) &&
           (BytesOf(a) == 0 || std::memcmp(a->data(), b->data(), BytesOf(a)) == 0);
  }

  // ": 12 of 7,868 rows moved"
  static std::string Moved(const schema::EmbeddingTable& a, const schema::EmbeddingTable& b) {
    const uint64_t rows = a.row_count();
    const uint64_t bytes = rows == 0 ? 0 : BytesOf(a.data()) / rows;
    uint64_t moved = 0;
    for (uint64_t row = 0; row < rows; ++row) {
      const uint64_t at = row * bytes;
      moved += std::memcmp(a.data()->data() + at, b.data()->data() + at, bytes) != 0;
    }
    return absl::StrCat(": ", WithCommas(moved), " of ", WithCommas(rows), " rows moved");
  }
  static std::string Moved(const schema::DenseWeights&, const schema::DenseWeights&) {
    return ": other weights";
  }

  template <typename Part>
  void CompareWeights(const flatbuffers::Vector<flatbuffers::Offset<Part>>* before,
                      const flatbuffers::Vector<flatbuffers::Offset<Part>>* after,
                      const char* kind) {
    std::map<std::string, const Part*> named;
    if (after != nullptr) {
      for (const Part* part : *after) named[part->name()->str()] = part;
    }
    if (before != nullptr) {
      for (const Part* part : *before) {
        const std::string what = absl::StrCat(kind, " '", part->name()->str(), "'");
        const auto found = named.find(part->name()->str());
        if (found == named.end()) {
          Changes(what, " is gone");
          continue;
        }
        const Part& own = *found->second;
        named.erase(found);
        const auto shape = [](const Part& of) {
          return absl::StrCat("[", RowsOf(of), ", ", WidthOf(of), "]");
        };
        if (shape(*part) != shape(own)) {
          Changes(what, ": ", shape(*part), ", now ", shape(own));
        } else if (part->type() != own.type()) {
          Changes(what, ": ", schema::EnumNameElementType(part->type()), ", now ",
                  schema::EnumNameElementType(own.type()));
        } else if (!SameBytes(*part, own)) {
          Changes(what, Moved(*part, own));
        }
      }
    }
    for (const auto& [name, part] : named) Changes(kind, " '", name, "' is new");
  }

  void CompareSteps() {
    const auto names = [](const Json& steps) {
      std::vector<std::string> all;
      for (const Json& step : steps) all.push_back(step["name"].get<std::string>());
      return all;
    };
    if (names(old_["steps"]) != names(new_["steps"])) {
      Changes("steps: ", old_["steps"].size(), " that compute, now ", new_["steps"].size(),
              ", not all the same");
    }
  }

  // What both were made from, by the first file of each role.
  void CompareInputs() {
    std::map<std::string, const Json*> before;
    for (const Json& input : old_["inputs"]) {
      before.emplace(input["role"].get<std::string>(), &input);
    }
    for (const Json& input : new_["inputs"]) {
      const auto found = before.find(input["role"].get<std::string>());
      if (found == before.end()) continue;
      const Json& was = *found->second;
      if (was["xxh3"] != input["xxh3"] || was["size"] != input["size"]) {
        Changes("made from other ", found->first, ": ", was["name"].get<std::string>(), ", XXH3 ",
                was["xxh3"].get<std::string>(), ", now ", input["name"].get<std::string>(), ", ",
                input["xxh3"].get<std::string>());
      }
      before.erase(found);
    }
  }

  // What was demanded of both; what was measured is a number.
  void CompareGates() {
    std::map<std::string, const Json*> before;
    if (!old_["gate"].is_null()) {
      for (const Json& bound : old_["gate"]["bounds"]) before[BoundName(bound)] = &bound;
    }
    const auto verdict = [](const Json& json) {
      return json["gate"].is_null() ? Json("none") : json["gate"]["verdict"];
    };
    Differs("verdict of the gate", verdict(old_), verdict(new_));
    if (!new_["gate"].is_null()) {
      for (const Json& bound : new_["gate"]["bounds"]) {
        const std::string name = BoundName(bound);
        const auto found = before.find(name);
        if (found == before.end()) {
          Changes("demanded now: ", name, " ", BoundText(bound));
          numbers_[name] = {{"old", Json()}, {"new", bound["measured"]}};
          continue;
        }
        const Json& was = *found->second;
        if (BoundText(was) != BoundText(bound)) {
          Changes("demanded: ", name, " ", BoundText(was), ", now ", BoundText(bound));
        }
        if (was["measured"] != bound["measured"]) {
          numbers_[name] = {{"old", was["measured"]}, {"new", bound["measured"]}};
        }
        before.erase(found);
      }
    }
    for (const auto& [name, bound] : before) {
      Changes("no more demanded: ", name, " ", BoundText(*bound));
    }
    CompareEvaluations();
  }

  // What `evaluate` decided of both.
  void CompareEvaluations() {
    const auto evaluation = [](const Json& json) {
      return json["gate"].is_null() || !json["gate"].contains("evaluation")
                 ? Json()
                 : json["gate"]["evaluation"];
    };
    const Json before = evaluation(old_);
    const Json after = evaluation(new_);
    const auto verdict = [](const Json& json) {
      return json.is_null() ? Json("none") : json["verdict"];
    };
    Differs("verdict of the evaluation", verdict(before), verdict(after));
    const auto demands = [](const Json& json) {
      std::set<std::string> names;
      if (json.is_null()) return names;
      for (const Json& decision : json["decisions"]) names.insert(DemandName(decision));
      return names;
    };
    const std::set<std::string> old_demands = demands(before);
    const std::set<std::string> new_demands = demands(after);
    for (const std::string& name : new_demands) {
      if (old_demands.count(name) == 0) Changes("the evaluation demanded now: ", name);
    }
    for (const std::string& name : old_demands) {
      if (new_demands.count(name) == 0) Changes("the evaluation demanded no more: ", name);
    }
    if (before.is_null() && after.is_null()) return;
    std::map<std::string, std::pair<Json, Json>> metrics;
    const auto value = [](const Json& metric) {
      return metric.contains("value") ? metric["value"] : Json();
    };
    if (!before.is_null()) {
      for (const Json& metric : before["metrics"]) {
        metrics[metric["name"].get<std::string>()].first = value(metric);
      }
    }
    if (!after.is_null()) {
      for (const Json& metric : after["metrics"]) {
        metrics[metric["name"].get<std::string>()].second = value(metric);
      }
    }
    for (const auto& [name, values] : metrics) {
      if (values.first == values.second) continue;
      numbers_["evaluation: " + name] = {{"old", values.first}, {"new", values.second}};
    }
  }

  void CompareNumbers() {
    const auto add = [this](const char* name, const Json& before, const Json& after) {
      if (before == after) return;
      numbers_[name] = {{"old", before}, {"new", after}};
    };
    add("bundle_bytes", old_["bytes"]["bundle"], new_["bytes"]["bundle"]);
    add("table_bytes", old_["bytes"]["tables"], new_["bytes"]["tables"]);
    add("layer_bytes", old_["bytes"]["dense"], new_["bytes"]["dense"]);
    for (const char* key : {"session_bytes", "model_bytes"}) {
      add(key, old_["memory"][key], new_["memory"][key]);
    }
    const auto work = [](const Json& json) {
      const Json& own = json["work_per_candidate"];
      return own.is_null() ? Json() : own["multiply_accumulates"];
    };
    add("multiply_accumulates_per_candidate", work(old_), work(new_));
    for (const char* key : {"auc_bundle", "top10_overlap", "max_logit_error"}) {
      const auto of = [key](const Json& json) {
        return json["drift"].is_null() ? Json() : json["drift"][key];
      };
      add(key, of(old_), of(new_));
    }
  }

  const LoadedBundle& before_;
  const LoadedBundle& after_;
  const Json old_;
  const Json new_;
  std::vector<std::string> breaking_;
  std::vector<std::string> changes_;
  Json numbers_ = Json::object();
};

std::string Text(const Json& diff) {
  std::string out;
  const auto list = [&out](const char* title, const Json& lines) {
    if (lines.empty()) return;
    absl::StrAppend(&out, title, "\n");
    for (const Json& line : lines) absl::StrAppend(&out, "  ", line.get<std::string>(), "\n");
    absl::StrAppend(&out, "\n");
  };
  list("The app must change", diff["breaking"]);
  list("Changes that the app need not know", diff["changes"]);
  const auto shown = [](const Json& number) {
    if (number.is_null()) return std::string("-");
    return number.is_number_integer() ? Commas(number)
                                      : absl::StrFormat("%.6g", number.get<double>());
  };
  for (const auto& [name, both] : diff["numbers"].items()) {
    absl::StrAppendFormat(&out, "%-36s %14s %14s\n", name, shown(both["old"]), shown(both["new"]));
  }
  if (!diff["numbers"].empty()) absl::StrAppend(&out, "\n");
  absl::StrAppend(&out, diff["compatible"].get<bool>()
                            ? "compatible: requests and answers stay as they are\n"
                            : "not compatible\n");
  return out;
}

absl::StatusOr<int> Diff(const std::string& old_path, const std::string& new_path) {
  HP_ASSIGN_OR_RETURN(const LoadedBundle before, LoadBundle(old_path));
  HP_ASSIGN_OR_RETURN(const LoadedBundle after, LoadBundle(new_path));
  HP_ASSIGN_OR_RETURN(Json before_json, InspectJson(before));
  HP_ASSIGN_OR_RETURN(Json after_json, InspectJson(after));
  Json diff = BundleDiff(before, after, std::move(before_json), std::move(after_json)).Run();
  const std::string text = absl::GetFlag(FLAGS_json) ? JsonText(diff, 2) + "\n" : Text(diff);
  fwrite(text.data(), 1, text.size(), stdout);
  HP_RETURN_IF_ERROR(FlushOutput());
  return diff["compatible"].get<bool>() ? 0 : kBreaks;
}

}  // namespace

int RunDiff(const std::vector<std::string>& positional) {
  const absl::StatusOr<int> status = Diff(positional[0], positional[1]);
  return status.ok() ? *status : Fail("diff", status.status());
}

}  // namespace handpick::converter
