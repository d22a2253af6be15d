// Bounds that both the converter and the runtime keep; the runtime's own are in
// sdk/bundle/limits.h.
#ifndef HANDPICK_SCHEMA_LIMITS_H_
#define HANDPICK_SCHEMA_LIMITS_H_

#include <cstdint>

namespace handpick::schema {

// Arrays with a hash of their own (schema::Integrity).
inline constexpr uint32_t kMaxBlobs = 1024;

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_LIMITS_H_
