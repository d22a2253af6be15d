#include "converter/request/request.h"

#include <cmath>
#include <fstream>
#include <map>
#include <string>

#include "converter/spec/feature_set.h"
#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum Feature : size_t { kUser, kAge, kItemEvent, kItem, kTags, kTagsLength, kPlace, kWord, kCross };

const FeatureSet& Features() {
  static const FeatureSet* const kSet = [] {
    const auto spec = ParseSpec(R"({
      "model":{"name":"m","kind":"wide_deep"},"history":{"max_events":4},"features":[
        {"name":"user","side":"context","type":"categorical","vocabulary":{"kind":"list","values":["ann","bob"]}},
        {"name":"age","side":"context","type":"numeric"},
        {"name":"item","side":"history","type":"categorical","vocabulary":{"kind":"identity","size":9}},
        {"name":"item","side":"candidate","type":"categorical","vocabulary":{"kind":"identity","size":9}},
        {"name":"tags","side":"candidate","type":"multi_categorical","max_values":2,"length":"tags_length",
         "vocabulary":{"kind":"identity","size":9}},
        {"name":"tags_length","side":"candidate","type":"length"},
        {"name":"place","side":"candidate","type":"numeric","dimension":2},
        {"name":"word","side":"candidate","type":"categorical","vocabulary":{"kind":"hash","buckets":9}},
        {"name":"cross","type":"crossed","of":["user","candidate.item"]}],
      "wide":{"features":["user"]}})",
                                "s.json");
    EXPECT_TRUE(spec.ok()) << spec.status();
    return new FeatureSet(*BuildFeatureSet(*spec));
  }();
  return *kSet;
}

absl::StatusOr<Request> Parse(const std::string& line) {
  return ParseRequest(line, Features(), "r.jsonl:3");
}

std::string MessageOf(const std::string& line) {
  const auto request = Parse(line);
  EXPECT_FALSE(request.ok()) << "was accepted: " << line;
  return std::string(request.status().message());
}

const RawColumn& Column(const std::vector<RawColumn>& columns, size_t feature) {
  for (const RawColumn& column : columns) {
    if (column.feature == feature) return column;
  }
  ADD_FAILURE() << "no column " << feature;
  return columns.front();
}

TEST(RequestTest, ReadsEverySideAndType) {
  const auto request =
      Parse(R"({"context":{"user":"bob","age":0.5},"history":{"item":[5,9]},)"
            R"("candidates":{"item":[1,-2,3],"tags":[[],[7],[7,8]],"tags_length":[0,1,9],)"
            R"("place":[[1,2.5],[0,0],[-1e3,4]],"word":["x",6,""]},)"
            R"("logits":[0.25,1,-3e-2],"labels":[0,1,1]})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(Column(request->context, kUser).rows[0], RawCell{std::string("bob")});
  EXPECT_EQ(Column(request->context, kAge).rows[0], RawCell{0.5});
  EXPECT_EQ(request->Events(), 2u);
  EXPECT_EQ(Column(request->history, kItemEvent).rows[1], RawCell{int64_t{9}});
  EXPECT_EQ(request->candidate_count, 3u);
  EXPECT_EQ(Column(request->candidates, kItem).rows[1], RawCell{int64_t{-2}});
  EXPECT_EQ(Column(request->candidates, kTags).rows[0], RawCell{});
  EXPECT_EQ(Column(request->candidates, kTags).rows[2], (RawCell{int64_t{7}, int64_t{8}}));
  EXPECT_EQ(Column(request->candidates, kTagsLength).rows[2], RawCell{int64_t{9}});
  EXPECT_EQ(Column(request->candidates, kPlace).rows[0], (RawCell{int64_t{1}, 2.5}));
  EXPECT_EQ(Column(request->candidates, kWord).rows[0], RawCell{std::string("x")});
  EXPECT_EQ(Column(request->candidates, kWord).rows[1], RawCell{int64_t{6}});
  EXPECT_THAT(request->logits, ElementsAre(0.25, 1, -0.03));
  EXPECT_THAT(request->labels, ElementsAre(0, 1, 1));
}

TEST(RequestTest, LeavesOutWhatIsLeftOut) {
  const auto request = Parse("{}");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->candidate_count, 0u);
  EXPECT_EQ(request->Events(), 0u);
  EXPECT_TRUE(request->context.empty());
  EXPECT_TRUE(Parse(R"({"candidates":{"item":[1,2]}})").ok());
}

