// Opening: a file, a part of one, a buffer; in place and copied. What is no file is refused.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "tests/support/counting_allocator.h"
#include "tests/support/test_files.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::Bytes;
using testing::CountingAllocator;
using testing::kAge;
using testing::kItem;
using testing::kUser;
using testing::MakeTinyBundle;
using testing::OpenModel;
using testing::OpenSession;
using testing::Serialized;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  void Close() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

class OpenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = EmptyTestFolder();
    serialized_ = Serialized(*MakeTinyBundle());
    const OpenModel model(serialized_);
    expected_ = Logit(model.get());
  }

  void TearDown() override {
    hp_model_close(model_);
    EXPECT_EQ(counted_.bytes, 0);
  }

  static float Logit(const hp_model* model) {
    const OpenSession session(model);
    Batch context(1), candidates(1);
    context.Integers(kUser, {3}).Numbers(kAge, {0.5f});
    candidates.Integers(kItem, {10});
    float logit = 0;
    EXPECT_EQ(hp_session_set_context(session.get(), context.get()), HP_OK) << session.message();
    EXPECT_EQ(hp_session_score(session.get(), candidates.get(), nullptr, &logit), HP_OK)
        << session.message();
    return logit;
  }

  // Replaces model_.
  hp_status Open(const std::function<hp_status(const hp_open_options*)>& open, uint32_t flags = 0) {
    hp_model_close(model_);
    model_ = kOther;
    const hp_allocator allocator = counted_.allocator();
    hp_open_options options = HP_OPEN_OPTIONS_INIT;
    options.flags = flags;
    options.allocator = &allocator;
    const hp_status status = open(&options);
    if (status != HP_OK) {
      EXPECT_EQ(model_, nullptr) << "after a failure";
      EXPECT_EQ(counted_.bytes, 0) << "after a failure";
      model_ = nullptr;
    }
    return status;
  }
  hp_status OpenFile(const std::string& path, uint32_t flags = 0) {
    return Open(
        [&](const hp_open_options* options) {
          return hp_model_open_file(path.c_str(), options, &model_, &error_);
        },
        flags);
  }
  hp_status OpenFd(int fd, int64_t offset, int64_t length, uint32_t flags = 0) {
    return Open(
        [&](const hp_open_options* options) {
          return hp_model_open_fd(fd, offset, length, options, &model_, &error_);
        },
        flags);
  }
  hp_status OpenBuffer(const void* data, size_t size, uint32_t flags = 0) {
    return Open(
        [&](const hp_open_options* options) {
          return hp_model_open_buffer(data, size, options, &model_, &error_);
        },
        flags);
  }

  bool Said(const std::string& words) const {
    return std::string(error_.message).find(words) != std::string::npos;
  }

  // It works, and took what it says.
  void ExpectOpened(uint64_t copied) {
    ASSERT_NE(model_, nullptr);
    hp_model_info info = HP_MODEL_INFO_INIT;
    ASSERT_EQ(hp_model_get_info(model_, &info), HP_OK);
    EXPECT_EQ(info.bundle_bytes, serialized_.size());
    EXPECT_EQ(info.copied_bytes, copied);
    EXPECT_EQ(static_cast<uint64_t>(counted_.bytes),
              info.model_bytes + info.engine_bytes + info.copied_bytes);
    EXPECT_EQ(Logit(model_), expected_);
  }

  // What *model held before a call.
  hp_model* const kOther = reinterpret_cast<hp_model*>(this);
  std::string folder_;
  std::string serialized_;
  float expected_ = 0;
  CountingAllocator counted_ = {/*gives_garbage=*/true};
  hp_model* model_ = nullptr;
  hp_error error_ = {};
};

TEST_F(OpenTest, AFileInPlace) {
  const std::string path = WriteText(folder_ + "/tiny.hpk", serialized_);
  ASSERT_EQ(OpenFile(path), HP_OK) << error_.message;
  EXPECT_STREQ(error_.message, "");
  ExpectOpened(0);
  // A new file of the old name: the model keeps the old bytes.
  WriteText(folder_ + "/new", std::string(serialized_.size(), '\0'));
  ASSERT_EQ(rename((folder_ + "/new").c_str(), path.c_str()), 0);
  ExpectOpened(0);
}

