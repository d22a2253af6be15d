#include "converter/request/resolve.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "converter/request/request.h"
#include "converter/spec/feature_set.h"
#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

FeatureSet Features(const std::string& features) {
  const std::string before =
      R"({"model":{"name":"m","kind":"wide_deep"},"history":{"max_events":4},"features":[
          {"name":"event","side":"history","type":"categorical",
           "vocabulary":{"kind":"identity","size":5}},)";
  const auto spec = ParseSpec(before + features + R"(],"wide":{"features":["event"]}})", "s.json");
  EXPECT_TRUE(spec.ok()) << spec.status();
  auto set = BuildFeatureSet(*spec);
  EXPECT_TRUE(set.ok()) << set.status();
  return *std::move(set);
}

constexpr size_t kFirst = 1;  // The first feature given to Features().

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

std::string Categorical(const std::string& vocabulary) {
  return R"({"name":"f","side":"candidate","type":"categorical","vocabulary":)" + vocabulary + "}";
}

std::string Multi(const std::string& more) {
  return R"({"name":"f","side":"candidate","type":"multi_categorical","max_values":3,)"
         R"("vocabulary":{"kind":"identity","size":9})" +
         more + R"(},{"name":"n","side":"candidate","type":"length"})";
}

RawCell Ids(const std::vector<int64_t>& ids) { return RawCell(ids.begin(), ids.end()); }

TEST(ResolveTest, IdentityIdsAreRows) {
  const FeatureSet set = Features(Categorical(R"({"kind":"identity","size":5})"));
  const auto rows = ResolveRows(kFirst, {int64_t{4}}, set);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(rows->rows, ElementsAre(4));
  EXPECT_EQ(rows->divisor, 1);
  for (const int64_t unknown :
       {int64_t{5}, int64_t{-1}, int64_t{1} << 32, std::numeric_limits<int64_t>::min()}) {
    EXPECT_EQ(MessageOf(ResolveRows(kFirst, {unknown}, set).status()),
              "candidate feature 'f': unknown id " + std::to_string(unknown) +
                  ": ids are 0 to 4, and there is no out-of-vocabulary row");
  }
}

TEST(ResolveTest, UnknownIdsGoToTheOutOfVocabularyRow) {
  const FeatureSet identity =
      Features(Categorical(R"({"kind":"identity","size":5,"out_of_vocabulary_row":3})"));
  EXPECT_THAT(ResolveRows(kFirst, {int64_t{-9}}, identity)->rows, ElementsAre(3));
  const FeatureSet list = Features(
      Categorical(R"({"kind":"list","values":[7,5],"first_row":1,"out_of_vocabulary_row":0})"));
  EXPECT_THAT(ResolveRows(kFirst, {int64_t{7}}, list)->rows, ElementsAre(1));
  EXPECT_THAT(ResolveRows(kFirst, {int64_t{5}}, list)->rows, ElementsAre(2));
  EXPECT_THAT(ResolveRows(kFirst, {int64_t{6}}, list)->rows, ElementsAre(0));
}

TEST(ResolveTest, ListsTakeIdsOfTheirType) {
  const FeatureSet strings = Features(Categorical(R"({"kind":"list","values":["b","a",""]})"));
  EXPECT_THAT(ResolveRows(kFirst, {std::string("b")}, strings)->rows, ElementsAre(0));
  EXPECT_THAT(ResolveRows(kFirst, {std::string()}, strings)->rows, ElementsAre(2));
  EXPECT_EQ(MessageOf(ResolveRows(kFirst, {std::string("c")}, strings).status()),
            "candidate feature 'f': unknown id \"c\": it is not among the 3 ids of the vocabulary, "
            "and there is no out-of-vocabulary row");
  EXPECT_THAT(MessageOf(ResolveRows(kFirst, {int64_t{1}}, strings).status()),
              HasSubstr("1 is of the wrong type: it takes string ids"));
  const FeatureSet integers = Features(Categorical(R"({"kind":"list","values":[1]})"));
  EXPECT_THAT(MessageOf(ResolveRows(kFirst, {std::string("1")}, integers).status()),
              HasSubstr("\"1\" is of the wrong type: it takes integer ids"));
  EXPECT_THAT(MessageOf(ResolveRows(kFirst, {1.0}, integers).status()),
              HasSubstr("1 is of the wrong type: it takes integer ids"));
}

