/* From what a user liked to ten movies, without a server: recalls 200 of a catalog, ranks them with
 * DIN, and does so again after the next tap. Two bundles of one model, float and int8: prints the
 * best ten of both, how long that takes, what it needs, and how far int8 is from float.
 *
 *     quickstart FLOAT.hpk INT8.hpk        run.sh makes the two and calls this.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <handpick/diagnostics.h>
#include <handpick/handpick.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "examples/quickstart/request.h"

enum { kLiked = sizeof(kLikedMovies) / sizeof(kLikedMovies[0]), kRecalled = 200, kTop = 10 };
enum { kRuns = 1001 };

/* One bundle, opened, and what it said and took. */
typedef struct recommender {
  hp_model* model;
  hp_session* session;
  hp_model_info info;
  hp_recommended top[kTop];
  size_t top_count;
  size_t recalled_count;
  float golden_error;      /* Largest relative difference from the trainer's logits. */
  double open_seconds;     /* Of the file, and a session; once. */
  double start_seconds;    /* Medians: context and history set, top 10. */
  double tap_seconds;      /* An event appended, top 10. */
  double again_seconds;    /* Top 10, nothing having changed. */
  double recalled_seconds; /* The 200 alone. */
} recommender;

/* A real app would show its user something else; what went wrong is in the message. */
static void check(hp_status status, const hp_error* error) {
  if (status == HP_OK) return;
  fprintf(stderr, "quickstart: %s: %s\n", hp_status_text(status), error->message);
  exit(1);
}

static uint32_t feature(const recommender* r, hp_side side, const char* name) {
  uint32_t number = 0;
  if (hp_model_find_feature(r->model, side, name, &number) != HP_OK) {
    fprintf(stderr, "quickstart: the model has no feature '%s'\n", name);
    exit(1);
  }
  return number;
}

static double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare_doubles(const void* a, const void* b) {
  const double x = *(const double*)a;
  const double y = *(const double*)b;
  return (x > y) - (x < y);
}

static void open_bundle(recommender* r, const char* path) {
  hp_error error;
  check(hp_model_open_file(path, NULL, &r->model, &error), &error);
  check(hp_session_new(r->model, NULL, &r->session, &error), &error);
}

static void set_user(recommender* r) {
  const hp_side side = HP_SIDE_CONTEXT;
  const hp_string genre = {kFavouriteGenre, sizeof(kFavouriteGenre) - 1};
  const hp_column columns[] = {
      hp_float32s(feature(r, side, "rating_count"), &kRatingCount),
      hp_float32s(feature(r, side, "mean_rating"), &kMeanRating),
      hp_float32s(feature(r, side, "recent_mean"), &kRecentMean),
      hp_float32s(feature(r, side, "genre_taste"), kGenreTaste),
      hp_strings(feature(r, side, "favourite_genre"), &genre),
  };
  const hp_batch context = HP_BATCH(columns, sizeof(columns) / sizeof(columns[0]), 1);
  check(hp_session_set_context(r->session, &context), hp_session_last_error(r->session));
}

/* Appends movies that the user liked, oldest first: all of them when the app starts, then one at
 * each tap. What the model makes of an event is computed now, and never again. */
static void append_liked(recommender* r, const int64_t* movies, const hp_string* genres,
                         size_t count) {
  const hp_side side = HP_SIDE_HISTORY;
  const hp_column columns[] = {
      hp_int64s(feature(r, side, "movie_id"), movies),
      hp_strings(feature(r, side, "genre"), genres),
  };
  const hp_batch events = HP_BATCH(columns, sizeof(columns) / sizeof(columns[0]), count);
  check(hp_session_append_events(r->session, &events), hp_session_last_error(r->session));
}

/* From the whole catalog to the best ten: 200 movies near those that the user liked last are
 * recalled, without the liked ones, and ranked by the model. Their genres and years come from the
 * bundle's catalog. */
static void recommend(recommender* r) {
  hp_recall_options recall = HP_RECALL_OPTIONS_INIT;
  recall.user = HP_USER_RECENT;
  recall.half_life = 10;
  recall.k = kRecalled;
  check(hp_session_recommend(r->session, &recall, kTop, r->top, &r->top_count),
        hp_session_last_error(r->session));
}

static void recall_alone(recommender* r) {
  static hp_recalled items[kRecalled];
  hp_recall_options recall = HP_RECALL_OPTIONS_INIT;
  recall.user = HP_USER_RECENT;
  recall.half_life = 10;
  recall.k = kRecalled;
  check(hp_session_recall(r->session, &recall, items, &r->recalled_count),
        hp_session_last_error(r->session));
}

static void clear_history(recommender* r) {
  const hp_batch nothing = HP_BATCH_INIT;
  check(hp_session_set_history(r->session, &nothing), hp_session_last_error(r->session));
}

static hp_string genres[kLiked];

/* All but the last movie, which is the tap. */
static void start(recommender* r) {
  set_user(r);
  append_liked(r, kLikedMovies, genres, kLiked - 1);
  recommend(r);
}

static void tap(recommender* r) {
  append_liked(r, kLikedMovies + kLiked - 1, genres + kLiked - 1, 1);
  recommend(r);
}

