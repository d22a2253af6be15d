// The C API's recall: checks its arguments and calls the parts below.
#include <cstddef>
#include <cstring>
#include <new>

#include "handpick/handpick.h"
#include "sdk/api/arguments.h"
#include "sdk/api/call.h"
#include "sdk/api/handles.h"
#include "sdk/base/error.h"
#include "sdk/recall/index.h"

namespace handpick {
namespace {

static_assert(sizeof(hp_recall_overlay) == sizeof(RecallOverlay),
              "the layout counts a RecallOverlay");
static_assert(alignof(hp_recall_overlay) <= HP_ALIGNMENT, "memory is aligned enough");

hp_status NoRecall(hp_error* error) {
  return Fail(error, HP_NO_RECALL, "the bundle has no recall index");
}

// What hp_session_recall and hp_session_recommend have in common. `k`: how many items there is
// room for; null: options.k.
hp_status ReadOptions(Session* session, const hp_recall_options* given, const void* items,
                      const size_t* k, const size_t* count, hp_recall_options* options) {
  hp_error* error = session->error();
  if (given == nullptr) return NullArgument(error, "options");
  if (count == nullptr) return NullArgument(error, "count");
  HP_TRY(ReadStruct(given, options, error));
  if (items == nullptr && (k == nullptr ? options->k : *k) != 0)
    return NullArgument(error, "items");
  if (session->model().plan().recall == nullptr) return NoRecall(error);
  if (options->overlay != nullptr) HP_TRY(CheckOverlayModel(options->overlay, error));
  return CheckElements(StructShapeOf<hp_filter>::kShape, "hp_recall_options.filter_size",
                       options->filter_size, options->filters, options->filter_count, error);
}

const RecallOverlay* OverlayOf(const hp_recall_options& options) {
  return options.overlay == nullptr ? nullptr : &options.overlay->overlay;
}

hp_status CheckOverlay(const hp_recall_overlay* overlay, const hp_item_id* id, hp_error* error) {
  Succeed(error);
  if (overlay == nullptr) return NullArgument(error, "overlay");
  HP_TRY(CheckOverlayModel(overlay, error));
  return id == nullptr ? NullArgument(error, "id") : HP_OK;
}

}  // namespace
}  // namespace handpick

using handpick::Fail;
using handpick::NullArgument;
using handpick::Succeed;

hp_status hp_recall_overlay_memory_size(const hp_model* model, uint32_t max_items, size_t* bytes,
                                        hp_error* error) {
  Succeed(error);
  if (model == nullptr) return NullArgument(error, "model");
  if (bytes == nullptr) return NullArgument(error, "bytes");
  HP_TRY(handpick::CheckModel(model, error));
  const handpick::RecallIndex* index = model->model.plan().recall;
  if (index == nullptr) return handpick::NoRecall(error);
  return handpick::RecallOverlay::MemorySize(*index, max_items, bytes, error);
}

hp_status hp_recall_overlay_create(const hp_model* model, uint32_t max_items, void* memory,
                                   size_t bytes, hp_recall_overlay** overlay, hp_error* error) {
  Succeed(error);
  if (overlay == nullptr) return NullArgument(error, "overlay");
  *overlay = nullptr;
  size_t needed = 0;
  HP_TRY(hp_recall_overlay_memory_size(model, max_items, &needed, error));
  if (memory == nullptr) return NullArgument(error, "memory");
  if (bytes < needed) {
    return Fail(error, HP_MEMORY_TOO_SMALL, "overlay memory has %zu bytes, %zu are needed", bytes,
                needed);
  }
  if (reinterpret_cast<uintptr_t>(memory) % HP_ALIGNMENT != 0) {
    return Fail(error, HP_MISALIGNED, "overlay memory is not aligned to %d bytes", HP_ALIGNMENT);
  }
  std::memset(memory, 0, needed);
  *overlay = new (memory) hp_recall_overlay(*model->model.plan().recall, max_items);
  (*overlay)->overlay.Start();
  return HP_OK;
}

hp_status hp_recall_overlay_add(hp_recall_overlay* overlay, const hp_item_id* id,
                                const float* vector, size_t dimension, hp_error* error) {
  HP_TRY(handpick::CheckOverlay(overlay, id, error));
  return overlay->overlay.Add(*id, vector, dimension, error);
}

hp_status hp_recall_overlay_remove(hp_recall_overlay* overlay, const hp_item_id* id,
                                   hp_error* error) {
  HP_TRY(handpick::CheckOverlay(overlay, id, error));
  return overlay->overlay.Remove(*id, error);
}

hp_status hp_recall_overlay_hide(hp_recall_overlay* overlay, const hp_item_id* id,
                                 hp_error* error) {
  HP_TRY(handpick::CheckOverlay(overlay, id, error));
  return overlay->overlay.Hide(*id, error);
}

hp_status hp_recall_overlay_show(hp_recall_overlay* overlay, const hp_item_id* id,
                                 hp_error* error) {
  HP_TRY(handpick::CheckOverlay(overlay, id, error));
  return overlay->overlay.Show(*id, error);
}

hp_status hp_session_recall(hp_session* session, const hp_recall_options* options,
                            hp_recalled* items, size_t* count) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  hp_recall_options read;
  HP_TRY(handpick::ReadOptions(&session->session, options, items, nullptr, count, &read));
  return session->session.Recall(read, handpick::OverlayOf(read), items, count);
}

hp_status hp_session_recommend(hp_session* session, const hp_recall_options* options, size_t k,
                               hp_recommended* items, size_t* count) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  hp_recall_options read;
  HP_TRY(handpick::ReadOptions(&session->session, options, items, &k, count, &read));
  return session->session.Recommend(read, handpick::OverlayOf(read), k, items, count);
}

hp_status hp_session_get_recall_report(const hp_session* session, hp_recall_report* report) {
  const handpick::SessionCall call(session);
  HP_TRY(call.status());
  if (report == nullptr) return HP_INVALID_ARGUMENT;
  return handpick::WriteStruct(session->session.recall_report(), report, nullptr);
}
