#include "converter/draft/draft.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "converter/draft/search.h"
#include "converter/draft/trial.h"
#include "converter/io/status_macros.h"
#include "converter/spec/spec.h"
#include "converter/weights/weights.h"

namespace handpick::converter {
namespace {

// Values that a question lists; of more it says how many there are.
constexpr size_t kMostListed = 8;

Json QuestionOf(const Choice& choice, const std::vector<Json>& values) {
  std::vector<std::string> words;
  if (!choice.words.empty()) words.push_back(choice.words);
  if (values.size() <= kMostListed) {
    for (const Json& value : values) words.push_back(ValueText(value));
  }
  if (words.empty()) words.push_back(absl::StrCat("one of ", values.size()));
  return Question(words);
}

std::string KindOf(const Json& spec) { return spec["model"]["kind"].get<std::string>(); }

bool AreEqual(const std::vector<double>& a, const std::vector<double>& b) {
  constexpr double kSame = 1e-12;
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!(std::abs(a[i] - b[i]) <= kSame * std::max(1.0, std::abs(a[i])))) return false;
  }
  return true;
}

class Drafter {
 public:
  Drafter(const DraftInputs& inputs, const DraftProgress& progress)
      : inputs_(inputs), progress_(progress) {}

  absl::StatusOr<Draft> Run() {
    Inferred inferred = Infer(inputs_);
    if (inferred.structures.empty()) return NoKind(inferred);
    HP_ASSIGN_OR_RETURN(const Weights weights, ReadAll(*inputs_.weights));
    Trial trial(weights, inputs_.goldens);
    // Questions about features are answered before anything can be tried.
    const bool can_build = std::any_of(
        inferred.structures.begin(), inferred.structures.end(),
        [](const Structure& structure) { return OpenQuestions(structure.spec).empty(); });
    if (!can_build) {
      TakeUntried(inferred.structures, "features are in question");
      return Finish();
    }
    std::vector<Structure> open;
    for (Structure& structure : inferred.structures) {
      if (OpenQuestions(structure.spec).empty()) open.push_back(std::move(structure));
    }
    Faults faults;
    if (inputs_.goldens == nullptr) {
      const std::vector<Structure> built = ThatBuild(open, trial, &faults);
      if (built.empty()) return Faulty(open, faults);
      TakeUntried(built, "there are no goldens");
      return Finish();
    }
    SearchResult result = Search(open, &trial, progress_);
    if (!result.fits.empty() && !result.ran_out) {
      TakeFits(open, result);
      return Finish();
    }
    const std::vector<Structure> built = ThatBuild(open, trial, &faults);
    if (built.empty()) return Faulty(open, faults);
    if (result.ran_out) {
      TakeUntried(built, absl::StrCat("trying was stopped after ", result.tried, " combinations"));
      return Finish();
    }
    TakeUntried(built,
                absl::StrCat("none of ", result.tried, " combinations fits the goldens",
                             result.was_cut ? ", and there are more than can be tried" : ""),
                /*is_refuted=*/true);
    return Finish();
  }

 private:
  absl::Status NoKind(const Inferred& inferred) const {
    return absl::InvalidArgumentError(absl::StrCat(
        inputs_.weights->origin(), ": these are the tensors of no kind of model in any layout",
        inferred.refused.empty() ? "" : ":\n  ", absl::StrJoin(inferred.refused, "\n  ")));
  }

  // Why structures are no models, by their places.
  using Faults = std::vector<std::pair<size_t, std::string>>;

  // Of several kinds, the nearest: that of the fewest faults, which are lines.
  absl::Status Faulty(const std::vector<Structure>& structures, const Faults& faults) const {
    const auto lines = [](const std::string& text) {
      return std::count(text.begin(), text.end(), '\n');
    };
    const auto nearest = std::min_element(
        faults.begin(), faults.end(),
        [&](const auto& a, const auto& b) { return lines(a.second) < lines(b.second); });
    return absl::InvalidArgumentError(absl::StrCat(
        inputs_.weights->origin(), ": by its names it is a ",
        KindOf(structures[nearest->first].spec),
        ", but no features that were given or seen come to its shapes: ", nearest->second));
  }

  void Report(std::string line) { draft_.report.push_back(std::move(line)); }

