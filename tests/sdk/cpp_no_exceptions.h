// The C++ header in a file without exceptions.
#ifndef HANDPICK_TESTS_SDK_CPP_NO_EXCEPTIONS_H_
#define HANDPICK_TESTS_SDK_CPP_NO_EXCEPTIONS_H_

#include <cstdint>
#include <string>

// Opens the bundle, scores with it, and returns its bytes; ends the process if it can't.
uint64_t OpenWithoutExceptions(const std::string& path);

#endif  // HANDPICK_TESTS_SDK_CPP_NO_EXCEPTIONS_H_
