// Bundles of every kind, and an app that uses whatever opens.
#ifndef HANDPICK_TESTS_SUPPORT_USE_BUNDLE_H_
#define HANDPICK_TESTS_SUPPORT_USE_BUNDLE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace handpick::testing {

// Those made by hand, with and without an index, and `models_of_a_kind` random ones of each kind of
// model.
std::vector<std::string> SoundBundles(uint64_t models_of_a_kind);

struct BundleUse {
  bool opened = false;
  bool scored = false;
  bool has_reason = false;  // A message, where it was not opened.
  uint64_t most_bytes = 0;  // That were taken from the allocator at a time.
};

// Opens the bytes as an app would, with an allocator that has `memory` bytes, and uses the model if
// there is one, in every way; what it is given depends on `seed`.
BundleUse UseBundle(const std::string& bytes, uint64_t seed, uint64_t memory);

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_USE_BUNDLE_H_
