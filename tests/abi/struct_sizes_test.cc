// Structs of older and newer callers, through the functions that take them: what they have is
// served, what this library does not know is refused by name, and nothing behind them is touched.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "handpick/update.h"
#include "sdk/api/shapes.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::kAge;
using testing::kItem;
using testing::kSeen;
using testing::kUser;
using testing::MakeRecallBundle;
using testing::OpenModel;
using testing::OpenSession;
using testing::RecallBundle;
using testing::RecallBundleOptions;
using testing::Serialized;

constexpr uint8_t kCanary = 0xA5;
constexpr size_t kMore = 16;  // Bytes that a future header has appended.

// A caller's struct of any size, and bytes behind it that are not the library's.
template <typename T>
class Callers {
 public:
  Callers(const T& value, size_t size) : size_(size) {
    std::memset(bytes_, kCanary, sizeof(bytes_));
    std::memcpy(bytes_, &value, std::min(sizeof(T), size));
    if (size > sizeof(T)) std::memset(bytes_ + sizeof(T), 0, size - sizeof(T));
    const auto stated = static_cast<uint32_t>(size);
    std::memcpy(bytes_, &stated, std::min(sizeof(stated), sizeof(bytes_)));
  }

  T* get() { return reinterpret_cast<T*>(bytes_); }
  uint8_t* byte(size_t i) { return bytes_ + i; }
  bool CanaryLives() const {
    for (size_t i = std::max(size_, sizeof(uint32_t)); i < sizeof(bytes_); ++i) {
      if (bytes_[i] != kCanary) return false;
    }
    return true;
  }

 private:
  size_t size_;
  alignas(T) uint8_t bytes_[sizeof(T) + kMore + 64];
};

// Sizes of callers whose struct ends behind a field; and those that end inside of one.
template <typename T>
void ForEachSize(const std::function<void(size_t size, bool cuts)>& call) {
  for (size_t size = 0; size <= sizeof(T); ++size) {
    bool cuts = size < sizeof(uint32_t);
    for (const StructField& field : StructShapeOf<T>::kFields) {
      cuts = cuts || (field.begin < size && size < field.end);
    }
    SCOPED_TRACE(std::string(StructShapeOf<T>::kShape.name) + " of " + std::to_string(size));
    call(size, cuts);
  }
}

// The structs that were tried.
std::set<std::string> tried;

template <typename T>
void ExpectFilled(const std::function<hp_status(T*)>& fill) {
  tried.insert(StructShapeOf<T>::kShape.name);
  T zero;
  std::memset(&zero, 0, sizeof(zero));  // Padding too.
  Callers<T> whole(zero, sizeof(T));
  ASSERT_EQ(fill(whole.get()), HP_OK);
  ForEachSize<T>([&](size_t size, bool cuts) {
    Callers<T> older(zero, size);
    EXPECT_EQ(fill(older.get()), cuts ? HP_INVALID_ARGUMENT : HP_OK);
    EXPECT_TRUE(older.CanaryLives());
    for (size_t i = sizeof(uint32_t); i < size; ++i) {
      EXPECT_EQ(*older.byte(i), cuts ? 0 : *whole.byte(i)) << "byte " << i;
    }
  });
  // Of what it does not know, the library says that it is nothing.
  Callers<T> newer(zero, sizeof(T) + kMore);
  std::memset(newer.byte(sizeof(T)), 7, kMore);
  ASSERT_EQ(fill(newer.get()), HP_OK);
  EXPECT_TRUE(newer.CanaryLives());
  EXPECT_EQ(newer.get()->struct_size, sizeof(T) + kMore);
  for (size_t i = sizeof(uint32_t); i < sizeof(T) + kMore; ++i) {
    EXPECT_EQ(*newer.byte(i), i < sizeof(T) ? *whole.byte(i) : 0) << "byte " << i;
  }
  // A size that was never set.
  Callers<T> unset(zero, sizeof(T));
  unset.get()->struct_size = 0xA5A5A5A5;
  EXPECT_EQ(fill(unset.get()), HP_INVALID_ARGUMENT);
}

