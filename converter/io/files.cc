#include "converter/io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>

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
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// A file without a name in the folder of `path`, or -1 where there is no such thing.
int OpenNameless(const std::string& path) {
#ifdef O_TMPFILE
  const int fd = open(FolderOf(path).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
  if (fd < 0 || access(LinkOf(fd).c_str(), F_OK) == 0) return fd;
  close(fd);
#else
  (void)path;
#endif
  return -1;
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
  file.temporary_ = absl::StrCat(path, ".tmp.", getpid());
  file.fd_ = OpenNameless(path);
  if (file.fd_ < 0) {
    file.fd_ = open(file.temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    file.has_name_ = file.fd_ >= 0;
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
  if (fd_ >= 0) close(fd_);
  if (has_name_) unlink(temporary_.c_str());
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

absl::Status AtomicFile::Commit() {
  if (fsync(fd_) != 0) return Failure();
  if (!has_name_) {
    // Of a run that was killed, and had the same number.
    unlink(temporary_.c_str());
    if (linkat(AT_FDCWD, LinkOf(fd_).c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) !=
        0) {
      return Failure();
    }
    has_name_ = true;
  }
  const int fd = fd_;
  fd_ = -1;
  if (close(fd) != 0 || rename(temporary_.c_str(), path_.c_str()) != 0) return Failure();
  has_name_ = false;
  // The rename itself is durable once the folder is; a file system that cannot do that is no
  // failure.
  Descriptor directory(open(FolderOf(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) (void)fsync(directory.get());
  return absl::OkStatus();
}

AlignedBytes::AlignedBytes(absl::string_view bytes) : size_(bytes.size()) {
  const size_t rounded = (bytes.size() / kAlignment + 1) * kAlignment;
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, rounded)));
  if (data_ == nullptr) throw std::bad_alloc();
  std::memcpy(data_.get(), bytes.data(), bytes.size());
}

void AlignedBytes::Free::operator()(uint8_t* data) const { std::free(data); }

}  // namespace handpick::converter
