// An app that uses a model in every way, whatever it is.
//
// What the model is given depends on a seed, and on nothing else but what it says of itself: a
// damaged bundle may want other numbers of values than the one it was made from.
#ifndef HANDPICK_TESTS_SUPPORT_USE_BUNDLE_H_
#define HANDPICK_TESTS_SUPPORT_USE_BUNDLE_H_

#include <cstdint>
#include <string>

#include "handpick/handpick.h"

namespace handpick::testing {

// Sessions that a test is ready to make.
inline constexpr size_t kLargestSession = size_t{16} << 20;

// Replays goldens, sets context and events, scores, recalls, recommends and ranks. Whether
// candidates were scored.
bool UseSession(const hp_model* model, hp_session* session, uint64_t seed, bool goldens = true);

struct BundleUse {
  bool opened = false;
  bool scored = false;
  bool has_reason = false;  // A message, where it was not opened.
  uint64_t most_bytes = 0;  // That were taken from the allocator at a time.
};

// Opens the bytes with an allocator that has `memory` bytes, and uses the model if there is one.
BundleUse UseBundle(const std::string& bytes, uint64_t seed, uint64_t memory);

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_USE_BUNDLE_H_
