#include "converter/draft/complete.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/draft/known.h"
#include "converter/draft/tensor_view.h"
#include "converter/io/files.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/spec/kinds.h"
#include "converter/spec/layouts.h"
#include "converter/spec/questions.h"

namespace handpick::converter {
namespace {

// A member of an object that is of that form; null otherwise.
const Json* Find(const Json& json, const char* key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

// The layout of a spec; nothing if there is no such layout.
std::optional<Layout> LayoutOf(const Json& spec) {
  const Json* const layout = Find(spec, "layout");
  if (layout == nullptr || layout->is_object()) return Layout::kHandpick;
  for (const LayoutRow& row : Layouts()) {
    if (*layout == row.name) return row.layout;
  }
  return std::nullopt;
}

std::vector<TensorRename> RenamesOf(const Json& spec) {
  std::vector<TensorRename> renames;
  const Json* const layout = Find(spec, "layout");
  const Json* const names = layout == nullptr ? nullptr : Find(*layout, "names");
  if (names == nullptr || !names->is_object()) return renames;
  for (const auto& [ours, theirs] : names->items()) {
    const Json* const transpose = Find(theirs, "transpose");
    renames.push_back({ours,
                       theirs.is_string() ? theirs.get<std::string>() : TextAt(theirs, "name"),
                       transpose != nullptr && *transpose == true});
  }
  return renames;
}

class Completer {
 public:
  Completer(const TensorView& view, const ModelKind& kind, Json* spec)
      : view_(view), kind_(kind), spec_(*spec) {}

  std::vector<std::string> Run() {
    KnownModel known = KnownOf(view_, kind_);
    if (const Json* const attention = Find(spec_, "attention"); attention != nullptr) {
      OrderUnits(*attention, &known);
    }
    for (const auto& [section, keys] : known.sections.items()) {
      const bool is_there = spec_.contains(section);
      // Sections that the tensors tell whole.
      const bool is_whole = section == "tasks" || section == "experts" || section == "cross" ||
                            section == "soft_attention";
      if (is_there || (is_whole && !keys.empty())) Fill(section, keys, &spec_[section]);
    }
    const Json* const features = Find(spec_, "features");
    if (features != nullptr && features->is_array()) {
      for (size_t i = 0; i < features->size(); ++i) FillVocabulary(i);
    }
    return std::move(added_);
  }

 private:
  void Fill(const std::string& path, const Json& from, Json* to) {
    if (to->is_null()) *to = Json::object();
    if (from.is_array() && to->is_array() && from.size() == to->size()) {
      for (size_t i = 0; i < from.size(); ++i) {
        Fill(absl::StrCat(path, "[", i, "]"), from[i], &(*to)[i]);
      }
    }
    if (!from.is_object() || !to->is_object()) return;
    for (const auto& [key, value] : from.items()) {
      const std::string at = absl::StrCat(path, ".", key);
      if (value.is_object()) {
        if (to->contains(key)) Fill(at, value, &(*to)[key]);
      } else if (!to->contains(key)) {
        (*to)[key] = value;
        added_.push_back(absl::StrCat(at, " ", JsonText(value)));
      }
    }
  }

  // Rows of a table, of whatever part of the model.
  std::optional<int64_t> RowsOf(const std::string& table, const std::string& feature) const {
    const TensorLayout& names = view_.names();
    const AutorecTensors autorec = names.Autorec(table, table);
    const auto piece = [&](const char* part) {
      return view_.Name(TensorRole::kPieceTable,
                        {{"<part>", part}, {"<i>", "0"}, {"<table>", table}});
    };
    for (const std::string& name :
         {names.DeepTable(table),
          names.WideTable(view_.traits().wide_is_an_embedding ? feature : table),
          names.GmfTable(table), piece("region"), piece("base"), names.FactorTable(table),
          autorec.table, autorec.output}) {
      const auto shape = view_.ShapeOf(name);
      if (shape.has_value() && shape->size() == 2 && (*shape)[0] > 0) return (*shape)[0];
    }
    return std::nullopt;
  }

  void FillVocabulary(size_t i) {
    Json& feature = spec_["features"][i];
    const Json* const vocabulary = Find(feature, "vocabulary");
    if (vocabulary == nullptr || TextAt(*vocabulary, "kind") != "identity" ||
        vocabulary->contains("size")) {
      return;
    }
    const Json* const embedding = Find(feature, "embedding");
    std::string table = embedding == nullptr ? "" : TextAt(*embedding, "table");
    if (table.empty()) table = TextAt(feature, "name");
    const std::optional<int64_t> rows = RowsOf(table, TextAt(feature, "name"));
    if (!rows.has_value()) return;
    feature["vocabulary"]["size"] = *rows;
    added_.push_back(absl::StrCat("features[", i, "].vocabulary.size ", *rows));
  }

  const TensorView& view_;
  const ModelKind& kind_;
  Json& spec_;
  std::vector<std::string> added_;
};

}  // namespace

std::vector<std::string> CompleteSpec(const Archive& weights, Json* spec) {
  const Json* const model = Find(*spec, "model");
  const ModelKind* const kind = model == nullptr ? nullptr : FindModelKind(TextAt(*model, "kind"));
  const std::optional<Layout> layout = LayoutOf(*spec);
  if (kind == nullptr || !layout.has_value() || !kind->Takes(*layout)) return {};
  const Json* const evolution = Find(*spec, "evolution");
  std::string cell = evolution == nullptr ? "" : TextAt(*evolution, "cell");
  if (cell.empty()) cell = "AUGRU";
  const TensorView view(weights, *layout, kind->name, cell, RenamesOf(*spec));
  return Completer(view, *kind, spec).Run();
}

absl::StatusOr<Json> ReadSpecJson(const Archive& weights, const std::string& path,
                                  std::vector<std::string>* added) {
  HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  HP_ASSIGN_OR_RETURN(Json json, ParseJson(text, path));
  std::vector<std::string> from_weights = CompleteSpec(weights, &json);
  if (added != nullptr) *added = std::move(from_weights);
  return json;
}

absl::StatusOr<Spec> ReadSpecOf(const Archive& weights, const std::string& path,
                                std::vector<std::string>* added) {
  HP_ASSIGN_OR_RETURN(const Json json, ReadSpecJson(weights, path, added));
  return SpecOfJson(json, path);
}

}  // namespace handpick::converter
