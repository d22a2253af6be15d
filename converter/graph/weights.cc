#include "converter/graph/weights.h"

#include <cstring>

#include "converter/graph/pack_rows.h"
#include "schema/table_rows.h"

namespace handpick::converter {

uint64_t TableData::row_bytes() const { return schema::TableRowBytes(type, dimension); }

const uint8_t* TableData::bytes() const {
  if (type == schema::ElementType::Float32) return reinterpret_cast<const uint8_t*>(floats.data());
  return packed.data();
}

uint64_t TableData::byte_count() const {
  if (type == schema::ElementType::Float32) return uint64_t{floats.size()} * sizeof(float);
  return packed.empty() ? rows * row_bytes() : packed.size();
}

void TableData::CopyRows(uint64_t first, uint64_t count, uint8_t* out) const {
  if (count == 0) return;
  if (const uint8_t* const stored = bytes(); stored != nullptr) {
    std::memcpy(out, stored + first * row_bytes(), static_cast<size_t>(count * row_bytes()));
    return;
  }
  PackRows(floats.data() + first * dimension, count, dimension, type, out);
}

std::vector<double> TableData::Row(uint64_t row) const {
  std::vector<double> numbers(dimension);
  std::vector<uint8_t> stored(static_cast<size_t>(row_bytes()));
  CopyRows(row, 1, stored.data());
  for (uint32_t j = 0; j < dimension; ++j) {
    numbers[j] = schema::NumberOfRow(type, stored.data(), j);
  }
  return numbers;
}

double TableData::At(uint64_t row, uint32_t column) const {
  return type == schema::ElementType::Float32 ? floats[row * dimension + column] : Row(row)[column];
}

const char* ElementTypeName(schema::ElementType type) {
  switch (type) {
    case schema::ElementType::Float16:
      return "f16";
    case schema::ElementType::Int8PerRow:
      return "int8";
    case schema::ElementType::Int4PerGroup:
      return "int4";
    case schema::ElementType::Float32:
    case schema::ElementType::Unknown:
      break;
  }
  return "f32";
}

}  // namespace handpick::converter