TEST(RequestTest, UnknownFeaturesAreNamedWithTheNearest) {
  EXPECT_EQ(MessageOf(R"({"context":{"usr":"bob"}})"),
            "r.jsonl:3: context: unknown context feature 'usr' (did you mean 'user'?); the model's "
            "are: user, age");
  // On this side there is none of that name.
  EXPECT_THAT(MessageOf(R"({"context":{"item":1}})"), HasSubstr("unknown context feature 'item'"));
  EXPECT_THAT(MessageOf(R"({"candidate":{}})"),
              HasSubstr("candidate: unknown key (did you mean 'candidates'?)"));
  EXPECT_THAT(MessageOf(R"({"candidates":{"cross":[1]}})"),
              HasSubstr("feature 'cross' is made from others and cannot be given"));
}

TEST(RequestTest, WrongTypesNamePathValueAndExpectation) {
  EXPECT_EQ(MessageOf(R"({"context":{"user":4}})"),
            "r.jsonl:3: context.user: expected a string id, found 4");
  EXPECT_EQ(MessageOf(R"({"candidates":{"item":[1,2.0]}})"),
            "r.jsonl:3: candidates.item[1]: expected an integer id, found 2.0");
  EXPECT_THAT(MessageOf(R"({"candidates":{"item":[true]}})"), HasSubstr("found true"));
  EXPECT_THAT(MessageOf(R"({"candidates":{"item":[null]}})"), HasSubstr("found null"));
  EXPECT_THAT(MessageOf(R"({"candidates":{"item":["1"]}})"), HasSubstr("found \"1\""));
  EXPECT_THAT(MessageOf(R"({"candidates":{"item":[[1]]}})"), HasSubstr("found [1]"));
  EXPECT_THAT(MessageOf(R"({"candidates":{"item":[9223372036854775808]}})"),
              HasSubstr("expected an integer id, found 9223372036854775808"));
  EXPECT_THAT(MessageOf(R"({"candidates":{"word":[1.5]}})"),
              HasSubstr("expected an integer or string id, found 1.5"));
  EXPECT_THAT(MessageOf(R"({"context":{"age":"old"}})"),
              HasSubstr("context.age: expected a number, found \"old\""));
  EXPECT_THAT(MessageOf(R"({"candidates":{"tags":[3]}})"),
              HasSubstr("candidates.tags[0]: expected an array, since the feature is multi-valued; "
                        "found 3"));
  EXPECT_THAT(MessageOf(R"({"candidates":{"tags":[[3,0.5]]}})"),
              HasSubstr("candidates.tags[0][1]: expected an integer id, found 0.5"));
  EXPECT_THAT(MessageOf(R"({"candidates":{"tags_length":[1.5]}})"),
              HasSubstr("expected an integer, the number of positions that count, found 1.5"));
  EXPECT_THAT(MessageOf(R"({"candidates":{"place":[[1]]}})"),
              HasSubstr("candidates.place[0]: expected 2 numbers, found 1"));
  EXPECT_THAT(
      MessageOf(R"({"candidates":{"item":3}})"),
      HasSubstr("candidates.item: expected an array with one entry per candidate, found 3"));
  EXPECT_THAT(MessageOf(R"({"candidates":[1]})"), HasSubstr("expected an object of features"));
  EXPECT_THAT(MessageOf("[]"), HasSubstr("r.jsonl:3: expected an object, found []"));
}

TEST(RequestTest, NumbersThatAreNotFiniteAreRefused) {
  EXPECT_THAT(MessageOf(R"({"context":{"age":1e999}})"),
              HasSubstr("a number is too large to be finite"));
  EXPECT_EQ(MessageOf(R"({"context":{"age":-1e39}})"),
            "r.jsonl:3: context.age: -1e+39 is not finite as float32");
  EXPECT_THAT(MessageOf(R"({"context":{"age":NaN}})"), HasSubstr("not JSON"));
}

