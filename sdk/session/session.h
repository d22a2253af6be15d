// One user's context and history, and the scratch to score candidates with, inside the caller's
// memory.
#ifndef HANDPICK_SDK_SESSION_SESSION_H_
#define HANDPICK_SDK_SESSION_SESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "handpick/diagnostics.h"
#include "sdk/base/error.h"
#include "sdk/program/plan.h"
#include "sdk/recall/index.h"
#include "sdk/session/layout.h"
#include "sdk/session/model.h"
#include "sdk/session/recall_memory.h"
#include "sdk/session/state.h"

namespace handpick {

class Recaller;
class RecallOverlay;
class RowRunner;
class TileRunner;
class TopK;

// What an app gets to see of a logit of output `output`.
float ScoreOf(const Plan& plan, float logit, uint32_t output);

// The caller's threads; without a function, tiles are scored one after the other.
struct Threads {
  hp_parallel_for parallel_for;
  void* opaque;
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
  // Of the sequence that the columns belong to; without columns, of the first.
  hp_status AppendEvents(const hp_batch& events);
  hp_status SetHistory(const hp_batch& events);

  // Calls sink(index of a candidate, logit of an output) for each candidate, in order.
  template <typename Sink>
  hp_status Score(const hp_batch& candidates, uint32_t output, Sink&& sink) {
    return ScoreOutputs(candidates, [&](size_t candidate, const float* logits, size_t stride) {
      sink(candidate, logits[output * stride]);
    });
  }

  // Calls sink(index of a candidate, logits, stride) for each candidate, in order: the logit of
  // output o is logits[o * stride].
  template <typename Sink>
  hp_status ScoreOutputs(const hp_batch& candidates, Sink&& sink) {
    HP_TRY(BeginScoring(candidates));
    for (size_t first = 0; first < candidates.row_count;) {
      Round round;
      HP_TRY(ScoreRound(first, candidates.row_count, Pass::kExact, &round));
      for (uint32_t w = 0; w < round.workers; ++w) {
        const Share share = round.ShareOf(w);
        const float* logits = LogitsOf(w);
        for (size_t i = share.first; i < share.end; ++i) {
          sink(i, logits + (i - share.first), state_.layout.share);
        }
      }
      first = round.end;
    }
    return HP_OK;
  }

  // Adds the best to `top`, which is empty, with the bits of Score(), but scores exactly only those
  // that may be among them: see hp_rank_options.margin. Of a model with a rounded plan.
  hp_status RankPreselected(const hp_batch& candidates, uint32_t output, double margin, TopK* top);

  hp_status CheckGoldens(float* worst);

  // HP_UNKNOWN_OUTPUT: the model has none of that number; `what` asks for it.
  hp_status CheckOutput(const char* what, uint64_t output);

  // As the C API has them; `overlay`: that of the options, or null.
  hp_status Recall(const hp_recall_options& options, const RecallOverlay* overlay,
                   hp_recalled* items, size_t* count);
  hp_status Recommend(const hp_recall_options& options, const RecallOverlay* overlay, size_t k,
                      hp_recommended* items, size_t* count);
  const hp_recall_report& recall_report() const { return recall_report_; }

  // Without a clock, profiling ends. HP_INVALID_ARGUMENT: not one entry for each step.
  hp_status SetProfile(const hp_profile& profile);

  // The model's handle, of a session that the library allocated: an owner of it. Null of others.
  hp_model* owned() const { return owned_; }
  void set_owned(hp_model* model) { owned_ = model; }
  size_t total_bytes() const { return state_.layout.total; }

  const Model& model() const { return *state_.model; }
  const hp_session_counters& counters() const { return state_.counters; }
  hp_error* error() { return &error_; }
  const hp_error* error() const { return &error_; }

 private:
  // Candidates that one worker scores, tile after tile: [first, end).
  struct Share {
    size_t first;
    size_t end;
  };
  // What is scored by one call of the caller's threads.
  struct Round {
    size_t first;  // Candidates [first, end).
    size_t end;
    size_t share;  // Candidates of each worker but the last.
    uint32_t workers;
    Share ShareOf(uint32_t w) const {
      const size_t begin = first + w * share;
      return {begin, end - begin < share ? end : begin + share};
    }
  };
  // What a round scores: all candidates by the plan, all by the rounded plan, or by the plan those
  // that Select() selected.
  enum class Pass : uint8_t { kExact, kRounded, kSelected };
  // What the tasks of a round share. It stays in the session, for those that come when the round is
  // over: what a thread of the caller's does is not to be relied on.
  struct RoundTasks {
    Round round = {};
    Pass pass = Pass::kExact;
    // Bits of workers. All are set between rounds, so that nobody begins a task then.
    std::atomic<uint64_t> begun{~uint64_t{0}};
    std::atomic<uint64_t> done{0};
    std::atomic<uint64_t> again{0};   // Asked for when they were begun.
    std::atomic<uint32_t> beyond{0};  // An index that no worker has; 0: none was asked for.
  };

