// The table of devices: what is read, what is refused, and what predictions make of it.
#include "converter/bench/device_costs.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "converter/bench/predict.h"
#include "converter/bench/step_work.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kNames[] = {"f32_mac",       "f32_mac_row",  "int8_mac",       "int8_mac_row",
                                  "element",       "fold_element", "sigmoid",        "int8_sigmoid",
                                  "gate",          "int8_gate",    "row_gate",       "exponential",
                                  "pool_element",  "gather_row",   "gather_element", "tree_node",
                                  "tree_node_row", "step",         "product",        "request"};

// A device of 2 GHz, whose costs are 1, 2, 3 ... cycles.
std::string Table(const std::string& name = "x") {
  std::string cycles;
  size_t i = 0;
  for (const char* cost : kNames) {
    absl::StrAppend(&cycles, i == 0 ? "" : ", ", "\"", cost, "\": [", i + 1, ", \"mca\"]");
    ++i;
  }
  return absl::StrCat(R"({"comment": ["a note"], "tool": "a tool", "devices": [{"name": ")", name,
                      R"(", "core": "Core X", "model": "core-x", "instruction_set": "NEON",
                          "ghz": 2, "read_gigabytes": 4, "random_megarows": 5, "cycles": {)",
                      cycles, "}}]}");
}

std::string Refusal(const std::string& json) {
  const auto table = ParseDeviceCosts(json, "T");
  return table.ok() ? "" : std::string(table.status().message());
}

TEST(DeviceCostsTest, CyclesBecomeSecondsAtTheClock) {
  const auto table = ParseDeviceCosts(
      absl::StrReplaceAll(Table(), {{R"("gate": [9, "mca"])", R"("gate": [9, "assumed"])"}}), "T");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->tool, "a tool");
  EXPECT_THAT(table->comment, ElementsAre("a note"));
  ASSERT_EQ(table->devices.size(), 1u);
  const DeviceCosts& device = table->devices[0];
  EXPECT_EQ(device.core, "Core X");
  EXPECT_EQ(device.model, "core-x");
  EXPECT_THAT(device.assumed, ElementsAre("gate"));
  EXPECT_DOUBLE_EQ(device.costs.f32_mac, 0.5e-9);
  EXPECT_DOUBLE_EQ(device.costs.gate, 4.5e-9);
  EXPECT_DOUBLE_EQ(device.costs.request, 10e-9);
  EXPECT_DOUBLE_EQ(device.costs.memory_byte, 0.25e-9);
  EXPECT_DOUBLE_EQ(device.costs.memory_row, 0.2e-6);
}

TEST(DeviceCostsTest, WhatIsMissingOrNoCostIsRefusedByName) {
  for (const char* name : kNames) {
    const std::string other = absl::StrCat("\"not_", name, "\"");
    EXPECT_THAT(Refusal(absl::StrReplaceAll(Table(), {{absl::StrCat("\"", name, "\""), other}})),
                HasSubstr(name));
  }
  EXPECT_THAT(Refusal(absl::StrReplaceAll(Table(), {{"[1, \"mca\"]", "[0, \"mca\"]"}})),
              HasSubstr("devices[0].cycles.f32_mac"));
  EXPECT_THAT(Refusal(absl::StrReplaceAll(Table(), {{"[1, \"mca\"]", "[1, \"guess\"]"}})),
              HasSubstr("\"mca\" or \"assumed\""));
  EXPECT_THAT(Refusal(absl::StrReplaceAll(Table(), {{"[1, \"mca\"]", "1"}})), HasSubstr("f32_mac"));
  EXPECT_THAT(Refusal(absl::StrReplaceAll(Table(), {{"\"ghz\": 2", "\"ghz\": -2"}})),
              HasSubstr("devices[0].ghz"));
  EXPECT_THAT(Refusal("{"), HasSubstr("T"));
}

TEST(DeviceCostsTest, DevicesAreFoundByName) {
  const auto table = ParseDeviceCosts(Table("a9"), "T");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_TRUE(FindDevice(*table, "a9").ok());
  EXPECT_THAT(std::string(FindDevice(*table, "A-9").status().message()),
              HasSubstr("expected one of a9 (did you mean 'a9'?)"));
}

TEST(DeviceCostsTest, TheCompiledTableIsWhole) {
  const auto table = CompiledDeviceCosts();
  ASSERT_TRUE(table.ok()) << table.status();
  std::vector<std::string> names;
  for (const DeviceCosts& device : table->devices) names.push_back(device.name);
  EXPECT_THAT(names, ElementsAre("a53", "a55", "a76", "x1", "m1"));
}

TEST(DeviceCostsTest, APredictionAddsUpTheCostsOfItsOperator) {
  const auto table = ParseDeviceCosts(Table(), "T");
  ASSERT_TRUE(table.ok()) << table.status();
  const double cycle = 0.5e-9;
  StepWork step;
  step.kind = schema::OperatorKind::Dense;
  step.runs_per = RunsPer::kCandidate;
  step.once.multiply_accumulates = 1000;
  step.once.int8_multiply_accumulates = 100;
  step.once.elements = 10;
  step.once.functions = 7;
  const Costs& costs = table->devices[0].costs;
  // f32_mac 1, int8_mac 3, sigmoid 7; step 18, product 19. Elements cost nothing beside products.
  EXPECT_NEAR(PredictStep(step, costs, 0).per_row, cycle * (1000 + 300 + 49), 1e-15);
  EXPECT_NEAR(PredictStep(step, costs, 0).per_run, cycle * (18 + 19), 1e-15);
  step.kind = schema::OperatorKind::AttentionRecurrence;  // int8_gate 10.
  EXPECT_NEAR(PredictStep(step, costs, 0).per_row, cycle * (1000 + 300 + 70), 1e-15);
  step.runs_per = RunsPer::kEvent;               // f32_mac_row 2, int8_mac_row 4.
  step.kind = schema::OperatorKind::Recurrence;  // row_gate 11.
  EXPECT_NEAR(PredictStep(step, costs, 0).per_row, cycle * (2000 + 400 + 77), 1e-15);
}

TEST(DeviceCostsTest, LongRowsAreWaitedForLineByLine) {
  const auto table = ParseDeviceCosts(Table(), "T");
  ASSERT_TRUE(table.ok()) << table.status();
  const Costs& costs = table->devices[0].costs;
  StepWork step;
  step.kind = schema::OperatorKind::Embedding;
  step.runs_per = RunsPer::kCandidate;
  step.once.rows_gathered = 3;
  const auto row = [&](double bytes) {
    step.once.bytes_gathered = 3 * bytes;
    return PredictStep(step, costs, 0).per_row / 3 - costs.gather_row;
  };
  EXPECT_NEAR(row(16), 0.25 * costs.memory_row, 1e-15);
  EXPECT_NEAR(row(128), costs.memory_row + 64 * costs.memory_byte, 1e-15);
  EXPECT_NEAR(row(256), 4 * costs.memory_row, 1e-15);
}

}  // namespace
}  // namespace handpick::converter
