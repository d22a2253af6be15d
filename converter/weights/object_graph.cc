#include "converter/weights/object_graph.h"

#include "converter/weights/wire.h"

namespace handpick::converter {
namespace {

// SerializedTensor: full_name and checkpoint_key.
bool TakeTensor(absl::string_view message, std::map<std::string, std::string>* names) {
  absl::string_view name, key;
  const bool is_whole = EachField(message, [&](const WireField& field) {
    if (field.number == 2) name = field.bytes;
    if (field.number == 3) key = field.bytes;
    return (field.number != 2 && field.number != 3) || field.type == WireType::kBytes;
  });
  if (is_whole && !name.empty() && !key.empty()) names->emplace(key, name);
  return is_whole;
}

}  // namespace

std::optional<std::map<std::string, std::string>> VariableNames(absl::string_view graph) {
  std::map<std::string, std::string> names;
  // Of a TrackableObject, `attributes`.
  const auto take_attribute = [&](const WireField& field) {
    if (field.number != 2) return true;
    return field.type == WireType::kBytes && TakeTensor(field.bytes, &names);
  };
  // `nodes`.
  const bool is_whole = EachField(graph, [&](const WireField& field) {
    if (field.number != 1) return true;
    return field.type == WireType::kBytes && EachField(field.bytes, take_attribute);
  });
  if (!is_whole) return std::nullopt;
  return names;
}

}  // namespace handpick::converter
