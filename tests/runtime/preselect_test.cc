// Ranking with a margin: the best are those of exact ranking, bit for bit, whatever the margin.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "converter/bench/instruction_set.h"
#include "converter/io/files.h"
#include "converter/runtime/column_batch.h"
#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "hwy/targets.h"
#include "schema/format.h"
#include "sdk/kernels/gemm_kernels.h"
#include "tests/benchmarks/workloads/workloads.h"
#include "tests/support/made_up_cases.h"
#include "tests/support/tiny/bundle_parts.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/tiny/worker_threads.h"

namespace handpick {
namespace {

using converter::ColumnBatch;

constexpr size_t kEvents = 20;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A workload's model, opened for it or not, and a session with a user.
class Ranker {
 public:
  Ranker(const workloads::Workload& workload, uint32_t flags, uint32_t workers = 1,
         schema::Precision precision = schema::Precision::Float32) {
    const auto made = workloads::MakeBundle(workload, precision);
    EXPECT_TRUE(made.ok()) << made.status();
    bytes_ = std::make_unique<converter::AlignedBytes>(*made);
    hp_open_options open = HP_OPEN_OPTIONS_INIT;
    open.flags = flags;
    hp_error error;
    EXPECT_EQ(hp_model_open_buffer(bytes_->data(), bytes_->size(), &open, &model_, &error), HP_OK)
        << error.message;
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.workers = workers;
    options.parallel_for = workers > 1 ? testing::InReverse : nullptr;
    options.parallel_opaque = &calls_;
    EXPECT_EQ(hp_session_new(model_, &options, &session_, &error), HP_OK) << error.message;
    SetUser(workload, 1);
  }
  ~Ranker() {
    hp_session_free(session_);
    hp_model_close(model_);
  }
  Ranker(const Ranker&) = delete;
  Ranker& operator=(const Ranker&) = delete;

  void SetUser(const workloads::Workload& workload, uint64_t seed) {
    const converter::Request request = workloads::MakeRequest(workload, seed, 1, kEvents);
    const auto context = ColumnBatch::Make(model_, request.context, 1);
    ASSERT_TRUE(context.ok()) << context.status();
    const hp_batch of_context = context->batch();
    ASSERT_EQ(hp_session_set_context(session_, &of_context), HP_OK);
    if (!workloads::HasHistory(workload)) return;
    const auto history = ColumnBatch::Make(model_, request.history, request.Events());
    ASSERT_TRUE(history.ok()) << history.status();
    const hp_batch of_history = history->batch();
    ASSERT_EQ(hp_session_set_history(session_, &of_history), HP_OK);
  }

  std::vector<hp_ranked> Rank(const converter::Request& request, size_t k, double margin) {
    const auto candidates = ColumnBatch::Make(model_, request.candidates, request.candidate_count);
    EXPECT_TRUE(candidates.ok()) << candidates.status();
    const hp_batch batch = candidates->batch();
    hp_rank_options options = HP_RANK_OPTIONS_INIT;
    options.margin = margin;
    std::vector<hp_ranked> ranked(k);
    size_t count = 0;
    EXPECT_EQ(hp_session_rank_by(session_, &batch, &options, k, ranked.data(), &count), HP_OK)
        << hp_session_last_error(session_)->message;
    ranked.resize(count);
    return ranked;
  }

  hp_session_counters Counters() const {
    hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
    hp_session_get_counters(session_, &counters);
    return counters;
  }
  hp_session* session() const { return session_; }
  hp_model_info Info() const {
    hp_model_info info = HP_MODEL_INFO_INIT;
    hp_model_get_info(model_, &info);
    return info;
  }
  uint64_t model_bytes() const { return Info().model_bytes; }

 private:
  std::unique_ptr<converter::AlignedBytes> bytes_;
  testing::ParallelCalls calls_;
  hp_model* model_ = nullptr;
  hp_session* session_ = nullptr;
};

void ExpectSame(const std::vector<hp_ranked>& a, const std::vector<hp_ranked>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].index, b[i].index) << i;
    ASSERT_EQ(std::memcmp(&a[i].logit, &b[i].logit, sizeof(float)), 0) << i;
    ASSERT_EQ(std::memcmp(&a[i].score, &b[i].score, sizeof(float)), 0) << i;
  }
}

