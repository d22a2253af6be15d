// A spec as people write it.
#ifndef HANDPICK_CONVERTER_DRAFT_WRITE_SPEC_H_
#define HANDPICK_CONVERTER_DRAFT_WRITE_SPEC_H_

#include <string>

#include "converter/io/json.h"

namespace handpick::converter {

// The JSON text of a spec, its keys in the order in which the schema has them, a feature a line.
std::string SpecText(const Json& spec);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_WRITE_SPEC_H_
