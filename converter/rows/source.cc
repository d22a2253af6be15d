#include "converter/rows/source.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "converter/io/line_reader.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

class JsonLines : public RowSource {
 public:
  explicit JsonLines(LineReader reader) : reader_(std::move(reader)) {}

  absl::StatusOr<bool> Next(std::string* text, std::string* where) override {
    HP_ASSIGN_OR_RETURN(const bool more, reader_.Next(text));
    if (more) *where = reader_.where();
    return more;
  }

 private:
  LineReader reader_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowSource>> OpenRows(const std::string& path,
                                                    const std::string& format,
                                                    const RowHeader& header,
                                                    const RowFeatures& features) {
  std::string form = format;
  if (form.empty()) {
    form = absl::EndsWithIgnoreCase(path, ".csv")   ? "csv"
           : absl::EndsWithIgnoreCase(path, ".npz") ? "npz"
                                                    : "jsonl";
  }
  if (form == "csv") return OpenCsvRows(path, header, features);
  if (form == "npz") {
    if (path == "-") {
      return absl::InvalidArgumentError(
          "--rows -: a .npz is no stream: give a file, or rows as CSV or JSON lines");
    }
    return OpenNpzRows(path, header, features);
  }
  if (form != "jsonl") {
    return absl::InvalidArgumentError(
        absl::StrCat("--rows-format is '", form, "', expected jsonl, csv or npz"));
  }
  HP_ASSIGN_OR_RETURN(LineReader reader, LineReader::Open(path));
  return std::unique_ptr<RowSource>(std::make_unique<JsonLines>(std::move(reader)));
}

}  // namespace handpick::converter