// Expected hashes come from python3-xxhash: tests/goldens/README.md.
TEST(ResolveTest, HashedIdsAgreeWithXxhash) {
  std::ifstream file("tests/goldens/hashing/xxh64_vectors.json");
  const nlohmann::json vectors = nlohmann::json::parse(file);
  ASSERT_GE(vectors.size(), 30u);
  for (const auto& vector : vectors) {
    SCOPED_TRACE(vector.dump());
    FeatureSet set = Features(Categorical(R"({"kind":"hash","buckets":100003,"first_row":2})"));
    set.vocabularies[set.features[kFirst]->vocabulary]->hash_seed = vector["seed"];
    RawScalar id;
    if (vector["id"].is_string()) {
      id = vector["id"].get<std::string>();
    } else {
      id = vector["id"].get<int64_t>();
    }
    const uint64_t expected = 2 + vector["hash"].get<uint64_t>() % 100003;
    const auto rows = ResolveRows(kFirst, {id}, set);
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_THAT(rows->rows, ElementsAre(expected));
  }
}

TEST(ResolveTest, CategoricalTakesOneId) {
  const FeatureSet set = Features(Categorical(R"({"kind":"identity","size":5})"));
  EXPECT_EQ(MessageOf(ResolveRows(kFirst, Ids({1, 2}), set).status()),
            "candidate feature 'f': takes one id, 2 were given");
  EXPECT_FALSE(ResolveRows(kFirst, {}, set).ok());
}

TEST(ResolveTest, PositionsOfThePaddingRowDoNotCount) {
  const FeatureSet set = Features(Multi(R"(,"padding_row":0)"));
  const auto rows = ResolveRows(kFirst, Ids({0, 4, 0}), set);
  EXPECT_THAT(rows->rows, ElementsAre(4));
  EXPECT_EQ(rows->divisor, 1);
  EXPECT_THAT(ResolveRows(kFirst, Ids({0, 0}), set)->rows, IsEmpty());
  EXPECT_THAT(ResolveRows(kFirst, {}, set)->rows, IsEmpty());
  const FeatureSet none = Features(Multi(""));
  EXPECT_THAT(ResolveRows(kFirst, Ids({0, 4, 4}), none)->rows, ElementsAre(0, 4, 4));
  EXPECT_EQ(ResolveRows(kFirst, Ids({0, 4, 4}), none)->divisor, 3);
}

TEST(ResolveTest, LengthSaysHowManyPositionsCount) {
  const FeatureSet set = Features(Multi(R"(,"length":"n")"));
  auto rows = ResolveRows(kFirst, Ids({5, 0, 7}), set, 2);
  EXPECT_THAT(rows->rows, ElementsAre(5, 0));
  EXPECT_EQ(rows->divisor, 2);
  // Positions that were not given are row 0.
  rows = ResolveRows(kFirst, Ids({5}), set, 3);
  EXPECT_THAT(rows->rows, ElementsAre(5, 0, 0));
  EXPECT_EQ(rows->divisor, 3);
  // Above the maximum, the mean still divides by the length.
  rows = ResolveRows(kFirst, Ids({5, 6, 7}), set, 6);
  EXPECT_THAT(rows->rows, ElementsAre(5, 6, 7));
  EXPECT_EQ(rows->divisor, 6);
  rows = ResolveRows(kFirst, Ids({5, 6, 7}), set, std::numeric_limits<int64_t>::max());
  EXPECT_THAT(rows->rows, ElementsAre(5, 6, 7));
  EXPECT_THAT(ResolveRows(kFirst, Ids({5}), set, 0)->rows, IsEmpty());
  // Without one, as many as were given.
  rows = ResolveRows(kFirst, Ids({5, 0}), set);
  EXPECT_THAT(rows->rows, ElementsAre(5, 0));
  EXPECT_EQ(rows->divisor, 2);
}

