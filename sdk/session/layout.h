// Where everything lies in a session's memory.
//
//   | session | columns | slots | values | folds | scratch | recall | worker 0 | ... | padding |
//     create .................................................................... end
//
//   columns: the batch's column of each feature, for the duration of one call
//   slots:   resolved features (rows, numbers): two rows for the context (the one in force, and the
//            one that is being set), a ring for each sequence (and a row to check events in)
//   values:  results of context and history steps, which stay until they are computed again
//   folds:   the matrix of each event, unit after unit of attention (see KeptFoldBytes), which is
//            made when candidates are scored for the first time after the event came
//   scratch: what kernels of context and history steps work in
//   recall:  items of the events, and what a recall works in: see session/recall_memory.h
//   worker:  what one thread needs to score its share of candidates, tile after tile: the tile's
//            resolved features and those of the next tile, whose rows are fetched meanwhile, the
//            results of candidate and pair steps, scratch, and the logits of the share
//   padding: the engine reads up to 16 bytes behind a dense layer's input
//
// The values of candidates lie in panels (see kernels/panel.h): a tile is `panels` panels of
// `stride` lanes, and a buffer of it has panel after panel. Pair values have one such panel for
// each event: those of a panel together, oldest event first.
#ifndef HANDPICK_SDK_SESSION_LAYOUT_H_
#define HANDPICK_SDK_SESSION_LAYOUT_H_

#include <cstddef>
#include <cstdint>

#include "sdk/program/plan.h"

namespace handpick {

class Model;

// The largest recall that a session can do. Numbers are in force: no defaults. All 0 without an
// index.
struct RecallLimits {
  uint32_t k;
  uint32_t interests;
  uint32_t probes;
};

struct SessionLayout {
  uint32_t tile;     // Candidates that are scored together.
  uint32_t workers;  // Threads that score at a time.
  uint32_t share;    // Candidates that each of them scores in a round, at most.
  uint32_t stride;   // Lanes of a panel: a multiple of kLaneGroup.
  uint32_t panels;
  // By region (RegionOf). Rows that each is made for: of values multiples of 16, but 1 for the
  // context.
  uint32_t slot_rows[kRegionCount];
  uint32_t value_rows[kRegionCount];
  // Offsets, multiples of HP_ALIGNMENT: from the session's start, those of a worker (values of
  // candidates and pairs, slots of candidates) from its own.
  size_t columns;
  size_t slots[kRegionCount];
  size_t values[kRegionCount];
  size_t folds;
  size_t row_scratch;  // For kernels over rows.
  size_t recall;
  RecallLimits recall_limits;
  size_t tile_slots_bytes;  // Worker: from the slots of a tile to those of the next one.
  size_t items;             // Worker: catalog position of each candidate.
  size_t scratch;           // Worker: for kernels.
  size_t logits;            // Worker: [share]
  size_t selected;          // Worker: [share], of a model with a rounded plan.
  size_t first_worker;
  size_t worker_bytes;
  size_t total;
};

// `options` are those that count, `workers` at least 1; other zeros are defaults.
// HP_INVALID_ARGUMENT: a tile larger than the plan's, or a recall larger than the header's limits.
// HP_BUNDLE_CORRUPT: more memory than can be addressed.
hp_status MakeSessionLayout(const Model& model, const hp_session_options& options,
                            SessionLayout* layout, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_LAYOUT_H_