TEST_F(OpenTest, ACopiedFileMayBeOverwrittenAndCutShort) {
  const std::string path = WriteText(folder_ + "/tiny.hpk", serialized_);
  ASSERT_EQ(OpenFile(path, HP_OPEN_COPY), HP_OK) << error_.message;
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file << std::string(serialized_.size(), '\xFF');
  }
  ExpectOpened(serialized_.size());
  ASSERT_EQ(truncate(path.c_str(), 1), 0);
  ExpectOpened(serialized_.size());
  EXPECT_EQ(hp_model_check(model_, &error_), HP_NO_HASHES) << "the bytes can be read";
}

TEST_F(OpenTest, APartOfAFileWithoutACopyWhereItIsAligned) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t length = static_cast<int64_t>(serialized_.size());
  for (const int64_t offset : {int64_t{0}, int64_t{64}, int64_t{4096}, page + 192, 3 * page}) {
    for (const int64_t behind : {int64_t{0}, int64_t{3}, 2 * page}) {
      SCOPED_TRACE(std::to_string(offset) + ", " + std::to_string(behind));
      const std::string path = WriteText(
          folder_ + "/app.apk", std::string(static_cast<size_t>(offset), 'a') + serialized_ +
                                    std::string(static_cast<size_t>(behind), 'b'));
      Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
      ASSERT_EQ(lseek(file.get(), 5, SEEK_SET), 5);
      ASSERT_EQ(OpenFd(file.get(), offset, length), HP_OK) << error_.message;
      EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 5) << "the position";
      if (behind == 0) {
        ASSERT_EQ(OpenFd(file.get(), offset, -1), HP_OK) << error_.message;
        EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 5) << "the position";
      }
      file.Close();
      ExpectOpened(0);
    }
  }
}

TEST_F(OpenTest, APartOfAFileIsCopiedWhereItIsNotAligned) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t length = static_cast<int64_t>(serialized_.size());
  for (const int64_t offset : {int64_t{1}, int64_t{4}, int64_t{32}, page - 4, page + 8}) {
    SCOPED_TRACE(offset);
    const std::string path = WriteText(
        folder_ + "/app.apk", std::string(static_cast<size_t>(offset), 'a') + serialized_ + "bc");
    Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(OpenFd(file.get(), offset, length), HP_OK) << error_.message;
    file.Close();
    ASSERT_EQ(truncate(path.c_str(), 0), 0);
    ExpectOpened(serialized_.size());
  }
}

TEST_F(OpenTest, APartThatIsNotInTheFile) {
  const std::string path = WriteText(folder_ + "/app.apk", std::string(64, 'a') + serialized_);
  const int64_t length = static_cast<int64_t>(serialized_.size());
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  for (const uint32_t flags : {uint32_t{0}, uint32_t{HP_OPEN_COPY}}) {
    EXPECT_EQ(OpenFd(file.get(), 64, length + 1, flags), HP_FILE_ERROR);
    EXPECT_TRUE(Said("ends before byte")) << error_.message;
    EXPECT_EQ(OpenFd(file.get(), 1 << 20, length, flags), HP_FILE_ERROR);
    EXPECT_EQ(OpenFd(file.get(), 65 + length, -1, flags), HP_FILE_ERROR);
    EXPECT_TRUE(Said("has " + std::to_string(64 + length) + " bytes")) << error_.message;
    EXPECT_EQ(OpenFd(file.get(), 64 + length, -1, flags), HP_NOT_A_BUNDLE);
    EXPECT_TRUE(Said("is empty")) << error_.message;
    EXPECT_EQ(OpenFd(file.get(), 64, 0, flags), HP_NOT_A_BUNDLE);
    EXPECT_EQ(OpenFd(file.get(), -1, length, flags), HP_INVALID_ARGUMENT);
    EXPECT_TRUE(Said("offset is -1")) << error_.message;
    EXPECT_EQ(OpenFd(file.get(), 0, -2, flags), HP_INVALID_ARGUMENT);
    EXPECT_EQ(OpenFd(file.get(), INT64_MAX, INT64_MAX, flags), HP_FILE_ERROR);
    EXPECT_EQ(OpenFd(file.get(), 64, INT64_MAX, flags), HP_FILE_ERROR);
    EXPECT_EQ(OpenFd(file.get(), 0, -1, flags), HP_NOT_A_BUNDLE) << "begins with something else";
    EXPECT_EQ(OpenFd(file.get(), 64, length / 2, flags), HP_BUNDLE_CORRUPT);
  }
  EXPECT_LT(counted_.largest, serialized_.size() + 65) << "nothing is taken for what is not there";
}

