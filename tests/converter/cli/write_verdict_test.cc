// handpick evaluate --write-verdict: what was decided is in the bundle.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/converter/cli/run_handpick.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kModel[] = "examples/din/model/";

class WriteVerdictTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = EmptyTestFolder();
    bundle_ = Path("model.hpk");
    const Outcome made =
        Handpick(absl::StrCat("convert --spec ", kModel, "model.spec.json --weights ", kModel,
                              "model.safetensors --catalog ", kModel, "catalog.jsonl --golden ",
                              kModel, "golden.jsonl --out ", bundle_));
    ASSERT_EQ(made.status, 0) << made.err;
    const std::string rows = ReadText(std::string(kModel) + "evaluation.jsonl");
    std::ofstream some(Path("rows.jsonl"));
    std::vector<std::string> lines = absl::StrSplit(rows, '\n', absl::SkipEmpty());
    for (size_t i = 0; i < 200; ++i) {
      Json row = Json::parse(lines[i]);
      row["tags"] = {{"country", i % 2 == 0 ? "Österreich" : "Chile"}};
      some << row.dump() << "\n";
    }
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  Outcome Evaluate(const std::string& flags, const std::string& out = "out.hpk") const {
    return Handpick(absl::StrCat("evaluate --bundle ", bundle_, " --rows ", Path("rows.jsonl"), " ",
                                 flags, " --write-verdict ", Path(out)));
  }

  static Json Inspect(const std::string& path) {
    const Outcome seen = Handpick("inspect --json " + path);
    EXPECT_EQ(seen.status, 0) << seen.err;
    return Json::parse(seen.out);
  }

  bool IsThere(const std::string& name) const { return std::ifstream(Path(name)).good(); }

  std::string folder_;
  std::string bundle_;
};

TEST_F(WriteVerdictTest, WhatWasDecidedIsInTheBundle) {
  const std::string flags =
      "--slice country --require 'auc >= 0.6' --require 'auc >= 0.55 @ country=Österreich'";
  const Outcome passed = Evaluate(flags);
  ASSERT_EQ(passed.status, 0) << passed.out << passed.err;
  const Json before = Inspect(bundle_);
  const Json after = Inspect(Path("out.hpk"));
  EXPECT_EQ(after["gate"]["bounds"], before["gate"]["bounds"]) << "convert's gate stays";
  EXPECT_EQ(after["gate"]["verdict"], before["gate"]["verdict"]);
  const Json& evaluation = after["gate"]["evaluation"];
  EXPECT_EQ(evaluation["verdict"], "pass");
  EXPECT_EQ(evaluation["requests"], 200);
  EXPECT_EQ(evaluation["inputs"][0]["name"], "rows.jsonl");
  EXPECT_EQ(evaluation["inputs"][0]["xxh3"].get<std::string>().size(), 16u);
  EXPECT_GE(evaluation["instruction_sets"].size(), 1u);
  ASSERT_EQ(evaluation["decisions"].size(), 2u);
  EXPECT_EQ(evaluation["decisions"][0]["require"], "auc >= 0.6");
  EXPECT_LT(evaluation["decisions"][0]["low"].get<double>(),
            evaluation["decisions"][0]["high"].get<double>());
  EXPECT_EQ(evaluation["decisions"][1]["slice"], "country=Österreich");
  EXPECT_EQ(evaluation["metrics"][0]["name"], "auc");
  // New hashes, right ones; the same model.
  EXPECT_EQ(Handpick("verify --bundle " + Path("out.hpk")).status, 0);
  EXPECT_NE(after["content_hash"], before["content_hash"]);
  const Outcome scores =
      Handpick(absl::StrCat("evaluate --bundle ", Path("out.hpk"), " --against ", bundle_,
                            " --rows ", Path("rows.jsonl"), " --require 'max_logit_error<=0'"));
  EXPECT_EQ(scores.status, 0) << scores.out;
  const std::string text = Handpick("inspect " + Path("out.hpk")).out;
  EXPECT_THAT(text, HasSubstr("Evaluation: pass on rows.jsonl: "));
  EXPECT_THAT(text, HasSubstr("  pass      auc >= 0.6 "));
  EXPECT_THAT(text, HasSubstr("in country=Österreich"));
  const Outcome diff = Handpick(absl::StrCat("diff ", bundle_, " ", Path("out.hpk")));
  EXPECT_EQ(diff.status, 0) << diff.out;
  EXPECT_THAT(diff.out, HasSubstr("verdict of the evaluation: none, now pass"));
  EXPECT_THAT(diff.out, HasSubstr("the evaluation demanded now: auc >= 0.6"));
  EXPECT_THAT(diff.out, HasSubstr("evaluation: auc"));
  // Again: the same bytes; what was there is replaced.
  ASSERT_EQ(Evaluate(flags, "again.hpk").status, 0);
  EXPECT_EQ(ReadText(Path("again.hpk")), ReadText(Path("out.hpk")));
  bundle_ = Path("out.hpk");
  ASSERT_EQ(Evaluate("--require 'auc >= 0.5'", "third.hpk").status, 0);
  EXPECT_EQ(Inspect(Path("third.hpk"))["gate"]["evaluation"]["decisions"].size(), 1u);
}

