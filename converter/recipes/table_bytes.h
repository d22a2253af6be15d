// How large a model's tables are, before any of them is read.
#ifndef HANDPICK_CONVERTER_RECIPES_TABLE_BYTES_H_
#define HANDPICK_CONVERTER_RECIPES_TABLE_BYTES_H_

#include <cstdint>
#include <map>
#include <string>

#include "converter/spec/spec.h"
#include "converter/weights/archive.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::converter {

// The least that the rows of a bundle's tables can take in that precision, by the shapes of the
// tensors alone: of what features are surely looked up in.
uint64_t LeastTableBytes(const Spec& spec, const std::map<std::string, TensorInfo>& tensors,
                         schema::Precision precision);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_TABLE_BYTES_H_
