// The golden requests of a conversion.
#ifndef HANDPICK_CONVERTER_CLI_CONVERT_GOLDENS_H_
#define HANDPICK_CONVERTER_CLI_CONVERT_GOLDENS_H_

#include "absl/status/status.h"
#include "converter/cli/conversion_run.h"

namespace handpick::converter {

// --golden into the bundle, with the trainer's logits. Where rows were merged, what the trainer
// said of a request with a merged id no device can replay: it has the logits of the merged model in
// float64.
absl::Status AddGoldens(ConversionRun* run);

// How far the float64 reference, the merged model and the bundle in the run's file are from them.
absl::Status MeasureGoldens(ConversionRun* run);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERT_GOLDENS_H_
