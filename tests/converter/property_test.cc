// Random models through the whole pipeline: no stage changes what a model computes.
//
// On failure kind and seed are printed; MakeRandomModel(seed, kind) makes the same model again.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/graph/graph.h"
#include "converter/passes/lower.h"
#include "converter/pipeline.h"
#include "converter/recipes/recipes.h"
#include "converter/reference/interpreter.h"
#include "converter/request/resolve.h"
#include "tests/support/made_up_cases.h"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

constexpr uint64_t kModels = 300;
constexpr uint64_t kModelsOfOtherKinds = 50;
constexpr size_t kCandidates = 5;

// Rewriting reorders sums of doubles and nothing else. Relative to the logit or 1.
constexpr double kRewritingTolerance = 1e-9;
// Folded weights are rounded to float32 in the bundle.
constexpr double kFloat32Tolerance = 1e-5;

::testing::AssertionResult Agree(const std::vector<double>& a, const std::vector<double>& b,
                                 double tolerance) {
  if (a.size() != b.size()) {
    return ::testing::AssertionFailure() << a.size() << " logits and " << b.size();
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (!(std::abs(a[i] - b[i]) <= tolerance * std::max(1.0, std::abs(a[i])))) {
      return ::testing::AssertionFailure()
             << "logit " << i << " is " << a[i] << " and " << b[i] << ", tolerance " << tolerance;
    }
  }
  return ::testing::AssertionSuccess();
}

class PropertyTest : public ::testing::TestWithParam<std::tuple<const char*, uint64_t>> {
 protected:
  void SetUp() override {
    model_ = MakeRandomModel(seed(), kind());
    absl::StatusOr<Graph> graph = BuildGraph(model_.spec, model_.weights);
    ASSERT_TRUE(graph.ok()) << graph.status();
    source_ = *graph;
    for (uint64_t r = 0; r < 3; ++r) {
      requests_.push_back(MakeRandomRequest(model_, seed() * 100 + r, kCandidates));
    }
    requests_.push_back(MakeRandomRequest(model_, seed(), /*candidates=*/0));
    for (const Request& request : requests_) expected_.push_back(Evaluate(source_, request));
  }

  static std::string kind() { return std::get<0>(GetParam()); }
  static uint64_t seed() { return std::get<1>(GetParam()); }
  static std::string Model() { return kind() + ", seed " + std::to_string(seed()); }

  // The logits of all outputs, one after the other.
  static std::vector<double> Evaluate(const Graph& graph, const Request& request) {
    const absl::StatusOr<ResolvedRequest> resolved = ResolveRequest(request, *graph.features);
    EXPECT_TRUE(resolved.ok()) << resolved.status();
    std::vector<double> all;
    if (!resolved.ok()) return all;
    for (const std::vector<double>& logits : EvaluateOutputs(graph, *resolved)) {
      all.insert(all.end(), logits.begin(), logits.end());
    }
    return all;
  }

  void ExpectSameValue(const Graph& graph, double tolerance, const std::string& stage) {
    const absl::Status status = Verify(graph);
    ASSERT_TRUE(status.ok()) << stage << ": " << status;
    for (size_t r = 0; r < requests_.size(); ++r) {
      EXPECT_TRUE(Agree(expected_[r], Evaluate(graph, requests_[r]), tolerance))
          << Model() << ", request " << r << ", after " << stage;
    }
  }

  RandomModel model_;
  Graph source_;
  std::vector<Request> requests_;
  std::vector<std::vector<double>> expected_;
};

// A line for each node, sorted: passes may change the order.
std::string NodesOf(const Graph& graph) {
  std::vector<std::string> lines;
  for (const Node& node : graph.nodes) {
    lines.push_back(absl::StrCat(OperatorName(node.op), " ", graph.WidthOf(node.output)));
  }
  std::sort(lines.begin(), lines.end());
  return absl::StrJoin(lines, "\n");
}

TEST_P(PropertyTest, NoPassChangesTheValue) {
  Graph graph = source_;
  for (const Pass& pass : RewritingPasses()) {
    graph = pass.run(graph);
    ASSERT_NO_FATAL_FAILURE(ExpectSameValue(graph, kRewritingTolerance, pass.name));
  }
  absl::StatusOr<Graph> lowered = Lower(graph);
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  ExpectSameValue(*lowered, kRewritingTolerance, "lowering");
}

