#include "sdk/session/layout.h"

#include <algorithm>

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/base/packer.h"
#include "sdk/kernels/panel.h"
#include "sdk/session/model.h"
#include "sdk/session/recall_memory.h"
#include "sdk/session/session.h"
#include "sdk/session/step_kernels.h"

namespace handpick {
namespace {

// Behind everything: XNNPACK reads up to 16 bytes behind an input (XNN_EXTRA_BYTES).
constexpr size_t kTailPadding = HP_ALIGNMENT;
// Far above what a phone has; keeps the sum of a damaged bundle's sizes addressable on 32-bit
// machines.
constexpr uint64_t kMaxSessionBytes = uint64_t{1} << 31;

// Candidates of a worker in a round: so many that waking a thread is little beside them.
constexpr uint32_t kShare = 1024;

// The most scratch that one of `steps` needs.
template <typename F>
uint64_t MostScratch(absl::Span<const Step> steps, F scratch_of) {
  uint64_t most = 0;
  for (const Step& step : steps) most = std::max<uint64_t>(most, scratch_of(step));
  return most;
}

void LayOutWorker(const Plan& plan, const Plan* rounded, SessionLayout* layout) {
  constexpr uint32_t kSlots = kCandidateRegion;
  Packer worker;
  worker.Place(1, sizeof(Worker));
  layout->items = worker.Place(layout->slot_rows[kSlots], sizeof(uint32_t));
  layout->slots[kSlots] = worker.Place(layout->slot_rows[kSlots], plan.slot_row_bytes[kSlots]);
  layout->tile_slots_bytes =
      worker.Place(layout->slot_rows[kSlots], plan.slot_row_bytes[kSlots]) - layout->slots[kSlots];
  const auto place_values = [&](uint32_t region) {
    layout->values[region] = worker.Place(layout->value_rows[region], plan.value_row_bytes[region]);
  };
  place_values(kCandidateRegion);
  for (uint32_t s = 0; s < plan.sequences.size(); ++s) place_values(PairRegion(s));
  const uint64_t scratch = MostScratch(plan.candidate_steps, [&](const Step& step) {
    const size_t exact = PanelScratchOf(plan, step, layout->stride, layout->panels);
    if (rounded == nullptr) return exact;
    return std::max(exact, PanelScratchOf(*rounded, step, layout->stride, layout->panels));
  });
  layout->scratch = worker.Place(1, scratch);
  layout->logits = worker.Place(layout->share, plan.outputs.size() * sizeof(float));
  layout->selected = worker.Place(rounded == nullptr ? 0 : layout->share, sizeof(Selected));
  layout->worker_bytes = worker.bytes();
}

// Rows of the regions.
void CountRows(const Plan& plan, SessionLayout* layout) {
  const uint32_t lanes = layout->panels * layout->stride;
  layout->slot_rows[kContextRegion] = 2;
  layout->value_rows[kContextRegion] = 1;
  layout->slot_rows[kCandidateRegion] = static_cast<uint32_t>(RoundUp(layout->tile, kLaneGroup));
  layout->value_rows[kCandidateRegion] = lanes;
  for (uint32_t s = 0; s < plan.sequences.size(); ++s) {
    const uint32_t events = plan.sequences[s].max_events;
    layout->slot_rows[HistoryRegion(s)] = events + 1;
    layout->value_rows[HistoryRegion(s)] = static_cast<uint32_t>(RoundUp(events, 16));
    layout->value_rows[PairRegion(s)] = lanes * events;
  }
}

}  // namespace

hp_status MakeSessionLayout(const Model& model, const hp_session_options& options,
                            SessionLayout* layout, hp_error* error) {
  const Plan& plan = model.plan();
  const uint32_t tile = options.tile;
  const uint32_t workers = options.workers;
  if (tile > plan.tile) {
    return Fail(error, HP_INVALID_ARGUMENT, "session tile is %u, expected at most the bundle's %u",
                tile, plan.tile);
  }
  *layout = SessionLayout{};
  layout->tile = tile == 0 ? plan.tile : tile;
  layout->workers = workers;
  layout->share = std::max(layout->tile, kShare);
  const auto tile_rows = static_cast<uint32_t>(RoundUp(layout->tile, kLaneGroup));
  layout->stride = std::min(kMaxPanelLanes, tile_rows);
  layout->panels = (layout->tile + layout->stride - 1) / layout->stride;
  CountRows(plan, layout);
  Packer session;
  session.Place(1, sizeof(Session));
  layout->columns = session.Place(plan.features.size(), sizeof(const hp_column*));
  const auto place_slots = [&](uint32_t region) {
    layout->slots[region] = session.Place(layout->slot_rows[region], plan.slot_row_bytes[region]);
  };
  const auto place_values = [&](uint32_t region) {
    layout->values[region] =
        session.Place(layout->value_rows[region], plan.value_row_bytes[region]);
  };
  place_slots(kContextRegion);
  for (uint32_t s = 0; s < plan.sequences.size(); ++s) place_slots(HistoryRegion(s));
  place_values(kContextRegion);
  for (uint32_t s = 0; s < plan.sequences.size(); ++s) place_values(HistoryRegion(s));
  layout->folds = session.Place(1, model.fold_bytes());
  layout->row_scratch = session.Place(1, MostScratch(plan.session_steps, [&](const Step& step) {
                                        return RowScratchOf(plan, step);
                                      }));
  HP_TRY(ReadRecallLimits(plan, options, &layout->recall_limits, error));
  layout->recall = session.Place(1, RecallMemoryBytes(plan, layout->recall_limits));
  LayOutWorker(plan, model.rounded_plan(), layout);
  layout->first_worker = session.Place(workers, layout->worker_bytes);
  if (session.bytes() > kMaxSessionBytes) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle: a session would take more than %llu bytes",
                static_cast<unsigned long long>(kMaxSessionBytes));
  }
  layout->total = session.bytes() + kTailPadding;
  return HP_OK;
}

}  // namespace handpick
