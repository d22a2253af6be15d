#include "converter/request/request.h"

#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "converter/io/files.h"
#include "converter/io/json.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

// Which of a JSON scalar's types a feature takes, and the words for it.
struct Accepts {
  bool integers = false;
  bool strings = false;
  bool numbers = false;
  const char* words = "";
  bool nulls = false;  // For numbers that are missing.
};

Accepts AcceptedBy(const schema::FeatureT& feature, const FeatureSet& features) {
  if (feature.type == schema::FeatureType::Numeric) {
    return {true, false, true, feature.may_be_missing ? "a number or null" : "a number",
            feature.may_be_missing};
  }
  if (feature.type == schema::FeatureType::Length) {
    return {true, false, false, "an integer, the number of positions that count"};
  }
  switch (features.vocabularies[feature.vocabulary]->kind) {
    case schema::VocabularyKind::StringList:
      return {false, true, false, "a string id"};
    case schema::VocabularyKind::Hash:
      return {true, true, false, "an integer or string id"};
    default:
      return {true, false, false, "an integer id"};
  }
}

bool IsVector(const schema::FeatureT& feature) {
  return feature.type == schema::FeatureType::MultiCategorical ||
         (feature.type == schema::FeatureType::Numeric && feature.dimension > 1);
}

class RequestParser {
 public:
  RequestParser(const FeatureSet& features, JsonErrors* errors,
                UnknownFeatures unknown = UnknownFeatures::kRefuse)
      : features_(features), errors_(errors), unknown_(unknown) {}

