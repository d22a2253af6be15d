// What a conversion measures, and what it demands of that.
#ifndef HANDPICK_CONVERTER_CLI_CONVERT_GATE_H_
#define HANDPICK_CONVERTER_CLI_CONVERT_GATE_H_

#include "absl/status/status.h"
#include "converter/cli/conversion_run.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// Writes the bundle into a file that has no name yet, and scores goldens and --evaluation with it.
absl::Status Measure(ConversionRun* run);

// The bounds: an error names those that do not hold, and what tells why. Otherwise the bundle gets
// its tolerance, and the manifest what was measured.
absl::Status CheckMeasured(const Archive& weights, ConversionRun* run);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERT_GATE_H_