// `message`: what the last failed call said.
template <typename T>
void ExpectTaken(const T& value, const std::function<hp_status(const T*)>& take,
                 const std::function<std::string()>& message) {
  const std::string name = StructShapeOf<T>::kShape.name;
  tried.insert(name);
  ForEachSize<T>([&](size_t size, bool cuts) {
    Callers<T> older(value, size);
    // Without a field that it cannot do without, the call may fail, but not for the size.
    const hp_status status = take(older.get());
    if (!cuts && status == HP_OK) return;
    EXPECT_EQ(status, HP_INVALID_ARGUMENT);
    EXPECT_EQ(message().find("struct_size") != std::string::npos, cuts) << message();
    if (!cuts) return;
    EXPECT_NE(message().find(name), std::string::npos) << message();
    EXPECT_NE(message().find(std::to_string(sizeof(T))), std::string::npos) << message();
  });
  Callers<T> newer(value, sizeof(T) + kMore);
  EXPECT_EQ(take(newer.get()), HP_OK) << message();
  *newer.byte(sizeof(T) + kMore - 1) = 1;
  EXPECT_EQ(take(newer.get()), HP_INVALID_ARGUMENT);
  EXPECT_NE(message().find(name + " has struct_size " + std::to_string(sizeof(T) + kMore)),
            std::string::npos)
      << message();
  Callers<T> unset(value, sizeof(T));
  unset.get()->struct_size = 0xA5A5A5A5;
  EXPECT_EQ(take(unset.get()), HP_INVALID_ARGUMENT);
}

class StructSizesTest : public ::testing::Test {
 protected:
  StructSizesTest()
      : made_(MakeRecallBundle(RecallBundleOptions{})),
        bytes_(Serialized(*made_.bundle)),
        model_(Serialized(*made_.bundle)),
        session_(model_.get()) {}

  void SetUp() override {
    ASSERT_EQ(model_.status(), HP_OK) << model_.error().message;
    ASSERT_EQ(hp_session_set_context(get(), Batch(1).Integers(kUser, {2}).get()), HP_OK);
    ASSERT_EQ(hp_session_set_history(get(), Batch(1).Integers(kSeen, {made_.ids[3].integer}).get()),
              HP_OK);
  }
  hp_session* get() { return session_.get(); }
  hp_status Open(const hp_open_options* options, hp_error* error) {
    hp_model* model = nullptr;
    const hp_status status =
        hp_model_open_buffer(bytes_.data(), bytes_.size(), options, &model, error);
    hp_model_close(model);
    return status;
  }
  void TryWhatIsFilledIn();
  void TryWhatIsHandedIn();
  std::function<std::string()> said() {
    return [this] { return std::string(session_.message()); };
  }

  RecallBundle made_;
  testing::Bytes bytes_;
  OpenModel model_;
  OpenSession session_;
};

void StructSizesTest::TryWhatIsFilledIn() {
  ExpectFilled<hp_build_info>([](hp_build_info* info) { return hp_get_build_info(info); });
  ExpectFilled<hp_model_info>(
      [&](hp_model_info* info) { return hp_model_get_info(model_.get(), info); });
  ExpectFilled<hp_model_info>([&](hp_model_info* info) {
    return hp_bundle_inspect(bytes_.data(), bytes_.size(), info, nullptr);
  });
  ExpectFilled<hp_feature_info>(
      [&](hp_feature_info* info) { return hp_model_get_feature(model_.get(), kItem, info); });
  ExpectFilled<hp_output_info>(
      [&](hp_output_info* info) { return hp_model_get_output(model_.get(), 0, info); });
  ExpectFilled<hp_recall_info>(
      [&](hp_recall_info* info) { return hp_model_get_recall_info(model_.get(), info); });
  ExpectFilled<hp_recall_report>(
      [&](hp_recall_report* report) { return hp_session_get_recall_report(get(), report); });
  ExpectFilled<hp_session_counters>(
      [&](hp_session_counters* counters) { return hp_session_get_counters(get(), counters); });
  // A store that somebody has: hp_store_start reads no bundle.
  const std::string store = ::testing::TempDir() + "/struct_sizes_store";
  std::filesystem::create_directories(store);
  std::ofstream(store + "/state")
      << "handpick store 1\ncurrent 0000000000000007\nprevious 0000000000000008\n"
         "rejected 0000000000000009\ntrial 0\nstarts 0\n";
  ExpectFilled<hp_store_report>([&](hp_store_report* report) {
    char path[HP_STORE_PATH];
    return hp_store_start(store.c_str(), path, report, nullptr);
  });
}

