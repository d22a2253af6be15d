// The standard workloads are the models that they are said to be.
#include "tests/benchmarks/workloads/workloads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "converter/pipeline.h"
#include "converter/reference/interpreter.h"
#include "converter/runtime/bundle_session.h"

namespace handpick::workloads {
namespace {

using converter::BundleSession;
using converter::Request;
using schema::Precision;

constexpr double kFloat32Tolerance = 1e-5;  // Of the logit or 1: the promise for float32.
// Of the logits' standard deviation over the candidates; random weights, no trained ones.
constexpr double kInt8Tolerance = 0.2;

class WorkloadsTest : public ::testing::TestWithParam<std::string> {
 protected:
  // With small tables, which tests make more quickly.
  static Workload Make(uint64_t seed = 1) {
    WorkloadOptions options;
    options.seed = seed;
    options.table_scale = 0.01;
    return MakeWorkload(GetParam(), options).value();
  }

  static std::vector<float> LogitsOfBundle(const Workload& workload, Precision precision,
                                           const Request& request) {
    const auto bytes = MakeBundle(workload, precision);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    if (!bytes.ok()) return {};
    const auto session = BundleSession::Open(*bytes);
    EXPECT_TRUE(session.ok()) << session.status();
    if (!session.ok()) return {};
    const auto scored = (*session)->Score(request);
    EXPECT_TRUE(scored.ok()) << scored.status();
    return scored.ok() ? scored->logits : std::vector<float>{};
  }

  static std::vector<double> LogitsOfReference(const Workload& workload, const Request& request) {
    const auto conversion = converter::Convert(workload.spec, workload.weights, {});
    EXPECT_TRUE(conversion.ok()) << conversion.status();
    if (!conversion.ok()) return {};
    return converter::EvaluateReference(conversion->source, request).value();
  }
};

double StandardDeviation(const std::vector<double>& numbers) {
  double mean = 0;
  for (const double number : numbers) mean += number / static_cast<double>(numbers.size());
  double variance = 0;
  for (const double number : numbers) {
    variance += (number - mean) * (number - mean) / static_cast<double>(numbers.size());
  }
  return std::sqrt(variance);
}

TEST_P(WorkloadsTest, BundlesScoreWhatTheReferenceSays) {
  const Workload workload = Make();
  const Request request = MakeRequest(workload, /*seed=*/7, /*candidates=*/37, /*events=*/50);
  const std::vector<double> expected = LogitsOfReference(workload, request);
  const double spread = StandardDeviation(expected);
  EXPECT_GT(spread, 0.1);
  EXPECT_LT(spread, 1);

  const std::vector<float> f32 = LogitsOfBundle(workload, Precision::Float32, request);
  const std::vector<float> int8 = LogitsOfBundle(workload, Precision::Int8, request);
  ASSERT_EQ(f32.size(), expected.size());
  ASSERT_EQ(int8.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(f32[i], expected[i], kFloat32Tolerance * std::max(1.0, std::abs(expected[i]))) << i;
    EXPECT_NEAR(int8[i], expected[i], kInt8Tolerance * spread) << i;
  }
}

TEST_P(WorkloadsTest, SameSeedGivesTheSameModelAndRequest) {
  const Workload workload = Make(), again = Make(), other = Make(2);
  ASSERT_EQ(workload.weights.size(), again.weights.size());
  for (const auto& [name, tensor] : workload.weights) {
    EXPECT_EQ(tensor.shape, again.weights.at(name).shape) << name;
    EXPECT_EQ(tensor.data, again.weights.at(name).data) << name;
    EXPECT_EQ(tensor.shape, other.weights.at(name).shape) << name;
    EXPECT_NE(tensor.data, other.weights.at(name).data) << name;
  }
  const auto candidates = [&](uint64_t seed) {
    const Request request = MakeRequest(workload, seed, 5, 3);
    std::vector<converter::RawCell> cells;
    for (const auto& column : request.candidates) {
      cells.insert(cells.end(), column.rows.begin(), column.rows.end());
    }
    return cells;
  };
  EXPECT_EQ(candidates(3), candidates(3));
  EXPECT_NE(candidates(3), candidates(4));
}

TEST_P(WorkloadsTest, RequestGivesEveryFeatureForEveryRow) {
  const Workload workload = Make();
  const Request request = MakeRequest(workload, 3, /*candidates=*/9, /*events=*/4);
  EXPECT_EQ(request.candidate_count, 9u);
  EXPECT_EQ(request.Events(), HasHistory(workload) ? 4u : 0u);
  std::set<size_t> given;
  const auto check = [&](const std::vector<converter::RawColumn>& columns, schema::Side side,
                         size_t rows) {
    for (const auto& column : columns) {
      EXPECT_EQ(workload.spec.features[column.feature].side, side);
      EXPECT_EQ(column.rows.size(), rows);
      given.insert(column.feature);
    }
  };
  check(request.context, schema::Side::Context, 1);
  check(request.history, schema::Side::History, 4);
  check(request.candidates, schema::Side::Candidate, 9);
  EXPECT_EQ(given.size(), workload.spec.features.size());
}

TEST_P(WorkloadsTest, TablesGrowWithTheirScaleAndNothingElse) {
  const Workload workload = Make();
  WorkloadOptions options;
  options.table_scale = 0.1;
  const Workload larger = MakeWorkload(GetParam(), options).value();
  for (const auto& [name, tensor] : workload.weights) {
    std::vector<int64_t> expected = tensor.shape;
    if (name.find(".embedding.") != std::string::npos) expected[0] *= 10;
    EXPECT_EQ(larger.weights.at(name).shape, expected) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, WorkloadsTest, ::testing::ValuesIn(WorkloadNames()),
                         [](const auto& test) { return test.param; });

TEST(WorkloadOptionsTest, RejectsWhatMakesNoModel) {
  EXPECT_FALSE(MakeWorkload("w5").ok());
  WorkloadOptions options;
  options.max_history = 0;
  EXPECT_FALSE(MakeWorkload("w3_din", options).ok());
  for (const double scale : {0.0, -1.0, static_cast<double>(NAN), 1e9}) {
    options = {};
    options.table_scale = scale;
    EXPECT_FALSE(MakeWorkload("w3_din", options).ok()) << scale;
  }
}

}  // namespace
}  // namespace handpick::workloads