TEST(RequestTest, NullIsANumberThatIsMissing) {
  EXPECT_THAT(MessageOf(R"({"context":{"age":null}})"), HasSubstr("expected a number, found null"));
  const auto spec = ParseSpec(R"({
    "model":{"name":"m","kind":"gbdt"},"features":[
      {"name":"age","side":"context","type":"numeric","missing":true},
      {"name":"place","side":"candidate","type":"numeric","dimension":2,"missing":true}],
    "trees":{"features":["age","place"]}})",
                              "s.json");
  ASSERT_TRUE(spec.ok()) << spec.status();
  const auto features = BuildFeatureSet(*spec);
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_TRUE(features->features[0]->optional);
  EXPECT_EQ(features->features[1]->default_numbers.size(), 2u);
  const auto request = ParseRequest(
      R"({"context":{"age":null},"candidates":{"place":[[1,null],[2,3]]}})", *features, "r");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_TRUE(std::isnan(std::get<double>(request->context[0].rows[0][0])));
  EXPECT_TRUE(std::isnan(std::get<double>(request->candidates[0].rows[0][1])));
  EXPECT_EQ(std::get<int64_t>(request->candidates[0].rows[1][1]), 3);
  EXPECT_FALSE(ParseRequest(R"({"context":{"age":"x"}})", *features, "r").ok());
  EXPECT_FALSE(ParseRequest(R"({"candidates":{"place":[null]}})", *features, "r").ok());
}

TEST(RequestTest, KeysThatOccurTwiceAreRefused) {
  EXPECT_EQ(MessageOf(R"({"context":{"age":1,"age":2}})"),
            "r.jsonl:3: key 'age' occurs twice in one object");
}

TEST(RequestTest, SidesHaveOneNumberOfRows) {
  EXPECT_EQ(MessageOf(R"({"candidates":{"item":[1,2],"word":["a"]}})"),
            "r.jsonl:3: candidates.word: has 1 rows, but candidates.item has 2");
  EXPECT_EQ(MessageOf(R"({"candidates":{"item":[1,2]},"logits":[1]})"),
            "r.jsonl:3: logits: has 1 values for 2 candidates");
  EXPECT_EQ(MessageOf(R"({"candidates":{"item":[1]},"labels":[1,0]})"),
            "r.jsonl:3: labels: has 2 values for 1 candidates");
  EXPECT_THAT(MessageOf(R"({"candidates":{"item":[1]},"labels":["x"]})"),
              HasSubstr("labels[0]: expected a number, found \"x\""));
}

TEST(RequestTest, DamagedTextIsRefused) {
  EXPECT_THAT(MessageOf(R"({"context":{)"), HasSubstr("r.jsonl:3: not JSON: parse error"));
  EXPECT_THAT(MessageOf("{} {}"), HasSubstr("not JSON"));
  EXPECT_THAT(MessageOf("{\"context\":{\"user\":\"\xff\"}}"), HasSubstr("not JSON"));
}

std::string WriteLines(const std::string& text) {
  const std::string path = testing::TempDir() + "/lines.jsonl";
  std::ofstream(path) << text;
  return path;
}

TEST(ReadRequestsTest, SkipsBlankLinesAndCountsThem) {
  const std::string path = WriteLines("{\"context\":{\"age\":1}}\r\n\n  \n{}\n");
  const auto requests = ReadRequests(path, Features());
  ASSERT_TRUE(requests.ok()) << requests.status();
  EXPECT_EQ(requests->size(), 2u);
  const auto bad = ReadRequests(WriteLines("{}\n\n{\"x\":1}"), Features());
  EXPECT_THAT(std::string(bad.status().message()), HasSubstr("lines.jsonl:3: x: unknown key"));
  EXPECT_THAT(std::string(ReadRequests("no/file", Features()).status().message()),
              HasSubstr("cannot open no/file: No such file or directory"));
}

