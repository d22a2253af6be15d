// What every call of the C API owes its caller.
#ifndef HANDPICK_TESTS_FUZZ_CHECK_ERROR_H_
#define HANDPICK_TESTS_FUZZ_CHECK_ERROR_H_

#include <cstring>

#include "handpick/handpick.h"
#include "sdk/base/utf8.h"
#include "tests/fuzz/target.h"

namespace handpick::fuzz {

// That an error has a message, and that it can be shown.
inline void CheckError(const hp_error& error, hp_status status) {
  if (error.status == HP_OK && status == HP_OK) return;
  const size_t size = std::strlen(error.message);
  char shown[2 * HP_MESSAGE_SIZE];
  CopyShown(error.message, size, shown, sizeof(shown));
  Require(size != 0 && std::strcmp(shown, error.message) == 0, "a message that is no text");
}

}  // namespace handpick::fuzz

#endif  // HANDPICK_TESTS_FUZZ_CHECK_ERROR_H_
