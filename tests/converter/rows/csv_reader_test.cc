#include "converter/io/csv_reader.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Records {
  std::vector<std::vector<std::string>> fields;
  std::vector<std::string> where;
  absl::Status status;
};

Records Read(const std::string& text, char delimiter = ',') {
  const std::string path = testing::TempDir() + "/r.csv";
  auto reader = CsvReader::Open(WriteText(path, text), delimiter);
  EXPECT_TRUE(reader.ok()) << reader.status();
  Records records;
  std::vector<std::string> fields;
  for (;;) {
    const absl::StatusOr<bool> more = reader->Next(&fields);
    records.status = more.status();
    if (!more.ok() || !*more) return records;
    records.fields.push_back(fields);
    const std::string where = reader->where();
    records.where.push_back(where.substr(where.rfind('/') + 1));
  }
}

std::string FaultOf(const std::string& text) {
  const Records records = Read(text);
  EXPECT_FALSE(records.status.ok()) << "was accepted: " << text;
  const std::string message(records.status.message());
  return message.substr(message.rfind("r.csv"));
}

TEST(CsvReaderTest, ReadsPlainAndQuotedFieldsAndBothLineEnds) {
  const Records records = Read(
      "\xEF\xBB\xBF"
      "a,b,\"c\"\r\n\"x, \"\"y\"\"\",\"two\nlines\",\n\n,,last");
  EXPECT_TRUE(records.status.ok()) << records.status;
  ASSERT_EQ(records.fields.size(), 3u);
  EXPECT_THAT(records.fields[0], ElementsAre("a", "b", "c"));
  EXPECT_THAT(records.fields[1], ElementsAre("x, \"y\"", "two\nlines", ""));
  EXPECT_THAT(records.fields[2], ElementsAre("", "", "last"));
  EXPECT_THAT(records.where, ElementsAre("r.csv:1", "r.csv:2", "r.csv:5"));
  EXPECT_THAT(Read("\xEF\xBB\xBF\"a\",b\n").fields[0], ElementsAre("a", "b"));
  EXPECT_THAT(Read("a;b,c", ';').fields[0], ElementsAre("a", "b,c"));
  EXPECT_TRUE(Read("").fields.empty());
  EXPECT_TRUE(Read("\n\r\n").fields.empty());
  EXPECT_THAT(Read("\"\"\n").fields[0], ElementsAre(""));
}

TEST(CsvReaderTest, FaultsNameLineAndField) {
  EXPECT_EQ(
      FaultOf("a,b\nc,d\"e\n"),
      "r.csv:2: field 2: has a quote inside; then all of it is in quotes, and that one is \"\"");
  EXPECT_THAT(FaultOf("a\n\"b\"c\n"), HasSubstr("r.csv:2: field 1: has text behind its closing"));
  EXPECT_EQ(FaultOf("a\n\nb,\"c\nd\n"), "r.csv:3: field 2: its quote is not closed");
  EXPECT_EQ(FaultOf("a\rb\n"), "r.csv:1: field 1: a CR is not followed by LF");
  EXPECT_EQ(FaultOf("a\r"), "r.csv:1: field 1: a CR is not followed by LF");
  EXPECT_EQ(FaultOf(std::string("a,b\0c\n", 6)), "r.csv:1: field 2: has a zero byte");
  EXPECT_EQ(FaultOf("a,\xFF\n"), "r.csv:1: field 2: is no UTF-8");
  EXPECT_THAT(FaultOf(std::string(CsvReader::kMostFields, ',')), HasSubstr("a record has at most"));
}

// Bytes of the reader's buffer end anywhere.
TEST(CsvReaderTest, LongFilesAreReadWhole) {
  std::string text;
  for (int i = 0; i < 20000; ++i)
    text += std::to_string(i) + ",\"a\"\"" + std::string(i % 7, 'x') + "\"\r\n";
  const Records records = Read(text);
  ASSERT_TRUE(records.status.ok()) << records.status;
  ASSERT_EQ(records.fields.size(), 20000u);
  for (size_t i = 0; i < records.fields.size(); ++i) {
    EXPECT_THAT(records.fields[i], ElementsAre(std::to_string(i), "a\"" + std::string(i % 7, 'x')));
  }
}

}  // namespace
}  // namespace handpick::converter
