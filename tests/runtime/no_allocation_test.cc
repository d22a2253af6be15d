// After hp_session_create nothing allocates, on any path.
#include <sys/mman.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/pipeline.h"
#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/api_request.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/tiny/worker_threads.h"

namespace handpick {
namespace {

using converter::ApiBatch;
using converter::MakeRandomModel;
using converter::MakeRandomRequest;
using converter::RandomModel;
using converter::Request;
using testing::OpenModel;
using testing::OpenSession;
using testing::StartCountingAllocations;
using testing::StopCountingAllocations;

constexpr size_t kMostCandidates = 10000;

std::string Bundle(const RandomModel& model, schema::Precision precision) {
  auto conversion = converter::Convert(model.spec, model.weights, {precision, 0, "test"});
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  auto bytes = converter::Serialize(conversion->bundle);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return *bytes;
}

TEST(AllocationCounterTest, SeesEveryKindOfAllocation) {
  const auto count = [](auto allocate) {
    StartCountingAllocations();
    allocate();
    return StopCountingAllocations();
  };
  static void* volatile kept;  // Or the compiler leaves the pair out.
  EXPECT_GE(count([] {
              kept = std::malloc(3);
              std::free(kept);
            }),
            2u);
  EXPECT_GE(count([] {
              kept = std::calloc(3, 3);
              kept = std::realloc(kept, 100);
              std::free(kept);
            }),
            3u);
  EXPECT_GE(count([] {
              kept = new int;
              delete static_cast<int*>(kept);
            }),
            2u);
  EXPECT_GE(count([] {
              void* memory;
              kept = posix_memalign(&memory, 64, 64) == 0 ? memory : nullptr;
              std::free(kept);
            }),
            2u);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_EQ(count([] {
              kept = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              munmap(kept, 4096);
            }),
            1u);
#endif
  EXPECT_EQ(count([] {}), 0u);
}

// Runs 1,000 calls of score and rank, with N from 0 to 10,000, and everything else that a session
// can do, in between.
void ExpectNoAllocations(const RandomModel& random, schema::Precision precision,
                         uint32_t workers = 1, double margin = 0) {
  const OpenModel model(Bundle(random, precision), margin > 0 ? HP_OPEN_PRESELECT : 0);
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  // On the calling thread: starting threads would allocate.
  testing::ParallelCalls calls;
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.workers = workers;
  options.parallel_for = testing::InReverse;
  options.parallel_opaque = &calls;
  const OpenSession session(model.get(), options);
  ASSERT_NE(session.get(), nullptr) << session.error().message;
  const Request request = MakeRandomRequest(random, 1, kMostCandidates);
  const ApiBatch context(random.spec, request.context, 1);
  const ApiBatch history = EventsOf(random.spec, request, 0);
  const ApiBatch candidates(random.spec, request.candidates, kMostCandidates);
  std::vector<float> scores(kMostCandidates);
  std::vector<float> logits(kMostCandidates);
  std::vector<hp_ranked> ranked(kMostCandidates);
  size_t largest = 0;
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model.get(), &info), HP_OK);
  std::vector<hp_step_profile> steps(info.step_count);
  uint64_t time = 0;
  hp_profile profile = HP_PROFILE_INIT;
  profile.clock = [](void* opaque) { return ++*static_cast<uint64_t*>(opaque); };
  profile.opaque = &time;
  profile.steps = steps.data();
  profile.step_count = info.step_count;

