// The handpick command as a user types it.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "converter/emit/emit.h"
#include "converter/spec/kinds.h"
#include "converter/spec/layouts.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "schema/bundle_generated.h"
#include "tests/converter/cli/run_handpick.h"
#include "tests/support/test_files.h"
#include "xxhash.h"

namespace handpick::converter {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kModel[] = "examples/wide_deep/model/";
constexpr char kGoldens[] = "tests/goldens/wide_deep/";
constexpr int kFewRequests = 4;  // Of 10 candidates each.

std::vector<Json> Lines(const std::string& text) {
  std::vector<Json> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    lines.push_back(Json::parse(line));
  }
  return lines;
}

std::string FirstLines(const std::string& path, int count) {
  std::ifstream file(path);
  std::string text, line;
  for (int i = 0; i < count && std::getline(file, line); ++i) text += line + "\n";
  return text;
}

class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = EmptyTestFolder();
    bundle_ = folder_ + "/b.hpk";
  }

  std::string ConvertMovies(const std::string& more) const {
    return absl::StrCat("convert --spec ", kModel, "model.spec.json --weights ", kModel,
                        "model.safetensors --catalog ", kModel, "catalog.jsonl --golden ", kModel,
                        "golden.jsonl --out ", bundle_, " ", more);
  }

  std::string ConvertGolden(const std::string& name, const std::string& extension,
                            const std::string& more) const {
    return absl::StrCat("convert --spec ", kGoldens, name, ".spec.json --weights ", kGoldens, name,
                        extension, " --out ", bundle_, " ", more);
  }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  size_t FilesThere() const {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) count += entry.exists() ? 1 : 0;
    return count;
  }

  std::string folder_;
  std::string bundle_;
};

// Every line of a request file against the trainer's logits.
void ExpectTrainersLogits(const std::string& out, const std::string& requests, double tolerance) {
  const std::vector<Json> scored = Lines(out);
  const std::vector<Json> expected = Lines(requests);
  ASSERT_EQ(scored.size(), expected.size());
  for (size_t i = 0; i < scored.size(); ++i) {
    ASSERT_EQ(scored[i]["logits"].size(), expected[i]["logits"].size());
    for (size_t c = 0; c < scored[i]["logits"].size(); ++c) {
      const double want = expected[i]["logits"][c];
      const double logit = scored[i]["logits"][c];
      EXPECT_NEAR(logit, want, tolerance * std::max(1.0, std::abs(want)));
      EXPECT_NEAR(scored[i]["scores"][c].get<double>(), 1 / (1 + std::exp(-logit)), 1e-6);
    }
  }
}

TEST_F(CliTest, ConvertSaysThatOnlyGoldensTellKindsApart) {
  const std::string without =
      absl::StrCat("convert --spec ", kModel, "model.spec.json --weights ", kModel,
                   "model.safetensors --catalog ", kModel, "catalog.jsonl --out ", bundle_);
  const Outcome unsure = Handpick(without);
  EXPECT_EQ(unsure.status, 0) << unsure.err;
  EXPECT_THAT(unsure.err, HasSubstr("note: without --golden nothing tells a wrong kind"));
  const Outcome sure = Handpick(absl::StrCat(without, " --golden ", kModel, "golden.jsonl"));
  EXPECT_EQ(sure.status, 0) << sure.err;
  EXPECT_THAT(sure.err, Not(HasSubstr("--golden")));
}

TEST_F(CliTest, ConvertSaysThatFewerBitsWereNotMeasured) {
  const std::string convert =
      absl::StrCat("convert --spec ", kModel, "model.spec.json --weights ", kModel,
                   "model.safetensors --catalog ", kModel, "catalog.jsonl --out ", bundle_);
  constexpr char kNote[] = "note: accuracy was not measured";
  for (const char* precision : {"f16", "int8"}) {
    const Outcome unsure = Handpick(absl::StrCat(convert, " --precision ", precision));
    EXPECT_EQ(unsure.status, 0) << unsure.err;
    EXPECT_THAT(unsure.err, HasSubstr(kNote)) << precision;
  }
  EXPECT_THAT(Handpick(convert).err, Not(HasSubstr(kNote)));
  const Outcome sure = Handpick(
      absl::StrCat(convert, " --precision int8 --evaluation ", kModel, "evaluation.jsonl"));
  EXPECT_EQ(sure.status, 0) << sure.err;
  EXPECT_THAT(sure.err, Not(HasSubstr(kNote)));

  // An evaluation from which nothing follows.
  const std::string rows = ReadText(absl::StrCat(kModel, "evaluation.jsonl"));
  Json row = Json::parse(rows.substr(0, rows.find('\n')));
  const size_t count = row["labels"].size();
  ASSERT_GT(count, 0u);
  const auto evaluated = [&](const std::string& text) {
    return Handpick(
        absl::StrCat(convert, " --precision int8 --evaluation ", Write("rows.jsonl", text)));
  };
  const auto expect_notes = [&](const std::string& text, bool accuracy, bool auc) {
    const Outcome outcome = evaluated(text);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.err.find(kNote) != std::string::npos, accuracy) << outcome.err;
    EXPECT_EQ(outcome.err.find("labels of all " + std::to_string(count) +
                               " rows are of one kind") != std::string::npos,
              auc)
        << outcome.err;
  };
  const bool ranks = count >= 20;
  // Ratings, all of them positive.
  for (size_t i = 0; i < count; ++i) row["labels"][i] = 1 + i % 5;
  expect_notes(row.dump(), !ranks, true);
  for (size_t i = 0; i < count; ++i) row["labels"][i] = 0;
  expect_notes(row.dump(), !ranks, true);
  row.erase("labels");
  expect_notes(row.dump(), !ranks, false);
  expect_notes("\n", true, false);
}

