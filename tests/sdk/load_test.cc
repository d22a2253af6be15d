// What a bundle has to keep to be opened: one rule broken at a time, from a bundle that is fine.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/bundle_parts.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick {
namespace {

using schema::ActivationKind;
using schema::BundleT;
using schema::Domain;
using schema::OperatorKind;
using testing::AddActivation;
using testing::AddBuffer;
using testing::AddStep;
using testing::AddValue;
using testing::Bytes;
using testing::IndexOfStep;
using testing::MakeTinyBundle;
using testing::Serialized;
using testing::StepNamed;

hp_error Inspect(const std::string& serialized) {
  const Bytes bytes(serialized);
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_error error = {};
  error.status = hp_bundle_inspect(bytes.data(), bytes.size(), &info, &error);
  return error;
}

TEST(LoadTest, TheTinyBundleOpensAndTellsWhatIsInside) {
  const Bytes bytes(Serialized(*MakeTinyBundle()));
  hp_model_info info = HP_MODEL_INFO_INIT;
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
            5u * 4 * 4 + 4 * (4 + 3 + 1) + 4 * (4 + 4) + 6 * 2 * 4 + 3 * 2 * 4 + 30 * 4);
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
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_error error;
  EXPECT_EQ(hp_bundle_inspect(static_cast<const char*>(bytes.data()) + 8, bytes.size() - 8, &info,
                              &error),
            HP_MISALIGNED);
  EXPECT_STREQ(error.message, "bundle data is not aligned to 64 bytes");
}

TEST(LoadTest, ABundleOfAnotherFormatIsTooNewOrTooOld) {
  const struct {
    uint16_t major;
    uint16_t minor;
    hp_status status;
    const char* message;
  } formats[] = {
      {0, 0, HP_BUNDLE_TOO_OLD,
       "bundle has format 0.0, this runtime opens 2.0 to 2.0: convert the model again"},
      {1, 2, HP_BUNDLE_TOO_OLD,
       "bundle has format 1.2, this runtime opens 2.0 to 2.0: convert the model again"},
      {2, 1, HP_BUNDLE_TOO_NEW,
       "bundle has format 2.1, this runtime opens 2.0 to 2.0: update the "
       "app"},
      {3, 0, HP_BUNDLE_TOO_NEW,
       "bundle has format 3.0, this runtime opens 2.0 to 2.0: update the "
       "app"},
  };
  for (const auto& format : formats) {
    auto bundle = MakeTinyBundle();
    bundle->format_major = format.major;
    bundle->format_minor = format.minor;
    const hp_error error = Inspect(Serialized(*bundle));
    EXPECT_EQ(error.status, format.status) << format.message;
    EXPECT_STREQ(error.message, format.message);
  }
}

TEST(LoadTest, WhatABundleNeedsAndTheRuntimeLacksIsNamed) {
  auto bundle = MakeTinyBundle();
  for (const char* name : {"sparse layers", "another thing"}) {
    bundle->needs.push_back(std::make_unique<schema::NeedT>());
    bundle->needs.back()->name = name;
  }
  // Whatever else a later converter writes: this is said first.
  bundle->tile = 0;
  const hp_error error = Inspect(Serialized(*bundle));
  EXPECT_EQ(error.status, HP_BUNDLE_TOO_NEW);
  EXPECT_STREQ(error.message,
               "bundle needs 'sparse layers', which this runtime (format 2.0) does not have: "
               "update the app");
}

TEST(LoadTest, AManifestMayBeMissing) {
  auto bundle = MakeTinyBundle();
  bundle->manifest = nullptr;
  const Bytes bytes(Serialized(*bundle));
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_bundle_inspect(bytes.data(), bytes.size(), &info, nullptr), HP_OK);
  EXPECT_STREQ(info.producer, "");
}

// A bundle with every kind of array of 8-byte elements, whose first element says how many there
// are.
std::unique_ptr<BundleT> BundleOfIds() {
  auto bundle = MakeTinyBundle();
  for (const auto& vocabulary : bundle->vocabularies) {
    if (!vocabulary->ids.empty()) vocabulary->ids[0] = static_cast<int64_t>(vocabulary->ids.size());
  }
  bundle->catalog->ids[0] = static_cast<int64_t>(bundle->catalog->ids.size());
  auto golden = std::make_unique<schema::GoldenRequestT>();
  golden->candidate_count = 1;
  golden->logits = {0.5f};
  golden->histories.push_back(std::make_unique<schema::GoldenEventsT>());
  golden->histories[0]->event_count = 1;
  const auto column = [](uint32_t feature) {
    auto of = std::make_unique<schema::GoldenColumnT>();
    of->feature = feature;
    of->integers = {1};
    return of;
  };
  golden->context.push_back(column(testing::kUser));
  golden->histories[0]->columns.push_back(column(testing::kSeen));
  golden->candidates.push_back(column(testing::kItem));
  bundle->goldens.push_back(std::move(golden));
  bundle->integrity = std::make_unique<schema::IntegrityT>();
  bundle->integrity->blobs = {schema::BlobHash(1, 0, 0)};
  return bundle;
}

