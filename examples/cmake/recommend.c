/* The best ten films of a whole catalog:
 *
 *     recommend movielens.hpk        prints a film and its score a line
 */
#include <handpick/handpick.h>
#include <stdio.h>
#include <stdlib.h>

enum { kTop = 10 };

/* What an app knows of its user: that of request.jsonl. The films that were liked, oldest first. */
static const int64_t kLiked[] = {7373, 54259, 77561, 31696};
static const hp_string kLikedGenres[] = {
    {"Fantasy", 7}, {"Fantasy", 7}, {"Sci-Fi", 6}, {"Fantasy", 7}};
static const float kRatingCount = 123, kMeanRating = 3.833f, kRecentMean = 3.308f;
static const float kGenreTaste[20] = {0.0f,   0.04f,  0.49f,  0.12f,  0.03f,  -0.04f, -0.06f,
                                      0.19f,  -0.23f, 0.77f,  -0.94f, -0.07f, 0.29f,  0.19f,
                                      -0.42f, -0.07f, -0.12f, -0.18f, -0.09f, 0.0f};
static const hp_string kFavouriteGenre = {"Action", 6};

static void check(hp_status status, const hp_error* error) {
  if (status == HP_OK) return;
  fprintf(stderr, "%s: %s\n", hp_status_text(status), error->message);
  exit(1);
}

static uint32_t feature(const hp_model* model, hp_side side, const char* name) {
  uint32_t number = 0;
  if (hp_model_find_feature(model, side, name, &number) == HP_OK) return number;
  fprintf(stderr, "the model has no feature '%s'\n", name);
  exit(1);
}

/* Once, and when what is known of the user changes. */
static void set_user(const hp_model* model, hp_session* session) {
  const hp_side side = HP_SIDE_CONTEXT;
  const hp_column columns[] = {
      hp_float32s(feature(model, side, "rating_count"), &kRatingCount),
      hp_float32s(feature(model, side, "mean_rating"), &kMeanRating),
      hp_float32s(feature(model, side, "recent_mean"), &kRecentMean),
      hp_float32s(feature(model, side, "genre_taste"), kGenreTaste),
      hp_strings(feature(model, side, "favourite_genre"), &kFavouriteGenre),
  };
  const hp_batch context = HP_BATCH(columns, sizeof(columns) / sizeof(columns[0]), 1);
  check(hp_session_set_context(session, &context), hp_session_last_error(session));
}

/* All that were liked when the app starts; later one at each tap. */
static void add_liked(const hp_model* model, hp_session* session) {
  const hp_side side = HP_SIDE_HISTORY;
  const hp_column columns[] = {
      hp_int64s(feature(model, side, "movie_id"), kLiked),
      hp_strings(feature(model, side, "genre"), kLikedGenres),
  };
  const hp_batch events = HP_BATCH(columns, 2, sizeof(kLiked) / sizeof(kLiked[0]));
  check(hp_session_append_events(session, &events), hp_session_last_error(session));
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s BUNDLE.hpk\n", argv[0]);
    return 2;
  }
  hp_model* model = NULL;
  hp_session* session = NULL;
  hp_error error;
  check(hp_model_open_file(argv[1], NULL, &model, &error), &error);
  check(hp_session_new(model, NULL, &session, &error), &error);
  set_user(model, session);
  add_liked(model, session);

  /* 200 films near those that were liked last, ranked by the model. */
  hp_recall_options recall = HP_RECALL_OPTIONS_INIT;
  recall.user = HP_USER_RECENT;
  recall.half_life = 10;
  recall.k = 200;
  hp_recommended films[kTop];
  size_t count = 0;
  check(hp_session_recommend(session, &recall, kTop, films, &count),
        hp_session_last_error(session));
  for (size_t i = 0; i < count; ++i) {
    printf("%lld %.6f\n", (long long)films[i].id.integer, (double)films[i].score);
  }

  hp_session_free(session);
  hp_model_close(model);
  return 0;
}
