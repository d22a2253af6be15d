#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/converter/rows/rows_testing.h"
#include "tests/converter/weights/zip_testing.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string Npy(const std::string& descr, const std::string& shape, const std::string& bytes,
                const char* fortran = "False") {
  const std::string header = absl::StrCat("{'descr': '", descr, "', 'fortran_order': ", fortran,
                                          ", 'shape': (", shape, "), }\n");
  std::string text = "\x93NUMPY\x01" + std::string(1, '\0');
  Append(&text, header.size(), 2);
  return text + header + bytes;
}

template <typename T>
std::string Bytes(const std::vector<T>& numbers) {
  std::string bytes(numbers.size() * sizeof(T), '\0');
  if (!numbers.empty()) std::memcpy(&bytes[0], numbers.data(), bytes.size());
  return bytes;
}

std::string Integers(const std::vector<int64_t>& numbers) {
  return Npy("<i8", absl::StrCat(numbers.size(), ","), Bytes(numbers));
}

std::string Floats(const std::vector<float>& numbers) {
  return Npy("<f4", absl::StrCat(numbers.size(), ","), Bytes(numbers));
}

using Arrays = std::map<std::string, std::string>;

// Two requests, of two candidates and of one.
Arrays Good() {
  return {
      {"candidate_counts", Integers({2, 1})},
      {"event_counts", Integers({2, 0})},
      {"context.user", Npy("|S3", "2,", std::string("ann") + std::string("ann"))},
      {"context.age", Floats({0.1f, 3})},
      {"history.item", Integers({5, 9})},
      {"history.topics", Integers({1, 2})},
      {"history.topics.lengths", Integers({2, 0})},
      {"candidates.item", Npy("<i4", "3,", Bytes(std::vector<int32_t>{1, -2, 3}))},
      {"candidates.tags", Integers({7, 8, 4})},
      {"candidates.tags.lengths", Integers({0, 2, 1})},
      {"candidates.place", Npy("<f4", "3, 2", Bytes(std::vector<float>{1, 2.5f, 0, 1e-3f, 0, 0}))},
      {"candidates.word", Npy("<U2", "3,", Bytes(std::vector<uint32_t>{'x', 0, 0xE9, 'y', 0, 0}))},
      {"labels", Npy("|b1", "3,", std::string("\0\1\1", 3))},
      {"tags.country", Integers({49, 33})}};
}

std::string File(const Arrays& arrays) {
  std::vector<Member> members;
  for (const auto& [name, bytes] : arrays) members.push_back(Stored(name + ".npy", bytes));
  return WriteText(testing::TempDir() + "/rows.npz", Zip(members));
}

std::string FaultOf(Arrays arrays, const Arrays& others) {
  for (const auto& [name, bytes] : others) {
    if (bytes.empty()) {
      arrays.erase(name);
    } else {
      arrays[name] = bytes;
    }
  }
  const auto rows = AllRows(File(arrays));
  EXPECT_FALSE(rows.ok()) << "was accepted";
  const std::string message(rows.status().message());
  return message.substr(message.find("rows.npz"));
}

TEST(NpzRowsTest, CountsSayWhatBelongsToARequest) {
  const auto rows = AllRows(File(Good()));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(
      rows->texts,
      ElementsAre(
          R"({"candidates":{"item":[1,-2],"place":[[1,2.5],[0,0.00100000005]],"tags":[[],[7,8]],)"
          "\"word\":[\"x\",\"\xC3\xA9y\"]},"
          R"("context":{"age":0.100000001,"user":"ann"},"history":{"item":[5,9],"topics":[[1,2],[]]},)"
          R"("labels":[0,1],"tags":{"country":49}})",
          R"({"candidates":{"item":[3],"place":[[0,0]],"tags":[[4]],"word":[""]},)"
          R"("context":{"age":3,"user":"ann"},"history":{"item":[],"topics":[]},)"
          R"("labels":[1],"tags":{"country":33}})"));
  EXPECT_THAT(rows->where, ElementsAre(EndsWith("rows.npz: request 1"), EndsWith(": request 2")));
}

TEST(NpzRowsTest, BlocksOfRowsAreAllRead) {
  constexpr int64_t kRequests = 10000;
  std::vector<int64_t> ones(kRequests, 1), items(kRequests), none(kRequests, 0);
  std::vector<float> ages(kRequests), places(2 * kRequests);
  std::string users;
  for (int64_t i = 0; i < kRequests; ++i) {
    items[static_cast<size_t>(i)] = i;
    ages[static_cast<size_t>(i)] = static_cast<float>(i % 500) / 2;
    users += "ann";
  }
  const auto rows =
      AllRows(File({{"context.user", Npy("|S3", absl::StrCat(kRequests, ","), users)},
                    {"context.age", Floats(ages)},
                    {"candidates.item", Integers(items)},
                    {"candidates.tags", Integers({})},
                    {"candidates.tags.lengths", Integers(none)},
                    {"candidates.place", Npy("<f4", absl::StrCat(kRequests, ", 2"), Bytes(places))},
                    {"candidates.word", Integers(items)}}));
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->texts.size(), static_cast<size_t>(kRequests));
  for (int64_t i = 0; i < kRequests; i += 97) {
    EXPECT_EQ(
        rows->texts[static_cast<size_t>(i)],
        absl::StrCat(R"({"candidates":{"item":[)", i, R"(],"place":[[0,0]],"tags":[[]],"word":[)",
                     i, R"(]},"context":{"age":)", static_cast<float>(i % 500) / 2,
                     R"(,"user":"ann"}})"));
  }
}

