#include "sdk/bundle/mapped_file.h"

#if defined(_WIN32)
#include "sdk/bundle/windows_files.h"
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>

#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"

namespace handpick {
namespace {

// Bytes [offset, offset + length) of an open file. Sizes come from lseek and pread: an app that
// calls fstat has to say why in some stores.
struct FileRange {
  int descriptor;
  const char* name;  // For messages.
  int64_t offset;
  int64_t length;
};

// Sets `length` up to the end of the file.
hp_status FindLength(FileRange* range, hp_error* error) {
  const off_t position = lseek(range->descriptor, 0, SEEK_CUR);
  const off_t end = position < 0 ? position : lseek(range->descriptor, 0, SEEK_END);
  if (end < 0) {
    return Fail(error, HP_FILE_ERROR, "bundle '%s' is no regular file: %s", range->name,
                std::strerror(errno));
  }
  lseek(range->descriptor, position, SEEK_SET);
  if (range->offset > end) {
    return Fail(error, HP_FILE_ERROR, "bundle '%s' has %lld bytes, and begins at byte %lld",
                range->name, static_cast<long long>(end), static_cast<long long>(range->offset));
  }
  range->length = end - range->offset;
  return HP_OK;
}

// That the range lies in a file: reads its last byte. Memory mapped behind the end would end the
// app.
hp_status CheckRange(const FileRange& range, hp_error* error) {
  if (range.length == 0) {
    return Fail(error, HP_NOT_A_BUNDLE, "bundle '%s' is empty, or is no regular file", range.name);
  }
  if (range.length > std::numeric_limits<off_t>::max() - range.offset) {
    return Fail(error, HP_FILE_ERROR, "bundle '%s' ends behind what this system can read",
                range.name);
  }
  char last;
  const off_t at = static_cast<off_t>(range.offset + range.length - 1);
  const ssize_t read = pread(range.descriptor, &last, 1, at);
  if (read < 0) {
    return Fail(error, HP_FILE_ERROR, "cannot read bundle '%s': %s", range.name,
                std::strerror(errno));
  }
  if (read == 0) {
    return Fail(error, HP_FILE_ERROR, "bundle '%s' ends before byte %lld", range.name,
                static_cast<long long>(at));
  }
  if (static_cast<uint64_t>(range.length) > kMaxBundleBytes) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle '%s' has %lld bytes, at most %llu are possible",
                range.name, static_cast<long long>(range.length),
                static_cast<unsigned long long>(kMaxBundleBytes));
  }
  return HP_OK;
}

hp_status NewCopy(size_t size, const CopyTo& copy, BundleBytes* bytes, hp_error* error) {
  if (size > copy.max_bytes) {
    return Fail(error, HP_OUT_OF_MEMORY,
                "the copy of a bundle of %zu bytes takes more memory than max_model_bytes allows",
                size);
  }
  bytes->copy = copy.allocator->allocate(copy.allocator->opaque, size, HP_ALIGNMENT);
  if (bytes->copy == nullptr) {
    return Fail(error, HP_OUT_OF_MEMORY, "no memory to copy a bundle of %zu bytes", size);
  }
  bytes->data = bytes->copy;
  bytes->size = size;
  return HP_OK;
}

hp_status CopyRange(const FileRange& range, const CopyTo& copy, BundleBytes* bytes,
                    hp_error* error) {
  const size_t size = static_cast<size_t>(range.length);
  BundleBytes copied;
  HP_TRY(NewCopy(size, copy, &copied, error));
  size_t done = 0;
  while (done < size) {
    const ssize_t read =
        pread(range.descriptor, static_cast<char*>(copied.copy) + done, size - done,
              static_cast<off_t>(range.offset + static_cast<int64_t>(done)));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) {
      const char* reason = read < 0 ? std::strerror(errno) : "it became shorter";
      ReleaseBytes(copied, *copy.allocator);
      return Fail(error, HP_FILE_ERROR, "cannot read byte %zu of %zu of bundle '%s': %s", done,
                  size, range.name, reason);
    }
    done += static_cast<size_t>(read);
  }
  *bytes = copied;
  return HP_OK;
}

hp_status MapRange(const FileRange& range, BundleBytes* bytes, hp_error* error) {
  const size_t before = static_cast<size_t>(range.offset % sysconf(_SC_PAGESIZE));
  const size_t size = static_cast<size_t>(range.length);
  void* mapping = mmap(nullptr, before + size, PROT_READ, MAP_PRIVATE, range.descriptor,
                       static_cast<off_t>(range.offset) - static_cast<off_t>(before));
  if (mapping == MAP_FAILED) {
    return Fail(error, HP_FILE_ERROR, "cannot map %zu bytes of bundle '%s': %s", size, range.name,
                std::strerror(errno));
  }
  bytes->mapping = mapping;
  bytes->mapping_size = before + size;
  bytes->data = static_cast<char*>(mapping) + before;
  bytes->size = size;
  return HP_OK;
}

hp_status ReadRange(FileRange range, const CopyTo& copy, BundleBytes* bytes, hp_error* error) {
  if (range.length < 0) HP_TRY(FindLength(&range, error));
  HP_TRY(CheckRange(range, error));
  // Pages begin at multiples of HP_ALIGNMENT.
  if (copy.always || range.offset % HP_ALIGNMENT != 0) return CopyRange(range, copy, bytes, error);
  return MapRange(range, bytes, error);
}

}  // namespace

hp_status ReadFile(const char* path, const CopyTo& copy, BundleBytes* bytes, hp_error* error) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) {
    return Fail(error, HP_FILE_ERROR, "cannot open bundle '%s': %s", path, std::strerror(errno));
  }
  const hp_status status = ReadRange(FileRange{descriptor, path, 0, -1}, copy, bytes, error);
  close(descriptor);  // The mapping keeps the file.
  return status;
}

hp_status ReadDescriptor(int descriptor, int64_t offset, int64_t length, const CopyTo& copy,
                         BundleBytes* bytes, hp_error* error) {
  if (offset < 0 || length < -1) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "offset is %lld and length %lld, expected at least 0, or a length of -1",
                static_cast<long long>(offset), static_cast<long long>(length));
  }
  char name[32];
  std::snprintf(name, sizeof(name), "descriptor %d", descriptor);
  return ReadRange(FileRange{descriptor, name, offset, length}, copy, bytes, error);
}

hp_status CopyBuffer(const void* data, size_t size, const CopyTo& copy, BundleBytes* bytes,
                     hp_error* error) {
  if (size == 0) return Fail(error, HP_NOT_A_BUNDLE, "bundle data has 0 bytes");
  HP_TRY(NewCopy(size, copy, bytes, error));
  std::memcpy(bytes->copy, data, size);
  return HP_OK;
}

void ReleaseBytes(const BundleBytes& bytes, const hp_allocator& allocator) {
  if (bytes.mapping != nullptr) munmap(bytes.mapping, bytes.mapping_size);
  if (bytes.copy != nullptr) allocator.release(allocator.opaque, bytes.copy, bytes.size);
}

}  // namespace handpick