// To read the file, if only for its hash, would take many minutes: a terabyte, of holes.
TEST_F(CliTest, TablesThatNoBundleHasRoomForAreRefusedAtOnce) {
  constexpr uint64_t kRows = 250'000'000, kDimension = 1024;
  const auto entry = [](std::vector<uint64_t> shape, uint64_t begin, uint64_t end) {
    return Json{{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, end}}};
  };
  constexpr uint64_t kTableBytes = kRows * kDimension * sizeof(float);
  const std::string header =
      Json{{"deep.embedding.item.weight", entry({kRows, kDimension}, 0, kTableBytes)},
           {"head.weight",
            entry({1, kDimension}, kTableBytes, kTableBytes + kDimension * sizeof(float))}}
          .dump();
  std::string length(8, '\0');
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
  const std::string weights = folder_ + "/w.safetensors";
  WriteText(weights, length + header);
  std::error_code error;
  fs::resize_file(weights, 8 + header.size() + kTableBytes + kDimension * sizeof(float), error);
  if (error) GTEST_SKIP() << "no file of a terabyte: " << error.message();
  const Json item = {
      {"name", "item"},
      {"side", "candidate"},
      {"type", "categorical"},
      {"vocabulary", {{"kind", "identity"}, {"size", kRows}, {"out_of_vocabulary_row", 0}}}};
  const std::string spec = folder_ + "/spec.json";
  WriteText(
      spec,
      Json{{"model", {{"name", "m"}, {"version", "1"}, {"kind", "wide_deep"}, {"task", "binary"}}},
           {"layout", "handpick"},
           {"features", {item}},
           {"deep", {{"features", {"item"}}, {"hidden_units", {8}}}}}
          .dump());
  for (const char* precision : {"f32", "f16", "int8"}) {
    const Outcome outcome = Handpick(absl::StrCat("convert --spec ", spec, " --weights ", weights,
                                                  " --precision ", precision, " --out ", bundle_));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, HasSubstr("at most 2080374784 are possible"));
    EXPECT_FALSE(fs::exists(bundle_));
  }
}

TEST_F(CliTest, ConvertNotesWhatItLeftOut) {
  const std::string model = "tests/goldens/dien/augru_negative_sampling.";
  const Outcome outcome = Handpick(absl::StrCat("convert --spec ", model, "spec.json --weights ",
                                                model, "safetensors --out ", bundle_));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(
      outcome.err,
      HasSubstr("handpick convert: note: the 6 tensors 'interest_extractor.auxiliary_net."));
}

TEST_F(CliTest, ConvertsScoresAndVerifiesAModelOfDeepCtrTorch) {
  const std::string requests = absl::StrCat(kGoldens, "prelu_sum_with_length.requests.jsonl");
  const Outcome converted =
      Handpick(ConvertGolden("prelu_sum_with_length", ".safetensors", "--golden " + requests));
  ASSERT_EQ(converted.status, 0) << converted.err;
  EXPECT_THAT(converted.err, IsEmpty());
  EXPECT_EQ(FilesThere(), 1u);
  constexpr double kF32Tolerance = 1e-4;  // What a bundle promises.
  for (const char* how : {"", " --reference", " --tile 16"}) {
    const Outcome scored =
        Handpick(absl::StrCat("score --bundle ", bundle_, " --requests ", requests, how));
    ASSERT_EQ(scored.status, 0) << scored.err;
    ExpectTrainersLogits(scored.out, ReadText(requests), kF32Tolerance);
  }
  const Outcome verified = Handpick("verify --bundle " + bundle_);
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("golden requests hold: off by"));
}

// Outputs click, seconds (a regression) and buy; what ranks is click * sqrt(buy).
TEST_F(CliTest, AModelWithSeveralOutputsSaysAllOfThem) {
  const std::string model = "tests/goldens/mmoe/rank_by_product.";
  const std::string requests = model + "requests.jsonl";
  std::vector<Json> expected = Lines(ReadText(requests));
  std::string evaluation;
  for (Json request : expected) {
    Json labels = Json::array();
    for (const Json& logit : request["outputs"]["buy"]) labels.push_back(logit > 0.1 ? 1 : 0);
    request.erase("outputs");
    request["labels"] = {{"buy", labels}};
    evaluation += request.dump() + "\n";
  }
  const std::string report = folder_ + "/report.json";
  const Outcome converted = Handpick(
      absl::StrCat("convert --spec ", model, "spec.json --weights ", model, "safetensors --golden ",
                   requests, " --evaluation ", Write("evaluation.jsonl", evaluation),
                   " --max-auc-drift 0.001 --report ", report, " --out ", bundle_));
  ASSERT_EQ(converted.status, 0) << converted.err;
  EXPECT_THAT(converted.out, HasSubstr("AUC of buy"));
  const Json drift = Json::parse(ReadText(report))["drift"];
  EXPECT_TRUE(drift["outputs"]["click"]["auc_bundle"].is_null());
  EXPECT_GT(drift["outputs"]["buy"]["labelled_rows"], 0);
  const Outcome verified = Handpick("verify --bundle " + bundle_);
  EXPECT_EQ(verified.status, 0) << verified.err;

  const Json inspected = Json::parse(Handpick("inspect --json " + bundle_).out)["outputs"];
  ASSERT_EQ(inspected.size(), 4u);
  EXPECT_EQ(inspected[0]["name"], "ranking");
  EXPECT_EQ(inspected[0]["task"], "log probability");
  EXPECT_EQ(inspected[2]["name"], "seconds");
  EXPECT_EQ(inspected[2]["task"], "regression");
  EXPECT_THAT(Handpick("inspect " + bundle_).out, HasSubstr("ranking    log probability, ranks"));

  for (const char* how : {"", " --reference"}) {
    const Outcome scored =
        Handpick(absl::StrCat("score --bundle ", bundle_, " --requests ", requests, how));
    ASSERT_EQ(scored.status, 0) << scored.err;
    const std::vector<Json> lines = Lines(scored.out);
    ASSERT_EQ(lines.size(), expected.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      for (size_t c = 0; c < lines[i]["outputs"]["click"].size(); ++c) {
        for (const char* name : {"click", "seconds", "buy"}) {
          const double want = expected[i]["outputs"][name][c];
          EXPECT_NEAR(lines[i]["outputs"][name][c].get<double>(), want,
                      1e-4 * std::max(1.0, std::abs(want)));
        }
        const double click = lines[i]["scores"]["click"][c];
        const double buy = lines[i]["scores"]["buy"][c];
        EXPECT_NEAR(lines[i]["scores"]["ranking"][c].get<double>(), click * std::sqrt(buy), 1e-5);
      }
    }
  }
  for (const std::string output : {"ranking", "seconds"}) {
    const Outcome ranked = Handpick(absl::StrCat("rank --bundle ", bundle_, " --requests ",
                                                 requests, " --top-k 200 --output ", output));
    ASSERT_EQ(ranked.status, 0) << ranked.err;
    const Json best = Lines(ranked.out).back()["ranked"];
    for (size_t i = 0; i < best.size(); ++i) {
      EXPECT_EQ(best[i]["outputs"].size(), 4u);
      EXPECT_EQ(best[i]["score"], best[i]["outputs"][output]);
      EXPECT_GE(best[i == 0 ? 0 : i - 1]["logit"], best[i]["logit"]);
    }
  }
  EXPECT_THAT(Handpick(absl::StrCat("rank --bundle ", bundle_, " --requests ", requests,
                                    " --output clicks"))
                  .err,
              HasSubstr("--output is 'clicks', the model has: ranking, click, seconds, buy"));
}

