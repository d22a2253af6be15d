// The handpick command as a user types it.
#ifndef HANDPICK_TESTS_CONVERTER_CLI_RUN_HANDPICK_H_
#define HANDPICK_TESTS_CONVERTER_CLI_RUN_HANDPICK_H_

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/test_files.h"

namespace handpick::converter {

struct Outcome {
  int status;
  std::string out;
  std::string err;
};

// Runs `handpick arguments` by the shell.
inline Outcome Handpick(const std::string& arguments, const std::string& input = "") {
  const std::string base = ::testing::TempDir() + "/run";
  std::ofstream(base + ".in") << input;
  const std::string command = absl::StrCat("converter/cli/handpick ", arguments, " <", base,
                                           ".in >", base, ".out 2>", base, ".err");
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadText(base + ".out"),
          ReadText(base + ".err")};
}

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_CONVERTER_CLI_RUN_HANDPICK_H_
