// How a row of an embedding table lies in a bundle: said once for those who write and read one.
//
//   Float32     | x0 | x1 | ...                          4 bytes each
//   Float16     | x0 | x1 | ...                          2 bytes each
//   Int8PerRow  | scale, float32 | q0 | q1 | ... | 0..0  1 byte each; x = scale * q
#ifndef HANDPICK_SCHEMA_TABLE_ROWS_H_
#define HANDPICK_SCHEMA_TABLE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/base.h"
#include "schema/bundle_generated.h"

namespace handpick::schema {

// Bytes in front of the numbers of an Int8PerRow row.
inline constexpr size_t kRowScaleBytes = sizeof(float);

// Bytes from one row to the next; 0 for types that tables do not have. Below 2^35.
inline constexpr size_t TableRowBytes(ElementType type, uint32_t dimension) {
  switch (type) {
    case ElementType::Float32:
      return size_t{dimension} * sizeof(float);
    case ElementType::Float16:
      return size_t{dimension} * sizeof(uint16_t);
    case ElementType::Int8PerRow:
      // Whole floats, so that every row's scale is aligned.
      return (kRowScaleBytes + dimension + sizeof(float) - 1) / sizeof(float) * sizeof(float);
    case ElementType::Unknown:
      break;
  }
  return 0;
}

// What number `column` of a row stands for, exactly: for tools and checks, one at a time.
inline double NumberOfRow(ElementType type, const uint8_t* row, uint32_t column) {
  float number = 0;
  if (type == ElementType::Float16) {
    uint16_t bits;
    std::memcpy(&bits, row + column * sizeof(bits), sizeof(bits));
    return hwy::F32FromF16(hwy::float16_t::FromBits(bits));
  }
  if (type == ElementType::Int8PerRow) {
    std::memcpy(&number, row, sizeof(number));
    return static_cast<double>(number) * static_cast<int8_t>(row[kRowScaleBytes + column]);
  }
  std::memcpy(&number, row + column * sizeof(number), sizeof(number));
  return number;
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_TABLE_ROWS_H_
