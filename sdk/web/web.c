/* The C API for JavaScript: functions of numbers alone, since that is what a WebAssembly module
 * exports. handpick.js is the only caller and knows the layouts below, which the assertions hold.
 *
 * Functions that make something return it, or null; others return a number of 0 or more (a count,
 * where there is one) or, when they fail, minus the hp_status. Either way hpw_error() then has the
 * message. One thread. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "handpick/diagnostics.h"
#include "handpick/handpick.h"

#define EXPORT(name) __attribute__((export_name(#name)))

_Static_assert(sizeof(void*) == 4, "handpick.js writes pointers of 32 bits");
_Static_assert(sizeof(hp_string) == 8, "{data, size}");
_Static_assert(sizeof(hp_column) == 24 && offsetof(hp_column, integers) == 8 &&
                   offsetof(hp_column, row_splits) == 20,
               "{feature, type, integers, numbers, strings, row_splits}");
_Static_assert(sizeof(hp_filter) == 36 && offsetof(hp_filter, low) == 16 &&
                   offsetof(hp_filter, integers) == 24,
               "{kind, feature, type, element, low, high, integers, strings, count}");
_Static_assert(sizeof(hp_item_id) == 16 && offsetof(hp_item_id, string) == 8, "{integer, string}");
_Static_assert(sizeof(hp_ranked) == 12, "{index, score, logit}");
_Static_assert(sizeof(hp_recalled) == 24 && offsetof(hp_recalled, item) == 16, "{id, item, score}");
_Static_assert(sizeof(hp_recommended) == 32 && offsetof(hp_recommended, item) == 16,
               "{id, item, recall_score, score, logit}");
_Static_assert(sizeof(hp_error) == 4 + HP_MESSAGE_SIZE, "{status, message}");

static hp_error last_error;

static int Answer(hp_status status) { return -(int)status; }

static int AnswerOfSession(const hp_session* session, hp_status status, size_t count) {
  if (status == HP_OK) return (int)count;
  last_error = *hp_session_last_error(session);
  return -(int)status;
}

EXPORT(hpw_error) const hp_error* hpw_error(void) { return &last_error; }
EXPORT(hpw_status_text) const char* hpw_status_text(int status) {
  return hp_status_text((hp_status)status);
}

/* Memory for bundles, batches and results, aligned as all of them need. */
EXPORT(hpw_allocate) void* hpw_allocate(size_t bytes) {
  if (bytes > SIZE_MAX - HP_ALIGNMENT) return NULL;
  return aligned_alloc(HP_ALIGNMENT, (bytes + HP_ALIGNMENT - 1) & ~(size_t)(HP_ALIGNMENT - 1));
}
EXPORT(hpw_release) void hpw_release(void* memory) { free(memory); }

EXPORT(hpw_version) const char* hpw_version(void) {
  hp_build_info info = HP_BUILD_INFO_INIT;
  return hp_get_build_info(&info) == HP_OK ? info.version : "";
}

/* ---- Models ---- */

/* keys: null for none, or those that the bundle may be signed with. */
EXPORT(hpw_model_open)
hp_model* hpw_model_open(const void* data, size_t size, const uint8_t* keys, size_t keys_size) {
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.public_keys = keys;
  options.public_keys_size = keys_size;
  hp_model* model = NULL;
  hp_model_open_buffer(data, size, &options, &model, &last_error);
  return model;
}
EXPORT(hpw_model_close) void hpw_model_close(hp_model* model) { hp_model_close(model); }
EXPORT(hpw_model_check) int hpw_model_check(const hp_model* model) {
  return Answer(hp_model_check(model, &last_error));
}

