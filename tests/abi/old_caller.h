/* An app that was compiled with the headers of version 1. */
#ifndef HANDPICK_TESTS_ABI_OLD_CALLER_H_
#define HANDPICK_TESTS_ABI_OLD_CALLER_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Does all that an app does, with a canary behind every struct and array. `bundle` [bundle_size] is
 * the tiny bundle with a recall index of integer ids, of which `item` is one in the catalog, and
 * `engine_bytes` what the library says that its engine takes for it (Highway's: 0).
 * Returns how many things went wrong, and writes each to the standard output. */
int old_caller_run(const void* bundle, size_t bundle_size, int64_t item, uint64_t engine_bytes);

#ifdef __cplusplus
}
#endif

#endif /* HANDPICK_TESTS_ABI_OLD_CALLER_H_ */
