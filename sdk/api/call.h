// A call on a session, and what debug builds check of the handles that callers hand in.
#ifndef HANDPICK_SDK_API_CALL_H_
#define HANDPICK_SDK_API_CALL_H_

#include <cstddef>
#include <cstdint>

#include "handpick/handpick.h"
#include "sdk/api/handles.h"

// Tests of these checks define it in an optimised build.
#if !defined(NDEBUG) && !defined(HANDPICK_CHECKS_HANDLES)
#define HANDPICK_CHECKS_HANDLES 1
#endif

namespace handpick {

#if defined(HANDPICK_CHECKS_HANDLES)

// Behind a session's memory. It is there in checked builds alone.
struct SessionCheck {
  std::atomic<uint32_t> calls;  // That run.
  uint64_t model;               // hp_model.number of the session's.
};

constexpr size_t kSessionCheckBytes = HP_ALIGNMENT;

// Models that are open, in the whole process.
void EnterModel(hp_model* model);
void LeaveModel(hp_model* model);
// HP_INVALID_ARGUMENT: `model` is not null, and was closed.
hp_status CheckModel(const hp_model* model, hp_error* error);
// The same of an overlay's.
hp_status CheckOverlayModel(const hp_recall_overlay* overlay, hp_error* error);
// A session that was just made; `bytes` of its layout.
void StartChecks(const hp_model* model, hp_session* session);
// What this thread's last call on the session was refused for, or null.
const hp_error* RefusedFor(const hp_session* session);

#else

constexpr size_t kSessionCheckBytes = 0;

inline void EnterModel(hp_model*) {}
inline void LeaveModel(hp_model*) {}
inline hp_status CheckModel(const hp_model*, hp_error*) { return HP_OK; }
inline hp_status CheckOverlayModel(const hp_recall_overlay*, hp_error*) { return HP_OK; }
inline void StartChecks(const hp_model*, hp_session*) {}
inline const hp_error* RefusedFor(const hp_session*) { return nullptr; }

#endif

// Lives while a function works with a session.
class SessionCall {
 public:
#if defined(HANDPICK_CHECKS_HANDLES)
  explicit SessionCall(const hp_session* session);
  ~SessionCall();
#else
  explicit SessionCall(const hp_session* session)
      : status_(session == nullptr ? HP_INVALID_ARGUMENT : HP_OK) {}
#endif
  SessionCall(const SessionCall&) = delete;
  SessionCall& operator=(const SessionCall&) = delete;

  // HP_OK: the function may go on. Otherwise it returns this.
  hp_status status() const { return status_; }

 private:
  hp_status status_;
#if defined(HANDPICK_CHECKS_HANDLES)
  SessionCheck* check_ = nullptr;  // Null: the call was refused.
#endif
};

}  // namespace handpick

#endif  // HANDPICK_SDK_API_CALL_H_
