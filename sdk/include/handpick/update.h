/* Handpick: new versions of a bundle on the device. Beside handpick.h, whose rules hold here too.
 * C99 and C++.
 *
 * A delta has the rows that moved; hp_update_apply makes the new bundle of it and of the old one.
 * A store is a folder that has the bundle in use and the one before. What an app does:
 *
 *   at its start      hp_store_start, and open the file that it names
 *   when all is well  hp_store_confirm
 *   after a download  hp_update_apply, hp_store_install; it is used from the next hp_store_start on
 *
 * An app that stops anywhere, also inside of these calls, finds the old bundle or the new one,
 * whole. A bundle with which the app did not come as far as hp_store_confirm is left by the next
 * hp_store_start for the one before.
 */
#ifndef HANDPICK_UPDATE_H_
#define HANDPICK_UPDATE_H_

#include "handpick/handpick.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Called now and then with the bytes that are done, of all; on the calling thread. */
typedef void (*hp_progress)(void* opaque, uint64_t done, uint64_t total);

#define HP_UPDATE_MEMORY 196608 /**< Bytes that hp_update_apply allocates, in one block. */

typedef struct hp_update_options {
  uint32_t struct_size;
  uint32_t flags;                /**< 0. */
  const hp_allocator* allocator; /**< Null: malloc and free. */
  hp_progress progress;          /**< May be null. */
  void* progress_opaque;         /**< Handed to `progress`. */
  const uint8_t* public_keys;    /**< As hp_open_options.public_keys, for hp_update_verify and
                                    hp_store_install. hp_update_apply, which does not look at
                                    signatures, refuses them. */
  size_t public_keys_size;       /**< Bytes of all keys. */
} hp_update_options;

#define HP_UPDATE_OPTIONS_INIT \
  { sizeof(hp_update_options), 0, NULL, NULL, NULL, NULL, 0 }

/**
 * Writes the bundle that a delta and the old bundle make: first into a file beside `new_path`
 * (".partial" behind its name), which takes the name when it is whole, is what the delta says byte
 * for byte, and is on the disk. After an error, or when the app stops half-way, what `new_path`
 * named before is there.
 *
 * @param[in] old_path    The bundle that the delta was made for. It may be open as a model.
 * @param[in] delta_path  What `handpick delta` wrote. Need not be trusted: no more is written than
 *                        it says it will, and that is checked before the name is given.
 * @param[in] new_path    May be `old_path`.
 * @param[in] options     Null: defaults.
 * @retval HP_INVALID_ARGUMENT, HP_FILE_ERROR, HP_OUT_OF_MEMORY
 * @retval HP_NOT_A_DELTA      the file is none, or is damaged.
 * @retval HP_WRONG_OLD_BUNDLE the delta was made for another old bundle: load the whole new one.
 * Thread-safe, but for calls with one `new_path`. Allocates HP_UPDATE_MEMORY bytes. Reads the old
 * file twice.
 */
HP_API hp_status hp_update_apply(const char* old_path, const char* delta_path, const char* new_path,
                                 const hp_update_options* options, hp_error* error);

/**
 * Whether a file is a bundle that this app can use: opens it (with public keys, if there are some),
 * compares all bytes with its hashes, and replays its golden requests if it has some.
 *
 * @retval HP_OK, what hp_model_open_file, hp_model_check and hp_session_check_goldens say. A bundle
 *         without hashes is HP_NO_HASHES.
 * Thread-safe. Allocates what a model and a session take.
 */
HP_API hp_status hp_update_verify(const char* path, const hp_update_options* options,
                                  hp_error* error);

/* ---- Store ---- */

#define HP_STORE_PATH 1024 /**< Bytes of the longest path, with its end. */

typedef enum hp_store_outcome {
  HP_STORE_CONFIRMED = 0, /**< A bundle that was confirmed at an earlier start. */
  HP_STORE_TRIAL = 1,     /**< The first start with a new bundle: confirm it when all is well. */
  HP_STORE_FELL_BACK = 2  /**< The last start was a trial and was not confirmed: this is the bundle
                             before it, and the other one is gone. */
} hp_store_outcome;

typedef struct hp_store_report {
  uint32_t struct_size;
  hp_store_outcome outcome;
  uint64_t current;  /**< The XXH3 of the bundle's bytes, which is its name, too. */
  uint64_t previous; /**< Of the one before; 0: there is none. */
  uint64_t rejected; /**< Of the last one that was left or rolled back, not to load it again; 0. */
} hp_store_report;

#define HP_STORE_REPORT_INIT \
  { sizeof(hp_store_report), HP_STORE_CONFIRMED, 0, 0, 0 }

/**
 * Says which bundle to open. Called once at each start of the app, before anything else of the
 * store; a second call counts as a second start.
 *
 * @param[in]  folder  Is there, and is the app's alone. One process at a time uses a store, one
 *                     thread at a time.
 * @param[out] path    [HP_STORE_PATH] The bundle's file.
 * @param[out] report  May be null.
 * @retval HP_NO_BUNDLE  nothing was installed yet.
 * @retval HP_INVALID_ARGUMENT, HP_FILE_ERROR, HP_STORE_CORRUPT
 * Allocates nothing. Writes a small file, but for a bundle that was confirmed.
 */
HP_API hp_status hp_store_start(const char* folder, char* path, hp_store_report* report,
                                hp_error* error);

/** The bundle that the last hp_store_start named is good: it is what a later trial falls back to.
 * @retval HP_OK also when it was confirmed before; HP_NO_BUNDLE, HP_FILE_ERROR, HP_STORE_CORRUPT */
HP_API hp_status hp_store_confirm(const char* folder, hp_error* error);

/**
 * Takes a file into the store after hp_update_verify: it is moved there, and the next
 * hp_store_start names it, as a trial. The one in use stays as the one to fall back to; the one
 * before that is removed. Models that are open are not affected. A trial that was not confirmed is
 * replaced by the new one.
 *
 * @param[in] path  Of a new bundle, on the file system of `folder`. Gone afterwards.
 * @retval what hp_update_verify says; HP_INVALID_ARGUMENT, HP_FILE_ERROR, HP_STORE_CORRUPT
 */
HP_API hp_status hp_store_install(const char* folder, const char* path,
                                  const hp_update_options* options, hp_error* error);

/** Back to the bundle before, from the next hp_store_start on.
 * @retval HP_NO_BUNDLE  there is none before; HP_FILE_ERROR, HP_STORE_CORRUPT */
HP_API hp_status hp_store_rollback(const char* folder, hp_error* error);

#ifdef __cplusplus
}
#endif

#endif /* HANDPICK_UPDATE_H_ */