TEST_F(CliTest, MeasuresTheMovieModelInEveryPrecision) {
  for (const std::string precision : {"f32", "f16", "int8"}) {
    SCOPED_TRACE(precision);
    const std::string report = folder_ + "/report.json";
    const Outcome converted = Handpick(ConvertMovies(
        absl::StrCat("--precision ", precision, " --report ", report, " --evaluation ", kModel,
                     "evaluation.jsonl --evaluation ", kModel, "ranking.jsonl")));
    ASSERT_EQ(converted.status, 0) << converted.err;
    EXPECT_THAT(converted.out, HasSubstr("top-10 overlap"));
    const Json measured = Json::parse(ReadText(report));
    EXPECT_EQ(measured["precision"], precision);
    EXPECT_EQ(measured["bundle_bytes"], fs::file_size(bundle_));
    const Json& drift = measured["drift"];
    EXPECT_EQ(drift["ranked_requests"], 100);
    EXPECT_EQ(drift["labelled_rows"], 20168);
    EXPECT_NEAR(drift["auc_bundle"].get<double>(), drift["auc_reference"].get<double>(), 0.001);
    EXPECT_GE(drift["top10_overlap"].get<double>(), 0.95);
    EXPECT_LE(measured["goldens"]["max_error_reference"].get<double>(), 1e-4);
    EXPECT_EQ(Handpick("verify --bundle " + bundle_).status, 0);
    const Json inspected = Json::parse(Handpick("inspect --json " + bundle_).out);
    EXPECT_EQ(inspected["drift"], drift);
  }
}

TEST_F(CliTest, RanksByIdAloneWhenTheBundleHasACatalog) {
  ASSERT_EQ(Handpick(ConvertMovies("")).status, 0);
  const std::string request =
      R"({"context":{"user_id":12},"candidates":{"movie_id":[1,318,2,593,1,858]}})";
  const Outcome ranked = Handpick("rank --requests - --top-k 3 --bundle " + bundle_, request);
  ASSERT_EQ(ranked.status, 0) << ranked.err;
  const Json best = Lines(ranked.out).at(0)["ranked"];
  const Json logits =
      Lines(Handpick("score --requests - --bundle " + bundle_, request).out)[0]["logits"];
  ASSERT_EQ(best.size(), 3u);
  const int ids[] = {1, 318, 2, 593, 1, 858};
  for (size_t i = 0; i < best.size(); ++i) {
    EXPECT_EQ(best[i]["id"], ids[best[i]["index"].get<size_t>()]);
    EXPECT_EQ(best[i]["logit"], logits[best[i]["index"].get<size_t>()]);
    size_t better = 0;
    for (const Json& logit : logits) better += logit > best[i]["logit"] ? 1 : 0;
    EXPECT_LE(better, i);
  }
  // More than there are candidates, and none at all.
  EXPECT_EQ(Lines(Handpick("rank --requests - --top-k 999999999999 --bundle " + bundle_, request)
                      .out)[0]["ranked"]
                .size(),
            6u);
  EXPECT_EQ(
      Handpick("rank --requests - --bundle " + bundle_, R"({"candidates":{"movie_id":[]}})").out,
      "{\"ranked\":[]}\n");
}

TEST_F(CliTest, InspectSaysWhatIsInside) {
  ASSERT_EQ(Handpick(ConvertMovies("--tile 32")).status, 0);
  const Outcome text = Handpick("inspect " + bundle_);
  ASSERT_EQ(text.status, 0) << text.err;
  for (const char* part :
       {"movielens-wide-deep 1: binary, f32", "session", "per candidate", "genre_x_favourite",
        "deep.movie_id", "7,868 x 16", "Catalog of 9,742 items by 'movie_id'", "Golden requests: 6",
        "Drift: was not measured"}) {
    EXPECT_THAT(text.out, HasSubstr(part));
  }
  const Json json = Json::parse(Handpick("inspect --json " + bundle_).out);
  EXPECT_EQ(json["bytes"]["bundle"], fs::file_size(bundle_));
  uint64_t parts = 0;
  for (const auto& [part, bytes] : json["bytes"].items()) {
    if (part != "bundle") parts += bytes.get<uint64_t>();
  }
  EXPECT_EQ(parts, fs::file_size(bundle_));
  EXPECT_EQ(json["memory"]["tile"], 32);
  EXPECT_EQ(json["tables"].size(), 5u);
  // The candidate's part of the first layer, the second and the head; not the context's part.
  const uint64_t candidate = json["work"]["candidate"]["multiply_accumulates"];
  const uint64_t context = json["work"]["context"]["multiply_accumulates"];
  EXPECT_EQ(candidate, 25u * 64 + 64 * 32 + 32);
  EXPECT_EQ(context, 39u * 64 + 1);
}