TEST_F(OpenTest, ADescriptorThatCannotBeRead) {
  EXPECT_EQ(OpenFd(-1, 0, -1), HP_FILE_ERROR);
  EXPECT_TRUE(Said("descriptor -1")) << error_.message;
  const std::string path = WriteText(folder_ + "/tiny.hpk", serialized_);
  const Descriptor written(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(OpenFd(written.get(), 0, -1), HP_FILE_ERROR);
  EXPECT_TRUE(Said(std::strerror(EBADF))) << error_.message;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Descriptor from(ends[0]), to(ends[1]);
  // Waits for nobody, though nothing is written.
  for (const int64_t length : {-1, 1000}) {
    for (const uint32_t flags : {uint32_t{0}, uint32_t{HP_OPEN_COPY}}) {
      EXPECT_EQ(OpenFd(from.get(), 0, length, flags), HP_FILE_ERROR);
      EXPECT_TRUE(Said(std::strerror(ESPIPE))) << error_.message;
    }
  }
}

TEST_F(OpenTest, WhatIsNoFileIsRefusedAtOnce) {
  const std::string pipe_path = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe_path.c_str(), 0600), 0);
  for (const uint32_t flags : {uint32_t{0}, uint32_t{HP_OPEN_COPY}}) {
    EXPECT_EQ(OpenFile(pipe_path, flags), HP_FILE_ERROR);  // There is no writer.
    EXPECT_TRUE(Said("no regular file")) << error_.message;
    EXPECT_TRUE(Said(pipe_path)) << error_.message;
    EXPECT_EQ(OpenFile(folder_, flags), HP_FILE_ERROR);
    EXPECT_TRUE(Said(folder_)) << error_.message;
    for (const char* device : {"/dev/null", "/dev/zero"}) {
      EXPECT_EQ(OpenFile(device, flags), HP_NOT_A_BUNDLE);
      EXPECT_TRUE(Said("no regular file")) << error_.message;
    }
    EXPECT_EQ(OpenFile(folder_ + "/absent.hpk", flags), HP_FILE_ERROR);
    EXPECT_TRUE(Said(std::strerror(ENOENT))) << error_.message;
    EXPECT_EQ(OpenFile(WriteText(folder_ + "/empty", ""), flags), HP_NOT_A_BUNDLE);
    EXPECT_EQ(OpenFile(WriteText(folder_ + "/text", "no bundle, but a text"), flags),
              HP_NOT_A_BUNDLE);
  }
}

TEST_F(OpenTest, MoreThanABundleCanHaveIsNotCopied) {
  const std::string path = WriteText(folder_ + "/large.hpk", serialized_);
  if (truncate(path.c_str(), off_t{1} << 31) != 0) GTEST_SKIP() << "no file of 2 GiB can be made";
  for (const uint32_t flags : {uint32_t{0}, uint32_t{HP_OPEN_COPY}}) {
    EXPECT_EQ(OpenFile(path, flags), HP_BUNDLE_CORRUPT);
    EXPECT_TRUE(Said("2147483648 bytes")) << error_.message;
  }
  EXPECT_LT(counted_.largest, serialized_.size());
}

TEST_F(OpenTest, ABufferInPlaceHasToBeAligned) {
  const Bytes bytes(std::string(64, 'a') + serialized_);
  const char* data = static_cast<const char*>(bytes.data());
  ASSERT_EQ(OpenBuffer(data + 64, serialized_.size()), HP_OK) << error_.message;
  ExpectOpened(0);
  const Bytes shifted("a" + serialized_);
  EXPECT_EQ(OpenBuffer(static_cast<const char*>(shifted.data()) + 1, serialized_.size()),
            HP_MISALIGNED);
}

