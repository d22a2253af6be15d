// Records of a CSV file (RFC 4180), one after another: files of any size, and pipes.
#ifndef HANDPICK_CONVERTER_IO_CSV_READER_H_
#define HANDPICK_CONVERTER_IO_CSV_READER_H_

#include <stdio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {

class CsvReader {
 public:
  // The most bytes of a record, and its most fields.
  static constexpr size_t kMostBytes = size_t{64} << 20;
  static constexpr size_t kMostFields = 1 << 16;

  // "-": the standard input. `delimiter`: between fields.
  static absl::StatusOr<CsvReader> Open(const std::string& path, char delimiter = ',');

  // The next record; false behind the last. A byte order mark of UTF-8 and lines without a byte are
  // skipped; lines end with LF or CR LF. A field in quotes may have delimiters and line ends, and
  // "" for a quote. Errors, with file, line and field: anything else (a quote within a field that
  // does not begin with one, text behind a closing one, none that closes, a CR alone, a zero byte,
  // no UTF-8), reading fails, a record is too large.
  absl::StatusOr<bool> Next(std::vector<std::string>* fields);

  // Where the last record begins: "rows.csv:12".
  std::string where() const;

 private:
  struct Close {
    void operator()(FILE* file) const;
  };
  CsvReader() = default;
  absl::Status Fault(uint64_t line, size_t field, absl::string_view what) const;
  int Get();

  std::string name_;
  std::unique_ptr<FILE, Close> file_;
  char delimiter_ = ',';
  uint64_t line_ = 1;    // Of what comes next.
  uint64_t record_ = 0;  // The line at which the last record begins.
  bool begun_ = false;
  std::unique_ptr<char[]> buffer_;
  size_t at_ = 0;
  size_t end_ = 0;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_CSV_READER_H_
