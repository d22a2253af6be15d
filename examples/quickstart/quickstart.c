/* Ranks 200 movies for one user from their ids alone, with two bundles of one model: float and
 * int8. Prints the best ten, how long that takes, what it needs, and how far int8 is from float.
 *
 *     quickstart FLOAT.hpk INT8.hpk        run.sh makes the two and calls this.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <handpick/handpick.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "examples/quickstart/request.h"

enum { kCandidates = sizeof(kMovieIds) / sizeof(kMovieIds[0]), kTop = 10, kRuns = 1001 };

/* One bundle, opened, and what it said and took. */
typedef struct ranker {
  hp_model* model;
  hp_session* session;
  void* memory; /* The session's. */
  size_t session_bytes;
  hp_model_info info;
  hp_ranked top[kTop];
  size_t top_count;
  float logits[kCandidates];
  float golden_error;        /* Largest relative difference from the trainer's logits. */
  double new_user_seconds;   /* Median: context set, then ranked. */
  double known_user_seconds; /* Median: ranked, the context being set. */
} ranker;

/* A real app would show its user something else; what went wrong is in the message. */
static void check(hp_status status, const hp_error* error) {
  if (status == HP_OK) return;
  fprintf(stderr, "quickstart: %s: %s\n", hp_status_text(status), error->message);
  exit(1);
}

