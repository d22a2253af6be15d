#include "converter/search/precision_search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "converter/graph/weights.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

absl::StatusOr<uint64_t> ParseBytes(absl::string_view text, absl::string_view whole) {
  absl::string_view number = text;
  double unit = 1;
  for (const auto& [suffix, bytes] :
       std::vector<std::pair<const char*, double>>{{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}}) {
    if (absl::ConsumeSuffix(&number, suffix)) {
      unit = bytes;
      break;
    }
  }
  double value;
  if (!absl::SimpleAtod(number, &value) || !(value > 0) || value * unit > 1e12) {
    return absl::InvalidArgumentError(absl::StrCat("--budget ", whole, ": '", text,
                                                   "' is no size; expected 20MB, 800KB or bytes"));
  }
  return static_cast<uint64_t>(value * unit);
}

uint64_t Bytes(const std::vector<PrecisionPart>& parts, const PrecisionChoice& choice) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < parts.size(); ++i) bytes += parts[i].bytes[choice[i]];
  return bytes;
}

class Searcher {
 public:
  Searcher(const std::vector<PrecisionPart>& parts, const PrecisionBudget& budget,
           const MeasureChoice& measure)
      : parts_(parts), budget_(budget), measure_(measure) {}

  absl::StatusOr<PrecisionSearch> Run() {
    PrecisionChoice choice(parts_.size(), 0);
    HP_ASSIGN_OR_RETURN(search_.exact, Measure(choice));
    HP_RETURN_IF_ERROR(CheckMeasured());
    HP_RETURN_IF_ERROR(MeasureAlone());
    for (size_t i = 0; i < parts_.size(); ++i) choice[i] = parts_[i].types.size() - 1;
    HP_ASSIGN_OR_RETURN(PrecisionTrial trial, Measure(choice));
    while (!IsAccurate(budget_, trial)) {
      const size_t part = MostWorthRaising(choice);
      if (part == parts_.size()) return Impossible(trial);
      --choice[part];
      HP_ASSIGN_OR_RETURN(trial, Measure(choice));
    }
    HP_RETURN_IF_ERROR(LowerAgain(&choice, &trial));
    if (!IsSmall(trial)) return Impossible(trial);
    search_.choice = choice;
    search_.chosen = trial;
    search_.trials = seen_.size();
    return std::move(search_);
  }

 private:
  absl::StatusOr<PrecisionTrial> Measure(const PrecisionChoice& choice) {
    const auto found = seen_.find(choice);
    if (found != seen_.end()) return found->second;
    HP_ASSIGN_OR_RETURN(PrecisionTrial trial, measure_(choice));
    trial.weight_bytes = Bytes(parts_, choice);
    seen_.emplace(choice, trial);
    return trial;
  }

  absl::Status CheckMeasured() const {
    if (budget_.auc.has_value() && std::isnan(search_.exact.auc_drop)) {
      return absl::FailedPreconditionError(
          "--budget auc: was not measured: the evaluation rows have no labels of both kinds");
    }
    if (budget_.overlap.has_value() && std::isnan(search_.exact.overlap)) {
      return absl::FailedPreconditionError(
          "--budget overlap: was not measured: no evaluation request has 20 candidates or more");
    }
    return absl::OkStatus();
  }

  absl::Status MeasureAlone() {
    search_.alone.resize(parts_.size());
    for (size_t i = 0; i < parts_.size(); ++i) {
      for (size_t t = 0; t < parts_[i].types.size(); ++t) {
        PrecisionChoice choice(parts_.size(), 0);
        choice[i] = t;
        HP_ASSIGN_OR_RETURN(const PrecisionTrial trial, Measure(choice));
        search_.alone[i].push_back(trial);
      }
    }
    return absl::OkStatus();
  }

  bool IsSmall(const PrecisionTrial& trial) const {
    return !(budget_.size.has_value() && trial.bundle_bytes > *budget_.size) &&
           !(budget_.memory.has_value() && trial.memory_bytes > *budget_.memory);
  }

  // Errors of parts add up about as independent ones do: by their squares.
  double Error(size_t part, size_t type) const {
    const double error = search_.alone[part][type].rms_logit_error;
    return error * error;
  }

  // The part whose next more precise type saves most of the error for a byte; parts_.size(): none.
  size_t MostWorthRaising(const PrecisionChoice& choice) const {
    size_t best = parts_.size();
    double most = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (choice[i] == 0) continue;
      const double saved = Error(i, choice[i]) - Error(i, choice[i] - 1);
      const double bytes = static_cast<double>(parts_[i].bytes[choice[i] - 1]) -
                           static_cast<double>(parts_[i].bytes[choice[i]]);
      const double worth = saved / std::max(1.0, bytes);
      if (worth > most) {
        most = worth;
        best = i;
      }
    }
    return best;
  }

  // What was raised for the sake of all may be more than is needed.
  absl::Status LowerAgain(PrecisionChoice* choice, PrecisionTrial* trial) {
    std::vector<std::pair<uint64_t, std::pair<size_t, size_t>>> steps;  // Bytes saved: part, type.
    for (size_t i = 0; i < parts_.size(); ++i) {
      for (size_t t = (*choice)[i] + 1; t < parts_[i].types.size(); ++t) {
        steps.push_back({parts_[i].bytes[(*choice)[i]] - parts_[i].bytes[t], {i, t}});
      }
    }
    std::sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (const auto& [saved, step] : steps) {
      const auto& [part, type] = step;
      if (type <= (*choice)[part]) continue;
      PrecisionChoice lower = *choice;
      lower[part] = type;
      HP_ASSIGN_OR_RETURN(const PrecisionTrial measured, Measure(lower));
      if (IsAccurate(budget_, measured)) {
        *choice = lower;
        *trial = measured;
      } else if (!search_.further.has_value()) {
        search_.further.emplace(lower, measured);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Impossible(const PrecisionTrial& best) const {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "no choice of precisions is within the budget; the best one found has an AUC %.6f lower "
        "than float64, a top-10 overlap of %.4f, logits off by %.3g at most, %d bytes, and takes "
        "%d bytes of memory",
        best.auc_drop, best.overlap, best.max_logit_error, best.bundle_bytes, best.memory_bytes));
  }

  const std::vector<PrecisionPart>& parts_;
  const PrecisionBudget& budget_;
  const MeasureChoice& measure_;
  std::map<PrecisionChoice, PrecisionTrial> seen_;
  PrecisionSearch search_;
};

}  // namespace

