// A bundle is opened, scored and recalled with.
#include <cstdint>

#include "tests/fuzz/mutate_bundle.h"
#include "tests/fuzz/target.h"
#include "tests/support/sound_bundles.h"
#include "tests/support/use_bundle.h"

namespace handpick::fuzz {
namespace {

// What a bundle of some kilobytes may take at most.
constexpr uint64_t kMemory = uint64_t{64} << 20;

}  // namespace

const char* const kTargetName = "open_score_recall";

void RunTarget(const std::string& input) {
  uint64_t hash = 1469598103934665603u;  // FNV: an input is always used in the same way.
  for (const char c : input) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
  const testing::BundleUse use = testing::UseBundle(input, hash, kMemory);
  Require(use.has_reason != use.opened, "a bundle is refused without a reason");
}

std::vector<std::string> Seeds() { return testing::SoundBundles(1); }

std::string Mutated(const std::string& input, Random* random) {
  return MutateBundle(input, random);
}

}  // namespace handpick::fuzz
