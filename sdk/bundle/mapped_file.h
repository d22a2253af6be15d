// A file mapped read-only.
#ifndef HANDPICK_SDK_BUNDLE_MAPPED_FILE_H_
#define HANDPICK_SDK_BUNDLE_MAPPED_FILE_H_

#include <cstddef>

#include "handpick/handpick.h"

namespace handpick {

struct MappedFile {
  const void* data = nullptr;
  size_t size = 0;
};

// Maps the whole file. HP_FILE_ERROR names the path and the system's reason.
hp_status MapFile(const char* path, MappedFile* file, hp_error* error);

// Does nothing for a file that was never mapped.
void UnmapFile(const MappedFile& file);

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_MAPPED_FILE_H_
