/* Handpick: recommendation that runs on the phone. C99 and C++.
 *
 * A model is a bundle that was opened: immutable, shared by threads. A session is one user's
 * context and history and the scratch to score candidates with: it belongs to one thread at a time.
 *
 *     hp_model_open_file("ranker.hpk", NULL, &model, NULL);
 *     hp_session_new(model, NULL, &session, NULL);
 *     hp_session_set_context(session, &context);                 // when the context changes
 *     hp_session_append_events(session, &event);                 // at each tap
 *     hp_session_rank(session, &candidates, 10, best, &count);   // as often as wanted
 *     hp_session_recommend(session, &options, 10, items, &count);  // or with what is recalled
 *     hp_session_free(session);
 *     hp_model_close(model);
 *
 * - Once a session is made, no function that takes one allocates, takes a lock or makes a system
 *   call (hp_session_free alone releases its memory). A function that fails leaves the model and
 *   the session as they were, unless it says otherwise.
 * - A null pointer is answered with HP_INVALID_ARGUMENT, unless a function says what it means;
 *   functions that return nothing then do nothing. `error` may always be null.
 * - Structs that may grow begin with `struct_size`; HP_..._INIT sets it, and must be used for what
 *   is handed in and for what is filled in. A shorter struct (of an app with an older header) gets
 *   the defaults for what it lacks, and nothing behind it is written. A longer one is served when
 *   what this library does not know is zero, and refused by name otherwise; where it is filled in,
 *   the rest becomes zero. Elements of arrays that may grow have their size beside them
 *   (`column_size`, `filter_size`). These stay as they are for ever: hp_error, hp_string,
 *   hp_item_id, hp_ranked, hp_recalled, hp_recommended, hp_step_profile.
 * - Data of the caller's that a callback gets back is called `opaque`.
 * - Debug builds of the library (hp_build_info.build_type) find more mistakes, and answer them with
 *   HP_INVALID_ARGUMENT too: a model that was closed, a session of one, and a call on a session
 *   while another runs (of a second thread, or out of a callback).
 *
 * handpick/diagnostics.h has the rest: what is in a file, whether it is sound, what takes time;
 * handpick/update.h, how a new version of a bundle comes into use.
 */
#ifndef HANDPICK_HANDPICK_H_
#define HANDPICK_HANDPICK_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) && defined(HANDPICK_SHARED) /* An app's own, when it links handpick.dll. */
#define HP_API __declspec(dllimport)
#elif defined(_WIN32)
#define HP_API
#else
#define HP_API __attribute__((visibility("default")))
#endif

/** What a call came to; cause and cure of each are at the end of this page. Values are fixed for
 * ever; new ones are appended. */
/* clang-format off */
typedef enum hp_status {
  HP_OK = 0,
  HP_INVALID_ARGUMENT = 0x10, HP_UNKNOWN_FEATURE = 0x11, HP_WRONG_TYPE = 0x12,
  HP_MISSING_FEATURE = 0x13, HP_DUPLICATE_FEATURE = 0x14, HP_UNKNOWN_ID = 0x15,
  HP_NOT_FINITE = 0x16, HP_TOO_MANY_VALUES = 0x17, HP_UNKNOWN_ITEM = 0x18,
  HP_CONTEXT_NOT_SET = 0x19, HP_DUPLICATE_ITEM = 0x1A, HP_UNKNOWN_OUTPUT = 0x1B,
  HP_OUT_OF_MEMORY = 0x20, HP_MEMORY_TOO_SMALL = 0x21, HP_MISALIGNED = 0x22, HP_OVERLAY_FULL = 0x23,
  HP_FILE_ERROR = 0x30, HP_NOT_A_BUNDLE = 0x31, HP_BUNDLE_TOO_NEW = 0x32, HP_BUNDLE_CORRUPT = 0x33,
  HP_GOLDEN_MISMATCH = 0x34, HP_BUNDLE_TOO_OLD = 0x35, HP_NOT_A_DELTA = 0x36,
  HP_WRONG_OLD_BUNDLE = 0x37, HP_NO_BUNDLE = 0x38, HP_STORE_CORRUPT = 0x39,
  HP_WRONG_SIGNATURE = 0x3A,
  HP_UNSUPPORTED = 0x40, HP_NO_MODEL = 0x41, HP_NO_RECALL = 0x42, HP_NO_HASHES = 0x43,
  HP_NO_GOLDENS = 0x44, HP_NO_SIGNATURE = 0x45,
  HP_INTERNAL = 0x50
} hp_status;
/* clang-format on */

#define HP_MESSAGE_SIZE 256

/** What went wrong: `message` names the thing, its value and what was expected; "" after HP_OK. It
 * is UTF-8: control characters of ids and names, and bytes that are no UTF-8, are written as \xNN.
 */
typedef struct hp_error {
  hp_status status;
  char message[HP_MESSAGE_SIZE];
} hp_error;

/** Static text for a status ("unknown feature"); never null, also for values that are none.
 * Thread-safe. */
HP_API const char* hp_status_text(hp_status status);

/* ---- Open ---- */

typedef struct hp_model hp_model;

/** Alignment of bundles and sessions in memory, in bytes. */
#define HP_ALIGNMENT 64

/** Memory for a model, and for sessions that the library allocates. */
typedef struct hp_allocator {
  uint32_t struct_size;
  /** Memory aligned to `alignment` (a power of two), or null. */
  void* (*allocate)(void* opaque, size_t bytes, size_t alignment);
  void (*release)(void* opaque, void* memory, size_t bytes);
  void* opaque;
} hp_allocator;

#define HP_ALLOCATOR_INIT \
  { sizeof(hp_allocator), NULL, NULL, NULL }

#define HP_PUBLIC_KEY_SIZE 32 /**< Bytes of a public key, of Ed25519. */

