/* The headers as they were in version 1 of the API, in place of those of the tree. */
#ifndef HANDPICK_TESTS_ABI_FROZEN_1_H_
#define HANDPICK_TESTS_ABI_FROZEN_1_H_

#ifdef HANDPICK_HANDPICK_H_
#error "the current header came first"
#endif

/* clang-format off */
#include "tests/abi/frozen/1/handpick.h"
#include "tests/abi/frozen/1/diagnostics.h"
/* clang-format on */

#endif /* HANDPICK_TESTS_ABI_FROZEN_1_H_ */
