// How often training saw each id: a CSV file of `convert --counts`.
//
//   feature,id,count
//   movie_id,2959,187
//   favourite_genre,Film-Noir,12
#ifndef HANDPICK_CONVERTER_RARE_ROWS_COUNTS_H_
#define HANDPICK_CONVERTER_RARE_ROWS_COUNTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/rare_rows/groups.h"
#include "converter/request/features.h"

namespace handpick::converter {

struct TrainingCounts {
  // By group and row, the counts of the row's ids; empty for groups of which the file says nothing
  // or whose rows can't be merged.
  std::vector<std::vector<uint64_t>> of_groups;
  // What the user should know: ids that no vocabulary has, features that are left as they are.
  std::vector<std::string> notices;
};

// The most that a count may be, and all counts of a row together: above, doubles have gaps.
inline constexpr uint64_t kMostCount = uint64_t{1} << 53;

// Lines of one id add up, and so do ids of one row. A feature is said as "movie_id", which is that
// name on every side, or "candidate.movie_id". An id that the file does not have was seen in no
// row, if the file has others of its table. Errors, by line: other columns; a feature that there is
// not; an id of the wrong type; what is no count. A file without counts.
absl::StatusOr<TrainingCounts> ReadCounts(const std::string& path, const FeatureSet& features,
                                          const std::vector<TableGroup>& groups);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RARE_ROWS_COUNTS_H_