void PrecisionTrial::TakeWorst(const PrecisionTrial& other) {
  bundle_bytes = std::max(bundle_bytes, other.bundle_bytes);
  memory_bytes = std::max(memory_bytes, other.memory_bytes);
  if (other.auc_drop > auc_drop) auc_drop = other.auc_drop;
  if (other.overlap < overlap) overlap = other.overlap;
  rms_logit_error = std::max(rms_logit_error, other.rms_logit_error);
  if (other.max_logit_error > max_logit_error) {
    max_logit_error = other.max_logit_error;
    instruction_set = other.instruction_set;
  }
}

bool IsAccurate(const PrecisionBudget& budget, const PrecisionTrial& trial) {
  return !(budget.auc.has_value() && !(trial.auc_drop <= *budget.auc)) &&
         !(budget.overlap.has_value() && !(trial.overlap >= *budget.overlap)) &&
         !(budget.logit.has_value() && !(trial.max_logit_error <= *budget.logit));
}

absl::StatusOr<PrecisionBudget> ParseBudget(absl::string_view text) {
  PrecisionBudget budget;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    const auto& [name, value] = pair;
    if (name == "size" || name == "memory") {
      HP_ASSIGN_OR_RETURN(const uint64_t bytes, ParseBytes(value, text));
      (name == "size" ? budget.size : budget.memory) = bytes;
      continue;
    }
    std::optional<double>* bound = name == "auc"       ? &budget.auc
                                   : name == "overlap" ? &budget.overlap
                                   : name == "logit"   ? &budget.logit
                                                       : nullptr;
    if (bound == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("--budget ", text, ": there is no '", name,
                       "'; expected auc, overlap, logit, size or memory"));
    }
    double number;
    if (!absl::SimpleAtod(value, &number) || !(number >= 0) || !std::isfinite(number) ||
        (name == "overlap" && number > 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--budget ", text, ": '", value, "' is no bound of ", name));
    }
    *bound = number;
  }
  return budget;
}

absl::StatusOr<PrecisionSearch> SearchPrecision(const std::vector<PrecisionPart>& parts,
                                                const PrecisionBudget& budget,
                                                const MeasureChoice& measure) {
  return Searcher(parts, budget, measure).Run();
}

absl::Status KeepParts(absl::string_view recipes, std::vector<PrecisionPart>* parts) {
  const std::vector<PrecisionPart> all = *parts;
  for (const absl::string_view recipe : absl::StrSplit(recipes, ',', absl::SkipEmpty())) {
    const auto bad = [&](const std::string& why) {
      return absl::InvalidArgumentError(absl::StrCat("--keep ", recipe, ": ", why));
    };
    const size_t equals = recipe.rfind('=');
    if (equals == absl::string_view::npos) return bad("expected PATTERN=f32, f16, int8 or int4");
    const std::string pattern(recipe.substr(0, equals));
    const absl::string_view type_name = recipe.substr(equals + 1);
    std::regex expression;
    try {
      expression = std::regex(pattern);
    } catch (const std::regex_error& error) {
      return bad(absl::StrCat("'", pattern, "' is no regular expression: ", error.what()));
    }
    bool any = false;
    for (size_t i = 0; i < all.size(); ++i) {
      const PrecisionPart& part = all[i];
      if (!std::regex_match(part.name, expression)) continue;
      any = true;
      size_t found = part.types.size();
      std::vector<std::string> names;
      for (size_t t = 0; t < part.types.size(); ++t) {
        names.push_back(ElementTypeName(part.types[t]));
        if (names.back() == type_name) found = t;
      }
      if (found == part.types.size()) {
        return bad(absl::StrCat("'", part.name, "' can't be ", type_name, ", but ",
                                absl::StrJoin(names, " or ")));
      }
      (*parts)[i].types = {part.types[found]};
      (*parts)[i].bytes = {part.bytes[found]};
    }
    if (!any) {
      std::vector<std::string> names;
      for (const PrecisionPart& part : *parts) names.push_back(part.name);
      return bad(absl::StrCat("no table or layer has such a name; there are ",
                              absl::StrJoin(names, ", ")));
    }
  }
  return absl::OkStatus();
}

}  // namespace handpick::converter
