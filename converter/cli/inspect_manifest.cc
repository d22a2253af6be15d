#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/inspect_parts.h"

namespace handpick::converter {

Json InputsJson(const schema::Manifest* manifest) {
  Json inputs = Json::array();
  if (manifest != nullptr && manifest->inputs() != nullptr) {
    for (const auto* input : *manifest->inputs()) {
      // Hexadecimal, as tools print hashes: JSON's numbers need not keep 64 bits.
      inputs.push_back({{"role", input->role()->str()},
                        {"name", input->name()->str()},
                        {"size", input->size()},
                        {"xxh3", absl::StrFormat("%016x", input->xxh3())}});
    }
  }
  return inputs;
}

std::string InputsText(const Json& inputs) {
  if (inputs.empty()) return "";
  std::string out = "\nMade from\n";
  const int width = Widest(inputs, "name", 14);
  for (const Json& input : inputs) {
    absl::StrAppendFormat(&out, "  %-10s %-*s %14s bytes, XXH3 %s\n",
                          input["role"].get<std::string>(), width, input["name"].get<std::string>(),
                          Commas(input["size"]), input["xxh3"].get<std::string>());
  }
  return out;
}

Json DriftJson(const schema::Manifest* manifest) {
  const schema::Drift* drift = manifest == nullptr ? nullptr : manifest->drift();
  if (drift == nullptr) return nullptr;
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  return {{"auc_reference", number(drift->auc_reference())},
          {"auc_bundle", number(drift->auc_bundle())},
          {"labelled_rows", drift->labelled_rows()},
          {"top10_overlap", number(drift->top10_overlap())},
          {"ranked_requests", drift->ranked_requests()},
          {"max_logit_error", number(drift->max_logit_error())}};
}

std::string DriftText(const Json& drift) {
  if (drift.is_null()) return "Drift: was not measured\n";
  const auto shown = [](const Json& number, const char* format) {
    char text[32];
    if (number.is_null()) return std::string("not measured");
    snprintf(text, sizeof(text), format, number.get<double>());
    return std::string(text);
  };
  return absl::StrFormat(
      "Drift from float64: AUC %s, was %s (%s rows); top-10 overlap %s (%s requests); largest "
      "logit error %s\n",
      shown(drift["auc_bundle"], "%.6f"), shown(drift["auc_reference"], "%.6f"),
      Commas(drift["labelled_rows"]), shown(drift["top10_overlap"], "%.4f"),
      Commas(drift["ranked_requests"]), shown(drift["max_logit_error"], "%.3g"));
}

namespace {

bool IsName(const Json& json, const char* key, bool required) {
  if (!json.contains(key)) return !required;
  const Json& value = json[key];
  if (!value.is_string()) return false;
  const std::string& text = value.get_ref<const std::string&>();
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

bool IsBound(const Json& json) {
  return json.is_object() && IsName(json, "name", true) && IsName(json, "of", false) &&
         IsName(json, "instruction_set", false) && json.contains("measured") &&
         (json["measured"].is_number() || json["measured"].is_null()) &&
         (json.contains("at_least") ? json["at_least"].is_number()
                                    : json.contains("at_most") && json["at_most"].is_number());
}

}  // namespace

Json GateJson(const schema::Manifest* manifest) {
  if (manifest == nullptr || manifest->gate() == nullptr) return nullptr;
  const std::string text = manifest->gate()->str();
  // A bundle may be anybody's: what walks over values recurses.
  constexpr std::ptrdiff_t kMostBrackets = 1024;
  if (std::count(text.begin(), text.end(), '[') + std::count(text.begin(), text.end(), '{') >
      kMostBrackets) {
    return nullptr;
  }
  Json gate = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!gate.is_object() || !IsName(gate, "verdict", true) || !gate.contains("bounds") ||
      !gate["bounds"].is_array()) {
    return nullptr;
  }
  const Json& bounds = gate["bounds"];
  return std::all_of(bounds.begin(), bounds.end(), &IsBound) ? gate : Json();
}

std::string BoundName(const Json& bound) {
  return absl::StrCat(bound["name"].get<std::string>(),
                      bound.contains("of") ? " of " + bound["of"].get<std::string>() : "");
}

std::string BoundText(const Json& bound) {
  const bool at_least = bound.contains("at_least");
  return absl::StrFormat("%s %g", at_least ? "at least" : "at most",
                         bound[at_least ? "at_least" : "at_most"].get<double>());
}

std::string GateText(const Json& gate) {
  if (gate.is_null()) return "";
  std::string out = absl::StrCat("Gate: ", gate["verdict"].get<std::string>(), "\n");
  for (const Json& bound : gate["bounds"]) {
    absl::StrAppendFormat(&out, "  %-32s %s, %s%s\n", BoundName(bound),
                          bound["measured"].is_null()
                              ? "not measured"
                              : absl::StrFormat("%.6g", bound["measured"].get<double>()),
                          BoundText(bound),
                          bound.contains("instruction_set")
                              ? absl::StrCat("; on ", bound["instruction_set"].get<std::string>())
                              : "");
  }
  return out;
}

}  // namespace handpick::converter
