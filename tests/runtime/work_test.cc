// What does not depend on the candidate is never computed per candidate: counted by the runtime
// while it works, and predicted by the converter from the bundle.
#include <algorithm>
#include <string>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/pipeline.h"
#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "tests/support/api_request.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using converter::ApiBatch;
using testing::OpenModel;
using testing::OpenSession;

class WorkTest : public ::testing::TestWithParam<schema::Precision> {};

TEST_P(WorkTest, ACandidateCostsItsOwnPartOfTheFirstLayerAndTheLayersBehind) {
  const converter::WorkloadOptions
      options;  // 18 context and 8 candidate fields of width 16; 128, 64.
  ASSERT_EQ(options.context_fields, 18u);
  ASSERT_EQ(options.candidate_fields, 8u);
  const converter::RandomModel random = converter::WideDeepWorkload(options);
  auto conversion = converter::Convert(random.spec, random.weights, {GetParam(), 0, "test"});
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  auto bytes = converter::Serialize(conversion->bundle);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const OpenModel model(*bytes);
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  const converter::Request request = converter::MakeRandomRequest(random, 3, 300);
  ASSERT_EQ(hp_session_set_context(session.get(), ApiBatch(random.spec, request.context, 1).get()),
            HP_OK);
  std::vector<float> scores(300);
  const ApiBatch candidates(random.spec, request.candidates, 300);
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(hp_session_score(session.get(), candidates.get(), scores.data(), nullptr), HP_OK);
  }
  hp_session_counters counters;
  hp_session_get_counters(session.get(), &counters);
  constexpr uint64_t kPerCandidate = 8 * 16 * 128 + 128 * 64 + 64;
  constexpr uint64_t kPerContext = 18 * 16 * 128;
  EXPECT_EQ(counters.candidate_multiplications, 3 * 300 * kPerCandidate);
  EXPECT_EQ(counters.context_multiplications, kPerContext) << "three requests, one context";
  EXPECT_EQ(counters.rows_gathered, 18u * 2 + 3 * 300 * 8 * 2) << "deep and wide row of each field";

  auto decoded = converter::DecodeBundle(*bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  auto cost = converter::CountWork(*decoded);
  EXPECT_EQ(cost.candidate.multiply_accumulates, kPerCandidate);
  EXPECT_EQ(cost.context.multiply_accumulates, kPerContext);
}

INSTANTIATE_TEST_SUITE_P(Precisions, WorkTest,
                         ::testing::Values(schema::Precision::Float32, schema::Precision::Int8));

}  // namespace
}  // namespace handpick
