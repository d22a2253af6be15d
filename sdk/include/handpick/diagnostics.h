/* Handpick: what is in a file, whether it is sound, and what takes time. Beside handpick.h, whose
 * rules hold here too; an app that only recommends needs none of it. C99 and C++. */
#ifndef HANDPICK_DIAGNOSTICS_H_
#define HANDPICK_DIAGNOSTICS_H_

#include "handpick/handpick.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Build ---- */

typedef struct hp_build_info {
  uint32_t struct_size;
  uint32_t format_major; /**< Bundles of this major and up to this minor are opened. */
  uint32_t format_minor;
  const char* version;      /**< Of the SDK: "0.1.0". Static. */
  const char* build_type;   /**< "optimized" or "debug". Static. */
  const char* architecture; /**< "x86-64", "arm64", ... Static. */
} hp_build_info;

#define HP_BUILD_INFO_INIT \
  { sizeof(hp_build_info), 0, 0, NULL, NULL, NULL }

/** Thread-safe; allocates nothing. */
HP_API hp_status hp_get_build_info(hp_build_info* info);

/* ---- Soundness ---- */

/**
 * Verifies a bundle and says what is inside, without making a model: model_bytes and engine_bytes
 * are 0.
 *
 * @param[in]  data  The whole file, aligned to HP_ALIGNMENT. Read during the call; the strings of
 * `info` point into it.
 * @param[in]  size  Bytes of `data`.
 * @param[out] info  Filled on HP_OK.
 * @retval HP_INVALID_ARGUMENT, HP_MISALIGNED, HP_NOT_A_BUNDLE, HP_BUNDLE_TOO_NEW,
 * HP_BUNDLE_TOO_OLD, HP_BUNDLE_CORRUPT, HP_OUT_OF_MEMORY
 * Thread-safe. Allocates with malloc, and frees what it allocated. Time does not depend on the size
 * of the tables.
 */
HP_API hp_status hp_bundle_inspect(const void* data, size_t size, hp_model_info* info,
                                   hp_error* error);

/** The same with an allocator, the most that it may give, HP_OPEN_VERIFY (HP_NO_HASHES) and public
 * keys (HP_NO_SIGNATURE, HP_WRONG_SIGNATURE). HP_OPEN_COPY does nothing.
 * @param[in] options  Null: defaults. */
HP_API hp_status hp_bundle_inspect_with(const void* data, size_t size,
                                        const hp_open_options* options, hp_model_info* info,
                                        hp_error* error);

/**
 * Compares every byte of an opened bundle with the hashes that the converter wrote. Opening does
 * not: its time must not depend on the tables. Call it once after a download, or in an idle moment.
 *
 * @retval HP_BUNDLE_CORRUPT  a byte is not the one that was written; the message says where.
 * @retval HP_NO_HASHES       the bundle has none.
 * Thread-safe; allocates nothing. Time grows with the size of the bundle: it reads all of it.
 */
HP_API hp_status hp_model_check(const hp_model* model, hp_error* error);

/** hp_model_check, or a check of the signature, so many bytes at a time, for idle moments. */
typedef struct hp_check hp_check;

/** Begins one: one allocation of less than 1 KB, from the model's allocator.
 * @param[in]  model  Must outlive the check.
 * @param[out] check  To be freed with hp_check_free. Null after a failure.
 * @retval HP_INVALID_ARGUMENT, HP_OUT_OF_MEMORY. Thread-safe. */
HP_API hp_status hp_check_new(const hp_model* model, hp_check** check, hp_error* error);

/** Begins a check of the signature in place of the hashes: whether the bundle is signed with one of
 * these keys, as hp_open_options.public_keys asks when it is opened. Otherwise as hp_check_new.
 * @param[in] public_keys       HP_PUBLIC_KEY_SIZE bytes each; read during the call.
 * @param[in] public_keys_size  Bytes of all keys.
 * @retval HP_NO_SIGNATURE, HP_WRONG_SIGNATURE (it names another key), HP_UNSUPPORTED, and those of
 * hp_check_new. */
HP_API hp_status hp_check_new_signed(const hp_model* model, const uint8_t* public_keys,
                                     size_t public_keys_size, hp_check** check, hp_error* error);

