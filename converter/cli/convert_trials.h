// One choice of precisions, made and measured.
#ifndef HANDPICK_CONVERTER_CLI_CONVERT_TRIALS_H_
#define HANDPICK_CONVERTER_CLI_CONVERT_TRIALS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/cli/conversion_run.h"
#include "converter/request/raw_values.h"
#include "converter/search/precision_search.h"

namespace handpick::converter {

// What a search measures on: each request of --evaluation, with the float64 logits of the output
// that ranks.
struct TrialRow {
  Request request;
  std::vector<double> reference;
};
using TrialRows = std::vector<TrialRow>;
absl::StatusOr<TrialRows> ReadTrialRows(const ConversionRun& run);

// The conversion's bundle in the types of a choice among the run's parts, measured by the runtime
// on each instruction set.
absl::StatusOr<PrecisionTrial> Try(const PrecisionChoice& choice, const TrialRows& rows,
                                   ConversionRun* run);

// Requantize, with the catalog of the conversion.
absl::Status Quantize(const std::vector<schema::ElementType>& types, const ConvertOptions& options,
                      ConversionRun* run);

// What a bundle of several types is called: the roughest one.
schema::Precision PrecisionOf(const std::vector<schema::ElementType>& types);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERT_TRIALS_H_
