/* Handpick: recommendation that runs on the phone. The only public header; C99 and C++.
 *
 * A model is a bundle that was opened: immutable, shared by threads. A session is one user's
 * context and history and the scratch to score candidates with: it lives in memory that the caller
 * hands over and belongs to one thread at a time.
 *
 *     hp_model_open_file("ranker.hpk", NULL, &model, NULL);
 *     hp_session_memory_size(model, NULL, &bytes, NULL);
 *     posix_memalign(&memory, HP_ALIGNMENT, bytes);
 *     hp_session_create(model, NULL, memory, bytes, &session, NULL);
 *     hp_session_set_context(session, &user);                    // when the context changes
 *     hp_session_append_events(session, &event);                 // at each tap
 *     hp_session_rank(session, &candidates, 10, best, &count);   // as often as wanted
 *
 * After hp_session_create no function of this header that takes a session allocates, takes a lock
 * or makes a system call. A function that fails leaves the model and the session as they were,
 * unless it says otherwise.
 */
#ifndef HANDPICK_HANDPICK_H_
#define HANDPICK_HANDPICK_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define HP_API
#else
#define HP_API __attribute__((visibility("default")))
#endif

/* ---- Status ---- */

/** What a call came to. Values are fixed for ever; new ones are appended. One cause per code. */
typedef enum hp_status {
  HP_OK = 0,

  /* 0x1x: the caller. */
  HP_INVALID_ARGUMENT = 0x10, /**< A null pointer, a wrong size or option. Cure: see the message. */
  HP_UNKNOWN_FEATURE = 0x11,  /**< No feature of that name or index on that side of the request. */
  HP_WRONG_TYPE = 0x12,       /**< The column's type is not one that the feature takes. */
  HP_MISSING_FEATURE =
      0x13, /**< A feature that has no default (and is in no catalog) was left out. */
  HP_DUPLICATE_FEATURE = 0x14, /**< A feature was given twice in one batch. */
  HP_UNKNOWN_ID = 0x15, /**< An id is not in the vocabulary, which has no out-of-vocabulary row. */
  HP_NOT_FINITE =
      0x16, /**< A number is NaN or infinite, or becomes so in the feature's transform. */
  HP_TOO_MANY_VALUES =
      0x17, /**< A row of a multi-valued feature has more values than the model keeps. */
  HP_UNKNOWN_ITEM = 0x18, /**< An item id is not in the catalog, and the other features were not
                             given; or it is not in the recall index, or overlay. */
  HP_CONTEXT_NOT_SET =
      0x19, /**< The model has context features without a default: call hp_session_set_context. */
  HP_DUPLICATE_ITEM = 0x1A, /**< The overlay has the item, or the index has and it is not hidden. */

  /* 0x2x: memory. */
  HP_OUT_OF_MEMORY = 0x20, /**< The allocator, or the engine, returned no memory. */
  HP_MEMORY_TOO_SMALL =
      0x21, /**< Fewer bytes than hp_session_memory_size says; the message has both numbers. */
  HP_MISALIGNED = 0x22,   /**< Memory is not aligned to HP_ALIGNMENT bytes. */
  HP_OVERLAY_FULL = 0x23, /**< The overlay holds, or hides, as many items as it was made for. */

  /* 0x3x: the bundle. */
  HP_FILE_ERROR = 0x30,      /**< The file cannot be opened, read or mapped. */
  HP_NOT_A_BUNDLE = 0x31,    /**< The bytes are no Handpick bundle. */
  HP_BUNDLE_TOO_NEW = 0x32,  /**< Written for a newer runtime. Cure: update the app's SDK. */
  HP_BUNDLE_CORRUPT = 0x33,  /**< The bundle contradicts itself or was damaged. */
  HP_GOLDEN_MISMATCH = 0x34, /**< This device does not compute what the trainer did, within the
                                bundle's tolerance. */

  /* 0x4x: this build or machine lacks it. */
  HP_UNSUPPORTED = 0x40, /**< The engine does not run on this processor. */
  HP_NO_MODEL = 0x41,    /**< The bundle holds a recall index alone: nothing to score with. */
  HP_NO_RECALL = 0x42,   /**< The bundle has no recall index. */

  /* 0x5x: a fault of ours. */
  HP_INTERNAL = 0x50 /**< Please report it, with the message. */
} hp_status;