TEST_F(OpenTest, ACopiedBufferNeedsNoAlignmentAndIsNotNeededAfterwards) {
  {
    std::string shifted = "a" + serialized_;
    ASSERT_EQ(OpenBuffer(shifted.data() + 1, serialized_.size(), HP_OPEN_COPY), HP_OK)
        << error_.message;
    std::memset(shifted.data(), 0xFF, shifted.size());
  }
  ExpectOpened(serialized_.size());
  EXPECT_EQ(OpenBuffer("", 0, HP_OPEN_COPY), HP_NOT_A_BUNDLE);
  EXPECT_EQ(OpenBuffer("text", 4, HP_OPEN_COPY), HP_NOT_A_BUNDLE);
}

TEST_F(OpenTest, NoMemoryForACopy) {
  const std::string path = WriteText(folder_ + "/tiny.hpk", serialized_);
  static const size_t limit = serialized_.size();
  hp_allocator allocator = counted_.allocator();
  allocator.allocate = [](void* opaque, size_t size, size_t alignment) -> void* {
    return size == limit ? nullptr
                         : static_cast<CountingAllocator*>(opaque)->allocator().allocate(
                               opaque, size, alignment);
  };
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.flags = HP_OPEN_COPY;
  options.allocator = &allocator;
  hp_model* model = kOther;
  EXPECT_EQ(hp_model_open_file(path.c_str(), &options, &model, &error_), HP_OUT_OF_MEMORY);
  EXPECT_TRUE(Said("no memory to copy a bundle of")) << error_.message;
  EXPECT_EQ(model, nullptr);
  EXPECT_EQ(counted_.bytes, 0);
}

TEST_F(OpenTest, AModelTakesNoMoreMemoryThanItMay) {
  ASSERT_EQ(OpenBuffer(serialized_.data(), serialized_.size(), HP_OPEN_COPY), HP_OK);
  const auto needed = static_cast<uint64_t>(counted_.bytes);
  const hp_allocator allocator = counted_.allocator();
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.allocator = &allocator;
  options.flags = HP_OPEN_COPY;
  const std::string path = WriteText(folder_ + "/tiny.hpk", serialized_);
  for (uint64_t most = 1; most < needed + 200; most += most < needed - 200 ? 97 : 1) {
    hp_model_close(model_);
    model_ = kOther;
    options.max_model_bytes = most;
    const hp_status status = most % 2 == 0
                                 ? hp_model_open_buffer(serialized_.data(), serialized_.size(),
                                                        &options, &model_, &error_)
                                 : hp_model_open_file(path.c_str(), &options, &model_, &error_);
    ASSERT_EQ(status, most < needed ? HP_OUT_OF_MEMORY : HP_OK) << most << error_.message;
    if (status != HP_OK) {
      EXPECT_TRUE(Said("max_model_bytes")) << error_.message;
      EXPECT_EQ(model_, nullptr);
      EXPECT_EQ(counted_.bytes, 0);
    }
  }
  EXPECT_LE(static_cast<uint64_t>(counted_.bytes), needed);
}

TEST_F(OpenTest, InspectingUsesTheAllocator) {
  const Bytes bytes(serialized_);
  const hp_allocator allocator = counted_.allocator();
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.allocator = &allocator;
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_bundle_inspect_with(bytes.data(), bytes.size(), &options, &info, &error_), HP_OK)
      << error_.message;
  EXPECT_GT(counted_.largest, 0u);
  EXPECT_EQ(counted_.bytes, 0);
  const auto* text = static_cast<const char*>(bytes.data());
  for (const char* shown : {info.model_name, info.model_version, info.producer}) {
    EXPECT_TRUE(shown > text && shown < text + bytes.size()) << shown;
  }
  options.max_model_bytes = 500;
  EXPECT_EQ(hp_bundle_inspect_with(bytes.data(), bytes.size(), &options, &info, &error_),
            HP_OUT_OF_MEMORY);
  EXPECT_TRUE(Said("max_model_bytes")) << error_.message;
}

TEST_F(OpenTest, UnknownFlagsAreRefused) {
  EXPECT_EQ(OpenBuffer(serialized_.data(), serialized_.size(), 8), HP_INVALID_ARGUMENT);
  EXPECT_TRUE(Said("flags 0x8")) << error_.message;
}

TEST_F(OpenTest, NullPointersLeaveNoModel) {
  EXPECT_EQ(OpenBuffer(nullptr, 5), HP_INVALID_ARGUMENT);
  EXPECT_EQ(Open([&](const hp_open_options* options) {
              return hp_model_open_file(nullptr, options, &model_, &error_);
            }),
            HP_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace handpick
