// handpick bench
#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "converter/bench/bundle_bench.h"
#include "converter/bench/instruction_set.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/machine.h"
#include "converter/cli/output.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/io/with_commas.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "nlohmann/json.hpp"
#include "schema/operators.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kMostCandidates = 1000000;

absl::StatusOr<BenchOptions> OptionsOfFlags() {
  BenchOptions options;
  if (const auto text = absl::GetFlag(FLAGS_candidates)) {
    options.candidates.clear();
    for (const absl::string_view part : absl::StrSplit(*text, ',')) {
      uint64_t number = 0;
      if (!absl::SimpleAtoi(part, &number) || number == 0 || number > kMostCandidates) {
        return absl::InvalidArgumentError(absl::StrCat("--candidates has '", part,
                                                       "', expected numbers from 1 to ",
                                                       kMostCandidates, ", separated by ','"));
      }
      options.candidates.push_back(number);
    }
  }
  if (const auto events = absl::GetFlag(FLAGS_events)) options.events = *events;
  options.tile = absl::GetFlag(FLAGS_tile).value_or(0);
  options.seed = absl::GetFlag(FLAGS_seed).value_or(options.seed);
  options.seconds = absl::GetFlag(FLAGS_seconds).value_or(options.seconds);
  if (!(options.seconds > 0) || options.seconds > 86400) {
    return absl::InvalidArgumentError(
        absl::StrCat("--seconds is ", options.seconds, ", expected more than 0, a day at most"));
  }
  options.tolerance = absl::GetFlag(FLAGS_gate).value_or(options.tolerance);
  if (!(options.tolerance > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--gate is ", options.tolerance, ", expected a number above 0"));
  }
  if (const auto simd = absl::GetFlag(FLAGS_simd)) {
    HP_RETURN_IF_ERROR(HoldToInstructionSet(*simd));
  }
  HP_ASSIGN_OR_RETURN(options.machine, MachineOfFlags());
  return options;
}

Json Micro(double seconds) { return FiniteJson(1e6 * seconds); }

Json TimesJson(const Times& times) {
  return {{"p50_us", Micro(times.p50)},
          {"p90_us", Micro(times.p90)},
          {"p99_us", Micro(times.p99)},
          {"accepted", times.accepted},
          {"rejected", times.rejected},
          // Null: no gate.
          {"gate", FiniteJson(times.tolerance)}};
}

Json StepJson(const StepTimes& step, double all, const MachinePeak& machine) {
  const double f32 = step.amount.multiply_accumulates;
  const double int8 = step.amount.int8_multiply_accumulates;
  const bool has_product = f32 + int8 > 0;
  const double peak_seconds = 2e-9 * (f32 / machine.f32_gflops + int8 / machine.int8_gops);
  return {{"name", step.work.name},
          {"operator", schema::FindOperator(step.work.kind)->name},
          {"per", RunsPerName(step.work.runs_per)},
          {"runs", step.runs},
          {"us", Micro(step.seconds)},
          {"share", FiniteJson(step.seconds / all)},
          {"multiply_accumulates", f32 + int8},
          {"rows_gathered", step.amount.rows_gathered},
          {"gflops", has_product ? FiniteJson(2e-9 * (f32 + int8) / step.seconds) : Json()},
          {"share_of_peak", has_product ? FiniteJson(peak_seconds / step.seconds) : Json()},
          {"predicted_us", Micro(step.predicted)}};
}

Json ResultJson(const LoadedBundle& bundle, const BenchOptions& options,
                const BenchResult& result) {
  hp_build_info build = HP_BUILD_INFO_INIT;
  hp_get_build_info(&build);
  Json json;
  json["bundle"] = *absl::GetFlag(FLAGS_bundle);
  json["model"] = {{"name", bundle.info.model_name}, {"version", bundle.info.model_version}};
  json["precision"] = bundle.info.precision == HP_PRECISION_INT8  ? "int8"
                      : bundle.info.precision == HP_PRECISION_F16 ? "f16"
                                                                  : "f32";
  json["runtime"] = {{"version", build.version},
                     {"build", build.build_type},
                     {"architecture", build.architecture}};
  json["machine"] = MachineJson(result.machine);
  json["calibrator_gflops"] = FiniteJson(result.calibrator_gflops);
  json["threads"] = 1;
  json["seed"] = options.seed;
  json["events"] = result.events;
  json["tile"] = result.tile;
  json["open"] = TimesJson(result.open);
  json["session"] = TimesJson(result.create);
  const auto with_prediction = [](const Times& times, double predicted) {
    Json out = TimesJson(times);
    out["predicted_us"] = Micro(predicted);
    return out;
  };
  json["context_change"] = with_prediction(result.context, result.predicted.context_change);
  json["event"] =
      result.event.has_value() ? with_prediction(*result.event, result.predicted.event) : Json();
  json["event_when_full"] =
      result.event_when_full.has_value() ? TimesJson(*result.event_when_full) : Json();
  json["candidate"] = {{"us", Micro(result.seconds_per_candidate)},
                       {"predicted_us", Micro(result.predicted.candidate)}};
  Json requests = Json::array();
  for (const RequestTimes& request : result.requests) {
    requests.push_back({{"candidates", request.candidates},
                        {"warm", with_prediction(request.warm, request.predicted_request)},
                        {"score", with_prediction(request.score, request.predicted_score)},
                        {"cold", TimesJson(request.cold)},
                        {"first", TimesJson(request.first)}});
  }
  json["requests"] = std::move(requests);
  double all = 0;
  double predicted = 0;
  Amount amount;
  for (const StepTimes& step : result.steps) {
    all += step.seconds;
    predicted += step.predicted;
    amount += step.amount;
  }
  Json steps = Json::array();
  for (const StepTimes& step : result.steps) {
    steps.push_back(StepJson(step, all, result.machine));
  }
  json["profile"] = {
      {"candidates", result.profiled_candidates},
      {"requests", result.profiled_requests},
      {"us", Micro(all)},
      {"predicted_us", Micro(predicted)},
      {"multiply_accumulates", amount.all_multiply_accumulates()},
      {"gflops", FiniteJson(2e-9 * amount.all_multiply_accumulates() / all)},
      {"share_of_peak", FiniteJson(2e-9 *
                                   (amount.multiply_accumulates / result.machine.f32_gflops +
                                    amount.int8_multiply_accumulates / result.machine.int8_gops) /
                                   all)},
      {"steps", std::move(steps)}};
  json["memory"] = {{"bundle_bytes", result.memory.bundle_bytes},
                    {"model_bytes", result.memory.model_bytes},
                    {"engine_bytes", result.memory.engine_bytes},
                    {"session_bytes", result.session_bytes}};
  json["notes"] = result.notes;
  return json;
}

// "12.34", or "-".
std::string Shown(const Json& number, const char* format = "%.2f") {
  if (number.is_null()) return "-";
  char text[40];
  snprintf(text, sizeof(text), format, number.get<double>());
  return text;
}

std::string Percent(const Json& share) {
  return share.is_null() ? "-" : absl::StrFormat("%.0f %%", 100 * share.get<double>());
}

std::string TimesRow(const std::string& name, const Json& times) {
  if (times.is_null()) return "";
  // Marks what is not of the gate that was asked for: a note says why.
  const std::string mark = times["gate"].is_null() ? " UNGATED" : "";
  return absl::StrFormat("  %-30s %10s %10s %10s %10s %8d %8d%s\n", name, Shown(times["p50_us"]),
                         Shown(times["p90_us"]), Shown(times["p99_us"]),
                         times.contains("predicted_us") ? Shown(times["predicted_us"]) : "",
                         times["accepted"].get<uint64_t>(), times["rejected"].get<uint64_t>(),
                         mark);
}

std::string Text(const Json& j) {
  std::string out = absl::StrFormat(
      "%s %s, %s; %d events, tiles of %d, one thread; runtime %s, %s, %s\n%s\n",
      j["model"]["name"].get<std::string>(), j["model"]["version"].get<std::string>(),
      j["precision"].get<std::string>(), j["events"].get<uint64_t>(), j["tile"].get<uint64_t>(),
      j["runtime"]["version"].get<std::string>(), j["runtime"]["build"].get<std::string>(),
      j["runtime"]["architecture"].get<std::string>(), MachineText(j["machine"]));
  absl::StrAppendFormat(&out, "\n  %-30s %10s %10s %10s %10s %8s %8s\n", "CPU time in microseconds",
                        "p50", "p90", "p99", "predicted", "counted", "rejected");
  absl::StrAppend(
      &out, TimesRow("open the file", j["open"]), TimesRow("create a session", j["session"]),
      TimesRow("change the context", j["context_change"]), TimesRow("append an event", j["event"]),
      TimesRow("append to a full history", j["event_when_full"]));
  for (const Json& request : j["requests"]) {
    const std::string of = absl::StrCat(" of ", request["candidates"].get<uint64_t>());
    absl::StrAppend(&out, TimesRow("request" + of, request["warm"]),
                    TimesRow("  scoring alone", request["score"]),
                    TimesRow("  cold", request["cold"]),
                    TimesRow("  first after opening", request["first"]));
  }
  absl::StrAppendFormat(&out, "  %-30s %10s %10s %10s %10s\n", "each candidate more",
                        Shown(j["candidate"]["us"], "%.3f"), "", "",
                        Shown(j["candidate"]["predicted_us"], "%.3f"));
  const Json& profile = j["profile"];
  const int width = Widest(profile["steps"], "name", 10);
  const int operator_width = Widest(profile["steps"], "operator", 14);
  absl::StrAppendFormat(
      &out,
      "\nSteps of a request of %d candidates: %s us, %s predicted; %.0f multiply-accumulates, %s "
      "GFLOP/s, %s of the peak\n  %-*s %-*s %-9s %6s %10s %10s %6s %12s %8s %6s\n",
      profile["candidates"].get<uint64_t>(), Shown(profile["us"]), Shown(profile["predicted_us"]),
      profile["multiply_accumulates"].get<double>(), Shown(profile["gflops"], "%.1f"),
      Percent(profile["share_of_peak"]), width, "", operator_width, "operator", "per", "runs", "us",
      "predicted", "share", "mult.-acc.", "GFLOP/s", "peak");
  for (const Json& step : profile["steps"]) {
    absl::StrAppendFormat(&out, "  %-*s %-*s %-9s %6.0f %10s %10s %6s %12.0f %8s %6s\n", width,
                          step["name"].get<std::string>(), operator_width,
                          step["operator"].get<std::string>(), step["per"].get<std::string>(),
                          step["runs"].get<double>(), Shown(step["us"]),
                          Shown(step["predicted_us"]), Percent(step["share"]),
                          step["multiply_accumulates"].get<double>(), Shown(step["gflops"], "%.1f"),
                          Percent(step["share_of_peak"]));
  }
  const Json& memory = j["memory"];
  const auto bytes = [&](const char* what) { return WithCommas(memory[what].get<uint64_t>()); };
  absl::StrAppendFormat(&out,
                        "\nMemory\n  bundle, mapped %14s\n  opened model   %14s  and %s packed for "
                        "the engine\n  session        %14s\n",
                        bytes("bundle_bytes"), bytes("model_bytes"), bytes("engine_bytes"),
                        bytes("session_bytes"));
  for (const Json& note : j["notes"]) {
    absl::StrAppend(&out, "\nNote: ", note.get<std::string>(), "\n");
  }
  return out;
}

absl::Status Bench(const BenchOptions& options, bool as_json) {
  const std::string path = *absl::GetFlag(FLAGS_bundle);
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle, LoadModelBundle(path));
  HP_ASSIGN_OR_RETURN(const BenchResult result, BenchBundle(path, *bundle.view, bundle.features,
                                                            bundle.catalog.get(), options));
  const Json json = ResultJson(bundle, options, result);
  const std::string text = as_json ? JsonText(json, 2) + "\n" : Text(json);
  fwrite(text.data(), 1, text.size(), stdout);
  HP_RETURN_IF_ERROR(FlushOutput());
  return absl::OkStatus();
}

}  // namespace

int RunBench(const std::vector<std::string>&) {
  const std::string format = absl::GetFlag(FLAGS_format).value_or("table");
  if (format != "table" && format != "json") {
    return FailUsage("bench", absl::StrCat("--format is '", format, "', expected table or json"));
  }
  const absl::StatusOr<BenchOptions> options = OptionsOfFlags();
  if (!options.ok()) return FailUsage("bench", std::string(options.status().message()));
  const absl::Status status = Bench(*options, format == "json");
  return status.ok() ? 0 : Fail("bench", status);
}

}  // namespace handpick::converter
