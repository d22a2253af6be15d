#include "tests/benchmarks/rivals/markdown.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace handpick::rivals {
namespace {

constexpr const char* kCategories[] = {"exported", "split", "folded", "int8"};

std::string Row(const std::vector<std::string>& cells) {
  return absl::StrCat("| ", absl::StrJoin(cells, " | "), " |\n");
}

std::string Rule(size_t columns) {
  std::string rule = "|";
  for (size_t i = 0; i < columns; ++i) absl::StrAppend(&rule, "---|");
  return rule + "\n";
}

std::string Cpu(const std::map<std::string, Timing>& timings, const std::string& name) {
  const auto found = timings.find(name);
  return found == timings.end() ? "-" : Figure(found->second);
}

// "**4.1** (bar 4)"
std::string Times(const Cell& cell) {
  std::string text = absl::StrFormat(cell.ratio < 10 ? "%.2f" : "%.1f", cell.ratio);
  if (cell.met()) text = absl::StrCat("**", text, "**");
  absl::StrAppend(&text, Mark(cell.tolerance));
  if (cell.bar > 0) absl::StrAppendFormat(&text, " (bar %.3g)", cell.bar);
  return text;
}

std::string Find(const std::string& cpuinfo, const std::string& key) {
  for (const absl::string_view line : absl::StrSplit(cpuinfo, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (absl::StripAsciiWhitespace(parts.first) != key) continue;
    return std::string(absl::StripAsciiWhitespace(parts.second));
  }
  return "";
}

std::string FirstCell(absl::string_view row) {
  const std::vector<std::string> cells = absl::StrSplit(row, '|');
  return std::string(absl::StripAsciiWhitespace(cells[1]));
}

// Lines before the first table, and the tables, each with its head and rule.
struct Block {
  std::string description;
  std::vector<std::vector<std::string>> tables;
};

Block Parse(const std::string& text) {
  Block block;
  bool in_table = false;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const bool is_table = absl::StartsWith(line, "|");
    if (is_table && !in_table) block.tables.emplace_back();
    in_table = is_table;
    if (is_table) {
      block.tables.back().emplace_back(line);
    } else if (block.tables.empty()) {
      absl::StrAppend(&block.description, line, "\n");
    }
  }
  return block;
}

// The new rows where the old ones were, the others behind them.
std::vector<std::string> Merge(const std::vector<std::string>& old_rows,
                               std::vector<std::string> rows) {
  std::vector<std::string> merged(rows.begin(), rows.begin() + 2);  // Head and rule.
  rows.erase(rows.begin(), rows.begin() + 2);
  for (size_t i = 2; i < old_rows.size(); ++i) {
    const auto again = std::find_if(rows.begin(), rows.end(), [&](const std::string& row) {
      return FirstCell(row) == FirstCell(old_rows[i]);
    });
    merged.push_back(again == rows.end() ? old_rows[i] : *again);
    if (again != rows.end()) rows.erase(again);
  }
  merged.insert(merged.end(), rows.begin(), rows.end());
  return merged;
}

std::string MergedBlock(const std::string& old_text, const std::string& text) {
  const Block before = Parse(old_text);
  const Block after = Parse(text);
  if (before.description != after.description || before.tables.size() != after.tables.size()) {
    return text;
  }
  std::string merged = after.description;
  for (size_t t = 0; t < after.tables.size(); ++t) {
    if (t > 0) merged += "\n";
    for (const std::string& row : Merge(before.tables[t], after.tables[t])) {
      absl::StrAppend(&merged, row, "\n");
    }
  }
  return merged;
}

}  // namespace

std::string ProcessorNameIn(const std::string& cpuinfo) {
  const std::string name = Find(cpuinfo, "model name");
  if (name.empty()) {
    // arm64's.
    const std::string part = Find(cpuinfo, "CPU part");
    return part.empty() ? "" : absl::StrCat("ARM part ", part);
  }
  return absl::StrCat(name, " (family ", Find(cpuinfo, "cpu family"), ", model ",
                      Find(cpuinfo, "model"), ")");
}

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string name = ProcessorNameIn(text);
  return name.empty() ? "unknown processor" : name;
}

