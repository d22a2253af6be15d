#include "converter/io/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace handpick::converter {
namespace {

absl::Status SystemError(absl::string_view what, const std::string& path, int error) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, " ", path, ": ", strerror(error)));
}

// A file descriptor that is closed when it goes out of scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// The name by which a file without one can be given one.
std::string LinkOf(int fd) { return absl::StrCat("/proc/self/fd/", fd); }

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Names of files that get another one when they are whole. Nobody can foresee them.
constexpr char kTemporaryBegin[] = ".handpick-";
constexpr char kTemporaryEnd[] = ".tmp";

std::string TemporaryBeside(const std::string& path) {
  std::random_device random;
  std::string name = absl::StrCat(FolderOf(path), "/", kTemporaryBegin);
  for (int i = 0; i < 4; ++i) absl::StrAppend(&name, absl::Hex(random(), absl::kZeroPad8));
  return name + kTemporaryEnd;
}

// Of a run that was killed: whoever works with such a file has a lock on it.
void RemoveStale(const std::string& folder) {
  DIR* entries = opendir(folder.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries)) {
    if (!absl::StartsWith(entry->d_name, kTemporaryBegin) ||
        !absl::EndsWith(entry->d_name, kTemporaryEnd)) {
      continue;
    }
    struct stat info;
    Descriptor file(
        openat(dirfd(entries), entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0 || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
        info.st_uid != geteuid() || flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      continue;
    }
    (void)unlinkat(dirfd(entries), entry->d_name, 0);
  }
  closedir(entries);
}

// A file without a name in the folder of `path`, or -1 where there is no such thing.
int OpenNameless(const std::string& path) {
#ifdef O_TMPFILE
  const int fd = open(FolderOf(path).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
  if (fd < 0) return -1;
  (void)flock(fd, LOCK_EX | LOCK_NB);
  if (access(LinkOf(fd).c_str(), F_OK) == 0) return fd;
  close(fd);
#else
  (void)path;
#endif
  return -1;
}

// How often a name is tried: another run may take a file for stale before it is locked.
constexpr int kTries = 8;

// A new file of that name, locked, or -1.
int OpenNew(const std::string& name) {
  const int fd = open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return -1;
  (void)flock(fd, LOCK_EX | LOCK_NB);
  struct stat info;
  if (fstat(fd, &info) == 0 && info.st_nlink == 1) return fd;
  close(fd);
  errno = EEXIST;
  return -1;
}

void SyncFolder(const std::string& path) {
  // A file system that cannot do that is no failure.
  Descriptor folder(open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) (void)fsync(folder.get());
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  Descriptor file(path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("open", path, errno);
  struct stat info;
  if (fstat(file.get(), &info) != 0) return SystemError("read", path, errno);
  std::string bytes;
  if (S_ISREG(info.st_mode)) bytes.reserve(static_cast<size_t>(info.st_size));
  char block[1 << 16];
  while (true) {
    const ssize_t count = read(file.get(), block, sizeof(block));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read", path, errno);
    if (count == 0) return bytes;
    bytes.append(block, static_cast<size_t>(count));
  }
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view bytes) {
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  if (absl::Status status = file->WriteAt(0, bytes); !status.ok()) return status;
  return file->Commit();
}

absl::StatusOr<MappedBytes> MappedBytes::Map(int fd, size_t size, const std::string& path) {
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return SystemError("map", path, errno);
  return MappedBytes(std::shared_ptr<const uint8_t>(
                         static_cast<const uint8_t*>(data),
                         [size](const uint8_t* at) { munmap(const_cast<uint8_t*>(at), size); }),
                     size);
}

absl::StatusOr<MappedBytes> MappedBytes::Open(const std::string& path) {
  struct stat info;
  // A pipe is opened once: whoever writes to it would notice.
  if (path != "-" && stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
    Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return SystemError("open", path, errno);
    if (fstat(file.get(), &info) != 0) return SystemError("read", path, errno);
    // The mapping keeps the file. There is none of nothing.
    if (info.st_size > 0) return Map(file.get(), static_cast<size_t>(info.st_size), path);
  }
  const absl::StatusOr<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  return Copy(*bytes);
}

MappedBytes MappedBytes::Copy(absl::string_view bytes) {
  const auto aligned = std::make_shared<const AlignedBytes>(bytes);
  return MappedBytes(std::shared_ptr<const uint8_t>(aligned, aligned->data()), aligned->size());
}

absl::StatusOr<AtomicFile> AtomicFile::Create(const std::string& path) {
  struct stat info;
  // Renaming over a device would replace the device.
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot write ", path, ": it exists and is no regular file"));
  }
  AtomicFile file;
  file.path_ = path;
  RemoveStale(FolderOf(path));
  file.fd_ = OpenNameless(path);
  for (int i = 0; i < kTries && file.fd_ < 0; ++i) {
    file.temporary_ = TemporaryBeside(path);
    file.fd_ = OpenNew(file.temporary_);
    file.has_name_ = file.fd_ >= 0;
    if (file.fd_ < 0 && errno != EEXIST) break;
  }
  if (file.fd_ < 0) return file.Failure();
  return file;
}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  std::swap(has_name_, other.has_name_);
  std::swap(fd_, other.fd_);
  return *this;
}