  StartCountingAllocations();
  int failed = 0;
  const auto expect = [&](hp_status status, hp_status expected) {
    failed += status != expected ? 1 : 0;
  };
  for (int call = 0; call < 1000; ++call) {
    // Mostly few, at times all; every size class occurs.
    hp_batch batch = *candidates.get();
    batch.row_count =
        static_cast<size_t>(std::lround(kMostCandidates * std::pow(call / 999.0, 12)));
    largest = std::max(largest, batch.row_count);
    if (call % 20 == 0) expect(hp_session_set_profile(session.get(), &profile), HP_OK);
    if (call % 20 == 10) expect(hp_session_set_profile(session.get(), nullptr), HP_OK);
    if (call % 10 == 0) expect(hp_session_set_context(session.get(), context.get()), HP_OK);
    if (call % 15 == 0) expect(hp_session_append_events(session.get(), history.get()), HP_OK);
    if (call % 50 == 0) expect(hp_session_set_history(session.get(), history.get()), HP_OK);
    if (call % 4 == 0) {
      expect(
          hp_session_score_outputs(session.get(), &batch, nullptr, 1, scores.data(), logits.data()),
          HP_OK);
    } else if (call % 2 == 0) {
      expect(hp_session_score(session.get(), &batch, scores.data(), logits.data()), HP_OK);
    } else {
      size_t count = 0;
      hp_rank_options rank = HP_RANK_OPTIONS_INIT;
      rank.margin = margin;
      expect(hp_session_rank_by(session.get(), &batch, &rank, static_cast<size_t>(call) * 10,
                                ranked.data(), &count),
             HP_OK);
    }
    if (call % 100 == 0) {
      hp_column unknown = {};
      unknown.feature = 9999;
      unknown.type = HP_INT64;
      const hp_batch bad = HP_BATCH(&unknown, 1, 1);
      expect(hp_session_score(session.get(), &bad, scores.data(), nullptr), HP_UNKNOWN_FEATURE);
      expect(hp_session_check_goldens(session.get(), nullptr), HP_NO_GOLDENS);
      expect(hp_session_set_context(session.get(), context.get()), HP_OK);
    }
  }
  const uint64_t allocations = StopCountingAllocations();
  EXPECT_EQ(allocations, 0u);
  EXPECT_EQ(failed, 0) << session.message();
  EXPECT_EQ(largest, kMostCandidates);
  EXPECT_GT(time, 0u);
  EXPECT_EQ(calls.calls > 0, workers > 1);
}

TEST(NoAllocationTest, Float32WideDeep) {
  ExpectNoAllocations(converter::WideDeepWorkload(), schema::Precision::Float32);
}

TEST(NoAllocationTest, Int8WideDeep) {
  ExpectNoAllocations(converter::WideDeepWorkload(), schema::Precision::Int8);
}

TEST(NoAllocationTest, PreselectsWithMarginsThatHoldAndThatDoNot) {
  for (const double margin : {1e-9, 1.0}) {
    ExpectNoAllocations(converter::WideDeepWorkload(), schema::Precision::Float32, 2, margin);
  }
}

// Small layers: every candidate meets every event.
const converter::AttentionWorkloadOptions kSmall = {10, 4, 4, 4, 100, {8, 4}, {16, 8}};

TEST(NoAllocationTest, Float32Din) {
  ExpectNoAllocations(converter::AttentionWorkload("din", kSmall), schema::Precision::Float32);
}

TEST(NoAllocationTest, Int8Dien) {
  ExpectNoAllocations(converter::AttentionWorkload("dien", kSmall), schema::Precision::Int8);
}

TEST(NoAllocationTest, SeveralWorkers) {
  ExpectNoAllocations(converter::AttentionWorkload("din", kSmall), schema::Precision::Int8, 3);
  ExpectNoAllocations(converter::AttentionWorkload("dien", kSmall), schema::Precision::Float32, 7);
}

using KindAndSeed = std::tuple<const char*, uint64_t>;

class NoAllocationRandomTest : public ::testing::TestWithParam<KindAndSeed> {};

TEST_P(NoAllocationRandomTest, ModelsOfEveryKindOfFeature) {
  const auto [kind, seed] = GetParam();
  ExpectNoAllocations(MakeRandomModel(seed, kind),
                      seed % 2 == 0 ? schema::Precision::Float32 : schema::Precision::Int8);
}

INSTANTIATE_TEST_SUITE_P(Seeds, NoAllocationRandomTest,
                         ::testing::Combine(::testing::ValuesIn(converter::EveryKind()),
                                            ::testing::Range(uint64_t{0}, uint64_t{3})));

}  // namespace
}  // namespace handpick
