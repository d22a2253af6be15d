// Several tiles at a time on the caller's threads: the same bits, the same errors, no work twice.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/tiny/worker_threads.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::kSequenceEvent;
using testing::kSequenceItem;
using testing::OpenModel;
using testing::OpenSession;
using testing::ParallelCalls;

constexpr size_t kCounts[] = {0, 1, 15, 16, 17, 200, 1000};
constexpr uint32_t kWorkers[] = {1, 2, 3, 7};

const struct {
  const char* name;
  hp_parallel_for run;
} kOrders[] = {{"InOrder", testing::InOrder},
               {"InReverse", testing::InReverse},
               {"InThreads", testing::InThreads}};

hp_session_options Workers(uint32_t workers, hp_parallel_for run, ParallelCalls* calls,
                           uint32_t tile = 0) {
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.tile = tile;
  options.workers = workers;
  options.parallel_for = run;
  options.parallel_opaque = calls;
  return options;
}

// The sequence bundle with a unit, f32 or int8, and tiles of 48.
std::unique_ptr<schema::BundleT> Bundle(bool int8) {
  auto bundle = testing::MakeSequenceBundle(schema::RecurrentCell::AttentionUpdateGru);
  testing::FuseSequenceUnit(int8, bundle.get());
  bundle->tile = 48;
  return bundle;
}

class WorkersTest : public ::testing::TestWithParam<bool> {
 protected:
  WorkersTest() : model_(testing::Serialized(*Bundle(GetParam()))) {
    std::mt19937_64 random(1);
    for (size_t i = 0; i < 1000; ++i) items_.push_back(static_cast<int64_t>(random() % 6));
  }
  void SetUp() override { ASSERT_EQ(model_.status(), HP_OK) << model_.error().message; }

  // Four events, and two more than fit.
  void FillHistory(hp_session* session) {
    Batch events(6);
    events.Integers(kSequenceEvent, {1, 5, 2, 0, 3, 3});
    ASSERT_EQ(hp_session_set_history(session, events.get()), HP_OK);
  }

  std::vector<float> Logits(hp_session* session, size_t count) {
    Batch batch(count);
    batch.Integers(kSequenceItem, {items_.begin(), items_.begin() + static_cast<ptrdiff_t>(count)});
    std::vector<float> logits(count, -77);
    EXPECT_EQ(hp_session_score(session, batch.get(), nullptr, logits.data()), HP_OK)
        << hp_session_last_error(session)->message;
    return logits;
  }

  OpenModel model_;
  std::vector<int64_t> items_;
};

TEST_P(WorkersTest, AnyNumberOfThemInAnyOrderGivesTheSameBits) {
  const OpenSession alone(model_.get());
  FillHistory(alone.get());
  for (const auto& order : kOrders) {
    for (const uint32_t workers : kWorkers) {
      for (const uint32_t tile : {0u, 5u, 16u}) {
        ParallelCalls calls;
        const OpenSession session(model_.get(), Workers(workers, order.run, &calls, tile));
        ASSERT_NE(session.get(), nullptr) << session.error().message;
        FillHistory(session.get());
        for (const size_t count : kCounts) {
          ASSERT_EQ(Logits(session.get(), count), Logits(alone.get(), count))
              << order.name << ", " << workers << " workers, tile " << tile << ", " << count
              << " candidates";
        }
        if (workers == 1) {
          EXPECT_EQ(calls.calls, 0u);
        } else {
          EXPECT_GT(calls.calls, 0u);
          EXPECT_EQ(calls.most_tasks, workers);
          EXPECT_GE(calls.least_tasks, 2u) << "one task needs no threads";
        }
      }
    }
  }
}

TEST_P(WorkersTest, ThreadsAreCalledOnceForManyTiles) {
  ParallelCalls calls;
  const OpenSession session(model_.get(), Workers(2, testing::InThreads, &calls, 16));
  FillHistory(session.get());
  Logits(session.get(), 1000);
  EXPECT_EQ(calls.calls, 1u);
  EXPECT_EQ(calls.most_tasks, 2u);
  hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
  hp_session_get_counters(session.get(), &counters);
  EXPECT_EQ(counters.tiles, 63u);
}

