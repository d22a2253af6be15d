// The handpick command as a user types it.
#ifndef HANDPICK_TESTS_CONVERTER_CLI_RUN_HANDPICK_H_
#define HANDPICK_TESTS_CONVERTER_CLI_RUN_HANDPICK_H_

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/child_program.h"
#include "tests/support/test_files.h"

namespace handpick::converter {

inline constexpr char kHandpick[] = "converter/cli/handpick";

struct Outcome {
  int status;
  std::string out;
  std::string err;
};

// Runs `handpick arguments` by the shell.
inline Outcome Handpick(const std::string& arguments, const std::string& input = "") {
  const std::string base = ::testing::TempDir() + "/run";
  std::ofstream(base + ".in") << input;
  const std::string command =
      absl::StrCat(kHandpick, " ", arguments, " <", base, ".in >", base, ".out 2>", base, ".err");
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadText(base + ".out"),
          ReadText(base + ".err")};
}

// The most memory that `handpick arguments`, which succeeds, had at a time, in bytes.
inline uint64_t MemoryOfHandpick(const std::vector<std::string>& arguments) {
  const pid_t child =
      StartProgram(kHandpick, arguments, [] { dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO); });
  int status = 0;
  rusage usage = {};
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  EXPECT_EQ(status, 0);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_CONVERTER_CLI_RUN_HANDPICK_H_