#define HP_MESSAGE_SIZE 256
/** Alignment of bundle and session memory, in bytes. */
#define HP_ALIGNMENT 64

/** What went wrong, in words. `message` names the thing, its value and what was expected; it is ""
 * after HP_OK. */
typedef struct hp_error {
  hp_status status;
  char message[HP_MESSAGE_SIZE];
} hp_error;

/** Static text for a status ("unknown feature"); never null, also for values that are none.
 * Thread-safe. */
HP_API const char* hp_status_text(hp_status status);

/* ---- Build ---- */

typedef struct hp_build_info {
  const char* version;   /**< Of the SDK: "0.1.0". Static. */
  uint32_t format_major; /**< Bundles of this major and up to this minor are opened. */
  uint32_t format_minor;
  const char* build_type;   /**< "optimized" or "debug". Static. */
  const char* architecture; /**< "x86-64", "arm64", ... Static. */
} hp_build_info;

/** Thread-safe; allocates nothing. `info` must not be null. */
HP_API void hp_get_build_info(hp_build_info* info);

/* ---- Bundle ---- */

/** Which precision the weights of a bundle have. */
typedef enum hp_precision {
  HP_PRECISION_UNKNOWN = 0,
  HP_PRECISION_F32 = 1,
  HP_PRECISION_INT8 = 2
} hp_precision;

/** What is inside a bundle. Strings point into the bundle's bytes or the model. */
typedef struct hp_bundle_info {
  const char* model_name;
  const char* model_version;
  const char* producer;
  uint32_t format_major;
  uint32_t format_minor;
  hp_precision precision;
  uint32_t feature_count;
  uint32_t max_history;   /**< Events that a session keeps; 0: no history. */
  uint32_t tile;          /**< Candidates that go through the model together. */
  uint32_t golden_count;  /**< Golden requests for hp_session_check_goldens. */
  uint64_t catalog_items; /**< 0: no catalog. */
  uint64_t bundle_bytes;
  uint64_t table_bytes;   /**< Embedding tables, used in place. */
  uint64_t dense_bytes;   /**< Dense weights. Layers of candidates use them in place, the others are
                               packed for the engine when the model is opened. */
  uint64_t session_bytes; /**< hp_session_memory_size with default options. */
  uint32_t step_count;    /**< Steps of both programs: entries of an hp_profile. */
  int has_model;          /**< 0: a recall index alone. */
  uint64_t recall_items;  /**< Of the recall index; 0: none, or there is no index. */
} hp_bundle_info;

/**
 * Verifies a bundle and says what is inside, without making a model.
 *
 * @param[in]  data   The whole file, aligned to HP_ALIGNMENT. Read during the call; the strings of
 * `info` point into it.
 * @param[in]  size   Bytes of `data`.
 * @param[out] info   Filled on HP_OK.
 * @param[out] error  May be null.
 * @retval HP_INVALID_ARGUMENT, HP_MISALIGNED, HP_NOT_A_BUNDLE, HP_BUNDLE_TOO_NEW,
 * HP_BUNDLE_CORRUPT, HP_OUT_OF_MEMORY Thread-safe. Allocates with malloc, and frees what it
 * allocated. Time does not depend on the size of the tables.
 */
HP_API hp_status hp_bundle_inspect(const void* data, size_t size, hp_bundle_info* info,
                                   hp_error* error);

/* ---- Model ---- */

typedef struct hp_model hp_model;

/** Memory for a model. `allocate` returns memory aligned to `alignment` (a power of two) or null.
 */
typedef struct hp_allocator {
  void* (*allocate)(void* user, size_t bytes, size_t alignment);
  void (*release)(void* user, void* memory, size_t bytes);
  void* user;
} hp_allocator;

