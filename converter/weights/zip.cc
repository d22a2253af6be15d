#include "converter/weights/zip.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/io/byte_order.h"
#include "converter/io/status_macros.h"
#include "unzip.h"

namespace handpick::converter {
namespace {

// Deflate makes at most 1032 bytes of one: a member that claims more is a lie, and not allocated.
constexpr uint64_t kMaxInflation = 1032;
constexpr size_t kMaxNameBytes = 4096;

// Whether the bytes end with the whole of a directory's last record, which minizip does not insist
// on.
absl::StatusOr<bool> EndsAsArchive(const ByteSource& source) {
  constexpr size_t kRecordBytes = 22, kCommentSizeAt = 20, kMaxCommentBytes = 65535;
  const size_t size =
      static_cast<size_t>(std::min<uint64_t>(source.size(), kRecordBytes + kMaxCommentBytes));
  std::string end(size, '\0');
  HP_RETURN_IF_ERROR(source.Read(source.size() - size, &end[0], size));
  const size_t at = end.rfind("PK\x05\x06");
  if (at == std::string::npos || end.size() - at < kRecordBytes) return false;
  const uint64_t comment_bytes = UnsignedOf(absl::string_view(end).substr(at + kCommentSizeAt, 2));
  return end.size() - at == kRecordBytes + comment_bytes;
}

}  // namespace

// The archive as minizip's file. Directories are read a few bytes at a time, so some are kept.
struct ZipArchive::Stream {
  static constexpr size_t kKeptBytes = size_t{1} << 14;

  const ByteSource& source;
  uint64_t position = 0;
  std::string kept;
  uint64_t kept_at = 0;
  absl::Status status;  // The first that failed.

  explicit Stream(const ByteSource& bytes) : source(bytes) {}

  bool Copy(char* out, size_t size) {
    if (size < kKeptBytes) {
      const bool is_kept = position >= kept_at && position - kept_at <= kept.size() &&
                           size <= kept.size() - (position - kept_at);
      if (!is_kept) {
        kept.resize(static_cast<size_t>(std::min<uint64_t>(kKeptBytes, source.size() - position)));
        kept_at = position;
        if (!Check(source.Read(position, &kept[0], kept.size()))) return false;
      }
      std::memcpy(out, kept.data() + (position - kept_at), size);
      return true;
    }
    return Check(source.Read(position, out, size));
  }

  bool Check(const absl::Status& read) {
    if (read.ok()) return true;
    if (status.ok()) status = read;
    kept.clear();
    return false;
  }

  static voidpf Open(voidpf opaque, const void*, int) { return opaque; }

  static uLong Read(voidpf, voidpf stream, void* buffer, uLong size) {
    auto* const file = static_cast<Stream*>(stream);
    const auto count =
        static_cast<size_t>(std::min<uint64_t>(size, file->source.size() - file->position));
    if (count == 0 || !file->Copy(static_cast<char*>(buffer), count)) return 0;
    file->position += count;
    return static_cast<uLong>(count);
  }

  static ZPOS64_T Tell(voidpf, voidpf stream) { return static_cast<Stream*>(stream)->position; }

  static long Seek(voidpf, voidpf stream, ZPOS64_T offset, int origin) {
    auto* const file = static_cast<Stream*>(stream);
    const uint64_t size = file->source.size();
    const uint64_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? file->position
                          : origin == ZLIB_FILEFUNC_SEEK_END ? size
                                                             : 0;
    if (offset > size - base) return -1;
    file->position = base + offset;
    return 0;
  }

  static int Close(voidpf, voidpf) { return 0; }
  static int Error(voidpf, voidpf) { return 0; }
};

ZipArchive::ZipArchive(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)), stream_(std::make_unique<Stream>(*source_)) {}

ZipArchive::~ZipArchive() {
  if (archive_ != nullptr) unzClose(archive_);
}

absl::StatusOr<std::unique_ptr<ZipArchive>> ZipArchive::Open(std::unique_ptr<ByteSource> source,
                                                             const std::string& origin) {
  HP_ASSIGN_OR_RETURN(const bool is_whole, EndsAsArchive(*source));
  if (!is_whole) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": is no zip archive, or is truncated"));
  }
  std::unique_ptr<ZipArchive> zip(new ZipArchive(std::move(source)));
  HP_RETURN_IF_ERROR(zip->ReadDirectory(origin));
  return zip;
}

