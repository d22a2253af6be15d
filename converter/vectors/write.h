// Item vectors into a file that recall-index reads.
#ifndef HANDPICK_CONVERTER_VECTORS_WRITE_H_
#define HANDPICK_CONVERTER_VECTORS_WRITE_H_

#include <string>

#include "converter/vectors/item_vectors.h"

namespace handpick::converter {

// A .safetensors file of `ids` [items] int64 and `vectors` [items, numbers] float32. The ids are
// integers.
std::string SafetensorsOfVectors(const ItemVectors& items);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_VECTORS_WRITE_H_
