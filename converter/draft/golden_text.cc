#include "converter/draft/golden_text.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "converter/io/files.h"
#include "converter/io/json.h"
#include "converter/io/status_macros.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

// Keeps the order of the keys, which is that of the trainer's columns more often than not.
using OrderedJson = nlohmann::ordered_json;

void ObserveScalar(const OrderedJson& value, ObservedFeature* feature) {
  if (value.is_string()) feature->has_strings = true;
  if (value.is_null()) feature->has_nulls = true;
  if (value.is_number_float()) feature->has_floats = true;
  if (!value.is_number_integer()) return;
  feature->has_integers = true;
  const auto number = value.get<int64_t>();
  feature->smallest = std::min(feature->smallest, number);
  feature->largest = std::max(feature->largest, number);
}

void ObserveCell(const OrderedJson& value, ObservedFeature* feature) {
  if (!value.is_array()) {
    ObserveScalar(value, feature);
    return;
  }
  feature->has_arrays = true;
  feature->shortest = std::min(feature->shortest, value.size());
  feature->longest = std::max(feature->longest, value.size());
  for (const OrderedJson& element : value) ObserveScalar(element, feature);
}

ObservedFeature* Find(const std::string& side, const std::string& name, GoldenText* goldens) {
  for (ObservedFeature& feature : goldens->features) {
    if (feature.side == side && feature.name == name) return &feature;
  }
  ObservedFeature feature;
  feature.side = side;
  feature.name = name;
  goldens->features.push_back(std::move(feature));
  return &goldens->features.back();
}

absl::Status ObserveSide(const OrderedJson& request, const char* key, const std::string& side,
                         const std::string& where, GoldenText* goldens) {
  if (!request.contains(key)) return absl::OkStatus();
  const OrderedJson& columns = request[key];
  if (!columns.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": ", key, ": expected an object of features"));
  }
  for (const auto& [name, values] : columns.items()) {
    ObservedFeature* const feature = Find(side, name, goldens);
    if (side == "context") {
      ObserveCell(values, feature);
      continue;
    }
    if (!values.is_array()) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": ", key, ".", name,
                                                     ": expected an array with one entry per ",
                                                     side == "history" ? "event" : "candidate"));
    }
    if (side == "history") goldens->most_events = std::max(goldens->most_events, values.size());
    for (const OrderedJson& cell : values) ObserveCell(cell, feature);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GoldenText> ParseGoldenText(const std::string& text, const std::string& origin) {
  GoldenText goldens;
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    const std::string where = absl::StrCat(origin, ":", number);
    // The strict reader says what is wrong; the other one keeps the order of the keys.
    HP_RETURN_IF_ERROR(ParseJson(line, where).status());
    const OrderedJson request = OrderedJson::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!request.is_object()) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": expected a request, an object"));
    }
    HP_RETURN_IF_ERROR(ObserveSide(request, "context", "context", where, &goldens));
    HP_RETURN_IF_ERROR(ObserveSide(request, "history", "history", where, &goldens));
    HP_RETURN_IF_ERROR(ObserveSide(request, "candidates", "candidate", where, &goldens));
    if (request.contains("outputs") && request["outputs"].is_object()) {
      for (const auto& [name, unused] : request["outputs"].items()) {
        std::vector<std::string>& outputs = goldens.outputs;
        if (std::find(outputs.begin(), outputs.end(), name) == outputs.end()) {
          outputs.push_back(name);
        }
      }
    }
    goldens.lines.emplace_back(line);
    goldens.where.push_back(where);
  }
  if (goldens.lines.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": has no request"));
  }
  return goldens;
}

absl::StatusOr<GoldenText> ReadGoldenText(const std::string& path) {
  HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseGoldenText(text, path == "-" ? "standard input" : path);
}

}  // namespace handpick::converter
