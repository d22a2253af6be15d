// Deltas: what they make, what they weigh, and what damage does.
#include "handpick/update.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "converter/update/make_delta.h"
#include "gtest/gtest.h"
#include "schema/delta.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

std::string RandomBytes(std::mt19937* random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>((*random)());
  return bytes;
}

class UpdateTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = EmptyTestFolder();
    old_ = folder_ + "/old";
    delta_ = folder_ + "/delta";
    new_ = folder_ + "/new";
  }

  // Applies a delta of two files to the first.
  std::string Updated(const std::string& from, const std::string& to) {
    const absl::StatusOr<std::string> delta = MakeDelta(from, to);
    EXPECT_TRUE(delta.ok()) << delta.status();
    WriteText(old_, from);
    WriteText(delta_, *delta);
    EXPECT_EQ(Apply(), HP_OK) << error_.message;
    return ReadText(new_);
  }

  hp_status Apply() {
    return hp_update_apply(old_.c_str(), delta_.c_str(), new_.c_str(), nullptr, &error_);
  }

  size_t FilesThere() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      count += entry.exists() ? 1 : 0;
    }
    return count;
  }

  std::string folder_, old_, delta_, new_;
  hp_error error_ = {};
};

TEST_F(UpdateTest, MakesTheNewBytes) {
  std::mt19937 random(1);
  const std::string a = RandomBytes(&random, 50000);
  const std::string b = RandomBytes(&random, 30000);
  std::string edited = a;
  for (int i = 0; i < 100; ++i) edited[random() % edited.size()] ^= 1;
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {a, a},
           {a, b},
           {a, edited},
           {a, a.substr(20000) + a.substr(0, 20000)},
           {a, a.substr(0, 10000) + b + a.substr(10000)},
           {a, a.substr(0, 10000) + a.substr(10064)},
           {a, a + a + a},
           {a, "x"},
           {"x", a},
           {"", a},
           {a, std::string(100000, '\0')},
           {std::string(100000, '\0'), std::string(90000, '\0') + "x"},
           {a, ""}}) {
    EXPECT_TRUE(Updated(from, to) == to) << from.size() << " " << to.size();
    std::filesystem::remove(new_);
  }
}

TEST_F(UpdateTest, AnyEditsRoundTrip) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    const std::string from = RandomBytes(&random, random() % 3000);
    std::string to;
    for (int part = static_cast<int>(random() % 6); part >= 0; --part) {
      if (random() % 3 == 0 || from.empty()) {
        to += RandomBytes(&random, random() % 200);
      } else {
        const size_t at = random() % from.size();
        to += from.substr(at, random() % 800);
      }
    }
    ASSERT_TRUE(Updated(from, to) == to) << round;
  }
}

// 2 % of the rows of a table moved, and its offset with them.
TEST_F(UpdateTest, SendsTheRowsThatMoved) {
  std::mt19937 random(3);
  for (const size_t row_bytes : {16u, 20u, 64u}) {
    const size_t rows = 8'000'000 / row_bytes;
    const std::string table = RandomBytes(&random, rows * row_bytes);
    std::string moved = table;
    for (size_t row = 0; row < rows; ++row) {
      if (random() % 50 != 0) continue;
      for (size_t i = 0; i < row_bytes; ++i) {
        moved[row * row_bytes + i] = static_cast<char>(random());
      }
    }
    const std::string to = RandomBytes(&random, 192) + moved;
    EXPECT_TRUE(Updated(RandomBytes(&random, 128) + table, to) == to);
    EXPECT_LT(std::filesystem::file_size(delta_), to.size() * 3 / 100) << row_bytes;
    std::filesystem::remove(new_);
  }
}

TEST_F(UpdateTest, DamageIsRefusedAndLeavesWhatWasThere) {
  std::mt19937 random(4);
  const std::string from = RandomBytes(&random, 2000);
  std::string to = from;
  for (int i = 0; i < 10; ++i) to[random() % to.size()] ^= 4;
  const std::string delta = *MakeDelta(from, to);
  WriteText(old_, from);
  WriteText(new_, "what was there");
  const auto expect_refused = [&](const std::string& damaged, hp_status status) {
    WriteText(delta_, damaged);
    EXPECT_EQ(Apply(), status) << error_.message;
    EXPECT_EQ(ReadText(new_), "what was there");
    EXPECT_EQ(FilesThere(), 3u);
  };
  for (size_t size = 0; size < delta.size(); ++size) {
    expect_refused(delta.substr(0, size), HP_NOT_A_DELTA);
  }
  expect_refused(delta + "x", HP_NOT_A_DELTA);
  for (size_t bit = 0; bit < 8 * delta.size(); ++bit) {
    std::string damaged = delta;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const size_t byte = bit / 8;
    // Of the header, size and hash of the old bundle.
    const bool of_old = (byte >= 8 && byte < 16) || (byte >= 24 && byte < 32);
    WriteText(delta_, damaged);
    const hp_status status = Apply();
    EXPECT_TRUE(status == HP_NOT_A_DELTA || (of_old && status == HP_WRONG_OLD_BUNDLE))
        << bit << ": " << error_.message;
    EXPECT_EQ(ReadText(new_), "what was there");
  }
  WriteText(old_, to);
  expect_refused(delta, HP_WRONG_OLD_BUNDLE);
  std::filesystem::remove(old_);
  WriteText(delta_, delta);
  EXPECT_EQ(Apply(), HP_FILE_ERROR);
}

