// Vocabularies in files beside the spec.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using schema::VocabularyKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Writes a file beside the spec; returns its path.
std::string Write(const std::string& name, const std::string& bytes) {
  const std::string folder = testing::TempDir() + "/values_file";
  fs::create_directories(folder + "/sub");
  std::ofstream(folder + "/" + name, std::ios::binary) << bytes;
  return folder + "/" + name;
}

Json SpecOf(const Json& vocabulary) {
  Json json = Json::parse(R"({
    "model": {"name": "m", "kind": "lr"},
    "features": [{"name": "movie", "side": "candidate", "type": "categorical"}],
    "wide": {"features": ["movie"]}})");
  json["features"][0]["vocabulary"] = vocabulary;
  json["features"][0]["vocabulary"]["kind"] = "list";
  return json;
}

absl::StatusOr<Spec> Parse(const Json& vocabulary) {
  return ParseSpec(SpecOf(vocabulary).dump(), Write("s.json", ""));
}

// The vocabulary that a file of these bytes is.
VocabularySpec Read(const std::string& bytes, const Json& more = Json::object()) {
  Write("ids", bytes);
  Json vocabulary = more;
  vocabulary["values_file"] = "ids";
  const auto spec = Parse(vocabulary);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.ok() ? spec->features[0].vocabulary : VocabularySpec();
}

// What is said about such a file, behind the path of the key and that of the file.
std::string Fault(const std::string& bytes, const Json& more = Json::object()) {
  const std::string path = Write("ids", bytes);
  Json vocabulary = more;
  vocabulary["values_file"] = "ids";
  const auto spec = Parse(vocabulary);
  EXPECT_FALSE(spec.ok());
  const std::string message(spec.status().message());
  const std::string begin =
      absl::StrCat(Write("s.json", ""), ": features[0].vocabulary.values_file: ", path);
  EXPECT_EQ(message.substr(0, begin.size()), begin);
  return message.substr(std::min(begin.size(), message.size()));
}

// A `.npy` file as NumPy writes it.
std::string Npy(const std::string& type, size_t count, const std::string& elements,
                const std::string& shape_end = ",") {
  std::string header = absl::StrCat("{'descr': '", type, "', 'fortran_order': False, 'shape': (",
                                    count, shape_end, "), }");
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xFF);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + elements;
}

TEST(ValuesFileTest, LinesAreIdsOfTheTypeOfTheFirst) {
  const VocabularySpec integers = Read("40\n5\n-6\n9007199254740993\n-9223372036854775808");
  EXPECT_EQ(integers.kind, VocabularyKind::IntegerList);
  EXPECT_THAT(integers.integers, ElementsAre(40, 5, -6, 9007199254740993, INT64_MIN));
  EXPECT_EQ(integers.values_file, Write("ids", ""));
  const VocabularySpec strings = Read("\xEF\xBB\xBFwar\r\nart house\r\ncaf\xC3\xA9\r\n7\r\n");
  EXPECT_EQ(strings.kind, VocabularyKind::StringList);
  EXPECT_THAT(strings.strings, ElementsAre("war", "art house", "caf\xC3\xA9", "7"));
  const VocabularySpec codes = Read("8001\n0101\n", {{"values_type", "string"}});
  EXPECT_THAT(codes.strings, ElementsAre("8001", "0101"));
  EXPECT_EQ(VocabularyRows(Read("1\n2\n", {{"first_row", 3}, {"out_of_vocabulary_row", 0}})), 5);
}

TEST(ValuesFileTest, FilesAreFoundFromTheSpecsFolder) {
  const std::string absolute = Write("sub/ids.txt", "1\n2\n");
  for (const std::string& path :
       {std::string("sub/ids.txt"), std::string("sub/../sub/ids.txt"), absolute}) {
    const auto spec = Parse({{"values_file", path}});
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_THAT(spec->features[0].vocabulary.integers, ElementsAre(1, 2));
  }
  const auto missing = Parse({{"values_file", "no.txt"}});
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("values_file/no.txt: No such file or directory"));
}

TEST(ValuesFileTest, FaultsAreNamedByLine) {
  EXPECT_EQ(Fault(""), ": is empty");
  EXPECT_EQ(Fault("1\nx\n"),
            ":2: \"x\" is no integer of 64 bits, which the first one is: \"values_type\": "
            "\"string\" says that they are strings");
  EXPECT_EQ(Fault("1\n007\n", {{"values_type", "integer"}}),
            ":2: \"007\" is no integer of 64 bits");
  EXPECT_THAT(Fault("1\n9223372036854775808\n"), HasSubstr(":2: \"9223372036854775808\" is no"));
  EXPECT_EQ(Fault("a\n\nb\n"), ":2: is empty");
  EXPECT_THAT(Fault("a\ncaf\xE9\n"), HasSubstr(" is no UTF-8"));
  EXPECT_EQ(Fault("a\nb\tc\n"), ":2: \"b\\tc\" has control characters");
  EXPECT_EQ(Fault("a\nb\na\n"), ":3: \"a\" occurs twice: line 1 has it too");
  EXPECT_EQ(Fault("5\n6\n7\n6\n"), ":4: 6 occurs twice: line 2 has it too");
  EXPECT_EQ(Fault(std::string("\xFF\xFE"
                              "1\0",
                              4)),
            ": is UTF-16, expected UTF-8");
}

