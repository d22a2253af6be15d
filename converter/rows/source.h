// Rows to measure, as texts of requests, whatever form their file has.
#ifndef HANDPICK_CONVERTER_ROWS_SOURCE_H_
#define HANDPICK_CONVERTER_ROWS_SOURCE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "converter/rows/fields.h"

namespace handpick::converter {

class RowSource {
 public:
  virtual ~RowSource() = default;

  // The next request, as a line of JSON (converter/request/request.h), and what messages call it:
  // "rows.csv:12". False behind the last.
  virtual absl::StatusOr<bool> Next(std::string* text, std::string* where) = 0;
};

// "jsonl", "csv" or "npz"; "": by the end of the file's name, jsonl where it says nothing. "-" is
// the standard input, of which a .npz cannot be read.
absl::StatusOr<std::unique_ptr<RowSource>> OpenRows(const std::string& path,
                                                    const std::string& format,
                                                    const RowHeader& header,
                                                    const RowFeatures& features);

// A CSV file with a header line. A line is a candidate; those of one request lie together and have
// one value in column `request`; without such a column each is a request. What a request has once
// is the same in all its lines.
absl::StatusOr<std::unique_ptr<RowSource>> OpenCsvRows(const std::string& path,
                                                       const RowHeader& header,
                                                       const RowFeatures& features);

// Arrays that are named by what they are: converter/README.md says which. They are read side by
// side, a few thousand rows at a time.
absl::StatusOr<std::unique_ptr<RowSource>> OpenNpzRows(const std::string& path,
                                                       const RowHeader& header,
                                                       const RowFeatures& features);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_ROWS_SOURCE_H_
