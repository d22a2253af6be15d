// What work takes on processors of phones, by static analysis of the kernels' loops: see
// device_costs.json, which is compiled in.
//
// The file is {"comment": ["..."], "tool": "llvm-mca ...", "devices": [...]}, and a device is
//
//   {"name": "a55", "core": "Cortex-A55", "model": "cortex-a55", "instruction_set": "NEON",
//    "ghz": 1.8, "read_gigabytes": 3, "random_megarows": 8,
//    "cycles": {"f32_mac": [0.27, "mca"], "step": [100, "assumed"], ...}}
//
// `model` is what the tool calls the core. The clock and the two figures of memory are assumptions.
// `cycles` has every member of Costs but those of memory and int8_attention_mac, per number and
// lane, with where it comes from: "mca", the static analysis of the loop that does it, or
// "assumed".
#ifndef HANDPICK_CONVERTER_BENCH_DEVICE_COSTS_H_
#define HANDPICK_CONVERTER_BENCH_DEVICE_COSTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/bench/costs.h"

namespace handpick::converter {

struct DeviceCosts {
  std::string name;
  std::string core;
  std::string model;
  std::string instruction_set;
  double ghz = 0;
  double read_gigabytes = 0;
  double random_megarows = 0;
  std::vector<std::string> assumed;  // Names of the costs that no analysis gave.
  Costs costs;                       // At that clock.
};

struct DeviceTable {
  std::string tool;
  std::vector<std::string> comment;  // For people: shown with every prediction.
  std::vector<DeviceCosts> devices;
};

// `where` comes before what is wrong.
absl::StatusOr<DeviceTable> ParseDeviceCosts(absl::string_view json, const std::string& where);

// What is compiled in.
absl::StatusOr<DeviceTable> CompiledDeviceCosts();

// Errors: no such device; it names those that there are.
absl::StatusOr<DeviceCosts> FindDevice(const DeviceTable& table, absl::string_view name);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_DEVICE_COSTS_H_
