#include "tests/benchmarks/rivals/report.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace handpick::rivals {
namespace {

using converter::Json;

// How many times as fast Handpick has to be; 0: there is no bar.
struct Bars {
  const char* rival;
  const char* instruction_set;  // Null: any.
  const char* workload;
  double f32_exported, int8_exported;
  double f32_best, int8_best;
};
// The first that fits is it.
constexpr Bars kBars[] = {
    {"LiteRT", nullptr, "w1_wide_deep", 0, 0, 1, 1},
    {"LiteRT", nullptr, "w2_nfm", 0, 0, 1, 1},
    {"LiteRT", nullptr, "w3_din", 0, 0, 1.3, 2},
    {"LiteRT", nullptr, "w4_dien", 0, 0, 1.3, 2},
    {"ONNX Runtime", "avx2", "w3_din", 0, 0, 1.6, 2.2},
    {"ONNX Runtime", "avx2", "w4_dien", 0, 0, 1.6, 2.2},
    {"ONNX Runtime", "avx512", "w1_wide_deep", 5, 10, 2.5, 4},
    {"ONNX Runtime", "avx512", "w2_nfm", 8, 12, 3, 4},
    {"ONNX Runtime", "avx512", "w3_din", 9, 18, 3, 6},
    {"ONNX Runtime", "avx512", "w4_dien", 11, 20, 3, 6},
    {"ONNX Runtime", "avx512", "w5_deepfm", 4, 0, 0, 0},
    {"ONNX Runtime", "avx512", "w6_dcn", 4, 0, 0, 0},
    {"ONNX Runtime", "avx512", "w7_pnn", 4, 0, 0, 0},
    {"ONNX Runtime", "avx512", "w8_afm", 4, 0, 0, 0},
};
constexpr Bars kNoBars = {};

const Bars& BarsOf(const std::string& workload, const Comparison& comparison) {
  for (const Bars& bars : kBars) {
    if (workload == bars.workload && comparison.rival == bars.rival &&
        (bars.instruction_set == nullptr || comparison.instruction_set == bars.instruction_set)) {
      return bars;
    }
  }
  return kNoBars;
}

constexpr double kOpeningBar = 1.0 / 20;
constexpr double kMemoryBar = 1.0 / 10;
// Opening with tables of ten times the size takes the same time, but for the noise.
constexpr double kTablesBar = 1.2;

// Wall time over CPU time of a thread that has the processor for itself, and then some.
constexpr double kMostWall = 1.1;

constexpr const char* kCategories[] = {"exported", "split", "folded", "int8"};

std::string Milliseconds(const std::map<std::string, Timing>& timings, const std::string& name) {
  const auto found = timings.find(name);
  return found == timings.end() ? "-" : Figure(found->second);
}

Cell Ratio(const std::string& workload, const std::string& precision, const std::string& against,
           const Timing& above, const Timing& below, double bar, bool at_most = false) {
  return {workload,
          precision,
          against,
          above.cpu / below.cpu,
          bar,
          at_most,
          std::max(above.tolerance, below.tolerance)};
}

std::string Megabytes(double bytes) { return absl::StrFormat("%.2f", bytes * 1e-6); }

// A table in Markdown, its columns aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { Add(std::move(head)); }

  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string Text() const {
    std::vector<size_t> widths(rows_[0].size());
    for (const auto& row : rows_) {
      for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (size_t r = 0; r < rows_.size(); ++r) {
      for (size_t i = 0; i < rows_[r].size(); ++i) {
        absl::StrAppend(&text, "| ", rows_[r][i],
                        std::string(widths[i] - rows_[r][i].size() + 1, ' '));
      }
      absl::StrAppend(&text, "|\n");
      if (r > 0) continue;
      for (const size_t width : widths) absl::StrAppend(&text, "|", std::string(width + 2, '-'));
      absl::StrAppend(&text, "|\n");
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Null: no gate.
Json GateJson(double tolerance) {
  return tolerance == converter::kNoGate ? Json() : Json(tolerance);
}

Json TimingJson(const Timing& timing) {
  Json json = {{"cpu_ms", timing.cpu},
               {"wall_ms", timing.wall},
               {"accepted_samples", timing.accepted},
               {"rejected_samples", timing.rejected},
               {"gate", GateJson(timing.tolerance)}};
  if (timing.rejected_cpu.has_value()) json["rejected_cpu_ms"] = *timing.rejected_cpu;
  if (!timing.form.empty()) json["form"] = timing.form;
  if (timing.error.has_value()) json["largest_score_error"] = *timing.error;
  return json;
}

Json TimingsJson(const std::map<std::string, Timing>& timings) {
  Json json = Json::object();
  for (const auto& [name, timing] : timings) json[name] = TimingJson(timing);
  return json;
}

}  // namespace

std::string Mark(double tolerance) {
  if (tolerance == converter::kNoGate) return " (ungated)";
  if (tolerance <= converter::kGateTolerance) return "";
  return absl::StrFormat(" (%.0f %%)", 100 * tolerance);
}

std::string Figure(const Timing& timing) {
  return absl::StrFormat("%.3f", timing.cpu) + Mark(timing.tolerance);
}

const Timing* BestOf(const WorkloadReport& report) {
  const Timing* best = nullptr;
  for (const auto& [category, timing] : report.rival) {
    if (best == nullptr || timing.cpu < best->cpu) best = &timing;
  }
  return best;
}

std::vector<Cell> SpeedCells(const WorkloadReport& report, const Comparison& comparison) {
  const Bars& bars = BarsOf(report.workload, comparison);
  const auto exported = report.rival.find("exported");
  const Timing* const best = BestOf(report);
  const std::tuple<const char*, double, double> precisions[] = {
      {"f32", bars.f32_exported, bars.f32_best}, {"int8", bars.int8_exported, bars.int8_best}};
  std::vector<Cell> cells;
  for (const auto& [precision, exported_bar, best_bar] : precisions) {
    const auto ours = report.handpick.find(precision);
    if (ours == report.handpick.end()) continue;
    if (exported != report.rival.end()) {
      cells.push_back(Ratio(report.workload, precision, "as exported", exported->second,
                            ours->second, exported_bar));
    }
    if (best == nullptr) continue;
    cells.push_back(
        Ratio(report.workload, precision, "best by hand", *best, ours->second, best_bar));
  }
  return cells;
}

std::vector<Cell> OpeningCells(const OpeningReport& report) {
  std::vector<Cell> cells;
  for (const char* const precision : {"f32", "int8"}) {
    const auto ours = report.handpick.find(precision);
    if (ours == report.handpick.end()) continue;
    for (const auto& [form, timing] : report.rival) {
      cells.push_back(Ratio("w3_din", precision, "opening: " + form, ours->second, timing,
                            kOpeningBar, /*at_most=*/true));
    }
    const auto large = report.handpick.find(absl::StrCat(precision, kLargeTables));
    if (large != report.handpick.end()) {
      cells.push_back(Ratio("w3_din", absl::StrCat(precision, kLargeTables),
                            "opening: its own with tables 1x", large->second, ours->second,
                            kTablesBar, /*at_most=*/true));
    }
    const auto bytes = report.handpick_bytes.find(precision);
    if (bytes == report.handpick_bytes.end() || report.rival_bytes.empty()) continue;
    const double smallest =
        std::min_element(report.rival_bytes.begin(), report.rival_bytes.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; })
            ->second;
    cells.push_back({"w3_din", precision, "memory: the smallest", bytes->second / smallest,
                     kMemoryBar, /*at_most=*/true});
  }
  return cells;
}

std::string BusyNote(const std::vector<WorkloadReport>& reports) {
  double worst = 0;
  std::string name;
  for (const WorkloadReport& report : reports) {
    for (const auto* const timings : {&report.rival, &report.handpick}) {
      for (const auto& [what, timing] : *timings) {
        if (!(timing.wall / timing.cpu > worst)) continue;
        worst = timing.wall / timing.cpu;
        name = absl::StrCat(report.workload, ", ", what);
      }
    }
  }
  if (worst <= kMostWall) return "";
  return absl::StrFormat(
      "THE MACHINE WAS BUSY: wall time is up to %.1f times CPU time (%s). These ratios are not "
      "those of a quiet machine; measure again.\n",
      worst, name);
}

std::string GateNote(const std::vector<WorkloadReport>& reports, const OpeningReport& opening) {
  bool is_wider = false;
  const auto look = [&](const std::map<std::string, Timing>& timings) {
    for (const auto& [name, timing] : timings) is_wider |= !Mark(timing.tolerance).empty();
  };
  for (const WorkloadReport& report : reports) {
    look(report.rival);
    look(report.handpick);
  }
  look(opening.rival);
  look(opening.handpick);
  if (!is_wider) return "";
  return absl::StrFormat(
      "THE MACHINE WAS SELDOM AT FULL SPEED: (N %%) marks figures of samples within N %% of it "
      "instead of %.0f %%, (ungated) those of all samples.\n",
      100 * converter::kGateTolerance);
}

std::string TimesTable(const std::vector<WorkloadReport>& reports, const std::string& rival) {
  Table table({"CPU ms a request", "N", rival + " exported", "split", "folded", "best int8",
               "Handpick f32", "int8"});
  for (const WorkloadReport& report : reports) {
    std::vector<std::string> row = {report.workload, absl::StrCat(report.candidates)};
    for (const char* const category : kCategories) {
      row.push_back(Milliseconds(report.rival, category));
    }
    row.push_back(Milliseconds(report.handpick, "f32"));
    row.push_back(Milliseconds(report.handpick, "int8"));
    table.Add(std::move(row));
  }
  std::string text = table.Text();
  absl::StrAppend(&text, "\n");
  Table samples({"workload", "what", "form", "CPU ms", "wall ms", "samples", "rejected",
                 "largest score error"});
  const auto add = [&](const std::string& workload, const std::string& what, const Timing& timing) {
    samples.Add({workload, what, timing.form, Figure(timing), absl::StrFormat("%.3f", timing.wall),
                 absl::StrCat(timing.accepted), absl::StrCat(timing.rejected),
                 timing.error.has_value() ? absl::StrFormat("%.1e", *timing.error) : ""});
  };
  for (const WorkloadReport& report : reports) {
    for (const char* const category : kCategories) {
      const auto found = report.rival.find(category);
      if (found != report.rival.end()) add(report.workload, category, found->second);
    }
    for (const auto& [precision, timing] : report.handpick) {
      add(report.workload, "Handpick " + precision, timing);
    }
  }
  return text + samples.Text();
}

std::string OpeningTable(const OpeningReport& report, const std::string& rival) {
  Table table({"w3_din: open, make a session", "CPU ms", "wall ms", "samples", "memory, MB",
               "of which not the file's, measured"});
  const auto row = [](const std::string& name, const Timing& timing) {
    return std::vector<std::string>{name, Figure(timing), absl::StrFormat("%.3f", timing.wall),
                                    absl::StrCat(timing.accepted)};
  };
  const auto bytes = [](const std::map<std::string, double>& all, const std::string& name) {
    const auto found = all.find(name);
    return found == all.end() ? std::string() : Megabytes(found->second);
  };
  for (const auto& [form, timing] : report.rival) {
    std::vector<std::string> cells = row(absl::StrCat(rival, " ", form), timing);
    cells.push_back(bytes(report.rival_bytes, form));
    cells.push_back("");
    table.Add(std::move(cells));
  }
  for (const auto& [name, timing] : report.handpick) {
    std::vector<std::string> cells = row("Handpick " + name, timing);
    cells.push_back(bytes(report.handpick_bytes, name));
    cells.push_back(bytes(report.handpick_anonymous_bytes, name));
    table.Add(std::move(cells));
  }
  return table.Text();
}

std::string CellsTable(const std::vector<Cell>& cells) {
  Table table({"workload", "Handpick", "against", "ratio", "bar", ""});
  for (const Cell& cell : cells) {
    table.Add(
        {cell.workload, cell.precision, cell.against,
         absl::StrFormat("%.3g", cell.ratio) + Mark(cell.tolerance),
         cell.bar == 0 ? "-" : absl::StrFormat("%s %.3g", cell.at_most ? "<=" : ">=", cell.bar),
         cell.bar == 0 ? ""
         : cell.met()  ? "met"
                       : "NOT MET"});
  }
  return table.Text();
}

Json ToJson(const WorkloadReport& report) {
  Json json = {{"workload", report.workload}, {"candidates", report.candidates}};
  json["rival"] = TimingsJson(report.rival);
  json["handpick"] = TimingsJson(report.handpick);
  for (const auto& [category, timings] : report.forms) {
    for (const Timing& timing : timings) json["forms"][category].push_back(TimingJson(timing));
  }
  return json;
}

Json ToJson(const OpeningReport& report) {
  return {{"rival", TimingsJson(report.rival)},
          {"handpick", TimingsJson(report.handpick)},
          {"rival_bytes", report.rival_bytes},
          {"handpick_bytes", report.handpick_bytes},
          {"handpick_anonymous_bytes", report.handpick_anonymous_bytes}};
}

Json ToJson(const std::vector<Cell>& cells) {
  Json json = Json::array();
  for (const Cell& cell : cells) {
    json.push_back({{"workload", cell.workload},
                    {"precision", cell.precision},
                    {"against", cell.against},
                    {"ratio", cell.ratio},
                    {"gate", GateJson(cell.tolerance)},
                    {"bar", cell.bar == 0 ? Json() : Json(cell.bar)},
                    {"at_most", cell.at_most},
                    {"met", cell.met()}});
  }
  return json;
}

}  // namespace handpick::rivals