Json Input(const std::string& role, const std::string& path) {
  const std::string bytes = ReadText(path);
  return {{"role", role},
          {"name", fs::path(path).filename().string()},
          {"size", bytes.size()},
          {"xxh3", absl::StrFormat("%016x", XXH3_64bits(bytes.data(), bytes.size()))}};
}

TEST_F(CliTest, InspectSaysFromWhichFilesABundleWasMade) {
  const std::string evaluation =
      Write("some.jsonl", FirstLines(absl::StrCat(kModel, "ranking.jsonl"), 3));
  const std::string more =
      Write("more.jsonl", FirstLines(absl::StrCat(kModel, "evaluation.jsonl"), 2));
  const Outcome converted =
      Handpick(ConvertMovies(absl::StrCat("--evaluation ", evaluation, ",", more)));
  ASSERT_EQ(converted.status, 0) << converted.err;
  const Json inputs = Json::parse(Handpick("inspect --json " + bundle_).out)["inputs"];
  const std::string model = kModel;
  EXPECT_EQ(inputs, (Json::array({Input("spec", model + "model.spec.json"),
                                  Input("weights", model + "model.safetensors"),
                                  Input("catalog", model + "catalog.jsonl"),
                                  Input("goldens", model + "golden.jsonl"),
                                  Input("evaluation", evaluation), Input("evaluation", more)})));
  const std::string text = Handpick("inspect " + bundle_).out;
  for (const Json& input : inputs) {
    EXPECT_THAT(text,
                HasSubstr(absl::StrCat("bytes, XXH3 ", input["xxh3"].get<std::string>(), "\n")));
    EXPECT_THAT(text, HasSubstr(absl::StrFormat("\n  %-10s %s ", input["role"].get<std::string>(),
                                                input["name"].get<std::string>())));
  }
}

