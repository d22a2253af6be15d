#include "sdk/base/error.h"

#include <cstdarg>
#include <cstdio>

namespace handpick {

hp_status Fail(hp_error* error, hp_status status, const char* format, ...) {
  if (error != nullptr) {
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
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
