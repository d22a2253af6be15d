// Zip archives of a test's own, right ones and others.
#ifndef HANDPICK_TESTS_CONVERTER_WEIGHTS_ZIP_TESTING_H_
#define HANDPICK_TESTS_CONVERTER_WEIGHTS_ZIP_TESTING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "zlib.h"

namespace handpick::converter {

inline void Append(std::string* out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>((value >> (8 * i)) & 255));
}

struct Member {
  std::string name;
  std::string stored;  // The bytes in the archive.
  uint64_t size;       // The size that the archive claims.
  uint32_t crc;
  uint16_t method = 0;
  uint16_t flags = 0;
};

inline Member Stored(const std::string& name, const std::string& bytes) {
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
  return {name, bytes, bytes.size(), static_cast<uint32_t>(crc)};
}

inline std::string Zip(const std::vector<Member>& members) {
  std::string zip, directory;
  for (const Member& m : members) {
    const size_t offset = zip.size();
    std::string common;
    Append(&common, 20, 2);
    Append(&common, m.flags, 2);
    Append(&common, m.method, 2);
    Append(&common, 0x210000, 4);
    Append(&common, m.crc, 4);
    Append(&common, m.stored.size(), 4);
    Append(&common, m.size, 4);
    Append(&common, m.name.size(), 2);
    Append(&common, 0, 2);
    zip += "PK\x03\x04" + common + m.name + m.stored;
    directory += std::string("PK\x01\x02\x14", 5) + '\0' + common;
    directory.append(10, '\0');
    Append(&directory, offset, 4);
    directory += m.name;
  }
  const size_t offset = zip.size();
  zip += directory + std::string("PK\x05\x06\0\0\0\0", 8);
  Append(&zip, members.size(), 2);
  Append(&zip, members.size(), 2);
  Append(&zip, directory.size(), 4);
  Append(&zip, offset, 4);
  Append(&zip, 0, 2);
  return zip;
}

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_CONVERTER_WEIGHTS_ZIP_TESTING_H_