/* keys: null for the hashes, or those of the signature. */
EXPORT(hpw_check_new)
hp_check* hpw_check_new(const hp_model* model, const uint8_t* keys, size_t keys_size) {
  hp_check* check = NULL;
  if (keys == NULL) {
    hp_check_new(model, &check, &last_error);
  } else {
    hp_check_new_signed(model, keys, keys_size, &check, &last_error);
  }
  return check;
}
/* Whether all bytes were compared. */
EXPORT(hpw_check_next) int hpw_check_next(hp_check* check, uint32_t bytes) {
  int done = 0;
  const hp_status status = hp_check_next(check, bytes, &done, &last_error);
  return status == HP_OK ? done : Answer(status);
}
EXPORT(hpw_check_free) void hpw_check_free(hp_check* check) { hp_check_free(check); }

typedef struct web_model_info {
  double numbers[16];
  uint64_t content_hash, key_id;
  const char* texts[3];
} web_model_info;

EXPORT(hpw_model_info) int hpw_model_info(const hp_model* model, web_model_info* out) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  const hp_status status = hp_model_get_info(model, &info);
  if (status != HP_OK) return Answer(status);
  const double numbers[] = {
      info.format_major,          info.format_minor,
      (double)info.precision,     info.feature_count,
      info.max_history,           info.tile,
      info.golden_count,          info.has_model,
      (double)info.catalog_items, (double)info.recall_items,
      (double)info.bundle_bytes,  (double)info.table_bytes,
      (double)info.session_bytes, (double)info.model_bytes,
      (double)info.engine_bytes,  (double)info.output_count,
  };
  _Static_assert(sizeof(numbers) == sizeof(out->numbers), "all of them");
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); ++i) out->numbers[i] = numbers[i];
  out->content_hash = info.content_hash;
  out->key_id = info.key_id;
  out->texts[0] = info.model_name;
  out->texts[1] = info.model_version;
  out->texts[2] = info.producer;
  return 0;
}

typedef struct web_feature {
  uint32_t side, type, value_types, max_values, dimension, optional, is_catalog_key;
  const char *name, *sequence;
  uint32_t max_events;
} web_feature;

EXPORT(hpw_feature) int hpw_feature(const hp_model* model, uint32_t feature, web_feature* out) {
  hp_feature_info info = HP_FEATURE_INFO_INIT;
  const hp_status status = hp_model_get_feature(model, feature, &info);
  if (status != HP_OK) return Answer(status);
  *out = (web_feature){
      .side = (uint32_t)info.side,
      .type = (uint32_t)info.type,
      .value_types = info.value_types,
      .max_values = info.max_values,
      .dimension = info.dimension,
      .optional = (uint32_t)info.optional,
      .is_catalog_key = (uint32_t)info.is_catalog_key,
      .name = info.name,
      .sequence = info.sequence,
      .max_events = (uint32_t)info.max_events,
  };
  return 0;
}

typedef struct web_output {
  uint32_t task;
  const char* name;
} web_output;

EXPORT(hpw_output) int hpw_output(const hp_model* model, uint32_t output, web_output* out) {
  hp_output_info info = HP_OUTPUT_INFO_INIT;
  const hp_status status = hp_model_get_output(model, output, &info);
  if (status != HP_OK) return Answer(status);
  *out = (web_output){.task = (uint32_t)info.task, .name = info.name};
  return 0;
}

typedef struct web_recall_info {
  uint32_t metric, dimension, id_type, history_feature, candidate_feature, has_user_vector, probes;
  uint32_t measured_k, item_count;
  float measured_recall;
} web_recall_info;

EXPORT(hpw_recall_info) int hpw_recall_info(const hp_model* model, web_recall_info* out) {
  hp_recall_info info = HP_RECALL_INFO_INIT;
  const hp_status status = hp_model_get_recall_info(model, &info);
  if (status != HP_OK) return Answer(status);
  *out = (web_recall_info){
      .metric = (uint32_t)info.metric,
      .dimension = info.dimension,
      .id_type = (uint32_t)info.id_type,
      .history_feature = info.history_feature,
      .candidate_feature = info.candidate_feature,
      .has_user_vector = (uint32_t)info.has_user_vector,
      .probes = info.probes,
      .measured_k = info.measured_k,
      .item_count = (uint32_t)info.item_count,
      .measured_recall = info.measured_recall,
  };
  return 0;
}