TEST_P(PropertyTest, EveryPassKeepsTheValueOnItsOwn) {
  for (const Pass& pass : RewritingPasses()) {
    ASSERT_NO_FATAL_FAILURE(ExpectSameValue(pass.run(source_), kRewritingTolerance, pass.name));
  }
}

TEST_P(PropertyTest, RunningThePassesAgainChangesNothing) {
  Graph graph = source_;
  for (const Pass& pass : RewritingPasses()) graph = pass.run(graph);
  const std::string nodes = NodesOf(graph);
  for (const Pass& pass : RewritingPasses()) graph = pass.run(graph);
  EXPECT_EQ(NodesOf(graph), nodes) << Model();
  ExpectSameValue(graph, kRewritingTolerance, "all passes, twice");
}

TEST_P(PropertyTest, TheBundleComputesWhatTheModelDoes) {
  absl::StatusOr<Conversion> conversion =
      Convert(model_.spec, model_.weights, {schema::Precision::Float32, 0, "test"});
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  absl::StatusOr<std::string> bytes = Serialize(conversion->bundle);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  absl::StatusOr<Graph> decoded = DecodeBundle(*bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ExpectSameValue(*decoded, kFloat32Tolerance, "emitting");
  for (const Request& request : requests_) {
    EXPECT_TRUE(Agree(Evaluate(conversion->program, request), Evaluate(*decoded, request),
                      kRewritingTolerance))
        << Model() << ", decoded against the program";
  }
}

TEST_P(PropertyTest, BundlesOfFewerBitsComputeWhatTheirProgramsDo) {
  for (const auto precision : {schema::Precision::Float16, schema::Precision::Int8}) {
    absl::StatusOr<Conversion> conversion =
        Convert(model_.spec, model_.weights, {precision, 0, "test"});
    ASSERT_TRUE(conversion.ok()) << conversion.status();
    absl::StatusOr<std::string> bytes = Serialize(conversion->bundle);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    absl::StatusOr<Graph> decoded = DecodeBundle(*bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    for (const Request& request : requests_) {
      EXPECT_TRUE(Agree(Evaluate(conversion->program, request), Evaluate(*decoded, request),
                        kRewritingTolerance))
          << Model() << ", decoded against the program";
    }
  }
}

TEST_P(PropertyTest, SplittingNeverAddsMultiplications) {
  Graph graph = source_;
  for (const Pass& pass : RewritingPasses()) graph = pass.run(graph);
  const Cost before = CountWork(source_);
  const Cost after = CountWork(graph);
  if (kind() != "wide_deep") {
    for (const uint64_t events : {1u, 12u}) {
      EXPECT_LE(after.CandidateMultiplyAccumulates(events),
                before.CandidateMultiplyAccumulates(events))
          << Model();
    }
    // NFM and FM read a candidate's embeddings for the sum and for the squares.
    EXPECT_LE(after.candidate.rows_gathered, 2 * before.candidate.rows_gathered) << Model();
    return;
  }
  EXPECT_LE(after.candidate.multiply_accumulates, before.candidate.multiply_accumulates);
  EXPECT_EQ(after.candidate.multiply_accumulates + after.context.multiply_accumulates,
            before.candidate.multiply_accumulates + before.context.multiply_accumulates)
      << Model();
  EXPECT_LE(after.candidate.rows_gathered, before.candidate.rows_gathered);
}

std::vector<const char*> OtherKinds() {
  std::vector<const char*> kinds = EveryKind();
  kinds.erase(kinds.begin());
  return kinds;
}

std::string NameOf(const ::testing::TestParamInfo<std::tuple<const char*, uint64_t>>& info) {
  return std::string(std::get<0>(info.param)) + "_" + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(WideDeep, PropertyTest,
                         ::testing::Combine(::testing::Values("wide_deep"),
                                            ::testing::Range(uint64_t{0},
                                                             handpick::testing::SomeOf(kModels))),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(
    Others, PropertyTest,
    ::testing::Combine(::testing::ValuesIn(OtherKinds()),
                       ::testing::Range(uint64_t{0},
                                        handpick::testing::SomeOf(kModelsOfOtherKinds))),
    NameOf);

}  // namespace
}  // namespace handpick::converter
