// Which parts of a bundle an older runtime does not know: by a format in which some came later.
#include "converter/emit/part_formats.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "schema/bundle_generated.h"
#include "schema/format.h"

namespace handpick::converter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

schema::BundleT Bundle() {
  schema::BundleT bundle;
  bundle.format_major = 2;
  bundle.format_minor = 4;
  const auto table = [&bundle](const char* name, schema::ElementType type) {
    bundle.tables.push_back(std::make_unique<schema::EmbeddingTableT>());
    bundle.tables.back()->name = name;
    bundle.tables.back()->type = type;
  };
  table("films", schema::ElementType::Int4PerGroup);
  table("users", schema::ElementType::Float32);
  bundle.dense_weights.push_back(std::make_unique<schema::DenseWeightsT>());
  bundle.dense_weights[0]->name = "deep.0";
  bundle.dense_weights[0]->type = schema::ElementType::Float16;
  const auto step = [&bundle](const char* name, schema::OperatorKind kind) {
    bundle.steps.push_back(std::make_unique<schema::StepT>());
    bundle.steps.back()->name = name;
    bundle.steps.back()->kind = kind;
  };
  step("deep.input", schema::OperatorKind::Embedding);
  step("norm", schema::OperatorKind::RowNormalize);
  step("activate", schema::OperatorKind::Add);
  auto dice = std::make_unique<schema::ActivationT>();
  dice->kind = schema::ActivationKind::Dice;
  bundle.steps.back()->activations.push_back(std::move(dice));
  bundle.features.push_back(std::make_unique<schema::FeatureT>());
  bundle.features[0]->name = "film";
  bundle.features[0]->type = schema::FeatureType::Categorical;
  bundle.vocabularies.push_back(std::make_unique<schema::VocabularyT>());
  bundle.vocabularies[0]->kind = schema::VocabularyKind::IntegerList;
  bundle.outputs.push_back(std::make_unique<schema::OutputT>());
  bundle.outputs[0]->name = "score";
  bundle.outputs[0]->task = schema::Task::Binary;
  return bundle;
}

// int4 rows came in 2.3, row normalize in 2.2, Dice in 2.4, lists of integers in 2.1.
FormatMinors Minors() {
  FormatMinors minors;
  minors.element_types[static_cast<int>(schema::ElementType::Int4PerGroup)] = 3;
  minors.operators[static_cast<int>(schema::OperatorKind::RowNormalize)] = 2;
  minors.activations[static_cast<int>(schema::ActivationKind::Dice)] = 4;
  minors.vocabularies[static_cast<int>(schema::VocabularyKind::IntegerList)] = 1;
  return minors;
}

std::string FaultOf(const FormatOfPart& oldest, const schema::BundleT& bundle) {
  return std::string(CheckOpensIn(oldest, bundle, Minors()).message());
}

TEST(PartFormatsTest, PartsThatAreNewerAreNamed) {
  EXPECT_EQ(FaultOf({2, 0}, Bundle()),
            "a runtime of format 2.0 does not open the bundle, of format 2.4\n"
            "  table 'films' (int4 rows) needs 2.3\n"
            "  operator 'row normalize' of step 'norm' needs 2.2\n"
            "  operator 'add' of step 'activate' needs 2.4\n"
            "  feature 'film' needs 2.1");
  EXPECT_EQ(FaultOf({2, 3}, Bundle()),
            "a runtime of format 2.3 does not open the bundle, of format 2.4\n"
            "  operator 'add' of step 'activate' needs 2.4");
  EXPECT_EQ(FaultOf({2, 4}, Bundle()), "");
  EXPECT_EQ(FaultOf({2, 9}, Bundle()), "");
}

TEST(PartFormatsTest, WhatNoPartNeedsIsTheFilesOwn) {
  schema::BundleT bundle = Bundle();
  bundle.steps.clear();
  bundle.tables.clear();
  EXPECT_EQ(FaultOf({2, 1}, bundle),
            "a runtime of format 2.1 does not open the bundle, of format 2.4, though no part of it "
            "is newer");
}

TEST(PartFormatsTest, OtherMajorsOpenNothing) {
  const std::string old = FaultOf({1, 4}, Bundle());
  EXPECT_THAT(old, HasSubstr("table 'films' (int4 rows) needs 2.3\n"));
  EXPECT_THAT(old, HasSubstr("layer 'deep.0' (f16 weights) needs 2.0\n"));
  EXPECT_THAT(old, HasSubstr("output 'score' (Binary) needs 2.0"));
  EXPECT_EQ(FaultOf({3, 0}, Bundle()),
            "a runtime of format 3.0 does not open the bundle, of format 2.4: it opens 3.x alone");
}

TEST(PartFormatsTest, OfManyPartsTheFirstAreNamed) {
  schema::BundleT bundle = Bundle();
  for (int i = 0; i < 20; ++i) {
    bundle.tables.push_back(std::make_unique<schema::EmbeddingTableT>());
    bundle.tables.back()->name = "t" + std::to_string(i);
    bundle.tables.back()->type = schema::ElementType::Int4PerGroup;
  }
  const std::string fault = FaultOf({2, 0}, bundle);
  EXPECT_THAT(fault, HasSubstr("table 't10'"));
  EXPECT_THAT(fault, Not(HasSubstr("table 't11'")));
  EXPECT_THAT(fault, HasSubstr("\n  and 12 more parts"));
}

TEST(PartFormatsTest, ANeedIsOfNoFormat) {
  schema::BundleT bundle = Bundle();
  bundle.needs.push_back(std::make_unique<schema::NeedT>());
  bundle.needs[0]->name = "quaternions";
  EXPECT_EQ(FaultOf({2, 4}, bundle),
            "a runtime of format 2.4 does not open the bundle, of format 2.4\n"
            "  'quaternions' needs a runtime that has it");
}

TEST(PartFormatsTest, AllThatThereIsCameWithTheFormat) {
  schema::BundleT bundle = Bundle();
  bundle.format_major = schema::kFormatMajor;
  bundle.format_minor = schema::kFormatMinor;
  for (const NamedPart& part : FormatsOfParts(bundle)) {
    EXPECT_EQ(part.format.major_version, schema::kFormatMajor) << part.name;
    EXPECT_LE(part.format.minor_version, schema::kFormatMinor) << part.name;
  }
  EXPECT_TRUE(CheckOpensIn({schema::kFormatMajor, schema::kFormatMinor}, bundle).ok());
}

}  // namespace
}  // namespace handpick::converter