TEST_F(WriteVerdictTest, WhatMayNotShipIsNotWrittenUnlessAsked) {
  const Outcome failed = Evaluate("--require 'auc >= 0.99'");
  EXPECT_EQ(failed.status, 3);
  EXPECT_THAT(failed.err, HasSubstr("out.hpk was not written: the verdict is fail"));
  EXPECT_FALSE(IsThere("out.hpk"));
  const Outcome kept = Evaluate("--require 'auc >= 0.99' --even-if-failed");
  EXPECT_EQ(kept.status, 3);
  EXPECT_EQ(Inspect(Path("out.hpk"))["gate"]["evaluation"]["verdict"], "fail");
  EXPECT_THAT(Handpick("inspect " + Path("out.hpk")).out, HasSubstr("Evaluation: fail on "));
  const double auc = Inspect(Path("out.hpk"))["gate"]["evaluation"]["metrics"][0]["value"];
  const Outcome undecided =
      Evaluate(absl::StrCat("--require 'auc >= ", auc - 0.001, "'"), "undecided.hpk");
  EXPECT_EQ(undecided.status, 4) << undecided.out;
  EXPECT_FALSE(IsThere("undecided.hpk"));
  const Outcome wrong = Evaluate("--require 'auc >= 0.5 @ country=Peru'", "wrong.hpk");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_FALSE(IsThere("wrong.hpk"));
  // A report that can't be written leaves no bundle either.
  const Outcome report = Evaluate("--require 'auc >= 0.5' --report /dev/null/r.html", "no.hpk");
  EXPECT_EQ(report.status, 1);
  EXPECT_FALSE(IsThere("no.hpk"));
}

TEST_F(WriteVerdictTest, NothingIsWrittenOverWhatIsRead) {
  const std::string before = ReadText(bundle_);
  const Outcome over = Evaluate("--require 'auc >= 0.5'", "model.hpk");
  EXPECT_EQ(over.status, 1);
  EXPECT_THAT(over.err, HasSubstr("the same file as --bundle"));
  EXPECT_EQ(Evaluate("--require 'auc >= 0.5'", "rows.jsonl").status, 1);
  EXPECT_EQ(ReadText(bundle_), before);
}

