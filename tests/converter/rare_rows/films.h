// A model of a few films whose merged rows can be computed on paper.
#ifndef HANDPICK_TESTS_CONVERTER_RARE_ROWS_FILMS_H_
#define HANDPICK_TESTS_CONVERTER_RARE_ROWS_FILMS_H_

#include <string>

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/rare_rows/counts.h"

namespace handpick::converter {

enum FilmFeature : uint32_t {
  kSeenFilm = 0,  // History, films 10, 20, 30, 40, 50 in rows 1 to 5; row 0 is padding.
  kFilm = 1,      // Candidate, the same films; row 0 is of unknown ones.
  kGenre = 2,     // Candidate, "a" to "d" in rows 0 to 3, "a" by default.
  kUserId = 3,    // Context, 0 to 5, which are the rows.
  kWord = 4,      // Candidate, hashed into 4 rows.
  kPair = 5,      // Crossed: kShelf and kWord.
  kShelf = 6,     // Candidate, 0 to 2.
};

// Tables 0 "film" [6, 2] and 1 "bias" [6, 1], both of films; 2 "genre" [4, 1]; 3 "user" [6, 4];
// 4 "word" [4, 1]; 5 "pair" [12, 1]; 6 "shelf" [3, 1]. Number j of row r is 10 r + j.
Graph FilmGraph();

// ReadCounts of a file with these lines below its header.
absl::StatusOr<TrainingCounts> CountsOf(const Graph& graph, const std::string& lines);

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_CONVERTER_RARE_ROWS_FILMS_H_
