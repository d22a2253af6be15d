#include "sdk/bundle/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sdk/base/error.h"

namespace handpick {

hp_status MapFile(const char* path, MappedFile* file, hp_error* error) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return Fail(error, HP_FILE_ERROR, "cannot open bundle '%s': %s", path, std::strerror(errno));
  }
  struct stat status;
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    return Fail(error, HP_FILE_ERROR, "bundle '%s' is no regular file", path);
  }
  if (status.st_size <= 0) {
    close(descriptor);
    return Fail(error, HP_NOT_A_BUNDLE, "bundle '%s' is empty", path);
  }
  const size_t size = static_cast<size_t>(status.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int reason = errno;
  close(descriptor);  // The mapping keeps the file.
  if (data == MAP_FAILED) {
    return Fail(error, HP_FILE_ERROR, "cannot map %zu bytes of bundle '%s': %s", size, path,
                std::strerror(reason));
  }
  file->data = data;
  file->size = size;
  return HP_OK;
}

void UnmapFile(const MappedFile& file) {
  if (file.data != nullptr) munmap(const_cast<void*>(file.data), file.size);
}

}  // namespace handpick
