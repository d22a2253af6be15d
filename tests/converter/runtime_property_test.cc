// Random models through the C API: the runtime computes what the reference interpreter says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "converter/graph/decode.h"
#include "converter/graph/graph.h"
#include "converter/pipeline.h"
#include "converter/reference/interpreter.h"
#include "converter/request/resolve.h"
#include "handpick/handpick.h"
#include "tests/support/api_request.h"
#include "tests/support/made_up_cases.h"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

constexpr uint64_t kModels = 60;    // Of each kind.
constexpr size_t kCandidates = 21;  // No multiple of any tile.

// Relative to the logit or 1, as promised for float32.
constexpr double kFloat32Tolerance = 1e-5;
// A factorization machine takes the difference of two sums, and a field-aware one adds up products
// of both signs: what it leaves has fewer digits.
constexpr double kFloat32ToleranceOfDifferences = 3e-5;
// A processor may round what a layer in 8 bits reads to 256 levels between its extremes, and states
// and what comes out of a sigmoid too; the reference rounds nothing. With layers of a handful of
// units, one logit of 50,000 was off by 4.1e-2, and the mean of a model by 8.2e-3.
constexpr double kInt8Tolerance = 8e-2;
constexpr double kMeanInt8Tolerance = 1.2e-2;

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

  hp_model* get() const { return model_.get(); }

 private:
  std::unique_ptr<void, Free> bundle_;
  std::unique_ptr<hp_model, Close> model_;
};

// A session in memory of its own.
class OpenSession {
 public:
  OpenSession(const OpenModel& model, const Spec& spec, uint32_t tile) : spec_(spec) {
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.tile = tile;
    size_t bytes = 0;
    hp_error error;
    EXPECT_EQ(hp_session_memory_size(model.get(), &options, &bytes, &error), HP_OK)
        << error.message;
    memory_ = AlignedMemory(bytes);
    hp_model_info info = HP_MODEL_INFO_INIT;
    hp_model_get_info(model.get(), &info);
    outputs_ = info.output_count;
    EXPECT_EQ(hp_session_create(model.get(), &options, memory_.get(), bytes, &session_, &error),
              HP_OK)
        << error.message;
  }

  void SetContext(const Request& request) {
    Expect(hp_session_set_context(session_, ApiBatch(spec_, request.context, 1).get()));
  }

  void SetHistory(const Request& request) {
    for (size_t s = 0; s < spec_.sequences.size(); ++s) {
      Expect(hp_session_set_history(session_, EventsOf(spec_, request, s).get()));
    }
  }

  // Events [first, first + count) of a sequence of the request.
  void AppendEvents(const Request& request, uint32_t sequence, size_t first, size_t count) {
    const ApiBatch events(spec_, Rows(ColumnsOfEvents(spec_, request, sequence), first, count),
                          count);
    Expect(hp_session_append_events(session_, events.get()));
  }

  // The logits of candidates [first, first + count) of the request, of each by all outputs.
  std::vector<float> Score(const Request& request, size_t first, size_t count) {
    const ApiBatch candidates(spec_, Rows(request.candidates, first, count), count);
    std::vector<float> logits(count * outputs_, NAN);
    Expect(hp_session_score_outputs(session_, candidates.get(), nullptr, outputs_, nullptr,
                                    logits.data()));
    return logits;
  }
  std::vector<float> Score(const Request& request) {
    return Score(request, 0, request.candidate_count);
  }

 private:
  void Expect(hp_status status) {
    EXPECT_EQ(status, HP_OK) << hp_session_last_error(session_)->message;
  }

  static std::vector<RawColumn> Rows(const std::vector<RawColumn>& columns, size_t first,
                                     size_t count) {
    std::vector<RawColumn> some;
    for (const RawColumn& column : columns) {
      const auto begin = column.rows.begin() + static_cast<std::ptrdiff_t>(first);
      some.push_back({column.feature, {begin, begin + static_cast<std::ptrdiff_t>(count)}});
    }
    return some;
  }

  const Spec& spec_;
  std::unique_ptr<void, Free> memory_;
  size_t outputs_ = 0;
  hp_session* session_ = nullptr;
};

class RuntimePropertyTest : public ::testing::TestWithParam<std::tuple<const char*, uint64_t>> {
 protected:
  void SetUp() override { model_ = MakeRandomModel(seed(), kind()); }

