#include "converter/spec/questions.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace handpick::converter {
namespace {

// What is under these keys may begin with anything.
constexpr absl::string_view kOwnWords[] = {"$schema", "description", "name",    "version",
                                           "names",   "default",     "rank_by", "feature"};

void Find(const Json& value, const std::string& path, std::vector<OpenQuestion>* found) {
  if (value.is_string()) {
    const absl::string_view text = value.get_ref<const std::string&>();
    if (!absl::StartsWith(text, "?")) return;
    found->push_back({path, std::string(absl::StripAsciiWhitespace(text.substr(1)))});
  } else if (value.is_object()) {
    for (const auto& [key, element] : value.items()) {
      const auto is_key = [&key = key](absl::string_view own) { return own == key; };
      if (std::any_of(std::begin(kOwnWords), std::end(kOwnWords), is_key)) continue;
      // Ids of a vocabulary; a question takes the whole list's place.
      if (key == "values" && element.is_array()) continue;
      Find(element, path.empty() ? key : absl::StrCat(path, ".", key), found);
    }
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i)
      Find(value[i], absl::StrCat(path, "[", i, "]"), found);
  }
}

}  // namespace

Json Question(const std::vector<std::string>& choices) {
  return Json(absl::StrCat("? ", absl::StrJoin(choices, ", ")));
}

std::vector<OpenQuestion> OpenQuestions(const Json& spec) {
  std::vector<OpenQuestion> found;
  Find(spec, "", &found);
  return found;
}

absl::Status RefuseQuestions(const Json& spec, absl::string_view origin) {
  const std::vector<OpenQuestion> questions = OpenQuestions(spec);
  if (questions.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      origin, ": ", questions.size() == 1 ? "a question" : "questions",
      " of the draft that only you can answer: write the answer in the place of the \"?\"\n  ",
      absl::StrJoin(questions, "\n  ", [](std::string* out, const OpenQuestion& question) {
        absl::StrAppend(out, question.path, ": ",
                        question.choices.empty() ? "" : "one of: ", question.choices);
      })));
}

}  // namespace handpick::converter
