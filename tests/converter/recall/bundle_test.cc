// A recall index in a bundle, beside a model.
#include <memory>
#include <utility>

#include "converter/recall/builder.h"
#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/converter/recall/random_vectors.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::converter {
namespace {

std::unique_ptr<schema::BundleT> BundleWithRecall() {
  const OwnedVectors items = RandomClusters(100, 12, 10, 0.5, 1);
  auto builder = RecallBuilder::Create(items.view(), schema::RecallMetric::Cosine,
                                       schema::ElementType::Int8PerRow, nullptr);
  EXPECT_TRUE(builder.ok()) << builder.status();
  HashParameters hash;
  hash.family = schema::HashFamily::CrossPolytope;
  hash.tables = 1;
  hash.functions = 1;
  hash.outputs = 8;
  auto index = builder->Build(hash, 4, nullptr);
  EXPECT_TRUE(index.ok()) << index.status();
  std::unique_ptr<schema::BundleT> bundle = testing::MakeTinyBundle();
  bundle->recall = std::make_unique<schema::RecallIndexT>(std::move(*index));
  return bundle;
}

hp_error Inspect(const schema::BundleT& bundle) {
  const testing::Bytes bytes(testing::Serialized(bundle));
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_error error = {};
  error.status = hp_bundle_inspect(bytes.data(), bytes.size(), &info, &error);
  return error;
}

TEST(RecallBundleTest, OpensBesideAModel) {
  const hp_error error = Inspect(*BundleWithRecall());
  EXPECT_EQ(error.status, HP_OK) << error.message;
}

TEST(RecallBundleTest, DamagedIndexIsRefusedWhenTheBundleIsOpened) {
  std::unique_ptr<schema::BundleT> bundle = BundleWithRecall();
  bundle->recall->scale_codes.pop_back();
  const hp_error error = Inspect(*bundle);
  EXPECT_EQ(error.status, HP_BUNDLE_CORRUPT);
  EXPECT_STREQ(error.message, "recall index: scale_codes has 99 entries, expected 100");
}

}  // namespace
}  // namespace handpick::converter
