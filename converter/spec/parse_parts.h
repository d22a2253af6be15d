// The sections of a spec that say how a model of some kind uses its features.
#ifndef HANDPICK_CONVERTER_SPEC_PARSE_PARTS_H_
#define HANDPICK_CONVERTER_SPEC_PARSE_PARTS_H_

#include "converter/io/json.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// Reads the sections of spec->kind, one of kModelKinds; its features are there already. Sections
// of other kinds are errors. Adds the first fault.
void ParseParts(const JsonObject& root, Spec* spec, JsonErrors* errors);

// "combiner" of an object, or `otherwise`.
schema::Combiner ParseCombiner(const JsonObject& object, schema::Combiner otherwise);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_PARSE_PARTS_H_
