// What commands say: numbers, failures, progress.
#ifndef HANDPICK_CONVERTER_CLI_OUTPUT_H_
#define HANDPICK_CONVERTER_CLI_OUTPUT_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace handpick::converter {

// 1234567 as "1,234,567".
std::string WithCommas(uint64_t number);

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

// Prints "handpick COMMAND: message" to stderr; returns the exit status 1.
int Fail(const char* command, const absl::Status& status);

// The same for a command that was typed wrongly; returns 2.
int FailUsage(const std::string& command, const std::string& message);

// Counts long work on one line of stderr, if that is a terminal; else does nothing.
class ProgressLine {
 public:
  // "scoring 12 of 100 requests"
  ProgressLine(std::string verb, std::string things, uint64_t total);
  ~ProgressLine();
  void Advance();

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
