// What the entry points do with their arguments first.
#ifndef HANDPICK_SDK_API_ARGUMENTS_H_
#define HANDPICK_SDK_API_ARGUMENTS_H_

#include "handpick/handpick.h"
#include "sdk/api/shapes.h"
#include "sdk/base/error.h"

namespace handpick {

inline hp_status NullArgument(hp_error* error, const char* name) {
  return Fail(error, HP_INVALID_ARGUMENT, "%s is null", name);
}

// The caller's batch in this library's struct. The columns stay the caller's, column_size bytes
// each.
inline hp_status ReadBatch(const hp_batch* given, const char* name, hp_batch* read,
                           hp_error* error) {
  if (given == nullptr) return NullArgument(error, name);
  HP_TRY(ReadStruct(given, read, error));
  return CheckElements(StructShapeOf<hp_column>::kShape, "hp_batch.column_size", read->column_size,
                       read->columns, read->column_count, error);
}

}  // namespace handpick

#endif  // HANDPICK_SDK_API_ARGUMENTS_H_
