#include "converter/io/csv_reader.h"

#include <errno.h>
#include <string.h>

#include "absl/strings/str_cat.h"
#include "converter/io/utf8.h"

namespace handpick::converter {
namespace {

constexpr size_t kBufferBytes = 1 << 16;
constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void CsvReader::Close::operator()(FILE* file) const {
  if (file != nullptr && file != stdin) fclose(file);
}

absl::StatusOr<CsvReader> CsvReader::Open(const std::string& path, char delimiter) {
  CsvReader reader;
  reader.name_ = path == "-" ? "standard input" : path;
  reader.delimiter_ = delimiter;
  reader.file_.reset(path == "-" ? stdin : fopen(path.c_str(), "re"));
  if (reader.file_ == nullptr) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot open: ", strerror(errno)));
  }
  reader.buffer_ = std::make_unique<char[]>(kBufferBytes);
  return reader;
}

std::string CsvReader::where() const { return absl::StrCat(name_, ":", record_); }

absl::Status CsvReader::Fault(uint64_t line, size_t field, absl::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat(name_, ":", line, ": field ", field + 1, ": ", what));
}

// The next byte, or EOF.
int CsvReader::Get() {
  if (at_ == end_) {
    end_ = fread(buffer_.get(), 1, kBufferBytes, file_.get());
    at_ = 0;
    if (end_ == 0) return EOF;
  }
  return static_cast<unsigned char>(buffer_[at_++]);
}

absl::StatusOr<bool> CsvReader::Next(std::vector<std::string>* fields) {
  fields->clear();
  record_ = line_;
  enum class In { kStart, kPlain, kQuotes, kBehindQuotes };
  In in = In::kStart;
  std::string field;
  size_t bytes = 0;
  uint64_t opened = 0;  // The line of the quote that is open.
  const auto finish = [&]() -> absl::Status {
    if (!begun_) {
      // In front of a first field that is not in quotes.
      if (field.compare(0, kByteOrderMark.size(), kByteOrderMark.data(), kByteOrderMark.size()) ==
          0) {
        field.erase(0, kByteOrderMark.size());
      }
      begun_ = true;
    }
    if (!IsUtf8(field)) return Fault(line_, fields->size(), "is no UTF-8");
    if (fields->size() == kMostFields) {
      return Fault(line_, fields->size(), absl::StrCat("a record has at most ", kMostFields));
    }
    fields->push_back(std::move(field));
    field.clear();
    in = In::kStart;
    return absl::OkStatus();
  };
  for (;;) {
    int c = Get();
    if (c == EOF && ferror(file_.get()) != 0) {
      return absl::UnavailableError(absl::StrCat(name_, ": cannot read: ", strerror(errno)));
    }
    if (++bytes > kMostBytes) {
      return Fault(
          record_, fields->size(),
          absl::StrCat("the record is longer than ", kMostBytes, " bytes: is a quote not closed?"));
    }
    if (c == '\0') return Fault(line_, fields->size(), "has a zero byte");
    if (in == In::kQuotes) {
      if (c == EOF) return Fault(opened, fields->size(), "its quote is not closed");
      if (c == '"') {
        in = In::kBehindQuotes;
      } else {
        if (c == '\n') ++line_;
        field.push_back(static_cast<char>(c));
      }
      continue;
    }
    if (c == '\r') {
      c = Get();
      if (c != '\n') return Fault(line_, fields->size(), "a CR is not followed by LF");
    }
    const bool ends = c == '\n' || c == EOF;
    if (ends || c == static_cast<unsigned char>(delimiter_)) {
      const bool blank = ends && fields->empty() && in == In::kStart;
      if (!blank) {
        if (absl::Status status = finish(); !status.ok()) return status;
      }
      if (c == '\n') ++line_;
      if (!ends) continue;
      if (!blank) return true;
      if (c == EOF) return false;
      record_ = line_;
      bytes = 0;
      continue;
    }
    if (in == In::kBehindQuotes) {
      if (c != '"') {
        return Fault(line_, fields->size(),
                     "has text behind its closing quote; a quote within is \"\"");
      }
      field.push_back('"');
      in = In::kQuotes;
    } else if (c == '"') {
      const bool first = in == In::kStart || (!begun_ && field == kByteOrderMark);
      if (!first) {
        return Fault(line_, fields->size(),
                     "has a quote inside; then all of it is in quotes, and that one is \"\"");
      }
      if (!begun_) field.clear();  // A byte order mark.
      begun_ = true;
      in = In::kQuotes;
      opened = line_;
    } else {
      in = In::kPlain;
      field.push_back(static_cast<char>(c));
    }
  }
}

}  // namespace handpick::converter
