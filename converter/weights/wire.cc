#include "converter/weights/wire.h"

#include "converter/io/byte_order.h"

namespace handpick::converter {

bool WireReader::Varint(uint64_t* value) {
  constexpr size_t kMostBytes = 10;
  *value = 0;
  for (size_t i = 0; i < kMostBytes && i < rest_.size(); ++i) {
    const uint64_t byte = static_cast<unsigned char>(rest_[i]);
    // Of the tenth byte one bit has a place.
    if (i + 1 == kMostBytes && byte > 1) return false;
    *value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool WireReader::Fixed(size_t size, uint64_t* value) {
  absl::string_view bytes;
  if (!Bytes(size, &bytes)) return false;
  *value = UnsignedOf(bytes);
  return true;
}

bool WireReader::Fixed32(uint32_t* value) {
  uint64_t wide = 0;
  if (!Fixed(sizeof(*value), &wide)) return false;
  *value = static_cast<uint32_t>(wide);
  return true;
}

bool WireReader::Fixed64(uint64_t* value) { return Fixed(sizeof(*value), value); }

bool WireReader::Bytes(uint64_t size, absl::string_view* bytes) {
  if (size > rest_.size()) return false;
  *bytes = rest_.substr(0, static_cast<size_t>(size));
  rest_.remove_prefix(static_cast<size_t>(size));
  return true;
}

bool WireReader::Field(WireField* field) {
  *field = {};
  uint64_t tag = 0;
  if (!Varint(&tag)) return false;
  field->number = tag >> 3;
  field->type = static_cast<WireType>(tag & 7);
  if (field->number == 0) return false;
  switch (field->type) {
    case WireType::kVarint:
      return Varint(&field->value);
    case WireType::kFixed64:
      return Fixed(sizeof(uint64_t), &field->value);
    case WireType::kFixed32:
      return Fixed(sizeof(uint32_t), &field->value);
    case WireType::kBytes: {
      uint64_t size = 0;
      return Varint(&size) && Bytes(size, &field->bytes);
    }
  }
  return false;
}

}  // namespace handpick::converter
