// Bundles that ask for far more work or memory than they are long: references of a FlatBuffer may
// be shared, which no writer of bundles does.
#ifndef HANDPICK_TESTS_SUPPORT_TINY_CRAFTED_BUNDLES_H_
#define HANDPICK_TESTS_SUPPORT_TINY_CRAFTED_BUNDLES_H_

#include <functional>
#include <string>
#include <vector>

#include "flatbuffers/flatbuffers.h"
#include "handpick/handpick.h"
#include "schema/bundle_generated.h"

namespace handpick::testing {

struct CraftedBundle {
  std::string name;
  std::string bytes;
};

std::vector<CraftedBundle> CraftedBundles();

// A bundle as far as its header, to which the caller adds what it shares.
std::string FinishCrafted(flatbuffers::FlatBufferBuilder* builder,
                          const std::function<void(schema::BundleBuilder*)>& add);

// What opening a bundle takes.
struct OpeningCost {
  hp_error error;
  double bytes;    // The most that is taken from the allocator at a time, the model included.
  double seconds;  // The least of a few openings.
};

OpeningCost CostOfOpening(const std::string& bundle, int openings);

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_TINY_CRAFTED_BUNDLES_H_