/** Bits of hp_open_options.flags. */
typedef enum hp_open_flag {
  HP_OPEN_COPY = 1, /**< The bundle is copied into memory of the allocator: the file, or buffer, is
                       not needed afterwards, and may be written. Takes the bundle's size in
                       memory, and the time to read all of it. */
  HP_OPEN_VERIFY = 2,   /**< Compares every byte with the bundle's hashes, as hp_model_check does,
                           which takes the time to read all of it. A bundle without any is refused
                           (HP_NO_HASHES). */
  HP_OPEN_PRESELECT = 4 /**< Ranking may preselect: see hp_rank_options.margin. Makes an int8 copy
                           of the float32 layers over candidates, a quarter of their size in memory
                           (hp_model_info.model_bytes; a session takes a little more, too), where
                           that is much faster: x86-64 with AVX-512 VNNI, arm64 with the dot
                           product; with AVX2, of attention alone. Elsewhere, and of models without
                           such layers, nothing is made, and all candidates are scored exactly. */
} hp_open_flag;

typedef struct hp_open_options {
  uint32_t struct_size;
  uint32_t flags;                /**< Bits of hp_open_flag, or 0. */
  const hp_allocator* allocator; /**< Copied; its `opaque` must outlive the model. What the engine
                                    (XNNPACK) keeps, packed weights above all, comes from it too.
                                    Null: malloc and free. */
  uint64_t max_model_bytes;   /**< Most that is taken from the allocator, a copy included; a bundle
                                 that takes more is refused (HP_OUT_OF_MEMORY). 0: no limit but the
                                 library's own: 4 bytes for each byte of the bundle, or 64 KiB, and
                                 a copy. */
  const uint8_t* public_keys; /**< Keys whose bundles the app takes, HP_PUBLIC_KEY_SIZE bytes each,
                                 one after the other; read during the call. A bundle that is not
                                 signed with one of them (`handpick sign`) is refused before
                                 anything in it is used, which takes the time to read all of it.
                                 Null: signatures are not looked at. HP_UNSUPPORTED: this library
                                 was built without them. */
  size_t public_keys_size;    /**< Bytes of all keys. */
} hp_open_options;

#define HP_OPEN_OPTIONS_INIT \
  { sizeof(hp_open_options), 0, NULL, 0, NULL, 0 }

/** Opens a bundle: maps the file read-only until the model is closed, verifies it and packs the
 * float32 layers of context and history. Tables and all other weights are used in place.
 *
 * A bundle file is never written in place while a model has it open: write a new file beside it,
 * and rename that over the old name. Open models keep the old bytes, and an app that stops half-way
 * has the old file or the new one. An app that can't keep to that opens with HP_OPEN_COPY: a mapped
 * file that is overwritten gives wrong scores, and one that is cut short ends the app (SIGBUS).
 * @param[in]  options  Null: defaults.
 * @param[out] model    To be closed with hp_model_close. Null after a failure.
 * @retval HP_INVALID_ARGUMENT, HP_FILE_ERROR (also: a folder, a pipe), HP_NOT_A_BUNDLE,
 * HP_BUNDLE_TOO_NEW, HP_BUNDLE_TOO_OLD, HP_BUNDLE_CORRUPT, HP_OUT_OF_MEMORY, HP_UNSUPPORTED;
 * HP_NO_HASHES (HP_OPEN_VERIFY); HP_NO_SIGNATURE, HP_WRONG_SIGNATURE (public_keys). Thread-safe;
 * does not wait for pipes and devices. Whatever is in the file, its time and memory grow with the
 * file's size alone: see SECURITY.md. */
HP_API hp_status hp_model_open_file(const char* path, const hp_open_options* options,
                                    hp_model** model, hp_error* error);

/** As hp_model_open_file, of a part of an open file: an uncompressed asset of an APK, say.
 * @param[in] fd      Open for reading. Stays the caller's, who may close it after the call; its
 * position is not changed.
 * @param[in] offset  Of the bundle's first byte in the file; any. When it is no multiple of
 * HP_ALIGNMENT, the bundle can't be used in place: it is copied, as with HP_OPEN_COPY
 * (hp_model_info.copied_bytes tells).
 * @param[in] length  Bytes of the bundle; -1: up to the end of the file. */
HP_API hp_status hp_model_open_fd(int fd, int64_t offset, int64_t length,
                                  const hp_open_options* options, hp_model** model,
                                  hp_error* error);

/** As hp_model_open_file, of `size` bytes that lie in memory: the whole file, aligned to
 * HP_ALIGNMENT (HP_MISALIGNED). They must outlive the model and stay unchanged; with HP_OPEN_COPY
 * they need neither. */
HP_API hp_status hp_model_open_buffer(const void* data, size_t size, const hp_open_options* options,
                                      hp_model** model, hp_error* error);

/** Gives a model one owner more: it is there until hp_model_close was called once for the call that
 * opened it and once for each of these. So a model can be swapped for another while threads work
 * with it: a thread retains it where no other can close it (under the lock of the pointer, say),
 * uses it, and closes it. Null: nothing. Thread-safe. */
HP_API void hp_model_retain(hp_model* model);

/** Gives up a model, and destroys it when the last owner does; null: nothing. Sessions of
 * hp_session_new are owners until they are freed. Sessions and overlays in the caller's memory are
 * not, and must not be used any more. Thread-safe. */
HP_API void hp_model_close(hp_model* model);

/* ---- Session ---- */

typedef struct hp_session hp_session;

/** Runs task(task_opaque, i) once for each i below `count`, on any threads, and returns when all
 * have returned. Never called with a count of 1, nor by two threads at a time for one session.
 * HP_INVALID_ARGUMENT from the call that scores: a task did not run, or not once, or there is none
 * of that number; or one was still running (then from the session's other calls too, until it has
 * returned). */
