#include "converter/weights/object_graph.h"

#include "converter/weights/wire.h"

namespace handpick::converter {
namespace {

constexpr size_t kChecksumBytes = 4;

struct Attribute {
  absl::string_view full_name, key;
};

bool ReadAttribute(absl::string_view message, Attribute* attribute) {
  return EachField(message, [&](const WireField& field) {
    if (field.number == 2) attribute->full_name = field.bytes;
    if (field.number == 3) attribute->key = field.bytes;
    return (field.number != 2 && field.number != 3) || field.type == WireType::kBytes;
  });
}

}  // namespace

bool StringOfTensor(absl::string_view bytes, absl::string_view* text) {
  WireReader reader(bytes);
  uint64_t size = 0;
  absl::string_view checksum;
  return reader.Varint(&size) && reader.Bytes(kChecksumBytes, &checksum) &&
         reader.Bytes(size, text) && reader.empty();
}

bool ReadFullNames(absl::string_view graph, std::map<std::string, std::string>* names) {
  const auto of_node = [&](const WireField& field) {
    if (field.number != 2) return true;
    Attribute attribute;
    if (field.type != WireType::kBytes || !ReadAttribute(field.bytes, &attribute)) return false;
    if (!attribute.full_name.empty() && !attribute.key.empty()) {
      names->emplace(attribute.key, attribute.full_name);
    }
    return true;
  };
  return EachField(graph, [&](const WireField& field) {
    return field.number != 1 || (field.type == WireType::kBytes && EachField(field.bytes, of_node));
  });
}

}  // namespace handpick::converter
