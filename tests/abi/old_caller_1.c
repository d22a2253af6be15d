#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/abi/frozen_1.h"
#include "tests/abi/old_caller.h"

enum { kCanaryBytes = 64, kCanary = 0xA5, kFound = 3 };

/* A struct or array, and bytes that the library must not write. */
#define GUARDED(type, name, count)      \
  struct {                              \
    type value[count];                  \
    unsigned char canary[kCanaryBytes]; \
  } name;                               \
  memset(&name, 0, sizeof(name));       \
  memset(name.canary, kCanary, sizeof(name.canary))

#define EXPECT_INTACT(name) expect(is_intact(name.canary), "nothing behind " #name)
#define EXPECT_OK(call) expect((call) == HP_OK, #call)

static int failures = 0;

static void expect(int condition, const char* what) {
  if (condition) return;
  printf("FAILED: %s\n", what);
  ++failures;
}

static int is_intact(const unsigned char* canary) {
  for (size_t i = 0; i < kCanaryBytes; ++i) {
    if (canary[i] != kCanary) return 0;
  }
  return 1;
}

static size_t allocated = 0;

static void* allocate(void* opaque, size_t bytes, size_t alignment) {
  *(size_t*)opaque += bytes;
  return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release(void* opaque, void* memory, size_t bytes) {
  *(size_t*)opaque -= bytes;
  free(memory);
}

static uint64_t tick(void* opaque) { return ++*(uint64_t*)opaque; }

static int accepts_all(void* opaque, uint32_t item, const hp_item_id* id) {
  (void)item;
  (void)id;
  ++*(int*)opaque;
  return 1;
}

static uint32_t feature(const hp_model* model, hp_side side, const char* name) {
  uint32_t number = 0;
  EXPECT_OK(hp_model_find_feature(model, side, name, &number));
  return number;
}

static void ask_the_model(const hp_model* model, uint64_t engine_bytes) {
  GUARDED(hp_model_info, info, 1);
  GUARDED(hp_feature_info, of_feature, 1);
  GUARDED(hp_recall_info, of_recall, 1);
  info.value[0].struct_size = sizeof(hp_model_info);
  of_feature.value[0].struct_size = sizeof(hp_feature_info);
  of_recall.value[0].struct_size = sizeof(hp_recall_info);
  EXPECT_OK(hp_model_get_info(model, &info.value[0]));
  EXPECT_INTACT(info);
  expect(info.value[0].model_name != NULL && info.value[0].feature_count == 8 &&
             info.value[0].has_model == 1 && info.value[0].engine_bytes == engine_bytes,
         "the model's info");
  EXPECT_OK(hp_model_get_feature(model, 0, &of_feature.value[0]));
  EXPECT_INTACT(of_feature);
  expect(strcmp(of_feature.value[0].name, "user") == 0, "the feature's name");
  EXPECT_OK(hp_model_get_recall_info(model, &of_recall.value[0]));
  EXPECT_INTACT(of_recall);
  expect(of_recall.value[0].dimension == 16 && of_recall.value[0].id_type == HP_INT64,
         "the index's info");
}

static void recommend(const hp_model* model, hp_session* session, int64_t item) {
  GUARDED(hp_recommended, recommended, kFound);
  GUARDED(hp_recalled, recalled, kFound);
  GUARDED(hp_recall_report, report, 1);
  const int64_t tag = 1;
  int asked = 0;
  size_t count = 0;
  hp_filter filter = HP_FILTER_INIT;
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  filter.kind = HP_FILTER_NONE_OF;
  filter.feature = feature(model, HP_SIDE_CANDIDATE, "tags");
  filter.integers = &tag;
  filter.count = 1;
  options.user = HP_USER_RECENT;
  options.half_life = 2;
  options.k = kFound;
  options.filters = &filter;
  options.filter_count = 1;
  options.excluded_integers = &item;
  options.excluded_count = 1;
  options.accepts = accepts_all;
  options.accepts_opaque = &asked;
  EXPECT_OK(hp_session_recall(session, &options, recalled.value, &count));
  EXPECT_INTACT(recalled);
  expect(count == kFound && asked > 0, "three items are recalled");
  EXPECT_OK(hp_session_recommend(session, &options, kFound, recommended.value, &count));
  EXPECT_INTACT(recommended);
  expect(count == kFound && recommended.value[0].id.integer != item, "the item is left out");
  report.value[0].struct_size = sizeof(hp_recall_report);
  EXPECT_OK(hp_session_get_recall_report(session, &report.value[0]));
  EXPECT_INTACT(report);
  expect(report.value[0].outcome == HP_RECALL_FOUND, "the report");
}

static void use_session(const hp_model* model, hp_session* session, int64_t item) {
  GUARDED(hp_ranked, ranked, 2);
  GUARDED(float, scores, 2);
  GUARDED(float, logits, 2);
  GUARDED(hp_session_counters, counters, 1);
  const int64_t user = 2;
  const int64_t items[2] = {item, item};
  hp_column column;
  size_t count = 0;
  memset(&column, 0, sizeof(column));
  column.type = HP_INT64;
  column.feature = feature(model, HP_SIDE_CONTEXT, "user");
  column.integers = &user;
  {
    const hp_batch context = HP_BATCH(&column, 1, 1);
    EXPECT_OK(hp_session_set_context(session, &context));
  }
  column.feature = feature(model, HP_SIDE_HISTORY, "seen");
  column.integers = &item;
  {
    const hp_batch events = HP_BATCH(&column, 1, 1);
    EXPECT_OK(hp_session_append_events(session, &events));
    EXPECT_OK(hp_session_set_history(session, &events));
  }
  column.feature = feature(model, HP_SIDE_CANDIDATE, "item");
  column.integers = items;
  {
    const hp_batch candidates = HP_BATCH(&column, 1, 2);
    EXPECT_OK(hp_session_score(session, &candidates, scores.value, logits.value));
    EXPECT_OK(hp_session_rank(session, &candidates, 2, ranked.value, &count));
  }
  EXPECT_INTACT(scores);
  EXPECT_INTACT(logits);
  EXPECT_INTACT(ranked);
  expect(count == 2 && ranked.value[1].index == 1 && ranked.value[0].logit == logits.value[0],
         "ranked as scored");
  counters.value[0].struct_size = sizeof(hp_session_counters);
  EXPECT_OK(hp_session_get_counters(session, &counters.value[0]));
  EXPECT_INTACT(counters);
  expect(counters.value[0].candidates == 4, "four candidates were scored");
  recommend(model, session, item);
}

static void profile(const hp_model* model, hp_session* session, int64_t item) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_profile given = HP_PROFILE_INIT;
  hp_column column;
  uint64_t time = 0;
  hp_step_profile* steps = NULL;
  EXPECT_OK(hp_model_get_info(model, &info));
  steps = calloc(info.step_count + 1, sizeof(*steps));
  given.clock = tick;
  given.opaque = &time;
  given.steps = steps;
  given.step_count = info.step_count;
  EXPECT_OK(hp_session_set_profile(session, &given));
  memset(&column, 0, sizeof(column));
  column.type = HP_INT64;
  column.feature = feature(model, HP_SIDE_CANDIDATE, "item");
  column.integers = &item;
  {
    const hp_batch candidates = HP_BATCH(&column, 1, 1);
    EXPECT_OK(hp_session_score(session, &candidates, NULL, NULL));
  }
  EXPECT_OK(hp_session_set_profile(session, NULL));
  expect(time > 0 && steps[info.step_count - 1].runs == 1, "the last step was profiled");
  expect(steps[info.step_count].ticks == 0, "no step more");
  free(steps);
}