TEST_P(WorkersTest, RankingIsThatOfOneWorker) {
  const OpenSession alone(model_.get());
  FillHistory(alone.get());
  ParallelCalls calls;
  const OpenSession session(model_.get(), Workers(3, testing::InThreads, &calls));
  FillHistory(session.get());
  Batch batch(items_.size());
  batch.Integers(kSequenceItem, items_);
  // Of six different candidates: equal ones are in the order of their rows.
  std::vector<hp_ranked> expected(700), ranked(700);
  size_t expected_count = 0, count = 0;
  ASSERT_EQ(hp_session_rank(alone.get(), batch.get(), 700, expected.data(), &expected_count),
            HP_OK);
  ASSERT_EQ(hp_session_rank(session.get(), batch.get(), 700, ranked.data(), &count), HP_OK);
  ASSERT_EQ(count, expected_count);
  for (size_t i = 0; i < count; ++i) {
    ASSERT_EQ(ranked[i].index, expected[i].index) << i;
    ASSERT_EQ(ranked[i].logit, expected[i].logit) << i;
  }
}

TEST_P(WorkersTest, EveryCandidateIsCountedOnce) {
  const OpenSession alone(model_.get());
  ParallelCalls calls;
  const OpenSession session(model_.get(), Workers(7, testing::InThreads, &calls));
  for (hp_session* each : {alone.get(), session.get()}) {
    FillHistory(each);
    Logits(each, 1000);
  }
  hp_session_counters one = HP_SESSION_COUNTERS_INIT;
  hp_session_counters many = HP_SESSION_COUNTERS_INIT;
  hp_session_get_counters(alone.get(), &one);
  hp_session_get_counters(session.get(), &many);
  EXPECT_EQ(many.candidates, 1000u);
  EXPECT_EQ(many.candidate_multiplications, one.candidate_multiplications);
  EXPECT_EQ(many.rows_gathered, one.rows_gathered);
  EXPECT_EQ(many.context_multiplications, one.context_multiplications);
  EXPECT_EQ(many.tile_multiplications, one.tile_multiplications);
}

TEST_P(WorkersTest, ABadCandidateIsNamedAsWithoutThem) {
  for (const size_t bad : {size_t{0}, size_t{47}, size_t{130}, size_t{999}}) {
    std::vector<int64_t> items = items_;
    items[bad] = 6;  // The table has six rows.
    Batch batch(items.size());
    batch.Integers(kSequenceItem, items);
    std::vector<float> logits(items.size());
    const OpenSession alone(model_.get());
    FillHistory(alone.get());
    const hp_status expected = hp_session_score(alone.get(), batch.get(), nullptr, logits.data());
    ASSERT_EQ(expected, HP_UNKNOWN_ID);
    ASSERT_NE(std::string(alone.message()).find(std::to_string(bad)), std::string::npos)
        << alone.message();
    for (const auto& order : kOrders) {
      ParallelCalls calls;
      const OpenSession session(model_.get(), Workers(7, order.run, &calls));
      FillHistory(session.get());
      EXPECT_EQ(hp_session_score(session.get(), batch.get(), nullptr, logits.data()), expected);
      EXPECT_STREQ(session.message(), alone.message()) << order.name;
      EXPECT_EQ(hp_session_last_error(session.get())->status, expected);
      // The session is as it was.
      EXPECT_EQ(Logits(session.get(), 200), Logits(alone.get(), 200)) << order.name;
    }
  }
}

TEST_P(WorkersTest, OfTwoBadCandidatesTheFirstTilesIsNamed) {
  std::vector<int64_t> items = items_;
  items[500] = 6;
  items[501] = 99;
  items[900] = -5;
  Batch batch(items.size());
  batch.Integers(kSequenceItem, items);
  std::vector<float> logits(items.size());
  for (const auto& order : kOrders) {
    ParallelCalls calls;
    const OpenSession session(model_.get(), Workers(3, order.run, &calls));
    ASSERT_EQ(hp_session_score(session.get(), batch.get(), nullptr, logits.data()), HP_UNKNOWN_ID);
    EXPECT_NE(std::string(session.message()).find("500"), std::string::npos) << session.message();
  }
}

TEST_P(WorkersTest, AProfileCountsTheFirstWorkersTiles) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model_.get(), &info), HP_OK);
  ParallelCalls calls;
  const OpenSession session(model_.get(), Workers(4, testing::InThreads, &calls));
  FillHistory(session.get());
  std::vector<hp_step_profile> steps(info.step_count);
  uint64_t time = 0;  // One thread's: no other reads the clock.
  hp_profile profile = HP_PROFILE_INIT;
  profile.clock = [](void* opaque) { return ++*static_cast<uint64_t*>(opaque); };
  profile.opaque = &time;
  profile.steps = steps.data();
  profile.step_count = info.step_count;
  ASSERT_EQ(hp_session_set_profile(session.get(), &profile), HP_OK);
  Logits(session.get(), 1000);
  // Rounds of four tiles of 48, and one of smaller ones.
  EXPECT_EQ(steps.back().runs, 6u);
}

