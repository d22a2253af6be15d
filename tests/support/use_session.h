// An app that uses a model in every way, whatever it is.
#ifndef HANDPICK_TESTS_SUPPORT_USE_SESSION_H_
#define HANDPICK_TESTS_SUPPORT_USE_SESSION_H_

#include <cstddef>
#include <cstdint>

#include "handpick/handpick.h"

namespace handpick::testing {

// Sessions that a test is ready to make.
inline constexpr size_t kLargestSession = size_t{16} << 20;

// Replays goldens, sets context and events, scores, recalls, recommends and ranks; what it is given
// depends on `seed`, and on nothing else but what the model says of itself: a damaged bundle may
// want other numbers of values than the one it was made from. Whether candidates were scored.
bool UseSession(const hp_model* model, hp_session* session, uint64_t seed, bool goldens = true);

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_USE_SESSION_H_
