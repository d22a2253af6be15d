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

std::string DeviceText(const Json& device) {
  std::string text = absl::StrFormat(
      "%s, %s: %s. Not measured.\n  Assumed: %.2f GHz, %.1f GB/s in order, %.1f million random "
      "rows/s",
      device["core"].get<std::string>(), device["instruction_set"].get<std::string>(),
      device["from"].get<std::string>(), device["assumed_ghz"].get<double>(),
      device["assumed_read_gigabytes"].get<double>(),
      device["assumed_random_megarows"].get<double>());
  const char* before = "; cycles of ";
  for (const Json& cost : device["assumed_costs"]) {
    absl::StrAppend(&text, before, cost.get<std::string>());
    before = ", ";
  }
  return text;
}

std::string NotesText(const Json& device) {
  std::string text;
  for (const Json& note : device["notes"]) {
    absl::StrAppend(&text, "  ", note.get<std::string>(), "\n");
  }
  return text;
}

constexpr std::pair<const char*, const char*> kRows[] = {
    {"context_change_us", "change the context"},
    {"context_features_us", "  to take its features"},
    {"event_us", "append an event"},
    {"scoring_us", "score, whatever the number"},
    {"candidate_us", "each candidate"},
    {"candidate_without_events_us", "  without events"},
    {"candidate_per_event_us", "  and per event"}};

std::string ShownMicro(const Json& us) {
  return us.is_null() ? std::string("-") : absl::StrFormat("%.3f", us.get<double>());
}

}  // namespace

Json CostJson(const LoadedBundle& bundle, const Costs& costs, uint64_t events) {
  const std::vector<StepWork> steps = WorkOfSteps(*bundle.view);
  const auto count = static_cast<double>(events);
  const double features = ContextFeatures(*bundle.view);
  const Prediction now = Predict(steps, features, costs, count, bundle.info.tile);
  const Prediction without = Predict(steps, features, costs, 0, bundle.info.tile);
  Json json;
  json["events"] = events;
  json["context_change_us"] = Micro(now.context_change);
  json["context_features_us"] = Micro(features * costs.feature);
  json["event_us"] = bundle.info.max_history == 0 ? Json() : Micro(now.event);
  json["scoring_us"] = Micro(now.request);
  json["candidate_us"] = Micro(now.candidate);
  json["candidate_without_events_us"] = Micro(without.candidate);
  json["candidate_per_event_us"] =
      events == 0 ? Json() : Micro((now.candidate - without.candidate) / count);
  Json list = Json::array();
  for (const StepWork& step : steps) {
    const StepTime time = PredictStep(step, costs, count);
    const bool tiled = step.runs_per == RunsPer::kCandidate;
    const double each = time.per_row + (tiled ? time.per_run / bundle.info.tile : time.per_run);
    const Amount amount = step.With(count);
    list.push_back({{"name", step.name},
                    {"operator", schema::FindOperator(step.kind)->name},
                    {"per", RunsPerName(step.runs_per)},
                    {"multiply_accumulates", amount.all_multiply_accumulates()},
                    {"rows_gathered", amount.rows_gathered},
                    {"tree_nodes", amount.tree_nodes},
                    {"us", Micro(each)},
                    {"new_event_us", Micro(time.per_new_event)}});
  }
  json["steps"] = std::move(list);
  return json;
}

Json DeviceJson(const DeviceTable& table, const DeviceCosts& device) {
  return {{"name", device.name},
          {"core", device.core},
          {"instruction_set", device.instruction_set},
          {"from", absl::StrCat("static analysis by ", table.tool, ", -mcpu=", device.model)},
          {"assumed_ghz", device.ghz},
          {"assumed_read_gigabytes", device.read_gigabytes},
          {"assumed_random_megarows", device.random_megarows},
          {"assumed_costs", device.assumed},
          {"notes", table.comment}};
}

std::string CostText(const Json& cost) {
  std::string out = absl::StrFormat(
      "\nPredicted microseconds beside %d events, one thread\n  on %s\n", cost["events"].get<int>(),
      cost.contains("device") ? DeviceText(cost["device"]) : MachineText(cost["machine"]));
  if (cost.contains("device")) absl::StrAppend(&out, NotesText(cost["device"]));
  for (const auto& [key, name] : kRows) {
    absl::StrAppendFormat(&out, "  %-28s %12s\n", name, ShownMicro(cost[key]));
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
                          step["rows_gathered"].get<double>(), ShownMicro(step["us"]));
    if (step["new_event_us"] == 0) continue;
    absl::StrAppendFormat(&out, "  %-*s %-*s %-10s %12s %10s %10s\n", width, "  its matrix",
                          operator_width, "", "event", "", "", ShownMicro(step["new_event_us"]));
  }
  return out;
}

std::string DevicesText(const Json& devices) {
  std::string out =
      absl::StrFormat("\nPredicted microseconds beside %d events, one thread\n  %-28s",
                      devices[0]["events"].get<int>(), "");
  for (const Json& cost : devices) {
    absl::StrAppendFormat(&out, " %12s", cost["device"]["name"].get<std::string>());
  }
  absl::StrAppend(&out, "\n");
  for (const auto& [key, name] : kRows) {
    absl::StrAppendFormat(&out, "  %-28s", name);
    for (const Json& cost : devices) absl::StrAppendFormat(&out, " %12s", ShownMicro(cost[key]));
    absl::StrAppend(&out, "\n");
  }
  for (const Json& cost : devices) {
    absl::StrAppend(&out, "  ", cost["device"]["name"].get<std::string>(), ": ",
                    DeviceText(cost["device"]), "\n");
  }
  absl::StrAppend(&out, NotesText(devices[0]["device"]));
  return out;
}

}  // namespace handpick::converter