void StructSizesTest::TryWhatIsHandedIn() {
  hp_error error = {};
  const std::function<std::string()> error_said = [&] { return std::string(error.message); };
  ExpectTaken<hp_session_options>(
      HP_SESSION_OPTIONS_INIT,
      [&](const hp_session_options* options) {
        size_t size = 0;
        return hp_session_memory_size(model_.get(), options, &size, &error);
      },
      error_said);
  hp_allocator allocator = HP_ALLOCATOR_INIT;
  allocator.allocate = [](void*, size_t bytes, size_t alignment) -> void* {
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  };
  allocator.release = [](void*, void* memory, size_t) { std::free(memory); };
  ExpectTaken<hp_allocator>(
      allocator,
      [&](const hp_allocator* from) {
        hp_open_options opening = HP_OPEN_OPTIONS_INIT;
        opening.allocator = from;
        return Open(&opening, &error);
      },
      error_said);
  hp_open_options opening = HP_OPEN_OPTIONS_INIT;
  opening.allocator = &allocator;
  ExpectTaken<hp_open_options>(
      opening, [&](const hp_open_options* from) { return Open(from, &error); }, error_said);
  Batch user(1);
  user.Integers(kUser, {2});
  ExpectTaken<hp_batch>(
      *user.get(),
      [&](const hp_batch* batch) {
        const hp_status status = hp_session_set_context(get(), batch);
        // An older caller's batch of no columns, or rows, is one that lacks something.
        return status == HP_MISSING_FEATURE ? HP_OK : status;
      },
      said());
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  options.k = 2;
  options.half_life = 1;
  options.interests = 1;
  ExpectTaken<hp_recall_options>(
      options,
      [&](const hp_recall_options* recall) {
        hp_recalled items[2];
        size_t count = 0;
        return hp_session_recall(get(), recall, items, &count);
      },
      said());
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model_.get(), &info), HP_OK);
  std::vector<hp_step_profile> steps(info.step_count);
  hp_profile profile = HP_PROFILE_INIT;
  profile.step_count = info.step_count;
  profile.steps = steps.data();
  profile.clock = [](void*) { return uint64_t{1}; };
  ExpectTaken<hp_profile>(
      profile,
      [&](const hp_profile* given) {
        const hp_status status = hp_session_set_profile(get(), given);
        hp_session_set_profile(get(), nullptr);
        return status;
      },
      said());
  Batch candidates(1);
  candidates.Integers(kItem, {made_.ids[3].integer});
  ExpectTaken<hp_rank_options>(
      HP_RANK_OPTIONS_INIT,
      [&](const hp_rank_options* from) {
        hp_ranked ranked[1];
        size_t count = 0;
        return hp_session_rank_by(get(), candidates.get(), from, 1, ranked, &count);
      },
      said());
  const std::string path = ::testing::TempDir() + "/struct_sizes.hpk";
  std::ofstream(path, std::ios::binary)
      .write(static_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
  ExpectTaken<hp_update_options>(
      HP_UPDATE_OPTIONS_INIT,
      [&](const hp_update_options* from) {
        // As far as its hashes, which it does not have.
        const hp_status status = hp_update_verify(path.c_str(), from, &error);
        return status == HP_NO_HASHES ? HP_OK : status;
      },
      error_said);
}

// Every struct of the headers that begins with its size: filled in or handed in, of any size.
TEST_F(StructSizesTest, EveryStructOfAnySize) {
  std::set<std::string> declared;
  for (const char* header : {"handpick.h", "diagnostics.h", "update.h"}) {
    std::ifstream file(std::string("sdk/include/handpick/") + header);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::regex sized("struct (hp_\\w+) \\{\\s*uint32_t struct_size;");
    for (std::sregex_iterator i(text.begin(), text.end(), sized), end; i != end; ++i) {
      declared.insert((*i)[1]);
    }
  }
  ASSERT_GT(declared.size(), 15u);
  TryWhatIsFilledIn();
  TryWhatIsHandedIn();
  EXPECT_EQ(tried, declared);
}

