// Whether a bundle's bytes are those that the converter wrote.
#ifndef HANDPICK_SDK_BUNDLE_CHECK_INTEGRITY_H_
#define HANDPICK_SDK_BUNDLE_CHECK_INTEGRITY_H_

#include <cstddef>
#include <cstdint>

#include "sdk/program/plan.h"

namespace handpick {

// Compares the hashes of an opened bundle with its bytes [size]. HP_BUNDLE_CORRUPT: some byte is
// another one; the message says where. HP_NO_HASHES: the bundle has none. Reads every byte;
// allocates nothing; thread-safe.
hp_status CheckIntegrity(const void* data, size_t size, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_CHECK_INTEGRITY_H_
