// handpick compare and handpick diff; what convert says of runtimes and of goldens.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
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
constexpr char kRequests[] = "examples/din/model/ranking.jsonl";
constexpr char kMovies[] = "deep.embedding.movie_id.weight";
// Movie 2959, which histories of the requests have.
constexpr size_t kRow = 2208;
constexpr size_t kColumn = 6;

class CompareTest : public testing::Test {
 protected:
  void SetUp() override { folder_ = EmptyTestFolder(); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  Outcome TryConvert(const std::string& flags, const std::string& name,
                     const std::string& weights = "") const {
    return Handpick(
        absl::StrCat("convert --spec ", kModel, "model.spec.json --weights ",
                     weights.empty() ? kModel + std::string("model.safetensors") : weights, " ",
                     flags, " --out ", Path(name)));
  }

  std::string Convert(const std::string& flags, const std::string& name,
                      const std::string& weights = "") const {
    const Outcome made =
        TryConvert(absl::StrCat("--catalog ", kModel, "catalog.jsonl ", flags), name, weights);
    EXPECT_EQ(made.status, 0) << made.err;
    return Path(name);
  }

  // The model's weights, but for one number of the movies' table.
  std::string WeightsWith(float number) const {
    std::string bytes = ReadText(std::string(kModel) + "model.safetensors");
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof(header));
    const Json names = Json::parse(bytes.substr(sizeof(header), header));
    const size_t at = sizeof(header) + header + names[kMovies]["data_offsets"][0].get<size_t>() +
                      (kRow * 16 + kColumn) * sizeof(float);
    std::memcpy(&bytes[at], &number, sizeof(number));
    const std::string path = Path("changed.safetensors");
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::string folder_;
};

TEST_F(CompareTest, WhatWasConvertedIsWithinItsBounds) {
  for (const char* precision : {"f32", "f16", "int8"}) {
    const std::string bundle =
        Convert(absl::StrCat("--precision ", precision), absl::StrCat(precision, ".hpk"));
    const Outcome same =
        Handpick(absl::StrCat("compare --bundle ", bundle, " --requests ", kRequests, " --spec ",
                              kModel, "model.spec.json --weights ", kModel, "model.safetensors"));
    EXPECT_EQ(same.status, 0) << same.out << same.err;
    EXPECT_THAT(same.out, HasSubstr("every value is within its bound"));
    EXPECT_THAT(same.out, Not(HasSubstr("not in the reference")));
  }
}

TEST_F(CompareTest, NamesTheRowThatIsAnother) {
  const std::string f32 = Convert("", "f32.hpk");
  const std::string changed = Convert("", "changed.hpk", WeightsWith(5));
  const std::string call =
      absl::StrCat("compare --bundle ", changed, " --against ", f32, " --requests ", kRequests);
  const Outcome found = Handpick(call);
  EXPECT_EQ(found.status, 3) << found.err;
  EXPECT_THAT(found.out, HasSubstr("first out of its bound: step "
                                   "'attention.key.deep.embedding.movie_id' (embedding), event "));
  EXPECT_THAT(found.out, HasSubstr("history feature 'movie_id' is 2959: row 2208 of table "
                                   "'deep.movie_id'\n  expected -0.0483"));
  EXPECT_THAT(found.out, HasSubstr(", got 5; off by 5.05"));
  const Json json = Json::parse(Handpick(call + " --json").out);
  EXPECT_EQ(json["first_out"]["rows"], Json({kRow}));
  EXPECT_EQ(json["first_out"]["column"], kColumn);
  EXPECT_TRUE(json["runtime"]["within"].get<bool>());
  EXPECT_THAT(json["worst"]["at"].get<std::string>(), HasSubstr("ranking.jsonl:"));
  // Whatever is allowed in a million.
  EXPECT_EQ(Handpick(call + " --bound 1000000").status, 0);
}

// In 8 bits a row with one large number keeps nothing of the others.
TEST_F(CompareTest, NamesTheRowThatAnOutlierSpoils) {
  const std::string weights = WeightsWith(1000);
  const std::string int8 = Convert("--precision int8", "int8.hpk", weights);
  const Outcome found =
      Handpick(absl::StrCat("compare --bundle ", int8, " --requests ", kRequests, " --spec ",
                            kModel, "model.spec.json --weights ", weights));
  EXPECT_EQ(found.status, 3) << found.out << found.err;
  EXPECT_THAT(found.out, HasSubstr("row 2208 of table 'deep.movie_id'"));
  EXPECT_THAT(found.out, HasSubstr(", got 0; off by "));
}

TEST_F(CompareTest, SaysWhatIsWrong) {
  const std::string f32 = Convert("", "f32.hpk");
  const std::string call = absl::StrCat("compare --bundle ", f32, " --requests - ");
  EXPECT_EQ(Handpick(call).status, 2);
  EXPECT_EQ(Handpick(absl::StrCat(call, "--against ", f32, " --spec s.json")).status, 2);
  EXPECT_THAT(Handpick(absl::StrCat(call, "--against ", f32, " --bound -1")).err,
              HasSubstr("--bound is -1, expected 0 or more"));
  const Outcome nothing = Handpick(absl::StrCat(call, "--against ", f32), "");
  EXPECT_EQ(nothing.status, 1);
  EXPECT_THAT(nothing.err, HasSubstr("no request has a candidate"));
}

TEST_F(CompareTest, DiffSaysWhatIsInsideAndThatTheAppNeedNotChange) {
  const std::string f32 = Convert("", "f32.hpk");
  const std::string int8 = Convert("--precision int8", "int8.hpk");
  const std::string changed = Convert("", "changed.hpk", WeightsWith(5));
  const Outcome same = Handpick(absl::StrCat("diff ", f32, " ", f32));
  EXPECT_EQ(same.status, 0);
  EXPECT_EQ(same.out, "compatible: requests and answers stay as they are\n");
  const Outcome types = Handpick(absl::StrCat("diff ", f32, " ", int8));
  EXPECT_EQ(types.status, 0) << types.err;
  EXPECT_THAT(types.out, HasSubstr("table 'deep.movie_id': Float32, now Int8PerRow\n"));
  EXPECT_THAT(types.out, HasSubstr("bundle_bytes "));
  const Outcome moved = Handpick(absl::StrCat("diff ", f32, " ", changed));
  EXPECT_EQ(moved.status, 0) << moved.err;
  EXPECT_THAT(moved.out, HasSubstr("table 'deep.movie_id': 1 of 7,868 rows moved\n"));
  EXPECT_THAT(moved.out, HasSubstr("made from other weights: model.safetensors, XXH3 "));
  EXPECT_THAT(moved.out, HasSubstr(", now changed.safetensors, "));
}

TEST_F(CompareTest, DiffSaysWhatTheAppMustKnow) {
  const std::string f32 = Convert("", "f32.hpk");
  ASSERT_EQ(TryConvert("", "bare.hpk").status, 0);
  const Outcome bare = Handpick(absl::StrCat("diff ", f32, " ", Path("bare.hpk")));
  EXPECT_EQ(bare.status, 3) << bare.err;
  EXPECT_THAT(bare.out, HasSubstr("the catalog is gone"));
  EXPECT_THAT(
      bare.out,
      HasSubstr("candidate feature 'genre' has no default any more: requests must give it"));
  EXPECT_THAT(bare.out, HasSubstr("\nnot compatible\n"));
  // The other way round all is well.
  EXPECT_EQ(Handpick(absl::StrCat("diff ", Path("bare.hpk"), " ", f32)).status, 0);

  Json spec = Json::parse(ReadText(std::string(kModel) + "model.spec.json"));
  for (Json& feature : spec["features"]) {
    if (feature["name"] == "rating_count") feature["name"] = "count_of_ratings";
    if (feature["name"] == "mean_rating") feature.erase("default");
  }
  for (Json& name : spec["deep"]["features"]) {
    if (name == "rating_count") name = "count_of_ratings";
  }
  spec["history"]["max_events"] = 20;
  std::ofstream(Path("other.spec.json")) << spec;
  const Outcome made = Handpick(absl::StrCat("convert --spec ", Path("other.spec.json"),
                                             " --weights ", kModel, "model.safetensors --catalog ",
                                             kModel, "catalog.jsonl --out ", Path("other.hpk")));
  ASSERT_EQ(made.status, 0) << made.err;
  const Outcome other = Handpick(absl::StrCat("diff --json ", f32, " ", Path("other.hpk")));
  EXPECT_EQ(other.status, 3) << other.err;
  const Json json = Json::parse(other.out);
  EXPECT_EQ(json["compatible"], false);
  EXPECT_EQ(json["breaking"],
            Json({"context feature 'mean_rating' has no default any more: requests must give it",
                  "context feature 'rating_count' is gone: requests may not name it"}));
  EXPECT_THAT(json["changes"].dump(), HasSubstr("'count_of_ratings' is new; requests may leave"));
  EXPECT_THAT(json["changes"].dump(), HasSubstr("events 'history' kept: 50, now 20"));
}

TEST_F(CompareTest, ABundleForNoRuntimeThatIsOutThereIsNotWritten) {
  EXPECT_EQ(TryConvert("--min-runtime 2.0", "now.hpk").status, 0);
  EXPECT_EQ(TryConvert("--min-runtime 2.7", "later.hpk").status, 0);
  const Outcome old = TryConvert("--min-runtime 1.4", "old.hpk");
  EXPECT_EQ(old.status, 1);
  EXPECT_THAT(old.err, HasSubstr("min_runtime: a runtime of format 1.4 does not open the "
                                 "bundle, of format 2.0\n"));
  EXPECT_THAT(old.err, HasSubstr("  table 'deep.movie_id' (f32 rows) needs 2.0\n"));
  EXPECT_THAT(old.err, HasSubstr(" more parts\n  No bundle was written."));
  EXPECT_FALSE(std::ifstream(Path("old.hpk")).good());
  const Outcome wrong = TryConvert("--min-runtime newest", "wrong.hpk");
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--min-runtime is 'newest', expected the format of a runtime"));
}

// By file and line, candidate and both logits.
TEST_F(CompareTest, TheGoldenThatTheBundleMissesIsNamed) {
  const std::string goldens = ReadText(std::string(kModel) + "golden.jsonl");
  // Lines are counted, not requests.
  WriteText(Path("golden.jsonl"), "\n\n" + goldens);
  const Outcome off = TryConvert(
      absl::StrCat("--precision int8 --max-golden-error 0.0001 --instruction-sets own --catalog ",
                   kModel, "catalog.jsonl --golden ", Path("golden.jsonl")),
      "off.hpk");
  EXPECT_EQ(off.status, 1);
  EXPECT_THAT(off.err, HasSubstr("golden_logit_error: the bundle is off the trainer's logits"));
  const std::string place = "golden.jsonl:";
  const size_t at = off.err.find(place);
  ASSERT_NE(at, std::string::npos) << off.err;
  size_t line = 0, candidate = 0;
  double trainers = 0, bundles = 0;
  ASSERT_EQ(std::sscanf(off.err.c_str() + at + place.size(),
                        "%zu: candidate %zu: the trainer's logit is %lf, the bundle's is %lf",
                        &line, &candidate, &trainers, &bundles),
            4)
      << off.err;
  const std::vector<std::string> lines = absl::StrSplit(ReadText(Path("golden.jsonl")), '\n');
  const Json request = Json::parse(lines.at(line - 1));
  EXPECT_NEAR(request["logits"].at(candidate).get<double>(), trainers, 1e-8);
  EXPECT_GT(std::abs(trainers - bundles), 1e-4);
}

TEST_F(CompareTest, ReportsAreNotWrittenOverWhatIsRead) {
  const std::string f32 = Convert("", "f32.hpk");
  std::ofstream(Path("rows.jsonl")) << ReadText(std::string(kModel) + "evaluation.jsonl");
  for (const char* flag : {"--junit", "--markdown", "--partial", "--report"}) {
    const Outcome over =
        Handpick(absl::StrCat("evaluate --bundle ", f32, " --rows ", Path("rows.jsonl"), " ", flag,
                              " ", Path("rows.jsonl")));
    EXPECT_EQ(over.status, 1) << flag;
    EXPECT_THAT(over.err, HasSubstr("the same file as --rows"));
    EXPECT_THAT(Handpick(absl::StrCat("evaluate --bundle ", f32, " --rows - ", flag, " ", f32)).err,
                HasSubstr("the same file as --bundle"));
  }
  // Nor over each other, by whatever name.
  const std::string rows = ReadText(Path("rows.jsonl"));
  WriteText(Path("page"), "what was there");
  std::filesystem::create_symlink(Path("page"), Path("link"));
  for (const char* flags : {"--report page --junit page", "--markdown page --report page",
                            "--junit link --report page"}) {
    const Outcome both = Handpick(
        absl::StrCat("evaluate --bundle ", f32, " --rows ", Path("rows.jsonl"), " ",
                     absl::StrReplaceAll(flags, {{"page", Path("page")}, {"link", Path("link")}})));
    EXPECT_EQ(both.status, 1) << flags;
    EXPECT_THAT(both.err, HasSubstr("the same file as --report")) << flags;
    EXPECT_EQ(ReadText(Path("page")), "what was there") << flags;
  }
  EXPECT_EQ(ReadText(Path("rows.jsonl")), rows);
}

}  // namespace
}  // namespace handpick::converter
