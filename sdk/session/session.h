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
#include "sdk/session/recall_memory.h"

namespace handpick {

class Recaller;
class RecallOverlay;
class RowRunner;
class TileRunner;

// What an app gets to see of a logit.
float ScoreOf(const Plan& plan, float logit);

// The start of a worker's memory: what one thread scores a tile with.
struct Worker {
  hp_session_counters counters;
  hp_error error;
  // Candidates whose features stand in slots[ready]: those of the tile that comes next, once they
  // were resolved while the one before was scored. ready_count 0: none.
  size_t ready_first;
  uint32_t ready_count;
  uint32_t ready;
};

// The caller's threads; without a function, tiles are scored one after the other.
struct Threads {
  hp_parallel_for parallel_for;
  void* user;
};

// The memory is laid out as session/layout.h draws it; the Session object stands at its start. All
// functions leave the session as it was when they fail, but for `error`.
class Session {
 public:
  // Takes over zeroed memory of layout.total bytes, of which this object is the start.
  Session(const Model& model, const SessionLayout& layout, const Threads& threads);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  hp_status SetContext(const hp_batch& context);
  hp_status AppendEvents(const hp_batch& events);
  hp_status SetHistory(const hp_batch& events);

  // Calls sink(index of a candidate, logit) for each candidate, in order.
  template <typename Sink>
  hp_status Score(const hp_batch& candidates, Sink&& sink) {
    HP_TRY(BeginScoring(candidates));
    for (size_t first = 0; first < candidates.row_count;) {
      const Round round = ScoreRound(first, candidates.row_count);
      for (uint32_t t = 0; t < round.tiles; ++t) {
        if (WorkerAt(t)->error.status != HP_OK) return TakeError(t);
        const TileLogits logits = LogitsOf(t, round);
        for (uint32_t i = 0; i < round.CountOf(t); ++i) {
          sink(round.first + size_t{t} * round.tile + i, logits.At(i));
        }
      }
      first = round.end;
    }
    return HP_OK;
  }

  hp_status CheckGoldens(float* worst);

  // As the C API has them; `overlay`: that of the options, or null.
  hp_status Recall(const hp_recall_options& options, const RecallOverlay* overlay,
                   hp_recalled* items, size_t* count);
  hp_status Recommend(const hp_recall_options& options, const RecallOverlay* overlay, size_t k,
                      hp_recommended* items, size_t* count);
  const hp_recall_report& recall_report() const { return recall_report_; }

  // Without a clock, profiling ends. HP_INVALID_ARGUMENT: not one entry for each step.
  hp_status SetProfile(const hp_profile& profile);

  const Model& model() const { return model_; }
  const hp_session_counters& counters() const { return counters_; }
  hp_error* error() { return &error_; }
  const hp_error* error() const { return &error_; }

 private:
  // Tiles that are scored at the same time, one by each worker.
  struct Round {
    size_t first;  // Candidates [first, end).
    size_t end;
    uint32_t tile;
    uint32_t tiles;
    uint32_t CountOf(uint32_t t) const {
      const size_t begin = first + size_t{t} * tile;
      return static_cast<uint32_t>(end - begin < tile ? end - begin : tile);
    }
  };
  // Logits of a tile as they lie in its panels.
  struct TileLogits {
    const float* data;
    uint32_t stride;      // Lanes of a panel; 0: one number for all.
    size_t panel_floats;  // From one panel to the next.
    float At(uint32_t i) const {
      return stride == 0 ? *data : data[i / stride * panel_floats + i % stride];
    }
  };
  struct RoundTask;

  hp_status BeginScoring(const hp_batch& candidates);
  // The round that begins with candidate `first`; it is empty where none is left.
  Round PlanRound(size_t first, size_t row_count) const;
  Round ScoreRound(size_t first, size_t row_count);
  static void RunTask(void* task, uint32_t index);
  // Candidates of a round that one worker scores.
  struct Tile {
    size_t first;
    uint32_t count;
  };
  static Tile TileOf(const Round& round, uint32_t t) {
    if (t >= round.tiles) return {0, 0};
    return {round.first + size_t{t} * round.tile, round.CountOf(t)};
  }
  // `next`: what the worker scores after it.
  hp_status ScoreTile(Worker* worker, bool profiled, const Tile& tile, const Tile& next);
  hp_status ResolveTile(Worker* worker, const Tile& tile, uint32_t slots);
  TileLogits LogitsOf(uint32_t t, const Round& round);
  hp_status TakeError(uint32_t t);
  Worker* WorkerAt(uint32_t index) {
    return reinterpret_cast<Worker*>(
        Memory(layout_.first_worker + size_t{index} * layout_.worker_bytes));
  }

  // Binds and checks all events without changing the history.
  hp_status CheckEvents(const hp_batch& events);
  // Takes events in that CheckEvents passed.
  hp_status TakeEvents(const hp_batch& events);
  hp_status RefreshContext();
  // Runs the event steps of the event at a ring position: those that are recurrent, or the others.
  hp_status RunEventSteps(uint32_t position, bool recurrent);
  hp_status RunStep(RowRunner* runner, const Step& step);
  // The clock's time while profiling, otherwise 0.
  uint64_t Now() const { return profile_.clock == nullptr ? 0 : profile_.clock(profile_.user); }
  // Adds the time since `start` to a step's entry.
  void Profile(const Step& step, uint64_t start);
  // The entry of a step in the profile's array.
  hp_step_profile* ProfileOf(const Step& step) const;
  void ClearHistory();

  // Where the model's vector of the user is, up to date, if the options ask for it; else null.
  hp_status ModelUser(const hp_recall_options& options, const float** user);
  hp_status RunRecall(Recaller* recaller, bool to_rank);
  // Notes the item of event `e` of the bound batch, at a ring position.
  void NoteItem(size_t e, uint32_t position);
  RecallMemory recall_memory() {
    return RecallMemoryAt(plan_, layout_.recall_limits, Memory(layout_.recall));
  }

  char* Memory(size_t offset) { return reinterpret_cast<char*>(this) + offset; }
  const hp_column** columns() {
    return reinterpret_cast<const hp_column**>(Memory(layout_.columns));
  }

  friend class RowRunner;
  friend class TileRunner;

  const Model& model_;
  const Plan& plan_;
  SessionLayout layout_;
  const Threads threads_;
  hp_session_counters counters_ = {};
  hp_error error_ = {};
  hp_profile profile_ = {};  // Without a clock: nothing is profiled.
  hp_recall_report recall_report_ = {};
  // Catalog positions of the candidates that are being scored; null: found by their ids.
  const uint32_t* catalog_items_ = nullptr;
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
