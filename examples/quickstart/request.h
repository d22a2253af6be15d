/* The request that the quickstart ranks: line 1 of examples/wide_deep/model/ranking.jsonl, a
 * MovieLens user after the last rating and 200 movies. //tests/examples:quickstart_request_test
 * compares both. */
#ifndef HANDPICK_EXAMPLES_QUICKSTART_REQUEST_H_
#define HANDPICK_EXAMPLES_QUICKSTART_REQUEST_H_

#include <stdint.h>

static const int64_t kUserId = 393;
static const float kRatingCount = 123.0f;
static const float kMeanRating = 3.833f;
static const float kRecentMean = 3.308f;
/* How far the user rates each of 20 genres above the own mean. */
static const float kGenreTaste[] = {0.0f,   0.04f,  0.49f,  0.12f,  0.03f,  -0.04f, -0.06f,
                                    0.19f,  -0.23f, 0.77f,  -0.94f, -0.07f, 0.29f,  0.19f,
                                    -0.42f, -0.07f, -0.12f, -0.18f, -0.09f, 0.0f};
static const char kFavouriteGenre[] = "Action";

static const int64_t kMovieIds[] = {
    2171,   1791,   6410,  6800,   2662,   3638,   798,    7438,   3398,   3253,   135885, 4395,
    168712, 257,    44199, 117133, 11,     1614,   6051,   63113,  142074, 102852, 2005,   25757,
    4705,   4776,   1571,  32587,  3826,   90249,  58293,  36,     7714,   53468,  1465,   8784,
    1200,   638,    921,   968,    120635, 1299,   6358,   1359,   102033, 1374,   61406,  3646,
    5505,   1957,   110,   1564,   2008,   107723, 103210, 8969,   296,    3266,   225,    909,
    32770,  2594,   409,   60857,  100226, 148667, 5812,   2719,   71745,  181139, 2122,   287,
    2411,   7361,   64983, 898,    68319,  177765, 3498,   103801, 1203,   250,    380,    2074,
    1556,   4033,   26122, 343,    2501,   159161, 60141,  1150,   8934,   88129,  61729,  267,
    141513, 39381,  47538, 7926,   34336,  3864,   5380,   2948,   49284,  1610,   47810,  2991,
    4351,   119167, 2475,  292,    2020,   487,    1055,   6582,   2355,   66665,  2875,   6588,
    5254,   1371,   4247,  57147,  132796, 3176,   2815,   1827,   62008,  8808,   3926,   665,
    6252,   175,    4029,  60,     66943,  60753,  51662,  6579,   122882, 3802,   1284,   2467,
    93610,  92494,  2241,  5602,   56145,  60674,  2580,   47124,  8578,   2177,   4357,   111921,
    56757,  72737,  8641,  433,    4153,   1047,   7379,   3249,   2324,   109042, 106785, 1292,
    486,    2329,   52287, 3993,   904,    2613,   43677,  5508,   6631,   914,    4291,   1949,
    46965,  367,    2959,  90245,  33138,  5502,   101423, 4143,   778,    69481,  3062,   83827,
    2291,   32009,  3910,  7033,   1920,   5178,   4822,   2880};

#endif /* HANDPICK_EXAMPLES_QUICKSTART_REQUEST_H_ */
