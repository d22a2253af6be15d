#include "sdk/session/layout.h"

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/session/session.h"

namespace handpick {
namespace {

// Behind everything: XNNPACK reads up to 16 bytes behind an input (XNN_EXTRA_BYTES).
constexpr uint64_t kTailPadding = HP_ALIGNMENT;
// Far above what a phone has; keeps the sum of a damaged bundle's sizes addressable on 32-bit
// machines.
constexpr uint64_t kMaxSessionBytes = uint64_t{1} << 31;

// Adds a part of `bytes` bytes behind `total`, and says where it lies.
bool Place(uint64_t bytes, uint64_t* total, size_t* offset) {
  *offset = static_cast<size_t>(*total);
  if (!CheckedAdd(*total, bytes, total) || *total > kMaxSessionBytes) return false;
  *total = RoundUp(*total, HP_ALIGNMENT);
  return true;
}

}  // namespace

hp_status MakeSessionLayout(const Plan& plan, uint32_t tile, SessionLayout* layout,
                            hp_error* error) {
  if (tile > plan.tile) {
    return Fail(error, HP_INVALID_ARGUMENT, "session tile is %u, expected at most the bundle's %u",
                tile, plan.tile);
  }
  layout->tile = tile == 0 ? plan.tile : tile;
  const auto tile_rows = static_cast<uint32_t>(RoundUp(layout->tile, 16));
  layout->slot_rows[0] = 2;
  layout->slot_rows[1] = plan.max_history == 0 ? 0 : plan.max_history + 1;
  layout->slot_rows[2] = tile_rows;
  layout->slot_rows[3] = 0;
  layout->value_rows[0] = 1;
  layout->value_rows[1] = static_cast<uint32_t>(RoundUp(plan.max_history, 16));
  layout->value_rows[2] = tile_rows;
  // The engine computes two rows at least.
  layout->value_rows[3] =
      static_cast<uint32_t>(RoundUp(uint64_t{layout->tile} * plan.max_history + 1, 16));
  uint64_t total = RoundUp(sizeof(Session), HP_ALIGNMENT);
  bool fits = Place(plan.features.size() * sizeof(const hp_column*), &total, &layout->columns);
  fits = fits && Place(sizeof(uint32_t) * uint64_t{tile_rows}, &total, &layout->items);
  for (int domain = 0; domain < kDomainCount; ++domain) {
    const uint64_t rows = layout->slot_rows[domain];
    fits = fits && Place(plan.slot_row_bytes[domain] * rows, &total, &layout->slots[domain]);
  }
  for (int domain = 0; domain < kDomainCount; ++domain) {
    const uint64_t rows = layout->value_rows[domain];
    fits = fits && Place(plan.region_row_bytes[domain] * rows, &total, &layout->values[domain]);
  }
  if (!fits) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle: a session would take more than %llu bytes",
                static_cast<unsigned long long>(kMaxSessionBytes));
  }
  layout->total = static_cast<size_t>(total + kTailPadding);
  return HP_OK;
}

}  // namespace handpick
