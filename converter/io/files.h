// Files in and out. Every error names the path and the system's reason.
#ifndef HANDPICK_CONVERTER_IO_FILES_H_
#define HANDPICK_CONVERTER_IO_FILES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace handpick::converter {

// The bytes of a file; "-" is the standard input.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes a file whole or not at all, as AtomicFile does.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view bytes);

// A copy of bytes, aligned to `kAlignment` as the runtime wants a bundle.
class AlignedBytes {
 public:
  static constexpr size_t kAlignment = 64;

  AlignedBytes() = default;
  explicit AlignedBytes(absl::string_view bytes);

  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  absl::string_view view() const {
    return absl::string_view(reinterpret_cast<const char*>(data_.get()), size_);
  }

 private:
  struct Free {
    void operator()(uint8_t* data) const;
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

// The bytes of a file, aligned to AlignedBytes::kAlignment: mapped, so that only what is looked at
// is read; or, of what cannot be mapped (the standard input "-", a pipe), read. Copies share them.
class MappedBytes {
 public:
  MappedBytes() = default;
  static absl::StatusOr<MappedBytes> Open(const std::string& path);
  static MappedBytes Copy(absl::string_view bytes);

  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  absl::string_view view() const {
    return absl::string_view(reinterpret_cast<const char*>(data_.get()), size_);
  }

 private:
  friend class AtomicFile;
  MappedBytes(std::shared_ptr<const uint8_t> data, size_t size)
      : data_(std::move(data)), size_(size) {}
  // Of an open file; `path` is for messages.
  static absl::StatusOr<MappedBytes> Map(int fd, size_t size, const std::string& path);

  std::shared_ptr<const uint8_t> data_;
  size_t size_ = 0;
};

// A file that is written whole or not at all, whenever the run ends, by whatever: until Commit,
// which waits for the disk, what `path` held before is there. It has no name until then or, where
// the system knows no files without, a temporary one beside `path` that is new and that nobody can
// foresee. Without Commit nothing is left of it; but a run that was killed in the midst of one may
// leave a temporary name (.handpick-*.tmp), which the next one that writes into that folder
// removes.
class AtomicFile {
 public:
  // Errors: a path that is no regular file; a folder that cannot be written.
  static absl::StatusOr<AtomicFile> Create(const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept { *this = std::move(other); }
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  ~AtomicFile();

  absl::Status Resize(uint64_t size);
  absl::Status WriteAt(uint64_t offset, absl::string_view bytes);
  // The file as it is; what is written later may show.
  absl::StatusOr<MappedBytes> Map() const;
  absl::Status Commit();
  // All of them, or none. They are of different paths. (A run that is killed in the midst may have
  // committed the first ones.)
  static absl::Status CommitAll(absl::Span<AtomicFile* const> files);

 private:
  AtomicFile() = default;
  absl::Status Prepare();  // All that takes room on the disk: the bytes, and a name.
  absl::Status Rename();
  absl::Status Failure() const;  // Of the last system call.

  std::string path_;
  std::string temporary_;
  bool has_name_ = false;
  int fd_ = -1;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_FILES_H_