  hp_status BeginScoring(const hp_batch& candidates);
  // Scores candidates from `first` on, as many as `round` then says. HP_INVALID_ARGUMENT: the
  // caller's parallel_for ran other tasks than it was asked to.
  hp_status ScoreRound(size_t first, size_t row_count, Pass pass, Round* round);
  hp_status RunRound(const Round& round, Pass pass);
  hp_status RunTasks(uint32_t count);
  static void RunTask(void* session, uint32_t index);
  void ScoreShare(uint32_t worker, const Share& share, Pass pass);
  // Resolves the features of `count` candidates into one of a worker's two sets of slots: those
  // from `first` on, or (`selected` is not null) those that follow the share's first.
  hp_status ResolveTile(Worker* worker, size_t first, uint32_t count, const Selected* selected,
                        uint32_t slots);
  // Selects the candidates of a share whose rounded logits are not below `least`.
  void Select(uint32_t worker, const Share& share, uint32_t output, double least);
  // Writes the tile's logits, those of an output `share` numbers behind those of the one before.
  void ScoreTile(TileRunner* runner, Worker* worker, bool profiled, uint32_t count, float* logits);
  // The column of ids while recalled items are being ranked; null otherwise.
  const hp_column* RecalledIds() {
    return catalog_items_ == nullptr ? nullptr : columns()[plan_.recall->candidate_feature];
  }
  float* LogitsOf(uint32_t worker) {
    return reinterpret_cast<float*>(reinterpret_cast<char*>(WorkerAt(worker)) +
                                    state_.layout.logits);
  }
  Selected* SelectedOf(uint32_t worker) {
    return reinterpret_cast<Selected*>(reinterpret_cast<char*>(WorkerAt(worker)) +
                                       state_.layout.selected);
  }
  hp_status TakeError(uint32_t worker);
  Worker* WorkerAt(uint32_t index) {
    return reinterpret_cast<Worker*>(
        Memory(state_.layout.first_worker + size_t{index} * state_.layout.worker_bytes));
  }

  uint32_t SequenceOf(const hp_batch& events) const;
  // Binds and checks all events without changing the history.
  hp_status CheckEvents(const hp_batch& events, uint32_t sequence);
  hp_status SetHistory(const hp_batch& events, uint32_t sequence);
  // Takes events in that CheckEvents passed.
  hp_status TakeEvents(const hp_batch& events, uint32_t sequence);
  hp_status RefreshContext();
  // Makes the matrices of events that came since candidates were scored.
  void FoldNewEvents();
  // Runs the steps of a sequence for the event at a ring position: those that are recurrent, or the
  // others.
  hp_status RunEventSteps(uint32_t sequence, uint32_t position, bool recurrent);
  hp_status RunStep(RowRunner* runner, const Step& step);
  // The clock's time while profiling, otherwise 0.
  uint64_t Now() const { return profile_.clock == nullptr ? 0 : profile_.clock(profile_.opaque); }
  // Adds the time since `start` to a step's entry.
  void Profile(const Step& step, uint64_t start);
  // The entry of a step in the profile's array.
  hp_step_profile* ProfileOf(const Step& step) const;
  void ClearHistory(uint32_t sequence);

  // Where the model's vector of the user is, up to date, if the options ask for it; else null.
  hp_status ModelUser(const hp_recall_options& options, const float** user);
  hp_status RunRecall(Recaller* recaller, bool to_rank);
  // Notes the item of event `e` of the bound batch, at a ring position.
  void NoteItem(uint32_t sequence, size_t e, uint32_t position);
  // The events whose items recall looks at.
  EventRing EventsOfItems() const;
  RecallMemory recall_memory() {
    return RecallMemoryAt(plan_, state_.layout.recall_limits, Memory(state_.layout.recall));
  }

  char* Memory(size_t offset) { return state_.At(offset); }
  const hp_column** columns() {
    return reinterpret_cast<const hp_column**>(Memory(state_.layout.columns));
  }

  const Plan& plan_;
  SessionState state_;
  const Threads threads_;
  RoundTasks tasks_;
  hp_error error_ = {};
  hp_profile profile_ = {};  // Without a clock: nothing is profiled.
  hp_recall_report recall_report_ = {};
  // Catalog positions of the candidates that are being scored; null: found by their ids.
  const uint32_t* catalog_items_ = nullptr;
  hp_model* owned_ = nullptr;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_SESSION_H_
