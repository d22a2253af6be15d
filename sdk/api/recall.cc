// The C API's recall: checks its arguments and calls the parts below.
#include <cstddef>
#include <cstring>
#include <new>

#include "handpick/handpick.h"
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

// What hp_session_recall and hp_session_recommend have in common.
hp_status ReadOptions(Session* session, const hp_recall_options* given, const void* items, size_t k,
                      const size_t* count, hp_recall_options* options) {
  hp_error* error = session->error();
  if (given == nullptr) return NullArgument(error, "options");
  if (count == nullptr) return NullArgument(error, "count");
  if (given->struct_size < sizeof(hp_recall_options)) {
    return Fail(error, HP_INVALID_ARGUMENT, "recall options have struct_size %u, expected %zu",
                given->struct_size, sizeof(hp_recall_options));
  }
  if (items == nullptr && k != 0) return NullArgument(error, "items");
  if (session->model().plan().recall == nullptr) return NoRecall(error);
  std::memcpy(options, given, sizeof(*options));
  return HP_OK;
}

const RecallOverlay* OverlayOf(const hp_recall_options& options) {
  return options.overlay == nullptr ? nullptr : &options.overlay->overlay;
}

hp_status CheckOverlay(const hp_recall_overlay* overlay, const hp_item_id* id, hp_error* error) {
  Succeed(error);
  if (overlay == nullptr) return NullArgument(error, "overlay");
  return id == nullptr ? NullArgument(error, "id") : HP_OK;
}

}  // namespace
}  // namespace handpick

using handpick::Fail;
using handpick::NullArgument;
using handpick::Succeed;

hp_status hp_model_get_recall_info(const hp_model* model, hp_recall_info* info) {
  if (model == nullptr || info == nullptr) return HP_INVALID_ARGUMENT;
  const handpick::RecallIndex* index = model->model.plan().recall;
  if (index == nullptr) return HP_NO_RECALL;
  static_assert(
      static_cast<int>(handpick::schema::RecallMetric::Cosine) == HP_RECALL_COSINE &&
          static_cast<int>(handpick::schema::RecallMetric::InnerProduct) ==
              HP_RECALL_INNER_PRODUCT &&
          static_cast<int>(handpick::schema::RecallMetric::Euclidean) == HP_RECALL_EUCLIDEAN,
      "the same numbers");
  static_assert(HP_NO_FEATURE == handpick::kNone, "the same number");
  info->metric = static_cast<hp_recall_metric>(index->metric);
  info->dimension = index->rows.dimension;
  info->item_count = index->rows.count;
  info->id_type = index->ids.are_strings ? HP_STRING : HP_INT64;
  info->history_feature = index->history_feature;
  info->candidate_feature = index->candidate_feature;
  info->has_user_vector = index->user_value == handpick::kNone ? 0 : 1;
  info->probes = index->probes;
  info->measured_k = index->measured_k;
  info->measured_recall = index->measured_recall;
  return HP_OK;
}

hp_status hp_recall_overlay_memory_size(const hp_model* model, uint32_t max_items, size_t* bytes,
                                        hp_error* error) {
  Succeed(error);
  if (model == nullptr) return NullArgument(error, "model");
  if (bytes == nullptr) return NullArgument(error, "bytes");
  const handpick::RecallIndex* index = model->model.plan().recall;
  if (index == nullptr) return handpick::NoRecall(error);
  return handpick::RecallOverlay::MemorySize(*index, max_items, bytes, error);
}

hp_status hp_recall_overlay_create(const hp_model* model, uint32_t max_items, void* memory,
                                   size_t bytes, hp_recall_overlay** overlay, hp_error* error) {
  size_t needed = 0;
  HP_TRY(hp_recall_overlay_memory_size(model, max_items, &needed, error));
  if (memory == nullptr) return NullArgument(error, "memory");
  if (overlay == nullptr) return NullArgument(error, "overlay");
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
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  hp_recall_options read;
  HP_TRY(handpick::ReadOptions(&session->session, options, items,
                               options == nullptr ? 0 : options->k, count, &read));
  return session->session.Recall(read, handpick::OverlayOf(read), items, count);
}

hp_status hp_session_recommend(hp_session* session, const hp_recall_options* options, size_t k,
                               hp_recommended* items, size_t* count) {
  if (session == nullptr) return HP_INVALID_ARGUMENT;
  hp_recall_options read;
  HP_TRY(handpick::ReadOptions(&session->session, options, items, k, count, &read));
  return session->session.Recommend(read, handpick::OverlayOf(read), k, items, count);
}

hp_status hp_session_get_recall_report(const hp_session* session, hp_recall_report* report) {
  if (session == nullptr || report == nullptr) return HP_INVALID_ARGUMENT;
  *report = session->session.recall_report();
  return HP_OK;
}
