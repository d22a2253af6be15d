// Prints what opening takes for each byte of the file: of bundles that were crafted to take much,
// or of the files that are named.
//
//   bazel run -c opt //tests/runtime:opening_costs [-- FILE.hpk ...]
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/tiny/crafted_bundles.h"

namespace {

using handpick::testing::CraftedBundle;

std::string ReadAll(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<CraftedBundle> bundles;
  for (int i = 1; i < argc; ++i) bundles.push_back({argv[i], ReadAll(argv[i])});
  if (bundles.empty()) bundles = handpick::testing::CraftedBundles();
  double most_bytes = 0;
  double most_microseconds = 0;
  std::printf("%10s %11s %10s %11s %10s  %s\n", "bytes", "memory", "per byte", "us", "us/byte", "");
  for (const CraftedBundle& bundle : bundles) {
    const auto cost = handpick::testing::CostOfOpening(bundle.bytes, 3);
    const auto size = static_cast<double>(bundle.bytes.size());
    std::printf("%10.0f %11.0f %10.3f %11.1f %10.4f  %s: %s\n", size, cost.bytes, cost.bytes / size,
                1e6 * cost.seconds, 1e6 * cost.seconds / size, bundle.name.c_str(),
                cost.error.status == HP_OK ? "opens" : cost.error.message);
    most_bytes = std::max(most_bytes, cost.bytes / size);
    most_microseconds = std::max(most_microseconds, 1e6 * cost.seconds / size);
  }
  std::printf("most: %.3f bytes and %.4f us a byte\n", most_bytes, most_microseconds);
  return 0;
}