  static std::string kind() { return std::get<0>(GetParam()); }
  static uint64_t seed() { return std::get<1>(GetParam()); }
  static double float_tolerance() {
    return kind() == "deepfm" || kind() == "fm" || kind() == "ffm" ? kFloat32ToleranceOfDifferences
                                                                   : kFloat32Tolerance;
  }
  static std::string Model() { return kind() + ", seed " + std::to_string(seed()); }

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

  void ExpectRuntimeAgrees(const std::string& bytes, const Graph& reference, double tolerance,
                           double mean_tolerance) {
    const OpenModel model(bytes);
    ASSERT_TRUE(model.ok()) << Model();
    double errors = 0;
    for (uint64_t r = 0; r < 3; ++r) {
      const Request request = MakeRandomRequest(model_, seed() * 100 + r, kCandidates);
      const absl::StatusOr<ResolvedRequest> resolved = ResolveRequest(request, *reference.features);
      ASSERT_TRUE(resolved.ok()) << resolved.status();
      const LogitsOfOutputs by_output = EvaluateOutputs(reference, *resolved);
      std::vector<double> expected;
      for (size_t c = 0; c < request.candidate_count; ++c) {
        for (const std::vector<double>& output : by_output) expected.push_back(output[c]);
      }
      OpenSession session(model, model_.spec, 0);
      session.SetContext(request);
      session.SetHistory(request);
      const std::vector<float> logits = session.Score(request);
      ASSERT_EQ(logits.size(), expected.size());
      for (size_t i = 0; i < logits.size(); ++i) {
        const double error =
            std::abs(logits[i] - expected[i]) / std::max(1.0, std::abs(expected[i]));
        EXPECT_LE(error, tolerance) << Model() << ", request " << r << ", logit " << i << ": "
                                    << logits[i] << ", expected " << expected[i];
        errors += error / static_cast<double>(by_output.size());
      }
      for (const uint32_t tile : {1u, 2u, 16u}) {
        OpenSession tiled(model, model_.spec, tile);
        tiled.SetContext(request);
        tiled.SetHistory(request);
        ExpectSameBits(tiled.Score(request), logits, "tile " + std::to_string(tile));
      }
      std::vector<float> one_by_one;
      for (size_t c = 0; c < request.candidate_count; ++c) {
        const std::vector<float> one = session.Score(request, c, 1);
        one_by_one.insert(one_by_one.end(), one.begin(), one.end());
      }
      ExpectSameBits(one_by_one, logits, "one candidate at a time");
    }
    EXPECT_LE(errors / (3 * kCandidates), mean_tolerance) << Model();
  }

  // A history that grows gives the bits of one that is set, whatever is done in between.
  void ExpectAppendingIsSetting(const std::string& bytes) {
    const OpenModel model(bytes);
    ASSERT_TRUE(model.ok()) << Model();
    for (uint64_t r = 0; r < 3; ++r) {
      const Request request = MakeRandomRequest(model_, seed() * 100 + r, kCandidates);
      OpenSession set(model, model_.spec, 0);
      set.SetContext(request);
      set.SetHistory(request);
      const std::vector<float> logits = set.Score(request);
      OpenSession grown(model, model_.spec, 0);
      grown.SetContext(request);
      // Of several sequences, an event of each in turn.
      size_t most = 0;
      for (const size_t events : request.event_counts) most = std::max(most, events);
      for (size_t e = 0; e < most; ++e) {
        for (uint32_t s = 0; s < request.event_counts.size(); ++s) {
          if (e < request.Events(s)) grown.AppendEvents(request, s, e, 1);
        }
        if (e % 3 == 1) grown.Score(request, 0, 2);
      }
      ExpectSameBits(grown.Score(request), logits, "appended one by one");
      OpenSession halves(model, model_.spec, 0);
      halves.SetContext(request);
      for (uint32_t s = 0; s < request.event_counts.size(); ++s) {
        const size_t half = request.Events(s) / 2;
        halves.AppendEvents(request, s, 0, half);
        halves.AppendEvents(request, s, half, request.Events(s) - half);
      }
      ExpectSameBits(halves.Score(request), logits, "appended in halves");
      grown.SetHistory(request);
      ExpectSameBits(grown.Score(request), logits, "set over another history");
    }
  }

