#include "sdk/session/session.h"

#include <algorithm>
#include <cmath>

#include "hwy/cache_control.h"
#include "sdk/base/checked.h"
#include "sdk/features/bind.h"
#include "sdk/features/resolve.h"
#include "sdk/kernels/elementary.h"
#include "sdk/kernels/panel.h"
#include "sdk/session/logits.h"
#include "sdk/session/row_runner.h"
#include "sdk/session/step_weights.h"
#include "sdk/session/tile_runner.h"

namespace handpick {
namespace {

constexpr hp_batch kNothing = HP_BATCH(nullptr, 0, 1);

// Moves what a worker counted into the session's counters.
void AddCounters(hp_session_counters* from, hp_session_counters* to) {
  to->candidates += from->candidates;
  to->tiles += from->tiles;
  to->candidate_multiplications += from->candidate_multiplications;
  to->tile_multiplications += from->tile_multiplications;
  to->rows_gathered += from->rows_gathered;
  *from = {};
}

// The number of a set bit; `bits` has one.
uint32_t LowestBit(uint64_t bits) {
  uint32_t bit = 0;
  while ((bits >> bit & 1) == 0) ++bit;
  return bit;
}

}  // namespace

float ScoreOf(const Plan& plan, float logit, uint32_t output) {
  switch (plan.outputs[output].task) {
    case schema::Task::Binary:
      return Sigmoid(logit);
    case schema::Task::LogProbability:
      return Exp(logit);
    case schema::Task::Regression:
    case schema::Task::Probability:
    case schema::Task::Unknown:
      break;
  }
  return logit;
}

Session::Session(const Model& model, const SessionLayout& layout, const Threads& threads)
    : plan_(model.plan()), state_{}, threads_(threads) {
  state_.model = &model;
  state_.plan = &plan_;
  state_.layout = layout;
  state_.memory = reinterpret_cast<char*>(this);
  state_.stale = static_cast<Triggers>(~0u);
  // A model whose context features all have defaults (or that has none) can score at once.
  if (SetContext(kNothing) != HP_OK) Succeed(&error_);
}

hp_status Session::SetContext(const hp_batch& context) {
  if (context.row_count != 1) {
    return Fail(&error_, HP_INVALID_ARGUMENT, "a context has 1 row, this batch has %zu",
                context.row_count);
  }
  HP_TRY(BindColumns(plan_, {HP_SIDE_CONTEXT, 0}, context, false, columns(), &error_));
  // Into the slots' other row: the one in force stays until all went well.
  const uint32_t row = 1 - state_.context_row;
  HP_TRY(ResolveRows(plan_, {HP_SIDE_CONTEXT, 0}, columns(), 0, 1,
                     Memory(state_.layout.slots[kContextRegion]),
                     state_.layout.slot_rows[kContextRegion], row, nullptr, false, &error_));
  state_.context_row = row;
  state_.context_set = true;
  state_.stale |= kContextTrigger;
  return HP_OK;
}

uint32_t Session::SequenceOf(const hp_batch& events) const {
  // The first column says it; binding checks the others.
  const bool named = events.column_count != 0 && events.columns != nullptr &&
                     events.columns[0].feature < plan_.features.size();
  return named ? plan_.features[events.columns[0].feature].sequence : 0;
}

hp_status Session::CheckEvents(const hp_batch& events, uint32_t sequence) {
  if (plan_.sequences.empty()) {
    if (events.row_count == 0) return HP_OK;
    return Fail(&error_, HP_INVALID_ARGUMENT, "%zu events for a model that has no history",
                events.row_count);
  }
  const FeatureSide side = {HP_SIDE_HISTORY, sequence};
  HP_TRY(BindColumns(plan_, side, events, false, columns(), &error_));
  const uint32_t region = HistoryRegion(sequence);
  for (size_t e = 0; e < events.row_count; ++e) {
    // The row behind the ring is there for this.
    HP_TRY(ResolveRows(plan_, side, columns(), e, 1, Memory(state_.layout.slots[region]),
                       state_.layout.slot_rows[region], plan_.sequences[sequence].max_events,
                       nullptr, false, &error_));
  }
  return HP_OK;
}

hp_status Session::TakeEvents(const hp_batch& events, uint32_t sequence) {
  if (events.row_count == 0) return HP_OK;
  const Sequence& of = plan_.sequences[sequence];
  SequenceState& state = state_.sequences[sequence];
  const bool carry = of.beyond_maximum == schema::BeyondMaximum::Carry;
  // Of more events than the history holds only the last stay; the others matter to states that are
  // carried on.
  const bool skip = !carry && events.row_count > of.max_events;
  const size_t first = skip ? events.row_count - of.max_events : 0;
  uint32_t unchanged = skip ? 0 : state.count;  // Oldest events whose recurrent states stay.
  const uint32_t region = HistoryRegion(sequence);
  for (size_t e = first; e < events.row_count; ++e) {
    uint32_t position;
    if (state.count < of.max_events) {
      position = state_.PositionOf(sequence, state.count);
      ++state.count;
    } else {
      position = state.oldest;
      state.oldest = (state.oldest + 1) % of.max_events;
      unchanged = 0;
    }
    state.unfolded = std::min(state.unfolded + 1, state.count);
    HP_TRY(ResolveRows(plan_, {HP_SIDE_HISTORY, sequence}, columns(), e, 1,
                       Memory(state_.layout.slots[region]), state_.layout.slot_rows[region],
                       position, nullptr, false, &error_));
    NoteItem(sequence, e, position);
    HP_TRY(RunEventSteps(sequence, position, /*recurrent=*/false));
    if (carry) {
      state.has_event_before = state.carries_state;
      state.carries_state = true;
      HP_TRY(RunEventSteps(sequence, position, /*recurrent=*/true));
    }
  }
  // A state is made of all events before its own: without the oldest, all of them are others.
  const bool again = plan_.recurs[sequence] && !carry;
  for (uint32_t e = unchanged; again && e < state.count; ++e) {
    state.unfolded = std::max(state.unfolded, state.count - e);
    state.has_event_before = e != 0;
    HP_TRY(RunEventSteps(sequence, state_.PositionOf(sequence, e), /*recurrent=*/true));
  }
  state_.counters.events += events.row_count;
  state_.stale |= HistoryTrigger(sequence);
  return HP_OK;
}

hp_status Session::AppendEvents(const hp_batch& events) {
  const uint32_t sequence = SequenceOf(events);
  HP_TRY(CheckEvents(events, sequence));
  return TakeEvents(events, sequence);
}

hp_status Session::SetHistory(const hp_batch& events) {
  return SetHistory(events, SequenceOf(events));
}

hp_status Session::SetHistory(const hp_batch& events, uint32_t sequence) {
  HP_TRY(CheckEvents(events, sequence));
  ClearHistory(sequence);
  return TakeEvents(events, sequence);
}

void Session::ClearHistory(uint32_t sequence) {
  state_.sequences[sequence] = {};
  state_.stale |= HistoryTrigger(sequence);
}

hp_status Session::SetProfile(const hp_profile& profile) {
  const size_t steps = plan_.steps.size();
  if (profile.clock != nullptr && profile.step_count != steps) {
    return Fail(&error_, HP_INVALID_ARGUMENT, "the profile has %u entries, the model %zu steps",
                profile.step_count, steps);
  }
  profile_ = profile;
  return HP_OK;
}

hp_step_profile* Session::ProfileOf(const Step& step) const {
  return &profile_.steps[&step - plan_.steps.data()];
}

void Session::Profile(const Step& step, uint64_t start) {
  if (profile_.clock == nullptr) return;
  hp_step_profile* profile = ProfileOf(step);
  profile->ticks += Now() - start;
  ++profile->runs;
}

hp_status Session::RunStep(RowRunner* runner, const Step& step) {
  const uint64_t start = Now();
  const hp_status status = runner->Run(step);
  Profile(step, start);
  if (status != HP_OK) return Fail(&error_, status, "step '%s' failed in the engine", step.name);
  return HP_OK;
}

hp_status Session::RunEventSteps(uint32_t sequence, uint32_t position, bool recurrent) {
  RowRunner runner(&state_, position);
  for (const Step& step : plan_.session_steps) {
    if (step.place.domain != schema::Domain::History || step.place.sequence != sequence ||
        step.recurrent != recurrent) {
      continue;
    }
    HP_TRY(RunStep(&runner, step));
  }
  return HP_OK;
}

hp_status Session::RefreshContext() {
  if (state_.stale == 0) return HP_OK;
  RowRunner runner(&state_, 0);
  for (const Step& step : plan_.session_steps) {
    if (step.place.domain != schema::Domain::Context || (step.triggers & state_.stale) == 0) {
      continue;
    }
    HP_TRY(RunStep(&runner, step));
  }
  state_.stale = 0;
  ++state_.counters.context_runs;
  return HP_OK;
}

hp_status Session::BeginScoring(const hp_batch& candidates) {
  if (!plan_.has_model) {
    return Fail(&error_, HP_NO_MODEL,
                "the bundle holds a recall index and no model: there is nothing to score with");
  }
  if (!state_.context_set) {
    return Fail(&error_, HP_CONTEXT_NOT_SET,
                "the context has features without a default: set it before scoring");
  }
  HP_TRY(BindColumns(plan_, {HP_SIDE_CANDIDATE, 0}, candidates, true, columns(), &error_));
  HP_TRY(RefreshContext());
  FoldNewEvents();
  return HP_OK;
}

void Session::FoldNewEvents() {
  for (const Step& step : plan_.candidate_steps) {
    if (step.kind != schema::OperatorKind::AttentionUnit) continue;
    EventRing ring = state_.RingOf(step.sequence);
    char* folds = state_.FoldsOf(step);
    const uint32_t unfolded = state_.sequences[step.sequence].unfolded;
    if (folds == nullptr || unfolded == 0) continue;
    const uint64_t start = Now();
    ring.oldest = state_.PositionOf(step.sequence, ring.count - unfolded);
    ring.count = unfolded;
    const AttentionUnitStep unit(plan_, step);
    const Value& key = plan_.values[step.operands[1]];
    // No worker works.
    FoldAttentionEvents(unit.weights, state_.RowAt(key, 0), key.stride, ring, folds,
                        reinterpret_cast<char*>(WorkerAt(0)) + state_.layout.scratch);
    state_.counters.tile_multiplications +=
        uint64_t{unfolded} * unit.weights.query.out * unit.weights.query.in;
    if (profile_.clock != nullptr) ProfileOf(step)->ticks += Now() - start;
  }
  for (SequenceState& sequence : state_.sequences) sequence.unfolded = 0;
}

void Session::RunTask(void* session, uint32_t index) {
  auto* of = static_cast<Session*>(session);
  RoundTasks* tasks = &of->tasks_;
  if (index >= of->state_.layout.workers) {
    tasks->beyond.store(index, std::memory_order_relaxed);
    return;
  }
  const uint64_t bit = uint64_t{1} << index;
  if ((tasks->begun.fetch_or(bit, std::memory_order_acq_rel) & bit) != 0) {
    tasks->again.fetch_or(bit, std::memory_order_relaxed);
    return;
  }
  of->ScoreShare(index, tasks->round.ShareOf(index), tasks->pass);
  tasks->done.fetch_or(bit, std::memory_order_release);
}

hp_status Session::RunTasks(uint32_t count) {
  const uint64_t wanted = ~uint64_t{0} >> (64 - count);
  tasks_.done.store(0, std::memory_order_relaxed);
  tasks_.again.store(0, std::memory_order_relaxed);
  tasks_.beyond.store(0, std::memory_order_relaxed);
  // Those of workers that have nothing to do in this round count as begun, and are refused.
  tasks_.begun.store(~wanted, std::memory_order_release);
  threads_.parallel_for(threads_.opaque, count, &Session::RunTask, this);
  const uint64_t begun = tasks_.begun.exchange(~uint64_t{0}, std::memory_order_acq_rel) & wanted;
  const uint64_t running = begun & ~tasks_.done.load(std::memory_order_acquire);
  if (running != 0) {
    // What they read and write is the caller's to free when the call has returned. Only an app
    // whose parallel_for is wrong comes here, and it waits for one share of candidates at most. To
    // sleep would ask the C library for a function that nothing else here needs.
    while ((begun & ~tasks_.done.load(std::memory_order_acquire)) != 0) hwy::Pause();
    return Fail(&error_, HP_INVALID_ARGUMENT, "parallel_for returned while task %u ran",
                LowestBit(running));
  }
  const uint64_t again = tasks_.again.load(std::memory_order_relaxed);
  uint32_t beyond = tasks_.beyond.load(std::memory_order_relaxed);
  if (beyond == 0 && (again & ~wanted) != 0) beyond = LowestBit(again & ~wanted);
  if (beyond != 0) {
    return Fail(&error_, HP_INVALID_ARGUMENT, "parallel_for ran task %u, it was to run %u tasks",
                beyond, count);
  }
  if (begun != wanted) {
    return Fail(&error_, HP_INVALID_ARGUMENT, "parallel_for did not run task %u of %u",
                LowestBit(wanted & ~begun), count);
  }
  if (again != 0) {
    return Fail(&error_, HP_INVALID_ARGUMENT, "parallel_for ran task %u of %u twice",
                LowestBit(again), count);
  }
  return HP_OK;
}

hp_status Session::ScoreRound(size_t first, size_t row_count, Pass pass, Round* of) {
  const size_t left = row_count - first;
  Round& round = *of;
  round.first = first;
  // As equal as whole lane groups allow.
  round.share = std::min<size_t>(
      state_.layout.share,
      RoundUp((left + state_.layout.workers - 1) / state_.layout.workers, uint64_t{kLaneGroup}));
  round.workers = static_cast<uint32_t>(
      std::min<size_t>(state_.layout.workers, (left + round.share - 1) / round.share));
  round.end = first + std::min(left, round.workers * round.share);
  return RunRound(round, pass);
}

hp_status Session::RunRound(const Round& round, Pass pass) {
  if (round.workers == 1) {
    ScoreShare(0, round.ShareOf(0), pass);
  } else {
    tasks_.round = round;
    tasks_.pass = pass;
    HP_TRY(RunTasks(round.workers));
  }
  for (uint32_t w = 0; w < round.workers; ++w) {
    AddCounters(&WorkerAt(w)->counters, &state_.counters);
  }
  for (uint32_t w = 0; w < round.workers; ++w) {
    if (WorkerAt(w)->error.status != HP_OK) return TakeError(w);
  }
  return HP_OK;
}

void Session::ScoreShare(uint32_t index, const Share& share, Pass pass) {
  Worker* worker = WorkerAt(index);
  Succeed(&worker->error);
  const Plan& plan = pass == Pass::kRounded ? *model().rounded_plan() : plan_;
  const Selected* selected = pass == Pass::kSelected ? SelectedOf(index) : nullptr;
  const size_t end = selected == nullptr ? share.end : share.first + worker->selected;
  // Nothing is computed while the first tile's rows come: it is a small one. Not with a history,
  // where a tile has work of its own for each event.
  const bool begins_small = plan_.sequences.empty() && end - share.first > state_.layout.tile;
  const auto count_from = [&](size_t first) {
    const uint32_t tile = begins_small && first == share.first
                              ? std::min(state_.layout.tile, state_.layout.stride)
                              : state_.layout.tile;
    return static_cast<uint32_t>(std::min<size_t>(tile, end - first));
  };
  const auto resolve = [&](size_t first, uint32_t count, uint32_t slots) {
    return ResolveTile(worker, first, count,
                       selected == nullptr ? nullptr : selected + (first - share.first), slots);
  };
  uint32_t slots = 0;
  bool resolved = false;
  for (size_t first = share.first; first < end;) {
    const uint32_t count = count_from(first);
    if (!resolved && resolve(first, count, slots) != HP_OK) return;
    TileRunner runner(&state_, plan, worker, count, slots);
    const size_t next = first + count;
    const uint32_t next_count = count_from(next);
    // What is wrong with the next tile's candidates is said when it is its turn.
    resolved = next_count != 0 && resolve(next, next_count, 1 - slots) == HP_OK;
    Succeed(&worker->error);
    if (resolved) runner.FetchAhead(next_count, 1 - slots);
    // One worker's steps are profiled: the caller's array is not made for more.
    float* logits = LogitsOf(index) + (first - share.first);
    ScoreTile(&runner, worker, index == 0, count, logits);
    // Rounded logits are nobody's answer.
    if (pass != Pass::kRounded) {
      worker->counters.candidates += count;
      for (size_t o = 0; o < plan_.outputs.size(); ++o) {
        if (CheckLogits(logits + o * state_.layout.share, first, count, RecalledIds(),
                        &worker->error) != HP_OK) {
          return;
        }
      }
    }
    first = next;
    slots = 1 - slots;
  }
}

hp_status Session::ResolveTile(Worker* worker, size_t first, uint32_t count,
                               const Selected* selected, uint32_t slots) {
  char* memory = reinterpret_cast<char*>(worker);
  auto* items = reinterpret_cast<uint32_t*>(memory + state_.layout.items);
  const bool known = catalog_items_ != nullptr;
  if (known) std::copy_n(catalog_items_ + first, count, items);
  const auto resolve = [&](size_t row, uint32_t rows, uint32_t slot_row) {
    return ResolveRows(
        plan_, {HP_SIDE_CANDIDATE, 0}, columns(), row, rows,
        memory + state_.layout.slots[kCandidateRegion] + slots * state_.layout.tile_slots_bytes,
        state_.layout.slot_rows[kCandidateRegion], slot_row, items, known, &worker->error);
  };
  if (selected == nullptr) return resolve(first, count, 0);
  for (uint32_t i = 0; i < count; ++i) HP_TRY(resolve(selected[i].index, 1, i));
  return HP_OK;
}

void Session::ScoreTile(TileRunner* runner, Worker* worker, bool profiled, uint32_t count,
                        float* logits) {
  for (const Step& step : plan_.candidate_steps) {
    const uint64_t start = profiled ? Now() : 0;
    runner->Run(step);
    if (profiled) Profile(step, start);
  }
  ++worker->counters.tiles;
  for (const Output& output : plan_.outputs) {
    const Value& logit = plan_.values[output.value];
    if (logit.place.domain == schema::Domain::Context) {
      std::fill_n(logits, count, *state_.RowAt(logit, 0));
    } else {
      runner->CopyLogits(logit, logits);
    }
    logits += state_.layout.share;
  }
}

hp_status Session::TakeError(uint32_t worker) {
  error_ = WorkerAt(worker)->error;
  return error_.status;
}

hp_status Session::CheckOutput(const char* what, uint64_t output) {
  if (output < plan_.outputs.size()) return HP_OK;
  return Fail(&error_, HP_UNKNOWN_OUTPUT, "%s: there is no output %llu, the model has %zu", what,
              static_cast<unsigned long long>(output), plan_.outputs.size());
}

hp_status Session::CheckGoldens(float* worst) {
  if (!plan_.has_model) {
    return Fail(&error_, HP_NO_MODEL, "the bundle holds a recall index and no model to check");
  }
  // Requests without candidates prove as little.
  if (std::all_of(plan_.goldens.begin(), plan_.goldens.end(),
                  [](const Golden& golden) { return golden.candidates.row_count == 0; })) {
    return Fail(&error_, HP_NO_GOLDENS, "the bundle has no golden requests to check");
  }
  float largest = 0;
  size_t worst_request = 0;
  size_t worst_candidate = 0;
  const size_t outputs = plan_.outputs.size();
  for (size_t g = 0; g < plan_.goldens.size(); ++g) {
    const Golden& golden = plan_.goldens[g];
    HP_TRY(SetContext(golden.context));
    for (uint32_t s = 0; s < plan_.sequences.size(); ++s) {
      ClearHistory(s);
      if (s < golden.histories.size()) HP_TRY(SetHistory(golden.histories[s], s));
    }
    const hp_status status =
        ScoreOutputs(golden.candidates, [&](size_t candidate, const float* logits, size_t stride) {
          for (size_t o = 0; o < outputs; ++o) {
            const float expected = golden.logits[candidate * outputs + o];
            const float error =
                std::fabs(logits[o * stride] - expected) / std::max(1.0f, std::fabs(expected));
            if (error <= largest) continue;
            largest = std::isnan(error) ? INFINITY : error;
            worst_request = g;
            worst_candidate = candidate;
          }
        });
    if (status == HP_NOT_FINITE) {
      const hp_error said = error_;
      if (worst != nullptr) *worst = INFINITY;
      return Fail(&error_, HP_GOLDEN_MISMATCH, "golden request %zu: %s", g, said.message);
    }
    HP_TRY(status);
  }
  for (uint32_t s = 0; s < plan_.sequences.size(); ++s) ClearHistory(s);
  if (worst != nullptr) *worst = largest;
  if (largest <= plan_.golden_tolerance) return HP_OK;
  return Fail(&error_, HP_GOLDEN_MISMATCH,
              "golden request %zu, candidate %zu: the logit is off by %.3g, expected %.3g",
              worst_request, worst_candidate, static_cast<double>(largest),
              static_cast<double>(plan_.golden_tolerance));
}

}  // namespace handpick