INSTANTIATE_TEST_SUITE_P(Precisions, WorkersTest, ::testing::Bool(), [](const auto& test) {
  return std::string(test.param ? "Int8" : "Float32");
});

// Real threads in many sessions of one model at a time, each with workers of its own.
TEST(WorkerThreadsTest, SessionsWithWorkersShareAModel) {
  const OpenModel model(testing::Serialized(*Bundle(false)));
  ASSERT_EQ(model.status(), HP_OK) << model.error().message;
  std::vector<int64_t> items(333);
  for (size_t i = 0; i < items.size(); ++i) items[i] = static_cast<int64_t>(i * i % 6);
  const auto score = [&](uint32_t workers, std::vector<float>* logits) {
    ParallelCalls calls;
    const OpenSession session(model.get(), Workers(workers, testing::InThreads, &calls));
    Batch events(3);
    events.Integers(kSequenceEvent, {2, 4, 1});
    Batch batch(items.size());
    batch.Integers(kSequenceItem, items);
    logits->assign(items.size(), 0);
    hp_session_set_history(session.get(), events.get());
    for (int round = 0; round < 50; ++round) {
      hp_session_score(session.get(), batch.get(), nullptr, logits->data());
    }
  };
  std::vector<float> expected;
  score(1, &expected);
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back(score, 3, &result);
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, expected);
}

// ---- A parallel_for that does not do what it says ----

// How, in the order in which the calls of one test go wrong.
struct Unreliable {
  std::function<void(uint32_t count, const std::function<void(uint32_t)>& task)> run;
};

void RunUnreliably(void* opaque, uint32_t count, void (*task)(void*, uint32_t), void* context) {
  static_cast<Unreliable*>(opaque)->run(count, [=](uint32_t i) { task(context, i); });
}

class UnreliableThreadsTest : public ::testing::Test {
 protected:
  UnreliableThreadsTest() : model_(testing::Serialized(*Bundle(false))) {
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.workers = 4;
    options.parallel_for = &RunUnreliably;
    options.parallel_opaque = &threads_;
    session_ = std::make_unique<OpenSession>(model_.get(), options);
    Batch events(3);
    events.Integers(kSequenceEvent, {1, 5, 2});
    EXPECT_EQ(hp_session_set_history(session_->get(), events.get()), HP_OK);
    for (size_t i = 0; i < 200; ++i) items_.push_back(static_cast<int64_t>(i * 5 % 6));
  }

  hp_status Score(std::vector<float>* logits, int64_t shift = 0) {
    Batch batch(items_.size());
    std::vector<int64_t> items = items_;
    for (int64_t& item : items) item = (item + shift) % 6;
    batch.Integers(kSequenceItem, items);
    logits->assign(items.size(), -77);
    return hp_session_score(session_->get(), batch.get(), nullptr, logits->data());
  }

  static void All(uint32_t count, const std::function<void(uint32_t)>& task) {
    for (uint32_t i = 0; i < count; ++i) task(i);
  }

  // Before and after the call that goes wrong: other candidates, so that what is left of theirs
  // would show.
  void Expect(const std::string& message) {
    const auto bad = threads_.run;
    std::vector<float> right, logits, other;
    threads_.run = All;
    ASSERT_EQ(Score(&right), HP_OK);
    ASSERT_EQ(Score(&other, 3), HP_OK);
    threads_.run = bad;
    EXPECT_EQ(Score(&logits), HP_INVALID_ARGUMENT);
    EXPECT_EQ(session_->message(), message);
    EXPECT_EQ(logits, std::vector<float>(logits.size(), -77));
    threads_.run = All;
    ASSERT_EQ(Score(&logits), HP_OK) << session_->message();
    EXPECT_EQ(logits, right);
  }

  OpenModel model_;
  Unreliable threads_;
  std::unique_ptr<OpenSession> session_;
  std::vector<int64_t> items_;
};

TEST_F(UnreliableThreadsTest, NoTaskRuns) {
  threads_.run = [](uint32_t, const std::function<void(uint32_t)>&) {};
  Expect("parallel_for did not run task 0 of 4");
}

TEST_F(UnreliableThreadsTest, OneTaskDoesNotRun) {
  threads_.run = [](uint32_t count, const std::function<void(uint32_t)>& task) {
    All(count - 1, task);
  };
  Expect("parallel_for did not run task 3 of 4");
}

TEST_F(UnreliableThreadsTest, OneTaskRunsTwice) {
  threads_.run = [](uint32_t count, const std::function<void(uint32_t)>& task) {
    All(count, task);
    task(1);
  };
  Expect("parallel_for ran task 1 of 4 twice");
}