// Lets a field of a serialized bundle refer to what lies 4 bytes behind its array: the array's
// first element becomes its length.
void MoveArray(const void* table, flatbuffers::voffset_t field) {
  auto* address =
      const_cast<uint8_t*>(static_cast<const flatbuffers::Table*>(table)->GetAddressOf(field));
  ASSERT_NE(address, nullptr);
  const auto offset = flatbuffers::ReadScalar<flatbuffers::uoffset_t>(address);
  flatbuffers::WriteScalar(address, static_cast<flatbuffers::uoffset_t>(offset + 4));
}

TEST(LoadTest, ArraysOfEightByteElementsAreAligned) {
  using schema::GoldenColumn;
  const std::function<void(const schema::Bundle&)> moves[] = {
      [](const schema::Bundle& b) {
        for (const schema::Vocabulary* vocabulary : *b.vocabularies()) {
          if (vocabulary->ids() != nullptr) MoveArray(vocabulary, schema::Vocabulary::VT_IDS);
        }
      },
      [](const schema::Bundle& b) { MoveArray(b.catalog(), schema::Catalog::VT_IDS); },
      [](const schema::Bundle& b) {
        MoveArray(b.goldens()->Get(0)->context()->Get(0), GoldenColumn::VT_INTEGERS);
      },
      [](const schema::Bundle& b) {
        MoveArray(b.goldens()->Get(0)->histories()->Get(0)->columns()->Get(0),
                  GoldenColumn::VT_INTEGERS);
      },
      [](const schema::Bundle& b) {
        MoveArray(b.goldens()->Get(0)->candidates()->Get(0), GoldenColumn::VT_INTEGERS);
      },
      [](const schema::Bundle& b) { MoveArray(b.integrity(), schema::Integrity::VT_BLOBS); },
  };
  const std::string good = Serialized(*BundleOfIds());
  ASSERT_EQ(Inspect(good).status, HP_OK) << Inspect(good).message;
  for (const auto& move : moves) {
    std::string bytes = good;
    ASSERT_NO_FATAL_FAILURE(move(*schema::GetBundle(bytes.data())));
    const hp_error error = Inspect(bytes);
    EXPECT_EQ(error.status, HP_BUNDLE_CORRUPT);
    EXPECT_NE(std::string(error.message).find("an array of 8-byte elements is misaligned"),
              std::string::npos)
        << error.message;
  }
}

TEST(LoadTest, IdsOfARecallIndexAreAligned) {
  auto bundle = MakeTinyBundle();
  bundle->recall = std::make_unique<schema::RecallIndexT>();
  bundle->recall->item_ids = {1};
  std::string bytes = Serialized(*bundle);
  ASSERT_NO_FATAL_FAILURE(
      MoveArray(schema::GetBundle(bytes.data())->recall(), schema::RecallIndex::VT_ITEM_IDS));
  const hp_error error = Inspect(bytes);
  EXPECT_EQ(error.status, HP_BUNDLE_CORRUPT);
  EXPECT_NE(std::string(error.message).find("an array of 8-byte elements is misaligned"),
            std::string::npos)
      << error.message;
}