/* ---- Sessions ---- */

EXPORT(hpw_session_new)
hp_session* hpw_session_new(const hp_model* model, uint32_t tile, uint32_t recall_k,
                            uint32_t recall_interests, uint32_t recall_probes) {
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.tile = tile;
  options.recall_k = recall_k;
  options.recall_interests = recall_interests;
  options.recall_probes = recall_probes;
  hp_session* session = NULL;
  hp_session_new(model, &options, &session, &last_error);
  return session;
}
EXPORT(hpw_session_free) void hpw_session_free(hp_session* session) { hp_session_free(session); }

EXPORT(hpw_session_check_goldens)
int hpw_session_check_goldens(hp_session* session, float* worst) {
  return AnswerOfSession(session, hp_session_check_goldens(session, worst), 0);
}

EXPORT(hpw_set_context)
int hpw_set_context(hp_session* session, const hp_column* columns, size_t count, size_t rows) {
  const hp_batch batch = HP_BATCH(columns, count, rows);
  return AnswerOfSession(session, hp_session_set_context(session, &batch), 0);
}
EXPORT(hpw_append_events)
int hpw_append_events(hp_session* session, const hp_column* columns, size_t count, size_t rows) {
  const hp_batch batch = HP_BATCH(columns, count, rows);
  return AnswerOfSession(session, hp_session_append_events(session, &batch), 0);
}
EXPORT(hpw_set_history)
int hpw_set_history(hp_session* session, const hp_column* columns, size_t count, size_t rows) {
  const hp_batch batch = HP_BATCH(columns, count, rows);
  return AnswerOfSession(session, hp_session_set_history(session, &batch), 0);
}

/* outputs: null for the model's first. */
EXPORT(hpw_score)
int hpw_score(hp_session* session, const hp_column* columns, size_t count, size_t rows,
              const uint32_t* outputs, size_t output_count, float* scores, float* logits) {
  const hp_batch batch = HP_BATCH(columns, count, rows);
  return AnswerOfSession(session,
                         outputs == NULL ? hp_session_score(session, &batch, scores, logits)
                                         : hp_session_score_outputs(session, &batch, outputs,
                                                                    output_count, scores, logits),
                         0);
}

EXPORT(hpw_rank)
int hpw_rank(hp_session* session, const hp_column* columns, size_t count, size_t rows,
             uint32_t output, float* scores, float* logits, size_t k, hp_ranked* ranked) {
  const hp_batch batch = HP_BATCH(columns, count, rows);
  hp_rank_options options = HP_RANK_OPTIONS_INIT;
  options.output = output;
  options.scores = scores;
  options.logits = logits;
  size_t found = 0;
  const hp_status status = hp_session_rank_by(session, &batch, &options, k, ranked, &found);
  return AnswerOfSession(session, status, found);
}

/* ---- Recall ---- */

/* Of handpick.js: the app's question about an item. It does not throw. */
__attribute__((import_module("handpick"), import_name("accepts"))) int hpw_accepts(
    uint32_t item, const hp_item_id* id);

static int Accepts(void* opaque, uint32_t item, const hp_item_id* id) {
  (void)opaque;
  return hpw_accepts(item, id);
}

typedef struct web_recall_options {
  uint32_t user, k;
  float half_life;
  uint32_t interests, probes, exact, keep_seen;
  const hp_filter* filters;
  uint32_t filter_count;
  const float* vector;
  uint32_t vector_size;
  const int64_t* excluded_integers;
  const hp_string* excluded_strings;
  uint32_t excluded_count, accepts;
  const hp_recall_overlay* overlay;
  uint32_t rank_output;
} web_recall_options;
_Static_assert(sizeof(web_recall_options) == 17 * 4, "17 words");