TEST_F(UnreliableThreadsTest, OneTaskRunsInThePlaceOfAnother) {
  threads_.run = [](uint32_t, const std::function<void(uint32_t)>& task) {
    for (const uint32_t i : {0u, 1u, 1u, 3u}) task(i);
  };
  Expect("parallel_for did not run task 2 of 4");
}

TEST_F(UnreliableThreadsTest, OneTaskIsBeyondTheOthers) {
  threads_.run = [](uint32_t count, const std::function<void(uint32_t)>& task) {
    All(count + 1, task);
  };
  Expect("parallel_for ran task 4, it was to run 4 tasks");
}

TEST_F(UnreliableThreadsTest, OneTaskIsFarBeyondTheOthers) {
  threads_.run = [](uint32_t count, const std::function<void(uint32_t)>& task) {
    All(count, task);
    task(UINT32_MAX);
  };
  Expect("parallel_for ran task 4294967295, it was to run 4 tasks");
}

TEST_F(UnreliableThreadsTest, AWorkerThatHasNothingToDo) {
  items_.resize(17);  // Two lane groups.
  threads_.run = [](uint32_t count, const std::function<void(uint32_t)>& task) {
    All(count + 1, task);
  };
  Expect("parallel_for ran task 2, it was to run 2 tasks");
}

// A task that comes when the call has returned finds nothing to do.
TEST_F(UnreliableThreadsTest, ATaskComesLate) {
  std::function<void(uint32_t)> late;
  threads_.run = [&](uint32_t count, const std::function<void(uint32_t)>& task) {
    All(count - 1, task);
    late = task;
  };
  Expect("parallel_for did not run task 3 of 4");
  std::vector<float> right, logits;
  ASSERT_EQ(Score(&right), HP_OK);
  late(3);
  late(99);
  ASSERT_EQ(Score(&logits), HP_OK) << session_->message();
  EXPECT_EQ(logits, right);
}

// It returns while a task runs: the call waits for that, since the caller may free what it reads.
TEST_F(UnreliableThreadsTest, ATaskIsStillRunning) {
  std::vector<float> right, logits;
  threads_.run = All;
  ASSERT_EQ(Score(&right), HP_OK);
  // The clock is called inside of the first worker's tasks: there the task waits.
  struct Gate {
    std::atomic<bool> inside{false};
    std::atomic<bool> early{false};  // parallel_for is about to return.
    std::atomic<bool> done{false};   // The task is about to.
  } gate;
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model_.get(), &info), HP_OK);
  std::vector<hp_step_profile> steps(info.step_count);
  hp_profile profile = HP_PROFILE_INIT;
  profile.clock = [](void* opaque) {
    auto* of = static_cast<Gate*>(opaque);
    of->inside = true;
    while (!of->early) std::this_thread::yield();
    // Time for a call that does not wait.
    if (!of->done) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    of->done = true;
    return uint64_t{0};
  };
  profile.opaque = &gate;
  profile.steps = steps.data();
  profile.step_count = info.step_count;
  ASSERT_EQ(hp_session_set_profile(session_->get(), &profile), HP_OK);
  std::thread first;
  threads_.run = [&](uint32_t count, const std::function<void(uint32_t)>& task) {
    first = std::thread(task, 0);
    for (uint32_t i = 1; i < count; ++i) task(i);
    while (!gate.inside) std::this_thread::yield();
    gate.early = true;
  };
  EXPECT_EQ(Score(&logits), HP_INVALID_ARGUMENT);
  EXPECT_TRUE(gate.done);
  EXPECT_STREQ(session_->message(), "parallel_for returned while task 0 ran");
  EXPECT_EQ(logits, std::vector<float>(logits.size(), -77));
  threads_.run = All;
  ASSERT_EQ(Score(&logits), HP_OK) << session_->message();
  EXPECT_EQ(logits, right);
  first.join();
}