absl::Status ZipArchive::ReadDirectory(const std::string& origin) {
  zlib_filefunc64_def functions = {};
  functions.zopen64_file = Stream::Open;
  functions.zread_file = Stream::Read;
  functions.ztell64_file = Stream::Tell;
  functions.zseek64_file = Stream::Seek;
  functions.zclose_file = Stream::Close;
  functions.zerror_file = Stream::Error;
  functions.opaque = stream_.get();
  archive_ = unzOpen2_64(origin.c_str(), &functions);
  unz_global_info64 global;
  if (archive_ == nullptr || unzGetGlobalInfo64(archive_, &global) != UNZ_OK) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": its directory is damaged"));
  }
  uint64_t stored_bytes = 0;
  for (uint64_t i = 0; i < global.number_entry; ++i) {
    const int moved = i == 0 ? unzGoToFirstFile(archive_) : unzGoToNextFile(archive_);
    unz_file_info64 info;
    unz64_file_pos position;
    std::string name(kMaxNameBytes, '\0');
    if (moved != UNZ_OK ||
        unzGetCurrentFileInfo64(archive_, &info, &name[0], kMaxNameBytes, nullptr, 0, nullptr, 0) !=
            UNZ_OK ||
        unzGetFilePos64(archive_, &position) != UNZ_OK || info.size_filename == 0 ||
        info.size_filename >= kMaxNameBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin, ": its directory is damaged at member ", i));
    }
    // Members that share bytes make much of little: gigabytes of a megabyte.
    stored_bytes += std::min<uint64_t>(info.compressed_size, source_->size() + 1);
    if (stored_bytes > source_->size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin, ": its members have more than the ", source_->size(),
                       " bytes of the archive: they overlap, or it is truncated"));
    }
    name.resize(info.size_filename);
    constexpr uint32_t kEncrypted = 1;
    members_.push_back({std::move(name), info.compressed_size, info.uncompressed_size,
                        info.compression_method, (info.flag & kEncrypted) != 0,
                        position.pos_in_zip_directory, position.num_of_file});
  }
  return absl::OkStatus();
}

absl::Status ZipArchive::Check(const ZipMember& member, const std::string& what) const {
  const auto fault = [&](const std::string& message) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", message));
  };
  if (member.stored_bytes > source_->size()) {
    return fault(
        absl::StrCat("claims ", member.stored_bytes, " bytes in an archive of ", source_->size()));
  }
  if (member.is_encrypted) return fault("is encrypted");
  if (member.method != 0 && member.method != Z_DEFLATED) {
    return fault(absl::StrCat("compression method ", member.method,
                              "; stored and deflated members are taken"));
  }
  const uint64_t largest =
      member.method == 0 ? member.stored_bytes : member.stored_bytes * kMaxInflation;
  if (member.bytes > largest) {
    return fault(absl::StrCat(member.stored_bytes, " bytes cannot hold the ", member.bytes,
                              " that it claims"));
  }
  return absl::OkStatus();
}

absl::Status ZipArchive::Damaged(const std::string& what) const {
  HP_RETURN_IF_ERROR(stream_->status);
  return absl::InvalidArgumentError(absl::StrCat(what, ": is truncated or damaged"));
}

absl::Status ZipArchive::GoTo(const ZipMember& member, const std::string& what) {
  const unz64_file_pos position = {member.directory_position, member.number};
  return unzGoToFilePos64(archive_, &position) == UNZ_OK ? absl::OkStatus() : Damaged(what);
}

absl::Status ZipArchive::Begin(const ZipMember& member, const std::string& what) {
  HP_RETURN_IF_ERROR(GoTo(member, what));
  return unzOpenCurrentFile(archive_) == UNZ_OK ? absl::OkStatus() : Damaged(what);
}

absl::Status ZipArchive::Next(char* out, size_t size, const std::string& what) {
  while (size > 0) {
    const size_t block = std::min<size_t>(size, 1 << 30);
    const int count = unzReadCurrentFile(archive_, out, static_cast<unsigned>(block));
    if (count <= 0) return Damaged(what);
    out += count;
    size -= static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status ZipArchive::End(const std::string& what) {
  return unzCloseCurrentFile(archive_) == UNZ_OK ? absl::OkStatus() : Damaged(what);
}

absl::StatusOr<uint64_t> ZipArchive::OffsetOf(const ZipMember& member, const std::string& what) {
  HP_RETURN_IF_ERROR(GoTo(member, what));
  int method = 0, level = 0;
  if (unzOpenCurrentFile2(archive_, &method, &level, /*raw=*/1) != UNZ_OK) return Damaged(what);
  const uint64_t offset = unzGetCurrentFileZStreamPos64(archive_);
  (void)unzCloseCurrentFile(archive_);
  if (offset == 0 || offset > source_->size() || member.stored_bytes > source_->size() - offset) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": its ", member.stored_bytes, " bytes at ", offset,
                     " are not in the archive, which has ", source_->size()));
  }
  return offset;
}

}  // namespace handpick::converter
