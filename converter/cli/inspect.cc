// handpick inspect
#include <stdio.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/bench/costs.h"
#include "converter/bench/device_costs.h"
#include "converter/bench/peak.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/inspect_parts.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/machine.h"
#include "converter/cli/output.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/runtime/bundle_session.h"
#include "converter/weights/archive.h"

namespace handpick::converter {
namespace {

const char* PrecisionName(schema::Precision precision) {
  switch (precision) {
    case schema::Precision::Int8:
      return "int8";
    case schema::Precision::Float32:
      return "f32";
    case schema::Precision::Float16:
      return "f16";
    case schema::Precision::Unknown:
      break;
  }
  return "none";
}

// Of the first output.
schema::Task TaskOf(const schema::Bundle& bundle) {
  const bool has_outputs = bundle.outputs() != nullptr && bundle.outputs()->size() != 0;
  return has_outputs ? bundle.outputs()->Get(0)->task() : schema::Task::Unknown;
}

}  // namespace

absl::StatusOr<Json> InspectJson(const LoadedBundle& loaded) {
  const schema::Bundle& bundle = *loaded.view;
  const hp_model_info& info = loaded.info;
  Json json;
  json["model"] = {{"name", info.model_name},
                   {"version", info.model_version},
                   {"task", TaskName(TaskOf(bundle))}};
  json["format"] = absl::StrCat(info.format_major, ".", info.format_minor);
  json["producer"] = info.producer;
  json["content_hash"] = absl::StrFormat("%016x", info.content_hash);
  // Which key the bundle names: `verify --key` tells whether it is true.
  json["signed_with"] = bundle.signature() == nullptr
                            ? Json()
                            : Json(absl::StrFormat("%016x", bundle.signature()->key_id()));
  json["inputs"] = InputsJson(bundle.manifest());
  json["precision"] = PrecisionName(bundle.precision());
  json["bytes"] = BytesJson(loaded);
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session,
                      BundleSession::OpenMapped(loaded.bytes));
  json["memory"] = MemoryJson(loaded, *session);
  json["outputs"] = OutputsJson(bundle);
  HP_RETURN_IF_ERROR(AddWork(loaded, &json));
  json["sequences"] = SequencesJson(bundle);
  json["features"] = FeaturesJson(loaded.features, json["sequences"]);
  AddProgram(loaded, &json);
  json["catalog"] = CatalogJson(loaded);
  json["recall"] = RecallJson(loaded);
  json["goldens"] = {{"requests", info.golden_count}, {"tolerance", bundle.golden_tolerance()}};
  json["drift"] = DriftJson(bundle.manifest());
  json["gate"] = GateJson(bundle.manifest());
  return json;
}

namespace {

std::string Text(const Json& j) {
  const bool has_model = !j["work"].is_null();
  std::string out = absl::StrFormat(
      "%s: %s, format %s, written by %s\n\n",
      absl::StripTrailingAsciiWhitespace(absl::StrCat(j["model"]["name"].get<std::string>(), " ",
                                                      j["model"]["version"].get<std::string>())),
      has_model ? absl::StrCat(j["model"]["task"].get<std::string>(), ", ",
                               j["precision"].get<std::string>())
                : "a recall index alone",
      j["format"].get<std::string>(), j["producer"].get<std::string>());
  absl::StrAppendFormat(
      &out, "XXH3 of the content %s; %s\n\n", j["content_hash"].get<std::string>(),
      j["signed_with"].is_null()
          ? "not signed"
          : absl::StrCat("signed, it says, with key ", j["signed_with"].get<std::string>()));
  absl::StrAppend(&out, MemoryText(j["bytes"], j["memory"]));
  absl::StrAppend(&out, InputsText(j["inputs"]), OutputsText(j["outputs"]));
  if (has_model) absl::StrAppend(&out, WorkText(j));
  absl::StrAppend(&out, FeaturesText(j["features"]));
  if (has_model) absl::StrAppend(&out, ProgramText(j));
  absl::StrAppend(&out, CatalogText(j["catalog"]));
  absl::StrAppend(&out, RecallText(j["recall"]));
  if (!has_model) return out;
  absl::StrAppendFormat(&out, "\nGolden requests: %s\n", Commas(j["goldens"]["requests"]));
  absl::StrAppend(&out, DriftText(j["drift"]), GateText(j["gate"]));
  if (j.contains("costs")) return absl::StrCat(out, DevicesText(j["costs"]));
  return j.contains("cost") ? absl::StrCat(out, CostText(j["cost"])) : out;
}

absl::Status Print(const Json& json, std::string (*text_of)(const Json&)) {
  const std::string text = absl::GetFlag(FLAGS_json) ? JsonText(json, 2) + "\n" : text_of(json);
  fwrite(text.data(), 1, text.size(), stdout);
  HP_RETURN_IF_ERROR(FlushOutput());
  return absl::OkStatus();
}

constexpr char kAllDevices[] = "all";

// Sets `cost`, of this machine or of a device; or `costs`, of all devices.
absl::Status AddCost(const LoadedBundle& bundle, const MachinePeak& machine, Json* json) {
  const uint64_t most = bundle.info.max_history;
  const uint64_t events = std::min(absl::GetFlag(FLAGS_events).value_or(most), most);
  const std::optional<std::string> name = absl::GetFlag(FLAGS_device);
  if (!name.has_value()) {
    const MachinePeak measured = MeasureMissing(machine);
    (*json)["cost"] = CostJson(bundle, CostsOf(measured), events);
    (*json)["cost"]["machine"] = MachineJson(measured);
    return absl::OkStatus();
  }
  if (machine.f32_gflops + machine.int8_gops + machine.read_gigabytes + machine.random_rows > 0) {
    return absl::InvalidArgumentError("--device has its figures: give none beside it");
  }
  HP_ASSIGN_OR_RETURN(const DeviceTable table, CompiledDeviceCosts());
  const auto cost_of = [&](const DeviceCosts& device) {
    Json cost = CostJson(bundle, device.costs, events);
    cost["device"] = DeviceJson(table, device);
    return cost;
  };
  if (*name == kAllDevices) {
    Json costs = Json::array();
    for (const DeviceCosts& device : table.devices) costs.push_back(cost_of(device));
    (*json)["costs"] = std::move(costs);
    return absl::OkStatus();
  }
  HP_ASSIGN_OR_RETURN(const DeviceCosts device, FindDevice(table, *name));
  (*json)["cost"] = cost_of(device);
  return absl::OkStatus();
}

absl::Status Inspect(const std::string& path, const MachinePeak& machine) {
  if (IsWeightsFile(path)) {
    HP_ASSIGN_OR_RETURN(const Json weights, WeightsJson(path));
    return Print(weights, WeightsText);
  }
  const bool with_cost = absl::GetFlag(FLAGS_cost) || absl::GetFlag(FLAGS_device);
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle,
                      with_cost ? LoadModelBundle(path) : LoadBundle(path));
  HP_ASSIGN_OR_RETURN(Json json, InspectJson(bundle));
  if (with_cost) {
    HP_RETURN_IF_ERROR(AddCost(bundle, machine, &json));
  }
  return Print(json, Text);
}

}  // namespace

int RunInspect(const std::vector<std::string>& positional) {
  const absl::StatusOr<MachinePeak> machine = MachineOfFlags();
  if (!machine.ok()) return FailUsage("inspect", std::string(machine.status().message()));
  const absl::Status status = Inspect(positional.front(), *machine);
  return status.ok() ? 0 : Fail("inspect", status);
}

}  // namespace handpick::converter