// Tables of a tenth of the rows, and so small that most candidates are equal to others.
class PreselectTest : public ::testing::TestWithParam<std::tuple<const char*, double>> {
 protected:
  PreselectTest() {
    workloads::WorkloadOptions options;
    options.max_history = 12;
    options.table_scale = std::get<1>(GetParam());
    auto made = workloads::MakeWorkload(std::get<0>(GetParam()), options);
    EXPECT_TRUE(made.ok()) << made.status();
    workload_ = *std::move(made);
  }

  workloads::Workload workload_;
};

TEST_P(PreselectTest, TheBestAreThoseOfExactRanking) {
  Ranker exact(workload_, 0);
  std::vector<size_t> batches = {0, 5, 300, 2500};
  // The last takes nine tenths of the time.
  if (testing::PercentOfCases() < 100) batches.pop_back();
  for (const uint32_t workers : {1u, 3u}) {
    Ranker preselects(workload_, HP_OPEN_PRESELECT, workers);
    const bool rounds = preselects.model_bytes() > exact.model_bytes();
    for (const size_t candidates : batches) {
      for (const size_t k : {0u, 1u, 10u, 400u}) {
        SCOPED_TRACE(std::to_string(candidates) + " candidates, the best " + std::to_string(k));
        const converter::Request request = workloads::MakeRequest(workload_, 7, candidates, 0);
        const std::vector<hp_ranked> best = exact.Rank(request, k, 0);
        ExpectSame(preselects.Rank(request, k, 0), best);
        ExpectSame(preselects.Rank(request, k, kInfinity), best);
        const hp_session_counters learnt = preselects.Counters();
        ExpectSame(preselects.Rank(request, k, 1e-6 + 1.5 * learnt.preselect_error), best);
        const hp_session_counters used = preselects.Counters();
        EXPECT_EQ(used.margin_violations, learnt.margin_violations);
        const bool selects = rounds && k < candidates;
        EXPECT_EQ(used.preselections - learnt.preselections, selects ? 1u : 0u);
        const uint64_t scored = used.preselected - learnt.preselected;
        EXPECT_EQ(used.candidates - learnt.candidates, selects ? scored : candidates);
        if (selects) {
          EXPECT_GE(scored, k);
          EXPECT_LE(scored, candidates);
        }
        // Less than a third may be among the best ten of 2,500 that differ.
        if (rounds && candidates == 2500 && k == 10 && std::get<1>(GetParam()) > 0.01) {
          EXPECT_LT(scored, 800u);
        }
      }
    }
  }
}

TEST_P(PreselectTest, AnErrorBeyondTheMarginIsCountedAndAllAreScored) {
  Ranker exact(workload_, 0);
  Ranker preselects(workload_, HP_OPEN_PRESELECT);
  if (preselects.model_bytes() == exact.model_bytes()) GTEST_SKIP() << "no products of bytes here";
  const converter::Request request = workloads::MakeRequest(workload_, 9, 1200, 0);
  ExpectSame(preselects.Rank(request, 10, 1e-12), exact.Rank(request, 10, 0));
  const hp_session_counters counters = preselects.Counters();
  EXPECT_EQ(counters.margin_violations, 1u);
  EXPECT_GT(counters.preselect_error, 1e-12);
  EXPECT_LT(counters.preselect_error, 1);
  EXPECT_EQ(counters.candidates, 1200 + counters.preselected);
}