/**
 * Opens a bundle that lies in memory: verifies it and packs its dense weights. Tables are used in
 * place.
 *
 * @param[in]  data       The whole file, aligned to HP_ALIGNMENT; must outlive the model and stay
 * unchanged.
 * @param[in]  size       Bytes of `data`.
 * @param[in]  allocator  Copied; its `user` must outlive the model. Null: malloc and free.
 * @param[out] model      Set on HP_OK; to be closed with hp_model_close.
 * @param[out] error      May be null.
 * @retval HP_INVALID_ARGUMENT, HP_MISALIGNED, HP_NOT_A_BUNDLE, HP_BUNDLE_TOO_NEW,
 * HP_BUNDLE_CORRUPT, HP_OUT_OF_MEMORY, HP_UNSUPPORTED Thread-safe. What the engine (XNNPACK) keeps,
 * packed weights above all, comes from the allocator too.
 */
HP_API hp_status hp_model_open_buffer(const void* data, size_t size, const hp_allocator* allocator,
                                      hp_model** model, hp_error* error);

/** As hp_model_open_buffer, from a file that is mapped read-only until the model is closed. Also
 * HP_FILE_ERROR. */
HP_API hp_status hp_model_open_file(const char* path, const hp_allocator* allocator,
                                    hp_model** model, hp_error* error);

/** Closes a model, or does nothing for null. No session of the model may be used afterwards. */
HP_API void hp_model_close(hp_model* model);

typedef struct hp_model_info {
  hp_bundle_info bundle; /**< Strings live as long as the model. */
  uint64_t model_bytes;  /**< Taken from the allocator for the model's own lists. */
  uint64_t engine_bytes; /**< Taken from the allocator for the engine's operators: packed weights of
                               context and history layers. */
} hp_model_info;

/** Thread-safe; allocates nothing. */
HP_API hp_status hp_model_get_info(const hp_model* model, hp_model_info* info);

typedef enum hp_side {
  HP_SIDE_UNKNOWN = 0,
  HP_SIDE_CONTEXT = 1,
  HP_SIDE_HISTORY = 2,
  HP_SIDE_CANDIDATE = 3
} hp_side;

typedef enum hp_feature_type {
  HP_FEATURE_UNKNOWN = 0,
  HP_FEATURE_CATEGORICAL = 1,       /**< One id a row. */
  HP_FEATURE_MULTI_CATEGORICAL = 2, /**< Up to `max_values` ids a row. */
  HP_FEATURE_NUMERIC = 3,           /**< `dimension` numbers a row. */
  HP_FEATURE_CROSSED = 4,           /**< Made from other features; never given. */
  HP_FEATURE_LENGTH = 5 /**< One integer a row: positions of a multi-valued feature that count. */
} hp_feature_type;

/** The type of a column's values, and which of them a feature takes. Values are bits. */
typedef enum hp_value_type { HP_INT64 = 1, HP_FLOAT32 = 2, HP_STRING = 4 } hp_value_type;

typedef struct hp_feature_info {
  const char* name; /**< Lives as long as the model. */
  hp_side side;
  hp_feature_type type;
  uint32_t value_types; /**< hp_value_type bits that a column of this feature may have. */
  uint32_t max_values;  /**< Multi-valued: ids a row; else 1. */
  uint32_t dimension;   /**< Numeric: numbers a row; else 1. */
  int optional;         /**< 1: has a default, or the catalog has it. */
  int is_catalog_key;   /**< 1: its id names an item of the catalog. */
} hp_feature_info;

/** Features are numbered from 0 to hp_bundle_info.feature_count - 1. Thread-safe; allocates
 * nothing. */
HP_API hp_status hp_model_get_feature(const hp_model* model, uint32_t feature,
                                      hp_feature_info* info);

/**
 * The number of the feature with that name on that side (a name may occur once a side).
 * @retval HP_UNKNOWN_FEATURE  there is none.
 * Thread-safe; allocates nothing.
 */
HP_API hp_status hp_model_find_feature(const hp_model* model, hp_side side, const char* name,
                                       uint32_t* feature);

/* ---- Values of a request ---- */

/** UTF-8 bytes, not necessarily ended by a zero. */
typedef struct hp_string {
  const char* data;
  size_t size;
} hp_string;