typedef void (*hp_parallel_for)(void* opaque, uint32_t count,
                                void (*task)(void* task_opaque, uint32_t i), void* task_opaque);

typedef struct hp_session_options {
  uint32_t struct_size;
  uint32_t tile;     /**< Candidates that go through the model together; 0: the bundle's. Fewer take
                        less memory, with the same bits. */
  uint32_t workers;  /**< Tiles scored at the same time; 0: one. More memory, same bits. */
  uint32_t recall_k; /**< Largest k of a recall, at most HP_MAX_RECALL_K; 0: 256. */
  uint32_t recall_interests;    /**< Most interests of a recall, at most HP_MAX_INTERESTS; 0: 8. */
  uint32_t recall_probes;       /**< Most probes of a recall; 0: as many as the index says. */
  hp_parallel_for parallel_for; /**< Needed for more than one worker. */
  void* parallel_opaque;        /**< Handed to `parallel_for`. */
} hp_session_options;

#define HP_SESSION_OPTIONS_INIT \
  { sizeof(hp_session_options), 0, 0, 0, 0, 0, NULL, NULL }

#define HP_MAX_RECALL_K 1048576
#define HP_MAX_INTERESTS 64

/** Makes a session: one allocation from the model's allocator, of hp_session_memory_size bytes.
 * @param[in]  model    The session owns it too (hp_model_retain): it may be closed before.
 * @param[in]  options  Null: defaults.
 * @param[out] session  To be freed with hp_session_free. Null after a failure.
 * @retval HP_INVALID_ARGUMENT (also: a tile larger than the bundle's), HP_OUT_OF_MEMORY,
 * HP_MISALIGNED (the allocator's memory). Thread-safe. */
HP_API hp_status hp_session_new(const hp_model* model, const hp_session_options* options,
                                hp_session** session, hp_error* error);

/** Frees a session of hp_session_new. Does nothing for null, nor for one in the caller's memory. */
HP_API void hp_session_free(hp_session* session);

/** Bytes that a session takes: exact, and independent of how many candidates will be scored.
 * Errors and threads as for hp_session_new; allocates nothing. */
HP_API hp_status hp_session_memory_size(const hp_model* model, const hp_session_options* options,
                                        size_t* bytes, hp_error* error);

/** Makes a session in memory of the caller's: there is nothing to free but that. The model must
 * outlive it.
 * @param[in]  options  The same as for hp_session_memory_size. Null: defaults.
 * @param[in]  memory   At least hp_session_memory_size bytes, aligned to HP_ALIGNMENT.
 * @param[out] session  Null after a failure.
 * @retval HP_MEMORY_TOO_SMALL, HP_MISALIGNED, HP_INVALID_ARGUMENT. Thread-safe for different
 * memory; allocates nothing. */
HP_API hp_status hp_session_create(const hp_model* model, const hp_session_options* options,
                                   void* memory, size_t bytes, hp_session** session,
                                   hp_error* error);

/** What the last failed call on this session said; lives as long as the session. Never null. */
HP_API const hp_error* hp_session_last_error(const hp_session* session);

/* ---- Values ---- */

typedef enum hp_side {
  HP_SIDE_UNKNOWN = 0,
  HP_SIDE_CONTEXT = 1,
  HP_SIDE_HISTORY = 2,
  HP_SIDE_CANDIDATE = 3
} hp_side;

/** The number of the feature with that name on that side (a name may occur once a side).
 * @retval HP_UNKNOWN_FEATURE: there is none. Thread-safe; allocates nothing. */
HP_API hp_status hp_model_find_feature(const hp_model* model, hp_side side, const char* name,
                                       uint32_t* feature);

/** The type of a column's values, and which of them a feature takes. Values are bits. */
typedef enum hp_value_type { HP_INT64 = 1, HP_FLOAT32 = 2, HP_STRING = 4 } hp_value_type;

/** UTF-8 bytes, not necessarily ended by a zero. `data` may be null when `size` is 0. */
typedef struct hp_string {
  const char* data;
  size_t size;
} hp_string;

/** The values of one feature for every row of a batch. Pointers are read during the call only. */
typedef struct hp_column {
  uint32_t feature;   /**< From hp_model_find_feature. */
  hp_value_type type; /**< Which of the three pointers is read. */
  const int64_t* integers;
  const float* numbers; /**< [rows, dimension] for numeric features. NaN: missing, of features that
                           may be (those of trees); others refuse it. */
  const hp_string* strings;
  const uint32_t* row_splits; /**< Multi-valued: [rows + 1], from 0, never falling; row i has values
                                 [splits[i], splits[i+1]). Null otherwise. */
} hp_column;

/** A column of integers, one a row. */
static inline hp_column hp_int64s(uint32_t feature, const int64_t* values) {
  hp_column column;
  column.feature = feature;
  column.type = HP_INT64;
  column.integers = values;
  column.numbers = NULL;
  column.strings = NULL;
  column.row_splits = NULL;
  return column;
}

/** A column of numbers: [rows, dimension]. */
static inline hp_column hp_float32s(uint32_t feature, const float* values) {
  hp_column column = hp_int64s(feature, NULL);
  column.type = HP_FLOAT32;
  column.numbers = values;
  return column;
}

/** A column of strings, one a row. */
static inline hp_column hp_strings(uint32_t feature, const hp_string* values) {
  hp_column column = hp_int64s(feature, NULL);
  column.type = HP_STRING;
  column.strings = values;
  return column;
}

/** A column of a multi-valued feature: row i has values [row_splits[i], row_splits[i + 1]). */
static inline hp_column hp_int64_lists(uint32_t feature, const int64_t* values,
                                       const uint32_t* row_splits) {
  hp_column column = hp_int64s(feature, values);
  column.row_splits = row_splits;
  return column;
}

