// The folder that has the bundle in use and the one before, as an app uses it over its starts; and
// what is there when the app stops at any of its system calls.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdarg>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/pipeline.h"
#include "converter/update/make_delta.h"
#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "handpick/update.h"
#include "schema/bundle_generated.h"
#include "tests/support/random_model.h"
#include "tests/support/test_files.h"

namespace {
// System calls before the process stops; below 0: it does not.
int calls_left = -1;

// Files that were waited for, and names that others got.
std::set<ino_t> on_the_disk;
std::vector<std::string> named_too_early;

void Count() {
  if (calls_left == 0) _exit(77);
  if (calls_left > 0) --calls_left;
}
}  // namespace

// What the linker puts in place of the functions (--wrap).
extern "C" {
int __real_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...) {
  Count();
  va_list arguments;
  va_start(arguments, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
  va_end(arguments);
  return __real_open(path, flags, mode);
}
ssize_t __real_write(int descriptor, const void* data, size_t size);
ssize_t __wrap_write(int descriptor, const void* data, size_t size) {
  Count();
  // Stops in the middle of it, too.
  if (calls_left == 0 && size > 1) {
    __real_write(descriptor, data, size / 2);
    _exit(77);
  }
  return __real_write(descriptor, data, size);
}
int __real_fsync(int descriptor);
int __wrap_fsync(int descriptor) {
  Count();
  struct stat file;
  if (fstat(descriptor, &file) == 0) on_the_disk.insert(file.st_ino);
  return __real_fsync(descriptor);
}
int __real_rename(const char* from, const char* to);
int __wrap_rename(const char* from, const char* to) {
  Count();
  struct stat file;
  if (stat(from, &file) == 0 && on_the_disk.count(file.st_ino) == 0) named_too_early.push_back(to);
  const int result = __real_rename(from, to);
  Count();
  return result;
}
int __real_remove(const char* path);
int __wrap_remove(const char* path) {
  Count();
  return __real_remove(path);
}
}

namespace handpick {
namespace {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = EmptyTestFolder();
    store_ = root_ + "/store";
    std::filesystem::create_directory(store_);
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      const converter::RandomModel model = converter::MakeRandomModel(seed);
      auto conversion =
          converter::Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
      ASSERT_TRUE(conversion.ok()) << conversion.status();
      auto bytes = converter::Serialize(conversion->bundle);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      bundles_.push_back(WriteText(root_ + "/bundle" + std::to_string(seed), *bytes));
    }
  }

  // A copy that can be moved.
  std::string Downloaded(size_t bundle) {
    const std::string path = root_ + "/download";
    std::filesystem::copy_file(bundles_[bundle], path,
                               std::filesystem::copy_options::overwrite_existing);
    return path;
  }

  hp_status Install(size_t bundle) {
    return hp_store_install(store_.c_str(), Downloaded(bundle).c_str(), nullptr, &error_);
  }
  hp_status Start() { return hp_store_start(store_.c_str(), path_, &report_, &error_); }
  hp_status Confirm() { return hp_store_confirm(store_.c_str(), &error_); }

  // That a start names this bundle, whole.
  void ExpectStarts(size_t bundle, hp_store_outcome outcome) {
    ASSERT_EQ(Start(), HP_OK) << error_.message;
    EXPECT_EQ(report_.outcome, outcome);
    EXPECT_TRUE(ReadText(path_) == ReadText(bundles_[bundle])) << path_;
  }

  size_t FilesInStore() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(store_)) {
      count += entry.exists() ? 1 : 0;
    }
    return count;
  }

  std::string root_, store_;
  std::vector<std::string> bundles_;
  char path_[HP_STORE_PATH];
  hp_store_report report_ = HP_STORE_REPORT_INIT;
  hp_error error_ = {};
};

