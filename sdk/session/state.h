// What a session knows of its user, and where it lies: plain data that runners and recall take.
#ifndef HANDPICK_SDK_SESSION_STATE_H_
#define HANDPICK_SDK_SESSION_STATE_H_

#include <cstddef>
#include <cstdint>

#include "handpick/diagnostics.h"
#include "sdk/kernels/panel.h"
#include "sdk/program/plan.h"
#include "sdk/session/layout.h"
#include "sdk/session/model.h"

namespace handpick {

// The events of one sequence, in a ring of its max_events.
struct SequenceState {
  uint32_t oldest;        // Ring position.
  uint32_t count;         // Events that are there.
  uint32_t unfolded;      // The newest of them: attention units have no matrices of them yet.
  bool carries_state;     // Events came since the history was emptied.
  bool has_event_before;  // Of the event that history steps run for.
};

struct SessionState {
  const Model* model;
  const Plan* plan;
  SessionLayout layout;
  char* memory;  // The session's start: layout's offsets count from it.
  hp_session_counters counters;
  SequenceState sequences[kMaxSequences];
  uint32_t context_row;  // Row of the context's slots that is in force.
  bool context_set;
  Triggers stale;  // What changed since the context steps ran.

  char* At(size_t offset) const { return memory + offset; }

  EventRing RingOf(uint32_t sequence) const {
    const SequenceState& of = sequences[sequence];
    return {of.oldest, of.count, plan->sequences[sequence].max_events};
  }
  // Ring position of event e; 0 is the oldest.
  uint32_t PositionOf(uint32_t sequence, uint32_t e) const {
    return (sequences[sequence].oldest + e) % plan->sequences[sequence].max_events;
  }

  // The matrices that are kept of an attention unit; null: none.
  char* FoldsOf(const Step& unit) const {
    const size_t offset = model->FoldOffset(unit);
    return offset == kNoFolds ? nullptr : At(layout.folds + offset);
  }

  // A row of a value of the context or of a history.
  float* RowAt(const Value& value, uint32_t row) const {
    char* base =
        At(layout.values[value.region]) + size_t{value.offset} * layout.value_rows[value.region];
    return reinterpret_cast<float*>(base) + size_t{row} * value.stride + value.column;
  }
};

// The start of a worker's memory: what one thread scores its share of a round with.
struct Worker {
  hp_session_counters counters;
  hp_error error;
  uint32_t selected;  // Candidates of the share that are scored exactly, after all were rounded.
};

// One of them.
struct Selected {
  size_t index;  // In the batch.
  float logit;   // Rounded.
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_STATE_H_
