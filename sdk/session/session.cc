#include "sdk/session/session.h"

#include <algorithm>
#include <cmath>

#include "sdk/base/checked.h"
#include "sdk/features/resolve.h"
#include "sdk/kernels/elementary.h"
#include "sdk/kernels/panel.h"
#include "sdk/session/row_runner.h"
#include "sdk/session/tile_runner.h"

namespace handpick {
namespace {

constexpr hp_batch kNothing = {nullptr, 0, 1};

// Moves what a worker counted into the session's counters.
void AddCounters(hp_session_counters* from, hp_session_counters* to) {
  to->candidates += from->candidates;
  to->tiles += from->tiles;
  to->candidate_multiplications += from->candidate_multiplications;
  to->tile_multiplications += from->tile_multiplications;
  to->rows_gathered += from->rows_gathered;
  *from = {};
}

}  // namespace

float ScoreOf(const Plan& plan, float logit) {
  return plan.task == schema::Task::Binary ? Sigmoid(logit) : logit;
}

Session::Session(const Model& model, const SessionLayout& layout, const Threads& threads)
    : model_(model), plan_(model.plan()), layout_(layout), threads_(threads) {
  // A model whose context features all have defaults (or that has none) can score at once.
  if (SetContext(kNothing) != HP_OK) Succeed(&error_);
}

hp_status Session::SetContext(const hp_batch& context) {
  if (context.row_count != 1) {
    return Fail(&error_, HP_INVALID_ARGUMENT, "a context has 1 row, this batch has %zu",
                context.row_count);
  }
  HP_TRY(BindColumns(plan_, HP_SIDE_CONTEXT, context, false, columns(), &error_));
  // Into the slots' other row: the one in force stays until all went well.
  const uint32_t row = 1 - context_row_;
  HP_TRY(ResolveRows(plan_, HP_SIDE_CONTEXT, columns(), 0, 1, Memory(layout_.slots[0]),
                     layout_.slot_rows[0], row, nullptr, false, &error_));
  context_row_ = row;
  context_set_ = true;
  stale_ |= kContextTrigger;
  return HP_OK;
}

hp_status Session::CheckEvents(const hp_batch& events) {
  if (plan_.max_history == 0) {
    if (events.row_count == 0) return HP_OK;
    return Fail(&error_, HP_INVALID_ARGUMENT, "%zu events for a model that has no history",
                events.row_count);
  }
  HP_TRY(BindColumns(plan_, HP_SIDE_HISTORY, events, false, columns(), &error_));
  for (size_t e = 0; e < events.row_count; ++e) {
    // The row behind the ring is there for this.
    HP_TRY(ResolveRows(plan_, HP_SIDE_HISTORY, columns(), e, 1, Memory(layout_.slots[1]),
                       layout_.slot_rows[1], plan_.max_history, nullptr, false, &error_));
  }
  return HP_OK;
}

hp_status Session::TakeEvents(const hp_batch& events) {
  if (events.row_count == 0) return HP_OK;
  const bool carry = plan_.beyond_maximum == schema::BeyondMaximum::Carry;
  // Of more events than the history holds only the last stay; the others matter to states that are
  // carried on.
  const bool skip = !carry && events.row_count > plan_.max_history;
  const size_t first = skip ? events.row_count - plan_.max_history : 0;
  uint32_t unchanged = skip ? 0 : event_count_;  // Oldest events whose recurrent states stay.
  for (size_t e = first; e < events.row_count; ++e) {
    uint32_t position;
    if (event_count_ < plan_.max_history) {
      position = (oldest_event_ + event_count_) % plan_.max_history;
      ++event_count_;
    } else {
      position = oldest_event_;
      oldest_event_ = (oldest_event_ + 1) % plan_.max_history;
      unchanged = 0;
    }
    HP_TRY(ResolveRows(plan_, HP_SIDE_HISTORY, columns(), e, 1, Memory(layout_.slots[1]),
                       layout_.slot_rows[1], position, nullptr, false, &error_));
    NoteItem(e, position);
    HP_TRY(RunEventSteps(position, /*recurrent=*/false));
    if (carry) {
      has_event_before_ = carries_state_;
      carries_state_ = true;
      HP_TRY(RunEventSteps(position, /*recurrent=*/true));
    }
  }
  // A state is made of all events before its own: without the oldest, all of them are others.
  for (uint32_t e = unchanged; !carry && e < event_count_; ++e) {
    has_event_before_ = e != 0;
    HP_TRY(RunEventSteps((oldest_event_ + e) % plan_.max_history, /*recurrent=*/true));
  }
  counters_.events += events.row_count;
  stale_ |= kHistoryTrigger;
  return HP_OK;
}

hp_status Session::AppendEvents(const hp_batch& events) {
  HP_TRY(CheckEvents(events));
  return TakeEvents(events);
}

hp_status Session::SetHistory(const hp_batch& events) {
  HP_TRY(CheckEvents(events));
  ClearHistory();
  return TakeEvents(events);
}

void Session::ClearHistory() {
  oldest_event_ = 0;
  event_count_ = 0;
  carries_state_ = false;
  stale_ |= kHistoryTrigger;
}

hp_status Session::SetProfile(const hp_profile& profile) {
  const size_t steps = plan_.session_steps.size() + plan_.candidate_steps.size();
  if (profile.clock != nullptr && profile.step_count != steps) {
    return Fail(&error_, HP_INVALID_ARGUMENT, "the profile has %u entries, the model %zu steps",
                profile.step_count, steps);
  }
  profile_ = profile;
  return HP_OK;
}

hp_step_profile* Session::ProfileOf(const Step& step) const {
  const bool scores = DomainIndex(step.domain) >= DomainIndex(schema::Domain::Candidate);
  const size_t index = scores ? plan_.session_steps.size() + (&step - plan_.candidate_steps.data())
                              : &step - plan_.session_steps.data();
  return &profile_.steps[index];
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

hp_status Session::RunEventSteps(uint32_t position, bool recurrent) {
  RowRunner runner(this, position);
  for (const Step& step : plan_.session_steps) {
    if (step.domain != schema::Domain::History || step.recurrent != recurrent) continue;
    HP_TRY(RunStep(&runner, step));
  }
  return HP_OK;
}

hp_status Session::RefreshContext() {
  if (stale_ == 0) return HP_OK;
  RowRunner runner(this, 0);
  for (const Step& step : plan_.session_steps) {
    if (step.domain != schema::Domain::Context || (step.triggers & stale_) == 0) continue;
    HP_TRY(RunStep(&runner, step));
  }
  stale_ = 0;
  ++counters_.context_runs;
  return HP_OK;
}

hp_status Session::BeginScoring(const hp_batch& candidates) {
  if (!plan_.has_model) {
    return Fail(&error_, HP_NO_MODEL,
                "the bundle holds a recall index and no model: there is nothing to score with");
  }
  if (!context_set_) {
    return Fail(&error_, HP_CONTEXT_NOT_SET,
                "the context has features without a default: set it before scoring");
  }
  HP_TRY(BindColumns(plan_, HP_SIDE_CANDIDATE, candidates, true, columns(), &error_));
  return RefreshContext();
}

// What the tasks of one round share.
struct Session::RoundTask {
  Session* session;
  Round round;
};

void Session::RunTask(void* task, uint32_t index) {
  const auto& of = *static_cast<const RoundTask*>(task);
  of.session->ScoreShare(index, of.round.ShareOf(index));
}

Session::Round Session::ScoreRound(size_t first, size_t row_count) {
  const size_t left = row_count - first;
  Round round;
  round.first = first;
  // As equal as whole lane groups allow.
  round.share = std::min<size_t>(
      layout_.share, RoundUp((left + layout_.workers - 1) / layout_.workers, uint64_t{kLaneGroup}));
  round.workers = static_cast<uint32_t>(
      std::min<size_t>(layout_.workers, (left + round.share - 1) / round.share));
  round.end = first + std::min(left, round.workers * round.share);
  RoundTask task = {this, round};
  if (round.workers == 1) {
    RunTask(&task, 0);
  } else {
    threads_.parallel_for(threads_.user, round.workers, &Session::RunTask, &task);
  }
  for (uint32_t w = 0; w < round.workers; ++w) AddCounters(&WorkerAt(w)->counters, &counters_);
  return round;
}

void Session::ScoreShare(uint32_t index, const Share& share) {
  Worker* worker = WorkerAt(index);
  Succeed(&worker->error);
  // Nothing is computed while the first tile's rows come: it is a small one. Not with a history,
  // where a tile has work of its own for each event.
  const bool begins_small = plan_.max_history == 0 && share.end - share.first > layout_.tile;
  const auto count_from = [&](size_t first) {
    const uint32_t tile = begins_small && first == share.first
                              ? std::min(layout_.tile, layout_.stride)
                              : layout_.tile;
    return static_cast<uint32_t>(std::min<size_t>(tile, share.end - first));
  };
  uint32_t slots = 0;
  bool resolved = false;
  for (size_t first = share.first; first < share.end;) {
    const uint32_t count = count_from(first);
    if (!resolved && ResolveTile(worker, first, count, slots) != HP_OK) return;
    TileRunner runner(this, worker, count, slots);
    const size_t next = first + count;
    const uint32_t next_count = count_from(next);
    // What is wrong with the next tile's candidates is said when it is its turn.
    resolved = next_count != 0 && ResolveTile(worker, next, next_count, 1 - slots) == HP_OK;
    Succeed(&worker->error);
    if (resolved) runner.FetchAhead(next_count, 1 - slots);
    // One worker's steps are profiled: the caller's array is not made for more.
    ScoreTile(&runner, worker, index == 0, count, LogitsOf(index) + (first - share.first));
    first = next;
    slots = 1 - slots;
  }
}

hp_status Session::ResolveTile(Worker* worker, size_t first, uint32_t count, uint32_t slots) {
  char* memory = reinterpret_cast<char*>(worker);
  auto* items = reinterpret_cast<uint32_t*>(memory + layout_.items);
  const bool known = catalog_items_ != nullptr;
  if (known) std::copy_n(catalog_items_ + first, count, items);
  return ResolveRows(plan_, HP_SIDE_CANDIDATE, columns(), first, count,
                     memory + layout_.slots[2] + slots * layout_.tile_slots_bytes,
                     layout_.slot_rows[2], 0, items, known, &worker->error);
}

void Session::ScoreTile(TileRunner* runner, Worker* worker, bool profiled, uint32_t count,
                        float* logits) {
  for (const Step& step : plan_.candidate_steps) {
    const uint64_t start = profiled ? Now() : 0;
    runner->Run(step);
    if (profiled) Profile(step, start);
  }
  worker->counters.candidates += count;
  ++worker->counters.tiles;
  const Value& logit = plan_.values[plan_.logit];
  if (logit.domain == schema::Domain::Context) {
    std::fill_n(logits, count, *RowRunner(this, 0).At(logit, 0));
  } else {
    runner->CopyLogits(logits);
  }
}

hp_status Session::TakeError(uint32_t worker) {
  error_ = WorkerAt(worker)->error;
  return error_.status;
}

hp_status Session::CheckGoldens(float* worst) {
  if (!plan_.has_model) {
    return Fail(&error_, HP_NO_MODEL, "the bundle holds a recall index and no model to check");
  }
  float largest = 0;
  size_t worst_request = 0;
  size_t worst_candidate = 0;
  for (size_t g = 0; g < plan_.goldens.size(); ++g) {
    const Golden& golden = plan_.goldens[g];
    HP_TRY(SetContext(golden.context));
    HP_TRY(SetHistory(golden.history));
    HP_TRY(Score(golden.candidates, [&](size_t candidate, float logit) {
      const float expected = golden.logits[candidate];
      const float error = std::fabs(logit - expected) / std::max(1.0f, std::fabs(expected));
      if (error <= largest) return;
      largest = std::isnan(error) ? INFINITY : error;
      worst_request = g;
      worst_candidate = candidate;
    }));
  }
  ClearHistory();
  if (worst != nullptr) *worst = largest;
  if (largest <= plan_.golden_tolerance) return HP_OK;
  return Fail(&error_, HP_GOLDEN_MISMATCH,
              "golden request %zu, candidate %zu: the logit is off by %.3g, expected %.3g",
              worst_request, worst_candidate, static_cast<double>(largest),
              static_cast<double>(plan_.golden_tolerance));
}

}  // namespace handpick