// What it takes is taken only where it was asked for, and only of models that have float32 layers.
TEST_P(PreselectTest, MemoryIsTakenWhereItIsAskedFor) {
  const Ranker exact(workload_, 0);
  const Ranker preselects(workload_, HP_OPEN_PRESELECT);
  const bool rounds = preselects.model_bytes() > exact.model_bytes();
  EXPECT_EQ(preselects.Info().session_bytes > exact.Info().session_bytes, rounds);
  EXPECT_LE(preselects.model_bytes(), exact.model_bytes() + exact.Info().dense_bytes / 3 + 4096);
  const Ranker int8(workload_, 0, 1, schema::Precision::Int8);
  Ranker int8_preselects(workload_, HP_OPEN_PRESELECT, 1, schema::Precision::Int8);
  EXPECT_EQ(int8_preselects.model_bytes(), int8.model_bytes());
  EXPECT_EQ(int8_preselects.Info().session_bytes, int8.Info().session_bytes);
  const converter::Request request = workloads::MakeRequest(workload_, 7, 50, 0);
  ExpectSame(int8_preselects.Rank(request, 5, 1), int8_preselects.Rank(request, 5, 0));
  EXPECT_EQ(int8_preselects.Counters().preselections, 0u);
}

INSTANTIATE_TEST_SUITE_P(Workloads, PreselectTest,
                         ::testing::Combine(::testing::Values("w1_wide_deep", "w3_din", "w4_dien"),
                                            ::testing::Values(0.1, 0.0005)));

#if HWY_ARCH_X86
// Attention is rounded from AVX2 on.
TEST(PreselectSetsTest, OnEachInstructionSetTheBestAreThoseOfExactRanking) {
  workloads::WorkloadOptions options;
  options.max_history = 12;
  options.table_scale = 0.1;
  for (const char* name : {"w3_din", "w4_dien"}) {
    const auto workload = workloads::MakeWorkload(name, options);
    ASSERT_TRUE(workload.ok()) << workload.status();
    const converter::Request request = workloads::MakeRequest(*workload, 7, 500, 0);
    for (const std::string& set : converter::InstructionSets()) {
      SCOPED_TRACE(name + (" on " + set));
      ASSERT_TRUE(converter::HoldToInstructionSet(set).ok());
      Ranker exact(*workload, 0);
      Ranker preselects(*workload, HP_OPEN_PRESELECT);
      EXPECT_EQ(preselects.model_bytes() > exact.model_bytes(), set.rfind("sse", 0) != 0);
      const std::vector<hp_ranked> best = exact.Rank(request, 10, 0);
      ExpectSame(preselects.Rank(request, 10, kInfinity), best);
      const double error = preselects.Counters().preselect_error;
      EXPECT_LT(error, 0.1);
      ExpectSame(preselects.Rank(request, 10, 1e-6 + 1.5 * error), best);
      EXPECT_EQ(preselects.Counters().margin_violations, 0u);
      EXPECT_LE(preselects.Counters().preselected, 700u);
    }
    hwy::DisableTargets(0);
    LimitGemms(GemmLimit::kNone);
  }
}
#endif

// Four numbers of a candidate through 16 outputs, `scale` times what SomeFloats gives, to two
// logits. `outputs` fewer: none is rounded.
std::string TwoOutputs(float scale, uint32_t outputs = 16) {
  using namespace testing;  // NOLINT(google-build-using-namespace): parts of a bundle.
  schema::BundleT bundle;
  bundle.format_major = schema::kFormatMajor;
  bundle.precision = schema::Precision::Float32;
  bundle.manifest = std::make_unique<schema::ManifestT>();
  bundle.features.push_back(Feature("x", Side::Candidate, FeatureType::Numeric));
  bundle.features[0]->dimension = 4;
  bundle.tile = 64;
  bundle.dense_weights.push_back(Dense("hidden", 4, outputs, false, false, 1));
  std::vector<float> weights = SomeFloats(size_t{4} * outputs, 1);
  for (float& weight : weights) weight *= scale;
  bundle.dense_weights[0]->data = RawBytes(weights);
  bundle.dense_weights.push_back(Dense("first", outputs, 1, false, true, 2));
  bundle.dense_weights.push_back(Dense("second", outputs, 1, false, true, 4));
  const uint32_t input = AddValue(&bundle, "x", AddBuffer(&bundle, Domain::Candidate, 4, 0), 0, 4);
  const uint32_t hidden =
      AddValue(&bundle, "hidden", AddBuffer(&bundle, Domain::Candidate, outputs, 16), 0, outputs);
  const uint32_t first =
      AddValue(&bundle, "first", AddBuffer(&bundle, Domain::Candidate, 1, 80), 0, 1);
  const uint32_t second =
      AddValue(&bundle, "second", AddBuffer(&bundle, Domain::Candidate, 1, 84), 0, 1);
  AddNumeric(&bundle, "x", 0, input);
  AddActivation(AddDense(&bundle, "hidden", {input}, 0, hidden), schema::ActivationKind::Relu);
  AddDense(&bundle, "first", {hidden}, 1, first);
  AddDense(&bundle, "second", {hidden}, 2, second);
  bundle.outputs.push_back(Output("first", first));
  bundle.outputs.push_back(Output("second", second));
  return Serialized(bundle);
}

