// Logits of a conversion's requests: of the model in float64, and of the bundle in the runtime.
#ifndef HANDPICK_CONVERTER_CLI_CONVERT_SCORES_H_
#define HANDPICK_CONVERTER_CLI_CONVERT_SCORES_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/cli/conversion_run.h"
#include "converter/reference/interpreter.h"
#include "converter/request/raw_values.h"
#include "converter/runtime/bundle_session.h"

namespace handpick::converter {

absl::StatusOr<LogitsOfOutputs> BundleLogits(const Request& request, BundleSession* session);

// Calls `use(set, session)` on each instruction set, with the file as it is now.
absl::Status OnEachSet(const ConversionRun& run,
                       const std::function<absl::Status(size_t, BundleSession*)>& use);

// Calls `take(i, logits)` for each request in turn, with its logits in float64 by output. They
// are computed by all cores: by the rewritten graph, which has less to do and which goldens hold
// to the recipe's. Of it no rows were merged.
absl::Status ForEachInFloat64(const ConversionRun& run, const std::string& path,
                              const std::vector<Request>& requests,
                              const std::function<absl::Status(size_t, LogitsOfOutputs)>& take);

// Brings the run's file up to its bundle.
absl::Status WriteBundle(ConversionRun* run);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERT_SCORES_H_
