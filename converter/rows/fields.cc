#include "converter/rows/fields.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "converter/io/json.h"
#include "converter/io/json_text.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/io/utf8.h"

namespace handpick::converter {
namespace {

using Part = RowField::Part;
using schema::FeatureType;
using schema::VocabularyKind;

constexpr char kForms[] =
    "request, labels, labels.OUTPUT, tags.NAME, context.FEATURE, history.FEATURE or "
    "candidates.FEATURE";

const char* WordOf(schema::Side side) {
  return side == schema::Side::Context   ? "context"
         : side == schema::Side::History ? "history"
                                         : "candidates";
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

size_t Digits(absl::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  return digits;
}

// RFC 8259, section 6.
bool IsJsonNumber(absl::string_view text) {
  absl::ConsumePrefix(&text, "-");
  const size_t whole = Digits(text);
  if (whole == 0 || (whole > 1 && text[0] == '0')) return false;
  text.remove_prefix(whole);
  if (absl::ConsumePrefix(&text, ".")) {
    const size_t fraction = Digits(text);
    if (fraction == 0) return false;
    text.remove_prefix(fraction);
  }
  if (absl::ConsumePrefix(&text, "e") || absl::ConsumePrefix(&text, "E")) {
    if (!absl::ConsumePrefix(&text, "-")) absl::ConsumePrefix(&text, "+");
    const size_t exponent = Digits(text);
    if (exponent == 0) return false;
    text.remove_prefix(exponent);
  }
  return text.empty();
}

// As JSON writes it: 007 and +7 are texts.
bool IsJsonInteger(absl::string_view text) {
  int64_t value;
  const absl::string_view digits = absl::StripPrefix(text, "-");
  return !digits.empty() && Digits(digits) == digits.size() &&
         (digits[0] != '0' || digits.size() == 1) && absl::SimpleAtoi(text, &value);
}

absl::Status Expected(absl::string_view what, absl::string_view found) {
  return absl::InvalidArgumentError(
      absl::StrCat("expected ", what, ", found ", Shown(Json(std::string(found)))));
}

}  // namespace

bool RowField::is_list() const {
  return feature != nullptr && (feature->type == FeatureType::MultiCategorical ||
                                (feature->type == FeatureType::Numeric && feature->dimension > 1));
}

bool RowField::takes_numbers() const {
  return part == Part::kLabels || (feature != nullptr && feature->type == FeatureType::Numeric);
}

bool RowField::takes_strings() const {
  return part == Part::kTags || part == Part::kRequest ||
         (vocabulary != nullptr && (vocabulary->kind == VocabularyKind::StringList ||
                                    vocabulary->kind == VocabularyKind::Hash));
}

bool RowField::takes_integers() const {
  return vocabulary == nullptr || vocabulary->kind != VocabularyKind::StringList;
}

absl::StatusOr<RowField> FindRowField(absl::string_view path, const RowFeatures& features) {
  // Names of labels and tags are part of the request's JSON.
  if (!IsUtf8(path)) return Expected("UTF-8", path);
  RowField field;
  field.path = std::string(path);
  if (path == "request") return field;
  field.part = Part::kLabels;
  if (path == "labels") return field;
  const size_t point = path.find('.');
  const absl::string_view part = path.substr(0, point);
  if (point != absl::string_view::npos) field.name = std::string(path.substr(point + 1));
  if (!field.name.empty()) {
    if (part == "labels") return field;
    field.part = Part::kTags;
    if (part == "tags") return field;
    for (const auto& [side, own] : {std::make_pair(schema::Side::Context, Part::kContext),
                                    std::make_pair(schema::Side::History, Part::kHistory),
                                    std::make_pair(schema::Side::Candidate, Part::kCandidates)}) {
      if (part != WordOf(side)) continue;
      field.part = own;
      absl::Status first;
      for (const FeatureSet* set : features.sets) {
        const absl::StatusOr<size_t> found = FindFeature(*set, side, field.name);
        if (!found.ok()) {
          if (first.ok()) first = found.status();
          continue;
        }
        field.feature = set->features[*found].get();
        if (field.feature->type == FeatureType::Crossed) {
          return absl::InvalidArgumentError(
              absl::StrCat("feature '", field.name, "' is made from others and cannot be given"));
        }
        if (TakesIds(*field.feature)) {
          field.vocabulary = set->vocabularies[field.feature->vocabulary].get();
        }
        return field;
      }
      return first;
    }
  }
  std::vector<std::string> known = {"request", "labels"};
  for (const FeatureSet* set : features.sets) {
    for (const auto& feature : set->features) {
      known.push_back(absl::StrCat(WordOf(feature->side), ".", feature->name));
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("expected ", kForms, Suggestion(path, known)));
}

absl::Status CheckRowFields(const std::vector<RowField>& fields, const RowFeatures& features) {
  std::map<std::string, bool> given;
  for (const RowField& field : fields) {
    if (!given.emplace(field.path, true).second) {
      return absl::InvalidArgumentError(absl::StrCat("two columns are '", field.path, "'"));
    }
  }
  for (const RowField& field : fields) {
    if (field.part == Part::kLabels && !field.name.empty() && given.count("labels") != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("there are 'labels' and '", field.path, "': expected one or the other"));
    }
  }
  if (features.sets.empty()) return absl::OkStatus();
  for (const auto& feature : features.sets[0]->features) {
    const bool may_lack = feature->optional || feature->may_be_missing ||
                          feature->type == FeatureType::Crossed ||
                          feature->side == schema::Side::History ||
                          (feature->side == schema::Side::Candidate && features.has_catalog);
    const std::string path = absl::StrCat(WordOf(feature->side), ".", feature->name);
    if (!may_lack && given.count(path) == 0) {
      return absl::InvalidArgumentError(absl::StrCat("no column is '", path,
                                                     "', a feature without a default: add it, or "
                                                     "say in --header which column it is"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<RowHeader> ParseRowHeader(absl::string_view text, const std::string& where) {
  RowHeader header;
  header.origin = where;
  HP_ASSIGN_OR_RETURN(const Json json, ParseJson(text, where));
  JsonErrors errors(where);
  const JsonObject object(json, "", {"columns", "delimiter", "list_separator", "inner_separator"},
                          &errors);
  if (errors.ok() && object.Has("columns")) {
    const Json& columns = object.Required("columns");
    if (!columns.is_object()) {
      errors.Add("columns", absl::StrCat("expected an object, found ", Shown(columns)));
    } else {
      for (const auto& [name, path] : columns.items()) {
        if (!path.is_string() && !path.is_null()) {
          errors.Add(absl::StrCat("columns.", name),
                     absl::StrCat("expected ", kForms, ", or null, found ", Shown(path)));
          break;
        }
        header.columns[name] =
            path.is_null() ? std::nullopt : std::make_optional(path.get<std::string>());
      }
    }
  }
  const auto character = [&](const char* key, char* out) {
    const std::string given = object.StringOr(key, std::string(1, *out));
    if (!errors.ok()) return;
    const bool usable = given.size() == 1 && given[0] != '"' && given[0] != '\0' &&
                        given[0] != '\n' && given[0] != '\r' &&
                        static_cast<unsigned char>(given[0]) < 0x80;
    if (!usable) {
      errors.Add(key, absl::StrCat("expected one character of ASCII, neither quote nor line end, "
                                   "found ",
                                   Shown(Json(given))));
    } else {
      *out = given[0];
    }
  };
  character("delimiter", &header.delimiter);
  character("list_separator", &header.list_separator);
  character("inner_separator", &header.inner_separator);
  if (errors.ok() &&
      (header.list_separator == header.inner_separator ||
       header.delimiter == header.list_separator || header.delimiter == header.inner_separator)) {
    errors.Add("", "delimiter and separators must differ");
  }
  HP_RETURN_IF_ERROR(errors.status());
  return header;
}

absl::StatusOr<std::string> ValueJson(const RowField& field, absl::string_view text) {
  if (field.takes_numbers()) {
    double number;
    if (text.empty() && field.feature != nullptr && field.feature->may_be_missing) return "null";
    if (!IsJsonNumber(text) || !absl::SimpleAtod(text, &number)) {
      return Expected("a number", text);
    }
    if (!(std::abs(number) <= std::numeric_limits<float>::max())) {
      return Expected("a number that is finite as float32", text);
    }
    return std::string(text);
  }
  const bool is_hash =
      field.vocabulary != nullptr && field.vocabulary->kind == VocabularyKind::Hash;
  if (field.takes_strings() && !(is_hash && IsJsonInteger(text))) return JsonString(text);
  if (!IsJsonInteger(text)) {
    return Expected(field.feature != nullptr && field.feature->type == FeatureType::Length
                        ? "an integer, the number of positions that count"
                        : "an integer id",
                    text);
  }
  return std::string(text);
}

void RequestText::Clear() {
  for (Values* values : {&candidates_, &context_, &history_, &labels_, &tags_}) values->clear();
}

void RequestText::Add(const RowField& field, absl::string_view json) {
  const auto append = [json](std::string* to) {
    absl::StrAppend(to, to->empty() ? "" : ",", json);
  };
  switch (field.part) {
    case Part::kRequest:
      break;
    case Part::kLabels:
      append(&labels_[field.name.empty() ? "" : JsonString(field.name)]);
      break;
    case Part::kTags:
      tags_[JsonString(field.name)] = std::string(json);
      break;
    case Part::kContext:
      context_[JsonString(field.name)] = std::string(json);
      break;
    case Part::kHistory:
      history_[JsonString(field.name)] = std::string(json);
      break;
    case Part::kCandidates:
      append(&candidates_[JsonString(field.name)]);
      break;
  }
}

std::string RequestText::Text() const {
  std::string text = "{";
  const auto part = [&text](const char* name, const Values& values, bool lists) {
    if (values.empty()) return;
    absl::StrAppend(&text, text.size() > 1 ? "," : "", "\"", name, "\":");
    if (values.begin()->first.empty()) {
      absl::StrAppend(&text, "[", values.begin()->second, "]");
      return;
    }
    char before = '{';
    for (const auto& [key, value] : values) {
      text.push_back(before);
      before = ',';
      absl::StrAppend(&text, key, ":", lists ? "[" : "", value, lists ? "]" : "");
    }
    text.push_back('}');
  };
  part("candidates", candidates_, true);
  part("context", context_, false);
  part("history", history_, false);
  part("labels", labels_, true);
  part("tags", tags_, false);
  text.push_back('}');
  return text;
}

}  // namespace handpick::converter
