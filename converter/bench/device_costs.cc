#include "converter/bench/device_costs.h"

#include <cmath>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/json.h"
#include "converter/io/nearest_name.h"

namespace handpick::converter {
namespace {

constexpr char kCompiled[] =
#include "converter/bench/device_costs.inc"
    ;

struct NamedCost {
  const char* name;
  double Costs::*cost;
};

constexpr NamedCost kCosts[] = {
    {"f32_mac", &Costs::f32_mac},
    {"f32_mac_row", &Costs::f32_mac_row},
    {"int8_mac", &Costs::int8_mac},
    {"int8_mac_row", &Costs::int8_mac_row},
    {"element", &Costs::element},
    {"fold_element", &Costs::fold_element},
    {"sigmoid", &Costs::sigmoid},
    {"int8_sigmoid", &Costs::int8_sigmoid},
    {"gate", &Costs::gate},
    {"int8_gate", &Costs::int8_gate},
    {"row_gate", &Costs::row_gate},
    {"exponential", &Costs::exponential},
    {"pool_element", &Costs::pool_element},
    {"gather_row", &Costs::gather_row},
    {"gather_element", &Costs::gather_element},
    {"tree_node", &Costs::tree_node},
    {"tree_node_row", &Costs::tree_node_row},
    {"step", &Costs::step},
    {"product", &Costs::product},
    {"request", &Costs::request},
};
// Those of memory have figures of their own, attention takes int8_mac's, a feature some steps', and
// lanes go by the instruction set.
static_assert(std::size(kCosts) + 5 == sizeof(Costs) / sizeof(double), "every cost is read");

constexpr char kAnalysed[] = "mca";
constexpr char kAssumed[] = "assumed";

// A number above 0; 1 after an error.
double Positive(const JsonObject& object, const char* key, JsonErrors* errors) {
  if (JsonObject::IsNone(object.Required(key))) return 1;
  const double number = object.Number(key);
  if (std::isfinite(number) && number > 0) return number;
  errors->Add(object.PathOf(key), "expected a number above 0");
  return 1;
}

DeviceCosts ReadDevice(const Json& json, const std::string& path, JsonErrors* errors) {
  const JsonObject object(json, path,
                          {"name", "core", "model", "instruction_set", "ghz", "read_gigabytes",
                           "random_megarows", "cycles"},
                          errors);
  DeviceCosts device;
  device.name = object.String("name");
  device.core = object.String("core");
  device.model = object.String("model");
  device.instruction_set = object.String("instruction_set");
  device.ghz = Positive(object, "ghz", errors);
  device.read_gigabytes = Positive(object, "read_gigabytes", errors);
  device.random_megarows = Positive(object, "random_megarows", errors);
  device.costs.memory_byte = 1e-9 / device.read_gigabytes;
  device.costs.memory_row = 1e-6 / device.random_megarows;
  std::vector<std::string> names;
  for (const NamedCost& cost : kCosts) names.emplace_back(cost.name);
  const JsonObject cycles(object.Required("cycles"), object.PathOf("cycles"), names, errors);
  for (const NamedCost& cost : kCosts) {
    const Json& pair = cycles.Required(cost.name);
    if (JsonObject::IsNone(pair)) continue;
    const bool is_pair =
        pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[0].get<double>() > 0;
    if (!is_pair || (pair[1] != kAnalysed && pair[1] != kAssumed)) {
      errors->Add(cycles.PathOf(cost.name),
                  "expected [cycles above 0, \"mca\" or \"assumed\"], found " + Shown(pair));
      continue;
    }
    device.costs.*cost.cost = pair[0].get<double>() * 1e-9 / device.ghz;
    if (pair[1] == kAssumed) device.assumed.emplace_back(cost.name);
  }
  device.costs.int8_attention_mac = device.costs.int8_mac;
  device.costs.feature = kFeatureSteps * device.costs.step;
  return device;
}

}  // namespace

absl::StatusOr<DeviceTable> ParseDeviceCosts(absl::string_view json, const std::string& where) {
  const absl::StatusOr<Json> parsed = ParseJson(json, where);
  if (!parsed.ok()) return parsed.status();
  JsonErrors errors(where);
  const JsonObject object(*parsed, "", {"comment", "tool", "devices"}, &errors);
  DeviceTable table;
  table.tool = object.String("tool");
  for (const Json& line : object.Array("comment")) {
    if (line.is_string()) {
      table.comment.push_back(line.get<std::string>());
    } else {
      errors.Add("comment", "expected strings");
    }
  }
  size_t i = 0;
  for (const Json& device : object.Array("devices")) {
    table.devices.push_back(ReadDevice(device, absl::StrCat("devices[", i++, "]"), &errors));
  }
  if (!errors.ok()) return errors.status();
  return table;
}

absl::StatusOr<DeviceTable> CompiledDeviceCosts() {
  return ParseDeviceCosts(kCompiled, "device_costs.json");
}

absl::StatusOr<DeviceCosts> FindDevice(const DeviceTable& table, absl::string_view name) {
  std::vector<std::string> names;
  for (const DeviceCosts& device : table.devices) {
    if (device.name == name) return device;
    names.push_back(device.name);
  }
  std::string list;
  for (const std::string& known : names) absl::StrAppend(&list, list.empty() ? "" : ", ", known);
  return absl::InvalidArgumentError(
      absl::StrCat("--device is '", name, "', expected one of ", list, Suggestion(name, names)));
}

}  // namespace handpick::converter