// What ranking says with and without a margin, of a model that was opened for it.
class TwoOutputsTest : public ::testing::Test {
 protected:
  void Open(const std::string& bytes, uint32_t workers = 1) {
    session_.reset();
    model_ = std::make_unique<testing::OpenModel>(bytes, uint32_t{HP_OPEN_PRESELECT});
    ASSERT_EQ(model_->status(), HP_OK) << model_->error().message;
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.workers = workers;
    options.parallel_for = workers > 1 ? testing::InThreads : nullptr;
    options.parallel_opaque = &calls_;
    session_ = std::make_unique<testing::OpenSession>(model_->get(), options);
    ASSERT_NE(session_->get(), nullptr) << session_->error().message;
  }
  // [candidates, 4], numbers of about `size`.
  static std::vector<float> Numbers(size_t candidates, float size) {
    std::vector<float> numbers = testing::SomeFloats(4 * candidates, 3);
    for (float& number : numbers) number *= size;
    return numbers;
  }
  hp_status Rank(const std::vector<float>& numbers, size_t k, double margin, uint32_t output = 0) {
    testing::Batch batch(numbers.size() / 4);
    batch.Numbers(0, numbers);
    return RankBatch(batch.get(), k, margin, output);
  }
  hp_status RankBatch(const hp_batch* batch, size_t k, double margin, uint32_t output) {
    hp_rank_options options = HP_RANK_OPTIONS_INIT;
    options.output = output;
    options.margin = margin;
    ranked_.assign(k, {});
    size_t count = 0;
    const hp_status status =
        hp_session_rank_by(session_->get(), batch, &options, k, ranked_.data(), &count);
    ranked_.resize(count);
    return status;
  }
  void ExpectSameAsExact(const std::vector<float>& numbers, size_t k, double margin,
                         uint32_t output = 0) {
    ASSERT_EQ(Rank(numbers, k, 0, output), HP_OK) << session_->message();
    const std::vector<hp_ranked> exact = ranked_;
    ASSERT_EQ(Rank(numbers, k, margin, output), HP_OK) << session_->message();
    ExpectSame(ranked_, exact);
  }
  hp_session_counters Counters() const {
    hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
    hp_session_get_counters(session_->get(), &counters);
    return counters;
  }
  // Whether anything is rounded on this processor.
  bool Rounds() {
    Open(TwoOutputs(1));
    EXPECT_EQ(Rank(Numbers(20, 1), 1, kInfinity), HP_OK);
    return Counters().preselections != 0;
  }

  std::unique_ptr<testing::OpenModel> model_;
  std::unique_ptr<testing::OpenSession> session_;
  testing::ParallelCalls calls_;
  std::vector<hp_ranked> ranked_;
};

