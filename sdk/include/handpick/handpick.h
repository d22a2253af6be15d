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
  HP_UNKNOWN_ITEM =
      0x18, /**< An item id is not in the catalog, and the other features were not given. */
  HP_CONTEXT_NOT_SET =
      0x19, /**< The model has context features without a default: call hp_session_set_context. */

  /* 0x2x: memory. */
  HP_OUT_OF_MEMORY = 0x20, /**< The allocator, or the engine, returned no memory. */
  HP_MEMORY_TOO_SMALL =
      0x21, /**< Fewer bytes than hp_session_memory_size says; the message has both numbers. */
  HP_MISALIGNED = 0x22, /**< Memory is not aligned to HP_ALIGNMENT bytes. */

  /* 0x3x: the bundle. */
  HP_FILE_ERROR = 0x30,      /**< The file cannot be opened, read or mapped. */
  HP_NOT_A_BUNDLE = 0x31,    /**< The bytes are no Handpick bundle. */
  HP_BUNDLE_TOO_NEW = 0x32,  /**< Written for a newer runtime. Cure: update the app's SDK. */
  HP_BUNDLE_CORRUPT = 0x33,  /**< The bundle contradicts itself or was damaged. */
  HP_GOLDEN_MISMATCH = 0x34, /**< This device does not compute what the trainer did, within the
                                bundle's tolerance. */

  /* 0x4x: this build or machine lacks it. */
  HP_UNSUPPORTED = 0x40, /**< The engine does not run on this processor. */

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
} hp_session_options;

#define HP_SESSION_OPTIONS_INIT \
  { sizeof(hp_session_options), 0, 0, NULL, NULL }

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
