// The C API's recall in a library without it (--define handpick_recall=off): bundles with an index
// are opened, and rank.
#include <cstddef>

#include "handpick/handpick.h"
#include "sdk/api/arguments.h"
#include "sdk/api/call.h"
#include "sdk/api/handles.h"
#include "sdk/base/error.h"

namespace handpick {
namespace {

hp_status NoRecallHere(hp_error* error) {
  return Fail(error, HP_UNSUPPORTED, "this library was built without recall: it ranks alone");
}

}  // namespace
}  // namespace handpick

using handpick::NoRecallHere;

hp_status hp_recall_overlay_memory_size(const hp_model*, uint32_t, size_t*, hp_error* error) {
  return NoRecallHere(error);
}

hp_status hp_recall_overlay_create(const hp_model*, uint32_t, void*, size_t,
                                   hp_recall_overlay** overlay, hp_error* error) {
  if (overlay != nullptr) *overlay = nullptr;
  return NoRecallHere(error);
}

hp_status hp_recall_overlay_add(hp_recall_overlay*, const hp_item_id*, const float*, size_t,
                                hp_error* error) {
  return NoRecallHere(error);
}

hp_status hp_recall_overlay_remove(hp_recall_overlay*, const hp_item_id*, hp_error* error) {
  return NoRecallHere(error);
}

hp_status hp_recall_overlay_hide(hp_recall_overlay*, const hp_item_id*, hp_error* error) {
  return NoRecallHere(error);
}

hp_status hp_recall_overlay_show(hp_recall_overlay*, const hp_item_id*, hp_error* error) {
  return NoRecallHere(error);
}

hp_status hp_session_recall(hp_session* session, const hp_recall_options*, hp_recalled*, size_t*) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  return NoRecallHere(session->session.error());
}

hp_status hp_session_recommend(hp_session* session, const hp_recall_options*, size_t,
                               hp_recommended*, size_t*) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  return NoRecallHere(session->session.error());
}

hp_status hp_session_get_recall_report(const hp_session* session, hp_recall_report* report) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  if (report == nullptr) return HP_INVALID_ARGUMENT;
  return handpick::WriteStruct(session->session.recall_report(), report, nullptr);
}