// A name is bytes to the system. JSON that is written is UTF-8 all the same.
TEST_F(CliTest, NamesOfFilesNeedNotBeUtf8) {
  const std::string folder = folder_ + "/f\xFF/";
  fs::create_directory(folder);
  const std::string model = kModel;
  for (const char* file : {"model.spec.json", "catalog.jsonl", "golden.jsonl", "ranking.jsonl"}) {
    fs::copy_file(model + file, folder + file);
  }
  const std::string weights = folder + "w\xFE.safetensors";
  fs::copy_file(model + "model.safetensors", weights);
  const std::string spec = absl::StrCat(folder, "model.spec.json");
  const std::string rows = absl::StrCat(folder, "ranking.jsonl");
  const std::string bundle = absl::StrCat(folder, "b.hpk");
  const std::string report = absl::StrCat(folder, "report.json");
  const Outcome converted =
      Handpick(absl::StrCat("convert --spec ", spec, " --weights ", weights, " --catalog ", folder,
                            "catalog.jsonl --golden ", folder, "golden.jsonl --evaluation ", rows,
                            " --report ", report, " --out ", bundle));
  ASSERT_EQ(converted.status, 0) << converted.err;
  EXPECT_TRUE(Json::accept(ReadText(report)));
  for (const std::string& command :
       {absl::StrCat("inspect --json ", bundle), absl::StrCat("diff --json ", bundle, " ", bundle),
        absl::StrCat("evaluate --json --bundle ", bundle, " --rows ", rows, " --against ", bundle),
        absl::StrCat("compare --json --bundle ", bundle, " --requests ", rows, " --spec ", spec,
                     " --weights ", weights)}) {
    const Outcome outcome = Handpick(command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.err;
    EXPECT_TRUE(Json::accept(outcome.out)) << command << "\n" << outcome.out;
  }
}

TEST_F(CliTest, VocabulariesMayBeFilesBesideTheSpec) {
  const std::string listed = absl::StrCat(kModel, "model.spec.json");
  Json spec = Json::parse(ReadText(listed));
  for (Json& feature : spec["features"]) {
    const std::string name = feature["name"];
    if (name != "movie_id" && name != "genres" && name != "favourite_genre") continue;
    Json& vocabulary = feature["vocabulary"];
    std::string text;
    for (const Json& value : vocabulary["values"]) {
      absl::StrAppend(&text, value.is_string() ? value.get<std::string>() : value.dump(), "\n");
    }
    const std::string file = name == "movie_id" ? "movies.txt" : "genres.txt";
    Write(file, text);
    vocabulary.erase("values");
    vocabulary["values_file"] = file;
  }
  ASSERT_EQ(Handpick(ConvertMovies("")).status, 0);
  const std::string score =
      absl::StrCat("score --bundle ", bundle_, " --requests ", kModel, "golden.jsonl");
  const std::string expected = Handpick(score).out;
  const std::string path = Write("files.spec.json", spec.dump());
  const Outcome converted = Handpick(absl::StrReplaceAll(ConvertMovies(""), {{listed, path}}));
  ASSERT_EQ(converted.status, 0) << converted.err;
  EXPECT_EQ(Handpick(score).out, expected);
  const Json inputs = Json::parse(Handpick("inspect --json " + bundle_).out)["inputs"];
  ASSERT_GE(inputs.size(), 3u);
  EXPECT_EQ(inputs[0], Input("spec", path));
  EXPECT_EQ(inputs[1], Input("vocabulary", folder_ + "/genres.txt"));
  EXPECT_EQ(inputs[2], Input("vocabulary", folder_ + "/movies.txt"));
  Write("movies.txt", "1\n2\n1\n");
  EXPECT_THAT(Handpick(absl::StrReplaceAll(ConvertMovies(""), {{listed, path}})).err,
              HasSubstr("movies.txt:3: 1 occurs twice"));
}

TEST_F(CliTest, ItemsOfACatalogMayHaveMore) {
  std::string text;
  for (Json item : Lines(ReadText(absl::StrCat(kModel, "catalog.jsonl")))) {
    item["title"] = "x";
    absl::StrAppend(&text, item.dump(), "\n");
  }
  const std::string convert = absl::StrReplaceAll(
      ConvertMovies(""), {{absl::StrCat(kModel, "catalog.jsonl"), Write("titles.jsonl", text)}});
  const Outcome strict = Handpick(convert);
  EXPECT_EQ(strict.status, 1);
  EXPECT_THAT(strict.err, HasSubstr("unknown candidate feature 'title'"));
  const Outcome lenient = Handpick(convert + " --ignore-unknown");
  EXPECT_EQ(lenient.status, 0) << lenient.err;
  EXPECT_THAT(lenient.err, HasSubstr("titles.jsonl:1: 'title' is no feature of the model"));
}

// Requests of both kinds are read, and score the same.
TEST_F(CliTest, AFeatureThatNothingReadsNeedNotBeGiven) {
  ASSERT_EQ(Handpick(ConvertMovies("")).status, 0);
  const std::string score = absl::StrCat("score --bundle ", bundle_, " --requests ");
  const std::string golden = absl::StrCat(kModel, "golden.jsonl");
  const std::string logits = Handpick(score + golden).out;
  const std::string listed = absl::StrCat(kModel, "model.spec.json");
  Json spec = Json::parse(ReadText(listed));
  const Json vocabulary = {{"kind", "list"}, {"values", {"sun", "rain"}}};
  // In front of the others, whose numbers move.
  const Json more = {
      {{"name", "weather"},
       {"side", "context"},
       {"type", "categorical"},
       {"vocabulary", vocabulary}},
      {{"name", "moods"},
       {"side", "candidate"},
       {"type", "multi_categorical"},
       {"max_values", 3},
       {"length", "mood_count"},
       {"vocabulary", vocabulary}},
      {{"name", "mood_count"}, {"side", "candidate"}, {"type", "length"}},
      {{"name", "heat"}, {"side", "candidate"}, {"type", "numeric"}, {"dimension", 2}},
      {{"name", "both"}, {"type", "crossed"}, {"of", {"weather", "moods"}}}};
  spec["features"].insert(spec["features"].begin(), more.begin(), more.end());
  const std::string path = Write("more.spec.json", spec.dump());
  std::string requests;
  for (Json request : Lines(ReadText(golden))) {
    request["context"]["weather"] = "rain";
    for (size_t i = 0; i < request["logits"].size(); ++i) {
      request["candidates"]["heat"].push_back({1.5, i});
      request["candidates"]["moods"].push_back({"sun"});
    }
    absl::StrAppend(&requests, request.dump(), "\n");
  }
  const std::string given = Write("given.jsonl", requests);
  const std::string convert = absl::StrReplaceAll(ConvertMovies(""), {{listed, path}});
  for (const std::string& goldens : {golden, given}) {
    const Outcome made = Handpick(absl::StrReplaceAll(convert, {{golden, goldens}}));
    ASSERT_EQ(made.status, 0) << made.err;
    for (const char* name : {"weather", "moods", "mood_count", "heat", "both"}) {
      EXPECT_THAT(made.err, HasSubstr(absl::StrCat("no part of the model reads feature '", name,
                                                   "', and requests need not give it")));
    }
    EXPECT_EQ(Handpick(score + golden).out, logits);
    EXPECT_EQ(Handpick(score + given).out, logits);
  }
  // Other names are a mistake.
  const std::string wrong =
      Write("wrong.jsonl", absl::StrReplaceAll(requests, {{"\"weather\"", "\"wether\""}}));
  const Outcome strict = Handpick(score + wrong);
  EXPECT_EQ(strict.status, 1);
  EXPECT_THAT(strict.err, HasSubstr("unknown context feature 'wether'"));
  EXPECT_EQ(Handpick(score + wrong + " --ignore-unknown").out, logits);
}

TEST_F(CliTest, TheSameFilesInAnotherFolderGiveTheSameBytes) {
  const std::string requests = absl::StrCat(kGoldens, "relu_sum.requests.jsonl");
  ASSERT_EQ(Handpick(ConvertGolden("relu_sum", ".safetensors", "--golden " + requests)).status, 0);
  const std::string first = ReadText(bundle_);
  for (const char* extension : {".spec.json", ".safetensors", ".requests.jsonl"}) {
    const std::string name = absl::StrCat("relu_sum", extension);
    Write(name, ReadText(kGoldens + name));
  }
  const Outcome again = Handpick(
      absl::StrReplaceAll(ConvertGolden("relu_sum", ".safetensors", "--golden " + requests),
                          {{kGoldens, folder_ + "/"}}));
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_TRUE(ReadText(bundle_) == first);
}

TEST_F(CliTest, TheStandardInputIsNoFileOfTheManifest) {
  const std::string spec = absl::StrCat(kGoldens, "relu_sum.spec.json");
  const Outcome converted =
      Handpick(absl::StrReplaceAll(ConvertGolden("relu_sum", ".safetensors", ""), {{spec, "-"}}),
               ReadText(spec));
  ASSERT_EQ(converted.status, 0) << converted.err;
  EXPECT_EQ(Json::parse(Handpick("inspect --json " + bundle_).out)["inputs"],
            Json::array({Input("weights", absl::StrCat(kGoldens, "relu_sum.safetensors"))}));
}

TEST_F(CliTest, VerifyFindsADamagedByte) {
  ASSERT_EQ(Handpick(ConvertMovies("")).status, 0);
  const std::string bytes = ReadText(bundle_);
  const schema::Bundle& view = *schema::GetBundle(bytes.data());
  const auto& rows = *view.tables()->Get(0)->data();
  const auto* begin = reinterpret_cast<const char*>(rows.data());
  const size_t at = static_cast<size_t>(begin - bytes.data());
  // First, somewhere within and last; and in the model's name, outside of all tables.
  const auto name = static_cast<size_t>(view.model_name()->c_str() - bytes.data());
  for (const size_t place : {at, at + rows.size() / 2, at + rows.size() - 1, name}) {
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    const Outcome outcome = Handpick("verify --bundle " + Write("damaged.hpk", damaged));
    EXPECT_EQ(outcome.status, 1) << place;
    EXPECT_THAT(outcome.err, HasSubstr("damaged.hpk: bundle is damaged: "));
    if (place != name) {
      EXPECT_THAT(outcome.err, HasSubstr(absl::StrCat("bytes ", at, " to ", at + rows.size())));
    }
    EXPECT_THAT(outcome.out, IsEmpty());
  }
}

// OpenSSL makes the keys, and checks the signature.
TEST_F(CliTest, SignsABundle) {
  ASSERT_EQ(Handpick(ConvertMovies("")).status, 0);
  const std::string folder = bundle_.substr(0, bundle_.rfind('/') + 1);
  const auto openssl = [&](const std::string& arguments) {
    return std::system(
        absl::StrCat("cd ", folder, " && openssl ", arguments, " >/dev/null").c_str());
  };
  for (const std::string name : {"ours", "other"}) {
    ASSERT_EQ(openssl(absl::StrCat("genpkey -algorithm ed25519 -out ", name, ".pem")), 0);
    ASSERT_EQ(openssl(absl::StrCat("pkey -in ", name, ".pem -pubout -out ", name, ".pub")), 0);
  }
  const std::string out = folder + "signed.hpk";
  const std::string verify = absl::StrCat("verify --bundle ", out, " --key ", folder);
  const std::string sign =
      absl::StrCat("sign --bundle ", bundle_, " --out ", out, " --key ", folder);
  EXPECT_THAT(Handpick(sign + "ours.pub").err, HasSubstr("BEGIN PRIVATE KEY"));
  const Outcome made = Handpick(sign + "ours.pem");
  ASSERT_EQ(made.status, 0) << made.err;
  const Outcome holds = Handpick(verify + "ours.pub");
  EXPECT_EQ(holds.status, 0) << holds.err;
  EXPECT_THAT(holds.out, HasSubstr("signed with key "));
  // The public key as it was printed.
  const std::string digits = made.out.substr(made.out.size() - 65);
  EXPECT_EQ(
      Handpick(absl::StrCat("verify --bundle ", out, " --key ", Write("digits", digits))).status,
      0);
  EXPECT_EQ(Handpick("verify --bundle " + out).status, 0);
  const Outcome other = Handpick(verify + "other.pub");
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err,
              HasSubstr("signed.hpk: the bundle is not as it was signed, or not signed"));
  EXPECT_THAT(
      Handpick(absl::StrCat("verify --bundle ", bundle_, " --key ", folder, "ours.pub")).err,
      HasSubstr("the bundle is not signed"));
  const Json inspected = Json::parse(Handpick("inspect --json " + out).out);
  EXPECT_THAT(holds.out, HasSubstr(inspected["signed_with"].get<std::string>()));
  EXPECT_TRUE(Json::parse(Handpick("inspect --json " + bundle_).out)["signed_with"].is_null());

  // What is signed, made here of what schema/README.md says.
  std::string file = ReadText(out);
  const auto& bytes = *schema::GetBundle(file.data())->signature()->bytes();
  const auto at = static_cast<size_t>(reinterpret_cast<const char*>(bytes.data()) - file.data());
  Write("signature", file.substr(at, 64));
  file.replace(at, 64, 64, '\0');
  Write("zeroed", file);
  ASSERT_EQ(openssl("dgst -sha512 -binary -out digest zeroed"), 0);
  std::string message = "handpick bundle signature 1";
  message.resize(32);
  for (int i = 0; i < 8; ++i) message += static_cast<char>(at >> (8 * i));
  Write("message", message + ReadText(folder + "digest"));
  EXPECT_EQ(openssl("pkeyutl -verify -rawin -pubin -inkey ours.pub -in message -sigfile signature"),
            0);
  EXPECT_NE(
      openssl("pkeyutl -verify -rawin -pubin -inkey other.pub -in message -sigfile signature"), 0);
}

