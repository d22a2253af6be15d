// .npz: a zip archive of .npy members, read with minizip from memory.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/io/status_macros.h"
#include "converter/weights/npy.h"
#include "converter/weights/weights.h"
#include "unzip.h"

namespace handpick::converter {
namespace {

// Deflate makes at most 1032 bytes of one: a member that claims more is a lie, and not allocated.
constexpr uint64_t kMaxInflation = 1032;
constexpr size_t kMaxNameBytes = 4096;

// The archive as minizip's file: its callbacks read from memory.
struct MemoryFile {
  absl::string_view bytes;
  uint64_t position = 0;
};

voidpf Open(voidpf opaque, const void*, int) { return opaque; }

uLong Read(voidpf, voidpf stream, void* buffer, uLong size) {
  auto* file = static_cast<MemoryFile*>(stream);
  const uint64_t left = file->bytes.size() - file->position;
  const uint64_t count = std::min<uint64_t>(size, left);
  if (count > 0) std::memcpy(buffer, file->bytes.data() + file->position, count);
  file->position += count;
  return static_cast<uLong>(count);
}

ZPOS64_T Tell(voidpf, voidpf stream) { return static_cast<MemoryFile*>(stream)->position; }

long Seek(voidpf, voidpf stream, ZPOS64_T offset, int origin) {
  auto* file = static_cast<MemoryFile*>(stream);
  const uint64_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? file->position
                        : origin == ZLIB_FILEFUNC_SEEK_END ? file->bytes.size()
                                                           : 0;
  if (offset > file->bytes.size() - base) return -1;
  file->position = base + offset;
  return 0;
}

int Close(voidpf, voidpf) { return 0; }
int Error(voidpf, voidpf) { return 0; }

// Whether the bytes end with the whole of a directory's last record, which minizip does not insist
// on.
bool EndsAsArchive(absl::string_view bytes) {
  constexpr size_t kRecordBytes = 22, kCommentSizeAt = 20;
  const size_t at = bytes.rfind("PK\x05\x06");
  if (at == absl::string_view::npos || bytes.size() - at < kRecordBytes) return false;
  const size_t comment_bytes = static_cast<unsigned char>(bytes[at + kCommentSizeAt]) +
                               256 * static_cast<unsigned char>(bytes[at + kCommentSizeAt + 1]);
  return bytes.size() - at == kRecordBytes + comment_bytes;
}

struct CloseArchive {
  void operator()(void* archive) const { unzClose(archive); }
};

// The current member, inflated; its checksum is verified.
absl::StatusOr<std::string> ReadMember(unzFile archive, const unz_file_info64& info,
                                       const std::string& what) {
  constexpr uint32_t kEncrypted = 1;
  if ((info.flag & kEncrypted) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": is encrypted"));
  }
  if (info.compression_method != 0 && info.compression_method != Z_DEFLATED) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": compression method ",
                                                   info.compression_method,
                                                   "; stored and deflated members are taken"));
  }
  const uint64_t largest =
      info.compression_method == 0 ? info.compressed_size : info.compressed_size * kMaxInflation;
  if (info.uncompressed_size > largest) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", info.compressed_size,
                                                   " bytes cannot hold the ",
                                                   info.uncompressed_size, " that it claims"));
  }
  const auto damaged = [&] {
    return absl::InvalidArgumentError(absl::StrCat(what, ": is truncated or damaged"));
  };
  if (unzOpenCurrentFile(archive) != UNZ_OK) return damaged();
  std::string bytes(static_cast<size_t>(info.uncompressed_size), '\0');
  size_t filled = 0;
  int count = 0;
  while (filled < bytes.size()) {
    const size_t block = std::min<size_t>(bytes.size() - filled, 1 << 30);
    count = unzReadCurrentFile(archive, &bytes[filled], static_cast<unsigned>(block));
    if (count <= 0) break;
    filled += static_cast<size_t>(count);
  }
  // Closing verifies the checksum once everything was read.
  const int closed = unzCloseCurrentFile(archive);
  if (filled != bytes.size() || closed != UNZ_OK) return damaged();
  return bytes;
}

}  // namespace

absl::StatusOr<Weights> ParseNpz(const std::string& bytes, const std::string& origin) {
  if (!EndsAsArchive(bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat(origin, ": is no .npz archive, or is truncated"));
  }
  MemoryFile file{bytes};
  zlib_filefunc64_def functions = {};
  functions.zopen64_file = Open;
  functions.zread_file = Read;
  functions.ztell64_file = Tell;
  functions.zseek64_file = Seek;
  functions.zclose_file = Close;
  functions.zerror_file = Error;
  functions.opaque = &file;
  const std::unique_ptr<void, CloseArchive> archive(unzOpen2_64(origin.c_str(), &functions));
  if (archive == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": its directory is damaged"));
  }
  Weights weights;
  unz_global_info64 global;
  if (unzGetGlobalInfo64(archive.get(), &global) != UNZ_OK) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": its directory is damaged"));
  }
  for (uint64_t i = 0; i < global.number_entry; ++i) {
    const int moved = i == 0 ? unzGoToFirstFile(archive.get()) : unzGoToNextFile(archive.get());
    unz_file_info64 info;
    std::string member(kMaxNameBytes, '\0');
    if (moved != UNZ_OK ||
        unzGetCurrentFileInfo64(archive.get(), &info, &member[0], kMaxNameBytes, nullptr, 0,
                                nullptr, 0) != UNZ_OK ||
        info.size_filename == 0 || info.size_filename >= kMaxNameBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin, ": its directory is damaged at member ", i));
    }
    member.resize(info.size_filename);
    constexpr absl::string_view kExtension = ".npy";
    if (!absl::EndsWith(member, kExtension)) {
      return absl::InvalidArgumentError(
          absl::StrCat(origin, ": member '", member, "' is no .npy array"));
    }
    const std::string name = member.substr(0, member.size() - kExtension.size());
    const std::string what = absl::StrCat(origin, ": tensor '", name, "'");
    if (info.compressed_size > bytes.size()) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": claims ", info.compressed_size,
                                                     " bytes in an archive of ", bytes.size()));
    }
    HP_ASSIGN_OR_RETURN(const std::string npy, ReadMember(archive.get(), info, what));
    HP_ASSIGN_OR_RETURN(Tensor tensor, ParseNpy(npy, what));
    if (!weights.emplace(name, std::move(tensor)).second) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": occurs twice"));
    }
  }
  return weights;
}

}  // namespace handpick::converter
