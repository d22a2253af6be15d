// Threads that score, recall, look and open while models are swapped under them: with
// --config=tsan, which sees races.
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/tiny/worker_threads.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::Bytes;
using testing::kItem;
using testing::kSeen;
using testing::kSequenceEvent;
using testing::kSequenceItem;
using testing::kSequenceUser;
using testing::kUser;
using testing::MakeRecallBundle;
using testing::MakeSequenceBundle;
using testing::OpenOverlay;
using testing::OpenSession;
using testing::ParallelCalls;
using testing::RecallBundleOptions;
using testing::Serialized;

constexpr int kThreads = 8;
constexpr int kScorings = 10000;
constexpr int kModels = 100;
constexpr int kScoringsOfASession = 20;

// The bundles that are swapped. Their numbers are their models' versions.
class Bundles {
 public:
  Bundles() {
    for (const auto cell :
         {schema::RecurrentCell::AttentionUpdateGru, schema::RecurrentCell::AttentionGru}) {
      auto bundle = MakeSequenceBundle(cell);
      testing::FuseSequenceUnit(cell == schema::RecurrentCell::AttentionGru, bundle.get());
      Add(bundle.get());
    }
    auto made = MakeRecallBundle(RecallBundleOptions{});
    Add(made.bundle.get());
    for (const hp_item_id& id : made.ids) recall_ids_.push_back(id.integer);
  }

  size_t size() const { return bytes_.size(); }
  const Bytes& bytes(size_t number) const { return *bytes_[number]; }
  bool recalls(size_t number) const { return number == 2; }
  const std::vector<int64_t>& recall_ids() const { return recall_ids_; }

 private:
  void Add(schema::BundleT* bundle) {
    bundle->model_version = std::to_string(bytes_.size());
    bytes_.push_back(std::make_unique<Bytes>(Serialized(*bundle)));
  }

  std::vector<std::unique_ptr<Bytes>> bytes_;
  std::vector<int64_t> recall_ids_;
};

size_t NumberOf(const hp_model* model) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  EXPECT_EQ(hp_model_get_info(model, &info), HP_OK);
  return static_cast<size_t>(info.model_version[0] - '0');
}

// What a user's session says, `round` by round; the same for every session of a bundle.
std::vector<float> Answer(const Bundles& bundles, size_t number, hp_session* session, int round,
                          const hp_recall_overlay* overlay) {
  const bool recalls = bundles.recalls(number);
  const std::vector<int64_t>& ids = bundles.recall_ids();
  constexpr size_t kRows = 40;
  Batch context(1), events(2), candidates(kRows);
  std::vector<int64_t> items;
  for (size_t i = 0; i < kRows; ++i) {
    const size_t item = (i * 7 + static_cast<size_t>(round)) % (recalls ? ids.size() : 6);
    items.push_back(recalls ? ids[item] : static_cast<int64_t>(item));
  }
  if (recalls) {
    context.Integers(kUser, {round % 5});
    events.Integers(kSeen, {ids[static_cast<size_t>(round) % ids.size()], ids[3]});
    candidates.Integers(kItem, items);
  } else {
    context.Integers(kSequenceUser, {round % 3});
    events.Integers(kSequenceEvent, {round % 6, (round + 4) % 6});
    candidates.Integers(kSequenceItem, items);
  }
  EXPECT_EQ(hp_session_set_context(session, context.get()), HP_OK);
  EXPECT_EQ(hp_session_append_events(session, events.get()), HP_OK);
  std::vector<float> answer(kRows, -77);
  EXPECT_EQ(hp_session_score(session, candidates.get(), nullptr, answer.data()), HP_OK)
      << hp_session_last_error(session)->message;
  if (recalls && round % 4 == 0) {
    hp_recall_options options = HP_RECALL_OPTIONS_INIT;
    options.k = 10;
    options.overlay = overlay;
    hp_recommended found[10];
    size_t count = 0;
    EXPECT_EQ(hp_session_recommend(session, &options, 10, found, &count), HP_OK)
        << hp_session_last_error(session)->message;
    for (size_t i = 0; i < count; ++i) answer.push_back(found[i].logit);
  }
  return answer;
}

// The model in force, which one thread swaps while others take it.
class Current {
 public:
  explicit Current(hp_model* model) : model_(model) {}
  ~Current() { hp_model_close(model_); }