// An attention unit over numbers, `width` of them in query and key; a layer in 8 bits behind it.
std::unique_ptr<BundleT> BundleOfWideUnit(uint32_t width) {
  auto b = std::make_unique<BundleT>();
  b->format_major = 2;
  b->model_name = "wide";
  b->precision = schema::Precision::Int8;
  b->tile = 1;
  b->sequences.push_back(testing::Sequence("history", 1));
  const auto number = [&](const char* name, schema::Side side, uint32_t dimension) {
    b->features.push_back(testing::Feature(name, side, schema::FeatureType::Numeric));
    b->features.back()->dimension = dimension;
  };
  number("query", schema::Side::Candidate, width);
  number("key", schema::Side::History, width);
  number("row", schema::Side::History, 1);
  const auto value = [&](const char* name, Domain domain, uint32_t columns, uint32_t offset) {
    return AddValue(b.get(), name, AddBuffer(b.get(), domain, columns, offset), 0, columns);
  };
  const uint32_t query = value("query", Domain::Candidate, width, 0);
  const uint32_t out = value("out", Domain::Candidate, 1, 4 * width);
  const uint32_t key = value("key", Domain::History, width, 0);
  const uint32_t row = value("row", Domain::History, 1, 4 * width);
  const uint32_t unit = value("unit", Domain::Pair, 1, 0);
  testing::AddNumeric(b.get(), "key", 1, key);
  testing::AddNumeric(b.get(), "row", 2, row);
  testing::AddNumeric(b.get(), "query", 0, query);
  b->dense_weights.push_back(testing::Dense("q", width, 1, false, false, 1));
  b->dense_weights.push_back(testing::Dense("p", width, 1, false, false, 2));
  b->dense_weights.push_back(testing::Dense("behind", 1, 1, true, false, 3));
  AddStep(b.get(), "unit", OperatorKind::AttentionUnit, {query, key, row}, unit)->weights = {0, 1,
                                                                                             2};
  AddStep(b.get(), "pool", OperatorKind::WeightedPool, {unit, row}, out);
  b->outputs.push_back(testing::Output("score", out));
  return b;
}

TEST(LoadTest, WhatIsFoldedTo8BitsIsHeldToTheWidthOf8BitLayers) {
  constexpr uint32_t kMost = 1u << 16;
  EXPECT_EQ(Inspect(Serialized(*BundleOfWideUnit(kMost))).status, HP_OK)
      << Inspect(Serialized(*BundleOfWideUnit(kMost))).message;
  const hp_error error = Inspect(Serialized(*BundleOfWideUnit(kMost + 1)));
  EXPECT_EQ(error.status, HP_BUNDLE_CORRUPT);
  EXPECT_STREQ(error.message,
               "bundle: step 'unit': its first layer becomes int8 and is too wide for sums of 32 "
               "bits");
}

// As many as that, the last of them empty.
template <typename T>
void Fill(std::vector<std::unique_ptr<T>>* list, size_t count) {
  while (list->size() < count) list->push_back(std::make_unique<T>());
}

struct Damage {
  const char* name;
  std::function<void(BundleT*)> apply;
  const char* message;  // Part of it.
};

schema::StepT& Step(BundleT* bundle, const char* name) { return StepNamed(bundle, name); }