/** The same of strings. */
static inline hp_column hp_string_lists(uint32_t feature, const hp_string* values,
                                        const uint32_t* row_splits) {
  hp_column column = hp_strings(feature, values);
  column.row_splits = row_splits;
  return column;
}

/** Rows given feature by feature: one row for a context, one per event for a history, one per
 * candidate. HP_BATCH(columns, column_count, row_count) makes one. */
typedef struct hp_batch {
  uint32_t struct_size;
  uint32_t column_size; /**< sizeof(hp_column). */
  const hp_column* columns;
  size_t column_count;
  size_t row_count;
} hp_batch;

#define HP_BATCH(columns, column_count, row_count) \
  { sizeof(hp_batch), sizeof(hp_column), columns, column_count, row_count }
#define HP_BATCH_INIT HP_BATCH(NULL, 0, 0)

/* ---- Context and history ---- */

/** Sets the whole context, one row: features left out take their defaults, whatever they were
 * before. Work that depends on the context alone is done once, before the next scoring.
 * @retval HP_INVALID_ARGUMENT, HP_UNKNOWN_FEATURE, HP_WRONG_TYPE, HP_MISSING_FEATURE,
 * HP_DUPLICATE_FEATURE, HP_UNKNOWN_ID, HP_NOT_FINITE, HP_TOO_MANY_VALUES; for every batch. The
 * message names feature and row. */
HP_API hp_status hp_session_set_context(hp_session* session, const hp_batch* context);

/** Appends events, oldest first. When the history is full, the oldest events make place. A model
 * may have several histories, sequences of clicks and of purchases, say: the features of a batch
 * are of one of them (hp_feature_info.sequence), and so is the batch.
 * Work that depends on one event alone is done here and never again. States of recurrent models
 * depend on all events before: when the oldest one goes, they are computed again from those that
 * stay, or carried on where the model's spec says so (history.beyond_maximum). */
HP_API hp_status hp_session_append_events(hp_session* session, const hp_batch* events);

/** Replaces the history: the same bits as clearing it and appending the events one by one. Row
 * count 0 empties it; of several histories, that of the batch's features. */
HP_API hp_status hp_session_set_history(hp_session* session, const hp_batch* events);

/* ---- Score and rank ---- */

typedef struct hp_ranked {
  size_t index; /**< Row of the candidate in the batch. */
  float score;
  float logit;
} hp_ranked;

/** The best `k` candidates, best first; equal logits in the order of their rows.
 * @param[out] ranked  [k] Written also while the call runs; unspecified when it fails.
 * @param[out] count   min(k, rows).
 * @retval as hp_session_score. */
HP_API hp_status hp_session_rank(hp_session* session, const hp_batch* candidates, size_t k,
                                 hp_ranked* ranked, size_t* count);

typedef struct hp_rank_options {
  uint32_t struct_size;
  uint32_t output; /**< To rank by, from hp_model_find_output; 0: the bundle's own, its first. */
  float* scores;   /**< [rows, outputs of the model]: those of all candidates by all outputs, as of
                      hp_session_score_outputs. Null: none. */
  float* logits;   /**< The same. */
  double margin;   /**< 0: off. Above 0, of a model that was opened with HP_OPEN_PRESELECT: all
                      candidates are scored with rounded (int8) layers, and then exactly those whose
                      rounded logit is at most twice the margin below the k-th best. As long as no
                      rounded logit is further than the margin from the exact one, the answer is that
                      of exact ranking, bit for bit. Where a candidate that is scored exactly shows a
                      larger error, all are scored exactly; an error among the others is not seen,
                      nor an exact logit that is not finite. hp_session_counters has the calls, the
                      candidates that were scored exactly, and the largest error. INFINITY scores all
                      in both ways: so an app learns the error on its own requests, and takes one and
                      a half times that, say. HP_INVALID_ARGUMENT: it is below 0 or NaN, or `scores`
                      or `logits` are asked for, too. */
} hp_rank_options;

#define HP_RANK_OPTIONS_INIT \
  { sizeof(hp_rank_options), 0, NULL, NULL, 0 }

/**
 * As hp_session_rank, by the output that the options name; `score` and `logit` are that output's.
 * @param[in] options  Null: defaults.
 * @retval as hp_session_rank; HP_UNKNOWN_OUTPUT; HP_INVALID_ARGUMENT: see `margin`.
 */
HP_API hp_status hp_session_rank_by(hp_session* session, const hp_batch* candidates,
                                    const hp_rank_options* options, size_t k, hp_ranked* ranked,
                                    size_t* count);

/** Scores candidates. The bits of a candidate's score depend on nothing but the bundle, the user,
 * that candidate and the kind of processor. Time grows linearly with the number of rows.
 * @param[in]  candidates  Any number of rows, 0 included. Features that the catalog has may be left
 * out when its key feature is given. With a row count and no column, all features take defaults.
 * @param[out] scores      [rows]: what hp_task makes of the logit of the model's first output: a
 * click probability for a binary model, the value itself for a regression. May be null.
 * @param[out] logits      [rows]: that output before the sigmoid. May be null.
 * @retval as hp_session_set_context; HP_NO_MODEL, HP_CONTEXT_NOT_SET, HP_UNKNOWN_ITEM;
 * HP_NOT_FINITE, with the candidate's row: the model's numbers overflowed. Scores and logits of
 * earlier rows may have been written. */
HP_API hp_status hp_session_score(hp_session* session, const hp_batch* candidates, float* scores,
                                  float* logits);

/**
 * Scores candidates by several outputs of a model at once (hp_model_find_output).
 *
 * @param[in]  outputs       [output_count]: which, in which order. Null: the model's first
 * `output_count` ones.
 * @param[out] scores        [rows, output_count]. May be null.
 * @param[out] logits        [rows, output_count]. May be null.
 * @retval as hp_session_score; HP_UNKNOWN_OUTPUT.
 * All outputs are computed together, whichever are asked for.
 */
