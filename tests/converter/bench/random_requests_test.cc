#include "converter/bench/random_requests.h"

#include <gtest/gtest.h>

#include <tuple>

#include "converter/emit/emit.h"
#include "converter/io/files.h"
#include "converter/pipeline.h"
#include "converter/runtime/bundle_session.h"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

FeatureSet FeaturesOf(const schema::Bundle& bundle) {
  FeatureSet set;
  for (const auto* feature : *bundle.features()) set.features.emplace_back(feature->UnPack());
  if (bundle.vocabularies() != nullptr) {
    for (const auto* vocabulary : *bundle.vocabularies()) {
      set.vocabularies.emplace_back(vocabulary->UnPack());
    }
  }
  return set;
}

bool Same(const std::vector<RawColumn>& a, const std::vector<RawColumn>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].feature != b[i].feature || a[i].rows != b[i].rows) return false;
  }
  return true;
}

using KindAndSeed = std::tuple<const char*, uint64_t>;

class RequestMakerTest : public ::testing::TestWithParam<KindAndSeed> {
 protected:
  RequestMakerTest() {
    const auto [kind, seed] = GetParam();
    const RandomModel model = MakeRandomModel(seed, kind);
    auto conversion = Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
    EXPECT_TRUE(conversion.ok()) << conversion.status();
    auto bytes = Serialize(conversion->bundle);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    bytes_ = AlignedBytes(*bytes);
    features_ = FeaturesOf(bundle());
  }
  const schema::Bundle& bundle() const { return *schema::GetBundle(bytes_.data()); }

  AlignedBytes bytes_;
  FeatureSet features_;
};

TEST_P(RequestMakerTest, TheRuntimeTakesThem) {
  const RequestMaker maker(bundle(), features_, nullptr);
  const auto session = BundleSession::Open(bytes_.view());
  ASSERT_TRUE(session.ok()) << session.status();
  // Of each sequence as many as it keeps.
  std::vector<size_t> events;
  for (uint32_t s = 0; bundle().sequences() != nullptr && s < bundle().sequences()->size(); ++s) {
    events.push_back(bundle().sequences()->Get(s)->max_events());
  }
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto request = maker.Make(seed, 5, 100);
    ASSERT_TRUE(request.ok()) << request.status();
    EXPECT_EQ(request->candidate_count, 5u);
    EXPECT_EQ(request->event_counts, events);
    for (const RawColumn& column : request->candidates) EXPECT_EQ(column.rows.size(), 5u);
    for (const RawColumn& column : request->history) {
      EXPECT_EQ(column.rows.size(), events[features_.features[column.feature]->sequence]);
    }
    const auto scored = (*session)->Score(*request);
    EXPECT_TRUE(scored.ok()) << "seed " << seed << ": " << scored.status();
  }
}

TEST_P(RequestMakerTest, EveryFeatureThatARequestCanGiveIsGiven) {
  const auto request = RequestMaker(bundle(), features_, nullptr).Make(1, 2, 2);
  ASSERT_TRUE(request.ok()) << request.status();
  size_t crossed = 0;
  for (const auto& feature : features_.features) {
    crossed += feature->type == schema::FeatureType::Crossed ? 1 : 0;
  }
  EXPECT_EQ(request->context.size() + request->history.size() + request->candidates.size(),
            features_.features.size() - crossed);
}

TEST_P(RequestMakerTest, ASeedMakesOneRequest) {
  const RequestMaker maker(bundle(), features_, nullptr);
  const auto a = maker.Make(3, 50, 2);
  const auto b = maker.Make(3, 50, 2);
  const auto c = maker.Make(4, 50, 2);
  ASSERT_TRUE(a.ok() && b.ok() && c.ok());
  EXPECT_TRUE(Same(a->context, b->context) && Same(a->candidates, b->candidates));
  EXPECT_FALSE(Same(a->context, c->context) && Same(a->candidates, c->candidates));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RequestMakerTest,
                         ::testing::Combine(::testing::ValuesIn(EveryKind()),
                                            ::testing::Range(uint64_t{0}, uint64_t{12})));

}  // namespace
}  // namespace handpick::converter
