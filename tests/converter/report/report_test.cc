// What reports make of an evaluation. How the page looks is seen by tests/packages/report_test.sh.
#include "converter/report/report.h"

#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::Not;

// Of a million rows; names come from rows, which anybody may have written.
Json Measured() {
  const Json metric = {{"value", 0.75}, {"low", 0.7}, {"high", 0.8}};
  Json slice = {{"name", ""},
                {"users", 25000},
                {"requests", 100000},
                {"rows", 1234567},
                {"labelled_rows", 999},
                {"positives", 0},
                {"metrics", {{"auc", metric}}},
                {"calibration", Json::array()}};
  Json evaluation = {{"bundle", "0123456789abcdef"}, {"verdict", "undecided"}};
  evaluation["slices"] = {slice};
  slice["name"] = "country=<script>alert(1)</script>\"|&";
  evaluation["slices"].push_back(slice);
  const auto decision = [&](const char* verdict, const std::string& of) {
    return Json{{"require", "auc >= 0.7 @ *"},
                {"slice", of},
                {"verdict", verdict},
                {"message", "auc in " + of + " is 0.75"}};
  };
  evaluation["decisions"] = {decision("fail", slice["name"]), decision("undecided", ""),
                             decision("pass", "")};
  return evaluation;
}

TEST(ReportTest, NamesAreText) {
  const Json evaluation = Measured();
  const std::string page = HtmlReport(evaluation);
  EXPECT_THAT(page,
              HasSubstr("<h2>country=&lt;script&gt;alert(1)&lt;/script&gt;&quot;|&amp;</h2>"));
  for (const std::string& text : {page, JUnitReport(evaluation)}) {
    EXPECT_THAT(text, Not(HasSubstr("<script")));
    EXPECT_THAT(text, HasSubstr("auc in country=&lt;script&gt;"));
  }
  EXPECT_THAT(MarkdownReport(evaluation), HasSubstr("</script>\"\\|& is 0.75 |\n"));
}

TEST(ReportTest, NumbersCanBeRead) {
  Json evaluation = Measured();
  evaluation["candidate_as_written"] = 554912;
  evaluation["inspection"] = {{"model", {{"name", "din"}, {"version", "1"}}},
                              {"bytes", {{"tables", 102427648}, {"rest", 900}, {"forests", 0}}},
                              {"memory", {{"session_bytes", 1000}, {"tile", 96}}},
                              {"work", {{"pair", {{"multiply_accumulates", 5184}}}}}};
  const std::string page = HtmlReport(evaluation);
  EXPECT_THAT(page, HasSubstr("<p>1,234,567 rows, 999 with labels (0 positive), 100,000 requests, "
                              "25,000 users</p>"));
  EXPECT_THAT(page, HasSubstr(">102.4 MB<"));
  EXPECT_THAT(page, HasSubstr(">0.9 KB<"));
  EXPECT_THAT(page, Not(HasSubstr("forests")));
  EXPECT_THAT(page, HasSubstr("as the trainer wrote it</td><td class=\"n\">554,912</td></tr>"));
  EXPECT_THAT(page, HasSubstr("of these, for each event</td><td class=\"n\">5,184</td></tr>"));
  EXPECT_THAT(page, HasSubstr("bytes of a session</td><td class=\"n\">1,000</td></tr>"));
  // What is not known is left out.
  EXPECT_THAT(page, Not(HasSubstr("once a context")));
  EXPECT_THAT(page, Not(HasSubstr("against")));
}

TEST(ReportTest, WhatEachVerdictIsToATestRunner) {
  const std::string xml = JUnitReport(Measured());
  EXPECT_THAT(xml, HasSubstr("tests=\"3\" failures=\"1\" errors=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"auc in country"));
  EXPECT_THAT(xml, HasSubstr("<error message=\"undecided: auc in "));
  EXPECT_THAT(xml, HasSubstr("<system-out>"));
}

// An interval without width, as of a metric that is the same for every user.
TEST(ReportTest, AnIntervalMayBeAPoint) {
  Json evaluation = Measured();
  for (Json& slice : evaluation["slices"]) {
    slice["metrics"]["auc"] = {{"value", 1}, {"low", 1}, {"high", 1}};
  }
  const std::string page = HtmlReport(evaluation);
  EXPECT_FALSE(absl::StrContains(page, "nan")) << page;
  EXPECT_FALSE(absl::StrContains(page, "inf")) << page;
}

}  // namespace
}  // namespace handpick::converter
