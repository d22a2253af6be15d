// The sections of a spec that say how a model of some kind uses its features.
#ifndef HANDPICK_CONVERTER_SPEC_PARSE_PARTS_H_
#define HANDPICK_CONVERTER_SPEC_PARSE_PARTS_H_

#include "absl/strings/string_view.h"
#include "converter/io/json.h"
#include "converter/spec/kinds.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// The kind of that name. Of a name that is no kind's (the spec has that fault), one that has every
// section and needs none.
const ModelKind& KindToRead(absl::string_view name);

// Reads the sections of spec->kind; its features are there already. Sections of other kinds are
// errors. Adds all faults.
void ParseParts(const JsonObject& root, Spec* spec, JsonErrors* errors);

// "combiner" of an object, or `otherwise`.
schema::Combiner ParseCombiner(const JsonObject& object, schema::Combiner otherwise);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_PARSE_PARTS_H_
