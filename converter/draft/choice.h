// What a draft leaves open.
#ifndef HANDPICK_CONVERTER_DRAFT_CHOICE_H_
#define HANDPICK_CONVERTER_DRAFT_CHOICE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "converter/io/json.h"

namespace handpick::converter {

// A value of a choice that stands for leaving the key out.
inline Json LeftOut() { return Json(Json::value_t::discarded); }

// A key of a spec of which one of several values is right.
struct Choice {
  std::string pointer;       // A JSON pointer: "/attention/softmax".
  std::vector<Json> values;  // The first is what is written until one is found.
  // Whether values that make no difference to the goldens are no question: the first one is taken.
  bool is_soft = false;
  // What a question says instead of the values, where these are many.
  std::string words = {};
};

// A model that the tensors may be: what is known of its spec, and what is not.
struct Structure {
  Json spec;                    // With the first value of each choice.
  std::vector<Choice> choices;  // Tried together, in all combinations.
  std::vector<Choice> orders;   // Tried after them: orders of features, and rarer options.
  // What was inferred, as "deep.hidden_units [16, 8]: from the shapes ...".
  std::vector<std::string> facts;
};

// Activations that have no tensors, the usual one of hidden layers first.
std::vector<Json> PlainActivations();

// "/features/2/combiner" as messages have it: "features[2].combiner".
std::string FieldOf(absl::string_view pointer);

// Puts a value at a pointer; of LeftOut, takes the key away.
void PutAt(const std::string& pointer, const Json& value, Json* spec);

// How a value reads in a message or a question; "(left out)" of LeftOut.
std::string ValueText(const Json& value);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_CHOICE_H_
