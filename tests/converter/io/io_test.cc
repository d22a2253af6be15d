#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

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

TEST(NearestNameTest, FindsSmallSlipsAndNothingElse) {
  EXPECT_EQ(NearestName("embeding", {"vocabulary", "embedding"}), "embedding");
  EXPECT_EQ(NearestName("sise", {"side", "size"}), "side");
  EXPECT_EQ(NearestName("zzzzzz", {"side", "size"}), "");
  EXPECT_EQ(NearestName("x", {}), "");
  EXPECT_EQ(Suggestion("embeding", {"embedding"}), " (did you mean 'embedding'?)");
  EXPECT_EQ(NearestName(std::string(100000, 'x'), {std::string(100000, 'x')}), "");
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

TEST(ParseJsonTest, SurvivesDeepNesting) {
  EXPECT_FALSE(ParseJson(std::string(200000, '['), "t").ok());
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  (void)ParseJson(deep, "t");
}

}  // namespace
}  // namespace handpick::converter
