#include "sdk/api/call.h"

#include <new>

#include "sdk/base/error.h"
#include "sdk/base/mutex.h"

#if defined(HANDPICK_CHECKS_HANDLES)

namespace handpick {
namespace {

Mutex mutex;  // Of the list.
hp_model* first = nullptr;
uint64_t last_number = 0;

constexpr hp_error kClosed = {HP_INVALID_ARGUMENT, "the model was closed"};
constexpr hp_error kModelClosed = {HP_INVALID_ARGUMENT, "the session's model was closed"};
constexpr hp_error kBusy = {
    HP_INVALID_ARGUMENT,
    "another call on the session has not returned: of a second thread, or the one whose callback "
    "this is"};

// What this thread was told last, and of which session.
thread_local const hp_session* refused_session = nullptr;
thread_local const hp_error* refused_for = nullptr;

// Whether `is(model)` holds of one that is open.
template <typename Is>
bool AnyModel(const Is& is) {
  const MutexLock lock(&mutex);
  const hp_model* model = first;
  while (model != nullptr && !is(*model)) model = model->next;
  return model != nullptr;
}

SessionCheck* CheckOf(const hp_session* session) {
  char* memory = reinterpret_cast<char*>(const_cast<hp_session*>(session));
  return reinterpret_cast<SessionCheck*>(memory + session->session.total_bytes());
}

hp_status Refuse(const hp_session* session, const hp_error& error) {
  refused_session = session;
  refused_for = &error;
  return error.status;
}

}  // namespace

void EnterModel(hp_model* model) {
  const MutexLock lock(&mutex);
  model->number = ++last_number;
  model->next = first;
  first = model;
}

void LeaveModel(hp_model* model) {
  const MutexLock lock(&mutex);
  hp_model** link = &first;
  while (*link != model) link = &(*link)->next;
  *link = model->next;
}

hp_status CheckModel(const hp_model* model, hp_error* error) {
  if (model == nullptr || AnyModel([&](const hp_model& open) { return &open == model; })) {
    return HP_OK;
  }
  return Fail(error, kClosed.status, "%s", kClosed.message);
}

hp_status CheckOverlayModel(const hp_recall_overlay* overlay, hp_error* error) {
  const RecallIndex* index = &overlay->overlay.index();
  if (AnyModel([&](const hp_model& open) { return open.model.plan().recall == index; })) {
    return HP_OK;
  }
  return Fail(error, kClosed.status, "the overlay's model was closed");
}

void StartChecks(const hp_model* model, hp_session* session) {
  new (CheckOf(session)) SessionCheck{{0}, model->number};
  if (refused_session == session) refused_session = nullptr;  // Of another one in that memory.
}

const hp_error* RefusedFor(const hp_session* session) {
  return refused_session == session ? refused_for : nullptr;
}

SessionCall::SessionCall(const hp_session* session) : status_(HP_INVALID_ARGUMENT) {
  if (session == nullptr) return;
  SessionCheck* check = CheckOf(session);
  if (check->calls.fetch_add(1, std::memory_order_acq_rel) != 0) {
    check->calls.fetch_sub(1, std::memory_order_acq_rel);
    status_ = Refuse(session, kBusy);
    return;
  }
  check_ = check;
  const Model* model = &session->session.model();
  if (!AnyModel([&](const hp_model& open) {
        return &open.model == model && open.number == check->model;
      })) {
    status_ = Refuse(session, kModelClosed);
    return;
  }
  if (refused_session == session) refused_session = nullptr;
  status_ = HP_OK;
}

SessionCall::~SessionCall() {
  if (check_ != nullptr) check_->calls.fetch_sub(1, std::memory_order_acq_rel);
}

}  // namespace handpick

#endif  // HANDPICK_CHECKS_HANDLES
