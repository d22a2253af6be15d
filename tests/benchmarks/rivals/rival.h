/* Another runtime, as the runner sees it: a shared library with these functions, so that the runner
 * is built without it.
 *
 * A function that fails returns null or a number other than 0, and writes what went wrong to
 * `error` (RIVAL_ERROR_SIZE bytes). Nothing here is thread-safe.
 */
#ifndef HANDPICK_TESTS_BENCHMARKS_RIVALS_RIVAL_H_
#define HANDPICK_TESTS_BENCHMARKS_RIVALS_RIVAL_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RIVAL_ERROR_SIZE 1024

/* A dense row-major array; `integers` or `numbers` is null. The runner keeps it while a request
 * that was made of it is in use. */
typedef struct rival_tensor {
  const char* name;
  const int64_t* shape;
  size_t rank;
  const int64_t* integers;
  const float* numbers;
} rival_tensor;

typedef struct rival_session rival_session;
/* Inputs and outputs of a run, made once and used as often as wanted. */
typedef struct rival_request rival_request;

typedef struct rival_api {
  const char* name;
  const char* version;

  /* What the library needs once in a process. Before anything else. */
  int (*initialize)(char* error);

  /* Opens a model for one thread, with all optimisations. */
  rival_session* (*open)(const char* path, char* error);
  void (*close)(rival_session* session);

  /* The session's input `name` is wanted: 1, or 0. */
  int (*has_input)(const rival_session* session, const char* name);

  /* `output` of `count` numbers is written by every run. */
  rival_request* (*prepare)(rival_session* session, const rival_tensor* inputs, size_t input_count,
                            const char* output_name, float* output, size_t count, char* error);
  void (*release)(rival_request* request);

  int (*run)(rival_session* session, rival_request* request, char* error);
} rival_api;

/* The one symbol that a rival's library exports. */
#define RIVAL_ENTRY_POINT "handpick_rival"
typedef const rival_api* (*rival_entry_point)(void);

#ifdef __cplusplus
}
#endif

#endif /* HANDPICK_TESTS_BENCHMARKS_RIVALS_RIVAL_H_ */
