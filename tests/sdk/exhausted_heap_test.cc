// The C library's heap gives k blocks and no more, for every k: what the library does where an app
// gave it no allocator.
#include <cstdint>
#include <functional>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick {
namespace {

using testing::Bytes;
using testing::Exhausted;
using testing::MakeRecallBundle;
using testing::RecallBundleOptions;
using testing::Serialized;
using testing::StartExhausting;
using testing::StopExhausting;

class ExhaustedHeapTest : public ::testing::Test {
 protected:
  ExhaustedHeapTest() : bytes_(Serialized(*MakeRecallBundle(RecallBundleOptions{}).bundle)) {}

  // `call` ends with HP_OUT_OF_MEMORY until there is enough, and leaves nothing.
  void Expect(const std::function<hp_status(hp_error*)>& call, int64_t least) {
    for (int64_t allowed = 0; allowed < 1000; ++allowed) {
      hp_error error = {};
      StartExhausting(allowed);
      const hp_status status = call(&error);
      const Exhausted exhausted = StopExhausting();
      ASSERT_EQ(exhausted.blocks, 0) << "blocks are left of " << allowed;
      if (!exhausted.refused) {
        EXPECT_EQ(status, HP_OK) << error.message;
        EXPECT_GE(allowed, least);
        return;
      }
      ASSERT_EQ(status, HP_OUT_OF_MEMORY) << allowed << ": " << error.message;
      ASSERT_EQ(error.status, HP_OUT_OF_MEMORY);
      ASSERT_STRNE(error.message, "");
    }
    FAIL() << "there was never enough";
  }

  const Bytes bytes_;
};

TEST_F(ExhaustedHeapTest, Inspecting) {
  Expect(
      [&](hp_error* error) {
        hp_model_info info = HP_MODEL_INFO_INIT;
        return hp_bundle_inspect(bytes_.data(), bytes_.size(), &info, error);
      },
      5);
}

TEST_F(ExhaustedHeapTest, OpeningAndASession) {
  Expect(
      [&](hp_error* error) {
        hp_model* model = nullptr;
        hp_status status =
            hp_model_open_buffer(bytes_.data(), bytes_.size(), nullptr, &model, error);
        if (status != HP_OK) return model == nullptr ? status : HP_INTERNAL;
        hp_session* session = nullptr;
        status = hp_session_new(model, nullptr, &session, error);
        if ((session == nullptr) != (status != HP_OK)) status = HP_INTERNAL;
        hp_model_close(model);
        hp_session_free(session);
        return status;
      },
      8);
}

}  // namespace
}  // namespace handpick
