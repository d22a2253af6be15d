// One user's context and history, and the scratch to score candidates with, inside the caller's
// memory.
#ifndef HANDPICK_SDK_SESSION_SESSION_H_
#define HANDPICK_SDK_SESSION_SESSION_H_

#include <cstddef>
#include <cstdint>

#include "sdk/base/error.h"
#include "sdk/program/plan.h"
#include "sdk/session/layout.h"
#include "sdk/session/model.h"

namespace handpick {

// The memory is laid out as session/layout.h draws it; the Session object stands at its start. All
// functions leave the session as it was when they fail, but for `error`.
class StepRunner;

class Session {
 public:
  // Takes over zeroed memory of layout.total bytes, of which this object is the start.
  Session(const Model& model, const SessionLayout& layout);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  hp_status SetContext(const hp_batch& context);
  hp_status AppendEvents(const hp_batch& events);
  hp_status SetHistory(const hp_batch& events);

  // Calls sink(first candidate, count, logits, stride in elements) for each tile, in order.
  template <typename Sink>
  hp_status Score(const hp_batch& candidates, Sink&& sink) {
    HP_TRY(BeginScoring(candidates));
    for (size_t first = 0; first < candidates.row_count;) {
      const uint32_t count = TileAt(candidates, first);
      Logits logits;
      HP_TRY(ScoreTile(first, count, &logits));
      sink(first, count, logits.data, logits.stride);
      first += count;
    }
    return HP_OK;
  }

  hp_status CheckGoldens(float* worst);

  // Without a clock, profiling ends. HP_INVALID_ARGUMENT: not one entry for each step.
  hp_status SetProfile(const hp_profile& profile);

  const Model& model() const { return model_; }
  const hp_session_counters& counters() const { return counters_; }
  hp_error* error() { return &error_; }
  const hp_error* error() const { return &error_; }

 private:
  struct Logits {
    const float* data;
    size_t stride;
  };

  hp_status BeginScoring(const hp_batch& candidates);
  uint32_t TileAt(const hp_batch& candidates, size_t first) const;
  hp_status ScoreTile(size_t first, uint32_t count, Logits* logits);

  // Binds and checks all events without changing the history.
  hp_status CheckEvents(const hp_batch& events);
  // Takes events in that CheckEvents passed.
  hp_status TakeEvents(const hp_batch& events);
  hp_status RefreshContext();
  // Runs the event steps of the event at a ring position: those that are recurrent, or the others.
  hp_status RunEventSteps(uint32_t position, bool recurrent);
  hp_status RunStep(StepRunner* runner, const Step& step);
  // The entry of a step in the profile's array.
  hp_step_profile* ProfileOf(const Step& step) const;
  void ClearHistory();

  char* Memory(size_t offset) { return reinterpret_cast<char*>(this) + offset; }
  const hp_column** columns() {
    return reinterpret_cast<const hp_column**>(Memory(layout_.columns));
  }

  friend class StepRunner;

  const Model& model_;
  const Plan& plan_;
  SessionLayout layout_;
  hp_session_counters counters_ = {};
  hp_error error_ = {};
  hp_profile profile_ = {};   // Without a clock: nothing is profiled.
  uint32_t context_row_ = 0;  // Row of the context's slots that is in force.
  bool context_set_ = false;
  uint8_t stale_ = kContextTrigger | kHistoryTrigger;  // What changed since the context steps ran.
  uint32_t oldest_event_ = 0;                          // Ring position.
  uint32_t event_count_ = 0;
  bool has_event_before_ = false;  // Of the event that history steps run for.
  bool carries_state_ = false;     // Events came since the history was emptied.
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_SESSION_H_
