// Questions that `handpick draft` leaves in a spec: strings that begin with "?" and go on with what
// the answer may be.
#ifndef HANDPICK_CONVERTER_SPEC_QUESTIONS_H_
#define HANDPICK_CONVERTER_SPEC_QUESTIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "converter/io/json.h"

namespace handpick::converter {

// "? true, false". `choices`: what may be written there, as JSON or in words.
Json Question(const std::vector<std::string>& choices);

struct OpenQuestion {
  std::string path;     // "attention.softmax"
  std::string choices;  // "true, false"
};

// Those of a spec, in their order. Values that are the user's own (names, ids, descriptions) are
// no questions.
std::vector<OpenQuestion> OpenQuestions(const Json& spec);

// An error that names every question and its choices, if there is any.
absl::Status RefuseQuestions(const Json& spec, absl::string_view origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_QUESTIONS_H_
