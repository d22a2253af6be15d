// hp_open_options as the functions that open and inspect read them.
#ifndef HANDPICK_SDK_API_OPEN_OPTIONS_H_
#define HANDPICK_SDK_API_OPEN_OPTIONS_H_

#include "handpick/handpick.h"
#include "sdk/bundle/check_signature.h"
#include "sdk/session/model.h"

namespace handpick {

struct OpenOptions {
  uint32_t flags;
  hp_allocator allocator;
  PublicKeys keys;
  Model::OpenOptions model;
};

// `given`: null for defaults. HP_INVALID_ARGUMENT: unknown flags, an allocator without functions,
// what ReadKeys says.
hp_status ReadOpenOptions(const hp_open_options* given, OpenOptions* options, hp_error* error);

// HP_INVALID_ARGUMENT: a size that is no multiple of a key's, or without keys. No key and no size:
// there are none.
hp_status ReadKeys(const uint8_t* bytes, size_t size, PublicKeys* keys, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_API_OPEN_OPTIONS_H_
