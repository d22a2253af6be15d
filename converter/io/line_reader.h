// Lines of a file, one after another: files of any size, and pipes.
#ifndef HANDPICK_CONVERTER_IO_LINE_READER_H_
#define HANDPICK_CONVERTER_IO_LINE_READER_H_

#include <stdio.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace handpick::converter {

class LineReader {
 public:
  // The most bytes of a line.
  static constexpr size_t kMostBytes = size_t{64} << 20;

  // "-": the standard input.
  static absl::StatusOr<LineReader> Open(const std::string& path);

  // The next line that is not blank, without its end; false behind the last. Errors: reading fails;
  // a line is longer than kMostBytes.
  absl::StatusOr<bool> Next(std::string* line);

  // Of the last line: "rows.jsonl:12".
  std::string where() const;

 private:
  struct Close {
    void operator()(FILE* file) const;
  };
  LineReader() = default;

  std::string name_;
  std::unique_ptr<FILE, Close> file_;
  uint64_t number_ = 0;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_LINE_READER_H_
