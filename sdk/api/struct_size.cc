#include "sdk/api/struct_size.h"

#include <algorithm>
#include <cstring>

#include "sdk/base/error.h"

namespace handpick {
namespace {

// Far more than any struct will have: a size that was never set does not make us read everything.
constexpr size_t kLargestStruct = 4096;
constexpr size_t kSizeBytes = sizeof(uint32_t);

hp_status CheckSize(const StructShape& shape, uint32_t size, hp_error* error) {
  const StructField* end = shape.fields + shape.field_count;
  const bool cuts = std::any_of(shape.fields, end, [&](const StructField& field) {
    return field.begin < size && size < field.end;
  });
  if (size >= kSizeBytes && size <= kLargestStruct && !cuts) return HP_OK;
  return Fail(error, HP_INVALID_ARGUMENT, "%s has struct_size %u%s, expected %zu", shape.name, size,
              cuts ? ", which ends inside of a field" : "", shape.size);
}

// Bytes [from, to) of `data` that are not 0: the first one, or `to`.
size_t FirstSet(const void* data, size_t from, size_t to) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  while (from < to && bytes[from] == 0) ++from;
  return from;
}

uint32_t SizeOf(const void* given) {
  uint32_t size;
  std::memcpy(&size, given, sizeof(size));
  return size;
}

}  // namespace

hp_status ReadSizedStruct(const StructShape& shape, const void* given, void* read,
                          hp_error* error) {
  const uint32_t size = SizeOf(given);
  HP_TRY(CheckSize(shape, size, error));
  const size_t set = FirstSet(given, std::min<size_t>(shape.size, size), size);
  if (set < size) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "%s has struct_size %u, this library knows %zu bytes of it, and byte %zu is not 0: "
                "a newer option",
                shape.name, size, shape.size, set);
  }
  std::memcpy(static_cast<char*>(read) + kSizeBytes, static_cast<const char*>(given) + kSizeBytes,
              std::min<size_t>(shape.size, size) - kSizeBytes);
  return HP_OK;
}

hp_status WriteSizedStruct(const StructShape& shape, const void* filled, void* given,
                           hp_error* error) {
  const uint32_t size = SizeOf(given);
  HP_TRY(CheckSize(shape, size, error));
  // Field by field: what is between them is the caller's, and ours is whatever it was.
  for (size_t i = 1; i < shape.field_count && shape.fields[i].end <= size; ++i) {
    const StructField& field = shape.fields[i];
    std::memcpy(static_cast<char*>(given) + field.begin,
                static_cast<const char*>(filled) + field.begin, field.end - field.begin);
  }
  const size_t known = std::min<size_t>(shape.size, size);
  std::memset(static_cast<char*>(given) + known, 0, size - known);
  return HP_OK;
}

hp_status CheckElements(const StructShape& shape, const char* size_name, uint32_t size,
                        const void* elements, size_t count, hp_error* error) {
  if (elements == nullptr || count == 0) return HP_OK;
  if (size < shape.size || size > kLargestStruct || size % shape.alignment != 0) {
    return Fail(error, HP_INVALID_ARGUMENT, "%s is %u, expected %zu (an %s)", size_name, size,
                shape.size, shape.name);
  }
  const auto* element = static_cast<const char*>(elements);
  for (size_t i = 0; size > shape.size && i < count; ++i, element += size) {
    const size_t set = FirstSet(element, shape.size, size);
    if (set == size) continue;
    return Fail(error, HP_INVALID_ARGUMENT,
                "%s is %u, this library knows %zu bytes of an %s, and byte %zu of number %zu is "
                "not 0: a newer option",
                size_name, size, shape.size, shape.name, set, i);
  }
  return HP_OK;
}

}  // namespace handpick