  // One value of a feature that takes `accepts`.
  void Scalar(const Json& json, const Accepts& accepts, const std::string& path, RawCell* cell) {
    if (!errors_->ok()) return;
    if (json.is_string() && accepts.strings) {
      cell->emplace_back(json.get<std::string>());
    } else if (json.is_number_integer() && accepts.integers &&
               (!json.is_number_unsigned() ||
                json.get<uint64_t>() <=
                    static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))) {
      cell->emplace_back(json.get<int64_t>());
    } else if (json.is_number() && accepts.numbers) {
      const double number = json.get<double>();
      if (std::abs(number) > std::numeric_limits<float>::max()) {
        errors_->Add(path, absl::StrCat(Shown(json), " is not finite as float32"));
        return;
      }
      cell->emplace_back(number);
    } else if (json.is_null() && accepts.nulls) {
      cell->emplace_back(std::numeric_limits<double>::quiet_NaN());
    } else {
      errors_->Add(path, absl::StrCat("expected ", accepts.words, ", found ", Shown(json)));
    }
  }

  // The value of one feature in one row.
  RawCell Cell(const Json& json, size_t feature, const std::string& path) {
    RawCell cell;
    const schema::FeatureT& f = *features_.features[feature];
    const Accepts accepts = AcceptedBy(f, features_);
    if (!IsVector(f)) {
      Scalar(json, accepts, path, &cell);
      return cell;
    }
    if (!json.is_array()) {
      errors_->Add(path, absl::StrCat("expected an array, since the feature is ",
                                      f.type == schema::FeatureType::Numeric
                                          ? absl::StrCat("a vector of ", f.dimension, " numbers")
                                          : std::string("multi-valued"),
                                      "; found ", Shown(json)));
      return cell;
    }
    if (f.type == schema::FeatureType::Numeric && json.size() != f.dimension) {
      errors_->Add(path, absl::StrCat("expected ", f.dimension, " numbers, found ", json.size()));
      return cell;
    }
    for (size_t i = 0; i < json.size() && errors_->ok(); ++i) {
      Scalar(json[i], accepts, absl::StrCat(path, "[", i, "]"), &cell);
    }
    return cell;
  }

  // That there are as many rows as the first array of its kind has, whose path `first` is: this
  // one, if it is empty.
  bool HasRows(const Json& array, const std::string& path, std::string* first, size_t* count) {
    if (first->empty()) {
      *first = path;
      *count = array.size();
    }
    if (array.size() == *count) return true;
    errors_->Add(path, absl::StrCat("has ", array.size(), " rows, but ", *first, " has ", *count));
    return false;
  }

  absl::StatusOr<size_t> Find(schema::Side side, const std::string& name) {
    for (const auto& feature : features_.features) {
      if (feature->type == schema::FeatureType::Crossed && feature->name == name) {
        return absl::InvalidArgumentError(
            absl::StrCat("feature '", name, "' is made from others and cannot be given"));
      }
    }
    return FindFeature(features_, side, name);
  }

  // The features of one side: one row for the context, arrays of rows for the others.
  void Side(const Json& json, schema::Side side, const std::string& path,
            std::vector<RawColumn>* columns, std::vector<size_t>* row_counts) {
    if (!errors_->ok()) return;
    if (!json.is_object()) {
      errors_->Add(path, absl::StrCat("expected an object of features, found ", Shown(json)));
      return;
    }
    std::map<uint32_t, std::string> first;  // By sequence.
    for (const auto& [name, value] : json.items()) {
      const std::string at = absl::StrCat(path, ".", name);
      const absl::StatusOr<size_t> feature = Find(side, name);
      if (!feature.ok() && unknown_ == UnknownFeatures::kLeaveOut) {
        // The number of rows is known all the same.
        if (side != schema::Side::Candidate || !value.is_array()) continue;
        if (!HasRows(value, at, &first[0], &(*row_counts)[0])) return;
        continue;
      }
      if (!feature.ok()) {
        errors_->Add(path, feature.status().message());
        return;
      }
      RawColumn column;
      column.feature = *feature;
      if (side == schema::Side::Context) {
        column.rows.push_back(Cell(value, *feature, at));
      } else {
        if (!value.is_array()) {
          errors_->Add(at, absl::StrCat("expected an array with one entry per ",
                                        side == schema::Side::History ? "event" : "candidate",
                                        ", found ", Shown(value)));
          return;
        }
        const uint32_t sequence = features_.features[*feature]->sequence;
        if (!HasRows(value, at, &first[sequence], &(*row_counts)[sequence])) return;
        for (size_t i = 0; i < value.size() && errors_->ok(); ++i) {
          column.rows.push_back(Cell(value[i], *feature, absl::StrCat(at, "[", i, "]")));
        }
      }
      if (!errors_->ok()) return;
      columns->push_back(std::move(column));
    }
  }

  // Logits or labels: one finite number per candidate.
  template <typename T>
  void PerCandidate(const JsonObject& object, const std::string& key, size_t candidate_count,
                    std::vector<T>* out) {
    if (object.Has(key)) Numbers(object.Array(key), key, candidate_count, out);
  }

  // Names with a text or an integer each.
  void Tags(const Json& json, std::map<std::string, std::string>* out) {
    if (!errors_->ok()) return;
    if (!json.is_object()) {
      errors_->Add("tags", absl::StrCat("expected an object, found ", Shown(json)));
      return;
    }
    for (const auto& [name, value] : json.items()) {
      if (value.is_string()) {
        (*out)[name] = value.get<std::string>();
      } else if (value.is_number_integer()) {
        (*out)[name] = JsonText(value);
      } else {
        errors_->Add(absl::StrCat("tags.", name),
                     absl::StrCat("expected a string or an integer, found ", Shown(value)));
        return;
      }
    }
  }

  // The same by the name of an output.
  template <typename T>
  void PerOutput(const JsonObject& object, const std::string& key, size_t candidate_count,
                 std::map<std::string, std::vector<T>>* out) {
    if (!object.Has(key)) return;
    const Json& outputs = object.Required(key);
    if (!errors_->ok()) return;
    if (!outputs.is_object()) {
      errors_->Add(key, absl::StrCat("expected an object with an array for each output, found ",
                                     Shown(outputs)));
      return;
    }
    for (const auto& [name, array] : outputs.items()) {
      Numbers(array, absl::StrCat(key, ".", name), candidate_count, &(*out)[name]);
    }
  }

 private:
  // One finite number per candidate.
  template <typename T>
  void Numbers(const Json& array, const std::string& key, size_t candidate_count,
               std::vector<T>* out) {
    if (!errors_->ok()) return;
    if (!array.is_array()) {
      errors_->Add(key, absl::StrCat("expected an array, found ", Shown(array)));
      return;
    }
    if (array.size() != candidate_count) {
      errors_->Add(
          key, absl::StrCat("has ", array.size(), " values for ", candidate_count, " candidates"));
      return;
    }
    for (size_t i = 0; i < array.size(); ++i) {
      if (!array[i].is_number() ||
          std::abs(array[i].get<double>()) > std::numeric_limits<float>::max()) {
        errors_->Add(absl::StrCat(key, "[", i, "]"),
                     absl::StrCat("expected a number, found ", Shown(array[i])));
        return;
      }
      out->push_back(array[i].get<T>());
    }
  }

  const FeatureSet& features_;
  JsonErrors* errors_;
  const UnknownFeatures unknown_;
};

// Calls `parse` for each line of a file that is not blank, with "path:line".
template <typename Parse>
absl::Status ForEachLine(const std::string& path, Parse parse) {
  HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const std::string name = path == "-" ? "standard input" : path;
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    HP_RETURN_IF_ERROR(parse(std::string(line), absl::StrCat(name, ":", number)));
  }
  return absl::OkStatus();
}

}  // namespace