TEST_F(CliTest, VerifyGoesOnWithoutHashesAndSaysSo) {
  ASSERT_EQ(Handpick(ConvertMovies("")).status, 0);
  const std::string bytes = ReadText(bundle_);
  const std::unique_ptr<schema::BundleT> bundle(schema::GetBundle(bytes.data())->UnPack());
  bundle->integrity = nullptr;
  const absl::StatusOr<std::string> without = Serialize(*bundle);
  ASSERT_TRUE(without.ok()) << without.status();
  const Outcome outcome = Handpick("verify --bundle " + Write("without.hpk", *without));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("note: "));
  EXPECT_THAT(outcome.err, HasSubstr("without.hpk: has no hashes"));
  EXPECT_THAT(outcome.out, HasSubstr("golden requests hold"));
}

// schema/README.md says so; other programs tell a bundle by it.
TEST_F(CliTest, BundlesSayWhatTheyAreInTheirFirstBytes) {
  ASSERT_EQ(Handpick(ConvertMovies("")).status, 0);
  EXPECT_EQ(ReadText(bundle_).substr(4, 4), "HPK1");
}

TEST_F(CliTest, BrokenBoundsAreNamedAndNothingIsWritten) {
  // Some of the rows: each case measures them again.
  const std::string inputs = testing::TempDir() + "/inputs";
  fs::create_directories(inputs);
  for (const char* name : {"evaluation.jsonl", "ranking.jsonl"}) {
    std::ofstream(absl::StrCat(inputs, "/", name)) << FirstLines(absl::StrCat(kModel, name), 30);
  }
  const std::string evaluation = absl::StrCat("--evaluation ", inputs, "/evaluation.jsonl,", inputs,
                                              "/ranking.jsonl --report ", folder_, "/r.json");
  const struct {
    const char* flags;
    const char* reason;
  } kCases[] = {
      {"--precision int8 --max-auc-drift 0", "auc_drift: AUC is 0."},
      {"--precision int8 --min-top10-overlap 1", "top10_overlap: the bundle's top 10 on "},
      {"--precision int8 --max-golden-error 1e-4", "golden_logit_error: the bundle on "},
      {"--max-golden-error 1e-12", "golden_logit_error: the bundle on "},
  };
  for (const auto& c : kCases) {
    const Outcome outcome = Handpick(ConvertMovies(absl::StrCat(evaluation, " ", c.flags)));
    EXPECT_EQ(outcome.status, 1) << c.flags;
    EXPECT_THAT(outcome.err, StartsWith(absl::StrCat("handpick convert: ", c.reason)));
    EXPECT_THAT(outcome.err, HasSubstr("No bundle was written."));
    EXPECT_EQ(FilesThere(), 0u) << c.flags;
  }
}

