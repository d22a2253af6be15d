#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
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

// Whether arrays and objects of a text of JSON are few inside each other.
bool IsShallow(const std::string& text) {
  constexpr int kMostLevels = 64;
  int levels = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      in_string = !in_string;
    } else if (in_string) {
      i += text[i] == '\\';
    } else if (text[i] == '[' || text[i] == '{') {
      if (++levels > kMostLevels) return false;
    } else if (text[i] == ']' || text[i] == '}') {
      --levels;
    }
  }
  return true;
}

// UTF-8, as JSON is, without what a terminal would obey.
bool IsText(const Json& json, const char* key) {
  if (!json.contains(key) || !json[key].is_string()) return false;
  const std::string& text = json[key].get_ref<const std::string&>();
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return false;
    }
  }
  return true;
}

bool IsNumberOrNull(const Json& json, const char* key) {
  return !json.contains(key) || json[key].is_number() || json[key].is_null();
}

template <typename F>
bool IsListOf(const Json& json, const char* key, F is_one) {
  return json.contains(key) && json[key].is_array() &&
         std::all_of(json[key].begin(), json[key].end(), is_one);
}

bool IsEvaluation(const Json& json) {
  const auto is_count = [&json](const char* key) {
    return json.contains(key) && json[key].is_number_unsigned();
  };
  const auto is_estimate = [](const Json& one) {
    return one.is_object() && IsNumberOrNull(one, "value") && IsNumberOrNull(one, "low") &&
           IsNumberOrNull(one, "high");
  };
  return json.is_object() && IsName(json, "verdict", true) && IsName(json, "against", false) &&
         is_count("rows") && is_count("labelled_rows") && is_count("requests") &&
         is_count("users") &&
         IsListOf(json, "inputs",
                  [](const Json& one) {
                    return one.is_object() && IsText(one, "name") && IsName(one, "xxh3", true);
                  }) &&
         IsListOf(json, "metrics",
                  [&](const Json& one) { return is_estimate(one) && IsName(one, "name", true); }) &&
         IsListOf(json, "decisions", [&](const Json& one) {
           return is_estimate(one) && IsText(one, "require") && IsText(one, "slice") &&
                  IsName(one, "verdict", true) && IsName(one, "instruction_set", false);
         });
}

bool IsRareRows(const Json& json) {
  return json.is_object() && json.contains("min_count") && json["min_count"].is_number_unsigned() &&
         json.contains("removed_rows") && json["removed_rows"].is_number_unsigned();
}

bool IsBound(const Json& json) {
  return json.is_object() && IsName(json, "name", true) && IsName(json, "of", false) &&
         IsName(json, "instruction_set", false) && IsName(json, "verdict", false) &&
         json.contains("measured") &&
         (json["measured"].is_number() || json["measured"].is_null()) &&
         (json.contains("at_least") ? json["at_least"].is_number()
                                    : json.contains("at_most") && json["at_most"].is_number());
}

}  // namespace

Json GateJson(const schema::Manifest* manifest) {
  if (manifest == nullptr || manifest->gate() == nullptr) return nullptr;
  const std::string text = manifest->gate()->str();
  // A bundle may be anybody's: what walks over values recurses.
  if (!IsShallow(text)) return nullptr;
  Json gate = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!gate.is_object() || !IsName(gate, "verdict", true) || !gate.contains("bounds") ||
      !gate["bounds"].is_array()) {
    return nullptr;
  }
  const Json& bounds = gate["bounds"];
  if (!std::all_of(bounds.begin(), bounds.end(), &IsBound)) return nullptr;
  if (gate.contains("evaluation") && !IsEvaluation(gate["evaluation"])) gate.erase("evaluation");
  if (gate.contains("rare_rows") && !IsRareRows(gate["rare_rows"])) gate.erase("rare_rows");
  return gate;
}

std::string DemandName(const Json& decision) {
  const std::string slice = decision["slice"].get<std::string>();
  const std::string require = decision["require"].get<std::string>();
  // "auc >= 0.7 @ *" is of each slice.
  return slice.empty() ? require : absl::StrCat(require.substr(0, require.find('@')), "in ", slice);
}

namespace {

std::string EstimateText(const Json& json) {
  const auto number = [&json](const char* key) {
    return !json.contains(key) || json[key].is_null()
               ? std::string("-")
               : absl::StrFormat("%.6g", json[key].get<double>());
  };
  return absl::StrCat(number("value"), " [", number("low"), ", ", number("high"), "]");
}

std::string EvaluationText(const Json& evaluation) {
  std::vector<std::string> files;
  for (const Json& input : evaluation["inputs"]) files.push_back(input["name"].get<std::string>());
  std::string out = absl::StrCat("Evaluation: ", evaluation["verdict"].get<std::string>(), " on ",
                                 absl::StrJoin(files, ", "), ": ", Commas(evaluation["rows"]),
                                 " rows, ", Commas(evaluation["labelled_rows"]), " with labels, ",
                                 Commas(evaluation["users"]), " users");
  if (evaluation.contains("against")) {
    absl::StrAppend(&out, "; against ", evaluation["against"].get<std::string>());
  }
  out += "\n";
  for (const Json& metric : evaluation["metrics"]) {
    absl::StrAppendFormat(&out, "  %-32s %s\n", metric["name"].get<std::string>(),
                          EstimateText(metric));
  }
  for (const Json& decision : evaluation["decisions"]) {
    absl::StrAppendFormat(
        &out, "  %-9s %-32s %s%s\n", decision["verdict"].get<std::string>(), DemandName(decision),
        EstimateText(decision),
        decision.contains("instruction_set")
            ? absl::StrCat("; on ", decision["instruction_set"].get<std::string>())
            : "");
  }
  return out;
}

}  // namespace

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
    absl::StrAppendFormat(
        &out, "  %-32s %s, %s%s%s\n", BoundName(bound),
        bound["measured"].is_null() ? "not measured"
                                    : absl::StrFormat("%.6g", bound["measured"].get<double>()),
        BoundText(bound),
        bound.contains("instruction_set")
            ? absl::StrCat("; on ", bound["instruction_set"].get<std::string>())
            : "",
        bound.contains("verdict") ? absl::StrCat("; ", bound["verdict"].get<std::string>()) : "");
  }
  if (gate.contains("rare_rows")) {
    absl::StrAppend(&out, "  rows fewer by merging: ", Commas(gate["rare_rows"]["removed_rows"]),
                    ", of ids that were counted less than ", Commas(gate["rare_rows"]["min_count"]),
                    " times\n");
  }
  if (gate.contains("evaluation")) out += EvaluationText(gate["evaluation"]);
  return out;
}

}  // namespace handpick::converter
