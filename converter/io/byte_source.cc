#include "converter/io/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/io/files.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

absl::Status TooShort(const std::string& origin, uint64_t offset, uint64_t wanted, uint64_t size) {
  return absl::InvalidArgumentError(
      absl::StrCat(origin, ": ", wanted, " bytes at ", offset, " are not there: it has ", size));
}

bool IsWithin(uint64_t offset, uint64_t count, uint64_t size) {
  return offset <= size && count <= size - offset;
}

class Memory : public ByteSource {
 public:
  Memory(absl::string_view bytes, std::string origin) : bytes_(bytes), origin_(std::move(origin)) {}

  uint64_t size() const override { return bytes_.size(); }
  absl::Status Read(uint64_t offset, char* out, size_t size) const override {
    if (!IsWithin(offset, size, bytes_.size())) {
      return TooShort(origin_, offset, size, bytes_.size());
    }
    if (size > 0) std::memcpy(out, bytes_.data() + offset, size);
    return absl::OkStatus();
  }

 private:
  const absl::string_view bytes_;
  const std::string origin_;
};

class OwnedMemory : public ByteSource {
 public:
  OwnedMemory(std::string bytes, const std::string& origin)
      : bytes_(std::move(bytes)), memory_(bytes_, origin) {}

  uint64_t size() const override { return memory_.size(); }
  absl::Status Read(uint64_t offset, char* out, size_t size) const override {
    return memory_.Read(offset, out, size);
  }

 private:
  const std::string bytes_;
  const Memory memory_;
};

class File : public ByteSource {
 public:
  File(int fd, uint64_t size, std::string path) : fd_(fd), size_(size), path_(std::move(path)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() override { close(fd_); }

  uint64_t size() const override { return size_; }

  absl::Status Read(uint64_t offset, char* out, size_t size) const override {
    if (!IsWithin(offset, size, size_)) return TooShort(path_, offset, size, size_);
    // The most that Linux reads at once is a little below 2 GiB.
    constexpr size_t kMost = size_t{1} << 30;
    while (size > 0) {
      const ssize_t count = pread(fd_, out, std::min(size, kMost), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        return absl::UnavailableError(absl::StrCat("cannot read ", path_, ": ", strerror(errno)));
      }
      if (count == 0) {
        return absl::UnavailableError(absl::StrCat("cannot read ", path_, ": it became shorter"));
      }
      out += count;
      offset += static_cast<uint64_t>(count);
      size -= static_cast<size_t>(count);
    }
    return absl::OkStatus();
  }

 private:
  const int fd_;
  const uint64_t size_;
  const std::string path_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> OpenBytes(const std::string& path) {
  struct stat info;
  // Opening a pipe only to look at it would empty it for whoever reads it after that.
  if (path == "-" || (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))) {
    HP_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
    return std::unique_ptr<ByteSource>(std::make_unique<OwnedMemory>(std::move(bytes), path));
  }
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &info) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return absl::UnavailableError(absl::StrCat("cannot open ", path, ": ", strerror(error)));
  }
  return std::unique_ptr<ByteSource>(
      std::make_unique<File>(fd, static_cast<uint64_t>(info.st_size), path));
}

std::unique_ptr<ByteSource> BytesOf(absl::string_view bytes, std::string origin) {
  return std::make_unique<Memory>(bytes, std::move(origin));
}

}  // namespace handpick::converter
