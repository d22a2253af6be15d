#include "sdk/session/layout.h"

#include <algorithm>

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/kernels/panel.h"
#include "sdk/session/recall_memory.h"
#include "sdk/session/session.h"
#include "sdk/session/step_weights.h"

namespace handpick {
namespace {

// Behind everything: XNNPACK reads up to 16 bytes behind an input (XNN_EXTRA_BYTES).
constexpr uint64_t kTailPadding = HP_ALIGNMENT;
// Far above what a phone has; keeps the sum of a damaged bundle's sizes addressable on 32-bit
// machines.
constexpr uint64_t kMaxSessionBytes = uint64_t{1} << 31;

// Candidates of a worker in a round: so many that waking a thread is little beside them.
constexpr uint32_t kShare = 1024;

// Adds up parts that lie one behind the other.
class Packer {
 public:
  // Places `rows` rows of `row_bytes` bytes and returns where they lie.
  size_t Place(uint64_t rows, uint64_t row_bytes) {
    const auto offset = static_cast<size_t>(total_);
    // Neither exceeds 32 bits by much: their product cannot pass 64.
    fits_ = fits_ && CheckedAdd(total_, rows * row_bytes, &total_) && total_ <= kMaxSessionBytes;
    if (fits_) total_ = RoundUp(total_, HP_ALIGNMENT);
    return offset;
  }

  bool fits() const { return fits_; }
  uint64_t total() const { return total_; }

 private:
  uint64_t total_ = 0;
  bool fits_ = true;
};

bool LayOutWorker(const Plan& plan, SessionLayout* layout) {
  Packer worker;
  worker.Place(1, sizeof(Worker));
  layout->items = worker.Place(layout->slot_rows[2], sizeof(uint32_t));
  layout->slots[2] = worker.Place(layout->slot_rows[2], plan.slot_row_bytes[2]);
  layout->tile_slots_bytes =
      worker.Place(layout->slot_rows[2], plan.slot_row_bytes[2]) - layout->slots[2];
  layout->slots[3] = worker.Place(0, 0);
  for (const int domain : {2, 3}) {
    layout->values[domain] =
        worker.Place(layout->value_rows[domain], plan.region_row_bytes[domain]);
  }
  uint64_t scratch = 0;
  for (const Step& step : plan.candidate_steps) {
    scratch =
        std::max<uint64_t>(scratch, ScratchOfStep(plan, step, layout->stride, layout->panels));
  }
  layout->scratch = worker.Place(1, scratch);
  layout->logits = worker.Place(layout->share, sizeof(float));
  layout->worker_bytes = static_cast<size_t>(worker.total());
  return worker.fits();
}

}  // namespace

hp_status MakeSessionLayout(const Plan& plan, const hp_session_options& options,
                            SessionLayout* layout, hp_error* error) {
  const uint32_t tile = options.tile;
  const uint32_t workers = options.workers;
  if (tile > plan.tile) {
    return Fail(error, HP_INVALID_ARGUMENT, "session tile is %u, expected at most the bundle's %u",
                tile, plan.tile);
  }
  layout->tile = tile == 0 ? plan.tile : tile;
  layout->workers = workers;
  layout->share = std::max(layout->tile, kShare);
  const auto tile_rows = static_cast<uint32_t>(RoundUp(layout->tile, kLaneGroup));
  layout->stride = std::min(kMaxPanelLanes, tile_rows);
  layout->panels = (layout->tile + layout->stride - 1) / layout->stride;
  const uint32_t lanes = layout->panels * layout->stride;
  layout->slot_rows[0] = 2;
  layout->slot_rows[1] = plan.max_history == 0 ? 0 : plan.max_history + 1;
  layout->slot_rows[2] = tile_rows;
  layout->slot_rows[3] = 0;
  layout->value_rows[0] = 1;
  layout->value_rows[1] = static_cast<uint32_t>(RoundUp(plan.max_history, 16));
  layout->value_rows[2] = lanes;
  layout->value_rows[3] = lanes * plan.max_history;
  Packer session;
  session.Place(1, sizeof(Session));
  layout->columns = session.Place(plan.features.size(), sizeof(const hp_column*));
  for (const int domain : {0, 1}) {
    layout->slots[domain] = session.Place(layout->slot_rows[domain], plan.slot_row_bytes[domain]);
  }
  for (const int domain : {0, 1}) {
    layout->values[domain] =
        session.Place(layout->value_rows[domain], plan.region_row_bytes[domain]);
  }
  HP_TRY(ReadRecallLimits(plan, options, &layout->recall_limits, error));
  layout->recall = session.Place(1, RecallMemoryBytes(plan, layout->recall_limits));
  const bool worker_fits = LayOutWorker(plan, layout);
  layout->first_worker = session.Place(workers, worker_fits ? layout->worker_bytes : 0);
  if (!worker_fits || !session.fits()) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle: a session would take more than %llu bytes",
                static_cast<unsigned long long>(kMaxSessionBytes));
  }
  layout->total = static_cast<size_t>(session.total() + kTailPadding);
  return HP_OK;
}

}  // namespace handpick
