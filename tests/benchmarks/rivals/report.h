// What the runner found, and how it stands against the bars.
#ifndef HANDPICK_TESTS_BENCHMARKS_RIVALS_REPORT_H_
#define HANDPICK_TESTS_BENCHMARKS_RIVALS_REPORT_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "converter/bench/measure.h"
#include "converter/io/json.h"

namespace handpick::rivals {

// One thing that was timed. Times are medians of the accepted samples, in milliseconds a request.
struct Timing {
  std::string form;  // Of a rival: which of the forms of its category.
  double cpu = 0;
  double wall = 0;
  size_t accepted = 0;
  size_t rejected = 0;
  // Of the gate: how much slower than at full speed the machine may have been; kNoGate: all samples
  // were accepted, at whatever speed.
  double tolerance = converter::kGateTolerance;
  // Median of the rejected samples, if any: of the machine when it was slow.
  std::optional<double> rejected_cpu;
  // The largest difference of a score from Handpick's in float32. Not of that itself.
  std::optional<double> error;
};

struct WorkloadReport {
  std::string workload;
  size_t candidates = 0;
  // "exported", "split", "folded" (if any), "int8".
  std::map<std::string, Timing> rival;
  // "f32", "int8".
  std::map<std::string, Timing> handpick;
  // What the best of each category was chosen from: all forms, timed more shortly.
  std::map<std::string, std::vector<Timing>> forms;
};

// Of the names of timings with tables ten times as large: "f32, tables 10x".
inline constexpr char kLargeTables[] = ", tables 10x";

// Opening a model and making a session, and the memory that this takes.
struct OpeningReport {
  std::map<std::string, Timing> rival;                     // By form.
  std::map<std::string, Timing> handpick;                  // "f32", "int8"; with kLargeTables.
  std::map<std::string, double> rival_bytes;               // Growth in resident memory, by form.
  std::map<std::string, double> handpick_bytes;            // Beyond the file, as it accounts for.
  std::map<std::string, double> handpick_anonymous_bytes;  // Growth in memory that is no file's.
};

// What is compared. Bars depend on it.
struct Comparison {
  std::string rival;    // "ONNX Runtime"
  std::string version;  // Of it.
  std::string
      instruction_set;  // What Handpick's kernels took: "avx512", "avx2", "sse4", "neon", ...
};

// A ratio and what it has to be: at least, or at most. Without a bar that is 0.
struct Cell {
  std::string workload;
  std::string precision;
  std::string against;
  double ratio = 0;
  double bar = 0;
  bool at_most = false;
  double tolerance = converter::kGateTolerance;  // The wider gate of the two times.

  bool met() const { return bar > 0 && (at_most ? ratio <= bar : ratio >= bar); }
};

// How many times as fast Handpick is as the model as exported, and as the fastest form of any
// category, for each precision.
std::vector<Cell> SpeedCells(const WorkloadReport& report, const Comparison& comparison);

// The fastest of a rival's categories, or null without any.
const Timing* BestOf(const WorkloadReport& report);

// A figure in milliseconds; behind it, which samples it is of, when its gate was widened.
std::string Figure(const Timing& timing);
// What is behind it: "", " (20 %)", " (ungated)".
std::string Mark(double tolerance);

// Opening time against each form of the rival, memory against its smallest one; opening time with
// large tables against small ones.
std::vector<Cell> OpeningCells(const OpeningReport& report);

// "" unless something took much longer than it computed: then other programs had the processor in
// between, and memory and caches as well, which costs the models most that use the most of them.
std::string BusyNote(const std::vector<WorkloadReport>& reports);

// "" unless a gate was widened: what the marks in the tables mean.
std::string GateNote(const std::vector<WorkloadReport>& reports, const OpeningReport& opening);

std::string TimesTable(const std::vector<WorkloadReport>& reports, const std::string& rival);
std::string OpeningTable(const OpeningReport& report, const std::string& rival);
std::string CellsTable(const std::vector<Cell>& cells);

converter::Json ToJson(const WorkloadReport& report);
converter::Json ToJson(const OpeningReport& report);
converter::Json ToJson(const std::vector<Cell>& cells);

}  // namespace handpick::rivals

#endif  // HANDPICK_TESTS_BENCHMARKS_RIVALS_REPORT_H_
