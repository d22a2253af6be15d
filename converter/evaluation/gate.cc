#include "converter/evaluation/gate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

const char* SuffixOf(Demand::Of of) {
  return of == Demand::Of::kValue ? "" : of == Demand::Of::kChange ? ".change" : ".relative";
}

std::string SliceText(const std::string& slice) {
  return slice.empty() ? "" : absl::StrCat(" in ", slice);
}

absl::StatusOr<Decision> DecideOne(const Demand& demand, const std::string& slice,
                                   const SliceSummary& summary, const MeasureSettings& settings) {
  Decision decision;
  decision.demand = demand;
  decision.slice = slice;
  for (const MetricResult& result : ResultsOf(summary, settings)) {
    if (result.name != demand.metric) continue;
    decision.estimate = demand.of == Demand::Of::kValue    ? result.bundle
                        : demand.of == Demand::Of::kChange ? result.change
                                                           : result.relative;
  }
  const Estimate& own = decision.estimate;
  if (std::isnan(own.value) || std::isnan(own.low)) {
    return absl::FailedPreconditionError(
        absl::StrCat(demand.metric, SuffixOf(demand.of), SliceText(slice), ": was not measured (",
                     summary.rows(), " rows, ", summary.labelled_rows(), " with labels, ",
                     summary.scores(0).positives(), " of them positive, ", summary.users(),
                     " users), and it is demanded: ", demand.text));
  }
  // So that "at least" is always good.
  const double sign = demand.at_least ? 1 : -1;
  const double worst = demand.at_least ? own.low : own.high;
  const double best = demand.at_least ? own.high : own.low;
  const char* than = demand.at_least ? "at least" : "at most";
  const std::string what = absl::StrFormat("%s%s%s is %.6g [%.6g, %.6g], %s %g is demanded",
                                           demand.metric, SuffixOf(demand.of), SliceText(slice),
                                           own.value, own.low, own.high, than, demand.bound);
  if (sign * worst >= sign * demand.bound) {
    decision.verdict = Verdict::kPass;
    decision.message = what;
  } else if (sign * best < sign * demand.bound) {
    decision.verdict = Verdict::kFail;
    decision.message = what;
  } else {
    decision.verdict = Verdict::kUndecided;
    const bool passes = sign * own.value >= sign * demand.bound;
    // The half of the interval that the bound is in shrinks with the root of the rows.
    const double half = std::abs(own.value - (passes ? worst : best));
    const double distance = std::abs(own.value - demand.bound);
    const double times = half / distance;
    const auto rows = static_cast<double>(summary.rows());
    if (distance > 0 && times * times * rows < 1e15) {
      decision.rows_needed = static_cast<uint64_t>(std::ceil(times * times * rows));
      decision.message = absl::StrFormat("%s: %d rows can't tell; about %d would, if it stays so",
                                         what, summary.rows(), decision.rows_needed);
    } else {
      decision.message = absl::StrFormat("%s: %d rows can't tell", what, summary.rows());
    }
  }
  return decision;
}

}  // namespace