TEST_F(UpdateTest, WhatIsNoFileIsRefusedAtOnce) {
  const std::string sound = *MakeDelta("old", "new");
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);  // There is no writer.
  WriteText(old_, "old");
  WriteText(delta_, sound);
  for (const std::string& path :
       {pipe, folder_, std::string("/dev/null"), std::string("/dev/zero")}) {
    SCOPED_TRACE(path);
    hp_status status = hp_update_apply(old_.c_str(), path.c_str(), new_.c_str(), nullptr, &error_);
    EXPECT_TRUE(status == HP_FILE_ERROR || status == HP_NOT_A_DELTA) << status;
    EXPECT_NE(std::string(error_.message).find(path), std::string::npos) << error_.message;
    status = hp_update_apply(path.c_str(), delta_.c_str(), new_.c_str(), nullptr, &error_);
    EXPECT_TRUE(status == HP_FILE_ERROR || status == HP_WRONG_OLD_BUNDLE) << status;
    EXPECT_EQ(hp_update_verify(path.c_str(), nullptr, &error_),
              path.rfind("/dev/", 0) == 0 ? HP_NOT_A_BUNDLE : HP_FILE_ERROR);
    EXPECT_EQ(FilesThere(), 3u);
  }
  // In the place of a store's state.
  ASSERT_EQ(mkfifo((folder_ + "/state").c_str(), 0600), 0);
  char path[HP_STORE_PATH];
  EXPECT_EQ(hp_store_start(folder_.c_str(), path, nullptr, &error_), HP_FILE_ERROR);
}

// The disk is full: no part of the new bundle stays, and what was there does.
TEST_F(UpdateTest, AFullDiskLeavesWhatWasThere) {
  std::mt19937 random(6);
  const std::string from = RandomBytes(&random, 300'000);
  std::string to = from;
  for (size_t i = 0; i < to.size(); i += 5000) to[i] ^= 1;
  WriteText(old_, from);
  WriteText(delta_, *MakeDelta(from, to));
  WriteText(new_, "what was there");
  const pid_t child = fork();
  if (child == 0) {
    // Files may not grow beyond it.
    const rlimit limit = {200'000, 200'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    _exit(Apply() == HP_FILE_ERROR && std::strstr(error_.message, "cannot write") != nullptr ? 0
                                                                                             : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(ReadText(new_), "what was there");
  EXPECT_EQ(FilesThere(), 3u);
}

TEST_F(UpdateTest, AHostileDeltaWritesNoMoreThanItMay) {
  // A step that copies a byte for ever would fill the disk: sizes are checked before anything is
  // written.
  schema::DeltaHeader header = {};
  std::memcpy(header.magic, schema::kDeltaMagic, sizeof(header.magic));
  WriteText(old_, "");
  header.old_xxh3 = 0x2d06800538d394c2;  // Of nothing.
  header.new_size = schema::kMaxDeltaFile + 1;
  header.delta_size = sizeof(header);
  WriteText(delta_, std::string(reinterpret_cast<const char*>(&header), sizeof(header)));
  EXPECT_EQ(Apply(), HP_NOT_A_DELTA);
  EXPECT_NE(std::string(error_.message).find("larger than any"), std::string::npos);
  // Steps that do nothing are no way to keep a device busy.
  header.new_size = 1;
  header.delta_size = sizeof(header) + 3;
  WriteText(delta_, std::string(reinterpret_cast<const char*>(&header), sizeof(header)) +
                        std::string(3, '\0'));
  EXPECT_EQ(Apply(), HP_NOT_A_DELTA);
  EXPECT_EQ(FilesThere(), 2u);
}

TEST_F(UpdateTest, TakesTheMemoryThatTheHeaderSaysAndTellsHowFarItIs) {
  std::mt19937 random(5);
  const std::string from = RandomBytes(&random, 3'000'000);
  std::string to = from;
  for (size_t i = 0; i < to.size(); i += 1000) to[i] ^= 1;
  WriteText(old_, from);
  WriteText(delta_, *MakeDelta(from, to));
  struct Counts {
    size_t bytes = 0;
    size_t calls = 0;
    std::vector<uint64_t> done;
  } counts;
  hp_allocator allocator = HP_ALLOCATOR_INIT;
  allocator.opaque = &counts;
  allocator.allocate = [](void* opaque, size_t bytes, size_t alignment) -> void* {
    auto* own = static_cast<Counts*>(opaque);
    own->bytes += bytes;
    own->calls += 1;
    return std::aligned_alloc(alignment, bytes);
  };
  allocator.release = [](void*, void* memory, size_t) { std::free(memory); };
  hp_update_options options = HP_UPDATE_OPTIONS_INIT;
  options.allocator = &allocator;
  options.progress = [](void* opaque, uint64_t done, uint64_t total) {
    EXPECT_EQ(total, 3'000'000u);
    static_cast<Counts*>(opaque)->done.push_back(done);
  };
  options.progress_opaque = &counts;
  ASSERT_EQ(hp_update_apply(old_.c_str(), delta_.c_str(), new_.c_str(), &options, &error_), HP_OK);
  EXPECT_EQ(counts.calls, 1u);
  EXPECT_EQ(counts.bytes, size_t{HP_UPDATE_MEMORY});
  ASSERT_GT(counts.done.size(), 10u);
  EXPECT_LT(counts.done.size(), 100u);
  EXPECT_TRUE(std::is_sorted(counts.done.begin(), counts.done.end()));
  EXPECT_EQ(counts.done.back(), 3'000'000u);
  // Into the old one's own name.
  ASSERT_EQ(hp_update_apply(old_.c_str(), delta_.c_str(), old_.c_str(), nullptr, &error_), HP_OK);
  EXPECT_TRUE(ReadText(old_) == to);
}

}  // namespace
}  // namespace handpick::converter
