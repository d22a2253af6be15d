// What a fuzz target is. A program has one: libFuzzer's, or the test that replays its cases.
#ifndef HANDPICK_TESTS_FUZZ_TARGET_H_
#define HANDPICK_TESTS_FUZZ_TARGET_H_

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace handpick::fuzz {

using Random = std::mt19937_64;

// A number below `limit`, 0 for 0.
inline uint64_t Below(uint64_t limit, Random* random) {
  return limit == 0 ? 0 : (*random)() % limit;
}

// The name of the folder of its cases.
extern const char* const kTargetName;

// Gives the bytes to the code under test. Ends the program when that does what it must not.
void RunTarget(const std::string& input);

// Inputs that are right, or nearly.
std::vector<std::string> Seeds();

// Another input, made with knowledge of what it is; the same for the same state of `random`.
std::string Mutated(const std::string& input, Random* random);

// A few bytes changed, repeated, left out or put in.
std::string MutatedBytes(std::string input, Random* random);

// A finding, unless `holds`. Not assert: it counts in optimised builds.
void Require(bool holds, const char* what);

}  // namespace handpick::fuzz

#endif  // HANDPICK_TESTS_FUZZ_TARGET_H_