static hp_recall_options RecallOptions(const web_recall_options* given) {
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  options.user = (hp_user_vector)given->user;
  options.k = given->k;
  options.half_life = given->half_life;
  options.interests = given->interests;
  options.probes = given->probes;
  options.exact = (int)given->exact;
  options.keep_seen = (int)given->keep_seen;
  options.filters = given->filters;
  options.filter_count = given->filter_count;
  options.vector = given->vector;
  options.vector_size = given->vector_size;
  options.excluded_integers = given->excluded_integers;
  options.excluded_strings = given->excluded_strings;
  options.excluded_count = given->excluded_count;
  options.accepts = given->accepts != 0 ? Accepts : NULL;
  options.overlay = given->overlay;
  options.rank_output = given->rank_output;
  return options;
}

EXPORT(hpw_recall)
int hpw_recall(hp_session* session, const web_recall_options* given, hp_recalled* items) {
  const hp_recall_options options = RecallOptions(given);
  size_t found = 0;
  const hp_status status = hp_session_recall(session, &options, items, &found);
  return AnswerOfSession(session, status, found);
}

EXPORT(hpw_recommend)
int hpw_recommend(hp_session* session, const web_recall_options* given, size_t k,
                  hp_recommended* items) {
  const hp_recall_options options = RecallOptions(given);
  size_t found = 0;
  const hp_status status = hp_session_recommend(session, &options, k, items, &found);
  return AnswerOfSession(session, status, found);
}

typedef struct web_recall_report {
  uint32_t outcome, events, searches, exact;
  double rows_scanned, buckets;
} web_recall_report;

EXPORT(hpw_recall_report)
int hpw_recall_report(const hp_session* session, web_recall_report* out) {
  hp_recall_report report = HP_RECALL_REPORT_INIT;
  const hp_status status = hp_session_get_recall_report(session, &report);
  if (status != HP_OK) return Answer(status);
  *out = (web_recall_report){
      .outcome = (uint32_t)report.outcome,
      .events = report.events,
      .searches = report.searches,
      .exact = (uint32_t)report.exact,
      .rows_scanned = (double)report.rows_scanned,
      .buckets = (double)report.buckets,
  };
  return 0;
}

/* ---- Overlays: released with hpw_release ---- */

EXPORT(hpw_overlay_new)
hp_recall_overlay* hpw_overlay_new(const hp_model* model, uint32_t max_items) {
  size_t bytes = 0;
  if (hp_recall_overlay_memory_size(model, max_items, &bytes, &last_error) != HP_OK) return NULL;
  void* memory = hpw_allocate(bytes);
  if (memory == NULL) {
    last_error = (hp_error){HP_OUT_OF_MEMORY, "no memory for an overlay"};
    return NULL;
  }
  hp_recall_overlay* overlay = NULL;
  hp_recall_overlay_create(model, max_items, memory, bytes, &overlay, &last_error);
  if (overlay == NULL) free(memory);
  return overlay;
}

EXPORT(hpw_overlay_add)
int hpw_overlay_add(hp_recall_overlay* overlay, const hp_item_id* id, const float* vector,
                    size_t dimension) {
  return Answer(hp_recall_overlay_add(overlay, id, vector, dimension, &last_error));
}
EXPORT(hpw_overlay_remove)
int hpw_overlay_remove(hp_recall_overlay* overlay, const hp_item_id* id) {
  return Answer(hp_recall_overlay_remove(overlay, id, &last_error));
}
EXPORT(hpw_overlay_hide) int hpw_overlay_hide(hp_recall_overlay* overlay, const hp_item_id* id) {
  return Answer(hp_recall_overlay_hide(overlay, id, &last_error));
}
EXPORT(hpw_overlay_show) int hpw_overlay_show(hp_recall_overlay* overlay, const hp_item_id* id) {
  return Answer(hp_recall_overlay_show(overlay, id, &last_error));
}