TEST_F(TwoOutputsTest, EachOutputIsRankedByItsOwnLogitsInAnyNumberOfThreads) {
  if (!Rounds()) GTEST_SKIP() << "no products of bytes here";
  for (const uint32_t workers : {1u, 2u, 5u}) {
    Open(TwoOutputs(1), workers);
    const std::vector<float> numbers = Numbers(5000, 1);
    for (const uint32_t output : {0u, 1u}) {
      ExpectSameAsExact(numbers, 10, kInfinity, output);
      const double error = Counters().preselect_error;
      EXPECT_GT(error, 0);
      EXPECT_LT(error, 0.3);
      const uint64_t before = Counters().preselected;
      ExpectSameAsExact(numbers, 10, 1.5 * error, output);
      EXPECT_LT(Counters().preselected - before, 2500u);
    }
    EXPECT_EQ(Counters().margin_violations, 0u);
  }
}

TEST_F(TwoOutputsTest, EqualCandidatesStayInTheirOrder) {
  Open(TwoOutputs(1), 3);
  const std::vector<float> few = Numbers(3, 1);
  std::vector<float> numbers;
  for (size_t i = 0; i < 1400; ++i) numbers.insert(numbers.end(), few.begin(), few.end());
  for (const double margin : {1e-9, 0.05, kInfinity}) {
    ExpectSameAsExact(numbers, 1300, margin);
    ExpectSameAsExact(numbers, 1500, margin);
  }
}

TEST_F(TwoOutputsTest, AModelWhoseLayersAreNarrowIsRankedExactly) {
  Open(TwoOutputs(1, 15));
  ExpectSameAsExact(Numbers(100, 1), 5, 0.1);
  ExpectSameAsExact(Numbers(100, 1), 5, kInfinity);
  EXPECT_EQ(Counters().preselections, 0u);
}

TEST_F(TwoOutputsTest, WeightsThatAreNotFiniteAreNotRounded) {
  const auto bytes_of = [&](float scale) {
    Open(TwoOutputs(scale));
    hp_model_info info = HP_MODEL_INFO_INIT;
    hp_model_get_info(model_->get(), &info);
    return info.model_bytes;
  };
  const bool rounds = Rounds();
  EXPECT_EQ(bytes_of(1) > bytes_of(INFINITY), rounds);
}

// Their range is more than a float: bytes say nothing of them.
TEST_F(TwoOutputsTest, CandidatesWhoseRoundedLogitsAreNotFiniteAreScoredExactly) {
  const bool rounds = Rounds();
  Open(TwoOutputs(1e-30f));
  for (const float sign : {1.0f, -1.0f}) {
    std::vector<float> numbers = Numbers(2000, 1e30f);
    for (const size_t wild : {7u, 1500u}) {
      numbers[4 * wild] = 3e38f * sign;
      numbers[4 * wild + 1] = -3e38f * sign;
    }
    for (const double margin : {0.05, kInfinity}) ExpectSameAsExact(numbers, 10, margin);
  }
  if (!rounds) return;
  EXPECT_EQ(Counters().preselect_error, kInfinity);
  EXPECT_EQ(Counters().margin_violations, 2u);
}

TEST_F(TwoOutputsTest, FailuresAreThoseOfExactRanking) {
  for (const uint32_t workers : {1u, 2u}) {
    Open(TwoOutputs(1), workers);
    std::vector<float> numbers = Numbers(1200, 1);
    numbers[4 * 777] = numbers[4 * 777 + 1] = numbers[4 * 777 + 2] = numbers[4 * 777 + 3] = 3e38f;
    for (const double margin : {0.0, 0.05, kInfinity}) {
      EXPECT_EQ(Rank(numbers, 10, margin), HP_NOT_FINITE);
      EXPECT_NE(std::string(session_->message()).find("candidate 777:"), std::string::npos)
          << session_->message();
    }
    numbers[4 * 777 + 2] = NAN;
    for (const double margin : {0.0, 0.05}) {
      EXPECT_EQ(Rank(numbers, 10, margin), HP_NOT_FINITE);
      EXPECT_NE(std::string(session_->message()).find("777"), std::string::npos)
          << session_->message();
    }
    EXPECT_EQ(Counters().margin_violations, 0u);
    ExpectSameAsExact(Numbers(1200, 1), 10, kInfinity);
  }
}

}  // namespace
}  // namespace handpick