const std::vector<std::string>& RequestKeys() {
  static const auto* const kKeys = new std::vector<std::string>{
      "context", "history", "candidates", "logits", "labels", "outputs", "tags"};
  return *kKeys;
}

absl::StatusOr<Request> ParseRequest(const std::string& line, const FeatureSet& features,
                                     const std::string& where, UnknownFeatures unknown) {
  HP_ASSIGN_OR_RETURN(const Json json, ParseJson(line, where));
  JsonErrors errors(where);
  RequestParser parser(features, &errors, unknown);
  const JsonObject object(json, "", RequestKeys(), &errors);
  Request request;
  std::vector<size_t> one = {1};
  std::vector<size_t> candidates = {0};
  request.event_counts.resize(SequenceCount(features));
  if (object.Has("context")) {
    parser.Side(object.Required("context"), schema::Side::Context, "context", &request.context,
                &one);
  }
  if (object.Has("history")) {
    parser.Side(object.Required("history"), schema::Side::History, "history", &request.history,
                &request.event_counts);
  }
  if (object.Has("candidates")) {
    parser.Side(object.Required("candidates"), schema::Side::Candidate, "candidates",
                &request.candidates, &candidates);
  }
  request.candidate_count = candidates[0];
  parser.PerCandidate(object, "logits", request.candidate_count, &request.logits);
  parser.PerOutput(object, "outputs", request.candidate_count, &request.output_logits);
  if (json.contains("labels") && json["labels"].is_object()) {
    parser.PerOutput(object, "labels", request.candidate_count, &request.output_labels);
  } else {
    parser.PerCandidate(object, "labels", request.candidate_count, &request.labels);
  }
  if (object.Has("tags")) parser.Tags(object.Required("tags"), &request.tags);
  HP_RETURN_IF_ERROR(errors.status());
  return request;
}

absl::StatusOr<std::vector<Request>> ReadRequests(const std::string& path,
                                                  const FeatureSet& features,
                                                  UnknownFeatures unknown,
                                                  std::vector<std::string>* where) {
  std::vector<Request> requests;
  const absl::Status read =
      ForEachLine(path, [&](const std::string& line, const std::string& place) -> absl::Status {
        HP_ASSIGN_OR_RETURN(Request request, ParseRequest(line, features, place, unknown));
        requests.push_back(std::move(request));
        if (where != nullptr) where->push_back(place);
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  return requests;
}

absl::StatusOr<Request> ReadCatalog(const std::string& path, const FeatureSet& features,
                                    std::map<std::string, std::string>* unknown) {
  Request catalog;
  std::string first;  // Where the item came from that said which features there are.
  const absl::Status read =
      ForEachLine(path, [&](const std::string& line, const std::string& where) -> absl::Status {
        HP_ASSIGN_OR_RETURN(const Json json, ParseJson(line, where));
        JsonErrors errors(where);
        RequestParser parser(features, &errors);
        if (!json.is_object()) {
          errors.Add("", absl::StrCat("expected an object of features, found ", Shown(json)));
          return errors.status();
        }
        if (first.empty()) {
          first = where;
          for (const auto& [name, unused] : json.items()) {
            const absl::StatusOr<size_t> feature = parser.Find(schema::Side::Candidate, name);
            if (!feature.ok() && unknown != nullptr) {
              unknown->emplace(name, where);
              continue;
            }
            if (!feature.ok()) errors.Add("", feature.status().message());
            if (!errors.ok()) return errors.status();
            catalog.candidates.push_back(RawColumn{*feature, {}});
          }
        }
        for (RawColumn& column : catalog.candidates) {
          const std::string& name = features.features[column.feature]->name;
          const auto value = json.find(name);
          if (value == json.end()) {
            errors.Add("", absl::StrCat("feature '", name, "' is missing; the item at ", first,
                                        " has it"));
            return errors.status();
          }
          column.rows.push_back(parser.Cell(*value, column.feature, name));
          HP_RETURN_IF_ERROR(errors.status());
        }
        if (json.size() != catalog.candidates.size()) {
          for (const auto& [name, unused] : json.items()) {
            const absl::StatusOr<size_t> found = parser.Find(schema::Side::Candidate, name);
            if (!found.ok() && unknown != nullptr) {
              unknown->emplace(name, where);
              continue;
            }
            HP_ASSIGN_OR_RETURN(const size_t feature, found);
            bool known = false;
            for (const RawColumn& column : catalog.candidates) known |= column.feature == feature;
            if (!known) {
              errors.Add("", absl::StrCat("feature '", name, "' is given, but not by the item at ",
                                          first));
            }
          }
          HP_RETURN_IF_ERROR(errors.status());
        }
        ++catalog.candidate_count;
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  return catalog;
}

}  // namespace handpick::converter
