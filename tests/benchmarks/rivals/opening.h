// How long it takes to open w3_din, and how much memory.
#ifndef HANDPICK_TESTS_BENCHMARKS_RIVALS_OPENING_H_
#define HANDPICK_TESTS_BENCHMARKS_RIVALS_OPENING_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/bench/calibrator.h"
#include "converter/bench/measure.h"
#include "tests/benchmarks/rivals/report.h"
#include "tests/benchmarks/rivals/rival.h"
#include "tests/benchmarks/workloads/workloads.h"

namespace handpick::rivals {

struct OpeningFiles {
  std::string library;                         // Of the rival.
  std::map<std::string, std::string> rival;    // Paths by form.
  std::map<std::string, std::string> bundles;  // Paths by name: "f32", "int8"; with kLargeTables.
};

// Opens each file in a process of its own, makes a session, runs some requests, and says by how
// much the resident memory grew. To be called before the process has loaded the rival or opened
// anything: the processes are forks of it. `workload` needs no weights.
absl::Status MeasureMemory(const OpeningFiles& files, const workloads::Workload& workload,
                           OpeningReport* report);

// Opens all of them in turn. Closing is not timed.
absl::Status MeasureOpening(const OpeningFiles& files, const rival_api* api,
                            converter::Calibrator* calibrator,
                            const converter::MeasureOptions& options, OpeningReport* report);

}  // namespace handpick::rivals

#endif  // HANDPICK_TESTS_BENCHMARKS_RIVALS_OPENING_H_