static uint32_t feature(const ranker* r, hp_side side, const char* name) {
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

static void open_bundle(ranker* r, const char* path) {
  hp_error error;
  check(hp_model_open_file(path, NULL, &r->model, &error), &error);
  check(hp_session_memory_size(r->model, NULL, &r->session_bytes, &error), &error);
  if (posix_memalign(&r->memory, HP_ALIGNMENT, r->session_bytes) != 0) {
    fprintf(stderr, "quickstart: no memory for a session of %zu bytes\n", r->session_bytes);
    exit(1);
  }
  check(hp_session_create(r->model, NULL, r->memory, r->session_bytes, &r->session, &error),
        &error);
  hp_model_get_info(r->model, &r->info);
}

static void set_user(ranker* r) {
  const hp_side side = HP_SIDE_CONTEXT;
  const hp_string genre = {kFavouriteGenre, sizeof(kFavouriteGenre) - 1};
  const hp_column columns[] = {
      {.feature = feature(r, side, "user_id"), .type = HP_INT64, .integers = &kUserId},
      {.feature = feature(r, side, "rating_count"), .type = HP_FLOAT32, .numbers = &kRatingCount},
      {.feature = feature(r, side, "mean_rating"), .type = HP_FLOAT32, .numbers = &kMeanRating},
      {.feature = feature(r, side, "recent_mean"), .type = HP_FLOAT32, .numbers = &kRecentMean},
      {.feature = feature(r, side, "genre_taste"), .type = HP_FLOAT32, .numbers = kGenreTaste},
      {.feature = feature(r, side, "favourite_genre"), .type = HP_STRING, .strings = &genre},
  };
  const hp_batch user = {columns, sizeof(columns) / sizeof(columns[0]), 1};
  check(hp_session_set_context(r->session, &user), hp_session_last_error(r->session));
}

/* Genres and year of each movie come from the bundle's catalog. */
static void rank_movies(ranker* r) {
  const uint32_t movie_id = feature(r, HP_SIDE_CANDIDATE, "movie_id");
  const hp_column column = {.feature = movie_id, .type = HP_INT64, .integers = kMovieIds};
  const hp_batch movies = {&column, 1, kCandidates};
  check(hp_session_rank(r->session, &movies, kTop, r->top, &r->top_count),
        hp_session_last_error(r->session));
}

static void score_movies(ranker* r) {
  const uint32_t movie_id = feature(r, HP_SIDE_CANDIDATE, "movie_id");
  const hp_column column = {.feature = movie_id, .type = HP_INT64, .integers = kMovieIds};
  const hp_batch movies = {&column, 1, kCandidates};
  check(hp_session_score(r->session, &movies, NULL, r->logits), hp_session_last_error(r->session));
}

/* Median time of one request. */
static double median_seconds(ranker* r, int new_user) {
  static double seconds[kRuns];
  for (int run = 0; run < kRuns; ++run) {
    const double start = now_seconds();
    if (new_user) set_user(r);
    rank_movies(r);
    seconds[run] = now_seconds() - start;
  }
  qsort(seconds, kRuns, sizeof(seconds[0]), compare_doubles);
  return seconds[kRuns / 2];
}

static void check_goldens(ranker* r) {
  check(hp_session_check_goldens(r->session, &r->golden_error), hp_session_last_error(r->session));
}

static void print_comparison(const ranker* a, const ranker* b) {
  float worst = 0;
  for (int i = 0; i < kCandidates; ++i) {
    const float difference = fabsf(a->logits[i] - b->logits[i]);
    if (!(difference <= worst)) worst = difference; /* NaN too. */
  }
  int shared = 0;
  for (size_t i = 0; i < a->top_count; ++i) {
    for (size_t j = 0; j < b->top_count; ++j) shared += a->top[i].index == b->top[j].index;
  }
  printf(
      "int8 against float, this request: largest difference of a logit %.4f;"
      " %d of the top %zu shared\n",
      (double)worst, shared, a->top_count);
}

static void print_row(const char* label, double a, double b, int decimals, const char* unit) {
  printf("%-34s %12.*f %12.*f  %s\n", label, decimals, a, decimals, b, unit);
}

static void print_figures(const ranker* a, const ranker* b) {
  const hp_bundle_info *x = &a->info.bundle, *y = &b->info.bundle;
  printf("\n%-34s %12s %12s\n", "", "float", "int8");
  print_row("bundle", (double)x->bundle_bytes, (double)y->bundle_bytes, 0, "bytes");
  print_row("  of it embedding tables", (double)x->table_bytes, (double)y->table_bytes, 0, "bytes");
  print_row("  of it dense weights", (double)x->dense_bytes, (double)y->dense_bytes, 0, "bytes");
  print_row("opened model", (double)(a->info.model_bytes + a->info.engine_bytes),
            (double)(b->info.model_bytes + b->info.engine_bytes), 0,
            "bytes beside the mapped file");
  print_row("session", (double)a->session_bytes, (double)b->session_bytes, 0, "bytes");
  printf("latency of a request, median of %d\n", kRuns);
  print_row("  new user: context, top 10", 1e6 * a->new_user_seconds, 1e6 * b->new_user_seconds, 1,
            "us");
  print_row("  same user: top 10", 1e6 * a->known_user_seconds, 1e6 * b->known_user_seconds, 1,
            "us");
  print_row("  same user, per candidate", 1e6 * a->known_user_seconds / kCandidates,
            1e6 * b->known_user_seconds / kCandidates, 3, "us");
  print_row("golden requests, all hold", x->golden_count, y->golden_count, 0, "requests");
  print_row("  largest error of a logit", (double)a->golden_error, (double)b->golden_error, 7,
            "from the trainer's, relative to max(1, |logit|)");
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: quickstart FLOAT.hpk INT8.hpk\n");
    return 2;
  }
  static ranker f32, int8;
  ranker* rankers[] = {&f32, &int8};
  for (int i = 0; i < 2; ++i) {
    open_bundle(rankers[i], argv[i + 1]);
    set_user(rankers[i]);
    rank_movies(rankers[i]);
    score_movies(rankers[i]);
    rankers[i]->new_user_seconds = median_seconds(rankers[i], 1);
    rankers[i]->known_user_seconds = median_seconds(rankers[i], 0);
    check_goldens(rankers[i]);
  }

  hp_build_info build;
  hp_get_build_info(&build);
  printf("handpick %s, %s, %s\n", build.version, build.architecture, build.build_type);
  printf("model %s %s; user %lld; %d candidates of a catalog of %llu items\n\n",
         f32.info.bundle.model_name, f32.info.bundle.model_version, (long long)kUserId, kCandidates,
         (unsigned long long)f32.info.bundle.catalog_items);

  printf("%-6s %18s %18s\n", "", "float", "int8");
  printf("%-6s %9s %8s %9s %8s\n", "rank", "movie_id", "score", "movie_id", "score");
  for (size_t i = 0; i < f32.top_count; ++i) {
    printf("%-6zu %9lld %8.4f %9lld %8.4f\n", i + 1, (long long)kMovieIds[f32.top[i].index],
           (double)f32.top[i].score, (long long)kMovieIds[int8.top[i].index],
           (double)int8.top[i].score);
  }

  print_figures(&f32, &int8);
  printf("\n");
  print_comparison(&f32, &int8);

  for (int i = 0; i < 2; ++i) {
    hp_model_close(rankers[i]->model);
    free(rankers[i]->memory);
  }
  return 0;
}
