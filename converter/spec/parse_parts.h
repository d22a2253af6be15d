// The sections of a spec that say how a model of some kind uses its features.
#ifndef HANDPICK_CONVERTER_SPEC_PARSE_PARTS_H_
#define HANDPICK_CONVERTER_SPEC_PARSE_PARTS_H_

#include <string>
#include <vector>

#include "converter/io/json.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// Names of the kinds of models, as "model.kind" has them.
const std::vector<std::string>& ModelKinds();

// Whether models of a kind carry a state from event to event.
bool KindHasStates(const std::string& kind);

// Reads the sections of spec->kind, one of ModelKinds(); its features are there already. Sections
// of other kinds are errors. Adds the first fault.
void ParseParts(const JsonObject& root, Spec* spec, JsonErrors* errors);

// "combiner" of an object, or `otherwise`.
schema::Combiner ParseCombiner(const JsonObject& object, schema::Combiner otherwise);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_PARSE_PARTS_H_
