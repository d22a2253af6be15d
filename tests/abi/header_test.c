/* The public header alone, as C with every warning on: declarations only, no macros that need
 * others, usable initialisers. */
#include <handpick/diagnostics.h>
#include <handpick/handpick.h>
#include <stdio.h>

/* Values are fixed for ever: an app that was built against an older header reads them by number. */
_Static_assert(HP_OK == 0 && HP_INVALID_ARGUMENT == 0x10 && HP_UNKNOWN_FEATURE == 0x11 &&
                   HP_WRONG_TYPE == 0x12 && HP_MISSING_FEATURE == 0x13 &&
                   HP_DUPLICATE_FEATURE == 0x14 && HP_UNKNOWN_ID == 0x15 && HP_NOT_FINITE == 0x16 &&
                   HP_TOO_MANY_VALUES == 0x17 && HP_UNKNOWN_ITEM == 0x18 &&
                   HP_CONTEXT_NOT_SET == 0x19 && HP_DUPLICATE_ITEM == 0x1A &&
                   HP_UNKNOWN_OUTPUT == 0x1B,
               "caller's errors");
_Static_assert(HP_OUT_OF_MEMORY == 0x20 && HP_MEMORY_TOO_SMALL == 0x21 && HP_MISALIGNED == 0x22 &&
                   HP_OVERLAY_FULL == 0x23,
               "memory errors");
_Static_assert(HP_FILE_ERROR == 0x30 && HP_NOT_A_BUNDLE == 0x31 && HP_BUNDLE_TOO_NEW == 0x32 &&
                   HP_BUNDLE_CORRUPT == 0x33 && HP_GOLDEN_MISMATCH == 0x34 &&
                   HP_BUNDLE_TOO_OLD == 0x35,
               "bundle errors");
_Static_assert(HP_UNSUPPORTED == 0x40 && HP_NO_MODEL == 0x41 && HP_NO_RECALL == 0x42 &&
                   HP_INTERNAL == 0x50,
               "the rest");
_Static_assert(HP_RECALL_COSINE == 1 && HP_RECALL_INNER_PRODUCT == 2 && HP_RECALL_EUCLIDEAN == 3,
               "metrics");
_Static_assert(HP_USER_MEAN == 1 && HP_USER_RECENT == 2 && HP_USER_INTERESTS == 3 &&
                   HP_USER_VECTOR == 4,
               "users");
_Static_assert(HP_FILTER_ANY_OF == 1 && HP_FILTER_NONE_OF == 2 && HP_FILTER_RANGE == 3, "filters");
_Static_assert(HP_RECALL_NOT_DONE == 0 && HP_RECALL_FOUND == 1 && HP_RECALL_NO_EVENTS == 2 &&
                   HP_RECALL_NO_DIRECTION == 3 && HP_RECALL_NONE_LEFT == 4,
               "outcomes");
_Static_assert(HP_SIDE_CONTEXT == 1 && HP_SIDE_HISTORY == 2 && HP_SIDE_CANDIDATE == 3, "sides");
_Static_assert(HP_FEATURE_CATEGORICAL == 1 && HP_FEATURE_MULTI_CATEGORICAL == 2 &&
                   HP_FEATURE_NUMERIC == 3 && HP_FEATURE_CROSSED == 4 && HP_FEATURE_LENGTH == 5,
               "feature types");
_Static_assert(HP_TASK_BINARY == 1 && HP_TASK_REGRESSION == 2 && HP_TASK_PROBABILITY == 3 &&
                   HP_TASK_LOG_PROBABILITY == 4,
               "tasks");
_Static_assert(HP_INT64 == 1 && HP_FLOAT32 == 2 && HP_STRING == 4, "value types");
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(hp_column) == 40 && sizeof(hp_batch) == 32 && sizeof(hp_ranked) == 16,
               "structs of a request");
_Static_assert(sizeof(hp_item_id) == 24 && sizeof(hp_recalled) == 32 &&
                   sizeof(hp_recommended) == 40,
               "structs of recall");
