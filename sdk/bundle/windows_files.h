// What mapped_file.cc needs of POSIX, on Windows: the same names, arguments and results, no more
// than is used. Descriptors are those of the C library that this code is linked with.
#ifndef HANDPICK_SDK_BUNDLE_WINDOWS_FILES_H_
#define HANDPICK_SDK_BUNDLE_WINDOWS_FILES_H_

#include <fcntl.h>
#include <io.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "sdk/base/windows_api.h"

namespace handpick {

constexpr int kWindowsPath = 32768;  // Characters of the longest path, with its end.

// Nothing that is opened here is inherited, or waited for.
#define O_CLOEXEC 0
#define O_NONBLOCK 0
#define O_NOCTTY 0

#define PROT_READ 1
#define MAP_PRIVATE 2
#define MAP_FAILED (reinterpret_cast<void*>(-1))
#define _SC_PAGESIZE 0

inline int ErrnoOf(DWORD code) {
  switch (code) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_NETPATH:
      return ENOENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
      return EACCES;
    case ERROR_TOO_MANY_OPEN_FILES:
      return EMFILE;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT:
      return ENOMEM;
    case ERROR_INVALID_HANDLE:
      return EBADF;
    case ERROR_NO_UNICODE_TRANSLATION:
      return EILSEQ;
    default:
      return EIO;
  }
}

inline int FailedCall() {
  errno = ErrnoOf(GetLastError());
  return -1;
}

inline HANDLE HandleOf(int descriptor) {
  return reinterpret_cast<HANDLE>(_get_osfhandle(descriptor));
}

// `path` is UTF-8. Others may read, write, rename and delete the file meanwhile, as on other
// systems.
inline int open(const char* path, int) {
  static_assert(sizeof(wchar_t) == 2, "UTF-16");
  wchar_t* wide = static_cast<wchar_t*>(std::malloc(kWindowsPath * sizeof(wchar_t)));
  if (wide == nullptr) {
    errno = ENOMEM;
    return -1;
  }
  int descriptor = -1;
  if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, kWindowsPath) == 0) {
    FailedCall();
  } else {
    const HANDLE file =
        CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
      FailedCall();
    } else {
      descriptor = _open_osfhandle(reinterpret_cast<intptr_t>(file), _O_RDONLY | _O_BINARY);
      if (descriptor < 0) CloseHandle(file);
    }
  }
  std::free(wide);
  return descriptor;
}

// Leaves the descriptor's position where it was.
inline int64_t pread(int descriptor, void* data, size_t size, int64_t offset) {
  LARGE_INTEGER before;
  const LARGE_INTEGER none = {};
  const HANDLE file = HandleOf(descriptor);
  if (!SetFilePointerEx(file, none, &before, FILE_CURRENT)) return FailedCall();
  OVERLAPPED at = {};
  at.Offset = static_cast<DWORD>(offset);
  at.OffsetHigh = static_cast<DWORD>(static_cast<uint64_t>(offset) >> 32);
  constexpr size_t kMost = size_t{1} << 30;
  DWORD read = 0;
  const BOOL done =
      ::ReadFile(file, data, static_cast<DWORD>(size < kMost ? size : kMost), &read, &at);
  const DWORD reason = done ? ERROR_SUCCESS : GetLastError();
  SetFilePointerEx(file, before, nullptr, FILE_BEGIN);
  if (reason == ERROR_HANDLE_EOF) return 0;
  if (reason != ERROR_SUCCESS) {
    errno = ErrnoOf(reason);
    return -1;
  }
  return read;
}

// What a mapping's offset is a multiple of.
inline long sysconf(int) {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return static_cast<long>(info.dwAllocationGranularity);
}

inline void* mmap(void*, size_t size, int, int, int descriptor, int64_t offset) {
  const HANDLE section =
      CreateFileMappingW(HandleOf(descriptor), nullptr, PAGE_READONLY, 0, 0, nullptr);
  if (section == nullptr) {
    FailedCall();
    return MAP_FAILED;
  }
  void* view =
      MapViewOfFile(section, FILE_MAP_READ, static_cast<DWORD>(static_cast<uint64_t>(offset) >> 32),
                    static_cast<DWORD>(offset), size);
  if (view == nullptr) FailedCall();
  CloseHandle(section);  // The view keeps it.
  return view != nullptr ? view : MAP_FAILED;
}

inline int munmap(void* view, size_t) { return UnmapViewOfFile(view) ? 0 : FailedCall(); }

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_WINDOWS_FILES_H_
