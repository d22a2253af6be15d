#include "converter/io/line_reader.h"

#include <errno.h>
#include <string.h>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace handpick::converter {

void LineReader::Close::operator()(FILE* file) const {
  if (file != nullptr && file != stdin) fclose(file);
}

absl::StatusOr<LineReader> LineReader::Open(const std::string& path) {
  LineReader reader;
  reader.name_ = path == "-" ? "standard input" : path;
  reader.file_.reset(path == "-" ? stdin : fopen(path.c_str(), "re"));
  if (reader.file_ == nullptr) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot open: ", strerror(errno)));
  }
  return reader;
}

absl::StatusOr<bool> LineReader::Next(std::string* line) {
  char block[4096];
  for (;;) {
    line->clear();
    bool any = false;
    while (fgets(block, sizeof(block), file_.get()) != nullptr) {
      any = true;
      // A zero byte ends what is seen of a block; JSON has none, and its reader says so.
      line->append(block);
      if (line->size() > kMostBytes) {
        return absl::InvalidArgumentError(absl::StrCat(name_, ":", number_ + 1, ": longer than ",
                                                       kMostBytes, " bytes: not a line of JSON"));
      }
      if (!line->empty() && line->back() == '\n') break;
    }
    if (ferror(file_.get()) != 0) {
      return absl::UnavailableError(absl::StrCat(name_, ": cannot read: ", strerror(errno)));
    }
    if (!any) return false;
    ++number_;
    if (!line->empty() && line->back() == '\n') line->pop_back();
    if (!absl::StripAsciiWhitespace(*line).empty()) return true;
  }
}

std::string LineReader::where() const { return absl::StrCat(name_, ":", number_); }

}  // namespace handpick::converter
