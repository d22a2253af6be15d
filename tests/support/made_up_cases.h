#ifndef HANDPICK_TESTS_SUPPORT_MADE_UP_CASES_H_
#define HANDPICK_TESTS_SUPPORT_MADE_UP_CASES_H_

#include <cstdint>
#include <cstdlib>

namespace handpick::testing {

// The percentage of made-up cases that tests try. 100, unless HANDPICK_TEST_CASES is set: .bazelrc
// sets it where each case takes long (sanitizers, emulators). The normal build on the same machine
// tries all of them.
inline uint64_t PercentOfCases() {
  const char* percent = std::getenv("HANDPICK_TEST_CASES");
  if (percent == nullptr) return 100;
  const int number = std::atoi(percent);
  if (number < 1 || number > 100) std::abort();
  return static_cast<uint64_t>(number);
}

// How many of `all` made-up cases a test tries; one at least.
inline uint64_t SomeOf(uint64_t all) { return (all * PercentOfCases() + 99) / 100; }

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_MADE_UP_CASES_H_