TEST(ValuesFileTest, AllFaultsOfAFileAreThere) {
  const std::string path = Write("ids", "a\n\nb\tc\n");
  const auto spec = Parse({{"values_file", "ids"}});
  EXPECT_THAT(std::string(spec.status().message()),
              HasSubstr(absl::StrCat(": 2 faults:\n  features[0].vocabulary.values_file: ", path,
                                     ":2: is empty\n  features[0].vocabulary.values_file: ", path,
                                     ":3: \"b\\tc\" has")));
}

TEST(ValuesFileTest, ArraysOfIntegersHaveAnySizeAndOrder) {
  const std::string negative("\xFE\xFF", 2);
  EXPECT_THAT(Read(Npy("<i2", 2, std::string("\x01\x02", 2) + negative)).integers,
              ElementsAre(0x201, -2));
  EXPECT_THAT(Read(Npy(">i2", 2, std::string("\x01\x02\xFF\xFE", 4))).integers,
              ElementsAre(0x102, -2));
  EXPECT_THAT(Read(Npy("|u1", 3, "\x01\xFF\x02")).integers, ElementsAre(1, 255, 2));
  EXPECT_THAT(Read(Npy("<i8", 1, std::string("\0\0\0\0\0\0\0\x80", 8))).integers,
              ElementsAre(INT64_MIN));
  EXPECT_EQ(Fault(Npy("<u8", 1, std::string("\0\0\0\0\0\0\0\x80", 8))),
            "[0]: 9223372036854775808 is beyond 64 bits with a sign");
  EXPECT_EQ(Fault(Npy("|u1", 3, "\x01\x02\x01")), "[2]: 1 occurs twice: [0] has it too");
}

TEST(ValuesFileTest, ArraysOfTextAreStrings) {
  const VocabularySpec bytes = Read(Npy("|S3", 2, std::string("ab\0xyz", 6)));
  EXPECT_EQ(bytes.kind, VocabularyKind::StringList);
  EXPECT_THAT(bytes.strings, ElementsAre("ab", "xyz"));
  const std::string wide("\xE9\0\0\0\0\0\0\0\x4E\xF3\x01\0x\0\0\0", 16);
  EXPECT_THAT(Read(Npy("<U2", 2, wide)).strings, ElementsAre("\xC3\xA9",
                                                             "\xF0\x9F\x8D\x8E"
                                                             "x"));
  EXPECT_EQ(Fault(Npy("<U1", 1, std::string("\0\xD8\0\0", 4))),
            "[0]: has the character 55296, which is none");
  EXPECT_EQ(Fault(Npy("|S1", 2, std::string("a\0", 2))), "[1]: is empty");
}

TEST(ValuesFileTest, DamagedArraysAreNamed) {
  EXPECT_THAT(Fault(Npy("<f4", 1, "1234")), HasSubstr("has elements of type '<f4', expected"));
  EXPECT_THAT(Fault(Npy("|O", 1, "12345678")), HasSubstr("has elements of type '|O'"));
  EXPECT_EQ(Fault(Npy("<i4", 2, "1234")), ": has 4 bytes of elements, expected 2 of 4 bytes");
  EXPECT_THAT(Fault(Npy("<i8", size_t{1} << 61, "")), HasSubstr("has 0 bytes of elements"));
  EXPECT_THAT(Fault(Npy("<i4", 1, "1234", ", 1")), HasSubstr("expected one dimension"));
  EXPECT_EQ(Fault(Npy("<i4", 0, "")), ": is empty");
  EXPECT_EQ(Fault(Npy("<i4", 1, "1234").substr(0, 30)), ": is truncated in its header");
  EXPECT_EQ(Fault(std::string("\x93NUMPY\x09\0\0\0\0\0", 12)), ": .npy version 9 is unknown");
}

TEST(ValuesFileTest, OneOfFileAndListIsGiven) {
  Write("ids", "1\n");
  const auto message = [](const Json& vocabulary) {
    return std::string(Parse(vocabulary).status().message());
  };
  EXPECT_THAT(message({{"values_file", "ids"}, {"values", {1}}}),
              HasSubstr("values_file: is given, and so is 'values': expected one of the two"));
  EXPECT_THAT(message(Json::object()), HasSubstr("vocabulary: key 'values' is missing"));
  EXPECT_THAT(message({{"values_file", "-"}}), HasSubstr("values_file: is '-', expected the name"));
  EXPECT_THAT(message({{"values_file", ""}}), HasSubstr("values_file: is '', expected the name"));
  EXPECT_THAT(message({{"values", {1}}, {"values_type", "integer"}}),
              HasSubstr("values_type: is for a values_file"));
  EXPECT_THAT(message({{"values_file", "ids"}, {"values_type", "int"}}),
              HasSubstr("values_type: 'int' is none of: integer, string"));
}

}  // namespace
}  // namespace handpick::converter