/** The values of one feature for every row of a batch. Pointers are read during the call only. */
typedef struct hp_column {
  uint32_t feature;   /**< From hp_model_find_feature. */
  hp_value_type type; /**< Which of the three pointers is read. */
  const int64_t* integers;
  const float* numbers; /**< [rows, dimension] for numeric features. */
  const hp_string* strings;
  const uint32_t* row_splits; /**< Multi-valued: [rows + 1], from 0, ascending; row i has values
                                 [splits[i], splits[i+1]). Null otherwise. */
} hp_column;

/** Rows given feature by feature: one row for a context, one per event for a history, one per
 * candidate. */
typedef struct hp_batch {
  const hp_column* columns;
  size_t column_count;
  size_t row_count;
} hp_batch;

/* ---- Session ---- */

typedef struct hp_session hp_session;

/**
 * Runs task(context, i) once for each i below `count`, on any threads, and returns when all have
 * returned. Never called with a count of 1, nor by two threads at a time for one session.
 */
typedef void (*hp_parallel_for)(void* user, uint32_t count, void (*task)(void* context, uint32_t i),
                                void* context);

typedef struct hp_session_options {
  uint32_t struct_size; /**< sizeof(hp_session_options); set by HP_SESSION_OPTIONS_INIT. */
  uint32_t tile; /**< Candidates that go through the model together: less memory, same bits; 0: the
                    bundle's. */
  uint32_t workers; /**< Tiles that are scored at the same time: more memory, same bits; 0: one. */
  hp_parallel_for parallel_for; /**< Needed for more than one worker. */
  void* parallel_user;          /**< Handed to `parallel_for`. */
  uint32_t recall_k;            /**< Largest k of a recall, at most HP_MAX_RECALL_K; 0: 256. */
  uint32_t recall_interests;    /**< Most interests of a recall, at most HP_MAX_INTERESTS; 0: 8. */
  uint32_t recall_probes;       /**< Most probes of a recall; 0: as many as the index says. */
} hp_session_options;

#define HP_SESSION_OPTIONS_INIT \
  { sizeof(hp_session_options), 0, 0, NULL, NULL, 0, 0, 0 }

#define HP_MAX_RECALL_K 1048576
#define HP_MAX_INTERESTS 64

/**
 * Bytes that hp_session_create needs: exact, and independent of how many candidates will be scored.
 * @param[in]  options  Null: defaults.
 * @retval HP_INVALID_ARGUMENT  null pointer, or a tile larger than the bundle's.
 * Thread-safe; allocates nothing.
 */
HP_API hp_status hp_session_memory_size(const hp_model* model, const hp_session_options* options,
                                        size_t* bytes, hp_error* error);

/**
 * Makes a session inside the caller's memory. There is nothing to destroy: drop the memory when the
 * session is done.
 *
 * @param[in]  model    Must outlive the session.
 * @param[in]  options  The same as for hp_session_memory_size. Null: defaults.
 * @param[in]  memory   At least hp_session_memory_size bytes, aligned to HP_ALIGNMENT. Owned by the
 * caller.
 * @retval HP_MEMORY_TOO_SMALL, HP_MISALIGNED, HP_INVALID_ARGUMENT
 * Thread-safe for different memory; allocates nothing.
 */
HP_API hp_status hp_session_create(const hp_model* model, const hp_session_options* options,
                                   void* memory, size_t bytes, hp_session** session,
                                   hp_error* error);

/** What the last failed call on this session said; lives as long as the session. */
HP_API const hp_error* hp_session_last_error(const hp_session* session);

/**
 * Sets the whole context: features left out take their defaults, whatever they were before.
 * @param[in] context  One row.
 * Work that depends on the context alone is done once, before the next scoring.
 */
HP_API hp_status hp_session_set_context(hp_session* session, const hp_batch* context);

/**
 * Appends events, oldest first. When the history is full, the oldest events make place.
 * Work that depends on one event alone is done here and never again. States of recurrent models
 * depend on all events before: when the oldest one goes, they are computed again from those that
 * stay, or carried on where the model's spec says so (history.beyond_maximum).
 */
