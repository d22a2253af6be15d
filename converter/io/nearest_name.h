// "Did you mean ...?"
#ifndef HANDPICK_CONVERTER_IO_NEAREST_NAME_H_
#define HANDPICK_CONVERTER_IO_NEAREST_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace handpick::converter {

// The candidate that is the same but for case and what separates its words; or that means the same
// (synonyms.h); or that has the fewest inserted, removed and replaced letters, if that is few for
// its length; else "".
std::string NearestName(absl::string_view name, const std::vector<std::string>& candidates);

// " (did you mean 'x'?)", or "" when nothing is near.
std::string Suggestion(absl::string_view name, const std::vector<std::string>& candidates);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_NEAREST_NAME_H_
