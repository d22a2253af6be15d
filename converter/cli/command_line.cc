#include "converter/cli/command_line.h"

#include <algorithm>
#include <map>
#include <optional>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/io/nearest_name.h"

namespace handpick::converter {
namespace {

// --max-auc-drift and --max_auc_drift are the same flag.
std::string FlagName(absl::string_view typed) {
  std::string name(typed);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string Typed(absl::string_view flag_name) {
  std::string typed(flag_name);
  std::replace(typed.begin(), typed.end(), '_', '-');
  return absl::StrCat("--", typed);
}

std::vector<std::string> FlagsOf(const Command& command) {
  std::vector<std::string> flags = command.required_flags;
  flags.insert(flags.end(), command.optional_flags.begin(), command.optional_flags.end());
  flags.push_back("quiet");  // Every command may have notes and progress.
  return flags;
}

}  // namespace

namespace {

// Flags that may be given several times.
bool IsList(const std::string& name) {
  for (const char* list : {"evaluation", "rows", "slice", "require", "merge", "keep"}) {
    if (name == list) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseArguments(const Command& command,
                                                        const std::vector<std::string>& arguments) {
  const std::vector<std::string> flags = FlagsOf(command);
  std::vector<std::string> positional;
  std::map<std::string, std::string> values;
  bool only_positional = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    // "-" alone is the standard input.
    if (only_positional || argument == "-" || !absl::StartsWith(argument, "-")) {
      positional.push_back(argument);
      continue;
    }
    if (argument == "--") {
      only_positional = true;
      continue;
    }
    const size_t dashes = absl::StartsWith(argument, "--") ? 2 : 1;
    const size_t equals = argument.find('=');
    const std::string name = FlagName(argument.substr(dashes, equals - dashes));
    if (std::find(flags.begin(), flags.end(), name) == flags.end()) {
      std::vector<std::string> typed;
      for (const std::string& flag : flags) typed.push_back(Typed(flag));
      return absl::InvalidArgumentError(absl::StrCat("unknown flag ", argument.substr(0, equals),
                                                     Suggestion(Typed(name), typed)));
    }
    const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    std::string value;
    if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
    } else if (flag->IsOfType<bool>()) {
      value = "true";
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      return absl::InvalidArgumentError(absl::StrCat(argument, " needs a value"));
    }
    const auto [position, is_new] = values.emplace(name, value);
    if (!is_new && IsList(name)) {
      absl::StrAppend(&position->second, ",", value);
    } else if (!is_new) {
      return absl::InvalidArgumentError(absl::StrCat(Typed(name), " is given twice"));
    }
  }
  for (const auto& [name, value] : values) {
    std::string error;
    if (value.empty() || !absl::FindCommandLineFlag(name)->ParseFrom(value, &error)) {
      return absl::InvalidArgumentError(absl::StrCat("'", value, "' is no value of ", Typed(name),
                                                     error.empty() ? "" : ": ", error));
    }
  }
  for (const std::string& name : command.required_flags) {
    if (values.count(name) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(Typed(name), " is missing"));
    }
  }
  if (positional.size() != command.positional_count) {
    return absl::InvalidArgumentError(
        positional.size() > command.positional_count
            ? absl::StrCat("unexpected argument '", positional[command.positional_count], "'")
            : std::string("an argument is missing"));
  }
  return positional;
}

std::string HelpOf(const Command& command) {
  std::string help = absl::StrCat("Usage: ", command.usage, "\n\n", command.text, "\nFlags:\n");
  for (const std::string& name : FlagsOf(command)) {
    const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    const bool required = std::find(command.required_flags.begin(), command.required_flags.end(),
                                    name) != command.required_flags.end();
    absl::StrAppend(&help, "  ", Typed(name), required ? "  (required)" : "", "\n      ",
                    flag->Help(), "\n");
  }
  return help;
}

}  // namespace handpick::converter
