// hp_open_options as the functions that open and inspect read them.
#ifndef HANDPICK_SDK_API_OPEN_OPTIONS_H_
#define HANDPICK_SDK_API_OPEN_OPTIONS_H_

#include "handpick/handpick.h"
#include "sdk/session/model.h"

namespace handpick {

// `given`: null for defaults. HP_INVALID_ARGUMENT: unknown flags, an allocator without functions.
hp_status ReadOpenOptions(const hp_open_options* given, uint32_t* flags, hp_allocator* allocator,
                          Model::OpenOptions* open, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_API_OPEN_OPTIONS_H_