HP_API hp_status hp_session_score_outputs(hp_session* session, const hp_batch* candidates,
                                          const uint32_t* outputs, size_t output_count,
                                          float* scores, float* logits);

/* ---- Recall and recommend: bundles with an index of item vectors ---- */

/** What a user's vector is made of. Vectors of events are those of the items that the index's
 * history_feature names, as the index has them, or the overlay; events of other items do not count,
 * an item that occurs twice counts twice. For cosine all of them have length 1: a mean is one of
 * directions, and a long vector weighs no more than a short one. */
typedef enum hp_user_vector {
  HP_USER_UNKNOWN = 0,
  HP_USER_MEAN = 1,
  HP_USER_RECENT = 2,    /**< Mean, an event of age a weighing 2^(-a / half_life). Newest: a = 0. */
  HP_USER_INTERESTS = 3, /**< Several, by k-means: each searches for k items, of which the best k
                            are left, with the best of their scores. */
  HP_USER_VECTOR = 4,    /**< `vector`. */
  HP_USER_MODEL = 5      /**< What the model makes of context and history (a user tower, say), where
                            hp_recall_info.has_user_vector is 1. */
} hp_user_vector;

typedef enum hp_filter_kind {
  HP_FILTER_UNKNOWN = 0,
  HP_FILTER_ANY_OF = 1,  /**< Categorical: one of the item's ids is among those given. */
  HP_FILTER_NONE_OF = 2, /**< Categorical: none is. */
  HP_FILTER_RANGE = 3    /**< Numeric: low <= number <= high. */
} hp_filter_kind;

/** A condition on a column of the catalog. Values are compared as the model sees them: ids by their
 * row, so that ids which share one (hashed, out of vocabulary) are equal, and numbers after the
 * feature's transform, which the bounds go through too. What is not in the catalog passes none. */
typedef struct hp_filter {
  hp_filter_kind kind;
  uint32_t feature;         /**< A candidate feature that is a column of the catalog. */
  hp_value_type type;       /**< Ids: HP_INT64 or HP_STRING. */
  uint32_t element;         /**< Range: which of the feature's numbers. */
  float low;                /**< Range; may be -INFINITY. */
  float high;               /**< Range; may be INFINITY. */
  const int64_t* integers;  /**< [count] */
  const hp_string* strings; /**< [count] */
  size_t count;
} hp_filter;

#define HP_FILTER_INIT \
  { HP_FILTER_UNKNOWN, 0, HP_INT64, 0, 0, 0, NULL, NULL, 0 }

#define HP_MAX_FILTERS 16
#define HP_MAX_FILTER_VALUES 256 /**< Ids of all filters of a call together. */

/** An item's id: the one of the two that hp_recall_info.id_type says. */
typedef struct hp_item_id {
  int64_t integer;
  hp_string string; /**< In results: points into the bundle, or the overlay while that is not
                       changed. Null data for integers. */
} hp_item_id;

/** `item` of an item that is in the overlay. */
#define HP_OVERLAY_ITEM UINT32_MAX

/** Items that came after the bundle, or are hidden: see below. */
typedef struct hp_recall_overlay hp_recall_overlay;

typedef struct hp_recall_options {
  uint32_t struct_size;
  hp_user_vector user;
  size_t k;                 /**< Items wanted, at most the session's recall_k. */
  float half_life;          /**< HP_USER_RECENT: events, more than 0. */
  uint32_t interests;       /**< HP_USER_INTERESTS: at least 1, at most the session's. */
  uint32_t probes;          /**< Per table, at most the session's recall_probes; 0: the index's. */
  int exact;                /**< 1: all item vectors are compared. */
  int keep_seen;            /**< 0: items of the history are left out. */
  uint32_t filter_size;     /**< sizeof(hp_filter). */
  const hp_filter* filters; /**< [filter_count] All have to hold. */
  size_t filter_count;
  const float* vector;              /**< HP_USER_VECTOR: [vector_size]. */
  size_t vector_size;               /**< The index's dimension. */
  const int64_t* excluded_integers; /**< [excluded_count] Ids to leave out; those that the index
                                       does not have are passed over. */
  const hp_string* excluded_strings;
  size_t excluded_count;
  /** 0: the item is left out. Asked about items that would be among the best alone, possibly more
   * than once, in no promised order; must answer the same within a call, and not use the session.
   * `item` is the number in the index, ascending by id; or HP_OVERLAY_ITEM. Null: all are taken. */
  int (*accepts)(void* opaque, uint32_t item, const hp_item_id* id);
  void* accepts_opaque;             /**< Handed to `accepts`. */
  const hp_recall_overlay* overlay; /**< Of the same model. Null: none. */
  size_t rank_output;               /**< hp_session_recommend: as hp_rank_options.output. */
} hp_recall_options;

#define HP_RECALL_OPTIONS_INIT                                                                   \
  {                                                                                              \
    sizeof(hp_recall_options), HP_USER_MEAN, 0, 0, 0, 0, 0, 0, sizeof(hp_filter), NULL, 0, NULL, \
        0, NULL, NULL, 0, NULL, NULL, NULL, 0                                                    \
  }

typedef struct hp_recommended {
  hp_item_id id;
  uint32_t item;      /**< Number in the index, or HP_OVERLAY_ITEM. */
  float recall_score; /**< As in hp_recalled. */
  float score;        /**< As in hp_ranked. */
  float logit;
} hp_recommended;