// A struct that lacks a field is one whose field has the initialiser's value.
TEST_F(StructSizesTest, WhatAnOlderCallerLacksIsTheDefault) {
  Callers<hp_recall_options> older(HP_RECALL_OPTIONS_INIT, offsetof(hp_recall_options, half_life));
  older.get()->k = 3;
  hp_recalled items[3];
  hp_recalled expected[3];
  size_t count = 0;
  ASSERT_EQ(hp_session_recall(get(), older.get(), items, &count), HP_OK) << session_.message();
  EXPECT_EQ(count, 3u);
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  options.k = 3;
  ASSERT_EQ(hp_session_recall(get(), &options, expected, &count), HP_OK);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(items[i].item, expected[i].item);
}

// ---- Arrays whose elements may grow ----

struct FutureColumn {
  hp_column known;
  uint64_t later;
};

TEST_F(StructSizesTest, ColumnsOfANewerCaller) {
  const int64_t user = 2;
  const float age = 0.5f;
  FutureColumn columns[2] = {};
  columns[0].known = {kUser, HP_INT64, &user, nullptr, nullptr, nullptr};
  columns[1].known = {kAge, HP_FLOAT32, nullptr, &age, nullptr, nullptr};
  hp_batch batch = HP_BATCH(&columns[0].known, 2, 1);
  batch.column_size = sizeof(FutureColumn);
  EXPECT_EQ(hp_session_set_context(get(), &batch), HP_OK) << session_.message();
  columns[1].later = 1;
  EXPECT_EQ(hp_session_set_context(get(), &batch), HP_INVALID_ARGUMENT);
  EXPECT_NE(said()().find("hp_batch.column_size is " + std::to_string(sizeof(FutureColumn))),
            std::string::npos)
      << said()();
  EXPECT_NE(said()().find("number 1 is not 0"), std::string::npos) << said()();
  columns[1].later = 0;
  // Only multiples of the alignment can be a newer caller's.
  for (const size_t size : {size_t{0}, sizeof(hp_column) - 8,
                            sizeof(hp_column) + alignof(hp_column) / 2, size_t{8192}}) {
    batch.column_size = static_cast<uint32_t>(size);
    for (const auto& call :
         {hp_session_set_context, hp_session_append_events, hp_session_set_history}) {
      EXPECT_EQ(call(get(), &batch), HP_INVALID_ARGUMENT) << size;
      EXPECT_NE(said()().find("hp_batch.column_size is " + std::to_string(size) + ", expected " +
                              std::to_string(sizeof(hp_column))),
                std::string::npos)
          << said()();
    }
    EXPECT_EQ(hp_session_score(get(), &batch, nullptr, nullptr), HP_INVALID_ARGUMENT) << size;
  }
}

struct FutureFilter {
  hp_filter known;
  uint64_t later;
};

TEST_F(StructSizesTest, FiltersOfANewerCaller) {
  const int64_t tag = 1;
  FutureFilter filters[2] = {};
  for (FutureFilter& filter : filters) {
    filter.known = HP_FILTER_INIT;
    filter.known.kind = HP_FILTER_NONE_OF;
    filter.known.feature = testing::kTags;
    filter.known.integers = &tag;
    filter.known.count = 1;
  }
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  options.k = 2;
  options.filters = &filters[0].known;
  options.filter_count = 2;
  options.filter_size = sizeof(FutureFilter);
  hp_recalled items[2];
  size_t count = 0;
  EXPECT_EQ(hp_session_recall(get(), &options, items, &count), HP_OK) << session_.message();
  filters[1].later = 1;
  EXPECT_EQ(hp_session_recall(get(), &options, items, &count), HP_INVALID_ARGUMENT);
  EXPECT_NE(said()().find("hp_recall_options.filter_size"), std::string::npos) << said()();
  options.filter_size = 8;
  EXPECT_EQ(hp_session_recall(get(), &options, items, &count), HP_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace handpick
