// The C API's sessions: checks its arguments and calls the parts below.
#include <cmath>
#include <cstring>
#include <new>

#include "handpick/handpick.h"
#include "sdk/api/arguments.h"
#include "sdk/api/call.h"
#include "sdk/api/handles.h"
#include "sdk/base/error.h"
#include "sdk/kernels/top_k.h"
#include "sdk/session/layout.h"

namespace handpick {
namespace {

static_assert(sizeof(hp_session) == sizeof(Session), "the layout counts a Session");
static_assert(alignof(hp_session) <= HP_ALIGNMENT, "memory is aligned enough");

// More threads than a phone has cores.
constexpr uint32_t kMaxWorkers = 64;

// What hp_session_last_error says of no session.
constexpr hp_error kNoSession = {HP_INVALID_ARGUMENT, "session is null"};

// Bytes that a session takes.
size_t BytesOf(const SessionLayout& layout) { return layout.total + kSessionCheckBytes; }

// Checks the model and the options, and lays a session out. `read`: the options as they count.
hp_status LayOut(const hp_model* model, const hp_session_options* given, hp_session_options* read,
                 SessionLayout* layout, hp_error* error) {
  HP_TRY(CheckModel(model, error));
  HP_TRY(ReadStruct(given, read, error));
  if (read->workers == 0) read->workers = 1;
  if (read->workers > kMaxWorkers) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "session options ask for %u workers, expected at most %u", read->workers,
                kMaxWorkers);
  }
  if (read->workers > 1 && read->parallel_for == nullptr) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "session options ask for %u workers and have no parallel_for", read->workers);
  }
  return MakeSessionLayout(model->model, *read, layout, error);
}

// In memory of BytesOf(layout).
hp_status Create(const hp_model* model, const hp_session_options& options,
                 const SessionLayout& layout, void* memory, hp_session** session, hp_error* error) {
  if (reinterpret_cast<uintptr_t>(memory) % HP_ALIGNMENT != 0) {
    return Fail(error, HP_MISALIGNED, "session memory is not aligned to %d bytes", HP_ALIGNMENT);
  }
  std::memset(memory, 0, layout.total);
  *session = new (memory)
      hp_session(model->model, layout, Threads{options.parallel_for, options.parallel_opaque});
  StartChecks(model, *session);
  return HP_OK;
}

// The caller's arrays [rows, count] for scores and logits; either may be null.
struct OutputRows {
  const uint32_t* outputs;  // [count]; null: the model's first ones.
  size_t count;
  float* scores;
  float* logits;

  // One candidate: the logit of output o is from[o * stride].
  void Write(const Plan& plan, size_t candidate, const float* from, size_t stride) const {
    if (scores == nullptr && logits == nullptr) return;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t output = outputs == nullptr ? static_cast<uint32_t>(i) : outputs[i];
      const float logit = from[output * stride];
      const size_t at = candidate * count + i;
      if (logits != nullptr) logits[at] = logit;
      if (scores != nullptr) scores[at] = ScoreOf(plan, logit, output);
    }
  }
};

}  // namespace
}  // namespace handpick

using handpick::Fail;
using handpick::NullArgument;
using handpick::Succeed;

hp_status hp_session_memory_size(const hp_model* model, const hp_session_options* options,
                                 size_t* bytes, hp_error* error) {
  Succeed(error);
  if (model == nullptr) return NullArgument(error, "model");
  if (bytes == nullptr) return NullArgument(error, "bytes");
  hp_session_options read;
  handpick::SessionLayout layout;
  HP_TRY(handpick::LayOut(model, options, &read, &layout, error));
  *bytes = handpick::BytesOf(layout);
  return HP_OK;
}

hp_status hp_session_create(const hp_model* model, const hp_session_options* options, void* memory,
                            size_t bytes, hp_session** session, hp_error* error) {
  Succeed(error);
  if (session == nullptr) return NullArgument(error, "session");
  *session = nullptr;
  if (model == nullptr) return NullArgument(error, "model");
  if (memory == nullptr) return NullArgument(error, "memory");
  hp_session_options read;
  handpick::SessionLayout layout;
  HP_TRY(handpick::LayOut(model, options, &read, &layout, error));
  const size_t needed = handpick::BytesOf(layout);
  if (bytes < needed) {
    return Fail(error, HP_MEMORY_TOO_SMALL, "session memory has %zu bytes, %zu are needed", bytes,
                needed);
  }
  return handpick::Create(model, read, layout, memory, session, error);
}

hp_status hp_session_new(const hp_model* model, const hp_session_options* options,
                         hp_session** session, hp_error* error) {
  Succeed(error);
  if (session == nullptr) return NullArgument(error, "session");
  *session = nullptr;
  if (model == nullptr) return NullArgument(error, "model");
  hp_session_options read;
  handpick::SessionLayout layout;
  HP_TRY(handpick::LayOut(model, options, &read, &layout, error));
  const hp_allocator& allocator = model->model.allocator();
  const size_t bytes = handpick::BytesOf(layout);
  void* memory = allocator.allocate(allocator.opaque, bytes, HP_ALIGNMENT);
  if (memory == nullptr) {
    return Fail(error, HP_OUT_OF_MEMORY, "no memory for a session of %zu bytes", bytes);
  }
  const hp_status status = handpick::Create(model, read, layout, memory, session, error);
  if (status != HP_OK) {
    allocator.release(allocator.opaque, memory, bytes);
    return status;
  }
  // A model is immutable but for the number of its owners.
  auto* owned = const_cast<hp_model*>(model);
  hp_model_retain(owned);
  (*session)->session.set_owned(owned);
  return HP_OK;
}

