/* The user that the quickstart recommends to: line 1 of examples/din/model/ranking.jsonl, a
 * MovieLens user after the last rating, with the 50 movies liked last. quickstart_request_test of
 * //tests/examples compares both. */
#ifndef HANDPICK_EXAMPLES_QUICKSTART_REQUEST_H_
#define HANDPICK_EXAMPLES_QUICKSTART_REQUEST_H_

#include <stdint.h>

static const float kRatingCount = 123.0f;
static const float kMeanRating = 3.833f;
static const float kRecentMean = 3.308f;
/* How far the user rates each of 20 genres above the own mean. */
static const float kGenreTaste[] = {0.0f,   0.04f,  0.49f,  0.12f,  0.03f,  -0.04f, -0.06f,
                                    0.19f,  -0.23f, 0.77f,  -0.94f, -0.07f, 0.29f,  0.19f,
                                    -0.42f, -0.07f, -0.12f, -0.18f, -0.09f, 0.0f};
static const char kFavouriteGenre[] = "Action";

/* Oldest first. */
static const int64_t kLikedMovies[] = {
    96079,  8665,  36517, 102445, 1682,   87232, 1610,   98809,  1206,  2997,  7438,  1199,  5418,
    51255,  5669,  6874,  73017,  106489, 8798,  110102, 111362, 49272, 1653,  68848, 37857, 102125,
    106642, 66934, 68237, 130518, 130842, 91529, 4963,   5349,   4022,  6365,  4027,  4995,  6333,
    8636,   45722, 33679, 8984,   53125,  60684, 44199,  7373,   54259, 77561, 31696};
static const char* const kLikedGenres[] = {
    "Adventure",   "Crime",     "Thriller", "Sci-Fi",   "Sci-Fi",  "War",     "Adventure",
    "Fantasy",     "Sci-Fi",    "Fantasy",  "Action",   "Fantasy", "Mystery", "Mystery",
    "Documentary", "Crime",     "Mystery",  "Fantasy",  "Crime",   "Sci-Fi",  "Sci-Fi",
    "Adventure",   "Sci-Fi",    "Crime",    "Children", "Sci-Fi",  "Sci-Fi",  "Musical",
    "Mystery",     "Animation", "Sci-Fi",   "Crime",    "Crime",   "Sci-Fi",  "Drama",
    "Sci-Fi",      "Crime",     "Romance",  "Sci-Fi",   "Sci-Fi",  "Fantasy", "Adventure",
    "Crime",       "Fantasy",   "Mystery",  "Crime",    "Fantasy", "Fantasy", "Sci-Fi",
    "Fantasy"};

#endif /* HANDPICK_EXAMPLES_QUICKSTART_REQUEST_H_ */
