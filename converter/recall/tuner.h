// Chooses an index by measuring.
#ifndef HANDPICK_CONVERTER_RECALL_TUNER_H_
#define HANDPICK_CONVERTER_RECALL_TUNER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/recall/builder.h"
#include "converter/recall/neighbours.h"
#include "converter/recall/vectors.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

struct RecallTarget {
  uint32_t k = 100;
  double recall = 0.95;  // Of the best k.
  double bytes_per_item = 100;
  // Of the rows; Unknown: as TuneRecallIndex() says.
  schema::ElementType type = schema::ElementType::Unknown;
  // Empty: all that suit the metric (Euclidean: E2 and hyperplanes, which have offsets).
  std::vector<schema::HashFamily> families;
  // What else than exact scans is tried.
  bool try_tables = true;
  bool try_cells = true;   // With planes and without; without try_planes: alone.
  bool try_planes = true;  // Without try_cells: alone.
  // Takes one of these even where an exact scan is faster: to compare the two.
  bool must_index = false;
  // Without queries: this many items, each of which does not find itself.
  uint32_t held_out = 400;
};

// One index with one number of probes, measured on one thread.
struct RecallPoint {
  RecallParameters parameters;
  schema::ElementType type = schema::ElementType::Unknown;
  uint32_t probes = 0;
  double recall = 0;
  double recall_error = 0;    // Standard error of `recall`.
  double seconds = 0;         // CPU time of a query.
  double rows_scanned = 0;    // Of a query, read.
  double rows_estimated = 0;  // Of a query, by their codes.
  double scans = 0;           // Share of queries whose buckets had too few items.
  double bytes_per_item = 0;
  double build_seconds = 0;

  std::string ToString() const;
};

struct TunedRecall {
  schema::RecallIndexT index;
  RecallPoint chosen;
  std::vector<RecallPoint> curve;  // All that was measured, in that order.
};

// Takes the fastest index whose recall on the queries is above the target by two standard errors
// and that keeps the bytes; an exact scan when nothing is half as fast again. Rows are of 8 bits;
// when those cannot reach the target, and the bytes allow it, of 32-bit floats.
//
// First planes of 1 and 4 bits, then cells, fewer and more of them, without a plane and with one;
// then each family of hash functions with one table, from few large to many small buckets, and the
// best of these with more tables and with other seeds. Of each the smallest number of probes that
// reaches the target is looked for, as long as it is not slower than the best so far; of planes the
// fewest deviations, too.
//
// FailedPrecondition: the target is out of reach; the message has the best recall and the least
// bytes that were found. `queries` without vectors: items are held out.
absl::StatusOr<TunedRecall> TuneRecallIndex(const VectorSet& items, schema::RecallMetric metric,
                                            const RecallTarget& target,
                                            const RecallQueries& queries, const Progress& progress);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_TUNER_H_
