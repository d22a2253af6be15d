#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/converter/rows/rows_testing.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr char kHeader[] =
    "request,context.user,context.age,history.item,history.topics,candidates.item,candidates.tags,"
    "candidates.place,candidates.word,labels,tags.country\n";

std::string File(const std::string& text) {
  return WriteText(testing::TempDir() + "/rows.csv", text);
}

std::string FaultOf(const std::string& text, const RowHeader& header = {}) {
  const auto rows = AllRows(File(text), header);
  EXPECT_FALSE(rows.ok()) << "was accepted: " << text;
  const std::string message(rows.status().message());
  return message.substr(message.find("rows.csv"));
}

TEST(CsvRowsTest, LinesOfOneRequestAreItsCandidates) {
  const auto rows = AllRows(File(absl::StrCat(kHeader, "7,ann,0.50,5|9,1;2|,1,,1|2.5,x,0,DE\n",
                                              "7,ann,0.50,5|9,1;2|,2,7|8,0|-1e3,6,1,DE\n",
                                              "8,\"bob, \"\"x\"\"\",3,,,3,4,0|0,007,,\n")));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(
      rows->texts,
      ElementsAre(
          R"({"candidates":{"item":[1,2],"place":[[1,2.5],[0,-1e3]],"tags":[[],[7,8]],"word":["x",6]},)"
          R"("context":{"age":0.50,"user":"ann"},"history":{"item":[5,9],"topics":[[1,2],[]]},)"
          R"("labels":[0,1],"tags":{"country":"DE"}})",
          R"({"candidates":{"item":[3],"place":[[0,0]],"tags":[[4]],"word":["007"]},)"
          R"("context":{"age":3,"user":"bob, \"x\""},"history":{"item":[],"topics":[]}})"));
  EXPECT_THAT(rows->where, ElementsAre(EndsWith("rows.csv:2"), EndsWith("rows.csv:4")));
}

TEST(CsvRowsTest, AMapSaysWhatColumnsAreAndWithoutRequestsEachLineIsOne) {
  const RowHeader header = HeaderOf(R"({"delimiter":";","list_separator":",","inner_separator":"|",
      "columns":{"who":"context.user","years":"context.age","what":"candidates.item","comment":null,
                 "t":"candidates.tags","p":"candidates.place","w":"candidates.word",
                 "click":"labels.ctr","buy":"labels.cvr"}})");
  const auto rows = AllRows(File("comment;who;years;what;t;p;w;click;buy\n"
                                 "no;ann;1;2;3,4;5,6;w;1;\n"
                                 "no;ann;1;3;;7,8;v;0;1\n"),
                            header);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(
      rows->texts,
      ElementsAre(R"({"candidates":{"item":[2],"place":[[5,6]],"tags":[[3,4]],"word":["w"]},)"
                  R"("context":{"age":1,"user":"ann"},"labels":{"ctr":[1]}})",
                  R"({"candidates":{"item":[3],"place":[[7,8]],"tags":[[]],"word":["v"]},)"
                  R"("context":{"age":1,"user":"ann"},"labels":{"ctr":[0],"cvr":[1]}})"));
}

TEST(CsvRowsTest, FaultsNameFileLineColumnValueAndWhatWasExpected) {
  const std::string good = "7,ann,1,5,1,1,,1|2,x,0,DE\n";
  EXPECT_EQ(FaultOf(absl::StrCat(kHeader, good, "7,ann,1,5,1,one,,1|2,x,0,DE\n")),
            "rows.csv:3: column \"candidates.item\": expected an integer id, found \"one\"");
  EXPECT_EQ(FaultOf(absl::StrCat(kHeader, good, "8,ann,1,5|x,1,1,,1|2,x,0,DE\n")),
            "rows.csv:3: column \"history.item\": expected an integer id, found \"x\"");
  EXPECT_EQ(FaultOf(absl::StrCat(kHeader, "7,ann,1,5,1,1,,1|2,x,nan,DE\n")),
            "rows.csv:2: column \"labels\": expected a number, found \"nan\"");
  EXPECT_EQ(
      FaultOf(absl::StrCat(kHeader, "7,ann,1e39,5,1,1,,1|2,x,0,DE\n")),
      "rows.csv:2: column \"context.age\": expected a number that is finite as float32, found "
      "\"1e39\"");
  for (const char* number : {"+1", ".5", "5.", "01", "0x10", "1e", " 1", "inf", ""}) {
    EXPECT_THAT(FaultOf(absl::StrCat(kHeader, "7,ann,", number, ",5,1,1,,1|2,x,0,DE\n")),
                HasSubstr("column \"context.age\": expected a number, found"));
  }
  EXPECT_EQ(FaultOf(absl::StrCat(kHeader, good, "7,ann,2,5,1,1,,1|2,x,0,DE\n")),
            absl::StrCat("rows.csv:3: column \"context.age\": is \"2\", but \"1\" at ",
                         testing::TempDir(), "/rows.csv:2, which is the same request"));
  EXPECT_EQ(FaultOf(absl::StrCat(kHeader, good, "7,ann\n")),
            "rows.csv:3: has 2 fields, but the header has 11");
  EXPECT_EQ(FaultOf(absl::StrCat(kHeader, good, "7,ann,1,5,1,1,,1|2,x,,DE\n")),
            "rows.csv:2: column \"labels\": is there for 1 of the request's 2 candidates: expected "
            "all or none");
}

TEST(CsvRowsTest, FaultsOfTheHeaderAreNamed) {
  EXPECT_THAT(FaultOf("context.user,context.aeg\n"),
              HasSubstr("rows.csv:1: column \"context.aeg\": unknown context feature 'aeg'; the "
                        "model's are: user, age; --header says"));
  EXPECT_THAT(FaultOf("context.user,clicked\n"),
              HasSubstr("rows.csv:1: column \"clicked\": expected request, labels,"));
  EXPECT_THAT(FaultOf("context.user,labels\n"),
              HasSubstr("rows.csv:1: no column is 'context.age', a feature without a default"));
  EXPECT_THAT(FaultOf("labels,labels\n"), HasSubstr("two columns are 'labels'"));
  EXPECT_THAT(FaultOf("labels,labels.ctr\n"), HasSubstr("expected one or the other"));
  EXPECT_THAT(FaultOf("context.user,a\n", HeaderOf(R"({"columns":{"b":"labels"}})")),
              HasSubstr("rows.csv:1: has no column 'b', which map.json names"));
  EXPECT_THAT(FaultOf(""), HasSubstr("has no header line"));
}

TEST(RowHeaderTest, FaultsAreNamed) {
  const auto fault = [](const std::string& json) {
    const auto header = ParseRowHeader(json, "map.json");
    EXPECT_FALSE(header.ok()) << json;
    return std::string(header.status().message());
  };
  EXPECT_THAT(fault("[]"), HasSubstr("map.json: "));
  EXPECT_THAT(fault(R"({"colums":{}})"), HasSubstr("did you mean 'columns'"));
  EXPECT_THAT(fault(R"({"columns":{"a":1}})"), HasSubstr("columns.a: expected request, labels"));
  EXPECT_THAT(fault(R"({"columns":[]})"), HasSubstr("columns: expected an object"));
  EXPECT_THAT(fault(R"({"delimiter":"ab"})"), HasSubstr("delimiter: expected one character"));
  EXPECT_THAT(fault(R"({"delimiter":"\""})"), HasSubstr("delimiter: expected one character"));
  EXPECT_THAT(fault(R"({"delimiter":"|"})"), HasSubstr("must differ"));
}

}  // namespace
}  // namespace handpick::converter