// Of 40 rows with labels, one turned pair is more than the default allows.
TEST_F(CliTest, ABoundThatFewRowsCannotTellIsUndecided) {
  const std::string rows =
      Write("few.jsonl", FirstLines(absl::StrCat(kModel, "evaluation.jsonl"), kFewRequests));
  const std::string few = absl::StrCat("--precision int8 --evaluation ", rows, " ");
  const Outcome made = Handpick(ConvertMovies(few));
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.err, HasSubstr("note: auc_drift is undecided: AUC is 0."));
  EXPECT_THAT(made.err, HasSubstr(" rows can't tell; about "));
  const Json gate = Json::parse(Handpick("inspect --json " + bundle_).out)["gate"];
  EXPECT_EQ(gate["verdict"], "undecided");
  EXPECT_EQ(gate["bounds"][0]["verdict"], "undecided");
  EXPECT_GT(gate["bounds"][0]["rows_needed"].get<int>(), 40);
  EXPECT_THAT(Handpick("inspect " + bundle_).out, HasSubstr("Gate: undecided\n  auc_drift "));
  fs::remove(bundle_);
  const Outcome asked = Handpick(ConvertMovies(few + "--max-auc-drift 0.001"));
  EXPECT_EQ(asked.status, 1);
  EXPECT_THAT(asked.err, HasSubstr("auc_drift: AUC is 0."));
  EXPECT_THAT(asked.err, HasSubstr(" rows can't tell; about "));
  EXPECT_FALSE(fs::exists(bundle_));
}

TEST_F(CliTest, GoldensOfAnotherModelAreRefused) {
  std::string goldens = ReadText(absl::StrCat(kModel, "golden.jsonl"));
  // One logit of the first request becomes another.
  const size_t at = goldens.find("\"logits\":[") + 10;
  goldens.replace(at, goldens.find(',', at) - at, "9.5");
  const std::string path = Write("golden.jsonl", goldens);
  const Outcome outcome = Handpick(
      absl::StrReplaceAll(ConvertMovies(""), {{absl::StrCat(kModel, "golden.jsonl"), path}}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("golden_logit_error: the float64 reference is off"));
  EXPECT_FALSE(fs::exists(bundle_));
}

TEST_F(CliTest, BoundsOnLabelsNeedLabels) {
  const Outcome outcome = Handpick(
      ConvertMovies(absl::StrCat("--max-auc-drift 0.001 --evaluation ", kModel, "ranking.jsonl")));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("auc_drift: was not measured"));
}

TEST_F(CliTest, AnOldBundleStaysWhenConversionFails) {
  Write("b.hpk", "old");
  const std::string bad = Write("bad.npz", "PK");
  const Outcome outcome = Handpick(absl::StrCat(
      "convert --spec ", kGoldens, "relu_sum.spec.json --weights ", bad, " --out ", bundle_));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("bad.npz: is no zip archive, or is truncated"));
  EXPECT_EQ(ReadText(bundle_), "old");
}

TEST_F(CliTest, FilesThatCannotBeUsedAreNamed) {
  EXPECT_THAT(Handpick("inspect " + folder_ + "/no.hpk").err, HasSubstr("no.hpk: No such file"));
  EXPECT_THAT(
      Handpick("inspect " + Write("x.hpk", "this is no bundle at all, not even nearly")).err,
      HasSubstr("x.hpk: "));
  const Outcome unwritable =
      Handpick(absl::StrReplaceAll(ConvertMovies(""), {{bundle_, "/no/such/folder/b.hpk"}}));
  EXPECT_EQ(unwritable.status, 1);
  EXPECT_EQ(unwritable.err,
            "handpick convert: cannot write /no/such/folder/b.hpk: No such file or directory\n");
  const Outcome weights =
      Handpick(absl::StrReplaceAll(ConvertMovies(""), {{"model.safetensors", "model.spec.json"}}));
  EXPECT_THAT(weights.err,
              HasSubstr("weights are read from .safetensors, .npz, .pt, .pth and .h5 files"));
}

