// How a row of an embedding table lies in a bundle: said once for those who write and read one.
//
//   Float32     | x0 | x1 | ...                          4 bytes each
//   Float16     | x0 | x1 | ...                          2 bytes each
//   Int8PerRow  | scale, float32 | q0 | q1 | ... | 0..0  1 byte each; x = scale * q
//   Int4PerGroup: for each 16 numbers
//     | scale, bfloat16 | q0 q8 | q1 q9 | ... | q7 q15   4 bits each, the first one in the low
//     bits,
//                                                        as q + 8; x = scale * q
#ifndef HANDPICK_SCHEMA_TABLE_ROWS_H_
#define HANDPICK_SCHEMA_TABLE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/base.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::schema {

// Bytes in front of the numbers of an Int8PerRow row.
inline constexpr size_t kRowScaleBytes = sizeof(float);

// Numbers of an Int4PerGroup row that have a scale together, and their bytes with it.
inline constexpr uint32_t kGroupNumbers = 16;
inline constexpr size_t kGroupScaleBytes = sizeof(uint16_t);
inline constexpr size_t kGroupBytes = kGroupScaleBytes + kGroupNumbers / 2;

// The scale in front of a group.
inline float ScaleOfGroup(const uint8_t* group) {
  uint16_t high;
  std::memcpy(&high, group, sizeof(high));
  const uint32_t bits = uint32_t{high} << 16;
  float scale;
  std::memcpy(&scale, &bits, sizeof(scale));
  return scale;
}

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
    case ElementType::Int4PerGroup:
      return (size_t{dimension} + kGroupNumbers - 1) / kGroupNumbers * kGroupBytes;
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
  if (type == ElementType::Int4PerGroup) {
    const uint8_t* group = row + column / kGroupNumbers * kGroupBytes;
    const uint32_t at = column % kGroupNumbers;
    const int byte = group[kGroupScaleBytes + at % 8];
    return static_cast<double>(ScaleOfGroup(group)) * ((at < 8 ? byte & 15 : byte >> 4) - 8);
  }
  std::memcpy(&number, row + column * sizeof(number), sizeof(number));
  return number;
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_TABLE_ROWS_H_