/** Recalls `options.k` items, ranks them with the model, and returns the best `k`, best first;
 * equal logits in the order in which they were recalled. The same as hp_session_recall, and
 * hp_session_rank of a batch whose only column is the index's candidate_feature.
 *
 * An item's other features come from the catalog, or are defaults. Items that cannot be ranked are
 * left out before the best of recall are taken: those that are not in the catalog (of an overlay,
 * say) while one of its columns has no default, and those whose id the model's vocabulary does not
 * have, nor a row for such.
 * @param[out] items  [k]
 * @param[out] count  min(k, recalled).
 * @retval as hp_session_recall and hp_session_rank (HP_NOT_FINITE names the item); HP_NO_MODEL;
 * HP_MISSING_FEATURE: a candidate feature that is in no catalog and has no default;
 * HP_INVALID_ARGUMENT: the bundle names no candidate_feature. */
HP_API hp_status hp_session_recommend(hp_session* session, const hp_recall_options* options,
                                      size_t k, hp_recommended* items, size_t* count);

typedef struct hp_recalled {
  hp_item_id id;
  uint32_t item; /**< Number in the index, or HP_OVERLAY_ITEM. */
  float score;   /**< By the metric. */
} hp_recalled;

/** Recalls the best `options.k` items for the user, best first; equal scores in the order of ids.
 * What is left out (seen, excluded, filtered, hidden) is so before the best are taken: there are
 * fewer than k only when fewer items are left. No item occurs twice. The same session, options and
 * overlay give the same answer. Needs no context and no model, but for HP_USER_MODEL, which
 * computes what depends on the user if that has changed. On the calling thread alone.
 *
 * An answer may have no item, with HP_OK: hp_session_get_recall_report says why. An app then shows
 * what is popular, or recalls with a vector of its own.
 * @param[out] items  [k] Unspecified when the call fails.
 * @param[out] count  How many were written.
 * @retval HP_NO_RECALL, HP_INVALID_ARGUMENT (sizes, kinds, an overlay of another model; the bundle
 * names no history_feature, or no vector of the model's), HP_NOT_FINITE (`vector`, or the model's),
 * HP_CONTEXT_NOT_SET (HP_USER_MODEL), HP_UNKNOWN_FEATURE, HP_WRONG_TYPE (filters),
 * HP_BUNDLE_CORRUPT (damage that was met) */
HP_API hp_status hp_session_recall(hp_session* session, const hp_recall_options* options,
                                   hp_recalled* items, size_t* count);

/** Why the last recall of a session found what it found. */
typedef enum hp_recall_outcome {
  HP_RECALL_NOT_DONE = 0, /**< There was none yet, or it failed. */
  HP_RECALL_FOUND = 1,
  HP_RECALL_NO_EVENTS = 2,    /**< No event of the history names an item that has a vector. */
  HP_RECALL_NO_DIRECTION = 3, /**< The user's vector is zero, and the metric needs a direction. */
  HP_RECALL_NONE_LEFT = 4     /**< No item, after all that was left out; or k was 0. */
} hp_recall_outcome;

typedef struct hp_recall_report {
  uint32_t struct_size;
  hp_recall_outcome outcome;
  uint32_t events;       /**< Whose items have a vector. */
  uint32_t searches;     /**< 1, or the number of interests. */
  int exact;             /**< 1: a search compared all items, or all that pass the filters. */
  uint64_t rows_scanned; /**< Item vectors compared, the overlay's included. */
  uint64_t buckets;      /**< Looked into, of all tables; or cells. */
} hp_recall_report;

#define HP_RECALL_REPORT_INIT \
  { sizeof(hp_recall_report), HP_RECALL_NOT_DONE, 0, 0, 0, 0, 0 }

HP_API hp_status hp_session_get_recall_report(const hp_session* session, hp_recall_report* report);

/* ---- What a model is and takes: thread-safe, and allocates nothing ---- */

/** Which precision the weights of a bundle have. */
typedef enum hp_precision {
  HP_PRECISION_UNKNOWN = 0,
  HP_PRECISION_F32 = 1,
  HP_PRECISION_INT8 = 2,
  HP_PRECISION_F16 = 3
} hp_precision;

typedef struct hp_model_info {
  uint32_t struct_size;
  uint32_t format_major;
  uint32_t format_minor;
  hp_precision precision;
  uint32_t feature_count;
  uint32_t max_history;   /**< Events that a session keeps, of the longest sequence; 0: none. */
  uint32_t tile;          /**< Candidates that go through the model together. */
  uint32_t golden_count;  /**< Golden requests for hp_session_check_goldens. */
  uint32_t step_count;    /**< Steps of the model: entries of an hp_profile. */
  int has_model;          /**< 0: a recall index alone. */
  const char* model_name; /**< Strings live as long as the model. */
  const char* model_version;
  const char* producer;
  uint64_t catalog_items; /**< 0: no catalog. */
  uint64_t recall_items;  /**< Of the recall index; 0: none, or there is no index. */
  uint64_t bundle_bytes;
  uint64_t table_bytes;   /**< Embedding tables, used in place. */
  uint64_t dense_bytes;   /**< Dense weights, used in place but for those in engine_bytes. */
  uint64_t session_bytes; /**< hp_session_memory_size with default options. */
  uint64_t model_bytes;   /**< Taken from the allocator for the model's own lists. */
  uint64_t engine_bytes;  /**< Taken from the allocator for the engine's operators: float32 layers
                             of context and history, packed when the model is opened. */
  uint64_t output_count;  /**< What the model says of a candidate: hp_model_get_output. */
  uint64_t copied_bytes;  /**< Of the bundle, taken from the allocator: all (HP_OPEN_COPY), or 0. */
  uint64_t content_hash;  /**< Of all bytes, as the converter wrote them (XXH3: equal for equal
                             files, no proof against an attacker); 0: the bundle has none. */
  uint64_t key_id;        /**< Of the key that the bundle says it is signed with, as `handpick sign`
                             shows it; hp_open_options.public_keys alone proves it. 0: the bundle is
                             not signed. */
} hp_model_info;

