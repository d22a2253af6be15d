#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "converter/io/files.h"
#include "converter/io/json.h"
#include "converter/io/nearest_name.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A folder that is empty when a test begins.
std::string EmptyFolder(const std::string& name) {
  const std::string path = testing::TempDir() + "/" + name;
  fs::remove_all(path);
  fs::create_directories(path);
  return path;
}

size_t FilesIn(const std::string& folder) {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    (void)entry;
    ++count;
  }
  return count;
}

TEST(FilesTest, WritesWholeFilesAndLeavesNothingElse) {
  const std::string folder = EmptyFolder("whole");
  const std::string bytes("a\0b\n", 4);
  ASSERT_TRUE(WriteFileAtomically(folder + "/f", "old").ok());
  ASSERT_TRUE(WriteFileAtomically(folder + "/f", bytes).ok());
  EXPECT_EQ(*ReadFile(folder + "/f"), bytes);
  EXPECT_EQ(FilesIn(folder), 1u);
}

TEST(FilesTest, SayWhyAFileCannotBeWritten) {
  const std::string folder = EmptyFolder("unwritable");
  EXPECT_EQ(WriteFileAtomically(folder + "/no/f", "x").message(),
            "cannot write " + folder + "/no/f: No such file or directory");
  EXPECT_THAT(std::string(WriteFileAtomically(folder, "x").message()),
              HasSubstr("it exists and is no regular file"));
  EXPECT_FALSE(WriteFileAtomically("/dev/null", "x").ok());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(FilesIn(folder), 0u);
}

TEST(FilesTest, SayWhyAFileCannotBeRead) {
  const std::string folder = EmptyFolder("unreadable");
  EXPECT_EQ(ReadFile(folder + "/f").status().message(),
            "cannot open " + folder + "/f: No such file or directory");
  EXPECT_EQ(ReadFile(folder).status().message(), "cannot read " + folder + ": Is a directory");
}

TEST(FilesTest, AlignedBytesAreACopyAtTheRightPlace) {
  const AlignedBytes bytes("hello");
  EXPECT_EQ(bytes.view(), "hello");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes.data()) % AlignedBytes::kAlignment, 0u);
  EXPECT_EQ(AlignedBytes("").size(), 0u);
}

TEST(FilesTest, FilesAreMappedAndWhatIsNoneIsRead) {
  const std::string folder = EmptyFolder("mapped");
  ASSERT_TRUE(WriteFileAtomically(folder + "/f", "hello").ok());
  const auto mapped = MappedBytes::Open(folder + "/f");
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  EXPECT_EQ(mapped->view(), "hello");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(mapped->data()) % AlignedBytes::kAlignment, 0u);
  // A copy shares them, and they stay when the file is replaced.
  const MappedBytes copy = *mapped;
  ASSERT_TRUE(WriteFileAtomically(folder + "/f", "").ok());
  EXPECT_EQ(copy.data(), mapped->data());
  EXPECT_EQ(copy.view(), "hello");
  EXPECT_EQ(MappedBytes::Open(folder + "/f")->size(), 0u);
  EXPECT_EQ(MappedBytes::Open("/dev/null")->size(), 0u);
  EXPECT_EQ(MappedBytes::Open(folder + "/no").status().message(),
            "cannot open " + folder + "/no: No such file or directory");
  EXPECT_EQ(MappedBytes::Open(folder).status().message(),
            "cannot read " + folder + ": Is a directory");
}

TEST(FilesTest, AFileHasItsNameWhenItIsCommitted) {
  const std::string folder = EmptyFolder("atomic");
  ASSERT_TRUE(WriteFileAtomically(folder + "/f", "old").ok());
  {
    auto file = AtomicFile::Create(folder + "/f");
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Resize(100).ok());
    ASSERT_TRUE(file->WriteAt(3, "lo").ok());
    ASSERT_TRUE(file->WriteAt(0, "hel").ok());
    ASSERT_TRUE(file->Resize(5).ok());
    EXPECT_EQ(file->Map()->view(), "hello");
    EXPECT_EQ(*ReadFile(folder + "/f"), "old");
    AtomicFile moved = *std::move(file);
    ASSERT_TRUE(moved.Commit().ok());
  }
  EXPECT_EQ(*ReadFile(folder + "/f"), "hello");
  { ASSERT_TRUE(AtomicFile::Create(folder + "/g")->WriteAt(0, "lost").ok()); }
  EXPECT_EQ(FilesIn(folder), 1u);
}