  // For the caller, who closes it.
  hp_model* Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    hp_model_retain(model_);
    return model_;
  }
  void Swap(hp_model* model) {
    hp_model* old;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      old = model_;
      model_ = model;
    }
    hp_model_close(old);
  }

 private:
  std::mutex mutex_;
  hp_model* model_;
};

TEST(StressTest, ModelsAreSwappedWhileThreadsScore) {
  const Bundles bundles;
  const auto open = [&](size_t number) {
    hp_model* model = nullptr;
    hp_error error = {};
    EXPECT_EQ(hp_model_open_buffer(bundles.bytes(number).data(), bundles.bytes(number).size(),
                                   nullptr, &model, &error),
              HP_OK)
        << error.message;
    return model;
  };
  // What every session has to say.
  std::vector<std::vector<std::vector<float>>> expected(bundles.size());
  for (size_t number = 0; number < bundles.size(); ++number) {
    hp_model* model = open(number);
    ASSERT_NE(model, nullptr);
    const OpenSession session(model);
    for (int round = 0; round < kScoringsOfASession; ++round) {
      expected[number].push_back(Answer(bundles, number, session.get(), round, nullptr));
    }
    hp_model_close(model);
  }

  Current current(open(0));
  std::atomic<int> scorings{0};
  std::atomic<int> wrong{0};
  const auto work = [&](int thread) {
    for (int turn = 0; scorings < kScorings; ++turn) {
      hp_model* model = current.Take();
      const size_t number = NumberOf(model);
      ParallelCalls calls;
      hp_session_options options = HP_SESSION_OPTIONS_INIT;
      if (turn % 8 == 0) {
        options.workers = 2;
        options.parallel_for = testing::InThreads;
        options.parallel_opaque = &calls;
      }
      // In memory of its own, with an owned model; or in the thread's, and the model has to stay.
      hp_session* session = nullptr;
      std::unique_ptr<OpenSession> in_place;
      if ((turn + thread) % 2 == 0) {
        EXPECT_EQ(hp_session_new(model, &options, &session, nullptr), HP_OK);
        hp_model_close(model);
        model = nullptr;
      } else {
        in_place = std::make_unique<OpenSession>(model, options);
        session = in_place->get();
      }
      for (int round = 0; round < kScoringsOfASession; ++round) {
        if (Answer(bundles, number, session, round, nullptr) !=
            expected[number][static_cast<size_t>(round)]) {
          ++wrong;
        }
        ++scorings;
      }
      if (in_place == nullptr) hp_session_free(session);
      hp_model_close(model);
      // What opens and closes nothing else, beside it.
      if (turn % 16 == 0) {
        hp_model_info info = HP_MODEL_INFO_INIT;
        hp_bundle_inspect(bundles.bytes(number).data(), bundles.bytes(number).size(), &info,
                          nullptr);
      }
    }
  };
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back(work, thread);
  for (int opened = 1; opened <= kModels; ++opened) {
    current.Swap(open(static_cast<size_t>(opened) % bundles.size()));
    // Spread over the scorings.
    while (scorings < kScorings && scorings < opened * (kScorings / kModels)) {
      std::this_thread::yield();
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(scorings, kScorings);
}

// One overlay, which is not changed, searched by many sessions.
TEST(StressTest, SessionsShareAnOverlay) {
  const Bundles bundles;
  hp_model* model = nullptr;
  ASSERT_EQ(hp_model_open_buffer(bundles.bytes(2).data(), bundles.bytes(2).size(), nullptr, &model,
                                 nullptr),
            HP_OK);
  OpenOverlay overlay(model, 4);
  ASSERT_EQ(overlay.Hide({bundles.recall_ids()[7], {nullptr, 0}}), HP_OK);
  ASSERT_EQ(overlay.Add({5, {nullptr, 0}}, std::vector<float>(16, 0.5f)), HP_OK);
  std::vector<float> expected;
  {
    const OpenSession session(model);
    expected = Answer(bundles, 2, session.get(), 0, overlay.get());
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const OpenSession session(model);
        if (Answer(bundles, 2, session.get(), 0, overlay.get()) != expected) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  hp_model_close(model);
}

}  // namespace
}  // namespace handpick
