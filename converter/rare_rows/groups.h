// Tables whose rows can only change together: those that one feature reads, and all features that
// read one of them.
#ifndef HANDPICK_CONVERTER_RARE_ROWS_GROUPS_H_
#define HANDPICK_CONVERTER_RARE_ROWS_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "converter/graph/graph.h"

namespace handpick::converter {

struct TableGroup {
  std::vector<size_t> features;  // Ascending.
  std::vector<TableId> tables;   // Ascending.
  uint64_t rows = 0;             // Of the longest table.
  // Rows that ids lead to and that nothing else means: neither padding, nor of unknown ids, nor a
  // default.
  std::vector<bool> is_ordinary;
  // Why rows of the group can't be merged; "": they can.
  std::string obstacle;
};

// The groups of all tables that the graph reads, by their first feature.
std::vector<TableGroup> FindTableGroups(const Graph& graph);

// "candidate.movie_id"; a name that is on one side alone is said alone.
std::string FeatureReference(const FeatureSet& features, size_t feature);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RARE_ROWS_GROUPS_H_
