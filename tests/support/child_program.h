// A program in a child process, without a shell.
#ifndef HANDPICK_TESTS_SUPPORT_CHILD_PROGRAM_H_
#define HANDPICK_TESTS_SUPPORT_CHILD_PROGRAM_H_

#include <sys/types.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

namespace handpick {

// Starts the program of that path in a child, which `prepare` gets ready; returns the child's id.
inline pid_t StartProgram(std::string path, std::vector<std::string> arguments,
                          const std::function<void()>& prepare) {
  const pid_t child = fork();
  if (child != 0) return child;
  prepare();
  std::vector<char*> pointers = {&path[0]};
  for (std::string& argument : arguments) pointers.push_back(&argument[0]);
  pointers.push_back(nullptr);
  execv(path.c_str(), pointers.data());
  _exit(127);
}

}  // namespace handpick

#endif  // HANDPICK_TESTS_SUPPORT_CHILD_PROGRAM_H_