#define HP_MODEL_INFO_INIT                                                                       \
  {                                                                                              \
    sizeof(hp_model_info), 0, 0, HP_PRECISION_UNKNOWN, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0, 0, \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0                                                             \
  }

HP_API hp_status hp_model_get_info(const hp_model* model, hp_model_info* info);

typedef enum hp_feature_type {
  HP_FEATURE_UNKNOWN = 0,
  HP_FEATURE_CATEGORICAL = 1,       /**< One id a row. */
  HP_FEATURE_MULTI_CATEGORICAL = 2, /**< Up to `max_values` ids a row. */
  HP_FEATURE_NUMERIC = 3,           /**< `dimension` numbers a row. */
  HP_FEATURE_CROSSED = 4,           /**< Made from other features; never given. */
  HP_FEATURE_LENGTH = 5 /**< One integer a row: positions of a multi-valued feature that count. */
} hp_feature_type;

typedef struct hp_feature_info {
  uint32_t struct_size;
  hp_side side;
  hp_feature_type type;
  uint32_t value_types; /**< hp_value_type bits that a column of this feature may have. */
  uint32_t max_values;  /**< Multi-valued: ids a row; else 1. */
  uint32_t dimension;   /**< Numeric: numbers a row; else 1. */
  int optional;         /**< 1: has a default, or the catalog has it. */
  int is_catalog_key;   /**< 1: its id names an item of the catalog. */
  const char* name;     /**< Lives as long as the model. */
  const char* sequence; /**< Of the history: the sequence of events that it belongs to, as long as
                           the model lives; else NULL. */
  uint64_t max_events;  /**< Events of that sequence that a session keeps; else 0. */
} hp_feature_info;

#define HP_FEATURE_INFO_INIT \
  { sizeof(hp_feature_info), HP_SIDE_UNKNOWN, HP_FEATURE_UNKNOWN, 0, 0, 0, 0, 0, NULL, NULL, 0 }

/** Features are numbered from 0 to hp_model_info.feature_count - 1. @retval HP_UNKNOWN_FEATURE. */
HP_API hp_status hp_model_get_feature(const hp_model* model, uint32_t feature,
                                      hp_feature_info* info);

/** What an output's logit stands for, and its score is. */
typedef enum hp_task {
  HP_TASK_UNKNOWN = 0,
  HP_TASK_BINARY = 1,         /**< score = sigmoid(logit), a probability. */
  HP_TASK_REGRESSION = 2,     /**< score = logit. */
  HP_TASK_PROBABILITY = 3,    /**< score = logit, a probability by itself. */
  HP_TASK_LOG_PROBABILITY = 4 /**< score = exp(logit), a probability or a product of powers. */
} hp_task;

typedef struct hp_output_info {
  uint32_t struct_size;
  hp_task task;
  const char* name; /**< Lives as long as the model. */
} hp_output_info;

#define HP_OUTPUT_INFO_INIT \
  { sizeof(hp_output_info), HP_TASK_UNKNOWN, NULL }

/** What a model says of a candidate: a click, a purchase, ... Outputs are numbered from 0 to
 * hp_model_info.output_count - 1; candidates are ranked by number 0, unless they are asked for
 * otherwise.
 * @retval HP_UNKNOWN_OUTPUT. Thread-safe; allocates nothing. */
HP_API hp_status hp_model_get_output(const hp_model* model, uint32_t output, hp_output_info* info);

/** The number of the output of that name.
 * @retval HP_UNKNOWN_OUTPUT. Thread-safe; allocates nothing. */
HP_API hp_status hp_model_find_output(const hp_model* model, const char* name, uint32_t* output);

/** What a recall index ranks by; a larger score is better. */
typedef enum hp_recall_metric {
  HP_RECALL_UNKNOWN_METRIC = 0,
  HP_RECALL_COSINE = 1,
  HP_RECALL_INNER_PRODUCT = 2,
  HP_RECALL_EUCLIDEAN = 3 /**< score = -|user - item|^2 */
} hp_recall_metric;

#define HP_NO_FEATURE UINT32_MAX

typedef struct hp_recall_info {
  uint32_t struct_size;
  hp_recall_metric metric;
  uint32_t dimension;         /**< Numbers of a vector. */
  hp_value_type id_type;      /**< HP_INT64 or HP_STRING. */
  uint32_t history_feature;   /**< Names the item of an event; HP_NO_FEATURE: none. */
  uint32_t candidate_feature; /**< An item's id when it is ranked; HP_NO_FEATURE: none. */
  int has_user_vector;        /**< 1: the model makes a vector of the user, HP_USER_MODEL. */
  uint32_t probes;            /**< Buckets that a query looks into, per table; 0: exact scans. */
  uint32_t measured_k;        /**< What the converter measured; 0: nothing. */
  float measured_recall;
  uint64_t item_count;
} hp_recall_info;

#define HP_RECALL_INFO_INIT \
  { sizeof(hp_recall_info), HP_RECALL_UNKNOWN_METRIC, 0, HP_INT64, 0, 0, 0, 0, 0, 0, 0 }

/** @retval HP_NO_RECALL. */
HP_API hp_status hp_model_get_recall_info(const hp_model* model, hp_recall_info* info);

/* ---- Overlay: items that came after the bundle, and items of it that are to be left out ----
 *
 * It lives in the caller's memory, is searched exactly, and costs about a row of float32 an item.
 * Changed by one thread, while no session recalls with it; otherwise any number of sessions share
 * one. Nothing below allocates, and an overlay is as it was after an error.
 */

#define HP_MAX_OVERLAY_ITEMS 65536
#define HP_MAX_OVERLAY_STRING 128 /**< Bytes of a string id in an overlay. */

/** Bytes of an overlay of up to `max_items` items that hides up to as many.
 * @retval HP_NO_RECALL, HP_INVALID_ARGUMENT. Thread-safe. */
