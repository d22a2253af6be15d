// handpick recall-index, recall and recall-eval as a user types them.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "converter/emit/emit.h"
#include "converter/recall/builder.h"
#include "converter/recall/index_bundle.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "schema/bundle_generated.h"
#include "tests/converter/cli/run_handpick.h"
#include "tests/converter/recall/random_vectors.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kItem2vec[] = "examples/item2vec/model/item2vec.npz";
constexpr char kDin[] = "examples/din/model/";
constexpr char kNfm[] = "tests/goldens/nfm/";

// Rows of 32-bit floats: sums in float against sums in double.
constexpr double kFloatTolerance = 1e-5;
// Rows of 8 bits: half a step of 127 in the item and in the query.
constexpr double kInt8Tolerance = 0.02;

// Vectors with ids that do not come in order.
struct Items {
  std::vector<int64_t> ids;
  OwnedVectors vectors;
};

Items SomeItems(uint32_t count, uint32_t dimension) {
  Items items;
  items.vectors = RandomClusters(count, dimension, 20, 0.5, 7);
  for (uint32_t i = 0; i < count; ++i) items.ids.push_back(int64_t{i} * 7919 % 100003 - 50000);
  return items;
}

std::string Word2VecText(const Items& items, const std::string& prefix = "") {
  std::string text = absl::StrCat(items.ids.size(), " ", items.vectors.dimension, "\n");
  for (size_t i = 0; i < items.ids.size(); ++i) {
    absl::StrAppend(&text, prefix, items.ids[i]);
    for (const float x : items.vectors.Row(i)) {
      char number[32];
      snprintf(number, sizeof(number), " %.9g", static_cast<double>(x));
      text += number;
    }
    text += "\n";
  }
  return text;
}

template <typename T>
std::string Raw(const T* data, size_t count) {
  return std::string(reinterpret_cast<const char*>(data), count * sizeof(T));
}

std::string Word2VecBinary(const Items& items) {
  std::string bytes = absl::StrCat(items.ids.size(), " ", items.vectors.dimension, "\n");
  for (size_t i = 0; i < items.ids.size(); ++i) {
    const auto row = items.vectors.Row(i);
    absl::StrAppend(&bytes, items.ids[i], " ", Raw(row.data(), row.size()), "\n");
  }
  return bytes;
}

std::string Safetensors(const Items& items, bool with_ids = true) {
  const size_t id_bytes = with_ids ? items.ids.size() * 8 : 0;
  const size_t vector_bytes = items.vectors.numbers.size() * 4;
  Json header;
  if (with_ids) {
    header["ids"] = {
        {"dtype", "I64"}, {"shape", {items.ids.size()}}, {"data_offsets", {0, id_bytes}}};
  }
  header["vectors"] = {
      {"dtype", "F32"},
      {"shape", {items.vectors.numbers.size() / items.vectors.dimension, items.vectors.dimension}},
      {"data_offsets", {id_bytes, id_bytes + vector_bytes}}};
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t size = text.size();
  return absl::StrCat(Raw(&size, 1), text, Raw(items.ids.data(), id_bytes / 8),
                      Raw(items.vectors.numbers.data(), items.vectors.numbers.size()));
}

double Cosine(absl::Span<const float> a, absl::Span<const float> b) {
  double product = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += double{a[i]} * double{b[i]};
    aa += double{a[i]} * double{a[i]};
    bb += double{b[i]} * double{b[i]};
  }
  return product / std::sqrt(aa * bb);
}

// The best `k` scores, largest first.
std::vector<double> Best(std::vector<double> scores, size_t k) {
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.resize(std::min(k, scores.size()));
  return scores;
}

class RecallCliTest : public testing::Test {
 protected:
  void SetUp() override { folder_ = EmptyTestFolder(); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Path(name);
  }

  // Runs the command, which has to go well.
  static std::string Run(const std::string& arguments, const std::string& input = "") {
    const Outcome outcome = Handpick(arguments, input);
    EXPECT_EQ(outcome.status, 0) << arguments << "\n" << outcome.err;
    // Progress, where it takes long; notes; and no other message.
    for (const absl::string_view line : absl::StrSplit(outcome.err, '\n')) {
      if (absl::StrContains(line, ": note: ")) continue;
      EXPECT_THAT(std::string(line), Not(HasSubstr("handpick")));
    }
    return outcome.out;
  }
  static Json Inspect(const std::string& path) {
    return Json::parse(Run("inspect --json " + path));
  }
  static std::vector<std::string> Roles(const Json& inspected) {
    std::vector<std::string> roles;
    for (const Json& input : inspected["inputs"]) roles.push_back(input["role"]);
    return roles;
  }
  static Json Recall(const std::string& arguments, const std::string& input = "") {
    return Json::parse(Run(absl::StrCat("recall --format json ", arguments), input));
  }

  std::string ConvertDin() const {
    Run(absl::StrCat("convert --spec ", kDin, "model.spec.json --weights ", kDin,
                     "model.safetensors --catalog ", kDin, "catalog.jsonl --golden ", kDin,
                     "golden.jsonl --out ", Path("din.hpk")));
    return Path("din.hpk");
  }

  // An index with tables, whatever a tuner would find faster, alone in a bundle.
  std::string HashedBundle(uint32_t items) const {
    const OwnedVectors vectors = RandomClusters(items, 16, 50, 0.5, 3);
    HashParameters hash;
    hash.family = schema::HashFamily::CrossPolytope;
    hash.tables = 1;
    hash.functions = 1;
    hash.outputs = 16;
    auto builder = RecallBuilder::Create(vectors.view(), schema::RecallMetric::Cosine,
                                         schema::ElementType::Int8PerRow, nullptr);
    EXPECT_TRUE(builder.ok());
    auto index = builder->Build(hash, 4, nullptr);
    EXPECT_TRUE(index.ok());
    ItemIdList ids;
    for (uint32_t i = 0; i < items; ++i) ids.integers.push_back(i);
    const auto bytes = Serialize(BundleOfIndex(std::move(*index), ids, "hashed", 50));
    EXPECT_TRUE(bytes.ok());
    return Write("hashed.hpk", *bytes);
  }

  std::string folder_;
};

// ---- recall-index ----

