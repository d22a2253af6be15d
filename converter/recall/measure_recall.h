// How good and how fast an index is on queries whose exact answers are known.
#ifndef HANDPICK_CONVERTER_RECALL_MEASURE_RECALL_H_
#define HANDPICK_CONVERTER_RECALL_MEASURE_RECALL_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/recall/loaded_index.h"
#include "converter/recall/neighbours.h"

namespace handpick::converter {

struct RecallMeasurement {
  double recall = 0;          // Mean share of the exact answer that was found.
  double recall_error = 0;    // Its standard error.
  double seconds = 0;         // CPU time of a query.
  double rows_scanned = 0;    // Of a query, read.
  double rows_estimated = 0;  // Of a query, by their codes.
  double scans = 0;           // Share of queries for which all rows were scanned.
};

// Asks each query once. `neighbours` are those of ExactNeighbours(); queries without any do not
// count. `k`: how many to ask for. `probes`: as an app asks for them; 0: the index's own.
absl::StatusOr<RecallMeasurement> MeasureRecall(
    LoadedRecallIndex* index, const RecallQueries& queries,
    const std::vector<std::vector<uint32_t>>& neighbours, uint32_t k, uint32_t probes = 0);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_MEASURE_RECALL_H_