std::string CompilerName() {
#if defined(__clang__)
  return absl::StrCat("clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#else
  return absl::StrCat("gcc ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__);
#endif
}

std::string TimesBlock(const std::vector<WorkloadReport>& reports, const Comparison& comparison,
                       const std::string& description) {
  const std::string rival = absl::StrCat(comparison.rival, " ", comparison.version);
  std::string text = absl::StrCat("\n", description, "\n\n");
  const std::vector<std::string> head = {
      "CPU ms a request", "N",         rival + ", as exported", "split",
      "folded",           "best int8", "Handpick float32",      "int8"};
  absl::StrAppend(&text, Row(head), Rule(head.size()));
  for (const WorkloadReport& report : reports) {
    std::vector<std::string> row = {report.workload, absl::StrCat(report.candidates)};
    for (const char* const category : kCategories) row.push_back(Cpu(report.rival, category));
    row.push_back(Cpu(report.handpick, "f32"));
    row.push_back(Cpu(report.handpick, "int8"));
    absl::StrAppend(&text, Row(row));
  }
  const std::vector<std::string> ratios = {absl::StrCat("times as fast as ", comparison.rival),
                                           "float32: as exported", "best by hand, of any precision",
                                           "int8: as exported", "best by hand"};
  absl::StrAppend(&text, "\n", Row(ratios), Rule(ratios.size()));
  for (const WorkloadReport& report : reports) {
    std::vector<std::string> row = {report.workload};
    for (const Cell& cell : SpeedCells(report, comparison)) row.push_back(Times(cell));
    row.resize(ratios.size(), "-");
    absl::StrAppend(&text, Row(row));
  }
  return text;
}

std::string FrontBlock(const WorkloadReport& report, const OpeningReport& opening,
                       const Comparison& comparison) {
  const std::vector<std::string> head = {
      absl::StrCat("DIN, ", report.candidates, " candidates, one user"), "Handpick float32", "int8",
      absl::StrCat(comparison.rival, " ", comparison.version, ", float32, as PyTorch exports it")};
  std::string text = Row(head) + Rule(head.size());
  const auto ms = [](const Timing& timing) {
    return absl::StrFormat(timing.cpu < 10 ? "%.2f ms" : "%.1f ms", timing.cpu) +
           Mark(timing.tolerance);
  };
  const auto of = [&](const std::map<std::string, Timing>& timings, const char* name) {
    const auto found = timings.find(name);
    return found == timings.end() ? std::string() : ms(found->second);
  };
  const Timing* const best = BestOf(report);
  absl::StrAppend(
      &text, Row({"a request, one thread", of(report.handpick, "f32"), of(report.handpick, "int8"),
                  absl::StrCat(
                      of(report.rival, "exported"),
                      best == nullptr ? "" : absl::StrCat(" (", ms(*best), " at best by hand)"))}));
  if (opening.handpick.count("f32") > 0) {
    absl::StrAppend(&text, Row({"opening the model", of(opening.handpick, "f32"), "",
                                of(opening.rival, "as exported")}));
  }
  const auto bytes = opening.handpick_bytes.find("f32");
  const auto theirs = opening.rival_bytes.find("as exported");
  if (bytes != opening.handpick_bytes.end() && theirs != opening.rival_bytes.end()) {
    absl::StrAppend(&text, Row({"memory beside the model's file",
                                absl::StrFormat("%.2f MB", 1e-6 * bytes->second), "",
                                absl::StrFormat("%.1f MB", 1e-6 * theirs->second)}));
  }
  return text;
}

absl::StatusOr<std::string> ReplaceBlock(const std::string& text, const std::string& name,
                                         const std::string& block) {
  const std::string mark = absl::StrCat("<!-- rivals ", name, " -->\n");
  const std::string end_mark = "<!-- end -->";
  const size_t mark_at = text.find(mark);
  const size_t begin = mark_at + mark.size();
  const size_t end = mark_at == std::string::npos ? mark_at : text.find(end_mark, begin);
  if (end == std::string::npos) {
    return absl::NotFoundError(
        absl::StrCat("there are no lines '<!-- rivals ", name, " -->' and '", end_mark, "'"));
  }
  return absl::StrCat(text.substr(0, begin), MergedBlock(text.substr(begin, end - begin), block),
                      text.substr(end));
}

}  // namespace handpick::rivals
