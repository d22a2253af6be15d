// Names that mean what a key, a kind or a choice of ours means, where other libraries have them.
#ifndef HANDPICK_CONVERTER_IO_SYNONYMS_H_
#define HANDPICK_CONVERTER_IO_SYNONYMS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace handpick::converter {

// Lower case, without what separates words: "Wide & Deep" and "wide_deep" are "widedeep".
std::string Plain(absl::string_view name);

struct Synonym {
  const char* theirs;  // Plain.
  const char* ours;
  const char* with = "";  // What else to write, if anything.
};

// The synonym of a name, of which `ours` is among the candidates; null if there is none.
const Synonym* FindSynonym(absl::string_view name, const std::vector<std::string>& candidates);

// Whether a name is that of something that we have not, and so no slip of the pen: "gelu" is no
// "relu".
bool MeansSomethingElse(absl::string_view name);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_SYNONYMS_H_
