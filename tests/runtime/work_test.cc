// What does not depend on the candidate is never computed per candidate: counted by the runtime
// while it works, and predicted by the converter from the bundle.
#include <string>
#include <utility>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/pipeline.h"
#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/api_request.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using converter::ApiBatch;
using testing::OpenModel;
using testing::OpenSession;

// A model's bundle; what fails is a test failure.
std::string BundleOf(const converter::RandomModel& model, schema::Precision precision,
                     uint32_t tile = 0) {
  const auto conversion = converter::Convert(model.spec, model.weights, {precision, tile, "test"});
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  if (!conversion.ok()) return "";
  const auto bytes = converter::Serialize(conversion->bundle);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *bytes : "";
}

// What the converter counts in a bundle.
converter::Cost CostOf(const std::string& bundle) {
  const auto decoded = converter::DecodeBundle(bundle);
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? converter::CountWork(*decoded) : converter::Cost();
}

class WorkTest : public ::testing::TestWithParam<schema::Precision> {};

TEST_P(WorkTest, ACandidateCostsItsOwnPartOfTheFirstLayerAndTheLayersBehind) {
  const converter::WorkloadOptions
      options;  // 18 context and 8 candidate fields of width 16; 128, 64.
  ASSERT_EQ(options.context_fields, 18u);
  ASSERT_EQ(options.candidate_fields, 8u);
  const converter::RandomModel random = converter::WideDeepWorkload(options);
  const std::string bytes = BundleOf(random, GetParam());
  const OpenModel model(bytes);
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
  hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
  hp_session_get_counters(session.get(), &counters);
  constexpr uint64_t kPerCandidate = 8 * 16 * 128 + 128 * 64 + 64;
  constexpr uint64_t kPerContext = 18 * 16 * 128;
  EXPECT_EQ(counters.candidate_multiplications, 3 * 300 * kPerCandidate);
  EXPECT_EQ(counters.context_multiplications, kPerContext) << "three requests, one context";
  EXPECT_EQ(counters.rows_gathered, 18u * 2 + 3 * 300 * 8 * 2) << "deep and wide row of each field";

  const converter::Cost cost = CostOf(bytes);
  EXPECT_EQ(cost.candidate.multiply_accumulates, kPerCandidate);
  EXPECT_EQ(cost.context.multiply_accumulates, kPerContext);
}

// Nothing is computed while the first tile's rows come.
TEST_P(WorkTest, WithoutAHistoryTheFirstOfManyTilesIsOnePanel) {
  const converter::RandomModel random = converter::WideDeepWorkload({});
  const std::string bytes = BundleOf(random, GetParam(), 96);
  const OpenModel model(bytes);
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const converter::Request request = converter::MakeRandomRequest(random, 3, 192);
  const auto tiles_of = [&](uint32_t count) {
    const OpenSession session(model.get());
    EXPECT_EQ(
        hp_session_set_context(session.get(), ApiBatch(random.spec, request.context, 1).get()),
        HP_OK);
    std::vector<float> scores(count);
    const converter::Request some = converter::MakeRandomRequest(random, 3, count);
    EXPECT_EQ(hp_session_score(session.get(), ApiBatch(random.spec, some.candidates, count).get(),
                               scores.data(), nullptr),
              HP_OK);
    hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
    hp_session_get_counters(session.get(), &counters);
    return counters.tiles;
  };
  EXPECT_EQ(tiles_of(96), 1u);
  EXPECT_EQ(tiles_of(97), 2u);
  EXPECT_EQ(tiles_of(144), 2u);
  EXPECT_EQ(tiles_of(192), 3u) << "48, 96 and 48";
}

