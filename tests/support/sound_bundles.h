// Bundles of every kind.
#ifndef HANDPICK_TESTS_SUPPORT_SOUND_BUNDLES_H_
#define HANDPICK_TESTS_SUPPORT_SOUND_BUNDLES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace handpick::testing {

// Those made by hand, without an index and with one of each kind, and `models_of_a_kind` random
// ones of each kind of model.
std::vector<std::string> SoundBundles(uint64_t models_of_a_kind);

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_SOUND_BUNDLES_H_
