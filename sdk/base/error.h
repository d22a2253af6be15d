// Errors inside the runtime: a status code is returned, and the caller's hp_error (may be null)
// gets the words.
#ifndef HANDPICK_SDK_BASE_ERROR_H_
#define HANDPICK_SDK_BASE_ERROR_H_

#include "handpick/handpick.h"

namespace handpick {

// Writes `status` and a printf-style message into `error` and returns `status`. Whatever names and
// ids are in it, the message is UTF-8 without control characters. Allocates nothing. Messages name
// the thing, its value and what was expected.
#if defined(__MINGW32__)  // Its "printf" is that of Windows, which is not the one that is called.
__attribute__((format(gnu_printf, 3, 4)))
#elif defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
hp_status
Fail(hp_error* error, hp_status status, const char* format, ...);

// Empties `error` and returns HP_OK.
hp_status Succeed(hp_error* error);

}  // namespace handpick

// Returns from the enclosing function when `expression` is not HP_OK.
#define HP_TRY(expression)                            \
  do {                                                \
    const hp_status hp_try_status = (expression);     \
    if (hp_try_status != HP_OK) return hp_try_status; \
  } while (false)

#endif  // HANDPICK_SDK_BASE_ERROR_H_