TEST_F(StoreTest, GoesOnFallsBackAndRollsBack) {
  EXPECT_EQ(Start(), HP_NO_BUNDLE);
  EXPECT_EQ(Confirm(), HP_NO_BUNDLE);
  ASSERT_EQ(Install(0), HP_OK) << error_.message;
  EXPECT_FALSE(std::filesystem::exists(root_ + "/download"));
  ExpectStarts(0, HP_STORE_TRIAL);
  // There is nothing to fall back to.
  ExpectStarts(0, HP_STORE_TRIAL);
  ASSERT_EQ(Confirm(), HP_OK);
  ExpectStarts(0, HP_STORE_CONFIRMED);
  ASSERT_EQ(Install(1), HP_OK);
  // Nobody has tried it: this confirms nothing.
  ASSERT_EQ(Confirm(), HP_OK);
  ExpectStarts(1, HP_STORE_TRIAL);
  const uint64_t bad = report_.current;
  EXPECT_NE(report_.previous, 0u);
  // The app did not come as far as confirming it.
  ExpectStarts(0, HP_STORE_FELL_BACK);
  EXPECT_EQ(report_.rejected, bad);
  EXPECT_EQ(report_.previous, 0u);
  EXPECT_EQ(FilesInStore(), 2u);
  ExpectStarts(0, HP_STORE_CONFIRMED);
  ASSERT_EQ(Install(2), HP_OK);
  ExpectStarts(2, HP_STORE_TRIAL);
  ASSERT_EQ(Confirm(), HP_OK);
  ASSERT_EQ(hp_store_rollback(store_.c_str(), &error_), HP_OK);
  ExpectStarts(0, HP_STORE_CONFIRMED);
  EXPECT_EQ(hp_store_rollback(store_.c_str(), &error_), HP_NO_BUNDLE);
  // The one before the last is removed, and a trial that nobody confirmed is replaced.
  ASSERT_EQ(Install(1), HP_OK);
  ExpectStarts(1, HP_STORE_TRIAL);
  ASSERT_EQ(Install(2), HP_OK);
  EXPECT_EQ(FilesInStore(), 3u);
  ExpectStarts(2, HP_STORE_TRIAL);
  ExpectStarts(0, HP_STORE_FELL_BACK);
}

TEST_F(StoreTest, RefusesWhatIsNoBundleOrIsDamaged) {
  ASSERT_EQ(Install(0), HP_OK);
  ExpectStarts(0, HP_STORE_TRIAL);
  std::string bytes = ReadText(bundles_[1]);
  bytes[bytes.size() / 2] ^= 1;
  const std::string damaged = WriteText(root_ + "/damaged", bytes);
  EXPECT_EQ(hp_store_install(store_.c_str(), damaged.c_str(), nullptr, &error_), HP_BUNDLE_CORRUPT);
  EXPECT_TRUE(std::filesystem::exists(damaged));
  EXPECT_EQ(hp_store_install(store_.c_str(), (root_ + "/none").c_str(), nullptr, &error_),
            HP_FILE_ERROR);
  WriteText(store_ + "/state", "handpick store 2\n");
  EXPECT_EQ(Start(), HP_STORE_CORRUPT);
  EXPECT_NE(std::string(error_.message).find("/state"), std::string::npos);
  EXPECT_EQ(Start(), HP_STORE_CORRUPT);
}

// After a loss of power, a name may be there and its file's bytes not.
TEST_F(StoreTest, WhatGetsANameIsOnTheDisk) {
  on_the_disk.clear();
  named_too_early.clear();
  for (const size_t bundle : {0, 1}) {
    ASSERT_EQ(Install(bundle), HP_OK) << error_.message;
    ExpectStarts(bundle, HP_STORE_TRIAL);
    ASSERT_EQ(Confirm(), HP_OK);
  }
  EXPECT_GT(on_the_disk.size(), 3u);
  EXPECT_EQ(named_too_early, std::vector<std::string>());
}