TEST_F(RecallCliTest, AnIndexStandsAlone) {
  const std::string bundle = Path("r.hpk");
  const std::string out =
      Run(absl::StrCat("recall-index --vectors ", kItem2vec, " --out ", bundle, " --name movies",
                       " --max-history 30 --report ", Path("r.json"), " --plot ", Path("r.svg")));
  EXPECT_THAT(out, HasSubstr("1,713 items of 64 numbers, cosine, int8 rows"));
  const Json inspected = Inspect(bundle);
  EXPECT_EQ(inspected["model"]["name"], "movies");
  EXPECT_EQ(inspected["model"]["task"], "none");
  EXPECT_EQ(inspected["memory"]["max_history"], 30);
  EXPECT_TRUE(inspected["work"].is_null());
  const Json& recall = inspected["recall"];
  EXPECT_EQ(recall["items"], 1713);
  EXPECT_EQ(recall["dimension"], 64);
  EXPECT_EQ(recall["metric"], "cosine");
  EXPECT_EQ(recall["rows"], "int8");
  EXPECT_EQ(recall["ids"]["type"], "integers");
  EXPECT_EQ(recall["ids"]["bytes"], 1713 * 8);
  EXPECT_EQ(recall["history_feature"], "item");
  EXPECT_TRUE(recall["candidate_feature"].is_null());
  EXPECT_GE(recall["measured_recall"], 0.95);
  EXPECT_LE(recall["bytes_per_item"], 100);
  EXPECT_GE(recall["bytes_per_item"], 65);  // A byte for each number, and its scale.
  const std::string text = Run("inspect " + bundle);
  EXPECT_THAT(text, StartsWith("movies: a recall index alone"));
  EXPECT_THAT(text, HasSubstr("Recall index of 1,713 items: int8 vectors of 64 numbers, cosine"));
  const Json report = Json::parse(ReadText(Path("r.json")));
  EXPECT_EQ(report["target"]["k"], 100);
  EXPECT_EQ(report["target"]["recall"], 0.95);
  EXPECT_GE(report["chosen"]["recall"], 0.95);
  EXPECT_GE(report["curve"].size(), 1u);
  EXPECT_THAT(ReadText(Path("r.svg")), StartsWith("<svg "));
  // Nothing else is left there.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 3);
}

TEST_F(RecallCliTest, SaysWhyIdsAreStrings) {
  std::string text = "21 2\n</s> 1 0\n";
  for (int i = 0; i < 20; ++i) absl::StrAppend(&text, i, " 1 ", i, "\n");
  const Outcome made = Handpick(
      absl::StrCat("recall-index --vectors ", Write("v.txt", text), " --out ", Path("r.hpk")));
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.err, HasSubstr("handpick recall-index: note: ids are strings, since '</s>' is"));
}

TEST_F(RecallCliTest, AllFormsOfVectorsGiveTheSameIndex) {
  const Items items = SomeItems(60, 12);
  const std::string sources[] = {
      absl::StrCat("--vectors ", Write("v.txt", Word2VecText(items))),
      absl::StrCat("--vectors ", Write("v.bin", Word2VecBinary(items))),
      absl::StrCat("--vectors ", Write("v.safetensors", Safetensors(items))),
      absl::StrCat("--vectors ", Write("n.safetensors", Safetensors(items, false)), " --ids ",
                   Write("ids.txt", absl::StrJoin(items.ids, "\n"))),
      absl::StrCat("--vectors ", Write("any", Word2VecBinary(items)),
                   " --vectors-format word2vec-binary")};
  std::string first;
  for (const std::string& source : sources) {
    SCOPED_TRACE(source);
    Run(absl::StrCat("recall-index --rows f32 --k 5 ", source, " --out ", Path("r.hpk")));
    const std::string answer = Run(absl::StrCat("recall --format json --k 60 --bundle ",
                                                Path("r.hpk"), " --item=", items.ids[3]));
    if (first.empty()) first = answer;
    EXPECT_EQ(answer, first);
  }
  // And it is the right one.
  std::vector<double> scores;
  std::map<int64_t, double> by_id;
  for (size_t i = 0; i < items.ids.size(); ++i) {
    by_id[items.ids[i]] = Cosine(items.vectors.Row(i), items.vectors.Row(3));
    if (i != 3) scores.push_back(by_id[items.ids[i]]);
  }
  const std::vector<double> expected = Best(scores, 60);
  const Json found = Json::parse(first)["items"];
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i]["score"].get<double>(), expected[i], kFloatTolerance);
    EXPECT_NEAR(found[i]["score"].get<double>(), by_id.at(found[i]["id"].get<int64_t>()),
                kFloatTolerance);
  }
}

TEST_F(RecallCliTest, AFamilyIsTakenWhenItIsAskedFor) {
  for (const char* family : {"cross-polytope", "hyperplane", "e2lsh"}) {
    Run(absl::StrCat("recall-index --recall 0.9 --family ", family, " --vectors ", kItem2vec,
                     " --out ", Path("r.hpk")));
    const Json recall = Inspect(Path("r.hpk"))["recall"];
    EXPECT_EQ(recall["family"], family);
    EXPECT_GE(recall["tables"], 1);
    EXPECT_GE(recall["probes"], 1);
    EXPECT_LE(recall["probes"], recall["buckets"]);
    EXPECT_GE(recall["measured_recall"], 0.9);
    EXPECT_LE(recall["bytes_per_item"], 100 + 4096.0 / 1713);
    EXPECT_THAT(Run("inspect " + Path("r.hpk")),
                HasSubstr(absl::StrCat("  search             ", family, ", tables ")));
    // All buckets together are all items.
    const std::string ask = absl::StrCat("--bundle ", Path("r.hpk"), " --item 1 --k 50");
    const Json exact = Recall(ask + " --exact");
    EXPECT_EQ(exact["rows_scanned"], 1713);
    const Json all = Recall(absl::StrCat(ask, " --probes ", recall["buckets"].dump()));
    EXPECT_EQ(all["items"], exact["items"]);
    EXPECT_LE(Recall(ask)["rows_scanned"], 1713);
  }
}

TEST_F(RecallCliTest, IdsAreStringsOrIntegersOf64Bits) {
  Items items = SomeItems(20, 8);
  items.ids[0] = INT64_MIN;
  items.ids[1] = INT64_MAX;
  Run(absl::StrCat("recall-index --k 5 --vectors ", Write("v.txt", Word2VecText(items)), " --out ",
                   Path("i.hpk")));
  const Json all = Recall(absl::StrCat("--k 20 --bundle ", Path("i.hpk"), " --item=", INT64_MIN));
  bool has_largest = false;
  for (const Json& item : all["items"]) has_largest |= item["id"] == INT64_MAX;
  EXPECT_TRUE(has_largest);
  Run(absl::StrCat("recall-index --k 5 --vectors ", Write("s.txt", Word2VecText(items, "m:")),
                   " --out ", Path("s.hpk")));
  EXPECT_EQ(Inspect(Path("s.hpk"))["recall"]["ids"]["type"], "strings");
  const Json strings =
      Recall(absl::StrCat("--k 19 --bundle ", Path("s.hpk"), " --history m:", items.ids[4]));
  ASSERT_EQ(strings["items"].size(), 19u);
  for (size_t i = 0; i < 19; ++i) {
    EXPECT_THAT(strings["items"][i]["id"].get<std::string>(), StartsWith("m:"));
    EXPECT_NE(strings["items"][i]["id"], absl::StrCat("m:", items.ids[4]));
  }
  // Integers are kept as strings when that is wanted.
  Run(absl::StrCat("recall-index --k 5 --id-type string --vectors ", Path("v.txt"), " --out ",
                   Path("t.hpk")));
  EXPECT_EQ(Inspect(Path("t.hpk"))["recall"]["ids"]["type"], "strings");
}