TEST(ResolveTest, MoreValuesThanTheMaximumAreRefused) {
  const FeatureSet set = Features(Multi(""));
  EXPECT_EQ(MessageOf(ResolveRows(kFirst, Ids({1, 2, 3, 4}), set).status()),
            "candidate feature 'f': 4 values were given, the maximum is 3");
}

TEST(ResolveTest, LengthsAreIntegersAndNotNegative) {
  const FeatureSet set = Features(Multi(R"(,"length":"n")"));
  EXPECT_EQ(*ResolveLength(kFirst + 1, {int64_t{7}}, set), 7);
  EXPECT_EQ(MessageOf(ResolveLength(kFirst + 1, {int64_t{-1}}, set).status()),
            "candidate feature 'n': length -1 is not from 0 to 4294967294");
  EXPECT_THAT(MessageOf(ResolveLength(kFirst + 1, {1.5}, set).status()),
              HasSubstr("it takes an integer"));
}

std::string Numeric(const std::string& more) {
  return R"({"name":"f","side":"candidate","type":"numeric")" + more + "}";
}

TEST(ResolveTest, NumbersAreTransformedInOrder) {
  const FeatureSet set = Features(Numeric(
      R"(,"dimension":2,"transform":[{"kind":"clip","min":0,"max":100},{"kind":"log1p"},
          {"kind":"affine","subtract":1,"multiply":4}])"));
  const auto numbers = ResolveNumbers(kFirst, {int64_t{300}, -5.5}, set);
  ASSERT_TRUE(numbers.ok()) << numbers.status();
  EXPECT_THAT(*numbers, ElementsAre((std::log(101.0) - 1) * 4, -4));
  EXPECT_EQ(MessageOf(ResolveNumbers(kFirst, {1.0}, set).status()),
            "candidate feature 'f': takes 2 numbers, 1 were given");
}

TEST(ResolveTest, NumbersAreThoseOfFloat32) {
  const FeatureSet set = Features(Numeric(""));
  EXPECT_THAT(*ResolveNumbers(kFirst, {0.1}, set), ElementsAre(static_cast<double>(0.1f)));
  EXPECT_THAT(*ResolveNumbers(kFirst, {int64_t{16777217}}, set), ElementsAre(16777216.0));
}

TEST(ResolveTest, MissingNumbersStayMissingWhateverTheTransform) {
  FeatureSet set = Features(Numeric(R"(,"transform":[{"kind":"clip","min":1,"max":2}])"));
  set.features[kFirst]->may_be_missing = true;
  const auto numbers = ResolveNumbers(kFirst, {std::nan("")}, set);
  ASSERT_TRUE(numbers.ok()) << numbers.status();
  EXPECT_TRUE(std::isnan(numbers->front()));
  EXPECT_FALSE(ResolveNumbers(kFirst, {1e39}, set).ok());
}

TEST(ResolveTest, NumbersThatAreNotFiniteAreRefused) {
  const FeatureSet plain = Features(Numeric(""));
  EXPECT_THAT(MessageOf(ResolveNumbers(kFirst, {std::nan("")}, plain).status()),
              HasSubstr("is not finite as float32"));
  EXPECT_THAT(MessageOf(ResolveNumbers(kFirst, {1e39}, plain).status()),
              HasSubstr("candidate feature 'f': 1e+39 is not finite as float32"));
  EXPECT_THAT(MessageOf(ResolveNumbers(kFirst, {std::string("1")}, plain).status()),
              HasSubstr("it takes numbers"));
  const FeatureSet log = Features(Numeric(R"(,"transform":[{"kind":"log1p"}])"));
  EXPECT_THAT(MessageOf(ResolveNumbers(kFirst, {-1.0}, log).status()),
              HasSubstr("of which log1p does not exist"));
  const FeatureSet affine =
      Features(Numeric(R"(,"transform":[{"kind":"affine","multiply":1e30}])"));
  EXPECT_THAT(MessageOf(ResolveNumbers(kFirst, {1e30}, affine).status()),
              HasSubstr("is not finite after the transform"));
}