TEST_F(CliTest, BadRequestsAreNamedByLine) {
  ASSERT_EQ(Handpick(ConvertMovies("")).status, 0);
  const auto message = [&](const std::string& request) {
    const Outcome outcome = Handpick("score --requests - --bundle " + bundle_, request);
    EXPECT_EQ(outcome.status, 1) << request;
    return outcome.err;
  };
  EXPECT_THAT(message("{}\n{\"candidates\":{\"movie\":[1]}}"),
              HasSubstr("standard input:2: candidates: unknown candidate feature 'movie'"));
  EXPECT_THAT(message(R"({"context":{"mean_rating":"x"}})"),
              HasSubstr("context.mean_rating: expected a number, found \"x\""));
  EXPECT_THAT(message(R"({"context":{"mean_rating":1e999}})"), HasSubstr("too large to be finite"));
  EXPECT_THAT(message(R"({"candidates":{"year":[1999]}})"),
              HasSubstr("request 1: candidate feature 'movie_id' is missing"));
  EXPECT_THAT(message(R"({"candidates":{"movie_id":[-7]}})"),
              HasSubstr("-7 is not in the catalog"));
}

TEST_F(CliTest, QuietCommandsHaveNoNotes) {
  const std::string convert = absl::StrCat("convert --spec ", kModel, "model.spec.json --weights ",
                                           kModel, "model.safetensors --out ", bundle_);
  EXPECT_THAT(Handpick(convert).err, HasSubstr("note: "));
  const Outcome quiet = Handpick(convert + " --quiet");
  EXPECT_EQ(quiet.status, 0) << quiet.err;
  EXPECT_THAT(quiet.err, IsEmpty());
  EXPECT_THAT(quiet.out, HasSubstr("bytes, f32"));
  EXPECT_EQ(Handpick("inspect --quiet " + bundle_).status, 0);
  // Errors are none.
  const Outcome failed = Handpick("inspect --quiet " + folder_ + "/nothing");
  EXPECT_EQ(failed.status, 1);
  EXPECT_THAT(failed.err, HasSubstr("No such file"));
}

TEST_F(CliTest, WrongUsageExitsWithTwo) {
  const struct {
    std::string arguments;
    const char* message;
  } kCases[] = {
      {"", "Commands:"},
      {"konvert", "unknown command 'konvert' (did you mean 'convert'?)"},
      {"convert --spec s.json", "--out is missing"},
      {"convert --spec s.json --out b.hpk", "--weights is missing"},
      {"convert --spec", "--spec needs a value"},
      {"convert --specs s.json", "unknown flag --specs (did you mean '--spec'?)"},
      {"score --bundle b --requests r --top-k 3", "unknown flag --top-k"},
      {"rank --bundle b --requests r --top-k x", "'x' is no value of --top-k"},
      {"rank --bundle b --bundle c --requests r", "--bundle is given twice"},
      {"inspect", "an argument is missing"},
      {"inspect a b", "unexpected argument 'b'"},
      {"inspect a --json=perhaps", "'perhaps' is no value of --json"},
      {ConvertMovies("--precision f64"), "--precision f64 is neither f32, f16, int8 nor auto"},
      {ConvertMovies("--max-auc-drift 0.1"), "--max-auc-drift needs --evaluation"},
      {"help nothing", "unknown command 'nothing'"},
  };
  for (const auto& c : kCases) {
    const Outcome outcome = Handpick(c.arguments);
    EXPECT_EQ(outcome.status, 2) << c.arguments;
    EXPECT_THAT(outcome.err, HasSubstr(c.message)) << c.arguments;
    EXPECT_THAT(outcome.out, IsEmpty()) << c.arguments;
  }
}

TEST_F(CliTest, HelpTeachesEveryCommand) {
  const Outcome overview = Handpick("help");
  EXPECT_EQ(overview.status, 0);
  for (const ModelKind& kind : kModelKinds) {
    EXPECT_THAT(overview.out, HasSubstr(std::string("\n  ") + kind.name + " "));
    EXPECT_THAT(overview.out, HasSubstr(std::string(" ") + kind.help + "\n"));
  }
  for (const std::string& layout : LayoutNames()) {
    EXPECT_THAT(overview.out, HasSubstr("\n  " + layout + " "));
  }
  for (const std::string command : {"convert", "inspect", "score", "rank", "verify"}) {
    EXPECT_THAT(overview.out, HasSubstr("\n  " + command));
    const Outcome help = Handpick("help " + command);
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, StartsWith("Usage: handpick " + command));
    EXPECT_THAT(help.out, HasSubstr("\n  handpick " + command)) << "an example to type";
    EXPECT_EQ(Handpick(command + " --help").out, help.out);
  }
}

// The mark of a missing value in many a feature store, and its like.
TEST_F(CliTest, ALogitThatIsNotFiniteIsAnErrorOfItsRequest) {
  const Outcome converted = Handpick(ConvertGolden("dense_only_deep", ".safetensors", ""));
  ASSERT_EQ(converted.status, 0) << converted.err;
  const std::string requests =
      R"({"context":{"age":0.5},"candidates":{"item_id":[1],"signals":[[1,1,1,1,1]]}})"
      "\n"
      R"({"context":{"age":0},"candidates":{"item_id":[1,2,3],"signals":[[1,1,1,1,1],)"
      R"([3.4028234e38,-3.4028234e38,-3.4028234e38,3.4028234e38,-3.4028234e38],)"
      R"([3.4028234e38,-3.4028234e38,-3.4028234e38,-3.4028234e38,3.4028234e38]]}})"
      "\n";
  for (const char* command : {"score", "rank"}) {
    const Outcome outcome =
        Handpick(absl::StrCat(command, " --bundle ", bundle_, " --requests -"), requests);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, HasSubstr("request 2: candidate "));
    EXPECT_THAT(outcome.err, HasSubstr("the model's logit is "));
    EXPECT_EQ(Lines(outcome.out).size(), 1u) << outcome.out;
    EXPECT_EQ(outcome.out.find("null"), std::string::npos) << outcome.out;
  }
}

}  // namespace
}  // namespace handpick::converter