TEST_F(RecallCliTest, ABundleHoldsARankerAndAnIndex) {
  const std::string din = ConvertDin();
  const std::string both = Path("both.hpk");
  const std::string out = Run(absl::StrCat("recall-index --vectors ", kItem2vec, " --bundle ", din,
                                           " --k 200 --out ", both));
  EXPECT_THAT(out, HasSubstr("an event's item: 'movie_id'; a candidate's id: 'movie_id'"));
  EXPECT_THAT(out, HasSubstr("1,713 of 1,713 items are in the catalog"));
  // The model is what it was.
  EXPECT_THAT(Run("verify --bundle " + both), HasSubstr("6 golden requests hold"));
  const std::string score = absl::StrCat(" --requests ", kDin, "ranking.jsonl");
  EXPECT_EQ(Run("score --bundle " + both + score), Run("score --bundle " + din + score));
  const Json inspected = Inspect(both);
  EXPECT_EQ(inspected["model"]["task"], "binary");
  EXPECT_EQ(inspected["recall"]["history_feature"], "movie_id");
  EXPECT_EQ(inspected["recall"]["candidate_feature"], "movie_id");
  EXPECT_FALSE(inspected["steps"].empty());
  EXPECT_EQ(Roles(inspected), (std::vector<std::string>{"spec", "weights", "catalog", "goldens",
                                                        "bundle", "vectors"}));
  EXPECT_EQ(inspected["inputs"][4]["name"], "din.hpk");
  EXPECT_EQ(inspected["inputs"][4]["size"], fs::file_size(din));
  EXPECT_EQ(inspected["inputs"][5]["name"], "item2vec.npz");
  // It recalls as the index alone does.
  Run(absl::StrCat("recall-index --vectors ", kItem2vec, " --out ", Path("alone.hpk")));
  for (const char* how :
       {"", " --user recent --half-life 3", " --user interests --interests 2", " --exact"}) {
    const std::string ask = absl::StrCat(" --history 1,50,260 --k 20", how);
    EXPECT_EQ(Recall(absl::StrCat("--bundle ", both, ask)),
              Recall(absl::StrCat("--bundle ", Path("alone.hpk"), ask)));
  }
  // An index that is there is replaced.
  Run(absl::StrCat("recall-index --vectors ", Write("v.txt", Word2VecText(SomeItems(20, 8))),
                   " --k 5 --bundle ", both, " --out ", both));
  EXPECT_EQ(Inspect(both)["recall"]["items"], 20);
  EXPECT_FALSE(Inspect(both)["recall"]["ids"]["of_catalog"]);
  EXPECT_EQ(Roles(Inspect(both)), Roles(inspected));
  EXPECT_EQ(Inspect(both)["inputs"][5]["name"], "v.txt");
}

TEST_F(RecallCliTest, TheCatalogsIdsAreKeptOnce) {
  const std::string din = ConvertDin();
  // A vector for each item of the catalog.
  Items items;
  for (const absl::string_view line :
       absl::StrSplit(ReadText(absl::StrCat(kDin, "catalog.jsonl")), '\n', absl::SkipEmpty())) {
    items.ids.push_back(Json::parse(line)["movie_id"].get<int64_t>());
  }
  items.vectors = RandomClusters(static_cast<uint32_t>(items.ids.size()), 4, 20, 0.5, 7);
  // Hard for hashing and for 8 bits: no matter, here.
  Run(absl::StrCat("recall-index --recall 0.5 --held-out 20 --vectors ",
                   Write("v.safetensors", Safetensors(items)), " --bundle ", din, " --out ",
                   Path("c.hpk")));
  const Json recall = Inspect(Path("c.hpk"))["recall"];
  EXPECT_TRUE(recall["ids"]["of_catalog"]);
  EXPECT_EQ(recall["ids"]["bytes"], 0);
  EXPECT_EQ(recall["items"], items.ids.size());
  EXPECT_EQ(
      Recall(absl::StrCat("--k 3 --bundle ", Path("c.hpk"), " --item ", items.ids[5]))["items"]
          .size(),
      3u);
}

// The vectors of a factorisation machine's items, and its own vector of the user: by the trainer's
// numbers, looked up and multiplied here.
TEST_F(RecallCliTest, ATableOfTheModelAndItsOwnUser) {
  // With a catalog, so that what was recalled can be ranked.
  constexpr size_t kItems = 60, kBrands = 12, kWidth = 4;
  Json spec = Json::parse(ReadText(absl::StrCat(kNfm, "history.spec.json")));
  spec["catalog"] = {{"key", "item_id"}};
  std::string catalog;
  for (size_t i = 0; i < kItems; ++i) {
    absl::StrAppend(&catalog, Json{{"item_id", i}, {"brand", i % kBrands}}.dump(), "\n");
  }
  Run(absl::StrCat("convert --spec ", Write("s.json", spec.dump()), " --weights ", kNfm,
                   "history.safetensors --catalog ", Write("c.jsonl", catalog), " --golden ", kNfm,
                   "history.requests.jsonl --out ", Path("nfm.hpk")));
  Run(absl::StrCat("recall-index --k 10 --bundle ", Path("nfm.hpk"),
                   " --table deep.item_id --metric inner-product --rows f32 --user-value "
                   "deep.interaction.sum.context --out ",
                   Path("r.hpk")));
  const Json inspected = Inspect(Path("r.hpk"))["recall"];
  EXPECT_EQ(inspected["user_value"], "deep.interaction.sum.context");
  EXPECT_EQ(inspected["history_feature"], "item_id");
  EXPECT_TRUE(inspected["ids"]["of_catalog"]);
  const auto weights = ReadWeights(absl::StrCat(kNfm, "history.safetensors"));
  ASSERT_TRUE(weights.ok()) << weights.status();
  const auto element = [&](const char* table, size_t row, size_t i) {
    const Tensor& tensor = weights->at(absl::StrCat("embedding_dict.", table, ".weight"));
    return double{tensor.data[row * kWidth + i]};
  };
  const std::vector<size_t> items = {7, 31, 44}, brands = {2, 11, 2};
  std::vector<double> user(kWidth);
  for (size_t i = 0; i < kWidth; ++i) {
    user[i] = element("user_id", 5, i);
    for (const size_t item : items) user[i] += element("item_id", item, i) / 3;
    for (const size_t brand : brands) user[i] += element("brand", brand, i);
  }
  std::vector<double> scores(kItems), left;
  for (size_t item = 0; item < kItems; ++item) {
    for (size_t i = 0; i < kWidth; ++i) scores[item] += user[i] * element("item_id", item, i);
    if (std::count(items.begin(), items.end(), item) == 0) left.push_back(scores[item]);
  }
  const std::vector<double> expected = Best(left, 20);
  ASSERT_GT(expected.front() - expected.back(), 1e3 * kFloatTolerance) << "nothing to tell apart";
  const Json request = {{"context", {{"user_id", 5}}},
                        {"history", {{"item_id", items}, {"brand", brands}}}};
  const Json answer = Json::parse(
      Run(absl::StrCat("recommend --user model --k 20 --top-k 20 --requests - --bundle ",
                       Path("r.hpk")),
          request.dump()))["recommended"];
  ASSERT_EQ(answer.size(), 20u);
  std::vector<double> recalled;
  for (size_t i = 0; i < answer.size(); ++i) {
    recalled.push_back(answer[i]["recall_score"]);
    EXPECT_NEAR(recalled.back(), scores[answer[i]["id"].get<size_t>()], kFloatTolerance);
    EXPECT_GE(answer[i == 0 ? 0 : i - 1]["logit"], answer[i]["logit"]);
  }
  recalled = Best(recalled, 20);
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(recalled[i], expected[i], kFloatTolerance);
}

