// Opens a bundle's bytes: verifies all of it and writes it down as a Plan.
#ifndef HANDPICK_SDK_BUNDLE_LOAD_H_
#define HANDPICK_SDK_BUNDLE_LOAD_H_

#include <cstddef>

#include "schema/format.h"
#include "sdk/base/model_memory.h"
#include "sdk/program/plan.h"

namespace handpick {

using schema::kFormatMajor;
using schema::kFormatMinor;

// Checks alignment, identifier, version, then everything that FlatBuffers' verifier knows: after
// HP_OK the bytes may be read as a schema::Bundle.
hp_status VerifyBundle(const void* data, size_t size, hp_error* error);

// VerifyBundle, then our own rules: indices, shapes, sizes, the order of steps and the places of
// values. After HP_OK
// whatever the plan says may be trusted, except the contents of arrays that grow with tables and
// catalogs (see schema/bundle.fbs), which are checked where they are read.
//
// `data` must outlive `plan`. The plan's arrays live in `memory`. plan->info is complete but for
// session_bytes.
hp_status LoadBundle(const void* data, size_t size, ModelMemory* memory, Plan* plan,
                     hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_LOAD_H_
