#include <stdio.h>

#include <cmath>
#include <string>

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

}  // namespace handpick::converter
