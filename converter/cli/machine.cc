#include "converter/cli/machine.h"

#include <cmath>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/flags.h"

namespace handpick::converter {

absl::StatusOr<MachinePeak> MachineOfFlags() {
  MachinePeak machine;
  const struct {
    const char* name;
    std::optional<double> given;
    double* to;
    double unit;
  } flags[] = {
      {"--f32-gflops", absl::GetFlag(FLAGS_f32_gflops), &machine.f32_gflops, 1},
      {"--int8-gops", absl::GetFlag(FLAGS_int8_gops), &machine.int8_gops, 1},
      {"--read-gigabytes", absl::GetFlag(FLAGS_read_gigabytes), &machine.read_gigabytes, 1},
      {"--random-megarows", absl::GetFlag(FLAGS_random_megarows), &machine.random_rows, 1e6},
  };
  for (const auto& flag : flags) {
    if (!flag.given.has_value()) continue;
    if (!std::isfinite(*flag.given) || *flag.given <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(flag.name, " is ", *flag.given, ", expected a number above 0"));
    }
    *flag.to = *flag.given * flag.unit;
  }
  return machine;
}

nlohmann::ordered_json MachineJson(const MachinePeak& machine) {
  return {{"instruction_set", machine.instruction_set},
          {"f32_gflops", machine.f32_gflops},
          {"int8_gops", machine.int8_gops},
          {"read_gigabytes", machine.read_gigabytes},
          {"random_megarows", 1e-6 * machine.random_rows}};
}

std::string MachineText(const nlohmann::ordered_json& machine) {
  const std::string set = machine["instruction_set"].get<std::string>();
  return absl::StrFormat(
      "%s%.0f GFLOP/s float32, %.0f GOP/s 8 bits, %.1f GB/s in order, %.1f million random rows/s",
      set.empty() ? "" : set + ": ", machine["f32_gflops"].get<double>(),
      machine["int8_gops"].get<double>(), machine["read_gigabytes"].get<double>(),
      machine["random_megarows"].get<double>());
}

nlohmann::ordered_json FiniteJson(double number) {
  return std::isfinite(number) ? nlohmann::ordered_json(number) : nlohmann::ordered_json();
}

}  // namespace handpick::converter