// What recall finds is what ranks first: the inner product with gmf.user is the logit, less the
// head's bias.
TEST_F(RecallCliTest, TheUserOfAMatrixFactorizationRecallsInTheOrderOfItsRanking) {
  constexpr size_t kItems = 60, kRecalled = 20;
  const std::string stem = "tests/goldens/gmf/eight_factors.";
  Run(absl::StrCat("convert --spec ", stem, "spec.json --weights ", stem, "safetensors --golden ",
                   stem, "requests.jsonl --out ", Path("gmf.hpk")));
  Run(absl::StrCat("recall-index --k 10 --bundle ", Path("gmf.hpk"),
                   " --table gmf.item_id --feature item_id --candidate-feature item_id --metric "
                   "inner-product --rows f32 --user-value gmf.user --out ",
                   Path("r.hpk")));
  EXPECT_EQ(Inspect(Path("r.hpk"))["recall"]["user_value"], "gmf.user");
  const auto weights = ReadWeights(stem + "safetensors");
  ASSERT_TRUE(weights.ok()) << weights.status();
  const double bias = double{weights->at("head.bias").data[0]};
  std::vector<size_t> items(kItems);
  for (size_t i = 0; i < kItems; ++i) items[i] = i;
  for (const size_t user : {0, 5, 39}) {
    SCOPED_TRACE(user);
    Json request = {{"context", {{"user_id", user}}}};
    const Json recommended =
        Json::parse(Run(absl::StrCat("recommend --user model --k ", kRecalled, " --top-k ",
                                     kRecalled, " --requests - --bundle ", Path("r.hpk")),
                        request.dump()))["recommended"];
    request["candidates"] = {{"item_id", items}};
    const Json ranked = Json::parse(
        Run(absl::StrCat("rank --top-k ", kItems, " --requests - --bundle ", Path("gmf.hpk")),
            request.dump()))["ranked"];
    ASSERT_EQ(recommended.size(), kRecalled);
    for (size_t i = 0; i < kRecalled; ++i) {
      // Without a catalog, what is ranked goes by its place among the candidates.
      EXPECT_EQ(recommended[i]["id"].get<size_t>(), ranked[i]["index"].get<size_t>()) << i;
      EXPECT_NEAR(recommended[i]["recall_score"].get<double>() + bias,
                  ranked[i]["logit"].get<double>(), kFloatTolerance);
    }
  }
}

// Of two towers, recall and ranking are one order. `scale`: of a recall score in a logit.
struct TwoTowers {
  std::string kind, name, metric;
  Json item, context;
  std::vector<std::string> history;
  double scale;
};

TEST_F(RecallCliTest, OneCommandRecallsByTwoTowersInTheOrderOfTheModel) {
  constexpr size_t kMostItems = 50;
  const Json user = {{"user_id", 7}, {"age", {0.5, -1.25}}};
  const Json of_country = {{"country", 3}, {"age", {0.5, -1.25, 2}}};
  const Json genres = {{"genres", {3, 7}}, {"year", 0.5}};
  const std::vector<TwoTowers> cases = {
      {"two_tower", "cosine_tanh", "cosine", genres, user, {"watched"}, 4},
      {"two_tower", "linear_output_batch_norm", "cosine", genres, user, {"watched"}, 2.5},
      {"two_tower", "embeddings_alone", "inner-product", Json::object(), Json::object(), {}, 1},
      {"youtube_dnn",
       "softmax_with_bias",
       "inner-product",
       Json::object(),
       of_country,
       {"query"},
       1},
      {"youtube_dnn", "one_table_cosine", "cosine", Json::object(), of_country, {"query"}, 4},
      {"youtube_dnn",
       "temperature_and_bias",
       "inner-product",
       Json::object(),
       of_country,
       {"query"},
       2},
  };
  for (const TwoTowers& model : cases) {
    SCOPED_TRACE(model.name);
    const std::string stem = absl::StrCat("tests/goldens/", model.kind, "/", model.name);
    Json spec = Json::parse(ReadText(stem + ".spec.json"));
    std::string key;
    size_t rows = 0;
    for (const Json& feature : spec["features"]) {
      if (feature["side"] != "candidate" || feature["type"] != "categorical") continue;
      key = feature["name"];
      rows = feature["vocabulary"]["size"];
    }
    spec["catalog"] = {{"key", key}};
    std::string catalog;
    for (size_t i = 0; i < rows; ++i) {
      Json item = model.item;
      item[key] = i;
      if (item.contains("year")) item["year"] = 0.1 * static_cast<double>(i % 7);
      absl::StrAppend(&catalog, item.dump(), "\n");
    }
    Run(absl::StrCat("convert --spec ", Write("s.json", spec.dump()), " --weights ", stem,
                     ".safetensors --catalog ", Write("c.jsonl", catalog), " --golden ", stem,
                     ".requests.jsonl --out ", Path("model.hpk")));
    Run(absl::StrCat("recall-index --towers --k 10 --rows f32 --bundle ", Path("model.hpk"),
                     " --out ", Path("r.hpk")));
    const Json inspected = Inspect(Path("r.hpk"))["recall"];
    EXPECT_EQ(inspected["user_value"], "user_vector");
    EXPECT_EQ(inspected["metric"], model.metric);
    EXPECT_TRUE(inspected["ids"]["of_catalog"]);
    EXPECT_EQ(inspected["items"], rows);

    const std::vector<size_t> seen = {4, 11, 29};
    Json history = {{key, seen}};
    for (const std::string& name : model.history) history[name] = {1, 2, 3};
    const Json request = {{"context", model.context}, {"history", history}};
    const Json recommended =
        Json::parse(Run(absl::StrCat("recommend --user model --exact --k ", kMostItems, " --top-k ",
                                     kMostItems, " --requests - --bundle ", Path("r.hpk")),
                        request.dump()))["recommended"];
    ASSERT_EQ(recommended.size(), rows - seen.size());
    for (size_t i = 0; i < recommended.size(); ++i) {
      const double logit = recommended[i]["logit"];
      EXPECT_NEAR(logit, model.scale * recommended[i]["recall_score"].get<double>(),
                  1e-4 * std::max(1.0, std::abs(logit)));
      EXPECT_EQ(std::count(seen.begin(), seen.end(), recommended[i]["id"].get<size_t>()), 0);
    }
    // The few that are recalled are the best of all: no better one is missed.
    const Json few = Json::parse(
        Run(absl::StrCat("recommend --user model --k 8 --top-k 8 --requests - --bundle ",
                         Path("r.hpk")),
            request.dump()))["recommended"];
    ASSERT_EQ(few.size(), 8u);
    for (size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i], recommended[i]) << i;
  }
}

