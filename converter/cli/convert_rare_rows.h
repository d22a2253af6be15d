// Ids that training hardly saw, in a conversion: --counts and --min-count.
#ifndef HANDPICK_CONVERTER_CLI_CONVERT_RARE_ROWS_H_
#define HANDPICK_CONVERTER_CLI_CONVERT_RARE_ROWS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "converter/cli/conversion_run.h"

namespace handpick::converter {

// Reads --counts, if it was given, and merges what --min-count says. Errors: of the file; that it
// counts no ids whose rows can be merged.
absl::Status AddCounts(ConversionRun* run);

// Rows of ids with fewer counts become one of each table; those that were merged before are as they
// were trained again. 0: none.
absl::Status MergeRows(uint64_t min_count, ConversionRun* run);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERT_RARE_ROWS_H_
