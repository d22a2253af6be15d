// Passing absl statuses on.
#ifndef HANDPICK_CONVERTER_IO_STATUS_MACROS_H_
#define HANDPICK_CONVERTER_IO_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define HP_STATUS_CONCAT_INNER(a, b) a##b
#define HP_STATUS_CONCAT(a, b) HP_STATUS_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expression`, an absl::Status, is an error.
#define HP_RETURN_IF_ERROR(expression)                                      \
  do {                                                                      \
    if (absl::Status HP_STATUS_CONCAT(hp_status_, __LINE__) = (expression); \
        !HP_STATUS_CONCAT(hp_status_, __LINE__).ok())                       \
      return HP_STATUS_CONCAT(hp_status_, __LINE__);                        \
  } while (false)

// HP_ASSIGN_OR_RETURN(auto value, FunctionThatReturnsStatusOr());
#define HP_ASSIGN_OR_RETURN(target, expression) \
  HP_ASSIGN_OR_RETURN_INNER(HP_STATUS_CONCAT(hp_result_, __LINE__), target, expression)
#define HP_ASSIGN_OR_RETURN_INNER(result, target, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) return result.status();                   \
  target = std::move(result).value()

#endif  // HANDPICK_CONVERTER_IO_STATUS_MACROS_H_
