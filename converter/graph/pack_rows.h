// Numbers of an embedding table, as a bundle stores them (schema/table_rows.h).
#ifndef HANDPICK_CONVERTER_GRAPH_PACK_ROWS_H_
#define HANDPICK_CONVERTER_GRAPH_PACK_ROWS_H_

#include <cstdint>

#include "schema/bundle_enums_generated.h"

namespace handpick::converter {

// Packs `rows` rows of `dimension` numbers each, row-major, into `out`, of TableRowBytes(type,
// dimension) bytes a row. A row's bytes depend on its own numbers alone, so that a table may be
// packed in parts. Bytes of a row that mean nothing are 0.
void PackRows(const float* numbers, uint64_t rows, uint32_t dimension, schema::ElementType type,
              uint8_t* out);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_PACK_ROWS_H_
