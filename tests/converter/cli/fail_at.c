/* Preloaded into the command: at the FAIL_AT-th of its calls that change a file, the call fails
 * with FAIL_WITH, an error's number, or (0) the program is killed before it. The number of calls is
 * left in FAIL_COUNT, a file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int calls;

/* Whether this call fails. */
static int Fails(void) {
  const char* at = getenv("FAIL_AT");
  const char* with = getenv("FAIL_WITH");
  if (at == NULL || ++calls != atoi(at)) return 0;
  if (with == NULL || atoi(with) == 0) kill(getpid(), SIGKILL);
  errno = atoi(with);
  return 1;
}

__attribute__((destructor)) static void Leave(void) {
  const char* path = getenv("FAIL_COUNT");
  FILE* file = path == NULL ? NULL : fopen(path, "w");
  if (file == NULL) return;
  fprintf(file, "%d", calls);
  fclose(file);
}

/* The C library's. */
static void* Real(const char* name) {
  void* function = dlsym(RTLD_NEXT, name);
  if (function == NULL) abort();
  return function;
}

#define CALL(type, name, ...)         \
  type (*call)() = (type(*)())0;      \
  void* real = Real(name);            \
  memcpy(&call, &real, sizeof(call)); \
  return Fails() ? (type)-1 : call(__VA_ARGS__)

static int Open(const char* name, const char* path, int flags, unsigned mode) {
  int (*call)(const char*, int, ...);
  void* real = Real(name);
  memcpy(&call, &real, sizeof(call));
  const int changes = (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0;
  return changes && Fails() ? -1 : call(path, flags, mode);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const unsigned mode = va_arg(more, unsigned);
  va_end(more);
  return Open("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const unsigned mode = va_arg(more, unsigned);
  va_end(more);
  return Open("open64", path, flags, mode);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  CALL(ssize_t, "pwrite", fd, data, size, offset);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  CALL(ssize_t, "pwrite64", fd, data, size, offset);
}
int ftruncate(int fd, off_t size) { CALL(int, "ftruncate", fd, size); }
int ftruncate64(int fd, off64_t size) { CALL(int, "ftruncate64", fd, size); }
int fsync(int fd) { CALL(int, "fsync", fd); }
int rename(const char* from, const char* to) { CALL(int, "rename", from, to); }
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  CALL(int, "linkat", from_folder, from, to_folder, to, flags);
}
int unlink(const char* path) { CALL(int, "unlink", path); }
