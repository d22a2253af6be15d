#include "converter/draft/choice.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "converter/io/json_text.h"

namespace handpick::converter {

std::vector<Json> PlainActivations() { return {"relu", "sigmoid", "tanh", "linear"}; }

std::string FieldOf(absl::string_view pointer) {
  std::string field;
  for (const absl::string_view part : absl::StrSplit(pointer, '/', absl::SkipEmpty())) {
    const bool is_number =
        std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (is_number) {
      absl::StrAppend(&field, "[", part, "]");
    } else {
      absl::StrAppend(&field, field.empty() ? "" : ".", part);
    }
  }
  return field;
}

void PutAt(const std::string& pointer, const Json& value, Json* spec) {
  const Json::json_pointer at(pointer);
  if (!value.is_discarded()) {
    (*spec)[at] = value;
    return;
  }
  const Json::json_pointer parent = at.parent_pointer();
  if (spec->contains(parent) && (*spec)[parent].is_object()) (*spec)[parent].erase(at.back());
}

std::string ValueText(const Json& value) {
  if (value.is_discarded()) return "(left out)";
  if (value.is_string()) return value.get<std::string>();
  return JsonText(value);
}

}  // namespace handpick::converter
