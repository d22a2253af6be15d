// In which types a conversion stores tables and layers, and which rare rows it merges.
#ifndef HANDPICK_CONVERTER_CLI_CONVERT_PRECISION_H_
#define HANDPICK_CONVERTER_CLI_CONVERT_PRECISION_H_

#include "absl/status/status.h"
#include "converter/cli/conversion_run.h"

namespace handpick::converter {

// A type for each table and layer, where --keep or --precision auto says so; with --counts and
// without --min-count, auto also tries from how few counts on ids get a row of their own.
absl::Status ChoosePrecisions(ConversionRun* run);

// Nobody should ship tables that 8 bits spoil without knowing: said even if --quiet.
void WarnOfOutliers(const ConversionRun& run);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERT_PRECISION_H_