/* Median time of `run`, each time after `prepare`. */
static double median_seconds(recommender* r, void (*prepare)(recommender*),
                             void (*run)(recommender*)) {
  static double seconds[kRuns];
  for (int i = 0; i < kRuns; ++i) {
    if (prepare != NULL) prepare(r);
    const double before = now_seconds();
    run(r);
    seconds[i] = now_seconds() - before;
  }
  qsort(seconds, kRuns, sizeof(seconds[0]), compare_doubles);
  return seconds[kRuns / 2];
}

static void clear_and_start(recommender* r) {
  clear_history(r);
  start(r);
}

static void measure(recommender* r) {
  r->start_seconds = median_seconds(r, clear_history, start);
  r->tap_seconds = median_seconds(r, clear_and_start, tap);
  r->again_seconds = median_seconds(r, NULL, recommend);
  r->recalled_seconds = median_seconds(r, NULL, recall_alone);
}

static void print_comparison(const recommender* a, const recommender* b) {
  float worst = 0;
  int shared = 0;
  for (size_t i = 0; i < a->top_count; ++i) {
    for (size_t j = 0; j < b->top_count; ++j) {
      if (a->top[i].id.integer != b->top[j].id.integer) continue;
      ++shared;
      const float difference = fabsf(a->top[i].logit - b->top[j].logit);
      if (!(difference <= worst)) worst = difference; /* NaN too. */
    }
  }
  printf(
      "int8 against float, this user: %d of the top %zu shared; largest difference of their logits"
      " %.4f\n",
      shared, a->top_count, (double)worst);
}

static void print_row(const char* label, double a, double b, int decimals, const char* unit) {
  printf("%-34s %12.*f %12.*f  %s\n", label, decimals, a, decimals, b, unit);
}

static void print_figures(const recommender* a, const recommender* b) {
  const hp_model_info *x = &a->info, *y = &b->info;
  printf("\n%-34s %12s %12s\n", "", "float", "int8");
  print_row("bundle", (double)x->bundle_bytes, (double)y->bundle_bytes, 0, "bytes");
  print_row("  of it embedding tables", (double)x->table_bytes, (double)y->table_bytes, 0, "bytes");
  print_row("  of it dense weights", (double)x->dense_bytes, (double)y->dense_bytes, 0, "bytes");
  print_row("opened model", (double)(a->info.model_bytes + a->info.engine_bytes),
            (double)(b->info.model_bytes + b->info.engine_bytes), 0,
            "bytes beside the mapped file");
  print_row("session", (double)x->session_bytes, (double)y->session_bytes, 0, "bytes");
  print_row("opened, session created (once)", 1e6 * a->open_seconds, 1e6 * b->open_seconds, 0,
            "us");
  printf("latency, median of %d\n", kRuns);
  print_row("  start: context, history, top 10", 1e6 * a->start_seconds, 1e6 * b->start_seconds, 1,
            "us");
  print_row("  tap: one event more, top 10", 1e6 * a->tap_seconds, 1e6 * b->tap_seconds, 1, "us");
  print_row("  again: top 10", 1e6 * a->again_seconds, 1e6 * b->again_seconds, 1, "us");
  print_row("  of it recall of 200", 1e6 * a->recalled_seconds, 1e6 * b->recalled_seconds, 1, "us");
  print_row("golden requests, all hold", x->golden_count, y->golden_count, 0, "requests");
  print_row("  largest error of a logit", (double)a->golden_error, (double)b->golden_error, 7,
            "from the trainer's, relative to max(1, |logit|)");
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: quickstart FLOAT.hpk INT8.hpk\n");
    return 2;
  }
  for (size_t i = 0; i < kLiked; ++i) {
    genres[i].data = kLikedGenres[i];
    genres[i].size = strlen(kLikedGenres[i]);
  }
  static recommender f32, int8;
  recommender* both[] = {&f32, &int8};
  for (int i = 0; i < 2; ++i) {
    recommender* r = both[i];
    const double before = now_seconds();
    open_bundle(r, argv[i + 1]);
    r->open_seconds = now_seconds() - before;
    hp_model_info info = HP_MODEL_INFO_INIT;
    hp_model_get_info(r->model, &info);
    r->info = info;
    measure(r);
    check(hp_session_check_goldens(r->session, &r->golden_error),
          hp_session_last_error(r->session));
    clear_and_start(r);
    tap(r);
  }

  hp_build_info build = HP_BUILD_INFO_INIT;
  hp_get_build_info(&build);
  const hp_model_info* info = &f32.info;
  printf("handpick %s, %s, %s\n", build.version, build.architecture, build.build_type);
  printf("model %s %s; a user who liked %d movies; %zu recalled of %llu, catalog of %llu\n\n",
         info->model_name, info->model_version, (int)kLiked, f32.recalled_count,
         (unsigned long long)info->recall_items, (unsigned long long)info->catalog_items);

  printf("%-6s %18s %18s\n", "", "float", "int8");
  printf("%-6s %9s %8s %9s %8s\n", "rank", "movie_id", "score", "movie_id", "score");
  for (size_t i = 0; i < f32.top_count && i < int8.top_count; ++i) {
    printf("%-6zu %9lld %8.4f %9lld %8.4f\n", i + 1, (long long)f32.top[i].id.integer,
           (double)f32.top[i].score, (long long)int8.top[i].id.integer, (double)int8.top[i].score);
  }

  print_figures(&f32, &int8);
  printf("\n");
  print_comparison(&f32, &int8);

  for (int i = 0; i < 2; ++i) {
    hp_session_free(both[i]->session);
    hp_model_close(both[i]->model);
  }
  return 0;
}