absl::StatusOr<Demand> ParseDemand(absl::string_view text, const MeasureSettings& settings) {
  Demand demand;
  demand.text = std::string(absl::StripAsciiWhitespace(text));
  const auto bad = [&](const std::string& why) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", demand.text, "': ", why,
                     "; expected METRIC >= NUMBER or METRIC <= NUMBER, with METRIC.change or "
                     "METRIC.relative for what is new, and '@ SLICE' behind it for a slice"));
  };
  const size_t at = std::min(demand.text.find(">="), demand.text.find("<="));
  if (at == std::string::npos) return bad("it has neither '>=' nor '<='");
  demand.at_least = demand.text[at] == '>';
  absl::string_view metric =
      absl::StripAsciiWhitespace(absl::string_view(demand.text).substr(0, at));
  absl::string_view rest = absl::string_view(demand.text).substr(at + 2);
  if (const size_t slice = rest.find('@'); slice != absl::string_view::npos) {
    demand.slice = std::string(absl::StripAsciiWhitespace(rest.substr(slice + 1)));
    rest = rest.substr(0, slice);
    if (demand.slice.empty()) return bad("no slice behind '@'");
  }
  rest = absl::StripAsciiWhitespace(rest);
  if (!absl::SimpleAtod(rest, &demand.bound) || !std::isfinite(demand.bound)) {
    return bad(absl::StrCat("'", rest, "' is no number"));
  }
  if (absl::ConsumeSuffix(&metric, ".change")) demand.of = Demand::Of::kChange;
  if (absl::ConsumeSuffix(&metric, ".relative")) demand.of = Demand::Of::kRelative;
  demand.metric = std::string(metric);
  MeasureSettings with_pair = settings;
  with_pair.has_against = true;
  const std::vector<std::string> all = MetricNames(with_pair);
  if (std::find(all.begin(), all.end(), demand.metric) == all.end()) {
    return bad(absl::StrCat("there is no metric '", demand.metric, "'; there are ",
                            absl::StrJoin(all, ", ")));
  }
  const std::vector<std::string> own = MetricNames(settings);
  if (std::find(own.begin(), own.end(), demand.metric) == own.end() ||
      (demand.of != Demand::Of::kValue && !settings.has_against)) {
    return bad("it is of two models: give --against");
  }
  const size_t between = static_cast<size_t>(kModelRatios) + 1;
  if (demand.of != Demand::Of::kValue &&
      std::find(all.begin() + static_cast<std::ptrdiff_t>(between), all.end(), demand.metric) !=
          all.end()) {
    return bad(absl::StrCat("'", demand.metric, "' is between two models, and has no ",
                            SuffixOf(demand.of)));
  }
  return demand;
}

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kUndecided:
      break;
  }
  return "undecided";
}

absl::StatusOr<std::vector<Decision>> Decide(const Demand& demand, const Slices& slices,
                                             const MeasureSettings& settings) {
  std::vector<Decision> decisions;
  for (const auto& [slice, summary] : slices) {
    if (demand.slice == "*" ? slice.empty() : slice != demand.slice) continue;
    HP_ASSIGN_OR_RETURN(Decision decision, DecideOne(demand, slice, summary, settings));
    decisions.push_back(std::move(decision));
  }
  if (decisions.empty()) {
    std::vector<std::string> names;
    for (const auto& [slice, unused] : slices) {
      if (!slice.empty()) names.push_back(slice);
    }
    return absl::FailedPreconditionError(
        absl::StrCat("no row is in slice '", demand.slice, "', and it is demanded: ", demand.text,
                     names.empty() ? "; there are no slices: give --slice"
                                   : absl::StrCat("; there are ", absl::StrJoin(names, ", "))));
  }
  return decisions;
}

std::vector<Decision> WorstOfSets(const std::vector<std::vector<Decision>>& by_set,
                                  const std::vector<std::string>& sets) {
  if (by_set.size() == 1) return by_set[0];
  const auto badness = [](const Decision& decision) {
    return decision.verdict == Verdict::kFail ? 2 : decision.verdict == Verdict::kUndecided ? 1 : 0;
  };
  // How far the demand is met.
  const auto margin = [](const Decision& decision) {
    const double distance = decision.estimate.value - decision.demand.bound;
    return decision.demand.at_least ? distance : -distance;
  };
  std::vector<Decision> worst;
  for (size_t i = 0; i < by_set[0].size(); ++i) {
    size_t set = 0;
    for (size_t other = 1; other < sets.size(); ++other) {
      const Decision& a = by_set[set][i];
      const Decision& b = by_set[other][i];
      if (badness(b) > badness(a) || (badness(b) == badness(a) && margin(b) < margin(a))) {
        set = other;
      }
    }
    worst.push_back(by_set[set][i]);
    worst.back().instruction_set = sets[set];
    absl::StrAppend(&worst.back().message, " (on ", sets[set], ")");
  }
  return worst;
}

Verdict Worst(const std::vector<Decision>& decisions) {
  Verdict worst = Verdict::kPass;
  for (const Decision& decision : decisions) {
    if (decision.verdict == Verdict::kFail) return Verdict::kFail;
    if (decision.verdict == Verdict::kUndecided) worst = Verdict::kUndecided;
  }
  return worst;
}

}  // namespace handpick::converter
