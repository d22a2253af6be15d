// Writes what was measured into the tables of a README.
#ifndef HANDPICK_TESTS_BENCHMARKS_RIVALS_MARKDOWN_H_
#define HANDPICK_TESTS_BENCHMARKS_RIVALS_MARKDOWN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/benchmarks/rivals/report.h"

namespace handpick::rivals {

// "AMD EPYC (family 25, model 17)": of /proc/cpuinfo; the machine's architecture where that has no
// name.
std::string ProcessorName();
// The same of a text like that file's.
std::string ProcessorNameIn(const std::string& cpuinfo);

// "gcc 12.2.0", "clang 14.0.6": what this program was compiled with.
std::string CompilerName();

// Of a README, without their marks: a line that says what was measured where, then a table of times
// and one of ratios. `description` is that line.
std::string TimesBlock(const std::vector<WorkloadReport>& reports, const Comparison& comparison,
                       const std::string& description);

// A table of w3_din in short, for those who look at the project for the first time. Rows that were
// not measured are left out.
std::string FrontBlock(const WorkloadReport& report, const OpeningReport& opening,
                       const Comparison& comparison);

// The block between the lines `<!-- rivals NAME -->` and `<!-- end -->`.
//
// Replaces it; rows that only the old one has stay when the two describe the same: when they have
// the same lines before their first table. A row is known by its table and its first cell. Errors:
// NotFound without such lines.
absl::StatusOr<std::string> ReplaceBlock(const std::string& text, const std::string& name,
                                         const std::string& block);

}  // namespace handpick::rivals

#endif  // HANDPICK_TESTS_BENCHMARKS_RIVALS_MARKDOWN_H_
