// How large a bundle will be, before it is made.
#ifndef HANDPICK_CONVERTER_EMIT_BUNDLE_SIZE_H_
#define HANDPICK_CONVERTER_EMIT_BUNDLE_SIZE_H_

#include <cstdint>

#include "absl/status/status.h"

namespace handpick::schema {
struct BundleT;
}

namespace handpick::converter {

// FlatBuffers addresses 2 GB, and ends the process beyond: stop before, with room for small things.
inline constexpr uint64_t kMostBundleBytes = (uint64_t{1} << 31) - (uint64_t{64} << 20);

// An upper bound of what the big arrays of a bundle take, but for the rows of its tables; without
// the small things.
uint64_t BigBytes(const schema::BundleT& bundle);

// The same of one table's rows.
inline uint64_t BigBytesOfRows(uint64_t row_bytes) { return row_bytes + 64; }

// An error if big arrays of `bytes` in all are more than `most`.
absl::Status CheckBundleSize(uint64_t bytes, uint64_t most = kMostBundleBytes);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EMIT_BUNDLE_SIZE_H_