// A bundle that computes something else here than where it was made never gets to be used.
TEST_F(StoreTest, RefusesWhatDoesNotComputeItsGoldens) {
  ASSERT_EQ(Install(0), HP_OK);
  ExpectStarts(0, HP_STORE_TRIAL);
  ASSERT_EQ(Confirm(), HP_OK);
  const std::string good = ReadText("tests/frozen/2.0/din_sigmoid.f32.hpk");
  std::unique_ptr<schema::BundleT> bundle(schema::GetBundle(good.data())->UnPack());
  ASSERT_FALSE(bundle->goldens.empty());
  bundle->goldens[0]->logits[0] += 0.5f;
  const auto install = [&](const std::string& bytes) {
    const std::string file = WriteText(root_ + "/golden", bytes);
    const hp_status verified = hp_update_verify(file.c_str(), nullptr, nullptr);
    EXPECT_EQ(hp_store_install(store_.c_str(), file.c_str(), nullptr, &error_), verified);
    return error_.status;
  };
  EXPECT_EQ(install(*converter::Serialize(*bundle)), HP_GOLDEN_MISMATCH);
  EXPECT_NE(std::string(error_.message).find("golden request 0"), std::string::npos)
      << error_.message;
  ExpectStarts(0, HP_STORE_CONFIRMED);
  EXPECT_EQ(FilesInStore(), 2u);
  // What does is a trial.
  EXPECT_EQ(install(good), HP_OK) << error_.message;
  ASSERT_EQ(Start(), HP_OK);
  EXPECT_EQ(report_.outcome, HP_STORE_TRIAL);
}

// Runs `call` in a process of its own that stops at its n-th system call. False: it came to its end
// before.
template <typename Call>
bool StopsAt(int n, Call call) {
  const pid_t child = fork();
  if (child == 0) {
    calls_left = n;
    call();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status) == 77;
}

TEST_F(StoreTest, AStopAnywhereLeavesTheOldOrTheNewOneWhole) {
  ASSERT_EQ(Install(0), HP_OK);
  ExpectStarts(0, HP_STORE_TRIAL);
  ASSERT_EQ(Confirm(), HP_OK);
  const std::string saved = root_ + "/saved";
  std::filesystem::copy(store_, saved);
  const std::string before = ReadText(bundles_[0]);
  const std::string after = ReadText(bundles_[1]);
  const std::string delta = WriteText(root_ + "/delta", *converter::MakeDelta(before, after));
  int stops = 0;
  std::set<std::string> seen;
  for (bool stopped = true; stopped; ++stops) {
    ASSERT_LT(stops, 1000);
    std::filesystem::remove_all(store_);
    std::filesystem::copy(saved, store_);
    stopped = StopsAt(stops, [&] {
      char path[HP_STORE_PATH];
      const std::string download = root_ + "/download";
      if (hp_store_start(store_.c_str(), path, nullptr, nullptr) != HP_OK ||
          hp_update_apply(path, delta.c_str(), download.c_str(), nullptr, nullptr) != HP_OK ||
          hp_store_install(store_.c_str(), download.c_str(), nullptr, nullptr) != HP_OK ||
          hp_store_start(store_.c_str(), path, nullptr, nullptr) != HP_OK ||
          hp_store_confirm(store_.c_str(), nullptr) != HP_OK) {
        _exit(1);
      }
    });
    ASSERT_EQ(Start(), HP_OK) << error_.message;
    const std::string bytes = ReadText(path_);
    EXPECT_TRUE(bytes == before || bytes == after) << "after stop " << stops;
    seen.insert(bytes == before ? "old" : "new");
    // And it goes on from there.
    ASSERT_EQ(Install(2), HP_OK) << error_.message;
    ExpectStarts(2, HP_STORE_TRIAL);
    ASSERT_EQ(Confirm(), HP_OK);
    EXPECT_LE(FilesInStore(), 4u) << "a left-over at most";
  }
  EXPECT_GT(stops, 20);
  EXPECT_EQ(seen.size(), 2u);
}

}  // namespace
}  // namespace handpick
