// What commands say: numbers, failures, progress.
#ifndef HANDPICK_CONVERTER_CLI_OUTPUT_H_
#define HANDPICK_CONVERTER_CLI_OUTPUT_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {

// A number as JSON, with digits enough to read back the same; null when it is not finite, which
// JSON cannot say.
std::string JsonNumber(float number);
std::string JsonNumber(double number);

// How wide a column is that shows a text of each object of a JSON array; at least `least`.
template <typename Json>
int Widest(const Json& objects, const char* key, size_t least) {
  for (const auto& object : objects) {
    least = std::max(least, object[key].template get<std::string>().size());
  }
  return static_cast<int>(least);
}

// Writes out what was printed. An error when it did not all get to the standard output: a pipe that
// nobody reads any more, a full disk. Commands that write files ask this before they commit them.
absl::Status FlushOutput();

// Prints "handpick COMMAND: message" to stderr; returns the exit status 1.
int Fail(const char* command, const absl::Status& status);

// The same for a command that was typed wrongly; returns 2.
int FailUsage(const std::string& command, const std::string& message);

// Prints "handpick COMMAND: note: text" to stderr, unless --quiet.
void Note(const char* command, absl::string_view text);

// Whether progress is to be shown on stderr: it is a terminal, and there is no --quiet.
bool ShowsProgress();

// Says on one line of stderr what long work is done, if progress is to be shown; else does nothing.
class ProgressLine {
 public:
  // "scoring 12 of 100 requests"
  ProgressLine(std::string verb, std::string things, uint64_t total);
  // "reading model.safetensors", of which nothing more is known until it is done.
  explicit ProgressLine(const std::string& what);
  ~ProgressLine();
  void Advance() { MoveTo(done_ + 1); }
  void MoveTo(uint64_t done);

 private:
  const std::string verb_;
  const std::string things_;
  const uint64_t total_;
  const bool shown_;
  uint64_t done_ = 0;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_OUTPUT_H_
