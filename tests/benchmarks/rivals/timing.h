// From samples to a line of the report.
#ifndef HANDPICK_TESTS_BENCHMARKS_RIVALS_TIMING_H_
#define HANDPICK_TESTS_BENCHMARKS_RIVALS_TIMING_H_

#include <vector>

#include "converter/bench/measure.h"
#include "tests/benchmarks/rivals/report.h"

namespace handpick::rivals {

// CPU time is that of all threads: a runtime that was asked for one thread and uses more gains
// nothing by it.
inline Timing TimingOf(const converter::Series& series) {
  Timing timing;
  timing.cpu = 1e3 * series.Percentile(0.5, converter::TimeKind::kProcess);
  timing.wall = 1e3 * series.Percentile(0.5, converter::TimeKind::kWall);
  timing.accepted = series.accepted();
  timing.rejected = series.rejected();
  timing.tolerance = series.tolerance();
  const std::vector<double> slow = series.Rejected(converter::TimeKind::kProcess);
  if (!slow.empty()) timing.rejected_cpu = 1e3 * slow[slow.size() / 2];
  return timing;
}

}  // namespace handpick::rivals

#endif  // HANDPICK_TESTS_BENCHMARKS_RIVALS_TIMING_H_
