#include "sdk/base/error.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "sdk/base/utf8.h"

namespace handpick {

hp_status Fail(hp_error* error, hp_status status, const char* format, ...) {
  if (error != nullptr) {
    // Longer than a message: where this one is cut, in the middle of a character perhaps, the
    // message has ended.
    char text[2 * HP_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    const int written = std::vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const size_t size = written < 0 ? 0 : std::min<size_t>(written, sizeof(text) - 1);
    error->status = status;
    CopyShown(text, size, error->message, sizeof(error->message));
  }
  return status;
}

hp_status Succeed(hp_error* error) {
  if (error != nullptr) {
    error->status = HP_OK;
    error->message[0] = '\0';
  }
  return HP_OK;
}

}  // namespace handpick