static void hide_in_overlay(const hp_model* model, hp_session* session, int64_t item) {
  GUARDED(hp_error, error, 1);
  const hp_item_id id = {item, {NULL, 0}};
  const hp_item_id unknown = {-1, {NULL, 0}};
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  hp_recall_overlay* overlay = NULL;
  hp_recalled found[kFound];
  size_t bytes = 0, count = 0;
  void* memory = NULL;
  EXPECT_OK(hp_recall_overlay_memory_size(model, 2, &bytes, &error.value[0]));
  memory = aligned_alloc(HP_ALIGNMENT, (bytes + HP_ALIGNMENT - 1) / HP_ALIGNMENT * HP_ALIGNMENT);
  EXPECT_OK(hp_recall_overlay_create(model, 2, memory, bytes, &overlay, &error.value[0]));
  EXPECT_OK(hp_recall_overlay_hide(overlay, &id, &error.value[0]));
  expect(hp_recall_overlay_show(overlay, &unknown, &error.value[0]) == HP_UNKNOWN_ITEM,
         "an item that is not hidden");
  EXPECT_INTACT(error);
  expect(error.value[0].status == HP_UNKNOWN_ITEM && error.value[0].message[0] != '\0',
         "the error says why");
  options.k = kFound;
  options.overlay = overlay;
  options.keep_seen = 1;
  EXPECT_OK(hp_session_recall(session, &options, found, &count));
  expect(count == kFound && found[0].id.integer != item, "the hidden item is not recalled");
  free(memory);
}

int old_caller_run(const void* bundle, size_t bundle_size, int64_t item, uint64_t engine_bytes) {
  GUARDED(hp_build_info, build, 1);
  GUARDED(hp_model_info, inspected, 1);
  hp_allocator allocator = HP_ALLOCATOR_INIT;
  hp_open_options opening = HP_OPEN_OPTIONS_INIT;
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  hp_model* model = NULL;
  hp_session* session = NULL;
  hp_error error;
  allocator.allocate = allocate;
  allocator.release = release;
  allocator.opaque = &allocated;
  opening.allocator = &allocator;
  options.tile = 5;
  build.value[0].struct_size = sizeof(hp_build_info);
  EXPECT_OK(hp_get_build_info(&build.value[0]));
  EXPECT_INTACT(build);
  expect(build.value[0].version != NULL && build.value[0].architecture != NULL, "the build's info");
  inspected.value[0].struct_size = sizeof(hp_model_info);
  EXPECT_OK(hp_bundle_inspect(bundle, bundle_size, &inspected.value[0], &error));
  EXPECT_INTACT(inspected);
  if (hp_model_open_buffer(bundle, bundle_size, &opening, &model, &error) != HP_OK ||
      hp_session_new(model, &options, &session, &error) != HP_OK) {
    printf("FAILED: %s\n", error.message);
    return failures + 1;
  }
  ask_the_model(model, engine_bytes);
  use_session(model, session, item);
  profile(model, session, item);
  hide_in_overlay(model, session, item);
  EXPECT_OK(hp_session_check_goldens(session, NULL));
  hp_session_free(session);
  hp_model_close(model);
  expect(allocated == 0, "every byte went back");
  return failures;
}
