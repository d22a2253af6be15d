#include "converter/spec/feature_set.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

using schema::Side;
using schema::VocabularyKind;
using ::testing::ElementsAre;

FeatureSet Build(const std::string& features, const std::string& more = "") {
  const auto spec = ParseSpec(R"({"model":{"name":"m","kind":"wide_deep"},"features":[)" +
                                  features + R"(],"wide":{"features":["a"]})" + more + "}",
                              "s.json");
  EXPECT_TRUE(spec.ok()) << spec.status();
  auto set = BuildFeatureSet(*spec);
  EXPECT_TRUE(set.ok()) << set.status();
  return *std::move(set);
}

TEST(FeatureSetTest, IntegerListsAreSortedWithTheirRows) {
  const FeatureSet set = Build(
      R"({"name":"a","side":"context","type":"categorical","vocabulary":{"kind":"list",
          "values":[40,5,-6],"first_row":2,"out_of_vocabulary_row":9}})");
  const schema::VocabularyT& vocabulary = *set.vocabularies[0];
  EXPECT_EQ(vocabulary.kind, VocabularyKind::IntegerList);
  EXPECT_THAT(vocabulary.ids, ElementsAre(-6, 5, 40));
  EXPECT_THAT(vocabulary.rows, ElementsAre(4, 3, 2));
  EXPECT_EQ(vocabulary.row_count, 10u);
  EXPECT_EQ(vocabulary.out_of_vocabulary_row, 9);
}

TEST(FeatureSetTest, StringListsAreSortedBytewiseIntoOneBlob) {
  const FeatureSet set = Build(
      R"({"name":"a","side":"context","type":"categorical","vocabulary":{"kind":"list",
          "values":["b","é","","abc"]}})");
  const schema::VocabularyT& vocabulary = *set.vocabularies[0];
  EXPECT_EQ(vocabulary.kind, VocabularyKind::StringList);
  EXPECT_EQ(std::string(vocabulary.string_bytes.begin(), vocabulary.string_bytes.end()), "abcbé");
  EXPECT_THAT(vocabulary.string_offsets, ElementsAre(0, 0, 3, 4, 6));
  EXPECT_THAT(vocabulary.rows, ElementsAre(2, 3, 0, 1));
  EXPECT_EQ(vocabulary.row_count, 4u);
  EXPECT_EQ(vocabulary.out_of_vocabulary_row, -1);
}

TEST(FeatureSetTest, VocabulariesThatAreTheSameAreShared) {
  const std::string list = R"("vocabulary":{"kind":"list","values":[3,1]}})";
  const FeatureSet set =
      Build(R"({"name":"a","side":"context","type":"categorical",)" + list +
            R"(,{"name":"b","side":"candidate","type":"multi_categorical","max_values":4,)" + list +
            R"(,{"name":"c","side":"candidate","type":"categorical",
                "vocabulary":{"kind":"hash","buckets":5,"first_row":1,"seed":18446744073709551615}})");
  ASSERT_EQ(set.vocabularies.size(), 2u);
  EXPECT_EQ(set.features[0]->vocabulary, 0u);
  EXPECT_EQ(set.features[1]->vocabulary, 0u);
  EXPECT_EQ(set.features[1]->max_values, 4u);
  EXPECT_EQ(set.features[2]->vocabulary, 1u);
  EXPECT_EQ(set.vocabularies[1]->row_count, 6u);
  EXPECT_EQ(set.vocabularies[1]->first_row, 1u);
  EXPECT_EQ(set.vocabularies[1]->buckets, 5u);
  EXPECT_EQ(set.vocabularies[1]->hash_seed, 18446744073709551615u);
}

TEST(FeatureSetTest, DefaultsAreResolved) {
  const FeatureSet set = Build(R"(
      {"name":"a","side":"context","type":"categorical","default":7,
       "vocabulary":{"kind":"list","values":[9,8,7],"out_of_vocabulary_row":5}},
      {"name":"b","side":"context","type":"categorical","default":"who",
       "vocabulary":{"kind":"list","values":["x"],"out_of_vocabulary_row":5}},
      {"name":"c","side":"context","type":"multi_categorical","max_values":3,"padding_row":0,
       "default":[4,0,2],"vocabulary":{"kind":"identity","size":5}},
      {"name":"d","side":"context","type":"multi_categorical","max_values":3,"default":[],
       "vocabulary":{"kind":"identity","size":5}},
      {"name":"e","side":"candidate","type":"numeric","dimension":2,"default":[10, -1],
       "transform":[{"kind":"clip","min":0,"max":5},{"kind":"affine","subtract":1,"multiply":0.5}]},
      {"name":"f","side":"candidate","type":"numeric"},
      {"name":"g","side":"candidate","type":"length"})");
  EXPECT_TRUE(set.features[0]->optional);
  EXPECT_THAT(set.features[0]->default_rows, ElementsAre(2));
  EXPECT_THAT(set.features[1]->default_rows, ElementsAre(5));
  // Positions of the padding row stay in a default: what reads it leaves them out.
  EXPECT_THAT(set.features[2]->default_rows, ElementsAre(4, 0, 2));
  EXPECT_TRUE(set.features[3]->optional);
  EXPECT_TRUE(set.features[3]->default_rows.empty());
  EXPECT_THAT(set.features[4]->default_numbers, ElementsAre(2.f, -0.5f));
  EXPECT_EQ(set.features[4]->dimension, 2u);
  EXPECT_FALSE(set.features[5]->optional);
  EXPECT_TRUE(set.features[6]->optional);
}

TEST(FeatureSetTest, CrossesAreOfTheCandidateWhenAnOperandIs) {
  const FeatureSet set = Build(R"(
      {"name":"x","type":"crossed","of":["a","b"]},
      {"name":"y","type":"crossed","of":["c","a"],"buckets":12,"seed":3},
      {"name":"a","side":"context","type":"categorical","vocabulary":{"kind":"identity","size":5}},
      {"name":"b","side":"context","type":"categorical","vocabulary":{"kind":"identity","size":6}},
      {"name":"c","side":"candidate","type":"categorical","vocabulary":{"kind":"identity","size":7}})");
  EXPECT_EQ(set.features[0]->side, Side::Context);
  EXPECT_THAT(set.features[0]->cross_of, ElementsAre(2, 3));
  EXPECT_EQ(RowCount(set, 0), 30u);
  EXPECT_EQ(set.features[1]->side, Side::Candidate);
  EXPECT_THAT(set.features[1]->cross_of, ElementsAre(4, 2));
  EXPECT_EQ(RowCount(set, 1), 12u);
  EXPECT_EQ(set.features[1]->cross_seed, 3u);
}

TEST(FeatureSetTest, LengthsAndPaddingReferToTheRightFeature) {
  const FeatureSet set = Build(R"(
      {"name":"t","side":"context","type":"length"},
      {"name":"a","side":"candidate","type":"multi_categorical","max_values":3,"length":"t",
       "vocabulary":{"kind":"identity","size":5}},
      {"name":"t","side":"candidate","type":"length"},
      {"name":"b","side":"candidate","type":"multi_categorical","max_values":3,"padding_row":4,
       "vocabulary":{"kind":"identity","size":5}})");
  EXPECT_EQ(set.features[1]->length_feature, 2);
  EXPECT_EQ(set.features[1]->padding_row, -1);
  EXPECT_EQ(set.features[3]->length_feature, -1);
  EXPECT_EQ(set.features[3]->padding_row, 4);
}

}  // namespace
}  // namespace handpick::converter