HP_API hp_status hp_session_append_events(hp_session* session, const hp_batch* events);

/** Replaces the history: the same bits as clearing it and appending the events one by one. Row
 * count 0 empties it. */
HP_API hp_status hp_session_set_history(hp_session* session, const hp_batch* events);

/**
 * Scores candidates.
 *
 * @param[in]  candidates  Any number of rows, 0 included. Features that the catalog has may be left
 * out when its key feature is given. With a row count and no column at all, every feature takes its
 * default.
 * @param[out] scores      [rows]: click probability for a binary model, the value itself for a
 * regression. May be null.
 * @param[out] logits      [rows]: the model's output before the sigmoid. May be null.
 * @retval as the value rules above say, naming feature and row; scores and logits of earlier rows
 * may have been written. The bits of a candidate's score depend on nothing but the bundle, the
 * user, that candidate and the kind of processor. Time grows linearly with the number of rows.
 */
HP_API hp_status hp_session_score(hp_session* session, const hp_batch* candidates, float* scores,
                                  float* logits);

typedef struct hp_ranked {
  size_t index; /**< Row of the candidate in the batch. */
  float score;
  float logit;
} hp_ranked;

/**
 * The best `k` candidates, best first; equal logits in the order of their rows.
 *
 * @param[out] ranked  [k] Written also while the call runs; unspecified when it fails.
 * @param[out] count   min(k, rows).
 */
HP_API hp_status hp_session_rank(hp_session* session, const hp_batch* candidates, size_t k,
                                 hp_ranked* ranked, size_t* count);

/* ---- Recall ---- */

/** What a recall index ranks by; a larger score is better. */
typedef enum hp_recall_metric {
  HP_RECALL_UNKNOWN_METRIC = 0,
  HP_RECALL_COSINE = 1,
  HP_RECALL_INNER_PRODUCT = 2,
  HP_RECALL_EUCLIDEAN = 3 /**< score = -|user - item|^2 */
} hp_recall_metric;

#define HP_NO_FEATURE UINT32_MAX

typedef struct hp_recall_info {
  hp_recall_metric metric;
  uint32_t dimension; /**< Numbers of a vector. */
  uint64_t item_count;
  hp_value_type id_type;      /**< HP_INT64 or HP_STRING. */
  uint32_t history_feature;   /**< Names the item of an event; HP_NO_FEATURE: none. */
  uint32_t candidate_feature; /**< An item's id when it is ranked; HP_NO_FEATURE: none. */
  int has_user_vector;        /**< 1: the model makes a vector of the user, HP_USER_MODEL. */
  uint32_t probes;            /**< Buckets that a query looks into, per table; 0: exact scans. */
  uint32_t measured_k;        /**< What the converter measured; 0: nothing. */
  float measured_recall;
} hp_recall_info;

/** @retval HP_NO_RECALL. Thread-safe; allocates nothing. */
HP_API hp_status hp_model_get_recall_info(const hp_model* model, hp_recall_info* info);

/** An item's id: the one of the two that hp_recall_info.id_type says. */
typedef struct hp_item_id {
  int64_t integer;
  hp_string string; /**< In results: points into the bundle, or the overlay while that is not
                       changed. Null data for integers. */
} hp_item_id;

/**
 * Items that came after the bundle, and items of the bundle that are to be left out. It lives in
 * the caller's memory, is searched exactly, and costs about a row of float32 an item. Changed by
 * one thread, while no session recalls with it; otherwise any number of sessions share one.
 */
typedef struct hp_recall_overlay hp_recall_overlay;

#define HP_MAX_OVERLAY_ITEMS 65536
#define HP_MAX_OVERLAY_STRING 128 /**< Bytes of a string id in an overlay. */

/** Bytes of an overlay of up to `max_items` items that hides up to as many.
 * @retval HP_NO_RECALL, HP_INVALID_ARGUMENT. Thread-safe; allocates nothing. */
HP_API hp_status hp_recall_overlay_memory_size(const hp_model* model, uint32_t max_items,
                                               size_t* bytes, hp_error* error);