TEST_F(WriteVerdictTest, ASignatureIsOfOtherBytes) {
  const auto openssl = [&](const std::string& arguments) {
    return std::system(
        absl::StrCat("cd ", folder_, " && openssl ", arguments, " >/dev/null").c_str());
  };
  ASSERT_EQ(openssl("genpkey -algorithm ed25519 -out key.pem"), 0);
  ASSERT_EQ(openssl("pkey -in key.pem -pubout -out key.pub"), 0);
  const std::string sign = absl::StrCat(" --key ", Path("key.pem"), " --out ");
  ASSERT_EQ(Handpick(absl::StrCat("sign --bundle ", bundle_, sign, Path("signed.hpk"))).status, 0);
  bundle_ = Path("signed.hpk");
  const Outcome passed = Evaluate("--require 'auc >= 0.5'");
  ASSERT_EQ(passed.status, 0) << passed.err;
  EXPECT_THAT(passed.err, HasSubstr("was of other bytes, and left out: sign it again"));
  const std::string verify = absl::StrCat(" --key ", Path("key.pub"));
  const Outcome unsigned_one = Handpick(absl::StrCat("verify --bundle ", Path("out.hpk"), verify));
  EXPECT_EQ(unsigned_one.status, 1);
  EXPECT_THAT(unsigned_one.err, HasSubstr("is not signed"));
  ASSERT_EQ(Handpick(absl::StrCat("sign --bundle ", Path("out.hpk"), sign, Path("s.hpk"))).status,
            0);
  EXPECT_EQ(Handpick(absl::StrCat("verify --bundle ", Path("s.hpk"), verify)).status, 0);
  EXPECT_EQ(Inspect(Path("s.hpk"))["gate"]["evaluation"]["verdict"], "pass");
}

TEST_F(WriteVerdictTest, OfManyMachinesTheSummariesAreNamed) {
  const std::string measure = absl::StrCat("evaluate --bundle ", bundle_, " --rows ",
                                           Path("rows.jsonl"), " --partial ", Path("summary"));
  ASSERT_EQ(Handpick(measure).status, 0);
  const std::string merge =
      absl::StrCat("evaluate --merge ", Path("summary"), " --require 'auc >= 0.5' --write-verdict ",
                   Path("out.hpk"), " ");
  EXPECT_EQ(Handpick(merge).status, 2) << "of which bundle?";
  const Outcome merged = Handpick(absl::StrCat(merge, "--bundle ", bundle_));
  ASSERT_EQ(merged.status, 0) << merged.err;
  const Json evaluation = Inspect(Path("out.hpk"))["gate"]["evaluation"];
  EXPECT_EQ(evaluation["inputs"][0]["role"], "summary");
  EXPECT_EQ(evaluation["requests"], 200);
  // Not of another bundle.
  const Outcome other = Handpick(absl::StrCat(merge, "--bundle ", Path("out.hpk"), " --json"));
  EXPECT_EQ(other.status, 1);
  const Outcome moved = Handpick(absl::StrCat("evaluate --merge ", Path("summary"),
                                              " --require 'auc >= 0.5' --write-verdict ",
                                              Path("third.hpk"), " --bundle ", Path("out.hpk")));
  EXPECT_EQ(moved.status, 1);
  EXPECT_THAT(moved.err, HasSubstr("is not the bundle that was measured"));
  EXPECT_FALSE(IsThere("third.hpk"));
}

TEST_F(WriteVerdictTest, DamagedBundlesGetNoNewHashes) {
  std::string bytes = ReadText(bundle_);
  // A bit of a table's number.
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  bundle_ = Path("damaged.hpk");
  std::ofstream(bundle_, std::ios::binary) << bytes;
  const Outcome damaged = Evaluate("--require 'auc >= 0.5'");
  EXPECT_EQ(damaged.status, 1);
  EXPECT_FALSE(IsThere("out.hpk"));
}

TEST_F(WriteVerdictTest, FlagsThatDoNotGoTogether) {
  EXPECT_THAT(Evaluate("").err, HasSubstr("--write-verdict needs --require"));
  const Outcome alone = Handpick(absl::StrCat("evaluate --bundle ", bundle_, " --rows ",
                                              Path("rows.jsonl"), " --even-if-failed"));
  EXPECT_EQ(alone.status, 2);
  const Outcome pipe =
      Handpick(absl::StrCat("evaluate --bundle ", bundle_,
                            " --rows - --require 'auc>=0.5' --write-verdict ", Path("out.hpk")),
               ReadText(Path("rows.jsonl")));
  EXPECT_EQ(pipe.status, 2);
  EXPECT_THAT(pipe.err, HasSubstr("give them in files"));
}

}  // namespace
}  // namespace handpick::converter
