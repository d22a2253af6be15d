// Bounds that both the converter and the runtime keep; the runtime's own are in
// sdk/bundle/limits.h.
#ifndef HANDPICK_SCHEMA_LIMITS_H_
#define HANDPICK_SCHEMA_LIMITS_H_

#include <cstdint>

namespace handpick::schema {

// Arrays with a hash of their own (schema::Integrity).
inline constexpr uint32_t kMaxBlobs = 1024;

// Of a golden tolerance, |logit - golden| / max(1, |golden|): 8-bit models need some hundredths,
// and a larger one would find nothing.
inline constexpr float kMaxGoldenTolerance = 1;

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_LIMITS_H_
