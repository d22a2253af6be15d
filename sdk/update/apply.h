// Makes a new bundle of an old one and a delta (schema/delta.h), a piece at a time.
#ifndef HANDPICK_SDK_UPDATE_APPLY_H_
#define HANDPICK_SDK_UPDATE_APPLY_H_

#include "handpick/update.h"

namespace handpick {

// `options` are whole, with an allocator.
hp_status ApplyDelta(const char* old_path, const char* delta_path, const char* new_path,
                     const hp_update_options& options, hp_error* error);

// The XXH3 of a whole file. `buffer`: `size` bytes to read into.
hp_status HashFile(const char* path, void* buffer, size_t size, uint64_t* hash, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_UPDATE_APPLY_H_
