// Structs of the C API that may grow: how those of an older or a newer caller are read and written.
//
// Such a struct begins with struct_size, the caller's sizeof. Fields are only ever appended, and
// there is no padding behind the last one (or a field that is appended could lie where an older
// caller has garbage). What a field means when it is 0 is what callers got before there was one.
#ifndef HANDPICK_SDK_API_STRUCT_SIZE_H_
#define HANDPICK_SDK_API_STRUCT_SIZE_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "handpick/handpick.h"

namespace handpick {

// Bytes [begin, end) of a struct.
struct StructField {
  size_t begin;
  size_t end;
};

struct StructShape {
  const char* name;
  size_t size;
  size_t alignment;
  const StructField* fields;
  size_t field_count;
};

// Specialised for every struct that may grow, by HP_STRUCT_SHAPE: `kShape`, and for those with a
// struct_size `Default()`.
template <typename T>
struct StructShapeOf;

// A struct with struct_size, as the caller has it: into `read` of the shape's size, which holds the
// defaults. HP_INVALID_ARGUMENT: the size cuts a field, or what this library does not know is
// not 0; the message names the struct and both sizes.
hp_status ReadSizedStruct(const StructShape& shape, const void* given, void* read, hp_error* error);

// From `filled`, of the shape's size, into the caller's struct: as much as that holds; what this
// library does not know becomes 0. The caller's struct_size stays. HP_INVALID_ARGUMENT: it cuts a
// field.
hp_status WriteSizedStruct(const StructShape& shape, const void* filled, void* given,
                           hp_error* error);

// An array of the caller's, `size` bytes an element: at least those that this library knows, and 0
// in the others. `size_name`: the field that the size came from.
hp_status CheckElements(const StructShape& shape, const char* size_name, uint32_t size,
                        const void* elements, size_t count, hp_error* error);

// The caller's struct, or (null) the defaults.
template <typename T>
hp_status ReadStruct(const T* given, T* read, hp_error* error) {
  *read = StructShapeOf<T>::Default();
  return given == nullptr ? HP_OK : ReadSizedStruct(StructShapeOf<T>::kShape, given, read, error);
}

template <typename T>
hp_status WriteStruct(const T& filled, T* given, hp_error* error) {
  return WriteSizedStruct(StructShapeOf<T>::kShape, &filled, given, error);
}

namespace struct_size_internal {

struct Anything {
  template <typename T>
  operator T() const;
};

template <typename T, size_t... kIndices>
constexpr auto HasFields(std::index_sequence<kIndices...>)
    -> decltype(T{(static_cast<void>(kIndices), Anything{})...}, true) {
  return true;
}

template <typename T>
constexpr bool HasFields(...) {
  return false;
}

// In order, all of them, and nothing behind the last.
template <typename T, size_t kCount>
constexpr bool AreAllFields(const StructField (&fields)[kCount]) {
  for (size_t i = 1; i < kCount; ++i) {
    if (fields[i].begin < fields[i - 1].end) return false;
  }
  return fields[0].begin == 0 && fields[kCount - 1].end == sizeof(T) &&
         HasFields<T>(std::make_index_sequence<kCount>()) &&
         !HasFields<T>(std::make_index_sequence<kCount + 1>());
}

}  // namespace struct_size_internal

}  // namespace handpick

#define HP_STRUCT_FIELD(type, field) \
  { offsetof(type, field), offsetof(type, field) + sizeof(type::field) }

// In namespace handpick. `...`: HP_STRUCT_FIELD of all fields; forgetting one does not compile.
#define HP_STRUCT_SHAPE_MEMBERS(type, ...)                                                       \
  static constexpr StructField kFields[] = {__VA_ARGS__};                                        \
  static_assert(std::is_trivially_copyable<type>::value && std::is_standard_layout<type>::value, \
                "a struct of C");                                                                \
  static constexpr StructShape kShape = {#type, sizeof(type), alignof(type), kFields,            \
                                         sizeof(kFields) / sizeof(kFields[0])};

#endif  // HANDPICK_SDK_API_STRUCT_SIZE_H_