/** Makes an empty overlay inside the caller's memory, as hp_session_create makes a session: the
 * same rules and errors, and nothing to destroy. `model` must outlive it. */
HP_API hp_status hp_recall_overlay_create(const hp_model* model, uint32_t max_items, void* memory,
                                          size_t bytes, hp_recall_overlay** overlay,
                                          hp_error* error);

/**
 * Adds an item. Id and vector are copied. Moves the items behind it: time grows with their number.
 *
 * @param[in] vector  [dimension], in the space of the index's vectors; of any length for cosine.
 * @retval HP_DUPLICATE_ITEM    the overlay has it, or the index has: hide that one first.
 * @retval HP_NOT_FINITE        a number is NaN, infinite, or larger than 1e15 in size.
 * @retval HP_INVALID_ARGUMENT  `dimension` is not the index's; a string longer than
 * HP_MAX_OVERLAY_STRING, or null where the ids are strings.
 * @retval HP_OVERLAY_FULL
 * Allocates nothing. On an error the overlay is as it was.
 */
HP_API hp_status hp_recall_overlay_add(hp_recall_overlay* overlay, const hp_item_id* id,
                                       const float* vector, size_t dimension, hp_error* error);

/** Removes an item that was added. @retval HP_UNKNOWN_ITEM: it was not. */
HP_API hp_status hp_recall_overlay_remove(hp_recall_overlay* overlay, const hp_item_id* id,
                                          hp_error* error);

/** Hides an item of the index: it is not recalled any more. In a history its vector still counts.
 * Nothing changes when it is hidden already.
 * @retval HP_UNKNOWN_ITEM  not in the index.
 * @retval HP_OVERLAY_FULL */
HP_API hp_status hp_recall_overlay_hide(hp_recall_overlay* overlay, const hp_item_id* id,
                                        hp_error* error);

/** Shows a hidden item again.
 * @retval HP_UNKNOWN_ITEM    it is not hidden.
 * @retval HP_DUPLICATE_ITEM  the overlay has an item of that id: remove it first. */
HP_API hp_status hp_recall_overlay_show(hp_recall_overlay* overlay, const hp_item_id* id,
                                        hp_error* error);

/** What a user's vector is made of. Vectors of events are those of the items that history_feature
 * names, as the index has them (of length 1 for cosine), or the overlay; events of other items do
 * not count. An item that occurs twice counts twice. */
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

/**
 * A condition on a column of the catalog. Values are compared as the model sees them: ids by their
 * row, so that ids which share one (hashed, out of vocabulary) are equal, and numbers after the
 * feature's transform, which the bounds go through too. An item that is not in the catalog passes
 * no filter.
 */
typedef struct hp_filter {
  hp_filter_kind kind;
  uint32_t feature;         /**< A candidate feature that is a column of the catalog. */
  hp_value_type type;       /**< Ids: HP_INT64 or HP_STRING. */
  const int64_t* integers;  /**< [count] */
  const hp_string* strings; /**< [count] */
  size_t count;
  uint32_t element; /**< Range: which of the feature's numbers. */
  float low;        /**< May be -INFINITY. */
  float high;       /**< May be INFINITY. */
} hp_filter;

#define HP_MAX_FILTERS 16
#define HP_MAX_FILTER_VALUES 256 /**< Ids of all filters of a call together. */

#define HP_OVERLAY_ITEM UINT32_MAX

