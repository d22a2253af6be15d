#include "converter/cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmath>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/flags.h"

namespace handpick::converter {

std::string JsonNumber(float number) {
  return std::isfinite(number) ? absl::StrFormat("%.9g", number) : "null";
}

std::string JsonNumber(double number) {
  return std::isfinite(number) ? absl::StrFormat("%.17g", number) : "null";
}

absl::Status FlushOutput() {
  errno = 0;
  if (fflush(stdout) == 0 && ferror(stdout) == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write to the standard output",
                                             errno == 0 ? "" : ": ",
                                             errno == 0 ? "" : strerror(errno)));
}

int Fail(const char* command, const absl::Status& status) {
  const std::string message(status.message());
  fprintf(stderr, "handpick %s: %s\n", command, message.c_str());
  return 1;
}

int FailUsage(const std::string& command, const std::string& message) {
  fprintf(stderr, "handpick %s: %s\nSee 'handpick help %s'.\n", command.c_str(), message.c_str(),
          command.c_str());
  return 2;
}

void Note(const char* command, absl::string_view text) {
  if (absl::GetFlag(FLAGS_quiet)) return;
  if (ShowsProgress()) fprintf(stderr, "\r\x1b[K");  // Over a line of progress.
  fprintf(stderr, "handpick %s: note: %.*s\n", command, static_cast<int>(text.size()), text.data());
}

bool ShowsProgress() { return !absl::GetFlag(FLAGS_quiet) && isatty(STDERR_FILENO) != 0; }

ProgressLine::ProgressLine(std::string verb, std::string things, uint64_t total)
    : verb_(std::move(verb)), things_(std::move(things)), total_(total), shown_(ShowsProgress()) {}

ProgressLine::ProgressLine(const std::string& what) : total_(0), shown_(ShowsProgress()) {
  if (!shown_) return;
  fprintf(stderr, "\r\x1b[K%s", what.c_str());
  fflush(stderr);
}

ProgressLine::~ProgressLine() {
  if (shown_) fprintf(stderr, "\r\x1b[K");
}

void ProgressLine::MoveTo(uint64_t done) {
  done_ = done;
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(100) && done_ != total_) return;
  last_ = now;
  fprintf(stderr, "\r\x1b[K%s %llu of %llu %s", verb_.c_str(),
          static_cast<unsigned long long>(done_), static_cast<unsigned long long>(total_),
          things_.c_str());
  fflush(stderr);
}

}  // namespace handpick::converter