// A pair of embeddings is a product of sums, and each row is read once for both of them.
TEST_P(WorkTest, BiInteractionReadsEachRowOnce) {
  size_t fused = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const converter::RandomModel random = converter::MakeRandomModel(seed, "nfm");
    auto conversion = converter::Convert(random.spec, random.weights, {GetParam(), 0, "test"});
    ASSERT_TRUE(conversion.ok()) << conversion.status();
    uint64_t rows = 0;  // Of a candidate.
    bool has_interaction = false, has_lists = false;
    const auto count = [&](const schema::EmbeddingLookupT& lookup) {
      ++rows;
      // Lists have as many rows as a request gives.
      has_lists |=
          conversion->bundle.features[lookup.feature]->type != schema::FeatureType::Categorical;
    };
    const schema::BundleT& bundle = conversion->bundle;
    for (const auto& step : bundle.steps) {
      const auto domain = bundle.buffers[bundle.values[step->output]->buffer]->domain;
      if (domain != schema::Domain::Candidate) continue;
      has_interaction |= step->kind == schema::OperatorKind::EmbeddingBiInteraction;
      for (const auto& lookup : step->lookups) count(*lookup);
    }
    if (!has_interaction || has_lists) continue;
    ++fused;
    auto bytes = converter::Serialize(conversion->bundle);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    const OpenModel model(*bytes);
    ASSERT_EQ(model.status(), HP_OK) << model.error().message;
    const OpenSession session(model.get());
    const converter::Request request = converter::MakeRandomRequest(random, 3, 70);
    ASSERT_EQ(
        hp_session_set_context(session.get(), ApiBatch(random.spec, request.context, 1).get()),
        HP_OK);
    std::vector<float> scores(70);
    const ApiBatch candidates(random.spec, request.candidates, 70);
    hp_session_counters before = HP_SESSION_COUNTERS_INIT;
    hp_session_counters after = HP_SESSION_COUNTERS_INIT;
    ASSERT_EQ(hp_session_score(session.get(), candidates.get(), scores.data(), nullptr), HP_OK);
    hp_session_get_counters(session.get(), &before);
    ASSERT_EQ(hp_session_score(session.get(), candidates.get(), scores.data(), nullptr), HP_OK);
    hp_session_get_counters(session.get(), &after);
    EXPECT_EQ(after.rows_gathered - before.rows_gathered, 70 * rows) << "seed " << seed;
  }
  EXPECT_GT(fused, 0u);
}

// Counters of a session that scored candidates three times beside 50 events, of 70 that came one by
// one; what the converter counts in the bundle.
void CountAttention(const std::string& kind, schema::Precision precision,
                    hp_session_counters* counters, converter::Cost* cost) {
  converter::AttentionWorkloadOptions options;
  options.vocabulary = 50;
  converter::RandomModel random = converter::AttentionWorkload(kind, options);
  random.spec.sequences[0].beyond_maximum = schema::BeyondMaximum::Carry;
  const std::string bytes = BundleOf(random, precision);
  const OpenModel model(bytes);
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get());
  const converter::Request request = converter::MakeRandomRequest(random, 3, 300);
  ASSERT_EQ(hp_session_set_context(session.get(), ApiBatch(random.spec, request.context, 1).get()),
            HP_OK);
  std::vector<converter::RawColumn> event;
  for (size_t f = 0; f < random.spec.features.size(); ++f) {
    if (random.spec.features[f].side != schema::Side::History) continue;
    event.push_back({f, {{converter::RawScalar(int64_t{7})}}});
  }
  const ApiBatch one_event(random.spec, event, 1);
  for (int e = 0; e < 70; ++e) {
    ASSERT_EQ(hp_session_append_events(session.get(), one_event.get()), HP_OK);
  }
  std::vector<float> scores(300);
  const ApiBatch candidates(random.spec, request.candidates, 300);
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(hp_session_score(session.get(), candidates.get(), scores.data(), nullptr), HP_OK);
  }
  hp_session_get_counters(session.get(), counters);
  *cost = CostOf(bytes);
}

TEST_P(WorkTest, ACandidateBesideFiftyEventsStaysBelowTheBars) {
  const std::pair<std::string, uint64_t> bars[] = {{"din", 470000}, {"dien", 1100000}};
  for (const auto& [kind, most] : bars) {
    hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
    converter::Cost cost;
    ASSERT_NO_FATAL_FAILURE(CountAttention(kind, GetParam(), &counters, &cost));
    EXPECT_EQ(counters.candidate_multiplications, 900 * cost.CandidateMultiplyAccumulates(50));
    EXPECT_LE(counters.candidate_multiplications, 900 * most) << kind;
    EXPECT_EQ(counters.event_multiplications, 70 * cost.event.multiply_accumulates) << kind;
    EXPECT_EQ(counters.context_multiplications, cost.context.multiply_accumulates) << kind;
    // The unit's first matrix, once for each event that is still there.
    EXPECT_EQ(counters.tile_multiplications, 50 * 64 * 80) << kind;
    EXPECT_LT(counters.tile_multiplications, counters.candidate_multiplications / 20) << kind;
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, WorkTest,
                         ::testing::Values(schema::Precision::Float32, schema::Precision::Int8));

}  // namespace
}  // namespace handpick