typedef struct hp_recall_options {
  uint32_t struct_size; /**< sizeof(hp_recall_options); set by HP_RECALL_OPTIONS_INIT. */
  hp_user_vector user;
  size_t k;            /**< Items wanted, at most the session's recall_k. */
  float half_life;     /**< HP_USER_RECENT: events, more than 0. */
  uint32_t interests;  /**< HP_USER_INTERESTS: at least 1, at most the session's. */
  const float* vector; /**< HP_USER_VECTOR: [vector_size]. */
  size_t vector_size;  /**< The index's dimension. */
  uint32_t probes;     /**< Per table, at most the session's recall_probes; 0: the index's. */
  int exact;           /**< 1: all item vectors are compared. */
  int keep_seen;       /**< 0: items of the history are left out. */
  const int64_t* excluded_integers; /**< [excluded_count] Ids to leave out; those that the index
                                       does not have are passed over. */
  const hp_string* excluded_strings;
  size_t excluded_count;
  const hp_filter* filters; /**< [filter_count] All have to hold. */
  size_t filter_count;
  /** 0: the item is left out. Asked about items that would be among the best alone, possibly more
   * than once, in no promised order; must answer the same within a call, and not use the session.
   * `item` is the number in the index, ascending by id; or HP_OVERLAY_ITEM. Null: all are taken. */
  int (*accepts)(void* user, uint32_t item, const hp_item_id* id);
  void* accepts_user;
  const hp_recall_overlay* overlay; /**< Of the same model. Null: none. */
} hp_recall_options;

#define HP_RECALL_OPTIONS_INIT                                                                  \
  {                                                                                             \
    sizeof(hp_recall_options), HP_USER_MEAN, 0, 0, 0, NULL, 0, 0, 0, 0, NULL, NULL, 0, NULL, 0, \
        NULL, NULL, NULL                                                                        \
  }

typedef struct hp_recalled {
  hp_item_id id;
  uint32_t item; /**< Number in the index, or HP_OVERLAY_ITEM. */
  float score;   /**< By the metric. */
} hp_recalled;

/**
 * Recalls the best `options.k` items for the user, best first; equal scores in the order of ids.
 * What is left out (seen, excluded, filtered, hidden) is so before the best are taken: there are
 * fewer than k only when fewer items are left. No item occurs twice. The same session, options and
 * overlay give the same answer. Needs no context and no model, but for HP_USER_MODEL, which
 * computes what depends on the user if that has changed.
 *
 * An answer may have no item, with HP_OK: hp_session_get_recall_report says why. An app then shows
 * what is popular, or recalls with a vector of its own.
 *
 * @param[out] items  [k] Unspecified when the call fails.
 * @param[out] count  How many were written.
 * @retval HP_NO_RECALL, HP_INVALID_ARGUMENT (sizes, kinds, an overlay of another model; the bundle
 * names no history_feature, or no vector of the model's), HP_NOT_FINITE (`vector`, or the model's),
 * HP_CONTEXT_NOT_SET (HP_USER_MODEL), HP_UNKNOWN_FEATURE, HP_WRONG_TYPE (filters),
 * HP_BUNDLE_CORRUPT (damage that was met)
 * On the calling thread alone.
 */
HP_API hp_status hp_session_recall(hp_session* session, const hp_recall_options* options,
                                   hp_recalled* items, size_t* count);

typedef struct hp_recommended {
  hp_item_id id;
  uint32_t item;      /**< Number in the index, or HP_OVERLAY_ITEM. */
  float recall_score; /**< As in hp_recalled. */
  float score;        /**< As in hp_ranked. */
  float logit;
} hp_recommended;

/**
 * Recalls `options.k` items, ranks them with the model, and returns the best `k`, best first; equal
 * logits in the order in which they were recalled. The same as hp_session_recall, and
 * hp_session_rank of a batch whose only column is candidate_feature.
 *
 * An item's other features come from the catalog, or are defaults. Items that cannot be ranked are
 * left out before the best of recall are taken: those that are not in the catalog (of an overlay,
 * say) while one of its columns has no default, and those whose id the model's vocabulary does not
 * have, nor a row for such.
 *
 * @param[out] items  [k]
 * @param[out] count  min(k, recalled).
 * @retval as hp_session_recall and hp_session_rank; HP_NO_MODEL; HP_MISSING_FEATURE: a candidate
 * feature that is in no catalog and has no default; HP_INVALID_ARGUMENT: the bundle names no
 * candidate_feature.
 */
HP_API hp_status hp_session_recommend(hp_session* session, const hp_recall_options* options,
                                      size_t k, hp_recommended* items, size_t* count);

