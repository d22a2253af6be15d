// Checkpoints of TensorFlow, part by part, right ones and others.
#ifndef HANDPICK_TESTS_CONVERTER_WEIGHTS_TENSORFLOW_TESTING_H_
#define HANDPICK_TESTS_CONVERTER_WEIGHTS_TENSORFLOW_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/converter/weights/zip_testing.h"

namespace handpick::converter {

inline std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}

// Fields of a protocol buffer.
inline std::string NumberField(uint64_t field, uint64_t value) {
  return Varint(field << 3) + Varint(value);
}
inline std::string BytesField(uint64_t field, const std::string& bytes) {
  return Varint(field << 3 | 2) + Varint(bytes.size()) + bytes;
}
inline std::string Fixed32Field(uint64_t field, uint32_t value) {
  std::string out = Varint(field << 3 | 5);
  Append(&out, value, 4);
  return out;
}

// CRC-32C, bit by bit.
inline uint32_t CrcOf(const std::string& bytes) {
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
  }
  return ~crc;
}
// Masked as LevelDB does.
inline uint32_t MaskedCrcOf(const std::string& bytes) {
  const uint32_t crc = CrcOf(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

using TableEntries = std::vector<std::pair<std::string, std::string>>;

// One entry of a block, whose key is `shared` bytes of the one before it and `own`.
inline std::string BlockEntry(uint64_t shared, const std::string& own, const std::string& value) {
  return Varint(shared) + Varint(own.size()) + Varint(value.size()) + own + value;
}

// A block in which every third key is whole.
inline std::string BlockOf(const TableEntries& entries) {
  std::string block;
  std::vector<size_t> whole;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& [key, value] = entries[i];
    size_t shared = 0;
    if (i % 3 == 0) {
      whole.push_back(block.size());
    } else {
      const std::string& before = entries[i - 1].first;
      const size_t most = std::min(before.size(), key.size());
      while (shared < most && before[shared] == key[shared]) ++shared;
    }
    block += BlockEntry(shared, key.substr(shared), value);
  }
  for (const size_t offset : whole) Append(&block, offset, 4);
  Append(&block, whole.size(), 4);
  return block;
}

// As it lies in the file.
inline std::string BlockInFile(const std::string& block, char compression = 0) {
  std::string out = block + compression;
  Append(&out, MaskedCrcOf(out), 4);
  return out;
}

inline std::string HandleOf(uint64_t offset, uint64_t size) {
  return Varint(offset) + Varint(size);
}

inline std::string FooterOf(const std::string& handles) {
  std::string footer = handles;
  footer.resize(40);
  Append(&footer, 0xdb4775248b80fb57, 8);
  return footer;
}

// A table of these blocks, which the index names by these handles, in this order.
inline std::string TableOf(const std::string& blocks, const std::vector<std::string>& handles) {
  TableEntries index;
  for (size_t i = 0; i < handles.size(); ++i) {
    index.emplace_back(std::string(1, static_cast<char>('a' + i)), handles[i]);
  }
  const std::string meta = BlockOf({}), block = BlockOf(index);
  const std::string before = blocks + BlockInFile(meta);
  return before + BlockInFile(block) +
         FooterOf(HandleOf(blocks.size(), meta.size()) + HandleOf(before.size(), block.size()));
}

inline std::string TableOf(const TableEntries& entries, size_t entries_per_block = 1000) {
  std::string blocks;
  std::vector<std::string> handles;
  for (size_t i = 0; i < entries.size(); i += entries_per_block) {
    const size_t count = std::min(entries_per_block, entries.size() - i);
    const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(i);
    const std::string block = BlockOf({begin, begin + static_cast<std::ptrdiff_t>(count)});
    handles.push_back(HandleOf(blocks.size(), block.size()));
    blocks += BlockInFile(block);
  }
  return TableOf(blocks, handles);
}

// BundleHeaderProto: files of data, byte order, version.
inline std::string HeaderOf(uint64_t shards, uint64_t endianness = 0, uint64_t min_reader = 0) {
  return NumberField(1, shards) + NumberField(2, endianness) +
         BytesField(3, NumberField(1, 1) + NumberField(2, min_reader));
}

inline std::string ShapeOf(const std::vector<int64_t>& shape) {
  std::string out;
  for (const int64_t size : shape) {
    out += BytesField(2, NumberField(1, static_cast<uint64_t>(size)));
  }
  return out;
}

// BundleEntryProto, with the checksum of `bytes`.
inline std::string TensorEntry(uint64_t type, const std::vector<int64_t>& shape,
                               const std::string& bytes, uint64_t offset, uint64_t shard = 0) {
  return NumberField(1, type) + BytesField(2, ShapeOf(shape)) + NumberField(3, shard) +
         NumberField(4, offset) + NumberField(5, bytes.size()) +
         Fixed32Field(6, MaskedCrcOf(bytes));
}

// TrackableObjectGraph: a node for each variable, by its key, and one without any. Of an empty
// name: none is said.
inline std::string ObjectGraphOf(
    const std::vector<std::pair<std::string, std::string>>& names_by_key) {
  std::string graph = BytesField(1, BytesField(1, NumberField(1, 1) + BytesField(2, "layer")));
  for (const auto& [key, name] : names_by_key) {
    std::string tensor = BytesField(1, "VARIABLE_VALUE");
    if (!name.empty()) tensor += BytesField(2, name);
    graph += BytesField(1, BytesField(2, tensor + BytesField(3, key)));
  }
  return graph;
}

// An index and its data, tensor by tensor.
struct Checkpoint {
  TableEntries entries = {{"", HeaderOf(1)}};
  std::string data;

  void Add(const std::string& key, uint64_t type, const std::vector<int64_t>& shape,
           const std::string& bytes) {
    entries.emplace_back(key, TensorEntry(type, shape, bytes, data.size()));
    data += bytes;
  }
  // A scalar of type string: the length, its checksum, the bytes.
  void AddText(const std::string& key, const std::string& text) {
    std::string length, summed_length;
    Append(&summed_length, text.size(), 4);
    Append(&length, MaskedCrcOf(summed_length), 4);
    const std::string bytes = Varint(text.size()) + length + text;
    entries.emplace_back(key, NumberField(1, 7) + BytesField(2, "") + NumberField(4, data.size()) +
                                  NumberField(5, bytes.size()) +
                                  Fixed32Field(6, MaskedCrcOf(summed_length + length + text)));
    data += bytes;
  }
  std::string Index(size_t entries_per_block = 1000) const {
    TableEntries sorted = entries;
    std::sort(sorted.begin(), sorted.end());
    return TableOf(sorted, entries_per_block);
  }
};

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_CONVERTER_WEIGHTS_TENSORFLOW_TESTING_H_
