// Ids that training hardly saw share one row of each table: the mean of their rows, weighted by how
// often each was seen.
#ifndef HANDPICK_CONVERTER_RARE_ROWS_MERGE_H_
#define HANDPICK_CONVERTER_RARE_ROWS_MERGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/rare_rows/counts.h"
#include "converter/rare_rows/groups.h"

namespace handpick::schema {
struct CatalogT;
}

namespace handpick::converter {

// What became of a group of tables.
struct MergedGroup {
  std::vector<std::string> features;  // As FeatureReference has them.
  std::vector<std::string> tables;
  uint64_t rows = 0;    // Of the longest table, before.
  uint64_t merged = 0;  // Of these, how many became one.
  uint64_t count = 0;   // How often training saw ids of these together.
};

struct MergedRows {
  Graph graph;
  std::vector<MergedGroup> groups;  // Those that changed.
  // By feature, the new row of each old one; empty: they stay.
  std::vector<std::vector<uint32_t>> new_rows;
  // What the user should know: groups that stay, since their file would not be smaller.
  std::vector<std::string> notices;
};

// The same model, but that the rows of each group that were counted less than `min_count` times are
// one. Requests stay what they were: vocabularies keep their ids, which lead to the shared row; ids
// that are their own rows become a list. Rows that mean more than ids do (TableGroup::is_ordinary)
// stay, and so do groups without counts and those where less than two rows are rare. Where nothing
// was counted, the mean is not weighted. `type`: in which rows will be stored, at most, to tell
// whether the list of ids takes more than the rows did.
MergedRows MergeRareRows(const Graph& graph, const std::vector<TableGroup>& groups,
                         const TrainingCounts& counts, uint64_t min_count,
                         schema::ElementType type);

// Numbers 1, 2, 5, 10, 20, ... of which each, as `min_count`, merges more rows than those before.
std::vector<uint64_t> MinCountsToTry(const std::vector<TableGroup>& groups,
                                     const TrainingCounts& counts);

// A catalog whose rows are those after a merge.
void MoveCatalogRows(const std::vector<std::vector<uint32_t>>& new_rows, schema::CatalogT* catalog);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RARE_ROWS_MERGE_H_