std::string CrossOperands() {
  return R"({"name":"a","side":"context","type":"multi_categorical","max_values":3,"padding_row":0,
             "vocabulary":{"kind":"identity","size":10}},
            {"name":"b","side":"candidate","type":"categorical",
             "vocabulary":{"kind":"identity","size":7}},
            {"name":"c","side":"candidate","type":"multi_categorical","max_values":2,
             "vocabulary":{"kind":"identity","size":5}},)";
}

TEST(ResolveTest, CrossesCombineInNestedOrderTheLastOperandFastest) {
  const FeatureSet set =
      Features(CrossOperands() + R"({"name":"x","type":"crossed","of":["a","b","c"]})");
  const ResolvedRows a{{3, 9}, 2}, b{{6}, 1}, c{{1, 4}, 2};
  const ResolvedRows crossed = CrossRows(kFirst + 3, {&a, &b, &c}, set);
  EXPECT_THAT(crossed.rows, ElementsAre((3 * 7 + 6) * 5 + 1, (3 * 7 + 6) * 5 + 4,
                                        (9 * 7 + 6) * 5 + 1, (9 * 7 + 6) * 5 + 4));
  EXPECT_EQ(crossed.divisor, 4);
  const ResolvedRows nothing{{}, 0};
  EXPECT_THAT(CrossRows(kFirst + 3, {&a, &b, &nothing}, set).rows, IsEmpty());
}

TEST(ResolveTest, CrossesWithBucketsHashTheRows) {
  const FeatureSet set =
      Features(CrossOperands() +
               R"({"name":"x","type":"crossed","of":["b","c"],"buckets":1000003,"seed":0})");
  // The rows 1 and 0 as 4 little-endian bytes each are the integer 1 as 8: a golden of xxhash.
  const ResolvedRows b{{1}, 1}, c{{0}, 1};
  EXPECT_THAT(CrossRows(kFirst + 3, {&b, &c}, set).rows,
              ElementsAre(11468921228449061269u % 1000003));
}

// Whole requests.

absl::StatusOr<ResolvedRequest> Resolve(const FeatureSet& set, const std::string& json,
                                        const schema::CatalogT* catalog = nullptr) {
  const auto request = ParseRequest(json, set, "r");
  EXPECT_TRUE(request.ok()) << request.status();
  return ResolveRequest(*request, set, catalog);
}

TEST(ResolveRequestTest, CrossesReadTheirOwnCandidateAndTheSharedContext) {
  const FeatureSet set =
      Features(R"({"name":"x","type":"crossed","of":["a","b"]},)" + CrossOperands() +
               R"({"name":"z","side":"context","type":"length"})");
  const auto resolved =
      Resolve(set, R"({"context":{"a":[2,0,5]},"candidates":{"b":[1,6],"c":[[],[3]]}})");
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  const ResolvedFeature& crossed = resolved->features[kFirst];
  ASSERT_EQ(crossed.rows.size(), 2u);
  EXPECT_THAT(crossed.rows[0].rows, ElementsAre(2 * 7 + 1, 5 * 7 + 1));
  EXPECT_THAT(crossed.rows[1].rows, ElementsAre(2 * 7 + 6, 5 * 7 + 6));
}

TEST(ResolveRequestTest, LengthsBelongToTheirOwnRow) {
  const FeatureSet set = Features(Multi(R"(,"length":"n")"));
  const auto resolved = Resolve(set, R"({"candidates":{"f":[[1,2],[3]],"n":[1,3]}})");
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_THAT(resolved->features[kFirst].rows[0].rows, ElementsAre(1));
  EXPECT_THAT(resolved->features[kFirst].rows[1].rows, ElementsAre(3, 0, 0));
}

