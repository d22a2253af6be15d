#include "sdk/update/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#if defined(_WIN32)
#include <io.h>

#include "sdk/base/windows_api.h"
#else
#include <unistd.h>
#endif

#include "sdk/base/error.h"

namespace handpick {
namespace {

#if defined(_WIN32)
constexpr int kReadFlags = _O_RDONLY | _O_BINARY | _O_NOINHERIT;
constexpr int kSyncFlags = _O_RDWR | _O_BINARY | _O_NOINHERIT;  // Asked for by _commit.
constexpr int kCreateFlags = _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT;
constexpr int kMode = _S_IREAD | _S_IWRITE;
int SyncDescriptor(int descriptor) { return _commit(descriptor); }
int64_t Seek(int descriptor, int64_t offset, int from) {
  return _lseeki64(descriptor, offset, from);
}
#else
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int kSyncFlags = kReadFlags;
constexpr int kCreateFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
constexpr int kMode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
int SyncDescriptor(int descriptor) { return fsync(descriptor); }
int64_t Seek(int descriptor, int64_t offset, int from) { return lseek(descriptor, offset, from); }
#endif

constexpr size_t kMostAtOnce = size_t{1} << 20;

#if !defined(_WIN32)
// Waits until the names in a file's folder are on the disk. A file system that can't do that has
// nothing better to offer.
void SyncFolderOf(const char* path) {
  PathText folder;
  if (!folder.Set(path)) return;
  char text[PathText::kSize];
  std::memcpy(text, folder.text(), sizeof(text));
  char* slash = nullptr;
  for (char* at = text; *at != '\0'; ++at) {
    if (*at == '/') slash = at;
  }
  if (slash == nullptr) {
    std::strcpy(text, ".");
  } else {
    slash[slash == text ? 1 : 0] = '\0';
  }
  const int descriptor = open(text, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}
#endif

}  // namespace

bool PathText::Set(const char* first, const char* second, const char* third) {
  const int size = std::snprintf(text_, sizeof(text_), "%s%s%s", first, second, third);
  return size >= 0 && static_cast<size_t>(size) < sizeof(text_);
}

hp_status OpenFile::Failed(const char* what, hp_error* error) const {
  return Fail(error, HP_FILE_ERROR, "cannot %s '%s': %s", what, path_, std::strerror(errno));
}

hp_status OpenFile::Open(const char* path, int flags, hp_error* error) {
  Close();
  path_ = path;
  descriptor_ = open(path, flags);
  return descriptor_ < 0 ? Failed("open", error) : HP_OK;
}

hp_status OpenFile::OpenToRead(const char* path, hp_error* error) {
  HP_TRY(Open(path, kReadFlags, error));
  uint64_t size;
  return Size(&size, error);
}

hp_status OpenFile::OpenToSync(const char* path, hp_error* error) {
  return Open(path, kSyncFlags, error);
}

hp_status OpenFile::CreateNew(const char* path, hp_error* error) {
  Close();
  path_ = path;
  RemoveFile(path);
  descriptor_ = open(path, kCreateFlags, kMode);
  return descriptor_ < 0 ? Failed("create", error) : HP_OK;
}

hp_status OpenFile::Size(uint64_t* size, hp_error* error) const {
  const int64_t end = Seek(descriptor_, 0, SEEK_END);
  if (end < 0) return Failed("find the size of", error);
  *size = static_cast<uint64_t>(end);
  return HP_OK;
}

hp_status OpenFile::ReadAt(uint64_t offset, void* data, size_t size, hp_error* error) const {
  if (Seek(descriptor_, static_cast<int64_t>(offset), SEEK_SET) < 0) return Failed("read", error);
  auto* to = static_cast<char*>(data);
  while (size > 0) {
    const auto done =
        read(descriptor_, to, static_cast<unsigned>(size < kMostAtOnce ? size : kMostAtOnce));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return Failed("read", error);
    if (done == 0) {
      return Fail(error, HP_FILE_ERROR, "cannot read '%s': it became shorter", path_);
    }
    to += done;
    size -= static_cast<size_t>(done);
  }
  return HP_OK;
}

hp_status OpenFile::Write(const void* data, size_t size, hp_error* error) {
  const auto* from = static_cast<const char*>(data);
  while (size > 0) {
    const auto done =
        write(descriptor_, from, static_cast<unsigned>(size < kMostAtOnce ? size : kMostAtOnce));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return Failed("write", error);
    from += done;
    size -= static_cast<size_t>(done);
  }
  return HP_OK;
}

hp_status OpenFile::Sync(hp_error* error) {
  return SyncDescriptor(descriptor_) != 0 ? Failed("write", error) : HP_OK;
}

void OpenFile::Close() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

hp_status SyncFile(const char* path, hp_error* error) {
  OpenFile file;
  HP_TRY(file.OpenToSync(path, error));
  return file.Sync(error);
}

hp_status RenameFile(const char* from, const char* to, hp_error* error) {
#if defined(_WIN32)
  if (!MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
    return Fail(error, HP_FILE_ERROR, "cannot rename '%s' to '%s': error %lu of the system", from,
                to, static_cast<unsigned long>(GetLastError()));
  }
#else
  if (std::rename(from, to) != 0) {
    return Fail(error, HP_FILE_ERROR, "cannot rename '%s' to '%s': %s", from, to,
                std::strerror(errno));
  }
  SyncFolderOf(to);
#endif
  return HP_OK;
}

bool Exists(const char* path) {
  const int descriptor = open(path, kReadFlags);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0;
}

void RemoveFile(const char* path) { std::remove(path); }

}  // namespace handpick
