// Zip archives, read with minizip where their bytes are.
#ifndef HANDPICK_CONVERTER_WEIGHTS_ZIP_H_
#define HANDPICK_CONVERTER_WEIGHTS_ZIP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/io/byte_source.h"

namespace handpick::converter {

struct ZipMember {
  std::string name;
  uint64_t stored_bytes = 0;  // In the archive.
  uint64_t bytes = 0;         // Unpacked.
  uint64_t method = 0;        // 0: stored; 8: deflated.
  bool is_encrypted = false;
  // Where the directory has it.
  uint64_t directory_position = 0;
  uint64_t number = 0;
};

// One thread at a time.
class ZipArchive {
 public:
  // Reads the directory alone.
  static absl::StatusOr<std::unique_ptr<ZipArchive>> Open(std::unique_ptr<ByteSource> source,
                                                          const std::string& origin);
  ~ZipArchive();

  const std::vector<ZipMember>& members() const { return members_; }
  const ByteSource& source() const { return *source_; }

  // What cannot be unpacked: encrypted, of an unknown method, or of a size that the stored bytes
  // cannot have. `what` names the member in messages.
  absl::Status Check(const ZipMember& member, const std::string& what) const;

  // Reads the member, which passed Check, from its beginning on: Begin, any number of Next, and
  // End, which verifies the checksum if everything was read.
  absl::Status Begin(const ZipMember& member, const std::string& what);
  absl::Status Next(char* out, size_t size, const std::string& what);
  absl::Status End(const std::string& what);

  // Where the bytes of a stored member begin in the source, which has all of them.
  absl::StatusOr<uint64_t> OffsetOf(const ZipMember& member, const std::string& what);

 private:
  struct Stream;

  explicit ZipArchive(std::unique_ptr<ByteSource> source);
  absl::Status ReadDirectory(const std::string& origin);
  absl::Status GoTo(const ZipMember& member, const std::string& what);
  absl::Status Damaged(const std::string& what) const;

  const std::unique_ptr<ByteSource> source_;
  const std::unique_ptr<Stream> stream_;
  void* archive_ = nullptr;  // minizip's.
  std::vector<ZipMember> members_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_ZIP_H_
