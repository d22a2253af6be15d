// handpick convert --counts: ids that training hardly saw share a row.
#include <cstdint>
#include <fstream>
#include <map>
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

constexpr char kDin[] = "examples/din/model/";

class RareRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = EmptyTestFolder();
    // How often a movie is in the histories, which stand for what training saw.
    std::map<int64_t, int> seen;
    for (const char* file : {"evaluation.jsonl", "ranking.jsonl"}) {
      const std::string text = ReadText(kDin + std::string(file));
      for (const auto line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
        const Json request = Json::parse(line);
        if (!request.contains("history")) continue;
        for (const Json& id : request["history"]["movie_id"]) ++seen[id.get<int64_t>()];
      }
    }
    std::ofstream counts(Path("counts.csv"));
    counts << "feature,id,count\n";
    for (const auto& [id, count] : seen) counts << "movie_id," << id << "," << count << "\n";
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  Outcome Convert(const std::string& flags, const std::string& name,
                  const std::string& model = kDin) const {
    return Handpick(absl::StrCat("convert --spec ", model, "model.spec.json --weights ", model,
                                 "model.safetensors --catalog ", model, "catalog.jsonl --report ",
                                 Path(name), ".json --out ", Path(name), " ", flags));
  }

  static std::string Measured(const std::string& model = kDin) {
    return absl::StrCat("--golden ", model, "golden.jsonl --evaluation ", model,
                        "evaluation.jsonl,", model, "ranking.jsonl ");
  }

  Json Report(const std::string& name) const { return Json::parse(ReadText(Path(name) + ".json")); }

  Json Inspect(const std::string& name) const {
    const Outcome seen = Handpick(absl::StrCat("inspect --json ", Path(name)));
    EXPECT_EQ(seen.status, 0) << seen.err;
    return Json::parse(seen.out);
  }

  std::string folder_;
};

TEST_F(RareRowsTest, HistoryAndCandidateChangeTogetherAndTheDriftIsTheTrainers) {
  const Outcome whole = Convert(Measured(), "whole.hpk");
  ASSERT_EQ(whole.status, 0) << whole.err;
  const std::string flags =
      absl::StrCat(Measured(), "--counts ", Path("counts.csv"), " --min-count 2 ",
                   "--max-auc-drift 1 --min-top10-overlap 0 ");
  const Outcome merged = Convert(flags, "merged.hpk");
  ASSERT_EQ(merged.status, 0) << merged.err;
  EXPECT_THAT(merged.out, HasSubstr("of 7,868 rows of candidate.movie_id, history.movie_id are one "
                                    "in deep.movie_id: counted less than 2 times"));
  const Json report = Report("merged.hpk");
  const Json& rare = report["rare_rows"];
  EXPECT_EQ(rare["min_count"], 2);
  ASSERT_EQ(rare["tables"].size(), 1u);
  const uint64_t removed = rare["removed_rows"].get<uint64_t>();
  EXPECT_EQ(rare["tables"][0]["merged"].get<uint64_t>(), removed + 1);
  EXPECT_GT(removed, 3000u);
  // 16 numbers a row, less the few bytes of the manifest.
  const uint64_t before = Report("whole.hpk")["bundle_bytes"].get<uint64_t>();
  const uint64_t after = report["bundle_bytes"].get<uint64_t>();
  EXPECT_NEAR(static_cast<double>(before - after), static_cast<double>(64 * removed), 1000);
  // The reference is the model with all its rows.
  EXPECT_EQ(report["drift"]["auc_reference"], Report("whole.hpk")["drift"]["auc_reference"]);
  EXPECT_GT(report["drift"]["max_logit_error"].get<double>(), 0.01);
  EXPECT_LT(Report("whole.hpk")["drift"]["max_logit_error"].get<double>(), 1e-4);
  // The bundle computes its goldens to the last bits, wherever it runs.
  EXPECT_LT(report["goldens"]["max_error_bundle"].get<double>(), 1e-4);
  EXPECT_LE(report["goldens"]["tolerance"].get<double>(), 1.01e-4);
  EXPECT_EQ(Handpick(absl::StrCat("verify --bundle ", Path("merged.hpk"))).status, 0);
  const Json inspected = Inspect("merged.hpk");
  EXPECT_EQ(inspected["gate"]["rare_rows"]["removed_rows"].get<uint64_t>(), removed);
  EXPECT_THAT(Handpick(absl::StrCat("inspect ", Path("merged.hpk"))).out,
              HasSubstr("of ids that were counted less than 2 times"));
  bool named = false;
  for (const Json& input : inspected["inputs"]) named = named || input["role"] == "counts";
  EXPECT_TRUE(named);
  // The app changes nothing: the same ids are known.
  const Outcome diff = Handpick(absl::StrCat("diff ", Path("whole.hpk"), " ", Path("merged.hpk")));
  EXPECT_EQ(diff.status, 0) << diff.out << diff.err;
  EXPECT_THAT(diff.out, HasSubstr("0 ids are new, 0 are gone, others have another row"));
  // The same files give the same bytes.
  ASSERT_EQ(Convert(flags, "again.hpk").status, 0);
  EXPECT_EQ(ReadText(Path("again.hpk")), ReadText(Path("merged.hpk")));
}