TEST_F(RecallCliTest, TwoTowersNeedACatalog) {
  const std::string stem = "tests/goldens/two_tower/cosine_tanh";
  Run(absl::StrCat("convert --spec ", stem, ".spec.json --weights ", stem, ".safetensors --golden ",
                   stem, ".requests.jsonl --out ", Path("model.hpk")));
  const Outcome outcome = Handpick(
      absl::StrCat("recall-index --towers --bundle ", Path("model.hpk"), " --out ", Path("r.hpk")));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("has no catalog whose items' vectors would be computed"));
}

TEST_F(RecallCliTest, AnImpossibleTargetIsRefusedWithTheBest) {
  const std::string vectors = Write("v.txt", Word2VecText(SomeItems(300, 16)));
  Outcome outcome = Handpick(absl::StrCat("recall-index --recall 1 --rows int8 --vectors ", vectors,
                                          " --out ", Path("r.hpk"), " --report ", Path("r.json")));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("out of reach: the best recall found is 0.9"));
  outcome = Handpick(absl::StrCat("recall-index --bytes-per-item 12 --vectors ", vectors, " --out ",
                                  Path("r.hpk")));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("within 12.0 bytes an item is out of reach: the fewest bytes "
                                     "found are"));
  EXPECT_FALSE(fs::exists(Path("r.hpk")));
  EXPECT_FALSE(fs::exists(Path("r.json")));
  // Floats reach it, where the bytes allow them.
  Run(absl::StrCat("recall-index --recall 1 --bytes-per-item 100 --vectors ", vectors, " --out ",
                   Path("r.hpk")));
  EXPECT_EQ(Inspect(Path("r.hpk"))["recall"]["rows"], "f32");
}

struct Bad {
  std::string arguments;
  int status;
  const char* words;
};

TEST_F(RecallCliTest, BadInputOfRecallIndexIsNamed) {
  const std::string din = ConvertDin();
  const Items items = SomeItems(30, 8);
  const std::string good = absl::StrCat("--vectors ", Write("v.txt", Word2VecText(items)));
  Run(absl::StrCat("recall-index --k 5 ", good, " --out ", Path("alone.hpk")));
  Items twice = items;
  twice.ids[7] = twice.ids[3];
  Items nan = items;
  nan.vectors.numbers[8 * 4 + 2] = std::nanf("");
  Items other = SomeItems(5, 9);
  const std::string strings = Write("s.txt", Word2VecText(items, "m"));
  const std::string numbers = Write("n.txt", Word2VecText(nan));
  const std::string archive = Write("n.safetensors", Safetensors(items, false));
  const std::string with_din = absl::StrCat(good, " --bundle ", din);
  const std::vector<Bad> cases = {
      {"", 2, "one of --vectors, --table, --item-value and --towers says where the vectors are"},
      {absl::StrCat(good, " --table x --bundle ", din), 2,
       "one of --vectors, --table, --item-value"},
      {absl::StrCat(good, " --towers --bundle ", din), 2,
       "one of --vectors, --table, --item-value"},
      {"--towers", 2, "--towers names something of the model in --bundle, which is missing"},
      {absl::StrCat("--towers --user-value x --bundle ", din), 2,
       "--towers says which value is the user's; so does --user-value"},
      {absl::StrCat("--towers --bundle ", din), 1, "the model computes no value 'item_vector'"},
      {absl::StrCat("--item-value logit --bundle ", din), 1, "which is computed per "},
      {"--table x", 2, "--table names something of the model in --bundle"},
      {absl::StrCat(good, " --user-value x"), 2, "--user-value names something of the model"},
      {absl::StrCat(good, " --feature x"), 2, "--feature leads to rows of --table"},
      {absl::StrCat(with_din, " --name x"), 2, "--name is of a bundle of an index alone"},
      {absl::StrCat(with_din, " --max-history 9"), 2, "--max-history is of a bundle of an index"},
      {absl::StrCat(good, " --max-history 0"), 2, "--max-history is 0"},
      {absl::StrCat(good, " --max-history x"), 2, "max-history"},
      {absl::StrCat(good, " --metric dot"), 2, "--metric is 'dot'"},
      {absl::StrCat(good, " --family lsh"), 2, "--family is 'lsh'"},
      {absl::StrCat(good, " --family cross-polytope --metric euclidean"), 2,
       "--family cross-polytope is for directions"},
      {absl::StrCat(good, " --family e2lsh"), 1,
       "is out of reach with hash tables, cells or planes: those that 30 items can fill"},
      {absl::StrCat(good, " --rows int4"), 2, "--rows is 'int4'"},
      {absl::StrCat(good, " --recall 1.5"), 2, "--recall is 1.5"},
      {absl::StrCat(good, " --recall nan"), 2, "--recall is nan"},
      {absl::StrCat(good, " --k 0"), 2, "--k is 0"},
      {absl::StrCat(good, " --held-out 0"), 2, "--held-out is 0"},
      {absl::StrCat(good, " --bytes-per-item=-1"), 2, "--bytes-per-item is -1"},
      {absl::StrCat(good, " --id-type uuid"), 2, "--id-type is 'uuid'"},
      {absl::StrCat(good, " --famly e2lsh"), 2, "famly"},
      {"--vectors none.npz", 1, "none.npz: No such file"},
      {"--vectors v.csv", 1, "v.csv: its form is not known by its bytes or its extension"},
      {absl::StrCat(good, " --vectors-format hdf5"), 1, "its form is 'hdf5'"},
      {absl::StrCat(good, " --vectors-format npz"), 1, "v.txt: weights are read from"},
      {absl::StrCat("--vectors ", numbers), 1, "n.txt"},
      {absl::StrCat("--vectors ", Write("t.txt", Word2VecText(twice))), 1, "occurs twice"},
      {absl::StrCat("--vectors ", strings, " --id-type integer"), 1, "is no integer of 64 bits"},
      {absl::StrCat("--vectors ", archive), 1, "has no tensor 'ids'"},
      {absl::StrCat("--vectors ", archive, " --vectors-tensor vectrs --ids ", strings), 1,
       "has no tensor 'vectrs' (did you mean 'vectors'?)"},
      {absl::StrCat("--vectors ", archive, " --ids ", Write("few.txt", "1\n2\n")), 1,
       "few.txt has 2 ids"},
      {absl::StrCat(good, " --queries ", Write("q.safetensors", Safetensors(other, false))), 1,
       "q.safetensors: its vectors have 9 numbers, those of the items have 8"},
      {absl::StrCat(good, " --bundle none.hpk"), 1, "none.hpk"},
      {absl::StrCat(good, " --bundle ", Path("v.txt")), 1, "v.txt"},
      {absl::StrCat(good, " --bundle ", Path("alone.hpk")), 1, "has no model to put an index"},
      {absl::StrCat("--bundle ", din, " --table deep.movie"), 1, "did you mean 'deep.movie_id'?"},
      {absl::StrCat("--bundle ", din, " --table deep.movie_id --feature movie"), 1,
       "unknown candidate feature 'movie'"},
      {absl::StrCat("--bundle ", din, " --table deep.genre --feature genres"), 1,
       "feature 'genres' is multi_categorical"},
      {absl::StrCat("--bundle ", din, " --table deep.genre --feature movie_id"), 1,
       "leads to row 21 of table 'deep.genre'"},
      {absl::StrCat("--vectors ", strings, " --bundle ", din), 1,
       "'movie_id' takes ids of another type than the items', which are strings"},
      {absl::StrCat(with_din, " --history-feature movie"), 1,
       "no categorical feature 'movie' of the history; it has: movie_id, genre"},
      {absl::StrCat(with_din, " --candidate-feature genre"), 1, "expected the catalog's key"},
      {absl::StrCat(with_din, " --user-value nothing"), 1,
       "no vector 'nothing' of 8 numbers of the user: it has no value of that name"},
      {absl::StrCat(with_din, " --user-value deep.layers.0.context"), 1,
       "'deep.layers.0.context' of 8 numbers of the user: that has 64"},
  };
  const auto files = std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  for (const Bad& bad : cases) {
    const Outcome outcome =
        Handpick(absl::StrCat("recall-index ", bad.arguments, " --out ", Path("o.hpk")));
    EXPECT_EQ(outcome.status, bad.status) << bad.arguments << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(bad.words)) << bad.arguments;
    EXPECT_THAT(outcome.out, IsEmpty()) << bad.arguments;
  }
  const Outcome outcome = Handpick(absl::StrCat("recall-index --k 5 ", good, " --out /no/where"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("cannot write /no/where"));
  // Neither a result nor half of one.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), files);
}

