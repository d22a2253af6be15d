#include "converter/draft/search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace handpick::converter {
namespace {

constexpr std::chrono::minutes kLongest{5};

// Of one structure, at a time.
constexpr size_t kMostCombinations = 100000;

size_t CountOf(const std::vector<Choice>& choices) {
  size_t count = 1;
  for (const Choice& choice : choices) {
    if (count > kMostCombinations) return count;
    count *= choice.values.size();
  }
  return count;
}

// Calls `visit` with every combination, until it returns false. The first choices turn slowest.
void ForEachCombination(const Json& spec, const std::vector<Choice>& choices,
                        const std::function<bool(const Json&, const std::vector<size_t>&)>& visit) {
  std::vector<size_t> picks(choices.size(), 0);
  while (true) {
    Json candidate = spec;
    for (size_t i = 0; i < choices.size(); ++i) {
      PutAt(choices[i].pointer, choices[i].values[picks[i]], &candidate);
    }
    if (!visit(candidate, picks)) return;
    size_t turned = choices.size();
    while (turned > 0 && ++picks[turned - 1] == choices[turned - 1].values.size()) {
      picks[--turned] = 0;
    }
    if (turned == 0) return;
  }
}

// `choices` with another one in the place of that of the same pointer, or at their end.
std::vector<Choice> With(std::vector<Choice> choices, const Choice& other) {
  for (Choice& choice : choices) {
    if (choice.pointer != other.pointer) continue;
    choice = other;
    return choices;
  }
  choices.push_back(other);
  return choices;
}

constexpr char kTemperature[] = "/towers/temperature";

bool HasTemperature(const Json& spec) {
  return spec.contains("towers") && spec["towers"].is_object() &&
         !spec["towers"].contains("temperature");
}

// The temperature by which the logits are those of the trainer: they are s / t + b, and what two
// temperatures make of them says what s and b are.
std::optional<double> SolveTemperature(const Json& spec, Trial* trial) {
  Json two = spec;
  two["towers"]["temperature"] = 2;
  // Of some requests the vectors are zero: those without events, say.
  constexpr size_t kRequests = 8;
  const absl::StatusOr<Outcome> first = trial->Run(spec, INFINITY, kRequests);
  const absl::StatusOr<Outcome> second = trial->Run(two, INFINITY, kRequests);
  if (!first.ok() || !second.ok() || first->logits.size() != second->logits.size()) {
    return std::nullopt;
  }
  double largest = 0, temperature = 0;
  for (size_t i = 0; i < first->logits.size(); ++i) {
    const double s = 2 * (first->logits[i] - second->logits[i]);
    const double b = first->logits[i] - s;
    if (std::abs(s) <= largest) continue;
    largest = std::abs(s);
    temperature = s / (first->trainers[i] - b);
  }
  if (!(temperature > 0) || !std::isfinite(temperature)) return std::nullopt;
  // Temperatures have few digits; the trainer's logits are float32.
  return std::strtod(absl::StrFormat("%.4g", temperature).c_str(), nullptr);
}

class Searcher {
 public:
  Searcher(const std::vector<Structure>& structures, Trial* trial, const SearchProgress& progress)
      : structures_(structures), trial_(*trial), progress_(progress) {}

  SearchResult Run() {
    for (const Structure& structure : structures_) Expect(structure.choices);
    for (size_t s = 0; s < structures_.size(); ++s) Try(s, structures_[s].choices);
    if (!result_.fits.empty()) return std::move(result_);
    for (const Structure& structure : structures_) {
      for (const Choice& order : structure.orders) Expect(With(structure.choices, order));
    }
    for (size_t s = 0; s < structures_.size(); ++s) {
      for (const Choice& order : structures_[s].orders) {
        Try(s, With(structures_[s].choices, order));
      }
    }
    if (!result_.fits.empty()) return std::move(result_);
    for (size_t s = 0; s < structures_.size(); ++s) {
      const std::vector<Choice>& orders = structures_[s].orders;
      for (size_t i = 0; i < orders.size(); ++i) {
        for (size_t j = i + 1; j < orders.size(); ++j) {
          if (orders[i].pointer == orders[j].pointer) continue;
          Expect(With(With(structures_[s].choices, orders[i]), orders[j]));
          Try(s, With(With(structures_[s].choices, orders[i]), orders[j]));
        }
      }
    }
    return std::move(result_);
  }

