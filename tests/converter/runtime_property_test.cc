// Random models through the C API: the runtime computes what the reference interpreter says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "converter/graph/decode.h"
#include "converter/graph/graph.h"
#include "converter/pipeline.h"
#include "converter/reference/interpreter.h"
#include "handpick/handpick.h"
#include "tests/support/api_request.h"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

constexpr uint64_t kModels = 200;
constexpr size_t kCandidates = 21;  // No multiple of any tile.

// Relative to the logit or 1, as promised for float32.
constexpr double kFloat32Tolerance = 1e-5;
// Where the runtime's float32 falls on the other side of a rounding boundary than the reference's
// double, a number moves by one of 256 levels; through three layers of a handful of units.
constexpr double kInt8Tolerance = 2e-2;

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
struct Close {
  void operator()(hp_model* model) const { hp_model_close(model); }
};

std::unique_ptr<void, Free> AlignedMemory(size_t bytes) {
  const size_t rounded = (bytes + HP_ALIGNMENT - 1) / HP_ALIGNMENT * HP_ALIGNMENT;
  std::unique_ptr<void, Free> memory(std::aligned_alloc(HP_ALIGNMENT, rounded));
  std::memset(memory.get(), 0xA8, rounded);
  return memory;
}

// A model opened from the bytes of a bundle.
class OpenModel {
 public:
  explicit OpenModel(const std::string& bytes) : bundle_(AlignedMemory(bytes.size())) {
    std::memcpy(bundle_.get(), bytes.data(), bytes.size());
    hp_model* model = nullptr;
    hp_error error;
    EXPECT_EQ(hp_model_open_buffer(bundle_.get(), bytes.size(), nullptr, &model, &error), HP_OK)
        << error.message;
    model_.reset(model);
  }

  bool ok() const { return model_ != nullptr; }

  // The logits of a request in a session of that tile; empty after a failure.
  std::vector<float> Score(const Spec& spec, const Request& request, uint32_t tile) const {
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.tile = tile;
    size_t bytes = 0;
    hp_error error;
    EXPECT_EQ(hp_session_memory_size(model_.get(), &options, &bytes, &error), HP_OK)
        << error.message;
    const std::unique_ptr<void, Free> memory = AlignedMemory(bytes);
    hp_session* session = nullptr;
    EXPECT_EQ(hp_session_create(model_.get(), &options, memory.get(), bytes, &session, &error),
              HP_OK)
        << error.message;
    if (session == nullptr) return {};
    const ApiBatch context(spec, request.context, 1);
    const ApiBatch history(spec, request.history, request.event_count);
    const ApiBatch candidates(spec, request.candidates, request.candidate_count);
    std::vector<float> logits(request.candidate_count, NAN);
    EXPECT_EQ(hp_session_set_context(session, context.get()), HP_OK)
        << hp_session_last_error(session)->message;
    EXPECT_EQ(hp_session_set_history(session, history.get()), HP_OK)
        << hp_session_last_error(session)->message;
    EXPECT_EQ(hp_session_score(session, candidates.get(), nullptr, logits.data()), HP_OK)
        << hp_session_last_error(session)->message;
    return logits;
  }

 private:
  std::unique_ptr<void, Free> bundle_;
  std::unique_ptr<hp_model, Close> model_;
};

class RuntimePropertyTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  void SetUp() override { model_ = MakeRandomModel(GetParam()); }

  // The bytes of the model's bundle; `source` is its unsplit graph.
  void MakeBundle(schema::Precision precision, Graph* source, std::string* bytes) const {
    absl::StatusOr<Conversion> conversion =
        Convert(model_.spec, model_.weights, {precision, 0, "test"});
    ASSERT_TRUE(conversion.ok()) << conversion.status();
    absl::StatusOr<std::string> serialized = Serialize(conversion->bundle);
    ASSERT_TRUE(serialized.ok()) << serialized.status();
    *source = conversion->source;
    *bytes = *serialized;
  }

  void ExpectRuntimeAgrees(const std::string& bytes, const Graph& reference, double tolerance) {
    const OpenModel model(bytes);
    ASSERT_TRUE(model.ok()) << "seed " << GetParam();
    for (uint64_t r = 0; r < 3; ++r) {
      const Request request = MakeRandomRequest(model_, GetParam() * 100 + r, kCandidates);
      const absl::StatusOr<std::vector<double>> expected = EvaluateReference(reference, request);
      ASSERT_TRUE(expected.ok()) << expected.status();
      const std::vector<float> logits = model.Score(model_.spec, request, 0);
      ASSERT_EQ(logits.size(), expected->size());
      for (size_t i = 0; i < logits.size(); ++i) {
        EXPECT_NEAR(logits[i], (*expected)[i], tolerance * std::max(1.0, std::abs((*expected)[i])))
            << "seed " << GetParam() << ", request " << r << ", candidate " << i;
      }
      for (const uint32_t tile : {1u, 2u, 16u}) {
        const std::vector<float> tiled = model.Score(model_.spec, request, tile);
        ASSERT_EQ(tiled.size(), logits.size());
        EXPECT_EQ(std::memcmp(tiled.data(), logits.data(), logits.size() * sizeof(float)), 0)
            << "seed " << GetParam() << ", request " << r << ": other bits at tile " << tile;
      }
    }
  }

  RandomModel model_;
};

TEST_P(RuntimePropertyTest, Float32LogitsAreTheReferences) {
  Graph source;
  std::string bytes;
  ASSERT_NO_FATAL_FAILURE(MakeBundle(schema::Precision::Float32, &source, &bytes));
  ExpectRuntimeAgrees(bytes, source, kFloat32Tolerance);
}

TEST_P(RuntimePropertyTest, Int8LogitsAreThoseOfTheDecodedProgram) {
  Graph source;
  std::string bytes;
  ASSERT_NO_FATAL_FAILURE(MakeBundle(schema::Precision::Int8, &source, &bytes));
  const absl::StatusOr<Graph> decoded = DecodeBundle(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ExpectRuntimeAgrees(bytes, *decoded, kInt8Tolerance);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RuntimePropertyTest, ::testing::Range(uint64_t{0}, kModels));

}  // namespace
}  // namespace handpick::converter