  static void ExpectSameBits(const std::vector<float>& a, const std::vector<float>& b,
                             const std::string& what) {
    ASSERT_EQ(a.size(), b.size());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0)
        << Model() << ": other bits, " << what;
  }

  RandomModel model_;
};

TEST_P(RuntimePropertyTest, Float32LogitsAreTheReferences) {
  Graph source;
  std::string bytes;
  ASSERT_NO_FATAL_FAILURE(MakeBundle(schema::Precision::Float32, &source, &bytes));
  ExpectRuntimeAgrees(bytes, source, float_tolerance(), kFloat32Tolerance);
}

TEST_P(RuntimePropertyTest, Float16LogitsAreThoseOfTheDecodedProgram) {
  Graph source;
  std::string bytes;
  ASSERT_NO_FATAL_FAILURE(MakeBundle(schema::Precision::Float16, &source, &bytes));
  const absl::StatusOr<Graph> decoded = DecodeBundle(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  for (const auto& table : decoded->tables) {
    EXPECT_EQ(table->type, schema::ElementType::Float16) << table->name;
  }
  ExpectRuntimeAgrees(bytes, *decoded, float_tolerance(), kFloat32Tolerance);
}

TEST_P(RuntimePropertyTest, Int8LogitsAreThoseOfTheDecodedProgram) {
  Graph source;
  std::string bytes;
  ASSERT_NO_FATAL_FAILURE(MakeBundle(schema::Precision::Int8, &source, &bytes));
  const absl::StatusOr<Graph> decoded = DecodeBundle(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  // A temperature makes errors larger, as it does logits.
  const double by = 1 / std::min(1.0, model_.spec.towers.temperature);
  ExpectRuntimeAgrees(bytes, *decoded, by * kInt8Tolerance, by * kMeanInt8Tolerance);
}

// Each table in its smallest type, 4 bits where rows are long enough; layers in float32.
TEST_P(RuntimePropertyTest, Int4LogitsAreThoseOfTheDecodedProgram) {
  auto conversion =
      Convert(model_.spec, model_.weights, {schema::Precision::Float32, 0, "property_test"});
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  const std::vector<PrecisionPart> parts = PrecisionParts(conversion->rewritten);
  std::vector<schema::ElementType> types;
  for (const PrecisionPart& part : parts) {
    types.push_back(part.is_table ? part.types.back() : part.types.front());
  }
  const absl::Status requantized =
      Requantize(parts, types, {schema::Precision::Int8, 0, "property_test"}, &*conversion);
  ASSERT_TRUE(requantized.ok()) << requantized;
  const absl::StatusOr<std::string> bytes = Serialize(conversion->bundle);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const absl::StatusOr<Graph> decoded = DecodeBundle(*bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ExpectRuntimeAgrees(*bytes, *decoded, float_tolerance(), kFloat32Tolerance);
}

TEST_P(RuntimePropertyTest, AppendedEventsGiveTheBitsOfAHistorySetAtOnce) {
  for (const auto precision :
       {schema::Precision::Float32, schema::Precision::Float16, schema::Precision::Int8}) {
    Graph source;
    std::string bytes;
    ASSERT_NO_FATAL_FAILURE(MakeBundle(precision, &source, &bytes));
    ExpectAppendingIsSetting(bytes);
  }
}

// Each of the operators that passes make of others is in some of the models above.
TEST(RuntimePropertyModelsTest, HaveFusedOperators) {
  size_t interactions = 0, started = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const RandomModel model = MakeRandomModel(seed, "nfm");
    const auto conversion =
        Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
    ASSERT_TRUE(conversion.ok()) << conversion.status();
    for (const Node& node : conversion->program.nodes) {
      if (!node.op.Is(OperatorKind::EmbeddingBiInteraction)) continue;
      ++interactions;
      started += !node.inputs.empty();
    }
  }
  EXPECT_GT(started, 10u);
  EXPECT_GT(interactions - started, 10u);
}

std::string NameOf(const ::testing::TestParamInfo<std::tuple<const char*, uint64_t>>& info) {
  return std::string(std::get<0>(info.param)) + "_" + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Kinds, RuntimePropertyTest,
                         ::testing::Combine(::testing::ValuesIn(EveryKind()),
                                            ::testing::Range(uint64_t{0},
                                                             handpick::testing::SomeOf(kModels))),
                         NameOf);

}  // namespace
}  // namespace handpick::converter