TEST(ResolveRequestTest, FeaturesLeftOutTakeTheirDefaultElseAreNamed) {
  const FeatureSet set = Features(
      R"({"name":"u","side":"context","type":"categorical","default":2,
          "vocabulary":{"kind":"identity","size":5}},
         {"name":"y","side":"candidate","type":"numeric","default":8,
          "transform":[{"kind":"affine","multiply":0.5}]},
         {"name":"i","side":"candidate","type":"categorical",
          "vocabulary":{"kind":"identity","size":5}})");
  const auto resolved = Resolve(set, R"({"candidates":{"i":[3,4]}})");
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_THAT(resolved->features[1].rows[0].rows, ElementsAre(2));
  EXPECT_THAT(resolved->features[2].numbers[1], ElementsAre(4));
  EXPECT_EQ(MessageOf(Resolve(set, R"({"candidates":{"y":[1]}})").status()),
            "candidate row 0: candidate feature 'i' was not given and has no default");
  // No candidate, no event: nothing is missing.
  EXPECT_TRUE(Resolve(set, R"({"context":{"u":1}})").ok());
}

TEST(ResolveRequestTest, ErrorsNameTheRow) {
  const FeatureSet set = Features(Categorical(R"({"kind":"identity","size":5})"));
  EXPECT_THAT(MessageOf(Resolve(set, R"({"candidates":{"f":[1,9]}})").status()),
              HasSubstr("candidate row 1: candidate feature 'f': unknown id 9"));
  EXPECT_THAT(MessageOf(Resolve(set, R"({"history":{"event":[0,0,5]}})").status()),
              HasSubstr("history row 2: history feature 'event': unknown id 5"));
}

TEST(ResolveRequestTest, TheCatalogFillsInWhatARequestLeavesOut) {
  const FeatureSet set =
      Features(Categorical(R"({"kind":"identity","size":50})") +
               R"(,{"name":"g","side":"candidate","type":"multi_categorical","max_values":3,
           "padding_row":0,"vocabulary":{"kind":"identity","size":9}},
          {"name":"y","side":"candidate","type":"numeric","default":-1})");
  schema::CatalogT catalog;
  catalog.key_feature = kFirst;
  catalog.item_count = 2;
  catalog.ids = {20, 40};
  auto genres = std::make_unique<schema::CatalogColumnT>();
  genres->feature = kFirst + 1;
  genres->rows = {5, 0, 6};
  genres->row_splits = {0, 3, 3};
  catalog.columns.push_back(std::move(genres));
  auto years = std::make_unique<schema::CatalogColumnT>();
  years->feature = kFirst + 2;
  years->numbers = {0.5f, 0.25f};
  catalog.columns.push_back(std::move(years));

  auto resolved = Resolve(set, R"({"candidates":{"f":[40,20]}})", &catalog);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_THAT(resolved->features[kFirst].rows[0].rows, ElementsAre(40));
  EXPECT_THAT(resolved->features[kFirst + 1].rows[0].rows, IsEmpty());
  EXPECT_THAT(resolved->features[kFirst + 1].rows[1].rows, ElementsAre(5, 6));
  EXPECT_THAT(resolved->features[kFirst + 2].numbers[0], ElementsAre(0.25));
  // What is given wins.
  resolved = Resolve(set, R"({"candidates":{"f":[40],"g":[[7]]}})", &catalog);
  EXPECT_THAT(resolved->features[kFirst + 1].rows[0].rows, ElementsAre(7));
  // An item that the catalog lacks needs everything that the catalog would have given.
  EXPECT_EQ(MessageOf(Resolve(set, R"({"candidates":{"f":[3],"y":[1]}})", &catalog).status()),
            "candidate row 0: item 3 is not in the catalog, and candidate feature 'g' was not "
            "given");
  resolved = Resolve(set, R"({"candidates":{"f":[3],"g":[[1]]}})", &catalog);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_THAT(resolved->features[kFirst + 2].numbers[0], ElementsAre(-1));  // Its default.
}

}  // namespace
}  // namespace handpick::converter