/** Compares the next `bytes` bytes; those behind the end are not missed. A check is used by one
 * thread at a time, beside whatever sessions do with the model. Allocates nothing.
 * @param[in]  bytes  0: all that are left.
 * @param[out] done   1: every byte was compared, and is as it was written; 0: go on.
 * @retval HP_BUNDLE_CORRUPT, HP_NO_HASHES  as hp_model_check; also if it is asked again.
 * @retval HP_WRONG_SIGNATURE  of a signature, behind the last byte; also if it is asked again. */
HP_API hp_status hp_check_next(hp_check* check, uint64_t bytes, int* done, hp_error* error);

/** Null: nothing. */
HP_API void hp_check_free(hp_check* check);

/**
 * Replays the golden requests kept in the bundle and compares the logits with the trainer's: proves
 * that this device computes what the trainer did. Replaces the session's context and empties its
 * history.
 *
 * @param[out] worst  Largest |logit - golden| / max(1, |golden|) seen. May be null.
 * @retval HP_NO_GOLDENS       the bundle has none: nothing was proved, and nothing replaced.
 * @retval HP_GOLDEN_MISMATCH  larger than the bundle's tolerance; the message says by how much, and
 * where.
 */
HP_API hp_status hp_session_check_goldens(hp_session* session, float* worst);

/* ---- Work ---- */

/** How much work a session has done since it was made. Multiplications are counted when they are
 * done, not predicted. */
typedef struct hp_session_counters {
  uint32_t struct_size;
  uint64_t context_runs;            /**< Times that context steps ran. */
  uint64_t events;                  /**< Events taken in. */
  uint64_t candidates;              /**< Candidates scored, rounded logits not counted. */
  uint64_t tiles;                   /**< Times that the candidates' steps ran. */
  uint64_t context_multiplications; /**< Multiply-accumulates of dense layers, by domain. */
  uint64_t event_multiplications;
  uint64_t candidate_multiplications; /**< Those per candidate and event included. */
  uint64_t tile_multiplications; /**< Activation units' matrices: each of them once an event. */
  uint64_t rows_gathered;        /**< Embedding rows read, all domains. */
  uint64_t recalls;              /**< Calls of recall and recommend that searched. */
  uint64_t recall_rows;          /**< Item vectors compared with a user's, overlays included. */
  uint64_t recall_buckets;       /**< Buckets of hash tables that were looked into. */
  uint64_t preselections;        /**< Calls of hp_session_rank_by that preselected (margin). */
  uint64_t preselected;          /**< Candidates that they selected, and scored exactly. */
  uint64_t margin_violations;    /**< Those calls that met a larger error than their margin, and
                                    then scored all candidates exactly. */
  double preselect_error;        /**< The largest error of a rounded logit of those candidates;
                                    infinite if one was not finite. */
} hp_session_counters;

#define HP_SESSION_COUNTERS_INIT \
  { sizeof(hp_session_counters), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

HP_API hp_status hp_session_get_counters(const hp_session* session, hp_session_counters* counters);

/** What a step of the model has taken while it was profiled. */
typedef struct hp_step_profile {
  uint64_t ticks; /**< Of the caller's clock. */
  uint64_t runs;  /**< Times that the step ran: per context change, per event, or per tile. */
} hp_step_profile;

typedef struct hp_profile {
  uint32_t struct_size;
  uint32_t step_count; /**< hp_model_info.step_count. */
  /** The time, in any unit. It is called before and after each step, on the thread that runs it. */
  uint64_t (*clock)(void* opaque);
  void* opaque; /**< Handed to `clock`. */
  /** [step_count] Added to, never emptied. In the order in which `handpick inspect` lists the
   * steps: those of the context and of events, then those of candidates. Must outlive the
   * profiling.
   */
  hp_step_profile* steps; /**< With several workers, the first one's alone are counted. */
} hp_profile;

#define HP_PROFILE_INIT \
  { sizeof(hp_profile), 0, NULL, NULL, NULL }

/**
 * Begins to count the time of each step of the model, or ends it.
 *
 * @param[in] profile  Copied. Null: profiling ends; nothing is measured, and nothing is slower.
 * @retval HP_INVALID_ARGUMENT  also: a null clock or array, or not one entry a step.
 * Allocates nothing. What is computed is the same. The clock's own time counts towards the steps.
 */
HP_API hp_status hp_session_set_profile(hp_session* session, const hp_profile* profile);

#ifdef __cplusplus
}
#endif

#endif /* HANDPICK_DIAGNOSTICS_H_ */