uint32_t NewValue(BundleT* bundle, Domain domain, uint32_t width) {
  // Far behind what the bundle has.
  return AddValue(bundle, "new", AddBuffer(bundle, domain, width, 1024), 0, width);
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
    {"Precision", [](BundleT* b) { b->precision = schema::Precision::Unknown; }, "precision"},
    {"TileOfNothing", [](BundleT* b) { b->tile = 0; }, "tile is 0"},
    {"HugeTile", [](BundleT* b) { b->tile = 1u << 20; }, "tile is 1048576"},
    {"HugeHistory", [](BundleT* b) { b->sequences[0]->max_events = 1u << 30; },
     "sequence 'history' has max_events 1073741824, expected 1 to 65536"},
    {"HistoryOfNothing", [](BundleT* b) { b->sequences[0]->max_events = 0; },
     "sequence 'history' has max_events 0"},
    {"ManySequences",
     [](BundleT* b) {
       for (int i = 0; i < 8; ++i) b->sequences.push_back(testing::Sequence("more", 3));
     },
     "number of sequences is 9, expected less than 9"},
    {"FeatureSequence", [](BundleT* b) { b->features[testing::kSeen]->sequence = 1; },
     "feature 'seen': belongs to a sequence that there is not"},
    {"NoSequences", [](BundleT* b) { b->sequences.clear(); },
     "feature 'seen': belongs to a sequence that there is not"},
    {"CandidateSequence", [](BundleT* b) { b->features[testing::kItem]->sequence = 1; },
     "feature 'item': belongs to a sequence that there is not"},
    {"Tolerance", [](BundleT* b) { b->golden_tolerance = kNan; }, "golden_tolerance"},
    {"ToleranceOfAnything", [](BundleT* b) { b->golden_tolerance = 1.5f; }, "golden_tolerance"},
    {"VocabularyKind",
     [](BundleT* b) { b->vocabularies[0]->kind = schema::VocabularyKind::Unknown; }, "kind"},
    {"ManyVocabularies", [](BundleT* b) { Fill(&b->vocabularies, 4097); },
     "number of vocabularies is 4097, expected less than 4097"},
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
    {"ManyFeatures", [](BundleT* b) { Fill(&b->features, 4097); },
     "number of features is 4097, expected less than 4097"},
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
    {"ManyDefaultRows",
     [](BundleT* b) { b->features[testing::kTags]->default_rows.resize((1u << 16) + 1); },
     "feature 'tags': its default has too many rows"},
    {"ManyTransforms", [](BundleT* b) { Fill(&b->features[6]->transforms, 65); },
     "feature 'price': has too many transforms"},
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
    {"CrossOfMany", [](BundleT* b) { b->features[7]->cross_of.resize(9); },
     "number of crossed features"},
    {"CrossSide", [](BundleT* b) { b->features[7]->side = schema::Side::Context; }, "its side"},
    {"CrossRows", [](BundleT* b) { b->features[7]->cross_buckets = 31; },
     "more rows than its table"},
    {"ManyTables", [](BundleT* b) { Fill(&b->tables, 16385); },
     "number of tables is 16385, expected less than 16385"},
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
    {"TableInt8RowIsShort", [](BundleT* b) { b->tables[1]->data.pop_back(); },
     "has 31 bytes of data, expected 32"},
    {"TableHalves", [](BundleT* b) { b->tables[0]->type = schema::ElementType::Float16; },
     "has 80 bytes of data, expected 40"},
    {"TableTooSmallForFeature",
     [](BundleT* b) {
       b->tables[0]->row_count = 4;
       b->tables[0]->data.resize(64);
     },
     "more rows than its table"},
    {"ManyDenseLayers", [](BundleT* b) { Fill(&b->dense_weights, 4097); },
     "number of dense layers is 4097, expected less than 4097"},
    {"DenseData", [](BundleT* b) { b->dense_weights[0]->data.pop_back(); }, "bytes of data"},
    {"DenseHalves", [](BundleT* b) { b->dense_weights[0]->type = schema::ElementType::Float16; },
     "bytes of data"},
    {"DenseNibbles",
     [](BundleT* b) { b->dense_weights[0]->type = schema::ElementType::Int4PerGroup; },
     "tables alone may have"},
    {"TableNibbles", [](BundleT* b) { b->tables[0]->type = schema::ElementType::Int4PerGroup; },
     "has 80 bytes of data, expected 50"},
    {"DenseScales", [](BundleT* b) { b->dense_weights[1]->scales.pop_back(); }, "scales, expected"},
    {"DenseBias", [](BundleT* b) { b->dense_weights[0]->bias.pop_back(); }, "bias"},
    {"DenseScaleNan", [](BundleT* b) { b->dense_weights[1]->scales[0] = kNan; },
     "scale is no positive number"},
    {"DenseScaleZero", [](BundleT* b) { b->dense_weights[1]->scales[0] = 0; },
     "scale is no positive number"},
    {"DenseInt8Smallest", [](BundleT* b) { b->dense_weights[1]->data[0] = 0x80; },
     "dense layer 'deep.candidate': a weight is -128, expected -127 to 127"},
    {"DenseInt8SmallestBehindWholeWords",
     [](BundleT* b) { b->dense_weights[1]->data[b->dense_weights[1]->data.size() - 1] = 0x80; },
     "dense layer 'deep.candidate': a weight is -128, expected -127 to 127"},
    {"DenseInt8Width",
     [](BundleT* b) {
       b->dense_weights[1]->input_width = (1u << 16) + 1;
       b->dense_weights[1]->data.resize(size_t{6} * ((1u << 16) + 1));
     },
     "dense layer 'deep.candidate': it is int8 and too wide"},
    {"ManyForests", [](BundleT* b) { Fill(&b->forests, 4097); },
     "number of forests is 4097, expected less than 4097"},
    {"ManyBuffers",
     [](BundleT* b) {
       while (b->buffers.size() < 1025) AddBuffer(b, Domain::Candidate, 1, 1024);
     },
     "number of buffers is 1025, expected less than 1025"},
    {"BufferDomain", [](BundleT* b) { b->buffers[0]->domain = Domain::Unknown; },
     "a buffer's domain is 0"},
    {"BufferDomainRange", [](BundleT* b) { b->buffers[0]->domain = static_cast<Domain>(9); },
     "a buffer's domain is 9"},
    {"BufferSequence", [](BundleT* b) { b->buffers[2]->sequence = 1; },
     "a buffer's sequence is 1, expected less than 1"},
    {"ContextBufferSequence", [](BundleT* b) { b->buffers[0]->sequence = 1; },
     "a buffer's sequence is 1, expected less than 1"},
    {"BufferWidth", [](BundleT* b) { b->buffers[0]->width = 0; }, "width is 0"},
    {"HugeBufferWidth", [](BundleT* b) { b->buffers[3]->width = (1u << 20) + 1; },
     "width is 1048577"},
    {"BufferAlignment", [](BundleT* b) { b->buffers[1]->offset = 68; },
     "a buffer lies at byte 68 of a row, expected a multiple of 64"},
    {"CandidateBufferAlignment", [](BundleT* b) { b->buffers[4]->offset = 42; },
     "a buffer lies at byte 42 of a row, expected a multiple of 4"},
    {"BufferEnd", [](BundleT* b) { b->buffers[8]->offset = 1u << 28; },
     "a buffer lies at byte 268435456 of a row"},
    {"BuffersOverlap", [](BundleT* b) { b->buffers[5]->offset = 40; },
     "buffers 4 and 5 share memory while both are in use"},
    {"ContextBuffersOverlap", [](BundleT* b) { b->buffers[1]->offset = 0; },
     "buffers 0 and 1 share memory while both are in use"},
    {"ManyValues",
     [](BundleT* b) {
       while (b->values.size() < 16385) AddValue(b, "", 0, 0, 1);
     },
     "number of values is 16385, expected less than 16385"},
    {"ValueBuffer", [](BundleT* b) { b->values[0]->buffer = 77; }, "buffer is 77"},
    {"ValueColumns", [](BundleT* b) { b->values[0]->column = 5; }, "not in its buffer"},
    {"ValueColumnOverflow", [](BundleT* b) { b->values[0]->column = 0xfffffffe; },
     "not in its buffer"},
    {"ValueWidth", [](BundleT* b) { b->values[0]->width = 0; }, "not in its buffer"},
    {"CatalogKey", [](BundleT* b) { b->catalog->key_feature = 99; }, "catalog key"},
    {"CatalogKeyType", [](BundleT* b) { b->catalog->key_feature = testing::kTags; }, "catalog key"},
    {"CatalogIds", [](BundleT* b) { b->catalog->ids.pop_back(); }, "number of ids"},
    {"ManyCatalogColumns", [](BundleT* b) { Fill(&b->catalog->columns, 9); },
     "number of catalog columns is 9, expected less than 9"},
    {"CatalogFeature", [](BundleT* b) { b->catalog->columns[0]->feature = testing::kUser; },
     "catalog column"},
    {"CatalogSplits", [](BundleT* b) { b->catalog->columns[0]->row_splits.pop_back(); },
     "catalog column"},
    {"CatalogNumbers", [](BundleT* b) { b->catalog->columns[1]->numbers.pop_back(); },
     "catalog column"},
    {"CatalogTwice", [](BundleT* b) { b->catalog->columns[1]->feature = testing::kTags; },
     "catalog column"},
    {"NoOutputs", [](BundleT* b) { b->outputs.clear(); }, "it has 0 outputs, expected 1 to 64"},
    {"ManyOutputs",
     [](BundleT* b) {
       while (b->outputs.size() < 65) b->outputs.push_back(testing::Output("more", 15));
     },
     "it has 65 outputs, expected 1 to 64"},
    {"OutputTask", [](BundleT* b) { b->outputs[0]->task = schema::Task::Unknown; },
     "an output's task is 0"},
    {"OutputRange", [](BundleT* b) { b->outputs[0]->value = 99; },
     "an output's value is 99, expected less than 16"},
    {"OutputWidth", [](BundleT* b) { b->outputs[0]->value = 11; },
     "output 'score' is no computed value of width 1 without events"},
    {"OutputOfEvents", [](BundleT* b) { b->outputs[0]->value = AddValue(b, "first", 2, 0, 1); },
     "output 'score' is no computed value of width 1 without events"},
    {"OutputNotComputed",
     [](BundleT* b) {
       b->outputs.push_back(testing::Output("second", NewValue(b, Domain::Candidate, 1)));
     },
     "output 'second' is no computed value of width 1 without events"},
    {"ManySteps",
     [](BundleT* b) {
       while (b->steps.size() < 16385) AddStep(b, "", OperatorKind::Copy, {}, 0);
     },
     "number of steps is 16385, expected less than 16385"},
    {"NoKind", [](BundleT* b) { Step(b, "head").kind = OperatorKind::Unknown; },
     "step 'head' is of an unknown kind 0"},
    {"LaterKind", [](BundleT* b) { Step(b, "head").kind = static_cast<OperatorKind>(200); },
     "step 'head' is of an unknown kind 200"},
    {"StepDomain",
     [](BundleT* b) { Step(b, "user").output = NewValue(b, Domain::Pair, 4); },
     "step 'user': its result lies in a domain that its kind is not for"},
    {"PoolDomain",
     [](BundleT* b) { Step(b, "seen").output = NewValue(b, Domain::Candidate, 3); },
     "step 'seen': its result lies in a domain that its kind is not for"},
    {"SessionStepAmongCandidates",
     [](BundleT* b) {
       AddStep(b, "late", OperatorKind::Copy, {0}, NewValue(b, Domain::Context, 4));
     },
     "step 'late': stands behind steps of candidates, and is none"},
    {"StepOutput", [](BundleT* b) { Step(b, "user").output = 99; },
     "step 'user': its result does not exist"},
    {"OutputSide", [](BundleT* b) { Step(b, "user").output = NewValue(b, Domain::Candidate, 4); },
     "step 'user': a feature is given on another side"},
    {"LookupFeature", [](BundleT* b) { Step(b, "user").lookups[0]->feature = 99; },
     "feature that does"},
    {"LookupTable", [](BundleT* b) { Step(b, "user").lookups[0]->table = 99; },
     "table that does"},
    {"LookupOfNumber", [](BundleT* b) { Step(b, "user").lookups[0]->feature = testing::kAge; },
     "no rows"},
    {"LookupSide", [](BundleT* b) { Step(b, "item").lookups[0]->feature = testing::kSeen; },
     "another side"},
    {"LookupWidth", [](BundleT* b) { Step(b, "item").lookups[0]->table = 5; },
     "step 'item' (embedding): the dimension of the tables together is 1, expected 4"},
    {"LookupCombiner",
     [](BundleT* b) { Step(b, "tags").lookups[0]->combiner = schema::Combiner::Unknown; },
     "step 'tags' (embedding): a lookup has an unknown combiner"},
    {"LookupOfNothing", [](BundleT* b) { Step(b, "item").lookups.clear(); },
     "step 'item' (embedding): lookups are none"},
    {"EmbeddingOfFeatures", [](BundleT* b) { Step(b, "item").features = {testing::kItem}; },
     "step 'item' (embedding): the number of features is 1, expected 0"},
    {"EmbeddingWithWeights", [](BundleT* b) { Step(b, "item").weights = {0}; },
     "step 'item' (embedding): the number of weights is 1, expected 0"},
    {"EmbeddingWithActivation",
     [](BundleT* b) { AddActivation(&Step(b, "item"), ActivationKind::Relu); },
     "step 'item' (embedding): the number of activations is 1, expected 0"},
    {"NumericFeature", [](BundleT* b) { Step(b, "age").features = {99}; }, "feature that does"},
    {"NumericOfIds", [](BundleT* b) { Step(b, "age").features = {testing::kUser}; },
     "step 'age' (numeric): a feature is not numeric"},
    {"NumericOfNothing", [](BundleT* b) { Step(b, "age").features.clear(); },
     "step 'age' (numeric): features are none"},
    {"NumericWidth",
     [](BundleT* b) { Step(b, "price").features = {testing::kPrice, testing::kPrice}; },
     "step 'price' (numeric): the dimension of the features together is 4, expected 2"},
    {"NumericSide", [](BundleT* b) { Step(b, "price").features = {testing::kAge, testing::kAge}; },
     "step 'price': a feature is given on another side"},
    {"PoolMask", [](BundleT* b) { Step(b, "seen").features = {testing::kUser}; },
     "step 'seen': its mask is no categorical feature of the history"},
    {"PoolMasks", [](BundleT* b) { Step(b, "seen").features = {testing::kSeen, testing::kSeen}; },
     "step 'seen' (pool history): the number of mask features is 2, expected 1"},
    {"PoolMaskRange", [](BundleT* b) { Step(b, "seen").features = {99}; }, "feature that does"},
    {"PoolInput", [](BundleT* b) { Step(b, "seen").operands = {2}; },
     "step 'seen': operand 'input' lies in a domain that the step cannot read"},
    {"PoolInputWidth", [](BundleT* b) { Step(b, "seen").operands = {0}; },
     "step 'seen' (pool history): the width of operand 'input' is 4, expected 3"},
    {"PoolCombiner",
     [](BundleT* b) { Step(b, "seen").combiner = schema::Combiner::Unknown; },
     "step 'seen' (pool history): its combiner is unknown"},
    {"DenseWeights", [](BundleT* b) { Step(b, "deep.context").weights = {99}; },
     "step 'deep.context': its weights do not exist"},
    {"DenseWithoutWeights", [](BundleT* b) { Step(b, "deep.context").weights.clear(); },
     "step 'deep.context' (dense): the number of weights is 0, expected 1"},
    {"DenseOutputs", [](BundleT* b) { Step(b, "deep.context").weights = {2}; },
     "step 'deep.context' (dense): the output width of 'weights' is 1, expected 6"},
    {"DenseInputs", [](BundleT* b) { Step(b, "deep.context").weights = {1}; },
     "step 'deep.context' (dense): the input width of 'weights' is 10, expected 8"},
    {"DenseInput", [](BundleT* b) { Step(b, "deep.context").operands = {99}; },
     "step 'deep.context': an operand does not exist"},
    {"DenseInputWidth", [](BundleT* b) { Step(b, "deep.context").operands = {0}; },
     "step 'deep.context' (dense): the input width of 'weights' is 8, expected 4"},
    {"DenseWithoutInput", [](BundleT* b) { Step(b, "deep.context").operands.clear(); },
     "step 'deep.context' (dense): the number of operands is 0, expected 2"},
    {"DenseRow", [](BundleT* b) { Step(b, "deep.candidate").operands[1] = 99; },
     "step 'deep.candidate': an operand does not exist"},
    {"DenseRowDomain", [](BundleT* b) { Step(b, "deep.candidate").operands[1] = 11; },
     "step 'deep.candidate': operand 'row' lies in a domain that the step cannot read"},
    {"DenseRows", [](BundleT* b) { Step(b, "deep.candidate").operands.push_back(4); },
     "step 'deep.candidate' (dense): the number of operands is 3, expected 2"},
    {"DenseLookups",
     [](BundleT* b) { Step(b, "head").lookups.push_back(testing::Lookup(testing::kItem, 2)); },
     "step 'head' (dense): the number of lookups is 1, expected 0"},
    {"DenseNumbers", [](BundleT* b) { Step(b, "head").numbers = {1}; },
     "step 'head' (dense): the number of its numbers is 1, expected 0"},
    {"DenseCell", [](BundleT* b) { Step(b, "head").cell = schema::RecurrentCell::Gru; },
     "step 'head' (dense): its recurrent cell is not one that it takes"},
    {"DenseActivation",
     [](BundleT* b) {
       Step(b, "deep.candidate").activations[0]->kind = static_cast<ActivationKind>(77);
     },
     "step 'deep.candidate' (dense): its activation is unknown"},
    {"DenseActivations",
     [](BundleT* b) { AddActivation(&Step(b, "deep.candidate"), ActivationKind::Relu); },
     "step 'deep.candidate' (dense): the number of activations is 2, expected 1"},
    {"ManyActivations",
     [](BundleT* b) {
       for (int i = 0; i < 18; ++i) AddActivation(&Step(b, "head"), ActivationKind::Relu);
     },
     "step 'head': has too many activations"},
    {"PreluWithoutSlopes",
     [](BundleT* b) { Step(b, "deep.candidate").activations[0]->kind = ActivationKind::Prelu; },
     "the number of an activation's slopes is 0, expected 6"},
    {"ReluWithSlope", [](BundleT* b) { Step(b, "deep.candidate").activations[0]->alpha = {1}; },
     "the number of an activation's slopes is 1, expected 0"},
    {"ReluWithScale", [](BundleT* b) { Step(b, "deep.candidate").activations[0]->scale = {1}; },
     "the number of an activation's scales is 1, expected 0"},
    {"AddNothing", [](BundleT* b) { Step(b, "logit").operands.clear(); },
     "step 'logit' (add): the number of operands is 0, expected 1"},
    {"AddRange", [](BundleT* b) { Step(b, "logit").operands[0] = 99; },
     "step 'logit': an operand does not exist"},
    {"AddWidth", [](BundleT* b) { Step(b, "logit").operands[1] = 11; },
     "step 'logit' (add): the width of operand 'addend' is 6, expected 1"},
    {"SumOfNothing", [](BundleT* b) { Step(b, "cross").lookups.clear(); },
     "step 'cross' (embedding sum): lookups are none"},
    {"SumWidth", [](BundleT* b) { Step(b, "cross").lookups.push_back(testing::Lookup(3, 2)); },
     "step 'cross' (embedding sum): the dimension of a table is 4, expected 1"},
    {"Addend", [](BundleT* b) { Step(b, "cross").operands = {99}; },
     "step 'cross': an operand does not exist"},
    {"Addends", [](BundleT* b) { Step(b, "cross").operands = {13, 13}; },
     "step 'cross' (embedding sum): the number of operands is 2, expected 1"},
    {"WrittenTwice", [](BundleT* b) { Step(b, "age").output = 0; },
     "step 'age': writes what another step wrote"},
    {"TwoWriters", [](BundleT* b) { Step(b, "name").output = 7; },
     "step 'name': writes what another step wrote"},
    {"ReadBeforeWritten",
     [](BundleT* b) {
       std::swap(b->steps[IndexOfStep(*b, "head")], b->steps[IndexOfStep(*b, "copy")]);
     },
     "step 'copy': operand 'input' is read before it is written"},
    {"PartlyWritten",
     [](BundleT* b) {
       b->steps.erase(b->steps.begin() + static_cast<ptrdiff_t>(IndexOfStep(*b, "name")));
     },
     "step 'deep.candidate': operand 'input' is read before it is written"},
    {"EndNotWritten",
     [](BundleT* b) {
       b->steps.erase(b->steps.begin() + static_cast<ptrdiff_t>(IndexOfStep(*b, "price")));
     },
     "step 'deep.candidate': operand 'input' is read before it is written"},
    {"HistoryOfTheContext",
     [](BundleT* b) {
       AddStep(b, "broadcast", OperatorKind::Copy, {4}, NewValue(b, Domain::History, 6));
       std::swap(b->steps.back(), b->steps[5]);
     },
     "step 'broadcast': operand 'input' lies in a domain that the step cannot read"},
    {"ManyGoldens", [](BundleT* b) { Fill(&b->goldens, 4097); },
     "number of golden requests is 4097, expected less than 4097"},
    {"ManyGoldenColumns",
     [](BundleT* b) {
       AddGolden(b);
       Fill(&b->goldens[0]->candidates, 9);
     },
     "the number of a golden request's columns is 9, expected less than 9"},
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
    {"GoldenHistorySide",
     [](BundleT* b) {
       AddGolden(b);
       b->goldens[0]->histories.push_back(std::make_unique<schema::GoldenEventsT>());
       b->goldens[0]->histories[0]->event_count = 1;
       b->goldens[0]->histories[0]->columns.push_back(std::move(b->goldens[0]->context[0]));
       b->goldens[0]->context.clear();
     },
     "wrong side"},
    {"GoldenHistories",
     [](BundleT* b) {
       AddGolden(b);
       b->goldens[0]->histories.push_back(std::make_unique<schema::GoldenEventsT>());
       b->goldens[0]->histories.push_back(std::make_unique<schema::GoldenEventsT>());
     },
     "has more histories than the model has sequences"},
    {"GoldenEvents",
     [](BundleT* b) {
       AddGolden(b);
       b->goldens[0]->histories.push_back(std::make_unique<schema::GoldenEventsT>());
       b->goldens[0]->histories[0]->event_count = 1u << 20;
     },
     "has too many rows"},
    {"GoldenOutputs",
     [](BundleT* b) {
       AddGolden(b);
       b->outputs.push_back(testing::Output("second", 15));
     },
     "its logits are not as many as its candidates and outputs"},
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
     "has too many rows"},
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

