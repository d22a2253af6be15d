// Files that are written whole or not at all, by system calls that every platform has. Errors are
// HP_FILE_ERROR with the path and the system's reason.
#ifndef HANDPICK_SDK_UPDATE_FILES_H_
#define HANDPICK_SDK_UPDATE_FILES_H_

#include <cstddef>
#include <cstdint>

#include "handpick/handpick.h"

namespace handpick {

// A path that is put together. One that does not fit is an error of the call that made it.
class PathText {
 public:
  static constexpr size_t kSize = 1024;

  // False: too long.
  bool Set(const char* first, const char* second = "", const char* third = "");
  const char* text() const { return text_; }

 private:
  char text_[kSize] = {};
};

// An open file, closed at the end.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { Close(); }

  // A regular file; does not wait for pipes. `path` must outlive this.
  hp_status OpenToRead(const char* path, hp_error* error);
  // The same, for Sync() alone.
  hp_status OpenToSync(const char* path, hp_error* error);
  // A new file; one of that name (no link is followed) is removed first.
  hp_status CreateNew(const char* path, hp_error* error);

  hp_status Size(uint64_t* size, hp_error* error) const;
  // Exactly `size` bytes.
  hp_status ReadAt(uint64_t offset, void* data, size_t size, hp_error* error) const;
  // Behind what was written before.
  hp_status Write(const void* data, size_t size, hp_error* error);
  // Waits until all is on the disk.
  hp_status Sync(hp_error* error);
  void Close();

  const char* path() const { return path_; }

 private:
  hp_status Open(const char* path, int flags, hp_error* error);
  hp_status Failed(const char* what, hp_error* error) const;

  int descriptor_ = -1;
  const char* path_ = "";
};

// Waits until what anybody wrote into a file is on the disk.
hp_status SyncFile(const char* path, hp_error* error);

// Gives a file another name, over what has that name, and waits until the folder is on the disk.
hp_status RenameFile(const char* from, const char* to, hp_error* error);

// Whether there is a file of that name, or anything else.
bool Exists(const char* path);

// Removes a file, if it is there.
void RemoveFile(const char* path);

}  // namespace handpick

#endif  // HANDPICK_SDK_UPDATE_FILES_H_