  void ReportStructure(const Structure& structure) {
    Report(absl::StrCat("layout ", structure.spec["layout"].get<std::string>(),
                        ": certain: from the names of the tensors"));
    draft_.report.insert(draft_.report.end(), structure.facts.begin(), structure.facts.end());
  }

  // Nothing could be found by trying: choices become questions.
  void TakeUntried(const std::vector<Structure>& structures, const std::string& why,
                   bool is_refuted = false) {
    const Structure& first = structures[0];
    draft_.spec = first.spec;
    std::vector<std::string> kinds;
    for (const Structure& structure : structures) {
      if (std::find(kinds.begin(), kinds.end(), KindOf(structure.spec)) == kinds.end()) {
        kinds.push_back(KindOf(structure.spec));
      }
    }
    if (kinds.size() > 1) {
      draft_.spec["model"]["kind"] = Question(kinds);
      Report(absl::StrCat("model.kind: in question: the tensors of ", absl::StrJoin(kinds, ", "),
                          " have the same names and shapes; the sections are those of ", kinds[0]));
    } else {
      Report(absl::StrCat("model.kind ", kinds[0], ": certain: from names and shapes"));
    }
    ReportStructure(first);
    for (const Choice& choice : first.choices) {
      if (choice.values.size() == 1) {
        PutAt(choice.pointer, choice.values[0], &draft_.spec);
        Report(absl::StrCat(FieldOf(choice.pointer), " ", ValueText(choice.values[0]),
                            ": certain: from names and shapes"));
      } else if (choice.is_soft && !is_refuted) {
        Report(
            absl::StrCat(FieldOf(choice.pointer), " ", ValueText(choice.values[0]), ": assumed"));
      } else {
        PutAt(choice.pointer, QuestionOf(choice, choice.values), &draft_.spec);
        Report(absl::StrCat(FieldOf(choice.pointer), ": in question: ", why));
      }
    }
    if (!is_refuted) return;
    // Something is understood wrongly, if there is no choice left it is said here all the same.
    if (OpenQuestions(draft_.spec).empty()) {
      draft_.spec["model"]["kind"] = Question(kinds);
      Report(absl::StrCat("model.kind: in question: ", why));
    }
    std::set<std::string> asked;
    for (const Choice& order : first.orders) {
      // A list may have other orders, and other combiners: one question is enough.
      if (order.words.empty() || !asked.insert(order.pointer).second) continue;
      PutAt(order.pointer, QuestionOf(order, order.values), &draft_.spec);
      Report(absl::StrCat(FieldOf(order.pointer), ": in question: ", why));
    }
  }

  // Some combinations compute what the trainer says.
  void TakeFits(const std::vector<Structure>& structures, const SearchResult& result) {
    const Fit& first = result.fits[0];
    draft_.spec = first.spec;
    const std::string found = absl::StrFormat(
        "found: %d of %d combinations fit%s the goldens, error %.2g", result.fits.size(),
        result.tried, result.fits.size() == 1 ? "s" : "", first.error);
    TakeKind(result, found, structures.size() > 1);
    ReportStructure(structures[first.structure]);
    for (const auto& [choice, value] : first.taken) TakeChoice(result, choice, value, found);
  }

  void TakeKind(const SearchResult& result, const std::string& found, bool was_open) {
    const Fit& first = result.fits[0];
    std::vector<std::string> others, same;
    for (const Fit& fit : result.fits) {
      const std::string kind = KindOf(fit.spec);
      if (kind == KindOf(first.spec)) continue;
      std::vector<std::string>& list = AreEqual(fit.logits, first.logits) ? same : others;
      if (std::find(list.begin(), list.end(), kind) == list.end()) list.push_back(kind);
    }
    const std::string kind = KindOf(first.spec);
    if (!others.empty()) {
      others.insert(others.begin(), kind);
      draft_.spec["model"]["kind"] = Question(others);
      Report(absl::StrCat("model.kind: in question: ", absl::StrJoin(others, ", "),
                          " fit the goldens"));
      return;
    }
    Report(absl::StrCat("model.kind ", kind, ": ",
                        was_open ? found : "certain: from names and shapes",
                        same.empty() ? "" : "; the same model as ", absl::StrJoin(same, ", ")));
  }