HP_API hp_status hp_recall_overlay_memory_size(const hp_model* model, uint32_t max_items,
                                               size_t* bytes, hp_error* error);

/** Makes an empty overlay inside the caller's memory, as hp_session_create makes a session: the
 * same rules and errors, and nothing to destroy. `model` must outlive it. */
HP_API hp_status hp_recall_overlay_create(const hp_model* model, uint32_t max_items, void* memory,
                                          size_t bytes, hp_recall_overlay** overlay,
                                          hp_error* error);

/** Adds an item. Id and vector are copied. Moves the items behind it: time grows with their number.
 * @param[in] vector  [dimension], in the space of the index's vectors; of any length for cosine.
 * @retval HP_DUPLICATE_ITEM    the overlay has it, or the index has: hide that one first.
 * @retval HP_NOT_FINITE        a number is NaN, infinite, or larger than 1e15 in size.
 * @retval HP_INVALID_ARGUMENT  `dimension` is not the index's; a string longer than
 * HP_MAX_OVERLAY_STRING, or null where the ids are strings.
 * @retval HP_OVERLAY_FULL */
HP_API hp_status hp_recall_overlay_add(hp_recall_overlay* overlay, const hp_item_id* id,
                                       const float* vector, size_t dimension, hp_error* error);

/** Removes an item that was added. @retval HP_UNKNOWN_ITEM: it was not. */
HP_API hp_status hp_recall_overlay_remove(hp_recall_overlay* overlay, const hp_item_id* id,
                                          hp_error* error);

/** Hides an item of the index: it is not recalled any more. In a history its vector still counts.
 * Nothing changes when it is hidden already.
 * @retval HP_UNKNOWN_ITEM: not in the index; HP_OVERLAY_FULL. */
HP_API hp_status hp_recall_overlay_hide(hp_recall_overlay* overlay, const hp_item_id* id,
                                        hp_error* error);

/** Shows a hidden item again. @retval HP_UNKNOWN_ITEM: it is not hidden; HP_DUPLICATE_ITEM: the
 * overlay has an item of that id: remove it first. */
HP_API hp_status hp_recall_overlay_show(hp_recall_overlay* overlay, const hp_item_id* id,
                                        hp_error* error);

/* ---- Status codes: one cause per code; the message has the details ----
 *
 *   0x10 HP_INVALID_ARGUMENT   a null pointer, a wrong size, option, string or row_splits; a
 *                              parallel_for that did not run what it was to run
 *   0x11 HP_UNKNOWN_FEATURE    no feature of that name or number on that side of the request
 *   0x12 HP_WRONG_TYPE         the column's type is not one that the feature takes
 *   0x13 HP_MISSING_FEATURE    a feature without default, and in no catalog, was left out
 *   0x14 HP_DUPLICATE_FEATURE  a feature was given twice in one batch
 *   0x15 HP_UNKNOWN_ID         not in the vocabulary, which has no out-of-vocabulary row
 *   0x16 HP_NOT_FINITE         a number is NaN or infinite, or becomes so (transform, model)
 *   0x17 HP_TOO_MANY_VALUES    a row has more values than the model keeps
 *   0x18 HP_UNKNOWN_ITEM       not in the catalog, and the other features were not given; or not in
 *                              the recall index, or overlay
 *   0x19 HP_CONTEXT_NOT_SET    context features have no default: hp_session_set_context first
 *   0x1A HP_DUPLICATE_ITEM     the overlay has the item, or the index has and it is not hidden
 *   0x1B HP_UNKNOWN_OUTPUT     the model has no output of that name or number
 *   0x20 HP_OUT_OF_MEMORY      the allocator, or the engine, returned none
 *   0x21 HP_MEMORY_TOO_SMALL   fewer bytes than needed; the message has both numbers
 *   0x22 HP_MISALIGNED         not aligned to HP_ALIGNMENT bytes
 *   0x23 HP_OVERLAY_FULL       it holds, or hides, as many items as it was made for
 *   0x30 HP_FILE_ERROR         the file cannot be opened, read or mapped
 *   0x31 HP_NOT_A_BUNDLE       the bytes are no Handpick bundle
 *   0x32 HP_BUNDLE_TOO_NEW     written for a newer SDK: update the app's
 *   0x33 HP_BUNDLE_CORRUPT     it contradicts itself, or was damaged: download it again
 *   0x34 HP_GOLDEN_MISMATCH    this device does not compute what the trainer did
 *   0x35 HP_BUNDLE_TOO_OLD     of a format that this SDK no longer reads: convert the model again
 *   0x36 HP_NOT_A_DELTA        the bytes are no delta, or are damaged: download the whole bundle
 *   0x37 HP_WRONG_OLD_BUNDLE   the delta was made for another bundle: download the whole one
 *   0x38 HP_NO_BUNDLE          the store has none, or none to go back to: install one
 *   0x39 HP_STORE_CORRUPT      the store's state is not what was written: empty the folder
 *   0x3A HP_WRONG_SIGNATURE    it is not signed with a key of the app's, or was changed since
 *   0x40 HP_UNSUPPORTED        the engine does not run on this processor; or the library was built
 *                              without what the call or the bundle needs
 *   0x41 HP_NO_MODEL           the bundle holds a recall index alone: nothing to score with
 *   0x42 HP_NO_RECALL          the bundle has no recall index
 *   0x43 HP_NO_HASHES          the bundle has no hashes that hp_model_check could compare
 *   0x44 HP_NO_GOLDENS         the bundle has no golden requests to replay
 *   0x45 HP_NO_SIGNATURE       the bundle is not signed, and the app asks for a signature
 *   0x50 HP_INTERNAL           a fault of ours: please report it, with the message
 */

#ifdef __cplusplus
}
#endif

#endif /* HANDPICK_HANDPICK_H_ */