// Threads that run tasks when they come to it, and a parallel_for that does not wait for them: a
// call has right scores or an error, and its batch is gone when it has returned.
TEST_F(UnreliableThreadsTest, NobodyWaitsForTheTasks) {
  std::vector<float> right[2], logits;
  threads_.run = All;
  for (const int64_t shift : {0, 1}) ASSERT_EQ(Score(&right[shift], shift), HP_OK);
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> tasks;
  bool ended = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      std::unique_lock<std::mutex> lock(mutex);
      for (;;) {
        changed.wait(lock, [&] { return ended || !tasks.empty(); });
        if (tasks.empty()) return;
        const std::function<void()> task = std::move(tasks.front());
        tasks.pop_front();
        changed.notify_all();
        lock.unlock();
        task();
        lock.lock();
      }
    });
  }
  std::mt19937_64 random(1);
  threads_.run = [&](uint32_t count, const std::function<void(uint32_t)>& task) {
    std::unique_lock<std::mutex> lock(mutex);
    for (uint32_t i = 0; i < count; ++i) tasks.emplace_back([=] { task(i); });
    changed.notify_all();
    // All have been taken, and some may have been done; or not even that.
    const size_t left = random() % 4;
    changed.wait(lock, [&] { return tasks.size() <= left; });
  };
  size_t failed = 0;
  for (int i = 0; i < 1000; ++i) {
    const int64_t shift = i % 2;
    if (Score(&logits, shift) == HP_OK) {
      ASSERT_EQ(logits, right[shift]) << i;
    } else {
      ++failed;
      ASSERT_EQ(logits, std::vector<float>(logits.size(), -77)) << i;
    }
  }
  {
    const std::lock_guard<std::mutex> lock(mutex);
    ended = true;
    changed.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(failed, 0u);
  threads_.run = All;
  ASSERT_EQ(Score(&logits), HP_OK) << session_->message();
  EXPECT_EQ(logits, right[0]);
}

class WorkerOptionsTest : public ::testing::Test {
 protected:
  WorkerOptionsTest() : model_(testing::Serialized(*Bundle(false))) {}

  hp_status Size(const hp_session_options& options) {
    return hp_session_memory_size(model_.get(), &options, &bytes_, &error_);
  }

  OpenModel model_;
  ParallelCalls calls_;
  size_t bytes_ = 0;
  hp_error error_ = {};
};

TEST_F(WorkerOptionsTest, SeveralWorkersNeedAParallelFor) {
  EXPECT_EQ(Size(Workers(2, nullptr, nullptr)), HP_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "session options ask for 2 workers and have no parallel_for");
  EXPECT_EQ(Size(Workers(1, nullptr, nullptr)), HP_OK);
  EXPECT_EQ(Size(Workers(0, nullptr, nullptr)), HP_OK);
}

TEST_F(WorkerOptionsTest, MoreThan64AreRefused) {
  EXPECT_EQ(Size(Workers(65, testing::InOrder, &calls_)), HP_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "session options ask for 65 workers, expected at most 64");
  EXPECT_EQ(Size(Workers(64, testing::InOrder, &calls_)), HP_OK);
}

TEST_F(WorkerOptionsTest, EachTakesTheSameMemory) {
  size_t sizes[4] = {};
  for (uint32_t workers = 1; workers <= 3; ++workers) {
    ASSERT_EQ(Size(Workers(workers, testing::InOrder, &calls_)), HP_OK);
    sizes[workers] = bytes_;
  }
  EXPECT_GT(sizes[2], sizes[1]);
  EXPECT_EQ(sizes[3] - sizes[2], sizes[2] - sizes[1]);
  ASSERT_EQ(Size(Workers(0, nullptr, nullptr)), HP_OK);
  EXPECT_EQ(bytes_, sizes[1]);
}

TEST_F(WorkerOptionsTest, AnOlderHeadersOptionsHaveOneWorker) {
  // What follows is not the caller's struct any more.
  hp_session_options options = Workers(7, nullptr, nullptr);
  options.struct_size = 8;
  EXPECT_EQ(Size(options), HP_OK) << error_.message;
  const size_t without = bytes_;
  ASSERT_EQ(Size(Workers(1, nullptr, nullptr)), HP_OK);
  EXPECT_EQ(without, bytes_);
  options.tile = 49;
  EXPECT_EQ(Size(options), HP_INVALID_ARGUMENT) << "the tile is read";
}

TEST_F(WorkerOptionsTest, AStructThatIsTooSmallIsRefused) {
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.struct_size = 7;
  EXPECT_EQ(Size(options), HP_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message,
            "hp_session_options has struct_size 7, which ends inside of a field, expected " +
                std::to_string(sizeof(options)));
}

TEST_F(WorkerOptionsTest, ALaterHeadersOptionsAreServedWhereTheyAreZero) {
  struct {
    hp_session_options known;
    uint64_t later;
  } options = {Workers(2, testing::InOrder, &calls_), 0};
  options.known.struct_size = sizeof(options);
  EXPECT_EQ(Size(options.known), HP_OK) << error_.message;
  options.later = 77;
  EXPECT_EQ(Size(options.known), HP_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error_.message).find("a newer option"), std::string::npos)
      << error_.message;
}

}  // namespace
}  // namespace handpick