  void TakeChoice(const SearchResult& result, const Choice& choice, const Json& value,
                  const std::string& found) {
    const Fit& first = result.fits[0];
    std::vector<Json> values;
    bool makes_difference = false;
    for (const Fit& fit : result.fits) {
      if (KindOf(fit.spec) != KindOf(first.spec)) continue;
      for (const auto& [other, own] : fit.taken) {
        if (other.pointer != choice.pointer) continue;
        const bool is_there =
            std::any_of(values.begin(), values.end(), [&own = own](const Json& v) {
              return v.is_discarded() == own.is_discarded() && (v.is_discarded() || v == own);
            });
        if (!is_there) values.push_back(own);
        makes_difference = makes_difference || !AreEqual(fit.logits, first.logits);
      }
    }
    const std::string text = absl::StrCat(FieldOf(choice.pointer), " ", ValueText(value));
    if (values.size() <= 1) {
      Report(absl::StrCat(text, ": ", found));
    } else if (choice.is_soft && !makes_difference) {
      Report(absl::StrCat(text, ": assumed: it makes no difference to the goldens"));
    } else {
      PutAt(choice.pointer, QuestionOf(choice, values), &draft_.spec);
      Report(absl::StrCat(FieldOf(choice.pointer), ": in question: ", values.size(),
                          " values fit the goldens"));
    }
  }

  absl::StatusOr<Draft> Finish() {
    draft_.questions = OpenQuestions(draft_.spec);
    return std::move(draft_);
  }

  const DraftInputs& inputs_;
  const DraftProgress& progress_;
  Draft draft_;
};

}  // namespace

absl::StatusOr<Draft> MakeDraft(const DraftInputs& inputs, const DraftProgress& progress) {
  return Drafter(inputs, progress).Run();
}

namespace {

// The keys that features of some type may have in a spec.
const std::vector<std::string>& FeatureKeys() {
  static const auto* const kKeys = [] {
    std::set<std::string> keys;
    for (const auto& [name, own] : SpecKeys()) {
      if (absl::StartsWith(name, "feature_") && name != "feature_use") {
        keys.insert(own.begin(), own.end());
      }
    }
    return new std::vector<std::string>(keys.begin(), keys.end());
  }();
  return *kKeys;
}

}  // namespace

absl::StatusOr<Json> ParseColumns(const std::string& text, const std::string& origin) {
  HP_ASSIGN_OR_RETURN(Json json, ParseJson(text, origin));
  if (json.is_array()) json = Json{{"features", json}};
  JsonErrors errors(origin);
  const JsonObject object(json, "", SpecKeys().at(""), &errors);
  HP_RETURN_IF_ERROR(errors.status());
  if (object.Has("features")) {
    const Json& features = object.Array("features");
    for (size_t i = 0; i < features.size() && errors.ok(); ++i) {
      const std::string path = absl::StrCat("features[", i, "]");
      if (!features[i].is_object() || !features[i].contains("name") ||
          !features[i]["name"].is_string()) {
        errors.Add(path, "expected an object with a 'name'");
        continue;
      }
      // Which keys a feature may have depends on its type, which may be left out.
      const JsonObject keys_are_known(features[i], path, FeatureKeys(), &errors);
    }
  }
  for (const auto& [key, value] : json.items()) {
    if (key == "features" || key == "layout" || key == "$schema" || key == "description") continue;
    // Of several histories, and of attention over each, there are lists.
    const bool may_be_list = key == "attention" || key == "sequences";
    const bool is_list =
        may_be_list && value.is_array() &&
        std::all_of(value.begin(), value.end(), [](const Json& own) { return own.is_object(); });
    if (!value.is_object() && !is_list) {
      errors.Add(key, absl::StrCat("expected an object", may_be_list ? " or a list of them" : "",
                                   ", found ", Shown(value)));
    }
  }
  if (errors.ok() && json.contains("model") && json["model"].contains("kind") &&
      !json["model"]["kind"].is_string()) {
    errors.Add("model.kind",
               absl::StrCat("expected a string, found ", Shown(json["model"]["kind"])));
  }
  if (json.contains("layout") && !json["layout"].is_string()) {
    errors.Add("layout", "expected the name of a layout: names of your own are not drafted");
  }
  HP_RETURN_IF_ERROR(errors.status());
  return json;
}

}  // namespace handpick::converter
