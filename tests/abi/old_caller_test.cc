// An app of version 1 with the library of this tree.
#include "tests/abi/old_caller.h"

#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick {
namespace {

TEST(OldCallerTest, AnAppOfVersion1Works) {
  const testing::RecallBundle made = testing::MakeRecallBundle(testing::RecallBundleOptions{});
  // A golden request. What matters is that it is replayed: its logit may be off by 1.
  const auto column = [](uint32_t feature, int64_t id) {
    auto of = std::make_unique<schema::GoldenColumnT>();
    of->feature = feature;
    of->integers = {id};
    return of;
  };
  auto golden = std::make_unique<schema::GoldenRequestT>();
  golden->context.push_back(column(testing::kUser, 2));
  golden->candidates.push_back(column(testing::kItem, made.ids[3].integer));
  golden->candidate_count = 1;
  golden->logits = {-1};
  made.bundle->goldens.push_back(std::move(golden));
  made.bundle->golden_tolerance = 1;
  const testing::Bytes bytes(testing::Serialized(*made.bundle));
  hp_model* model = nullptr;
  hp_error error;
  ASSERT_EQ(hp_model_open_buffer(bytes.data(), bytes.size(), nullptr, &model, &error), HP_OK)
      << error.message;
  hp_model_info info = HP_MODEL_INFO_INIT;
  EXPECT_EQ(hp_model_get_info(model, &info), HP_OK);
  hp_model_close(model);
  EXPECT_EQ(old_caller_run(bytes.data(), bytes.size(), made.ids[3].integer, info.engine_bytes), 0);
}

}  // namespace
}  // namespace handpick