// ---- recall ----

TEST_F(RecallCliTest, RequestsAreAnsweredLineByLine) {
  const Items items = SomeItems(80, 8);
  Run(absl::StrCat("recall-index --rows f32 --k 5 --max-history 3 --vectors ",
                   Write("v.txt", Word2VecText(items)), " --out ", Path("r.hpk")));
  const std::string requests = absl::StrCat(
      Json{{"history", {items.ids[1], items.ids[2]}}, {"exclude", {items.ids[5], 123456}}}.dump(),
      "\n\n", Json{{"vector", items.vectors.Row(9)}}.dump(), "\n",
      Json{{"history", {items.ids[40], items.ids[1], items.ids[2], items.ids[3]}}}.dump(), "\n",
      Json{{"history", Json::array({5000000})}}.dump(), "\n",
      Json{{"vector", std::vector<float>(8)}}.dump(), "\n",
      Json{{"history", {items.ids[1]}}, {"exclude", items.ids}}.dump(), "\n");
  std::vector<Json> answers;
  for (const absl::string_view line : absl::StrSplit(
           Run(absl::StrCat("recall --format json --requests - --k 80 --bundle ", Path("r.hpk")),
               requests),
           '\n', absl::SkipEmpty())) {
    answers.push_back(Json::parse(line));
  }
  ASSERT_EQ(answers.size(), 6u);
  // The mean of vectors of length 1, and all items but what is left out.
  const auto expect = [&](const Json& answer, const std::vector<size_t>& history,
                          const std::vector<size_t>& left_out) {
    std::vector<float> user(8);
    for (const size_t h : history) {
      const auto row = items.vectors.Row(h);
      double squares = 0;
      for (const float x : row) squares += double{x} * double{x};
      for (size_t i = 0; i < 8; ++i)
        user[i] += static_cast<float>(double{row[i]} / std::sqrt(squares));
    }
    std::vector<double> scores;
    for (size_t i = 0; i < items.ids.size(); ++i) {
      if (std::count(left_out.begin(), left_out.end(), i) != 0) continue;
      scores.push_back(Cosine(user, items.vectors.Row(i)));
    }
    const std::vector<double> expected = Best(scores, 80);
    EXPECT_EQ(answer["outcome"], "found");
    ASSERT_EQ(answer["items"].size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(answer["items"][i]["score"].get<double>(), expected[i], kFloatTolerance);
      for (const size_t item : left_out) EXPECT_NE(answer["items"][i]["id"], items.ids[item]);
    }
  };
  expect(answers[0], {1, 2}, {1, 2, 5});
  expect(answers[1], {9}, {});
  // The three events that a session of the bundle keeps.
  expect(answers[2], {1, 2, 3}, {1, 2, 3});
  EXPECT_EQ(answers[3]["outcome"], "no item of the history has a vector");
  EXPECT_EQ(answers[4]["outcome"], "the user's vector is zero");
  EXPECT_EQ(answers[5]["outcome"], "no item is left");
  for (size_t i = 3; i < 6; ++i) EXPECT_TRUE(answers[i]["items"].empty());
  // As a table.
  const std::string table =
      Run(absl::StrCat("recall --k 2 --bundle ", Path("r.hpk"), " --item=", items.ids[3]));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 3);
  EXPECT_THAT(Run(absl::StrCat("recall --bundle ", Path("r.hpk"), " --history 5000000")),
              HasSubstr("nothing: no item of the history has a vector"));
}

