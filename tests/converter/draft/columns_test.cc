#include <string>

#include "converter/draft/draft.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

std::string FaultOf(const std::string& text) {
  const auto columns = ParseColumns(text, "columns.json");
  return columns.ok() ? "" : std::string(columns.status().message());
}

TEST(ColumnsTest, AreFeaturesOrAnyPartOfASpec) {
  const auto features = ParseColumns(R"([{"name": "user_id"}])", "columns.json");
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_EQ((*features)["features"][0]["name"], "user_id");
  const auto part = ParseColumns(R"({"deep": {"features": ["a"]}})", "columns.json");
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_EQ((*part)["deep"]["features"][0], "a");
  const auto units = ParseColumns(R"({"attention": [{"key": ["a"]}, {"key": ["b"]}]})", "c.json");
  ASSERT_TRUE(units.ok()) << units.status();
  EXPECT_EQ((*units)["attention"][1]["key"][0], "b");
}

TEST(ColumnsTest, NamesFaults) {
  EXPECT_NE(FaultOf(R"([{"side": "context"}])").find("features[0]"), std::string::npos);
  EXPECT_NE(FaultOf(R"({"deeep": {}})").find("did you mean 'deep'?"), std::string::npos);
  EXPECT_NE(FaultOf(R"({"deep": []})").find("deep: expected an object"), std::string::npos);
  EXPECT_NE(FaultOf(R"({"attention": [3]})").find("attention: expected an object or a list"),
            std::string::npos);
  EXPECT_NE(FaultOf(R"({"model": {"kind": 3}})").find("model.kind"), std::string::npos);
  EXPECT_NE(FaultOf(R"({"layout": {"names": {}}})").find("layout"), std::string::npos);
  EXPECT_NE(FaultOf("{").find("not JSON"), std::string::npos);
}

}  // namespace
}  // namespace handpick::converter