TEST(NpzRowsTest, SumsOfSizesMustBeRight) {
  EXPECT_EQ(
      FaultOf(Good(), {{"labels", Integers({0, 1})}}),
      "rows.npz: \"labels\": has 2 rows for the 3 candidates that candidate_counts adds up to");
  EXPECT_EQ(FaultOf(Good(), {{"candidate_counts", Integers({2, 2})}}).substr(0, 49),
            "rows.npz: \"candidates.item\": has 3 rows for the 4");
  EXPECT_THAT(FaultOf(Good(), {{"event_counts", Integers({1, 0})}}),
              HasSubstr("has 2 rows for the 1 events that event_counts adds up to"));
  EXPECT_THAT(FaultOf(Good(), {{"event_counts", Integers({2})}}),
              HasSubstr("\"event_counts\": has 1 rows for the 2 requests of 'candidate_counts'"));
  EXPECT_THAT(
      FaultOf(Good(), {{"candidates.tags.lengths", Integers({0, 2, 2})}}),
      HasSubstr("\"candidates.tags\": has 3 values, but \"candidates.tags.lengths\" adds up "
                "to 4 values"));
  EXPECT_THAT(FaultOf(Good(), {{"candidate_counts", Integers({4, -1})}}),
              HasSubstr("\"candidate_counts\": [1] is -1, expected a count"));
  EXPECT_THAT(FaultOf(Good(), {{"candidate_counts", Integers({int64_t{1} << 40, 1})}}),
              HasSubstr("[0] is 1099511627776, expected 1048576 at most"));
  EXPECT_THAT(FaultOf(Good(), {{"context.age", Floats({1, 2, 3})}}),
              HasSubstr("\"context.age\": has 3 rows for the 2 requests"));
}

// They are keys of the request's JSON.
TEST(NpzRowsTest, NamesAreUtf8) {
  for (const char* name : {"tags.\xA9", "labels.\xF0\x9F", "context.\xFF", "\xC0\xAF"}) {
    EXPECT_THAT(FaultOf(Good(), {{name, Integers({1, 2})}}), HasSubstr("expected UTF-8, found \""));
  }
}

TEST(NpzRowsTest, FaultsNameTheArray) {
  EXPECT_THAT(FaultOf(Good(), {{"labels", Floats({0, NAN, 1})}}),
              HasSubstr("\"labels\": element 1 is NaN"));
  EXPECT_THAT(FaultOf(Good(), {{"candidates.item", Floats({1, 2, 3})}}),
              HasSubstr("\"candidates.item\": is of type '<f4', expected integers"));
  EXPECT_THAT(FaultOf(Good(), {{"context.user", Integers({1, 2})}}),
              HasSubstr("\"context.user\": is of type '<i8', expected texts"));
  EXPECT_THAT(FaultOf(Good(), {{"context.age", ""}}), HasSubstr("no column is 'context.age'"));
  EXPECT_THAT(FaultOf(Good(), {{"event_counts", ""}}), HasSubstr("needs event_counts"));
  EXPECT_THAT(FaultOf(Good(), {{"clicked", Floats({1, 2, 3})}}),
              HasSubstr("\"clicked\": expected request, labels"));
  EXPECT_THAT(FaultOf(Good(), {{"request", Integers({1, 2, 3})}}),
              HasSubstr("candidate_counts says which rows"));
  EXPECT_THAT(
      FaultOf(Good(), {{"candidates.place", Npy("<f4", "3, 2", std::string(24, '\0'), "True")}}),
      HasSubstr("is in Fortran order"));
  EXPECT_THAT(FaultOf(Good(), {{"candidates.place", Floats({1, 2, 3})}}),
              HasSubstr("its feature has lists: expected a matrix"));
  EXPECT_THAT(FaultOf(Good(), {{"candidates.item.lengths", Integers({1, 1, 1})}}),
              HasSubstr("its feature has one value a row, and no lengths"));
  EXPECT_THAT(FaultOf(Good(), {{"candidates.tags", ""}}),
              HasSubstr("no column is 'candidates.tags', a feature without a default"));
  EXPECT_THAT(FaultOf(Good(), {{"context.user", Npy("|S3", "2,", std::string("ann\xFF\xFF\xFF"))}}),
              HasSubstr("[1]: is no UTF-8"));
  EXPECT_THAT(FaultOf(Good(), {{"context.user", Npy("|S3", "3,", "annann")}}),
              HasSubstr("its shape needs 3 texts of 3 bytes, but 6 bytes are there"));
  EXPECT_THAT(FaultOf(Good(), {{"candidates.word",
                                Npy("<U1", "3,", std::string("x\0\0\0y\0\0\0\0\0\x11\0", 12))}}),
              HasSubstr("which is none"));
  const auto stdin_rows = OpenRows("-", "npz", {}, {{&RowsFeatures()}, false});
  EXPECT_THAT(std::string(stdin_rows.status().message()), HasSubstr("a .npz is no stream"));
}

}  // namespace
}  // namespace handpick::converter
