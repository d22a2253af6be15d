// What the one reader of JSON takes, and what it says of the rest.
#include "converter/io/json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string MessageOf(const std::string& text) {
  return std::string(ParseJson(text, "t").status().message());
}

std::string Nested(size_t levels, char open, char close) {
  return std::string(levels, open) + std::string(levels, close);
}

TEST(ParseJsonTest, NestsNoDeeperThanCodeMayRecurse) {
  EXPECT_TRUE(ParseJson(Nested(kMostJsonLevels, '[', ']'), "t").ok());
  EXPECT_EQ(MessageOf(Nested(kMostJsonLevels + 1, '[', ']')),
            "t: more than 64 arrays and objects inside each other at line 1, column 65");
  EXPECT_THAT(MessageOf(Nested(100000, '[', ']')), HasSubstr("inside each other"));
  std::string objects;
  for (int i = 0; i < 100; ++i) objects += "{\"a\":\n";
  EXPECT_THAT(MessageOf(objects), EndsWith("inside each other at line 65, column 1"));
  // Brackets within a text are no levels, nor are those that were closed.
  EXPECT_TRUE(ParseJson("[\"" + std::string(1000, '[') + "\\\"[\"]", "t").ok());
  std::string many = "[";
  for (int i = 0; i < 1000; ++i) many += "[],";
  EXPECT_TRUE(ParseJson(many + "[]]", "t").ok());
}

TEST(ParseJsonTest, NumbersThatJsonHasNotAreNamedByPlace) {
  for (const char* word : {"NaN", "nan", "Infinity", "inf"}) {
    EXPECT_EQ(MessageOf(absl::StrCat("{\"a\":\n [1, ", word, "]}")),
              absl::StrCat("t: not JSON: ", word,
                           " at line 2, column 6: JSON has no such number: leave the value out, or "
                           "give a number"));
  }
  EXPECT_THAT(MessageOf("[-Infinity]"), HasSubstr("Infinity at line 1, column 3"));
  EXPECT_THAT(MessageOf("[None]"), HasSubstr("None at line 1, column 2: JSON writes null"));
  EXPECT_THAT(MessageOf("[True]"), HasSubstr("True at line 1, column 2: JSON writes true"));
  EXPECT_TRUE(ParseJson("[\"NaN\", true, false, null, 1e5, 2E-3]", "t").ok());
}

TEST(ParseJsonTest, AMarkOfUtf8IsSkippedAndUtf16IsNamed) {
  const auto json = ParseJson("\xEF\xBB\xBF{\"a\": 1}", "t");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ((*json)["a"], 1);
  const char* const expected = "t: not JSON: this is UTF-16, expected UTF-8";
  EXPECT_EQ(MessageOf(std::string("\xFF\xFE{\0}\0", 6)), expected);
  EXPECT_EQ(MessageOf(std::string("\xFE\xFF\0{\0}", 6)), expected);
  EXPECT_EQ(MessageOf(std::string("{\0}\0", 4)), expected);
}

TEST(ParseJsonTest, MessagesAreShort) {
  EXPECT_LT(MessageOf("[" + std::string(100000, 'x') + "]").size(), 400u);
  EXPECT_LT(MessageOf("\"" + std::string(100000, 'x')).size(), 400u);
}

TEST(ShownTest, CutsNoCharacter) {
  std::string text = "x";
  for (int i = 0; i < 100; ++i) text += "\xC3\xA9";
  const std::string shown = Shown(Json(text));
  EXPECT_THAT(shown, EndsWith("\xC3\xA9..."));
  EXPECT_LT(shown.size(), 70u);
}

TEST(JsonErrorsTest, KeepTheFirstOrAll) {
  JsonErrors first("f");
  first.Add("a", "is wrong");
  first.Add("b", "is wrong, too");
  EXPECT_EQ(first.status().message(), "f: a: is wrong");
  EXPECT_FALSE(first.GoesOn());
  JsonErrors all("f", JsonErrors::Keep::kAll);
  EXPECT_TRUE(all.ok());
  all.Add("a", "is wrong");
  EXPECT_EQ(all.status().message(), "f: a: is wrong");
  all.Add("", "is strange");
  all.Add("a", "is wrong");
  EXPECT_EQ(all.status().message(), "f: 2 faults:\n  a: is wrong\n  is strange");
  EXPECT_TRUE(all.GoesOn());
}

TEST(JsonErrorsTest, AFaultSpoilsWhatItIsOfAndWhatIsWithin) {
  JsonErrors errors("f", JsonErrors::Keep::kAll);
  errors.Add("a.b[1]", "is wrong");
  for (const char* path : {"a", "a.b", "a.b[1]", "a.b[1].c"}) EXPECT_FALSE(errors.IsClean(path));
  for (const char* path : {"ab", "a.b[0]", "a.b[10]", "a.c", "b"}) {
    EXPECT_TRUE(errors.IsClean(path)) << path;
  }
  errors.Spoil("c");
  EXPECT_FALSE(errors.IsClean("c.d"));
  errors.Add("", "is of the whole", "d.e");
  EXPECT_FALSE(errors.IsClean("d"));
  EXPECT_TRUE(errors.IsClean("x"));
}

TEST(JsonObjectTest, ReadsOnAfterFaults) {
  JsonErrors errors("f", JsonErrors::Keep::kAll);
  const Json json = Json::parse(R"({"a": "x", "b": 3, "flg": true, "odd": 1, "c": [1]})");
  const JsonObject object(json, "", {"a", "b", "c", "flag", "list", "number"}, &errors);
  EXPECT_EQ(object.Integer("a", 2, 5), 2);
  EXPECT_EQ(object.String("b"), "");
  EXPECT_FALSE(object.Boolean("flag"));  // Misspelt, which is one fault and not two.
  EXPECT_TRUE(object.Array("list").empty());
  EXPECT_EQ(object.Number("number"), 0);
  EXPECT_EQ(object.Array("c").size(), 1u);
  const JsonObject none(object.Required("none"), "none", {}, &errors);
  EXPECT_TRUE(JsonObject::IsNone(none.Required("x")));
  EXPECT_EQ(errors.status().message(),
            "f: 7 faults:\n"
            "  flg: unknown key (did you mean 'flag'?); the keys here are: a, b, c, flag, list, "
            "number\n"
            "  odd: unknown key; the keys here are: a, b, c, flag, list, number\n"
            "  a: expected an integer from 2 to 5, found \"x\"\n"
            "  b: expected a string, found 3\n"
            "  key 'list' is missing\n"
            "  key 'number' is missing\n"
            "  key 'none' is missing");
}

}  // namespace
}  // namespace handpick::converter