TEST(ReadCatalogTest, ReadsOneItemALine) {
  const auto catalog =
      ReadCatalog(WriteLines("{\"item\":4,\"tags\":[1]}\n{\"tags\":[],\"item\":2}\n"), Features());
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_EQ(catalog->candidate_count, 2u);
  ASSERT_EQ(catalog->candidates.size(), 2u);
  EXPECT_EQ(Column(catalog->candidates, kItem).rows[1], RawCell{int64_t{2}});
  EXPECT_EQ(Column(catalog->candidates, kTags).rows[0], RawCell{int64_t{1}});
}

TEST(ReadCatalogTest, ItemsHaveTheSameFeatures) {
  const auto message = [](const std::string& text) {
    return std::string(ReadCatalog(WriteLines(text), Features()).status().message());
  };
  EXPECT_THAT(message("{\"item\":4,\"word\":\"a\"}\n{\"item\":2}\n"),
              HasSubstr("lines.jsonl:2: feature 'word' is missing"));
  EXPECT_THAT(message("{\"item\":4}\n{\"item\":2,\"word\":\"a\"}\n"),
              HasSubstr("lines.jsonl:2: feature 'word' is given, but not by the item at"));
  EXPECT_THAT(message("{\"item\":4}\n{\"item\":2,\"wor\":\"a\"}\n"),
              HasSubstr("unknown candidate feature 'wor' (did you mean 'word'?)"));
  EXPECT_THAT(message("{\"item\":\"x\"}"),
              HasSubstr("lines.jsonl:1: item: expected an integer id"));
  EXPECT_THAT(message("[1]"), HasSubstr("expected an object of features"));
}

TEST(RequestTest, NamesOfAnotherModelAreLeftOutOnRequest) {
  const auto spec = ParseSpec(R"({
      "model":{"name":"m","kind":"wide_deep"},"features":[
        {"name":"item","side":"candidate","type":"categorical","vocabulary":{"kind":"identity","size":9}}],
      "wide":{"features":["item"]}})",
                              "s.json");
  ASSERT_TRUE(spec.ok()) << spec.status();
  const FeatureSet set = *BuildFeatureSet(*spec);
  const auto parse = [&set](const std::string& line, UnknownFeatures unknown) {
    return ParseRequest(line, set, "r", unknown);
  };
  const std::string line =
      R"({"context":{"mood":["any"]},"history":{"seen":7},"candidates":{"item":[1,2],"zone":[{},0]}})";
  EXPECT_FALSE(parse(line, UnknownFeatures::kRefuse).ok());
  const auto request = parse(line, UnknownFeatures::kLeaveOut);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_TRUE(request->context.empty());
  EXPECT_EQ(request->candidates.size(), 1u);
  EXPECT_EQ(request->candidate_count, 2u);
  // There are as many rows as candidates.
  for (const char* wrong : {R"({"candidates":{"item":[1,2],"zone":[3]}})",
                            R"({"candidates":{"area":[3],"item":[1,2]}})"}) {
    const auto status = parse(wrong, UnknownFeatures::kLeaveOut).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr(" rows, but candidates.")) << wrong;
  }
  const auto alone = parse(R"({"candidates":{"zone":[3,4,5]}})", UnknownFeatures::kLeaveOut);
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(alone->candidate_count, 3u);
}

TEST(ReadCatalogTest, FurtherColumnsMayBeLeftOut) {
  const std::string text =
      "{\"item\":4,\"title\":\"Up\",\"tags\":[1]}\n{\"item\":2,\"tags\":[],\"url\":7}\n";
  EXPECT_FALSE(ReadCatalog(WriteLines(text), Features()).ok());
  std::map<std::string, std::string> unknown;
  const auto catalog = ReadCatalog(WriteLines(text), Features(), &unknown);
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_EQ(catalog->candidate_count, 2u);
  EXPECT_EQ(catalog->candidates.size(), 2u);
  ASSERT_EQ(unknown.size(), 2u);
  EXPECT_THAT(unknown["title"], HasSubstr("lines.jsonl:1"));
  EXPECT_THAT(unknown["url"], HasSubstr("lines.jsonl:2"));
  // A feature is no further column.
  EXPECT_FALSE(
      ReadCatalog(WriteLines("{\"item\":4}\n{\"item\":2,\"word\":\"a\"}\n"), Features(), &unknown)
          .ok());
}

}  // namespace
}  // namespace handpick::converter
