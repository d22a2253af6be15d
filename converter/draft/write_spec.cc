#include "converter/draft/write_spec.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/io/json_text.h"
#include "converter/spec/spec.h"

namespace handpick::converter {
namespace {

// Lines up to here are not broken.
constexpr size_t kWidth = 100;

// Keys in the order of the schema's objects; those that it does not have come last.
size_t PlaceOf(const std::string& key) {
  static const auto* const kOrder = [] {
    auto* const order = new std::vector<std::string>(SpecKeys().at(""));
    // Objects that are within others, in an order in which no two of them disagree.
    for (const char* definition :
         {"model", "output", "history", "feature_crossed", "feature_multi_categorical",
          "feature_numeric", "vocabulary_identity", "vocabulary_list", "vocabulary_hash",
          "embedding", "feature_use", "attention", "tower_user", "experts", "piecewise"}) {
      for (const std::string& name : SpecKeys().at(definition)) {
        if (std::find(order->begin(), order->end(), name) == order->end()) order->push_back(name);
      }
    }
    return order;
  }();
  return static_cast<size_t>(std::find(kOrder->begin(), kOrder->end(), key) - kOrder->begin());
}

std::string Quoted(const Json& value) { return JsonText(value); }

std::vector<std::string> SortedKeys(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, unused] : object.items()) keys.push_back(key);
  std::stable_sort(keys.begin(), keys.end(), [](const std::string& a, const std::string& b) {
    return PlaceOf(a) < PlaceOf(b);
  });
  return keys;
}

std::string OnOneLine(const Json& value) {
  std::string text;
  if (value.is_object()) {
    for (const std::string& key : SortedKeys(value)) {
      absl::StrAppend(&text, text.empty() ? "" : ", ", Quoted(key), ": ", OnOneLine(value[key]));
    }
    return absl::StrCat("{", text, "}");
  }
  if (!value.is_array()) return Quoted(value);
  for (const Json& element : value) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", OnOneLine(element));
  }
  return absl::StrCat("[", text, "]");
}

std::string Written(const Json& value, size_t indent) {
  const std::string line = OnOneLine(value);
  if (!value.is_structured() || value.empty() || (indent > 0 && indent + line.size() <= kWidth)) {
    return line;
  }
  const std::string space(indent + 2, ' ');
  std::string text;
  if (value.is_object()) {
    for (const std::string& key : SortedKeys(value)) {
      absl::StrAppend(&text, text.empty() ? "" : ",\n", space, Quoted(key), ": ",
                      Written(value[key], indent + 2));
    }
    return absl::StrCat("{\n", text, "\n", std::string(indent, ' '), "}");
  }
  for (const Json& element : value) {
    absl::StrAppend(&text, text.empty() ? "" : ",\n", space, Written(element, indent + 2));
  }
  return absl::StrCat("[\n", text, "\n", std::string(indent, ' '), "]");
}

}  // namespace

std::string SpecText(const Json& spec) { return Written(spec, 0) + "\n"; }

}  // namespace handpick::converter