 private:
  // Counts combinations that are going to be tried.
  void Expect(const std::vector<Choice>& choices) {
    if (const size_t count = CountOf(choices); count <= kMostCombinations) expected_ += count;
  }

  void Try(size_t structure, const std::vector<Choice>& choices) {
    if (CountOf(choices) > kMostCombinations) {
      result_.was_cut = true;
      return;
    }
    ForEachCombination(structures_[structure].spec, choices,
                       [&](const Json& spec, const std::vector<size_t>& picks) {
                         result_.ran_out = std::chrono::steady_clock::now() > end_;
                         if (!result_.ran_out) TryOne(structure, choices, spec, picks);
                         if (progress_ != nullptr) progress_(++visited_, expected_);
                         return !result_.ran_out;
                       });
  }

  void TryOne(size_t structure, const std::vector<Choice>& choices, const Json& spec,
              const std::vector<size_t>& picks) {
    Fit fit = {structure, spec, {}, 0, {}};
    const bool has_temperature = HasTemperature(spec);
    if (has_temperature) {
      const std::optional<double> temperature = SolveTemperature(spec, &trial_);
      if (temperature.has_value() && *temperature != 1) {
        fit.spec["towers"]["temperature"] = *temperature;
      }
    }
    const absl::StatusOr<Outcome> outcome = trial_.Run(fit.spec);
    if (!outcome.ok()) return;  // No model of these tensors.
    ++result_.tried;
    if (!(outcome->error <= kFits)) return;
    for (size_t i = 0; i < choices.size(); ++i) {
      fit.taken.emplace_back(choices[i], choices[i].values[picks[i]]);
    }
    if (has_temperature) {
      fit.taken.emplace_back(Choice{kTemperature, {}},
                             fit.spec["towers"].value("temperature", Json(1)));
    }
    fit.error = outcome->error;
    fit.logits = outcome->logits;
    // The same spec in two ways: an order that is tried holds the one before it.
    for (const Fit& other : result_.fits) {
      if (other.spec == fit.spec) return;
    }
    result_.fits.push_back(std::move(fit));
  }

  const std::vector<Structure>& structures_;
  Trial& trial_;
  const SearchProgress& progress_;
  size_t visited_ = 0, expected_ = 0;
  const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kLongest;
  SearchResult result_;
};

}  // namespace

SearchResult Search(const std::vector<Structure>& structures, Trial* trial,
                    const SearchProgress& progress) {
  return Searcher(structures, trial, progress).Run();
}

std::vector<Structure> ThatBuild(const std::vector<Structure>& structures, const Trial& trial,
                                 std::vector<std::pair<size_t, std::string>>* faults) {
  constexpr size_t kMostTried = 2000;
  std::vector<Structure> built;
  for (size_t s = 0; s < structures.size(); ++s) {
    const Structure& structure = structures[s];
    std::vector<size_t> found;
    std::string fault;
    bool builds = false;
    size_t tried = 0;
    ForEachCombination(structure.spec, structure.choices,
                       [&](const Json& spec, const std::vector<size_t>& picks) {
                         const absl::StatusOr<Graph> graph = trial.Build(spec);
                         builds = graph.ok();
                         if (builds) found = picks;
                         if (!builds) fault = std::string(graph.status().message());
                         return !builds && ++tried < kMostTried;
                       });
    if (!builds) {
      faults->emplace_back(s, std::move(fault));
      continue;
    }
    Structure narrowed = structure;
    for (size_t i = 0; i < structure.choices.size(); ++i) {
      PutAt(structure.choices[i].pointer, structure.choices[i].values[found[i]], &narrowed.spec);
    }
    for (size_t i = 0; i < structure.choices.size(); ++i) {
      std::vector<Json> values;
      for (const Json& value : structure.choices[i].values) {
        Json spec = narrowed.spec;
        PutAt(structure.choices[i].pointer, value, &spec);
        if (trial.Build(spec).ok()) values.push_back(value);
      }
      narrowed.choices[i].values = std::move(values);
    }
    built.push_back(std::move(narrowed));
  }
  return built;
}

}  // namespace handpick::converter
