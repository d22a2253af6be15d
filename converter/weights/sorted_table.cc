#include "converter/weights/sorted_table.h"

#include <algorithm>

#include "absl/crc/crc32c.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/io/status_macros.h"
#include "converter/weights/wire.h"

namespace handpick::converter {
namespace {

constexpr absl::string_view kMagic("\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);
// Two handles of at most 20 bytes, and the magic.
constexpr size_t kFooterBytes = 48;
// Behind each block: how it is compressed, and a checksum.
constexpr size_t kTrailerBytes = 5;
// Blocks are made of 4 KiB and more, 256 KiB in TensorFlow.
constexpr uint64_t kMaxBlockBytes = 100'000'000;
// What a key costs in the file may be little more than a byte.
constexpr uint64_t kMaxKeyBytes = 4096;

struct BlockHandle {
  uint64_t offset = 0;
  uint64_t size = 0;
};

bool ReadHandle(WireReader* reader, BlockHandle* handle) {
  return reader->Varint(&handle->offset) && reader->Varint(&handle->size);
}

class Table {
 public:
  Table(const ByteSource& source, const std::string& origin) : source_(source), origin_(origin) {}

  absl::Status Read(TakeEntry take) const {
    const uint64_t size = source_.size();
    std::string footer(static_cast<size_t>(std::min<uint64_t>(size, kFooterBytes)), '\0');
    HP_RETURN_IF_ERROR(source_.Read(size - footer.size(), &footer[0], footer.size()));
    const absl::string_view end =
        absl::string_view(footer).substr(footer.size() - std::min(footer.size(), kMagic.size()));
    if (footer.size() < kFooterBytes || end != kMagic) {
      return Fault(absl::StrCat("is no table of LevelDB's format, or is truncated: its last bytes ",
                                "are ", absl::BytesToHexString(end), ", expected ",
                                absl::BytesToHexString(kMagic)));
    }
    WireReader reader(footer);
    BlockHandle meta, index;
    if (!ReadHandle(&reader, &meta) || !ReadHandle(&reader, &index)) {
      return Fault("its footer is damaged");
    }
    HP_ASSIGN_OR_RETURN(const std::string blocks, ReadBlock(index, size - kFooterBytes));
    // Every block lies behind the one before it, and the index behind them all: no block is read
    // twice.
    uint64_t begin = 0;
    std::string last;
    bool is_first = true;
    const auto take_in_order = [&](const std::string& key, absl::string_view value) {
      if (!is_first && key <= last) {
        return Fault(absl::StrCat("its key '", absl::CHexEscape(key), "' comes after '",
                                  absl::CHexEscape(last), "', and they must ascend"));
      }
      is_first = false;
      last = key;
      return take(key, value);
    };
    const auto read_block = [&](const std::string&, absl::string_view value) {
      WireReader handle_reader(value);
      BlockHandle handle;
      if (!ReadHandle(&handle_reader, &handle)) return Fault("its list of blocks is damaged");
      if (handle.offset < begin) {
        return Fault(absl::StrCat("its block at byte ", handle.offset,
                                  " begins before the end of the one before it, ", begin));
      }
      HP_ASSIGN_OR_RETURN(const std::string block, ReadBlock(handle, index.offset));
      begin = handle.offset + handle.size + kTrailerBytes;
      return Walk(block, handle, take_in_order);
    };
    return Walk(blocks, index, read_block);
  }

 private:
  absl::Status Fault(absl::string_view message) const {
    return absl::InvalidArgumentError(absl::StrCat(origin_, ": ", message));
  }
  absl::Status BlockFault(const BlockHandle& handle, absl::string_view message) const {
    return Fault(absl::StrCat("its block at byte ", handle.offset, " ", message));
  }

  // `limit` is where it has to end.
  absl::StatusOr<std::string> ReadBlock(const BlockHandle& handle, uint64_t limit) const {
    if (handle.offset > limit || kTrailerBytes > limit - handle.offset ||
        handle.size > limit - handle.offset - kTrailerBytes) {
      return BlockFault(handle, absl::StrCat("claims ", handle.size, " bytes and ", kTrailerBytes,
                                             " more, and must end by byte ", limit));
    }
    if (handle.size > kMaxBlockBytes) {
      return BlockFault(handle,
                        absl::StrCat("claims ", handle.size, " bytes, more than ", kMaxBlockBytes));
    }
    const size_t size = static_cast<size_t>(handle.size);
    std::string block(size + kTrailerBytes, '\0');
    HP_RETURN_IF_ERROR(source_.Read(handle.offset, &block[0], block.size()));
    WireReader trailer(absl::string_view(block).substr(size + 1));
    uint32_t stored = 0;
    (void)trailer.Fixed32(&stored);  // Four bytes are there.
    // It is of the block, and of how it is compressed.
    const uint32_t crc = MaskedCrc32c(
        static_cast<uint32_t>(absl::ComputeCrc32c(absl::string_view(block).substr(0, size + 1))));
    if (crc != stored) {
      return BlockFault(
          handle, absl::StrFormat("is damaged: its checksum is %08x, expected %08x", crc, stored));
    }
    const int compression = static_cast<unsigned char>(block[size]);
    if (compression != 0) {
      return BlockFault(
          handle, absl::StrCat("is compressed by ",
                               compression == 1 ? "snappy" : absl::StrCat("form ", compression),
                               ", and only blocks that are not compressed are read"));
    }
    block.resize(size);
    return block;
  }

  // Entries, each with what its key has not in common with the one before it; then the offsets of
  // keys that are whole, which are of use to a search alone.
  absl::Status Walk(absl::string_view block, const BlockHandle& handle, TakeEntry take) const {
    constexpr size_t kOffsetBytes = 4;
    uint32_t offsets = 0;
    WireReader count(block.substr(block.size() - std::min(block.size(), kOffsetBytes)));
    if (!count.Fixed32(&offsets) || offsets > (block.size() - kOffsetBytes) / kOffsetBytes) {
      return BlockFault(handle, absl::StrCat("has ", block.size(), " bytes, fewer than its ",
                                             offsets, " offsets of keys need"));
    }
    WireReader reader(block.substr(0, block.size() - kOffsetBytes * (size_t{offsets} + 1)));
    std::string key;
    while (!reader.empty()) {
      uint64_t shared = 0, own = 0, value_bytes = 0;
      absl::string_view own_part, value;
      if (!reader.Varint(&shared) || !reader.Varint(&own) || !reader.Varint(&value_bytes) ||
          shared > key.size() || !reader.Bytes(own, &own_part) ||
          !reader.Bytes(value_bytes, &value)) {
        return BlockFault(handle,
                          absl::StrCat("is damaged after key '", absl::CHexEscape(key), "'"));
      }
      if (own > kMaxKeyBytes - shared) {
        return BlockFault(handle, absl::StrCat("has a key of ", shared + own, " bytes, more than ",
                                               kMaxKeyBytes));
      }
      key.resize(static_cast<size_t>(shared));
      key.append(own_part.data(), own_part.size());
      HP_RETURN_IF_ERROR(take(key, value));
    }
    return absl::OkStatus();
  }

  const ByteSource& source_;
  const std::string& origin_;
};

}  // namespace

absl::string_view SortedTableMagic() { return kMagic; }

uint32_t MaskedCrc32c(uint32_t crc) {
  constexpr uint32_t kMask = 0xa282ead8;
  return ((crc >> 15) | (crc << 17)) + kMask;
}

absl::Status ReadSortedTable(const ByteSource& source, const std::string& origin, TakeEntry take) {
  return Table(source, origin).Read(take);
}

}  // namespace handpick::converter
