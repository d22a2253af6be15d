// The machine that times are predicted for.
#ifndef HANDPICK_CONVERTER_CLI_MACHINE_H_
#define HANDPICK_CONVERTER_CLI_MACHINE_H_

#include <string>

#include "absl/status/statusor.h"
#include "converter/bench/peak.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {

// What the flags say; 0 for those that were not given. Errors: one that is not positive.
absl::StatusOr<MachinePeak> MachineOfFlags();

nlohmann::ordered_json MachineJson(const MachinePeak& machine);

// One line, of the same.
std::string MachineText(const nlohmann::ordered_json& machine);

// A number of JSON; null when it is not finite, which JSON cannot say.
nlohmann::ordered_json FiniteJson(double number);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_MACHINE_H_
