#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/bench/predict.h"
#include "converter/bench/step_work.h"
#include "converter/cli/inspect_parts.h"
#include "converter/cli/machine.h"
#include "schema/operators.h"

namespace handpick::converter {
namespace {

Json Micro(double seconds) { return FiniteJson(1e6 * seconds); }

}  // namespace

Json CostJson(const LoadedBundle& bundle, const MachinePeak& machine, uint64_t events) {
  const std::vector<StepWork> steps = WorkOfSteps(*bundle.view);
  const auto count = static_cast<double>(events);
  const Prediction now = Predict(steps, machine, count, bundle.info.tile);
  const Prediction without = Predict(steps, machine, 0, bundle.info.tile);
  Json json;
  json["machine"] = MachineJson(machine);
  json["events"] = events;
  json["context_change_us"] = Micro(now.context_change);
  json["event_us"] = bundle.info.max_history == 0 ? Json() : Micro(now.event);
  json["scoring_us"] = Micro(now.request);
  json["candidate_us"] = Micro(now.candidate);
  json["candidate_without_events_us"] = Micro(without.candidate);
  json["candidate_per_event_us"] =
      events == 0 ? Json() : Micro((now.candidate - without.candidate) / count);
  Json list = Json::array();
  for (const StepWork& step : steps) {
    const StepTime time = PredictStep(step, machine, count);
    const bool tiled = step.runs_per == RunsPer::kCandidate;
    const double each = time.per_row + (tiled ? time.per_run / bundle.info.tile : time.per_run);
    const Amount amount = step.With(count);
    list.push_back({{"name", step.name},
                    {"operator", schema::FindOperator(step.kind)->name},
                    {"per", RunsPerName(step.runs_per)},
                    {"multiply_accumulates", amount.all_multiply_accumulates()},
                    {"rows_gathered", amount.rows_gathered},
                    {"tree_nodes", amount.tree_nodes},
                    {"us", Micro(each)}});
  }
  json["steps"] = std::move(list);
  return json;
}

std::string CostText(const Json& cost) {
  const auto shown = [](const Json& us) {
    return us.is_null() ? std::string("-") : absl::StrFormat("%.3f", us.get<double>());
  };
  std::string out =
      absl::StrFormat("\nPredicted microseconds beside %d events, one thread\n  on %s\n",
                      cost["events"].get<int>(), MachineText(cost["machine"]));
  const std::pair<const char*, const char*> rows[] = {
      {"context_change_us", "change the context"},
      {"event_us", "append an event"},
      {"scoring_us", "score, whatever the number"},
      {"candidate_us", "each candidate"},
      {"candidate_without_events_us", "  without events"},
      {"candidate_per_event_us", "  and per event"}};
  for (const auto& [key, name] : rows) {
    absl::StrAppendFormat(&out, "  %-28s %12s\n", name, shown(cost[key]));
  }
  const int width = Widest(cost["steps"], "name", 10);
  const int operator_width = Widest(cost["steps"], "operator", 14);
  absl::StrAppendFormat(&out, "  %-*s %-*s %-10s %12s %10s %10s\n", width, "", operator_width,
                        "operator", "per", "mult.-acc.", "rows", "us");
  for (const Json& step : cost["steps"]) {
    absl::StrAppendFormat(&out, "  %-*s %-*s %-10s %12.0f %10.0f %10s\n", width,
                          step["name"].get<std::string>(), operator_width,
                          step["operator"].get<std::string>(), step["per"].get<std::string>(),
                          step["multiply_accumulates"].get<double>(),
                          step["rows_gathered"].get<double>(), shown(step["us"]));
  }
  return out;
}

}  // namespace handpick::converter
