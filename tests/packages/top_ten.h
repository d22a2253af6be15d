/* The best ten films of examples/quickstart's user. */
#ifndef HANDPICK_TESTS_PACKAGES_TOP_TEN_H_
#define HANDPICK_TESTS_PACKAGES_TOP_TEN_H_

#include <stdint.h>

enum { kTopTen = 10 };

/* 0, or else what failed is in `message`, of 512 bytes. */
int top_ten(const char* bundle, int64_t ids[kTopTen], float scores[kTopTen], char* message);

#endif /* HANDPICK_TESTS_PACKAGES_TOP_TEN_H_ */