TEST_F(RecallCliTest, BadInputOfRecallIsNamed) {
  const Items items = SomeItems(20, 4);
  const std::string index = Path("r.hpk");
  Run(absl::StrCat("recall-index --k 5 --vectors ", Write("v.txt", Word2VecText(items)), " --out ",
                   index));
  const std::string bundle = absl::StrCat("--bundle ", index);
  const auto line = [&](const std::string& text) {
    static int number = 0;
    return absl::StrCat(
        bundle, " --requests ",
        Write(absl::StrCat("q", ++number, ".jsonl"), "{\"vector\":[1,2,3,4]}\n" + text));
  };
  const std::vector<Bad> cases = {
      {"--item 1", 2, "--bundle"},
      {bundle, 2, "one of --item, --history and --requests"},
      {absl::StrCat(bundle, " --item 1 --history 2"), 2, "one of --item, --history and --requests"},
      {absl::StrCat(bundle, " --item 1 --user best"), 2, "--user is 'best'"},
      {absl::StrCat(bundle, " --item 1 --user model"), 2, "'handpick recommend' takes it"},
      {absl::StrCat(bundle, " --item 1 --format xml"), 2, "--format is 'xml'"},
      {absl::StrCat(bundle, " --item 1 --k 0"), 2, "--k is 0"},
      {absl::StrCat(bundle, " --item 77777"), 1, "item '77777' is not in the index"},
      {absl::StrCat(bundle, " --item abc"), 1, "id 'abc' is no integer"},
      {absl::StrCat(bundle, " --history 1,x2"), 1, "id 'x2' is no integer"},
      {absl::StrCat(bundle, " --history 1 --user recent --half-life 0"), 1, "half_life is 0"},
      {absl::StrCat(bundle, " --history 1 --user interests --interests 0"), 1, "interests is 0"},
      {absl::StrCat(bundle, " --history 1 --user interests --interests 65"), 1,
       "recall_interests is 65"},
      {absl::StrCat("--item 1 --bundle ", ConvertDin()), 1, "has no recall index"},
      {"--item 1 --bundle none.hpk", 1, "none.hpk"},
      {line("{"), 1, ":2:"},
      {line("[]"), 1, ":2"},
      {line("{}"), 1, ":2: has neither a history nor a vector"},
      {line("{\"histry\":[1]}"), 1, "histry"},
      {line("{\"history\":1}"), 1, ":2: history: is no list"},
      {line("{\"history\":[1.5]}"), 1, "1.5 is no integer"},
      {line("{\"history\":[\"a\"]}"), 1, "is no integer"},
      {line("{\"history\":[9223372036854775808]}"), 1, "9223372036854775808 is no integer of 64"},
      {line("{\"vector\":[]}"), 1, "vector has no numbers"},
      {line("{\"vector\":{}}"), 1, "vector"},
      {line("{\"vector\":[1,2,\"3\",4]}"), 1, "is no number"},
      {line("{\"vector\":[1,2,3]}"), 1, "vector has 3 numbers, the recall index's have 4"},
      {line("{\"vector\":[1,2,3,1e39]}"), 1, "beyond 32-bit floats"},
      {line("{\"vector\":[1,2,3,1e16]}"), 1, "number 3 is 1e+16"},
  };
  for (const Bad& bad : cases) {
    const Outcome outcome = Handpick(absl::StrCat("recall ", bad.arguments));
    EXPECT_EQ(outcome.status, bad.status) << bad.arguments << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(bad.words)) << bad.arguments;
  }
}

// ---- recommend ----

TEST_F(RecallCliTest, RecommendsWhatIsRecalledAndRanked) {
  const std::string din = ConvertDin();
  Run(absl::StrCat("recall-index --vectors ", kItem2vec, " --bundle ", din, " --out ",
                   Path("both.hpk")));
  Json request =
      Json::parse(ReadText(absl::StrCat(kDin, "golden.jsonl"))
                      .substr(0, ReadText(absl::StrCat(kDin, "golden.jsonl")).find('\n')));
  request.erase("logits");
  request.erase("candidates");
  ASSERT_FALSE(request["history"]["movie_id"].empty());
  const std::string requests = Write("q.jsonl", request.dump() + "\n");
  const std::string out = Run(absl::StrCat("recommend --k 30 --top-k 12 --bundle ",
                                           Path("both.hpk"), " --requests ", requests));
  const Json recommended = Json::parse(out)["recommended"];
  EXPECT_EQ(Json::parse(out)["outcome"], "found");
  ASSERT_EQ(recommended.size(), 12u);
  // The same by the commands for the parts.
  Json recalled;
  std::map<int64_t, double> recall_scores;
  const Json by_recall = Recall(absl::StrCat("--k 30 --bundle ", Path("both.hpk"), " --requests -"),
                                Json{{"history", request["history"]["movie_id"]}}.dump());
  for (const Json& item : by_recall["items"]) {
    recalled.push_back(item["id"]);
    recall_scores[item["id"].get<int64_t>()] = item["score"].get<double>();
  }
  ASSERT_EQ(recalled.size(), 30u);
  request["candidates"] = {{"movie_id", recalled}};
  const Json ranked = Json::parse(Run(
      absl::StrCat("rank --top-k 12 --bundle ", din, " --requests -"), request.dump()))["ranked"];
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(recommended[i]["id"], ranked[i]["id"]);
    EXPECT_FLOAT_EQ(recommended[i]["logit"].get<float>(), ranked[i]["logit"].get<float>());
    EXPECT_FLOAT_EQ(recommended[i]["score"].get<float>(), ranked[i]["score"].get<float>());
    EXPECT_EQ(recommended[i]["recall_score"].get<double>(),
              recall_scores.at(recommended[i]["id"].get<int64_t>()));
  }
  // Without a history nothing is recalled.
  request.erase("candidates");
  request.erase("history");
  const Json none = Json::parse(
      Run(absl::StrCat("recommend --bundle ", Path("both.hpk"), " --requests -"), request.dump()));
  EXPECT_EQ(none["outcome"], "no item of the history has a vector");
  EXPECT_TRUE(none["recommended"].empty());

  const std::string bundle = absl::StrCat(" --bundle ", Path("both.hpk"));
  const std::string good = absl::StrCat(bundle, " --requests ", requests);
  const std::vector<Bad> cases = {
      {bundle, 2, "--requests"},
      {absl::StrCat(good, " --user best"), 2, "--user is 'best'"},
      {absl::StrCat(good, " --user model"), 1, "names no value of a model as the user's vector"},
      {absl::StrCat(good, " --k 0"), 2, "--k is 0"},
      {absl::StrCat(good, " --top-k 0"), 2, "--top-k is 0"},
      {absl::StrCat(" --bundle ", din, " --requests ", requests), 1,
       "din.hpk: has no recall index"},
      {absl::StrCat(" --bundle ", HashedBundle(100), " --requests ", requests), 1,
       "hashed.hpk: holds a recall index and no model"},
      {absl::StrCat(bundle, " --requests ", Write("bad.jsonl", "{\"histry\":{}}\n")), 1,
       "bad.jsonl:1"},
  };
  for (const Bad& bad : cases) {
    const Outcome outcome = Handpick("recommend" + bad.arguments);
    EXPECT_EQ(outcome.status, bad.status) << bad.arguments << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(bad.words)) << bad.arguments;
    EXPECT_THAT(outcome.out, IsEmpty()) << bad.arguments;
  }
}

TEST_F(RecallCliTest, ADamagedBundleIsRefused) {
  const std::string bundle = HashedBundle(300);
  const std::string bytes = ReadText(bundle);
  const std::string cut = Write("cut.hpk", bytes.substr(0, bytes.size() / 2));
  for (const char* command : {"recall --item 1 --bundle ", "recall-eval --bundle ", "inspect "}) {
    const Outcome outcome = Handpick(command + cut);
    EXPECT_EQ(outcome.status, 1) << command;
    EXPECT_THAT(outcome.err, HasSubstr("cut.hpk: ")) << command;
  }
  // One byte of a vector: whoever opens the file does not look, `verify` does.
  std::string flipped = bytes;
  const auto& rows = *schema::GetBundle(bytes.data())->recall()->rows();
  flipped[static_cast<size_t>(reinterpret_cast<const char*>(rows.data()) - bytes.data())] ^= 4;
  const Outcome verified = Handpick("verify --bundle " + Write("flipped.hpk", flipped));
  EXPECT_EQ(verified.status, 1);
  EXPECT_THAT(verified.err, HasSubstr("flipped.hpk: bundle is damaged: bytes "));
}

