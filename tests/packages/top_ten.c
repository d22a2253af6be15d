/* What a program that links a package of the SDK does: opens a bundle, compares its hashes, replays
 * its golden requests, and recommends. */
#include "tests/packages/top_ten.h"

#include <handpick/diagnostics.h>
#include <handpick/handpick.h>
#include <string.h>

#include "examples/quickstart/request.h"

enum { kLiked = sizeof(kLikedMovies) / sizeof(kLikedMovies[0]), kFeatures = 7, kOfContext = 5 };

static int fail(const char* what, const hp_error* error, char* message) {
  strcpy(message, what);
  strcat(message, ": ");
  strcat(message, hp_status_text(error->status));
  strcat(message, ": ");
  strcat(message, error->message);
  return 1;
}

int top_ten(const char* bundle, int64_t ids[kTopTen], float scores[kTopTen], char* message) {
  hp_error error;
  hp_model* model = NULL;
  hp_session* session = NULL;
  if (hp_model_open_file(bundle, NULL, &model, &error) != HP_OK)
    return fail("open", &error, message);
  if (hp_model_check(model, &error) != HP_OK) return fail("check", &error, message);
  if (hp_session_new(model, NULL, &session, &error) != HP_OK)
    return fail("session", &error, message);
  const hp_error* last = hp_session_last_error(session);
  float worst;
  if (hp_session_check_goldens(session, &worst) != HP_OK)
    return fail("golden requests", last, message);

  uint32_t f[kFeatures];
  const char* const names[kFeatures] = {"rating_count", "mean_rating",     "recent_mean",
                                        "genre_taste",  "favourite_genre", "movie_id",
                                        "genre"};
  for (int i = 0; i < kFeatures; ++i) {
    const hp_side side = i < kOfContext ? HP_SIDE_CONTEXT : HP_SIDE_HISTORY;
    error.status = hp_model_find_feature(model, side, names[i], &f[i]);
    if (error.status != HP_OK) return fail(names[i], &error, message);
  }
  const hp_string favourite = {kFavouriteGenre, sizeof(kFavouriteGenre) - 1};
  const hp_column user[] = {{.feature = f[0], .type = HP_FLOAT32, .numbers = &kRatingCount},
                            {.feature = f[1], .type = HP_FLOAT32, .numbers = &kMeanRating},
                            {.feature = f[2], .type = HP_FLOAT32, .numbers = &kRecentMean},
                            {.feature = f[3], .type = HP_FLOAT32, .numbers = kGenreTaste},
                            {.feature = f[4], .type = HP_STRING, .strings = &favourite}};
  const hp_batch context = HP_BATCH(user, kOfContext, 1);
  if (hp_session_set_context(session, &context) != HP_OK) return fail("context", last, message);
  hp_string genres[kLiked];
  for (int i = 0; i < kLiked; ++i) {
    genres[i].data = kLikedGenres[i];
    genres[i].size = strlen(kLikedGenres[i]);
  }
  const hp_column liked[] = {{.feature = f[5], .type = HP_INT64, .integers = kLikedMovies},
                             {.feature = f[6], .type = HP_STRING, .strings = genres}};
  const hp_batch events = HP_BATCH(liked, kFeatures - kOfContext, kLiked);
  if (hp_session_append_events(session, &events) != HP_OK) return fail("history", last, message);

  hp_recall_options recall = HP_RECALL_OPTIONS_INIT;
  recall.user = HP_USER_RECENT;
  recall.half_life = 10;
  recall.k = 200;
  hp_recommended items[kTopTen];
  size_t count = 0;
  if (hp_session_recommend(session, &recall, kTopTen, items, &count) != HP_OK)
    return fail("recommend", last, message);
  for (size_t i = 0; i < kTopTen; ++i) {
    ids[i] = i < count ? items[i].id.integer : 0;
    scores[i] = i < count ? items[i].score : 0;
  }
  hp_session_free(session);
  hp_model_close(model);
  return 0;
}
