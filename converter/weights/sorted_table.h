// A table of LevelDB's format, which the index of a TensorFlow checkpoint is: sorted keys and their
// values, in blocks.
// https://github.com/google/leveldb/blob/main/doc/table_format.md
#ifndef HANDPICK_CONVERTER_WEIGHTS_SORTED_TABLE_H_
#define HANDPICK_CONVERTER_WEIGHTS_SORTED_TABLE_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "converter/io/byte_source.h"

namespace handpick::converter {

// The last bytes of such a file.
absl::string_view SortedTableMagic();

// The CRC-32C of some bytes as such files store it. LevelDB masks it, since bytes that end with
// their own CRC have all the same.
uint32_t MaskedCrc32c(uint32_t crc);

// What is done with an entry; they come in the order of their keys, none twice.
using TakeEntry = absl::FunctionRef<absl::Status(const std::string& key, absl::string_view value)>;

// Reads a table, block by block. Errors: what is damaged; compressed blocks; what `take` says.
absl::Status ReadSortedTable(const ByteSource& source, const std::string& origin, TakeEntry take);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_SORTED_TABLE_H_
