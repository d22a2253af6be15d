#include "converter/draft/explain.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "converter/draft/choice.h"
#include "converter/draft/trial.h"
#include "converter/io/json_text.h"
#include "converter/spec/kinds.h"
#include "converter/spec/layouts.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

constexpr std::chrono::seconds kLongest{20};

bool IsSigmoidOf(const std::vector<double>& given, const std::vector<double>& computed) {
  for (size_t i = 0; i < given.size(); ++i) {
    if (!(std::abs(1 / (1 + std::exp(-computed[i])) - given[i]) <= kFits)) return false;
  }
  return !given.empty();
}

// Options of a spec, each with the values that it may have instead.
class Neighbours {
 public:
  explicit Neighbours(const Json& spec) : spec_(spec) {}

  std::vector<Choice> List() {
    Flip("/attention/softmax", {true, false});
    const std::vector<Json> activations = PlainActivations();
    for (const char* section : {"/deep", "/attention", "/value", "/towers/user", "/towers/item"}) {
      Activation(absl::StrCat(section, "/activation"), activations);
      Activation(absl::StrCat(section, "/output_activation"), activations);
      Epsilon(section);
    }
    Activation("/autorec/activation", activations);
    Flip("/evolution/cell", {"GRU", "AIGRU", "AGRU", "AUGRU"});
    if (Has("/cross/layers")) Add("/cross/structure", {"parallel", "stacked"});
    Flip("/products/inner", {true, false});
    Flip("/towers/similarity", {"inner_product", "cosine"});
    if (Has("/piecewise")) Add("/model/task", {"binary", "regression"});
    Add("/model/kind", std::vector<Json>(ModelKindNames().begin(), ModelKindNames().end()));
    Features();
    for (const char* list :
         {"/deep/features", "/value/features", "/attention/query", "/attention/key",
          "/wide/features", "/towers/user/features", "/towers/item/features"}) {
      Orders(list);
    }
    return std::move(choices_);
  }

 private:
  bool Has(const std::string& pointer) const { return spec_.contains(Json::json_pointer(pointer)); }

  // All but the value that is there.
  void Add(const std::string& pointer, std::vector<Json> values) {
    const Json own = Has(pointer) ? spec_[Json::json_pointer(pointer)] : LeftOut();
    values.erase(std::remove_if(values.begin(), values.end(),
                                [&](const Json& value) {
                                  return value.is_discarded() == own.is_discarded() &&
                                         (value.is_discarded() || value == own);
                                }),
                 values.end());
    if (!values.empty()) choices_.push_back({pointer, std::move(values)});
  }

  void Flip(const std::string& pointer, std::vector<Json> values) {
    if (Has(pointer)) Add(pointer, std::move(values));
  }

  // prelu and dice have tensors, and are right where they are.
  void Activation(const std::string& pointer, const std::vector<Json>& values) {
    const Json::json_pointer section = Json::json_pointer(pointer).parent_pointer();
    if (!spec_.contains(section) || !spec_[section].is_object()) return;
    const bool is_output = pointer.find("output") != std::string::npos;
    if (is_output && pointer.rfind("/towers", 0) != 0) return;
    if (Has(pointer)) {
      const Json& own = spec_[Json::json_pointer(pointer)];
      if (own == "prelu" || own == "dice") return;
    }
    Add(pointer, values);
  }

  void Epsilon(const std::string& section) {
    if (!Has(section + "/batch_normalization") ||
        spec_[Json::json_pointer(section + "/batch_normalization")] != true) {
      return;
    }
    Add(section + "/batch_normalization_epsilon", {1e-5, 1e-3, 1e-6, 1e-8});
  }

  void Features() {
    if (!Has("/features") || !spec_["features"].is_array()) return;
    for (size_t i = 0; i < spec_["features"].size(); ++i) {
      const Json& feature = spec_["features"][i];
      if (!feature.is_object()) continue;
      const std::string at = absl::StrCat("/features/", i);
      const bool is_multi = feature.value("type", Json()) == "multi_categorical";
      const bool is_event = feature.value("side", Json()) == "history";
      if (!is_multi && !is_event) continue;
      Add(at + "/combiner", {"mean", "sum", "max"});
      Add(at + "/padding_row", {nullptr, 0, LeftOut()});
    }
  }

  // Two that change places.
  void Orders(const std::string& pointer) {
    constexpr size_t kMostFeatures = 24;
    if (!Has(pointer)) return;
    const Json& list = spec_[Json::json_pointer(pointer)];
    if (!list.is_array() || list.size() > kMostFeatures) return;
    std::vector<Json> orders;
    for (size_t i = 0; i < list.size(); ++i) {
      for (size_t j = i + 1; j < list.size(); ++j) {
        Json order = list;
        std::swap(order[i], order[j]);
        orders.push_back(std::move(order));
      }
    }
    if (!orders.empty()) choices_.push_back({pointer, std::move(orders)});
  }

  const Json& spec_;
  std::vector<Choice> choices_;
};

std::string Described(const Json& spec, const Choice& choice, const Json& value) {
  std::string field = FieldOf(choice.pointer);
  const Json::json_pointer feature = Json::json_pointer(choice.pointer).parent_pointer();
  if (field.rfind("features[", 0) == 0 && spec.contains(feature)) {
    absl::StrAppend(&field, " ('", spec[feature].value("name", ""), "')");
  }
  return value.is_discarded() ? absl::StrCat("without ", field)
                              : absl::StrCat("with ", field, ": ", JsonText(value));
}

}  // namespace

std::vector<std::string> ExplainGoldens(const Json& spec, const Weights& weights,
                                        const GoldenText& goldens,
                                        const schema::CatalogT* catalog) {
  std::vector<std::string> lines;
  Trial trial(weights, &goldens, catalog);
  const absl::StatusOr<Outcome> outcome = trial.Run(spec, INFINITY);
  if (!outcome.ok() || outcome->error <= kFits) return lines;
  const Outcome::Worst& worst = outcome->worst;
  lines.push_back(absl::StrFormat(
      "%s: candidate %d%s: the trainer's logit is %.9g, computed is %.9g", worst.where,
      worst.candidate, worst.output.empty() ? "" : absl::StrCat(", output ", worst.output),
      worst.trainers, worst.computed));
  if (IsSigmoidOf(outcome->trainers, outcome->logits)) {
    lines.push_back(
        "these look like probabilities: each is the sigmoid of what was computed; give logits, "
        "which come before the sigmoid");
    return lines;
  }
  const auto end = std::chrono::steady_clock::now() + kLongest;
  for (const Choice& choice : Neighbours(spec).List()) {
    for (const Json& value : choice.values) {
      if (std::chrono::steady_clock::now() > end) return lines;
      Json neighbour = spec;
      PutAt(choice.pointer, value, &neighbour);
      const absl::StatusOr<Outcome> own = trial.Run(neighbour);
      if (!own.ok() || !own->is_whole || !(own->error <= kFits)) continue;
      lines.push_back(
          absl::StrFormat("it fits %s (error %.2g)", Described(spec, choice, value), own->error));
    }
  }
  return lines;
}

}  // namespace handpick::converter