_Static_assert(sizeof(hp_error) == 4 + HP_MESSAGE_SIZE, "error");
#endif

static int failures = 0;

static void expect(int condition, const char* what) {
  if (!condition) {
    printf("FAILED: %s\n", what);
    ++failures;
  }
}

/* Whether the column has these pointers, and the others are null. */
static int column_is(hp_column column, hp_value_type type, const void* values,
                     const uint32_t* row_splits) {
  return column.feature == 7 && column.type == type && column.row_splits == row_splits &&
         (const void*)column.integers == (type == HP_INT64 ? values : NULL) &&
         (const void*)column.numbers == (type == HP_FLOAT32 ? values : NULL) &&
         (const void*)column.strings == (type == HP_STRING ? values : NULL);
}

static void make_columns(void) {
  const int64_t integers[] = {1, 2};
  const float numbers[] = {1, 2};
  const hp_string strings[] = {{"a", 1}, {"b", 1}};
  const uint32_t splits[] = {0, 2};
  const hp_column columns[] = {hp_int64s(7, integers), hp_float32s(7, numbers)};
  expect(column_is(columns[0], HP_INT64, integers, NULL), "integers");
  expect(column_is(columns[1], HP_FLOAT32, numbers, NULL), "numbers");
  expect(column_is(hp_strings(7, strings), HP_STRING, strings, NULL), "strings");
  expect(column_is(hp_int64_lists(7, integers, splits), HP_INT64, integers, splits), "lists");
  expect(column_is(hp_string_lists(7, strings, splits), HP_STRING, strings, splits),
         "lists of strings");
}

int main(void) {
  const hp_session_options options = HP_SESSION_OPTIONS_INIT;
  const hp_profile profile = HP_PROFILE_INIT;
  const hp_recall_options recall = HP_RECALL_OPTIONS_INIT;
  hp_build_info build = HP_BUILD_INFO_INIT;
  hp_model* model = NULL;
  hp_session* session = NULL;
  hp_error error;
  size_t bytes = 0;

  expect(options.struct_size == sizeof(options) && options.tile == 0, "options are initialised");
  expect(profile.struct_size == sizeof(profile) && profile.clock == NULL && profile.steps == NULL,
         "a profile is initialised");
  expect(recall.struct_size == sizeof(recall) && recall.user == HP_USER_MEAN && recall.k == 0 &&
             recall.overlay == NULL,
         "recall options are initialised");
  make_columns();
  hp_get_build_info(&build);
  expect(build.version != NULL && build.build_type != NULL && build.architecture != NULL,
         "build info is filled");
  expect(build.format_major > 0, "format major");
  expect(hp_model_open_file("/nonexistent/bundle.hpk", NULL, &model, &error) == HP_FILE_ERROR,
         "a missing file");
  expect(error.status == HP_FILE_ERROR && error.message[0] != '\0', "the error says why");
  expect(model == NULL, "no model is made");
  expect(hp_session_memory_size(NULL, NULL, &bytes, &error) == HP_INVALID_ARGUMENT, "a null model");
  expect(hp_session_score(NULL, NULL, NULL, NULL) == HP_INVALID_ARGUMENT, "a null session");
  expect(hp_session_set_profile(NULL, &profile) == HP_INVALID_ARGUMENT, "a profile of no session");
  expect(hp_session_recall(NULL, &recall, NULL, &bytes) == HP_INVALID_ARGUMENT,
         "a recall of no session");
  expect(hp_session_recommend(NULL, &recall, 0, NULL, &bytes) == HP_INVALID_ARGUMENT,
         "a recommendation of no session");
  expect(hp_session_new(NULL, NULL, &session, &error) == HP_INVALID_ARGUMENT,
         "a session of no model");
  hp_session_free(session);
  hp_model_close(NULL);
  if (failures == 0) printf("the header compiles alone and the library answers\n");
  return failures == 0 ? 0 : 1;
}
