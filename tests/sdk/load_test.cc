// What a bundle has to keep to be opened: one rule broken at a time, from a bundle that is fine.
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick {
namespace {

using schema::BundleT;
using testing::Bytes;
using testing::MakeTinyBundle;
using testing::Serialized;

hp_error Inspect(const std::string& serialized) {
  const Bytes bytes(serialized);
  hp_bundle_info info;
  hp_error error = {};
  error.status = hp_bundle_inspect(bytes.data(), bytes.size(), &info, &error);
  return error;
}

TEST(LoadTest, TheTinyBundleOpensAndTellsWhatIsInside) {
  const Bytes bytes(Serialized(*MakeTinyBundle()));
  hp_bundle_info info;
  hp_error error;
  ASSERT_EQ(hp_bundle_inspect(bytes.data(), bytes.size(), &info, &error), HP_OK) << error.message;
  EXPECT_STREQ(info.model_name, "tiny");
  EXPECT_STREQ(info.model_version, "7");
  EXPECT_STREQ(info.producer, "by hand");
  EXPECT_EQ(info.precision, HP_PRECISION_INT8);
  EXPECT_EQ(info.feature_count, 8u);
  EXPECT_EQ(info.max_history, 3u);
  EXPECT_EQ(info.tile, 32u);
  EXPECT_EQ(info.catalog_items, 3u);
  EXPECT_EQ(info.bundle_bytes, bytes.size());
  EXPECT_EQ(info.table_bytes,
            5u * 4 * 4 + (4 * 3 + 4 * 4) + (4 * 4 + 4 * 4) + 6 * 2 * 4 + 3 * 2 * 4 + 30 * 4);
  EXPECT_GT(info.session_bytes, 0u);
}

TEST(LoadTest, BytesThatAreNoBundleAreRefusedByName) {
  EXPECT_EQ(Inspect("").status, HP_NOT_A_BUNDLE);
  EXPECT_EQ(Inspect("HPK1").status, HP_NOT_A_BUNDLE);
  EXPECT_EQ(Inspect(std::string(1000, 'x')).status, HP_NOT_A_BUNDLE);
  std::string other = Serialized(*MakeTinyBundle());
  other.replace(4, 4, "TFL3");
  EXPECT_EQ(Inspect(other).status, HP_NOT_A_BUNDLE);
}

TEST(LoadTest, EveryTruncationThatLosesSomethingIsRefused) {
  const std::string whole = Serialized(*MakeTinyBundle());
  // What follows the last non-zero byte is its string's or vector's padding.
  const size_t needed = whole.find_last_not_of('\0') + 1;
  ASSERT_LT(whole.size() - needed, 8u);
  for (size_t size = 0; size < needed; ++size) {
    const hp_status status = Inspect(whole.substr(0, size)).status;
    ASSERT_TRUE(status == HP_NOT_A_BUNDLE || status == HP_BUNDLE_CORRUPT)
        << size << " of " << whole.size();
  }
}

TEST(LoadTest, MisalignedBytesAreRefused) {
  const Bytes bytes(std::string(HP_ALIGNMENT, ' ') + Serialized(*MakeTinyBundle()));
  hp_bundle_info info;
  hp_error error;
  EXPECT_EQ(hp_bundle_inspect(static_cast<const char*>(bytes.data()) + 8, bytes.size() - 8, &info,
                              &error),
            HP_MISALIGNED);
  EXPECT_STREQ(error.message, "bundle data is not aligned to 64 bytes");
}

TEST(LoadTest, ABundleOfALaterFormatIsTooNew) {
  auto bundle = MakeTinyBundle();
  bundle->format_minor = 3;
  EXPECT_EQ(Inspect(Serialized(*bundle)).status, HP_BUNDLE_TOO_NEW);
  bundle = MakeTinyBundle();
  bundle->format_major = 2;
  const hp_error error = Inspect(Serialized(*bundle));
  EXPECT_EQ(error.status, HP_BUNDLE_TOO_NEW);
  EXPECT_STREQ(error.message, "bundle has format 2.0, this runtime opens 1.0 to 1.2");
}

struct Damage {
  const char* name;
  std::function<void(BundleT*)> apply;
  const char* message;  // Part of it.
};

schema::StepT* SessionStep(BundleT* bundle, size_t i) {
  return bundle->session_program->steps[i].get();
}
schema::StepT* CandidateStep(BundleT* bundle, size_t i) {
  return bundle->candidate_program->steps[i].get();
}

void AddGolden(BundleT* bundle) {
  auto golden = std::make_unique<schema::GoldenRequestT>();
  auto user = std::make_unique<schema::GoldenColumnT>();
  user->feature = testing::kUser;
  user->integers = {1};
  golden->context.push_back(std::move(user));
  auto tags = std::make_unique<schema::GoldenColumnT>();
  tags->feature = testing::kTags;
  tags->integers = {1, 2};
  tags->row_splits = {0, 2};
  golden->candidates.push_back(std::move(tags));
  golden->candidate_count = 1;
  golden->logits = {0.5f};
  bundle->goldens.push_back(std::move(golden));
}

const float kNan = std::numeric_limits<float>::quiet_NaN();

const Damage kDamages[] = {
    {"Task", [](BundleT* b) { b->task = schema::Task::Unknown; }, "task"},
    {"Precision", [](BundleT* b) { b->precision = schema::Precision::Unknown; }, "precision"},
    {"TileOfNothing", [](BundleT* b) { b->tile = 0; }, "tile is 0"},
    {"HugeTile", [](BundleT* b) { b->tile = 1u << 20; }, "tile is 1048576"},
    {"HugeHistory", [](BundleT* b) { b->max_history = 1u << 30; }, "max_history"},
    {"Regions", [](BundleT* b) { b->region_row_bytes.pop_back(); }, "region_row_bytes has 3"},
    {"HugeRegion", [](BundleT* b) { b->region_row_bytes[2] = 0xffffffff; }, "region_row_bytes"},
    {"Tolerance", [](BundleT* b) { b->golden_tolerance = kNan; }, "golden_tolerance"},
    {"VocabularyKind",
     [](BundleT* b) { b->vocabularies[0]->kind = schema::VocabularyKind::Unknown; }, "kind"},
    {"EmptyVocabulary", [](BundleT* b) { b->vocabularies[0]->row_count = 0; }, "no rows"},
    {"OovRow", [](BundleT* b) { b->vocabularies[2]->out_of_vocabulary_row = 4; },
     "out_of_vocabulary_row is 4"},
    {"NegativeOovRow", [](BundleT* b) { b->vocabularies[2]->out_of_vocabulary_row = -2; },
     "out_of_vocabulary_row"},
    {"ListRows", [](BundleT* b) { b->vocabularies[2]->rows.pop_back(); }, "ids and rows differ"},
    {"StringRows", [](BundleT* b) { b->vocabularies[4]->rows.pop_back(); },
     "strings and rows differ"},
    {"StringOffsets", [](BundleT* b) { b->vocabularies[4]->string_offsets = {0}; },
     "string offsets"},
    {"HashBuckets",
     [](BundleT* b) {
       b->vocabularies[0]->kind = schema::VocabularyKind::Hash;
       b->vocabularies[0]->first_row = 1;
       b->vocabularies[0]->buckets = 5;
     },
     "hash buckets exceed"},
    {"FeatureSide", [](BundleT* b) { b->features[0]->side = schema::Side::Unknown; },
     "unknown side"},
    {"FeatureType", [](BundleT* b) { b->features[0]->type = schema::FeatureType::Unknown; },
     "unknown type"},
    {"MaxValues", [](BundleT* b) { b->features[4]->max_values = 0; }, "max_values"},
    {"HugeMaxValues", [](BundleT* b) { b->features[4]->max_values = 1u << 30; }, "max_values"},
    {"SingleMaxValues", [](BundleT* b) { b->features[0]->max_values = 2; }, "max_values"},
    {"Dimension", [](BundleT* b) { b->features[6]->dimension = 0; }, "dimension"},
    {"FeatureVocabulary", [](BundleT* b) { b->features[0]->vocabulary = 9; },
     "vocabulary is 9, expected less than 5"},
    {"PaddingRow", [](BundleT* b) { b->features[2]->padding_row = 4; }, "padding_row"},
    {"DefaultRow", [](BundleT* b) { b->features[5]->default_rows = {3}; }, "default row"},
    {"NoDefault", [](BundleT* b) { b->features[5]->default_rows.clear(); },
     "wrong number of values"},
    {"DefaultNumbers", [](BundleT* b) { b->features[6]->default_numbers.pop_back(); },
     "wrong number of values"},
    {"DefaultNan", [](BundleT* b) { b->features[6]->default_numbers[1] = kNan; }, "not finite"},
    {"TransformKind",
     [](BundleT* b) { b->features[6]->transforms[0]->kind = schema::TransformKind::Unknown; },
     "transform"},
    {"TransformNan",
     [](BundleT* b) { b->features[6]->transforms[0]->a = static_cast<double>(kNan); }, "transform"},
    {"SameName", [](BundleT* b) { b->features[5]->name = "item"; }, "occurs twice"},
    {"LengthFeature", [](BundleT* b) { b->features[4]->length_feature = 3; }, "length_feature"},
    {"LengthFeatureRange", [](BundleT* b) { b->features[4]->length_feature = 99; },
     "length_feature"},
    {"CrossOperand", [](BundleT* b) { b->features[7]->cross_of[0] = 99; }, "operand"},
    {"CrossOfNumbers", [](BundleT* b) { b->features[7]->cross_of[0] = testing::kAge; },
     "no categorical"},
    {"CrossOfHistory", [](BundleT* b) { b->features[7]->cross_of[0] = testing::kSeen; },
     "no categorical"},
    {"CrossOfOne", [](BundleT* b) { b->features[7]->cross_of.pop_back(); },
     "number of crossed features"},
    {"CrossSide", [](BundleT* b) { b->features[7]->side = schema::Side::Context; }, "its side"},
    {"CrossRows", [](BundleT* b) { b->features[7]->cross_buckets = 31; },
     "more rows than its table"},
    {"TableType", [](BundleT* b) { b->tables[0]->type = schema::ElementType::Unknown; },
     "unknown element type"},
    {"TableRows", [](BundleT* b) { b->tables[0]->row_count = 6; },
     "has 80 bytes of data, expected 96"},
    {"TableOverflow",
     [](BundleT* b) {
       b->tables[0]->row_count = 0xffffffff;
       b->tables[0]->dimension = 1u << 20;
     },
     "bytes of data"},
    {"TableDimension", [](BundleT* b) { b->tables[0]->dimension = 0; }, "shape"},
    {"TableScales", [](BundleT* b) { b->tables[1]->scales.pop_back(); },
     "has 3 scales, expected 4"},
    {"TableTooSmallForFeature",
     [](BundleT* b) {
       b->tables[0]->row_count = 4;
       b->tables[0]->data.resize(64);
     },
     "more rows than its table"},
    {"DenseData", [](BundleT* b) { b->dense_weights[0]->data.pop_back(); }, "bytes of data"},
    {"DenseBias", [](BundleT* b) { b->dense_weights[0]->bias.pop_back(); }, "bias"},
    {"DenseScaleNan", [](BundleT* b) { b->dense_weights[1]->scales[0] = kNan; },
     "scale is no positive number"},
    {"DenseScaleZero", [](BundleT* b) { b->dense_weights[1]->scales[0] = 0; },
     "scale is no positive number"},
    {"BufferDomain", [](BundleT* b) { b->buffers[0]->domain = schema::Domain::Unknown; }, "domain"},
    {"BufferType", [](BundleT* b) { b->buffers[0]->type = schema::BufferType::Unknown; }, "type"},
    {"BufferWidth", [](BundleT* b) { b->buffers[0]->width = 0; }, "width is 0"},
    {"BufferOffset", [](BundleT* b) { b->buffers[1]->offset = 192; }, "not in its region"},
    {"BufferAlignment", [](BundleT* b) { b->buffers[1]->offset = 68; }, "not in its region"},
    {"BufferEnd", [](BundleT* b) { b->region_row_bytes[1] = 8; }, "not in its region"},
    {"BuffersOverlap", [](BundleT* b) { b->buffers[5]->offset = 40; }, "share memory"},
    {"ContextBuffersOverlap", [](BundleT* b) { b->buffers[1]->offset = 0; }, "share memory"},
    {"ValueBuffer", [](BundleT* b) { b->values[0]->buffer = 77; }, "buffer is 77"},
    {"ValueColumns", [](BundleT* b) { b->values[0]->column = 5; }, "not in its buffer"},
    {"ValueColumnOverflow", [](BundleT* b) { b->values[0]->column = 0xfffffffe; },
     "not in its buffer"},
    {"ValueOfInt8Part", [](BundleT* b) { b->values[11]->width = 9; }, "part of an int8 buffer"},
    {"CatalogKey", [](BundleT* b) { b->catalog->key_feature = 99; }, "catalog key"},
    {"CatalogKeyType", [](BundleT* b) { b->catalog->key_feature = testing::kTags; }, "catalog key"},
    {"CatalogIds", [](BundleT* b) { b->catalog->ids.pop_back(); }, "number of ids"},
    {"CatalogFeature", [](BundleT* b) { b->catalog->columns[0]->feature = testing::kUser; },
     "catalog column"},
    {"CatalogSplits", [](BundleT* b) { b->catalog->columns[0]->row_splits.pop_back(); },
     "catalog column"},
    {"CatalogNumbers", [](BundleT* b) { b->catalog->columns[1]->numbers.pop_back(); },
     "catalog column"},
    {"CatalogTwice", [](BundleT* b) { b->catalog->columns[1]->feature = testing::kTags; },
     "catalog column"},
    {"HistoryOfNothing", [](BundleT* b) { b->max_history = 0; }, "which has 0 events"},
    {"Logit", [](BundleT* b) { b->logit = 99; }, "logit is 99"},
    {"LogitWidth", [](BundleT* b) { b->logit = 12; }, "no computed value of width 1"},
    {"LogitOfHistory", [](BundleT* b) { b->logit = 5; }, "no computed value of width 1"},
    {"NoOperator", [](BundleT* b) { CandidateStep(b, 0)->op.Reset(); }, "damaged"},
    {"StepDomain", [](BundleT* b) { CandidateStep(b, 0)->domain = schema::Domain::Context; },
     "not of the candidates"},
    {"SessionStepDomain", [](BundleT* b) { SessionStep(b, 0)->domain = schema::Domain::Candidate; },
     "neither"},
    {"Triggers", [](BundleT* b) { SessionStep(b, 4)->triggers = 1; }, "triggers"},
    {"CandidateTriggers", [](BundleT* b) { CandidateStep(b, 0)->triggers = 1; }, "triggers"},
    {"Output", [](BundleT* b) { SessionStep(b, 0)->op.AsEmbedding()->output = 99; },
     "result does not exist"},
    {"OutputDomain", [](BundleT* b) { SessionStep(b, 0)->op.AsEmbedding()->output = 6; },
     "another domain"},
    {"LookupFeature", [](BundleT* b) { SessionStep(b, 0)->op.AsEmbedding()->lookup->feature = 99; },
     "feature that does"},
    {"LookupTable", [](BundleT* b) { SessionStep(b, 0)->op.AsEmbedding()->lookup->table = 99; },
     "table that does"},
    {"LookupOfNumber",
     [](BundleT* b) { SessionStep(b, 0)->op.AsEmbedding()->lookup->feature = testing::kAge; },
     "no rows"},
    {"LookupSide",
     [](BundleT* b) { CandidateStep(b, 0)->op.AsEmbedding()->lookup->feature = testing::kSeen; },
     "another side"},
    {"LookupWidth", [](BundleT* b) { CandidateStep(b, 0)->op.AsEmbedding()->lookup->table = 5; },
     "dimension"},
    {"LookupCombiner",
     [](BundleT* b) {
       CandidateStep(b, 1)->op.AsEmbedding()->lookup->combiner = schema::Combiner::Unknown;
     },
     "combiner"},
    {"NumericFeature", [](BundleT* b) { SessionStep(b, 1)->op.AsNumeric()->feature = 99; },
     "feature that does"},
    {"NumericOfIds",
     [](BundleT* b) { SessionStep(b, 1)->op.AsNumeric()->feature = testing::kUser; }, "no number"},
    {"PoolMask",
     [](BundleT* b) { SessionStep(b, 3)->op.AsPoolHistory()->mask_feature = testing::kUser; },
     "mask"},
    {"PoolMaskRange", [](BundleT* b) { SessionStep(b, 3)->op.AsPoolHistory()->mask_feature = -7; },
     "mask"},
    {"PoolInput", [](BundleT* b) { SessionStep(b, 3)->op.AsPoolHistory()->input = 0; }, "domain"},
    {"PoolCombiner",
     [](BundleT* b) {
       SessionStep(b, 3)->op.AsPoolHistory()->combiner = schema::Combiner::Unknown;
     },
     "combiner"},
    {"DenseWeights", [](BundleT* b) { SessionStep(b, 4)->op.AsDense()->weights = 99; },
     "weights do not exist"},
    {"DenseWeightsShape", [](BundleT* b) { SessionStep(b, 4)->op.AsDense()->weights = 2; },
     "another number of outputs"},
    {"DenseInput", [](BundleT* b) { SessionStep(b, 4)->op.AsDense()->input = 99; },
     "operand does not exist"},
    {"DenseInputWidth", [](BundleT* b) { SessionStep(b, 4)->op.AsDense()->input = 0; },
     "wrong width"},
    {"DenseInputType", [](BundleT* b) { CandidateStep(b, 5)->op.AsDense()->input = 10; },
     "element type"},
    {"DenseRow", [](BundleT* b) { CandidateStep(b, 5)->op.AsDense()->row = 99; }, "a row is 99"},
    {"DenseRowDomain", [](BundleT* b) { CandidateStep(b, 5)->op.AsDense()->row = 12; }, "domain"},
    {"DenseActivation",
     [](BundleT* b) {
       CandidateStep(b, 5)->op.AsDense()->activation->kind =
           static_cast<schema::ActivationKind>(77);
     },
     "unknown activation"},
    {"PreluWithoutSlopes",
     [](BundleT* b) {
       CandidateStep(b, 5)->op.AsDense()->activation->kind = schema::ActivationKind::Prelu;
     },
     "slopes"},
    {"AddNothing", [](BundleT* b) { CandidateStep(b, 9)->op.AsAdd()->inputs.clear(); },
     "adds nothing"},
    {"AddRange", [](BundleT* b) { CandidateStep(b, 9)->op.AsAdd()->inputs[0] = 99; },
     "operand does not exist"},
    {"SumOfNothing", [](BundleT* b) { CandidateStep(b, 8)->op.AsEmbeddingSum()->lookups.clear(); },
     "sums up nothing"},
    {"Addend", [](BundleT* b) { CandidateStep(b, 8)->op.AsEmbeddingSum()->addend = -3; }, "addend"},
    {"WrittenTwice", [](BundleT* b) { SessionStep(b, 1)->op.AsNumeric()->output = 0; }, "width"},
    {"ReadBeforeWritten",
     [](BundleT* b) { std::swap(b->candidate_program->steps[6], b->candidate_program->steps[7]); },
     "read before it is written"},
    {"PartlyWritten",
     [](BundleT* b) { b->candidate_program->steps.erase(b->candidate_program->steps.begin() + 2); },
     "read before it is written"},
    {"TwoWriters",
     [](BundleT* b) {
       CandidateStep(b, 2)->op.AsEmbedding()->output =
           7;  // Where the tags go; as wide as the name.
     },
     "writes what another step wrote"},
    {"GoldenFeature",
     [](BundleT* b) {
       AddGolden(b);
       b->goldens[0]->context[0]->feature = 99;
     },
     "golden feature"},
    {"GoldenSide",
     [](BundleT* b) {
       AddGolden(b);
       b->goldens[0]->context[0]->feature = testing::kItem;
     },
     "wrong side"},
    {"GoldenLogits",
     [](BundleT* b) {
       AddGolden(b);
       b->goldens[0]->logits.clear();
     },
     "logits"},
    {"GoldenRows",
     [](BundleT* b) {
       AddGolden(b);
       b->goldens[0]->candidate_count = 0x40000000;
     },
     "logits"},
    {"GoldenSplits",
     [](BundleT* b) {
       AddGolden(b);
       b->goldens[0]->candidates[0]->row_splits = {0, 3};
     },
     "number of its values"},
    {"GoldenSplitsFalling",
     [](BundleT* b) {
       AddGolden(b);
       b->goldens[0]->candidates[0]->row_splits = {2, 0};
     },
     "row splits"},
};

class DamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(DamageTest, IsRefusedByName) {
  auto bundle = MakeTinyBundle();
  GetParam().apply(bundle.get());
  const hp_error error = Inspect(Serialized(*bundle));
  EXPECT_EQ(error.status, HP_BUNDLE_CORRUPT);
  EXPECT_NE(std::string(error.message).find(GetParam().message), std::string::npos)
      << "message: " << error.message << "\nexpected a part: " << GetParam().message;
}

INSTANTIATE_TEST_SUITE_P(OneRuleAtATime, DamageTest, ::testing::ValuesIn(kDamages),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace handpick