/** Why the last recall of a session found what it found. */
typedef enum hp_recall_outcome {
  HP_RECALL_NOT_DONE = 0, /**< There was none yet, or it failed. */
  HP_RECALL_FOUND = 1,
  HP_RECALL_NO_EVENTS = 2,    /**< No event of the history names an item that has a vector. */
  HP_RECALL_NO_DIRECTION = 3, /**< The user's vector is zero, and the metric needs a direction. */
  HP_RECALL_NONE_LEFT = 4     /**< No item, after all that was left out; or k was 0. */
} hp_recall_outcome;

typedef struct hp_recall_report {
  hp_recall_outcome outcome;
  uint32_t events;       /**< Whose items have a vector. */
  uint32_t searches;     /**< 1, or the number of interests. */
  uint64_t rows_scanned; /**< Item vectors compared, the overlay's included. */
  uint64_t buckets;      /**< Looked into, of all tables. */
  int exact;             /**< 1: a search compared all items. */
} hp_recall_report;

HP_API hp_status hp_session_get_recall_report(const hp_session* session, hp_recall_report* report);

/* ---- Measurement ---- */

/** How much work a session has done since it was made. Multiplications are counted when they are
 * done, not predicted. */
typedef struct hp_session_counters {
  uint64_t context_runs;            /**< Times that context steps ran. */
  uint64_t events;                  /**< Events taken in. */
  uint64_t candidates;              /**< Candidates scored. */
  uint64_t tiles;                   /**< Times that the candidate program ran. */
  uint64_t context_multiplications; /**< Multiply-accumulates of dense layers, by domain. */
  uint64_t event_multiplications;
  uint64_t candidate_multiplications; /**< Those per candidate and event included. */
  uint64_t tile_multiplications; /**< Once a tile: activation units' matrices for its events. */
  uint64_t rows_gathered;        /**< Embedding rows read, all domains. */
  uint64_t recalls;              /**< Calls of recall and recommend that searched. */
  uint64_t recall_rows;          /**< Item vectors compared with a user's, overlays included. */
  uint64_t recall_buckets;       /**< Buckets of hash tables that were looked into. */
} hp_session_counters;

HP_API void hp_session_get_counters(const hp_session* session, hp_session_counters* counters);

/** What a step of the model has taken while it was profiled. */
typedef struct hp_step_profile {
  uint64_t ticks; /**< Of the caller's clock. */
  uint64_t runs;  /**< Times that the step ran: per context change, per event, or per tile. */
} hp_step_profile;

typedef struct hp_profile {
  uint32_t struct_size; /**< sizeof(hp_profile); set by HP_PROFILE_INIT. */
  /** The time, in any unit. It is called before and after each step, on the thread that runs it. */
  uint64_t (*clock)(void* user);
  void* user; /**< Handed to `clock`. */
  /** [step_count] Added to, never emptied. In the order in which `handpick inspect` lists the
   * steps: those of the session program, then those of the candidate program. Must outlive the
   * profiling.
   */
  hp_step_profile* steps; /**< With several workers, the first one's alone are counted. */
  uint32_t step_count;    /**< hp_bundle_info.step_count. */
} hp_profile;

#define HP_PROFILE_INIT \
  { sizeof(hp_profile), NULL, NULL, NULL, 0 }

/**
 * Begins to count the time of each step of the model, or ends it.
 *
 * @param[in] profile  Copied. Null: profiling ends; nothing is measured, and nothing is slower.
 * @retval HP_INVALID_ARGUMENT  another struct_size, a null clock or array, or not one entry a step.
 * Allocates nothing. What is computed is the same. The clock's own time counts towards the steps.
 */
HP_API hp_status hp_session_set_profile(hp_session* session, const hp_profile* profile);

/**
 * Replays the golden requests kept in the bundle and compares the logits with the trainer's: proves
 * that this device computes what the trainer did. Replaces the session's context and empties its
 * history.
 *
 * @param[out] worst  Largest |logit - golden| / max(1, |golden|) seen. May be null.
 * @retval HP_GOLDEN_MISMATCH  larger than the bundle's tolerance; the message says by how much, and
 * where.
 */
HP_API hp_status hp_session_check_goldens(hp_session* session, float* worst);

#ifdef __cplusplus
}
#endif

#endif /* HANDPICK_HANDPICK_H_ */