TEST_F(RareRowsTest, MergedItemsScoreAlikeAndOthersAsBefore) {
  ASSERT_EQ(Convert("", "whole.hpk").status, 0);
  ASSERT_EQ(
      Convert(absl::StrCat("--counts ", Path("counts.csv"), " --min-count 1"), "merged.hpk").status,
      0);
  // Two movies of the same genres and year that no history has, and two that are seen.
  const std::string request = ReadText(std::string(kDin) + "ranking.jsonl");
  const std::string line = request.substr(0, request.find('\n'));
  std::ofstream(Path("one.jsonl")) << line << "\n";
  Json logits[2];
  const char* names[] = {"whole.hpk", "merged.hpk"};
  for (int i = 0; i < 2; ++i) {
    const Outcome scored = Handpick(
        absl::StrCat("score --bundle ", Path(names[i]), " --requests ", Path("one.jsonl")));
    ASSERT_EQ(scored.status, 0) << scored.err;
    logits[i] = Json::parse(scored.out)["logits"];
  }
  ASSERT_EQ(logits[0].size(), logits[1].size());
  // Movies that are not merged, the history being of seen ones alone, have the same logits.
  std::map<int64_t, bool> seen;
  const std::string counts = ReadText(Path("counts.csv"));
  for (const auto row : absl::StrSplit(counts, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(row, ',');
    if (fields[0] == "movie_id") seen[std::stoll(fields[1])] = true;
  }
  const Json ids = Json::parse(line)["candidates"]["movie_id"];
  size_t same = 0, moved = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (seen.count(ids[i].get<int64_t>()) != 0) {
      EXPECT_EQ(logits[0][i], logits[1][i]) << ids[i];
      ++same;
    } else {
      moved += logits[0][i] != logits[1][i];
    }
  }
  EXPECT_GT(same, 10u);
  EXPECT_GT(moved, 10u);
}

TEST_F(RareRowsTest, TheGateStopsWhatMergingSpoils) {
  const std::string counts = absl::StrCat("--counts ", Path("counts.csv"), " --min-count ");
  const Outcome spoilt = Convert(absl::StrCat(Measured(), counts, "1000000"), "spoilt.hpk");
  EXPECT_EQ(spoilt.status, 1);
  EXPECT_THAT(spoilt.err, HasSubstr("auc_drift"));
  EXPECT_THAT(spoilt.err, HasSubstr("No bundle was written"));
  EXPECT_FALSE(std::ifstream(Path("spoilt.hpk")).good());
  const Outcome golden = Convert(
      absl::StrCat("--golden ", kDin, "golden.jsonl --max-golden-error 0.001 ", counts, "1000000"),
      "golden.hpk");
  EXPECT_EQ(golden.status, 1);
  EXPECT_THAT(golden.err, HasSubstr("golden_logit_error: the model whose rare rows were merged is "
                                    "off the trainer's logits by up to"));
}

