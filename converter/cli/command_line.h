// What the user typed, checked.
#ifndef HANDPICK_CONVERTER_CLI_COMMAND_LINE_H_
#define HANDPICK_CONVERTER_CLI_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace handpick::converter {

// A subcommand. `run` returns the program's exit status, having said what went wrong.
struct Command {
  const char* name;
  const char* summary;  // One line.
  const char* usage;    // "handpick inspect BUNDLE [--json]"
  const char* text;     // What it is for, with an example that can be typed.
  std::vector<std::string> required_flags;
  std::vector<std::string> optional_flags;
  size_t positional_count;
  int (*run)(const std::vector<std::string>& positional);
};

// Sets the flags among `arguments` and returns the others. Errors: a flag that the command does not
// have (with the nearest), a value that a flag does not take, a flag that is missing, too few or
// too many other arguments. A file list that is given several times is joined with commas.
absl::StatusOr<std::vector<std::string>> ParseArguments(const Command& command,
                                                        const std::vector<std::string>& arguments);

// The help page of a command.
std::string HelpOf(const Command& command);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_COMMAND_LINE_H_