TEST_F(RecallCliTest, ADamagedModelGetsNoIndex) {
  std::string bytes = ReadText(ConvertDin());
  const auto& rows = *schema::GetBundle(bytes.data())->tables()->Get(0)->data();
  bytes[static_cast<size_t>(reinterpret_cast<const char*>(rows.data()) - bytes.data())] ^= 4;
  const Outcome outcome =
      Handpick(absl::StrCat("recall-index --vectors ", kItem2vec, " --bundle ",
                            Write("damaged.hpk", bytes), " --out ", Path("both.hpk")));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("damaged.hpk: bundle is damaged: bytes "));
  EXPECT_FALSE(fs::exists(Path("both.hpk")));
}

// ---- recall-eval ----

TEST_F(RecallCliTest, RecallAndWorkGrowWithTheProbes) {
  const std::string bundle = HashedBundle(4000);
  const Json all =
      Json::parse(Run(absl::StrCat("recall-eval --format json --k 20 --held-out 100 "
                                   "--plot ",
                                   Path("e.svg"), " --bundle ", bundle)));
  EXPECT_EQ(all["items"], 4000);
  EXPECT_EQ(all["queries"], 100);
  EXPECT_EQ(all["k"], 20);
  EXPECT_EQ(all["id_bytes_per_item"], 8.0);
  EXPECT_GT(all["bytes_per_item"], 17.0);  // Rows of 16 bytes and a scale.
  EXPECT_LT(all["bytes_per_item"], 25.0);
  const Json& points = all["points"];
  // 1, 2, 4, ... 32 probes: all of the buckets. Then the exact scan.
  ASSERT_EQ(points.size(), 7u);
  for (size_t i = 0; i < points.size(); ++i) {
    const bool exact = i + 1 == points.size();
    EXPECT_EQ(points[i]["kind"], exact ? "exact scan" : i == 2 ? "index" : "other probes");
    EXPECT_EQ(points[i]["probes"], exact ? 0 : 1 << i);
    EXPECT_GT(points[i]["queries_per_second"], 0.0);
    if (i == 0 || exact) continue;
    EXPECT_GE(points[i]["recall"], points[i - 1]["recall"]);
    EXPECT_GT(points[i]["rows_scanned"], points[i - 1]["rows_scanned"]);
  }
  EXPECT_LT(points[0]["recall"], 0.95);
  EXPECT_EQ(points[5]["recall"], points[6]["recall"]);
  EXPECT_EQ(points[5]["rows_scanned"], 4000.0);
  EXPECT_EQ(points[6]["rows_scanned"], 4000.0);
  EXPECT_EQ(points[6]["scans"], 1.0);
  // Answers are the index's own rows, in which queries are rounded once more.
  EXPECT_GT(points[6]["recall"], 0.9);
  const std::string svg = ReadText(Path("e.svg"));
  EXPECT_THAT(svg, HasSubstr("recall@20"));
  size_t circles = 0;
  for (size_t at = svg.find("<title>"); at != std::string::npos; at = svg.find("<title>", at + 1)) {
    ++circles;
  }
  EXPECT_EQ(circles, 6u + 1u + 1u);  // Probes, the scan, and the index once more.

  const Json few = Json::parse(Run(absl::StrCat(
      "recall-eval --format json --k 20 --held-out 10 --max-probes 1 --bundle ", bundle)));
  ASSERT_EQ(few["points"].size(), 3u);
  EXPECT_EQ(few["points"][0]["probes"], 1);
  EXPECT_EQ(few["points"][1]["probes"], 4);  // The index's own.
  const std::string text = Run(absl::StrCat("recall-eval --k 20 --held-out 10 --bundle ", bundle));
  EXPECT_THAT(text, HasSubstr("hashed: 4,000 items of 16 numbers, cosine, int8 rows"));
  EXPECT_THAT(text, HasSubstr("exact scan"));
}

TEST_F(RecallCliTest, VectorsAndQueriesMayBeGiven) {
  const Items items = SomeItems(200, 16);
  const std::string vectors = Write("v.txt", Word2VecText(items));
  Run(absl::StrCat("recall-index --k 10 --vectors ", vectors, " --out ", Path("r.hpk")));
  Items queries = SomeItems(30, 16);
  const Json measured = Json::parse(Run(
      absl::StrCat("recall-eval --format json --k 10 --bundle ", Path("r.hpk"), " --vectors ",
                   vectors, " --queries ", Write("q.safetensors", Safetensors(queries, false)))));
  EXPECT_EQ(measured["queries"], 30);
  ASSERT_EQ(measured["points"].size(), 1u);
  EXPECT_EQ(measured["points"][0]["kind"], "index, a scan");
  EXPECT_GT(measured["points"][0]["recall"], 0.9);
  EXPECT_EQ(measured["exact_answers_from"], vectors);

  Items renamed = items;
  renamed.ids[0] += 1;
  const std::vector<Bad> cases = {
      {absl::StrCat("--vectors ", Write("f.txt", Word2VecText(SomeItems(199, 16)))), 1,
       "f.txt: 199 items of 16 numbers are not those of the index, which has 200 of 16"},
      {absl::StrCat("--vectors ", Write("d.txt", Word2VecText(SomeItems(200, 15)))), 1,
       "200 items of 15 numbers are not those"},
      {absl::StrCat("--vectors ", Write("r.txt", Word2VecText(renamed))), 1,
       "r.txt: item -49999 where the index has item -50000"},
      {absl::StrCat("--queries ", Write("q.txt", Word2VecText(SomeItems(9, 15)))), 1,
       "q.txt: its vectors have 15 numbers"},
      {"--k 0", 2, "--k is 0"},
      {"--held-out 0", 2, "--held-out is 0"},
      {"--max-probes 0", 2, "--max-probes is 0"},
      {"--format xml", 2, "--format is 'xml'"},
      {"--plot /no/where.svg", 1, "/no/where.svg"},
  };
  for (const Bad& bad : cases) {
    const Outcome outcome =
        Handpick(absl::StrCat("recall-eval --bundle ", Path("r.hpk"), " ", bad.arguments));
    EXPECT_EQ(outcome.status, bad.status) << bad.arguments << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(bad.words)) << bad.arguments;
  }
}

TEST_F(RecallCliTest, CommandsThatScoreSayThatAnIndexAloneDoesNot) {
  const std::string bundle = HashedBundle(100);
  const std::string requests = Write("q.jsonl", "{\"context\":{},\"candidates\":{}}\n");
  for (const std::string& arguments :
       {absl::StrCat("score --requests ", requests, " --bundle ", bundle),
        absl::StrCat("rank --requests ", requests, " --bundle ", bundle),
        absl::StrCat("verify --bundle ", bundle), absl::StrCat("bench --bundle ", bundle),
        absl::StrCat("inspect --cost ", bundle)}) {
    const Outcome outcome = Handpick(arguments);
    EXPECT_EQ(outcome.status, 1) << arguments;
    EXPECT_THAT(outcome.err, HasSubstr("hashed.hpk: holds a recall index and no model"))
        << arguments;
    EXPECT_THAT(outcome.out, IsEmpty()) << arguments;
  }
}

}  // namespace
}  // namespace handpick::converter
