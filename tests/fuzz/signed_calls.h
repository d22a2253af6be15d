// Calls of the C API that take public keys: right ones, wrong ones, and what is no key.
#ifndef HANDPICK_TESTS_FUZZ_SIGNED_CALLS_H_
#define HANDPICK_TESTS_FUZZ_SIGNED_CALLS_H_

#include "tests/fuzz/arguments.h"

namespace handpick::fuzz {

// hp_model_open_buffer, hp_model_open_file and hp_bundle_inspect: of a signed bundle, of one that
// is not, and of damaged ones.
void OpenWithKeys(Arguments* arguments);

// hp_check_new_signed, and hp_check_next so many bytes at a time.
void CheckWithKeys(Arguments* arguments);

// hp_update_verify, hp_update_apply and hp_store_install.
void UpdateWithKeys(Arguments* arguments);

}  // namespace handpick::fuzz

#endif  // HANDPICK_TESTS_FUZZ_SIGNED_CALLS_H_