void hp_session_free(hp_session* session) {
  if (session == nullptr || session->session.owned() == nullptr) return;
  {
    const handpick::SessionCall call(session);
    if (call.status() != HP_OK) return;
  }
  hp_model* model = session->session.owned();
  const hp_allocator& allocator = model->model.allocator();
  const size_t bytes = session->session.total_bytes() + handpick::kSessionCheckBytes;
  session->~hp_session();
  allocator.release(allocator.opaque, session, bytes);
  hp_model_close(model);
}

const hp_error* hp_session_last_error(const hp_session* session) {
  if (session == nullptr) return &handpick::kNoSession;
  const hp_error* refused = handpick::RefusedFor(session);
  return refused != nullptr ? refused : session->session.error();
}

hp_status hp_session_set_context(hp_session* session, const hp_batch* context) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  hp_batch read;
  HP_TRY(handpick::ReadBatch(context, "context", &read, session->session.error()));
  return session->session.SetContext(read);
}

hp_status hp_session_append_events(hp_session* session, const hp_batch* events) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  hp_batch read;
  HP_TRY(handpick::ReadBatch(events, "events", &read, session->session.error()));
  return session->session.AppendEvents(read);
}

hp_status hp_session_set_history(hp_session* session, const hp_batch* events) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  hp_batch read;
  HP_TRY(handpick::ReadBatch(events, "events", &read, session->session.error()));
  return session->session.SetHistory(read);
}

hp_status hp_session_score(hp_session* session, const hp_batch* candidates, float* scores,
                           float* logits) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  hp_batch read;
  HP_TRY(handpick::ReadBatch(candidates, "candidates", &read, session->session.error()));
  const handpick::Plan& plan = session->session.model().plan();
  return session->session.Score(read, 0, [&](size_t candidate, float logit) {
    if (logits != nullptr) logits[candidate] = logit;
    if (scores != nullptr) scores[candidate] = handpick::ScoreOf(plan, logit, 0);
  });
}

hp_status hp_session_score_outputs(hp_session* session, const hp_batch* candidates,
                                   const uint32_t* outputs, size_t output_count, float* scores,
                                   float* logits) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  handpick::Session& of = session->session;
  hp_batch read;
  HP_TRY(handpick::ReadBatch(candidates, "candidates", &read, of.error()));
  // Without a model, scoring says so.
  for (size_t i = 0; of.model().plan().has_model && i < output_count; ++i) {
    HP_TRY(of.CheckOutput("outputs", outputs == nullptr ? i : outputs[i]));
  }
  const handpick::OutputRows rows = {outputs, output_count, scores, logits};
  return of.ScoreOutputs(read, [&](size_t candidate, const float* of_candidate, size_t stride) {
    rows.Write(of.model().plan(), candidate, of_candidate, stride);
  });
}

hp_status hp_session_rank(hp_session* session, const hp_batch* candidates, size_t k,
                          hp_ranked* ranked, size_t* count) {
  return hp_session_rank_by(session, candidates, nullptr, k, ranked, count);
}

hp_status hp_session_rank_by(hp_session* session, const hp_batch* candidates,
                             const hp_rank_options* options, size_t k, hp_ranked* ranked,
                             size_t* count) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  handpick::Session& of = session->session;
  hp_batch read;
  HP_TRY(handpick::ReadBatch(candidates, "candidates", &read, of.error()));
  hp_rank_options wanted;
  HP_TRY(handpick::ReadStruct(options, &wanted, of.error()));
  if (count == nullptr) return NullArgument(of.error(), "count");
  if (ranked == nullptr && k != 0) return NullArgument(of.error(), "ranked");
  const handpick::Plan& plan = of.model().plan();
  if (plan.has_model) HP_TRY(of.CheckOutput("rank options", wanted.output));
  const handpick::OutputRows rows = {nullptr, plan.outputs.size(), wanted.scores, wanted.logits};
  handpick::TopK top(ranked, k);
  if (!(wanted.margin >= 0)) {
    return handpick::Fail(of.error(), HP_INVALID_ARGUMENT,
                          "rank options: margin is %g, expected at least 0", wanted.margin);
  }
  if (wanted.margin > 0 && (wanted.scores != nullptr || wanted.logits != nullptr)) {
    return handpick::Fail(of.error(), HP_INVALID_ARGUMENT,
                          "rank options: with a margin there are no scores of all candidates");
  }
  // Where all are among the best, there is nothing to select, but there may be an error to learn.
  const bool selects = k < read.row_count || std::isinf(wanted.margin);
  if (wanted.margin > 0 && selects && of.model().rounded_plan() != nullptr) {
    HP_TRY(of.RankPreselected(read, wanted.output, wanted.margin, &top));
  } else {
    HP_TRY(of.ScoreOutputs(read, [&](size_t candidate, const float* logits, size_t stride) {
      rows.Write(plan, candidate, logits, stride);
      top.Add(candidate, logits[wanted.output * stride]);
    }));
  }
  *count = top.Finish();
  for (size_t i = 0; i < *count; ++i) {
    ranked[i].score = handpick::ScoreOf(plan, ranked[i].logit, wanted.output);
  }
  return HP_OK;
}
