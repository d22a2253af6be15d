// convert --precision auto on the models of examples/: within the budget, less than int8 has
// everywhere.
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/converter/cli/run_handpick.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;

struct Example {
  const char* model;
  const char* rows;  // Whose catalog and rows it is measured by.
};

class AutoPrecisionTest : public testing::TestWithParam<Example> {
 protected:
  // Bytes of tables and layers.
  static uint64_t WeightBytes(const std::string& bundle) {
    const Outcome seen = Handpick("inspect --json " + bundle);
    EXPECT_EQ(seen.status, 0) << seen.err;
    const Json bytes = Json::parse(seen.out)["bytes"];
    return bytes["tables"].get<uint64_t>() + bytes["dense"].get<uint64_t>();
  }
};

TEST_P(AutoPrecisionTest, IsWithinTheBudgetAndSmallerThanInt8) {
  const std::string folder = EmptyTestFolder();
  const std::string model = absl::StrCat("examples/", GetParam().model, "/model/");
  const std::string rows = absl::StrCat("examples/", GetParam().rows, "/model/");
  const std::string convert =
      absl::StrCat("convert --spec ", model, "model.spec.json --weights ", model,
                   "model.safetensors --catalog ", rows, "catalog.jsonl --golden ", model,
                   "golden.jsonl --instruction-sets own --out ", folder, "/");
  for (const char* precision : {"f32", "int8"}) {
    const Outcome made = Handpick(absl::StrCat(convert, precision, ".hpk --precision ", precision));
    ASSERT_EQ(made.status, 0) << made.err;
  }
  const Outcome found = Handpick(absl::StrCat(
      convert, "auto.hpk --precision auto --budget auc=0.001,overlap=0.97 --evaluation ", rows,
      "evaluation.jsonl,", rows, "ranking.jsonl --report ", folder, "/report.json"));
  ASSERT_EQ(found.status, 0) << found.err;
  const Json report = Json::parse(ReadText(folder + "/report.json"));
  const Json& chosen = report["search"]["chosen"];
  EXPECT_LE(chosen["auc_drop"].get<double>(), 0.001);
  EXPECT_GE(chosen["top10_overlap"].get<double>(), 0.97);
  const uint64_t own = WeightBytes(folder + "/auto.hpk");
  EXPECT_LE(own, WeightBytes(folder + "/f32.hpk") * 28 / 100);
  EXPECT_LT(own, WeightBytes(folder + "/int8.hpk"));
  // How much each part costs alone, in every type that it can have.
  for (const Json& part : report["parts"]) {
    for (const auto& [type, bytes] : part["bytes"].items()) {
      EXPECT_TRUE(part["alone"].contains(type)) << part["name"] << " " << type << " " << bytes;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Examples, AutoPrecisionTest,
                         testing::Values(Example{"wide_deep", "wide_deep"}, Example{"din", "din"},
                                         Example{"nfm", "wide_deep"}, Example{"dien", "din"}),
                         [](const auto& example) { return std::string(example.param.model); });

}  // namespace
}  // namespace handpick::converter