// What a run that was killed left, and what one that works has.
TEST(FilesTest, StaleTemporaryFilesAreRemovedAndThoseInUseAreNot) {
  const std::string folder = EmptyFolder("stale");
  const std::string stale = folder + "/.handpick-0123456789abcdef.tmp";
  const std::string used = folder + "/.handpick-fedcba9876543210.tmp";
  const std::string other = folder + "/handpick.tmp";
  for (const std::string& path : {stale, used, other}) std::ofstream(path) << "half";
  fs::create_symlink(other, folder + "/.handpick-00.tmp");
  const int fd = open(used.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
  ASSERT_TRUE(WriteFileAtomically(folder + "/f", "whole").ok());
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_TRUE(fs::exists(used));
  EXPECT_TRUE(fs::exists(other));
  EXPECT_TRUE(fs::is_symlink(folder + "/.handpick-00.tmp")) << "links are not followed";
  EXPECT_EQ(*ReadFile(folder + "/f"), "whole");
  close(fd);
  ASSERT_TRUE(WriteFileAtomically(folder + "/f", "again").ok());
  EXPECT_FALSE(fs::exists(used));
}

TEST(FilesTest, SeveralAreCommittedTogetherOrNotAtAll) {
  const std::string folder = EmptyFolder("together");
  ASSERT_TRUE(WriteFileAtomically(folder + "/a", "old").ok());
  const auto commit = [&](const std::string& last) {
    std::vector<AtomicFile> files;
    for (const std::string& path : {folder + "/a", folder + "/b", last}) {
      files.push_back(*AtomicFile::Create(path));
      EXPECT_TRUE(files.back().WriteAt(0, "new").ok());
    }
    // What takes the last one's place meanwhile cannot be replaced.
    if (last == folder + "/c") fs::create_directories(last + "/d");
    AtomicFile* const all[] = {&files[0], &files[1], &files[2]};
    return AtomicFile::CommitAll(all);
  };
  EXPECT_FALSE(commit(folder + "/c").ok());
  EXPECT_EQ(*ReadFile(folder + "/a"), "old");
  EXPECT_FALSE(fs::exists(folder + "/b"));
  EXPECT_EQ(FilesIn(folder), 2u);
  ASSERT_TRUE(commit(folder + "/e").ok());
  for (const char* name : {"/a", "/b", "/e"}) EXPECT_EQ(*ReadFile(folder + name), "new");
  EXPECT_EQ(FilesIn(folder), 4u);
}

TEST(NearestNameTest, FindsSmallSlipsAndNothingElse) {
  EXPECT_EQ(NearestName("embeding", {"vocabulary", "embedding"}), "embedding");
  EXPECT_EQ(NearestName("sise", {"side", "size"}), "side");
  EXPECT_EQ(NearestName("zzzzzz", {"side", "size"}), "");
  EXPECT_EQ(NearestName("x", {}), "");
  EXPECT_EQ(Suggestion("embeding", {"embedding"}), " (did you mean 'embedding'?)");
  EXPECT_EQ(NearestName(std::string(100000, 'x'), {std::string(100000, 'x')}), "");
}

TEST(NearestNameTest, AnotherLetterOfAShortNameIsAnotherName) {
  EXPECT_EQ(NearestName("dcx", {"din", "dcn"}), "");
  EXPECT_EQ(NearestName("dcn", {"din"}), "");
  EXPECT_EQ(NearestName("mlr", {"lr"}), "lr");
  EXPECT_EQ(NearestName("item_id", {"user_id"}), "");
  EXPECT_EQ(NearestName("tag", {"tags"}), "tags");
  for (const char* other : {"xdeepfm", "fwfm", "DSIN", "gelu", "swish"}) {
    EXPECT_EQ(NearestName(other, {"deepfm", "ffm", "din", "relu", "dcn"}), "") << other;
  }
}

TEST(NearestNameTest, CaseAndSynonymsCount) {
  const std::vector<std::string> kinds = {"wide_deep", "din", "dcn", "deepfm", "two_tower"};
  EXPECT_EQ(NearestName("DIN", kinds), "din");
  EXPECT_EQ(NearestName("Wide&Deep", kinds), "wide_deep");
  EXPECT_EQ(NearestName("DeepFM", kinds), "deepfm");
  EXPECT_EQ(NearestName("WDL", kinds), "wide_deep");
  EXPECT_EQ(NearestName("DSSM", kinds), "two_tower");
  EXPECT_EQ(Suggestion("DCN-V2", kinds),
            " (did you mean 'dcn' with cross.parameterization 'matrix'?)");
  EXPECT_EQ(Suggestion("dcnv2", kinds), Suggestion("DCN-V2", kinds));
  EXPECT_EQ(Suggestion("ReLU", {"linear", "relu", "prelu"}), " (did you mean 'relu'?)");
  EXPECT_EQ(NearestName("sum_pooling", {"sum", "mean", "max"}), "sum");
  EXPECT_EQ(NearestName("avg", {"sum", "mean", "max"}), "mean");
  // What a synonym means must be there.
  EXPECT_EQ(NearestName("WDL", {"din", "dien"}), "");
}

std::string ParseMessage(const std::string& text) {
  return std::string(ParseJson(text, "t").status().message());
}

TEST(ParseJsonTest, RefusesWhatIsNotStrict) {
  EXPECT_TRUE(ParseJson("{\"a\":{\"b\":1},\"b\":[{\"a\":1},{\"a\":2}]}", "t").ok());
  EXPECT_THAT(ParseMessage("{"), HasSubstr("t: not JSON: parse error at line 1, column 2"));
  EXPECT_THAT(ParseMessage(""), HasSubstr("not JSON"));
  EXPECT_THAT(ParseMessage("1 2"), HasSubstr("not JSON"));
  EXPECT_THAT(ParseMessage("{\"a\":1,}"), HasSubstr("not JSON"));
  EXPECT_THAT(ParseMessage("\"\xff\""), HasSubstr("not JSON"));
  EXPECT_THAT(ParseMessage("[{\"a\":1,\"b\":{},\"a\":2}]"), HasSubstr("key 'a' occurs twice"));
  EXPECT_THAT(ParseMessage("[1e999]"), HasSubstr("too large to be finite"));
}

}  // namespace
}  // namespace handpick::converter
