#include "converter/recall/measure_recall.h"

#include <algorithm>
#include <cmath>

#include "converter/bench/clock.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

bool IsSelf(void* context, uint32_t item) { return item == *static_cast<const uint32_t*>(context); }

}  // namespace

absl::StatusOr<RecallMeasurement> MeasureRecall(
    LoadedRecallIndex* index, const RecallQueries& queries,
    const std::vector<std::vector<uint32_t>>& neighbours, uint32_t k, uint32_t probes) {
  RecallMeasurement result;
  double sum = 0;
  double squares = 0;
  uint32_t counted = 0;
  for (uint32_t q = 0; q < queries.vectors.count(); ++q) {
    if (neighbours[q].empty()) continue;
    RecallQuery query;
    query.vector = queries.vectors.Row(q);
    query.k = k;
    query.probes = probes;
    uint32_t self = 0;
    if (!queries.self.empty()) {
      self = queries.self[q];
      query.hidden.hides = IsSelf;
      query.hidden.context = &self;
    }
    RecallWork work;
    const double begin = ThreadSeconds();
    HP_ASSIGN_OR_RETURN(const std::vector<RecallHit> hits, index->Search(query, &work));
    result.seconds += ThreadSeconds() - begin;
    result.rows_scanned += static_cast<double>(work.rows_scanned);
    result.rows_estimated += static_cast<double>(work.rows_estimated);
    result.scans += work.exact ? 1 : 0;
    size_t found = 0;
    for (const RecallHit& hit : hits) {
      found += std::binary_search(neighbours[q].begin(), neighbours[q].end(), hit.item) ? 1 : 0;
    }
    const double recall = static_cast<double>(found) / static_cast<double>(neighbours[q].size());
    sum += recall;
    squares += recall * recall;
    ++counted;
  }
  if (counted == 0) return result;
  const double n = counted;
  result.seconds /= n;
  result.rows_scanned /= n;
  result.rows_estimated /= n;
  result.scans /= n;
  result.recall = sum / n;
  result.recall_error = std::sqrt(std::max(0.0, squares / n - result.recall * result.recall) / n);
  return result;
}

}  // namespace handpick::converter