// Of every step of the bundle: what its operator does not have.
TEST(LoadTest, AttributesBelongToTheirOperators) {
  const struct {
    const char* name;
    OperatorKind owner;
    void (*set)(schema::StepT*);
  } attributes[] = {
      {"squared", OperatorKind::EmbeddingSum, [](schema::StepT* s) { s->squared = true; }},
      {"combiner", OperatorKind::PoolHistory,
       [](schema::StepT* s) { s->combiner = schema::Combiner::Max; }},
      {"empty_value", OperatorKind::PoolHistory, [](schema::StepT* s) { s->empty_value = kNan; }},
  };
  for (size_t i = 0; i < MakeTinyBundle()->steps.size(); ++i) {
    for (const auto& attribute : attributes) {
      auto bundle = MakeTinyBundle();
      schema::StepT& step = *bundle->steps[i];
      SCOPED_TRACE(step.name + ": " + attribute.name);
      attribute.set(&step);
      const hp_error error = Inspect(Serialized(*bundle));
      if (step.kind == attribute.owner) {
        EXPECT_EQ(error.status, HP_OK) << error.message;
        continue;
      }
      EXPECT_EQ(error.status, HP_BUNDLE_CORRUPT);
      EXPECT_NE(std::string(error.message)
                    .find(std::string(": ") + attribute.name + " is not among its attributes"),
                std::string::npos)
          << error.message;
    }
  }
}

}  // namespace
}  // namespace handpick
