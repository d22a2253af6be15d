// What the runner does besides measuring.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "converter/bench/calibrator.h"
#include "converter/bench/measure.h"
#include "tests/benchmarks/rivals/markdown.h"
#include "tests/benchmarks/rivals/packed_request.h"
#include "tests/benchmarks/rivals/report.h"
#include "tests/benchmarks/rivals/timing.h"
#include "tests/benchmarks/workloads/workloads.h"

namespace handpick::rivals {
namespace {

using workloads::MakeRequest;
using workloads::MakeWorkload;
using workloads::Workload;
using workloads::WorkloadOptions;

Workload Small(const std::string& name) {
  WorkloadOptions options;
  options.table_scale = 0.01;
  return MakeWorkload(name, options).value();
}

std::vector<int64_t> ShapeOf(const rival_tensor& tensor) {
  return std::vector<int64_t>(tensor.shape, tensor.shape + tensor.rank);
}

TEST(PackedRequestTest, HasAnArrayPerSideWithTheColumnsOfTheSpec) {
  const Workload workload = Small("w3_din");
  const converter::Request request = MakeRequest(workload, 3, /*candidates=*/4, /*events=*/7);
  const PackedRequest packed(workload.spec, request);
  ASSERT_EQ(packed.inputs().size(), 3u);
  EXPECT_STREQ(packed.inputs()[0].name, "context_ids");
  EXPECT_EQ(ShapeOf(packed.inputs()[0]), (std::vector<int64_t>{1, 6}));
  EXPECT_STREQ(packed.inputs()[1].name, "history_ids");
  EXPECT_EQ(ShapeOf(packed.inputs()[1]), (std::vector<int64_t>{7, 2}));
  EXPECT_STREQ(packed.inputs()[2].name, "candidate_ids");
  EXPECT_EQ(ShapeOf(packed.inputs()[2]), (std::vector<int64_t>{4, 2}));
  EXPECT_EQ(packed.candidates(), 4u);
  for (size_t row = 0; row < 4; ++row) {
    for (size_t i = 0; i < 2; ++i) {
      const auto& column = request.candidates[i];
      EXPECT_EQ(packed.inputs()[2].integers[2 * row + i], std::get<int64_t>(column.rows[row][0]));
    }
  }
}

TEST(PackedRequestTest, KeepsNumbersApartFromIdsAlsoWhenItIsMoved) {
  const Workload workload = Small("w1_wide_deep");
  const converter::Request request = MakeRequest(workload, 5, /*candidates=*/3, /*events=*/0);
  PackedRequest made(workload.spec, request);
  const PackedRequest packed = std::move(made);
  ASSERT_EQ(packed.inputs().size(), 3u);
  EXPECT_EQ(ShapeOf(packed.inputs()[0]), (std::vector<int64_t>{1, 18}));
  EXPECT_STREQ(packed.inputs()[1].name, "context_numbers");
  EXPECT_EQ(ShapeOf(packed.inputs()[1]), (std::vector<int64_t>{1, 13}));
  EXPECT_EQ(packed.inputs()[1].integers, nullptr);
  for (size_t i = 0; i < 13; ++i) {
    EXPECT_EQ(packed.inputs()[1].numbers[i],
              static_cast<float>(std::get<double>(request.context[18 + i].rows[0][0])));
  }
  EXPECT_EQ(ShapeOf(packed.inputs()[2]), (std::vector<int64_t>{3, 8}));
}

const Comparison kOnnx = {"ONNX Runtime", "1.30.0", "avx512"};

Timing Of(double cpu) {
  Timing timing;
  timing.cpu = timing.wall = cpu;
  return timing;
}

TEST(ReportTest, RatiosAreAgainstTheExportedAndTheFastestOfAll) {
  WorkloadReport report;
  report.workload = "w3_din";
  report.rival = {{"exported", Of(18)}, {"split", Of(16)}, {"folded", Of(6)}, {"int8", Of(7)}};
  report.handpick = {{"f32", Of(2)}, {"int8", Of(1.5)}};
  const std::vector<Cell> cells = SpeedCells(report, kOnnx);
  ASSERT_EQ(cells.size(), 4u);
  EXPECT_EQ(cells[0].ratio, 9);  // The bar itself is met.
  EXPECT_TRUE(cells[0].met());
  EXPECT_EQ(cells[1].ratio, 3);
  EXPECT_TRUE(cells[1].met());
  EXPECT_EQ(cells[2].ratio, 12);
  EXPECT_FALSE(cells[2].met());
  EXPECT_EQ(cells[3].ratio, 4);
  EXPECT_FALSE(cells[3].met());
}

TEST(ReportTest, BarsAreThoseOfTheRivalAndTheInstructionSet) {
  WorkloadReport report;
  report.workload = "w3_din";
  report.rival = {{"exported", Of(9)}, {"int8", Of(4)}};
  report.handpick = {{"f32", Of(2)}, {"int8", Of(1)}};
  const auto bars = [&](const Comparison& comparison) {
    std::vector<double> found;
    for (const Cell& cell : SpeedCells(report, comparison)) found.push_back(cell.bar);
    return found;
  };
  EXPECT_EQ(bars(kOnnx), (std::vector<double>{9, 3, 18, 6}));
  EXPECT_EQ(bars({"ONNX Runtime", "1.30.0", "avx2"}), (std::vector<double>{0, 1.6, 0, 2.2}));
  EXPECT_EQ(bars({"LiteRT", "1", "sse4"}), (std::vector<double>{0, 1.3, 0, 2}));
  EXPECT_EQ(bars({"Another", "1", "avx2"}), (std::vector<double>{0, 0, 0, 0}));
  // Without a bar there is nothing to be met.
  const std::vector<Cell> cells = SpeedCells(report, {"Another", "1", "avx2"});
  EXPECT_FALSE(cells[0].met());
  EXPECT_EQ(CellsTable(cells).find("MET"), std::string::npos) << CellsTable(cells);
}

// Of samples within so much of full speed.
Timing Within(double tolerance, double cpu) {
  Timing timing = Of(cpu);
  timing.tolerance = tolerance;
  return timing;
}

TEST(ReportTest, FiguresOfAWiderGateAreMarkedWhereverTheyAre) {
  WorkloadReport report;
  report.workload = "w1_wide_deep";
  report.candidates = 500;
  report.rival = {{"exported", Of(5)}, {"split", Within(0.2, 4)}};
  report.handpick = {{"f32", Within(0.1, 1)}, {"int8", Within(converter::kNoGate, 0.5)}};
  const std::vector<Cell> cells = SpeedCells(report, kOnnx);
  ASSERT_EQ(cells.size(), 4u);
  EXPECT_EQ(cells[0].tolerance, 0.1);
  EXPECT_EQ(cells[1].tolerance, 0.2);
  EXPECT_EQ(cells[2].tolerance, converter::kNoGate);
  EXPECT_EQ(cells[3].ratio, 8);
  const std::string text = TimesTable({report}, "Rival") + CellsTable(cells);
  for (const char* const part : {"| 5.000 ", "| 4.000 (20 %) ", "| 1.000 (10 %) ",
                                 "| 0.500 (ungated) ", "| 4 (20 %) ", "| 8 (ungated) "}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
  EXPECT_NE(GateNote({report}, {}).find("(ungated) those of all samples"), std::string::npos);
  EXPECT_TRUE(ToJson(report)["handpick"]["int8"]["gate"].is_null());
  EXPECT_EQ(ToJson(report)["rival"]["split"]["gate"], 0.2);
  report.rival = {{"exported", Of(5)}};
  report.handpick = {{"f32", Of(1)}};
  EXPECT_EQ(GateNote({report}, {}), "");
}

TEST(ReportTest, NoFigureIsEverNoNumber) {
  // What a machine gives that never was at full speed: see TimingOf().
  converter::Calibrator calibrator([calls = 0]() mutable { return ++calls == 1 ? 1.0 : 2.0; });
  calibrator.Measure();
  converter::MeasureOptions options;
  options.max_samples = 3;
  const converter::Measurement measured =
      converter::MeasureInTurn(&calibrator, {{"a", [] {}, nullptr, 1}}, options);
  WorkloadReport report;
  report.workload = "w3_din";
  report.rival["exported"] = TimingOf(measured.series[0]);
  report.handpick["f32"] = report.handpick["int8"] = TimingOf(measured.series[0]);
  OpeningReport opening;
  opening.handpick["f32"] = TimingOf(measured.series[0]);
  opening.handpick_bytes["f32"] = 1;  // No rival beside it.
  EXPECT_EQ(report.handpick["f32"].accepted, 3u);
  EXPECT_EQ(report.handpick["f32"].tolerance, converter::kNoGate);
  std::string all = TimesTable({report}, "Rival") + OpeningTable(opening, "Rival") +
                    CellsTable(OpeningCells(opening));
  for (const std::string& part :
       {ToJson(report).dump(), ToJson(opening).dump(), ToJson(SpeedCells(report, kOnnx)).dump()}) {
    all += part;
  }
  for (const char* const wrong : {"nan", "inf"}) {
    EXPECT_EQ(all.find(wrong), std::string::npos) << all;
  }
  EXPECT_TRUE(OpeningCells(opening).empty());
}

TEST(ReportTest, OpeningAndMemoryAreAtMostSoMuchOfTheRivals) {
  OpeningReport report;
  report.rival = {{"exported", Of(50)}, {"external", Of(20)}};
  report.rival_bytes = {{"exported", 50e6}, {"external", 20e6}};
  report.handpick = {{"f32", Of(1)}, {"f32, tables 10x", Of(1.5)}};
  report.handpick_bytes = {{"f32", 3e6}};
  const std::vector<Cell> cells = OpeningCells(report);
  ASSERT_EQ(cells.size(), 4u);
  EXPECT_EQ(cells[0].ratio, 0.02);
  EXPECT_TRUE(cells[0].met());
  EXPECT_EQ(cells[1].ratio, 0.05);  // The bar itself is met.
  EXPECT_TRUE(cells[1].met());
  EXPECT_EQ(cells[2].ratio, 1.5);
  EXPECT_FALSE(cells[2].met());
  EXPECT_EQ(cells[3].ratio, 0.15);
  EXPECT_FALSE(cells[3].met());
}

TEST(ReportTest, BusyMachineIsNoted) {
  WorkloadReport report;
  report.workload = "w1_wide_deep";
  report.rival = {{"exported", Of(5)}};
  report.handpick = {{"f32", Of(1)}, {"int8", Of(0.5)}};
  EXPECT_EQ(BusyNote({report}), "");
  report.handpick["f32"].wall = 1.5;
  EXPECT_NE(BusyNote({report}).find("1.5 times CPU time (w1_wide_deep, f32)"), std::string::npos);
}

TEST(ReportTest, TablesSayWhatThereIsNot) {
  WorkloadReport report;
  report.workload = "w1_wide_deep";
  report.rival = {{"exported", Of(4.25)}};
  report.handpick = {{"f32", Of(1)}};
  const std::string text = TimesTable({report}, "Rival");
  EXPECT_NE(text.find("| 4.250 "), std::string::npos) << text;
  EXPECT_NE(text.find("| - "), std::string::npos) << text;
}

TEST(MarkdownTest, ProcessorsHaveTheirNames) {
  EXPECT_EQ(ProcessorNameIn("processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\n"
                            "model\t\t: 17\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\n"
                            "model name\t: Another\n"),
            "AMD EPYC (family 25, model 17)");
  EXPECT_EQ(ProcessorNameIn("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"), "ARM part 0xd0c");
  EXPECT_EQ(ProcessorNameIn(""), "");
  EXPECT_NE(ProcessorName(), "");
}

WorkloadReport DinReport() {
  WorkloadReport report;
  report.workload = "w3_din";
  report.candidates = 200;
  report.rival = {{"exported", Of(9)}, {"folded", Of(4)}, {"int8", Of(3)}};
  report.handpick = {{"f32", Of(2)}, {"int8", Of(0.5)}};
  return report;
}

TEST(MarkdownTest, ABlockHasTimesAndRatiosWithTheirBars) {
  EXPECT_EQ(
      TimesBlock({DinReport()}, {"ONNX Runtime", "1.30.0", "avx2"}, "A processor:"),
      "\nA processor:\n\n"
      "| CPU ms a request | N | ONNX Runtime 1.30.0, as exported | split | folded | best int8 "
      "| Handpick float32 | int8 |\n"
      "|---|---|---|---|---|---|---|---|\n"
      "| w3_din | 200 | 9.000 | - | 4.000 | 3.000 | 2.000 | 0.500 |\n\n"
      "| times as fast as ONNX Runtime | float32: as exported | best by hand, of any "
      "precision | int8: as exported | best by hand |\n"
      "|---|---|---|---|---|\n"
      "| w3_din | 4.50 | 1.50 (bar 1.6) | 18.0 | **6.00** (bar 2.2) |\n");
}

constexpr char kReadme[] =
    "Before\n<!-- rivals litert avx2 -->\n\nHere:\n\n| t | a |\n|---|---|\n| x | 1 |\n| y | 2 |\n"
    "<!-- end -->\nBetween\n<!-- rivals front -->\n| f |\n|---|\n<!-- end -->\nAfter\n";

TEST(MarkdownTest, ABlockIsReplacedBetweenItsLinesAndKeepsTheRowsThatWereNotMeasuredAgain) {
  const std::string changed =
      ReplaceBlock(kReadme, "litert avx2",
                   "\nHere:\n\n| t | b |\n|---|---|\n| y | 20 |\n| z | 30 |\n")
          .value();
  EXPECT_EQ(changed,
            "Before\n<!-- rivals litert avx2 -->\n\nHere:\n\n| t | b |\n|---|---|\n| x | 1 |\n"
            "| y | 20 |\n| z | 30 |\n<!-- end -->\nBetween\n<!-- rivals front -->\n| f |\n|---|\n"
            "<!-- end -->\nAfter\n");
}

TEST(MarkdownTest, OfAnotherMachineNothingIsKept) {
  const std::string changed =
      ReplaceBlock(kReadme, "litert avx2", "\nThere:\n\n| t | b |\n|---|---|\n| y | 20 |\n")
          .value();
  EXPECT_NE(changed.find("There:\n\n| t | b |\n|---|---|\n| y | 20 |\n<!-- end -->"),
            std::string::npos)
      << changed;
  EXPECT_EQ(changed.find("| x |"), std::string::npos) << changed;
}

TEST(MarkdownTest, AFileWithoutTheLinesIsRefused) {
  const auto changed = ReplaceBlock(kReadme, "litert avx512", "");
  EXPECT_EQ(changed.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(std::string(changed.status().message()).find("<!-- rivals litert avx512 -->"),
            std::string::npos);
  EXPECT_FALSE(ReplaceBlock("<!-- rivals a -->\n", "a", "").ok());
}

TEST(MarkdownTest, TheFrontTableIsOfWhatWasMeasured) {
  OpeningReport opening;
  EXPECT_EQ(FrontBlock(DinReport(), opening, kOnnx),
            "| DIN, 200 candidates, one user | Handpick float32 | int8 | ONNX Runtime 1.30.0, "
            "float32, as PyTorch exports it |\n|---|---|---|---|\n"
            "| a request, one thread | 2.00 ms | 0.50 ms | 9.00 ms (3.00 ms at best by hand) |\n");
  opening.handpick["f32"] = Of(0.15);
  opening.handpick_bytes["f32"] = 590000;
  opening.rival["as exported"] = Of(10);
  opening.rival_bytes["as exported"] = 46.6e6;
  const std::string text = FrontBlock(DinReport(), opening, kOnnx);
  EXPECT_NE(text.find("| opening the model | 0.15 ms |  | 10.0 ms |\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| memory beside the model's file | 0.59 MB |  | 46.6 MB |\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace handpick::rivals