TEST_F(RareRowsTest, TheSearchTakesWhatIsWithinTheBudget) {
  const std::string budget =
      "--precision auto --budget auc=0.001,overlap=0.95 --instruction-sets own ";
  const Outcome without = Convert(Measured() + budget, "without.hpk");
  ASSERT_EQ(without.status, 0) << without.err;
  const Outcome with =
      Convert(absl::StrCat(Measured(), budget, "--counts ", Path("counts.csv")), "with.hpk");
  ASSERT_EQ(with.status, 0) << with.err;
  const Json report = Report("with.hpk");
  const Json& trials = report["rare_rows"]["trials"];
  ASSERT_GE(trials.size(), 2u);
  EXPECT_EQ(trials[0]["min_count"], 0);
  // Without merging the search is what it was.
  EXPECT_EQ(trials[0]["chosen"], Report("without.hpk")["search"]["chosen"]);
  uint64_t least = UINT64_MAX;
  for (const Json& trial : trials) {
    if (trial["chosen"].is_null()) continue;
    EXPECT_LE(trial["chosen"]["auc_drop"].get<double>(), 0.001);
    EXPECT_GE(trial["chosen"]["top10_overlap"].get<double>(), 0.95);
    least = std::min(least, trial["chosen"]["bundle_bytes"].get<uint64_t>());
  }
  EXPECT_EQ(report["search"]["chosen"]["bundle_bytes"].get<uint64_t>(), least);
  EXPECT_LE(report["bundle_bytes"].get<uint64_t>(),
            Report("without.hpk")["bundle_bytes"].get<uint64_t>() + 200);
  EXPECT_THAT(with.out, HasSubstr("min count    rows fewer   AUC, top-10 overlap"));
}

TEST_F(RareRowsTest, CrossedAndHashedFeaturesAreLeftWithAWord) {
  constexpr char kWideDeep[] = "examples/wide_deep/model/";
  std::ofstream(Path("genres.csv")) << "feature,id,count\nfavourite_genre,Drama,5\n";
  const Outcome none = Convert(absl::StrCat("--counts ", Path("genres.csv"), " --min-count 5"),
                               "none.hpk", kWideDeep);
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("counts no id whose row could be merged"));
  EXPECT_THAT(none.err, HasSubstr("which is crossed: its rows are combinations of these"));
  // Of movies, wide and deep tables go together.
  const Outcome movies = Convert(absl::StrCat("--counts ", Path("counts.csv"), " --min-count 1"),
                                 "movies.hpk", kWideDeep);
  EXPECT_EQ(movies.status, 0) << movies.err;
  EXPECT_THAT(movies.out, HasSubstr("deep.movie_id"));
  EXPECT_THAT(movies.err, HasSubstr("to see what merged rows do to the ranking"));
}

TEST_F(RareRowsTest, FlagsThatDoNotGoTogether) {
  const std::string counts = "--counts " + Path("counts.csv");
  const Outcome alone = Convert(counts, "b.hpk");
  EXPECT_EQ(alone.status, 2);
  EXPECT_THAT(alone.err, HasSubstr("--counts needs --min-count, or --precision auto"));
  EXPECT_THAT(Convert("--min-count 3", "b.hpk").err, HasSubstr("--min-count needs --counts"));
  EXPECT_THAT(Convert(counts + " --min-count 0", "b.hpk").err, HasSubstr("expected at least 1"));
  const Outcome over = Handpick(absl::StrCat("convert --spec ", kDin, "model.spec.json --weights ",
                                             kDin, "model.safetensors ", counts,
                                             " --min-count 2 --out ", Path("counts.csv")));
  EXPECT_EQ(over.status, 1);
  EXPECT_THAT(over.err, HasSubstr("the same file as --counts"));
  std::ofstream(Path("bad.csv")) << "feature,id,count\nmovie_id,1,many\n";
  const Outcome bad = Convert("--min-count 2 --counts " + Path("bad.csv"), "b.hpk");
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.err, HasSubstr("bad.csv:2: count: 'many' is no count"));
  EXPECT_FALSE(std::ifstream(Path("b.hpk")).good());
}

TEST_F(RareRowsTest, RecallAndItsCatalogStayValid) {
  ASSERT_EQ(
      Convert(absl::StrCat("--counts ", Path("counts.csv"), " --min-count 2"), "merged.hpk").status,
      0);
  const Outcome index = Handpick(absl::StrCat(
      "recall-index --table deep.movie_id --metric inner-product --rows f32 --bundle ",
      Path("merged.hpk"), " --k 10 --bytes-per-item 400 --out ", Path("recommender.hpk")));
  ASSERT_EQ(index.status, 0) << index.err;
  const std::string request = ReadText(std::string(kDin) + "ranking.jsonl");
  std::ofstream(Path("one.jsonl")) << request.substr(0, request.find('\n')) << "\n";
  const Outcome found = Handpick(absl::StrCat("recommend --bundle ", Path("recommender.hpk"),
                                              " --requests ", Path("one.jsonl")));
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_THAT(found.out, Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace handpick::converter