AtomicFile::~AtomicFile() {
  if (has_name_) unlink(temporary_.c_str());
  if (fd_ >= 0) close(fd_);
}

absl::Status AtomicFile::Failure() const { return SystemError("write", path_, errno); }

absl::Status AtomicFile::Resize(uint64_t size) {
  return ftruncate(fd_, static_cast<off_t>(size)) == 0 ? absl::OkStatus() : Failure();
}

absl::Status AtomicFile::WriteAt(uint64_t offset, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure();
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return absl::OkStatus();
}

absl::StatusOr<MappedBytes> AtomicFile::Map() const {
  struct stat info;
  if (fstat(fd_, &info) != 0) return SystemError("read", path_, errno);
  return MappedBytes::Map(fd_, static_cast<size_t>(info.st_size), path_);
}

absl::Status AtomicFile::Prepare() {
  if (fsync(fd_) != 0) return Failure();
  for (int i = 0; i < kTries && !has_name_; ++i) {
    temporary_ = TemporaryBeside(path_);
    has_name_ =
        linkat(AT_FDCWD, LinkOf(fd_).c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) == 0;
    if (!has_name_ && errno != EEXIST) break;
  }
  return has_name_ ? absl::OkStatus() : Failure();
}

absl::Status AtomicFile::Rename() {
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return Failure();
  has_name_ = false;
  SyncFolder(path_);
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit() {
  AtomicFile* const alone[] = {this};
  return CommitAll(alone);
}

absl::Status AtomicFile::CommitAll(absl::Span<AtomicFile* const> files) {
  for (AtomicFile* file : files) {
    if (absl::Status status = file->Prepare(); !status.ok()) return status;
  }
  std::vector<bool> existed;
  for (const AtomicFile* file : files) existed.push_back(access(file->path_.c_str(), F_OK) == 0);
  // What the files replace, by a second name, so that it can be put back. The last one needs none.
  std::vector<std::string> replaced(files.size());
  absl::Status status;
  size_t renamed = 0;
  for (; renamed < files.size(); ++renamed) {
    AtomicFile* file = files[renamed];
    if (renamed + 1 < files.size()) {
      const std::string name = TemporaryBeside(file->path_);
      if (linkat(AT_FDCWD, file->path_.c_str(), AT_FDCWD, name.c_str(), 0) == 0) {
        replaced[renamed] = name;
      } else if (errno == ENOSPC || errno == EIO || errno == EDQUOT) {
        status = file->Failure();
      }
      // Otherwise there is nothing, or the file system knows no second names.
    }
    if (status.ok()) status = file->Rename();
    if (!status.ok()) break;
  }
  for (size_t i = 0; i < files.size(); ++i) {
    const char* path = files[i]->path_.c_str();
    if (replaced[i].empty()) {
      if (!status.ok() && i < renamed && !existed[i]) (void)unlink(path);
    } else if (!status.ok() && i < renamed) {
      (void)rename(replaced[i].c_str(), path);
    } else {
      (void)unlink(replaced[i].c_str());
    }
  }
  return status;
}

AlignedBytes::AlignedBytes(absl::string_view bytes) : size_(bytes.size()) {
  const size_t rounded = (bytes.size() / kAlignment + 1) * kAlignment;
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, rounded)));
  if (data_ == nullptr) throw std::bad_alloc();
  std::memcpy(data_.get(), bytes.data(), bytes.size());
}

void AlignedBytes::Free::operator()(uint8_t* data) const { std::free(data); }

}  // namespace handpick::converter
